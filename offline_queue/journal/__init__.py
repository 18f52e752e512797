"""The journal (流水): an append-only chain of what happened, signed, verified by the hall."""
