"""One exchange with the queue process: a connection per call, repeated until a deadline where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.contract.frames import Frame
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.local_socket import FrameError, FrameSocket, connect
from offline_queue.ipc.messages import error_of

_DOWN = StoreError(StoreFault.STORE_DOWN, "queue process does not answer")
NONSENSE = StoreError(StoreFault.STORE_DOWN, "queue answered nonsense")


@dataclass(frozen=True, slots=True)
class ClientDelays:
    """Seconds."""

    call_s: float = 10.0
    """For one call with all its repetitions; a restart of the queue process fits in."""
    status_s: float = 0.5
    tell_s: float = 0.05
    again_s: float = 0.05
    """Between repetitions."""


class QueueLine:
    """Whoever is killed and restarted on either side, the next call just works. Safe to use from several threads."""

    def __init__(
        self,
        socket_path: Path,
        *,
        delays: ClientDelays | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = socket_path
        self._delays = delays or ClientDelays()
        self._monotonic = monotonic
        self._sleep = sleep

    def call(self, head: dict[str, Any], tail: bytes = b"") -> Result[Frame, StoreError]:
        """Asked until there is an answer or the time is up; only for what may be repeated."""
        end = self._monotonic() + self._delays.call_s
        while True:
            answer = self._exchange(head, tail, seconds=max(0.1, end - self._monotonic()))
            if isinstance(answer, Ok) or answer.error is not _DOWN or self._monotonic() >= end:
                return answer
            self._sleep(self._delays.again_s)

    def once(self, head: dict[str, Any]) -> Result[Frame, StoreError]:
        """Asked once, briefly: whoever asks so asks again soon."""
        return self._exchange(head, b"", seconds=self._delays.status_s)

    def tell(self, head: dict[str, Any]) -> None:
        """Said and not waited for: nothing is lost if nobody hears it, and whoever says it has no time."""
        try:
            connection = FrameSocket(connect(self._path, seconds=self._delays.tell_s))
        except OSError:
            return
        try:
            connection.send(head, seconds=self._delays.tell_s)
        except OSError:
            return
        finally:
            connection.close()

    def _exchange(self, head: dict[str, Any], tail: bytes, *, seconds: float) -> Result[Frame, StoreError]:
        try:
            connection = FrameSocket(connect(self._path, seconds=seconds))
        except OSError:
            return Err(_DOWN)
        try:
            connection.send(head, tail, seconds=seconds)
            frame = connection.receive(seconds=seconds)
        except FrameError as error:
            return Err(StoreError(StoreFault.BROKEN, str(error)))
        except OSError:
            return Err(_DOWN)
        finally:
            connection.close()
        if frame is None:
            return Err(_DOWN)
        return Ok(frame) if "ok" in frame.head else Err(error_of(frame.head))
