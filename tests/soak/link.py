"""A line between a terminal and the hall that can be cut and comes back: bytes pass as they are, TLS and all."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Link:
    """Listens on a port of its own for as long as it lives; what passes is handed to the hall's port of now."""

    def __init__(self, hall_port: int) -> None:
        self.hall_port = hall_port
        self._up = True
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Everything under way is lost, and nobody gets through."""
        with self._lock:
            self._up = False
            ending, self._open = self._open, set()
        for line in ending:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """It works again."""
        self._up = True

    def close(self) -> None:
        """No more."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.hall_port), timeout=5) if self._up else None
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for line in (one, other):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {one, other}
        one.close()
