"""One worker process per device: framed messages, heartbeat, deadline, kill and restart."""
