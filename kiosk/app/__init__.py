"""Composition root: wiring, settings, command line."""
