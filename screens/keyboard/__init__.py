"""The keyboard on the screen: a pinyin engine over a read-only table, and the keys."""
