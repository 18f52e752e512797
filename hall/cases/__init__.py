"""办件: what was filed, what became of it, and what is still wanted."""
