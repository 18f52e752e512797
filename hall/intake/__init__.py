"""收件: what is handed in, by line or by stick."""
