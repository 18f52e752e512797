"""Page printer (A4 打印机)."""
