"""The queue's socket: one thread takes connections, one per connection answers; a bad client harms only itself."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.contract.frames import Frame, FrameError
from offline_queue.ipc.local_socket import FrameSocket, listen


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Seconds, and connections at once."""

    request_s: float = 10.0
    """For one whole request to arrive, and for its answer to be taken."""
    stop_s: float = 2.0
    """For answers on their way when the queue stops."""
    connections: int = 16


class QueueServer:
    """Listens until `stop`."""

    def __init__(
        self,
        path: Path,
        answer: Callable[[Frame], tuple[dict[str, Any], bytes]],
        *,
        limits: ServerLimits | None = None,
        admit: Callable[[socket.socket], bool] = lambda _connection: True,
    ) -> None:
        """Listen at `path`; OSError. Who is not admitted is hung up on."""
        self._answer = answer
        self._admit = admit
        self._limits = limits or ServerLimits()
        self._socket = listen(path)
        self._path = path
        self._slots = threading.BoundedSemaphore(self._limits.connections)
        self._stopping = False
        self._thread = threading.Thread(target=self._accept, name="queue-socket", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """No new connections; answers on their way get a moment, and a cut one is repeated by its client."""
        self._stopping = True
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)
        end = time.monotonic() + self._limits.stop_s
        for _ in range(self._limits.connections):
            self._slots.acquire(timeout=max(0.0, end - time.monotonic()))

    def _accept(self) -> None:
        while True:
            self._slots.acquire()
            try:
                connection, _ = self._socket.accept()
            except OSError:
                self._slots.release()
                if self._stopping:
                    return
                raise
            threading.Thread(target=self._serve, args=(connection,), name="queue-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        frames = FrameSocket(connection)
        seconds = self._limits.request_s
        try:
            if not self._admit(connection):
                return
            while not self._stopping and (frame := frames.receive(seconds=seconds)) is not None:
                head, tail = self._answer(frame)
                frames.send(head, tail, seconds=seconds)
        except (OSError, FrameError):
            # The client died, dawdled or sent nonsense: its request was not acknowledged, and it knows.
            return
        finally:
            frames.close()
            self._slots.release()
