"""The offline queue: nothing handed in is ever lost, doubled or readable by anyone but the hall."""
