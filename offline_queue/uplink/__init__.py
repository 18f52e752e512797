"""On the line: what goes to the hall, in which order, and what is done about its answers."""
