"""PC/SC, shared by the readers on it: addresses, a monitor that outlives pcscd, result codes."""
