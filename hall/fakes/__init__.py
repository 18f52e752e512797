"""Simulated outside: departments that decide."""
