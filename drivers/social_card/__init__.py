"""The contact slot for 社保卡."""
