"""What was printed (打印台账) and on which sheets."""
