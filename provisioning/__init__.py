"""From a bare machine to a serving terminal."""
