"""The offline queue as the terminal's other processes see it: ports `Outbox` and `Assistance` over the queue's socket.

A connection per call: whoever is killed and restarted on either side, the next call just works. Calls that are safe to
repeat (all of them) are repeated until their deadline, so that a restart of the queue process goes unnoticed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.contract.frames import Frame
from kiosk.contract.sync import DeviceReport
from kiosk.core.ports import (
    Link,
    Owed,
    QueueStatus,
    ReceiptState,
    SealedSubmission,
    StoreError,
    StoreFault,
    SubmissionState,
)
from kiosk.core.result import Err, Ok, Result
from offline_queue.local_socket import FrameError, FrameSocket, connect
from offline_queue.messages import BadMessage, cut, error_of, put_message, status_of

_DOWN = StoreError(StoreFault.STORE_DOWN, "queue process does not answer")
_NONSENSE = StoreError(StoreFault.STORE_DOWN, "queue answered nonsense")


@dataclass(frozen=True, slots=True)
class ClientDelays:
    """Seconds."""

    call_s: float = 10.0
    """For one call with all its repetitions; a restart of the queue process fits in."""
    status_s: float = 0.5
    again_s: float = 0.05
    """Between repetitions."""


class QueueClient:
    """Implements `Outbox` and `Assistance`. Safe to use from several threads."""

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

    def reserve_number(self) -> Result[str, StoreError]:
        """A fresh application number; never given twice, gaps are fine."""
        answer = self._call({"op": "reserve_number"})
        if isinstance(answer, Err):
            return answer
        number = answer.value.head["ok"]
        return Ok(number) if isinstance(number, str) else Err(_NONSENSE)

    def put(self, sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> Result[None, StoreError]:
        """Ok only when it is durable. The same id with the same bytes again is Ok."""
        head, tail = put_message(sealed, card_tag=card_tag, slip=slip)
        answer = self._call(head, tail)
        return answer if isinstance(answer, Err) else Ok(None)

    def owed(self, card_tag: bytes) -> Result[tuple[Owed, ...], StoreError]:
        """Filed in the last 24 h under this card, receipt not proven."""
        answer = self._call({"op": "owed", "card_tag": card_tag.hex()})
        if isinstance(answer, Err):
            return answer
        try:
            rows = answer.value.head["ok"]
            slips = cut(answer.value.tail, tuple(row["slip"] for row in rows))
            return Ok(
                tuple(
                    Owed(row["id"], row["application_no"], ReceiptState(row["state"]), slip)
                    for row, slip in zip(rows, slips, strict=True)
                )
            )
        except (KeyError, TypeError, ValueError, BadMessage):
            return Err(_NONSENSE)

    def receipt_state(self, submission_id: str, state: ReceiptState) -> Result[None, StoreError]:
        """Write down before and after printing."""
        answer = self._call({"op": "receipt_state", "id": submission_id, "state": state.value})
        return answer if isinstance(answer, Err) else Ok(None)

    def state(self, submission_id: str) -> Result[SubmissionState, StoreError]:
        """Has the hall got it?"""
        answer = self._call({"op": "state", "id": submission_id})
        if isinstance(answer, Err):
            return answer
        try:
            return Ok(SubmissionState(answer.value.head["ok"]))
        except ValueError:
            return Err(_NONSENSE)

    def status(self) -> QueueStatus:
        """Asked once, briefly; `Link.UNKNOWN` and not accepting when the queue process does not answer."""
        answer = self._once({"op": "status"}, b"", seconds=self._delays.status_s)
        if isinstance(answer, Ok):
            try:
                return status_of(answer.value.head["ok"])
            except (KeyError, TypeError, ValueError):
                answer = Err(_NONSENSE)
        return QueueStatus(Link.UNKNOWN, 0, 0, 0, False, answer.error.fault.value)

    def call_help(self, at: datetime) -> Result[None, StoreError]:
        """Somebody wants help; asked once, because whoever polls the status sees whether it has arrived."""
        answer = self._once({"op": "call_help", "at": at.isoformat()}, b"", seconds=self._delays.status_s)
        return answer if isinstance(answer, Err) else Ok(None)

    def entries(self) -> Result[list[dict[str, Any]], StoreError]:
        """Every row as plain data, for a technician."""
        answer = self._call({"op": "list"})
        return answer if isinstance(answer, Err) else Ok(answer.value.head["ok"])

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> Result[None, StoreError]:
        """Device health for the next heartbeat; asked once, because the next report is soon."""
        head = {"op": "devices", "devices": [device.model_dump(mode="json") for device in devices]}
        answer = self._once(head, b"", seconds=self._delays.status_s)
        return answer if isinstance(answer, Err) else Ok(None)

    def _call(self, head: dict[str, Any], tail: bytes = b"") -> Result[Frame, StoreError]:
        end = self._monotonic() + self._delays.call_s
        while True:
            answer = self._once(head, tail, seconds=max(0.1, end - self._monotonic()))
            if isinstance(answer, Ok) or answer.error is not _DOWN or self._monotonic() >= end:
                return answer
            self._sleep(self._delays.again_s)

    def _once(self, head: dict[str, Any], tail: bytes, *, seconds: float) -> Result[Frame, StoreError]:
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
