"""When the disk did not keep its word: found, set aside, saved."""
