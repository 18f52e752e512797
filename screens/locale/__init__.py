"""Sentences: what the screens say for the codes in a snapshot."""
