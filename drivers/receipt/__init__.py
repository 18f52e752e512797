"""Receipt printer (热敏打印机)."""
