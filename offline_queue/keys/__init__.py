"""Who this terminal is, whom it believes, and what time it is."""
