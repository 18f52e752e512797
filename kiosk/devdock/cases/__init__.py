"""Scripted people: a case file played against a whole street of real processes."""
