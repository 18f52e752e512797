"""The pure heart of the terminal: no Qt, no I/O."""
