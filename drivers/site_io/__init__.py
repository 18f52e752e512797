"""The I/O board of the cabinet (机柜 I/O 板): doors, sensors, lamps, UPS."""
