"""The street: hall, sync, a simulated terminal and a web page that holds the hardware."""
