"""The dock: a local web page that shows the screen and holds the hardware."""
