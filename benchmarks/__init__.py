"""Benchmarks: what the parts take, against limits and against named peers measured in the same run."""
