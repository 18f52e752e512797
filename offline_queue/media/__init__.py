"""By stick: where there is no line, or the machine is to be replaced."""
