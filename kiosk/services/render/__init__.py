"""From the state to what the screen shows. Pure; masks what must be masked."""
