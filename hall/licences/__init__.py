"""证照: persons, what they hold, and how it gets onto paper."""
