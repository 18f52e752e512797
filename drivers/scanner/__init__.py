"""Code scanner (扫码器)."""
