"""Identity card reader (身份证阅读器)."""
