"""The driver host: spawn, handshake, heartbeat, deadline, kill, restart."""
