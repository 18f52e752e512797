"""Byte-level emulators of every device, with scripted faults."""
