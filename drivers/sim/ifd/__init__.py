"""A virtual PC/SC reader: own IFD handler in C, private pcscd, reader and card in Python."""
