"""Contact slot for 社保卡."""
