"""The offline queue as the terminal's other processes see it: ports `Outbox` and `Assistance` over the queue's socket.

A connection per call: whoever is killed and restarted on either side, the next call just works. Calls that are safe to
repeat (all of them) are repeated until their deadline, so that a restart of the queue process goes unnoticed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.contract.sync import DeviceReport
from kiosk.core.ports import (
    Link,
    Owed,
    QueueStatus,
    SealedSubmission,
    StoreError,
    SubmissionState,
)
from kiosk.core.print_ledger import PaperKind, PrintState
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.line import NONSENSE, ClientDelays, QueueLine
from offline_queue.ipc.messages import BadMessage, cut, put_message, status_of


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
        self._line = QueueLine(socket_path, delays=delays, monotonic=monotonic, sleep=sleep)

    def reserve_number(self) -> Result[str, StoreError]:
        """A fresh application number; never given twice, gaps are fine."""
        answer = self._line.call({"op": "reserve_number"})
        if isinstance(answer, Err):
            return answer
        number = answer.value.head["ok"]
        return Ok(number) if isinstance(number, str) else Err(NONSENSE)

    def put(self, sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> Result[None, StoreError]:
        """Ok only when it is durable. The same id with the same bytes again is Ok."""
        head, tail = put_message(sealed, card_tag=card_tag, slip=slip)
        answer = self._line.call(head, tail)
        return answer if isinstance(answer, Err) else Ok(None)

    def owed(self, card_tag: bytes) -> Result[tuple[Owed, ...], StoreError]:
        """Filed in the last 24 h under this card, receipt not proven."""
        answer = self._line.call({"op": "owed", "card_tag": card_tag.hex()})
        if isinstance(answer, Err):
            return answer
        try:
            rows = answer.value.head["ok"]
            slips = cut(answer.value.tail, tuple(row["slip"] for row in rows))
            return Ok(
                tuple(
                    Owed(row["id"], row["application_no"], PrintState(row["state"]), slip)
                    for row, slip in zip(rows, slips, strict=True)
                )
            )
        except (KeyError, TypeError, ValueError, BadMessage):
            return Err(NONSENSE)

    def state(self, submission_id: str) -> Result[SubmissionState, StoreError]:
        """Has the hall got it?"""
        answer = self._line.call({"op": "state", "id": submission_id})
        if isinstance(answer, Err):
            return answer
        try:
            return Ok(SubmissionState(answer.value.head["ok"]))
        except ValueError:
            return Err(NONSENSE)

    def status(self) -> QueueStatus:
        """Asked once, briefly; `Link.UNKNOWN` and not accepting when the queue process does not answer."""
        answer = self._line.once({"op": "status"})
        if isinstance(answer, Ok):
            try:
                return status_of(answer.value.head["ok"])
            except (KeyError, TypeError, ValueError):
                answer = Err(NONSENSE)
        return QueueStatus(Link.UNKNOWN, 0, 0, 0, False, answer.error.fault.value)

    def call_help(self, at: datetime) -> Result[None, StoreError]:
        """Somebody wants help; asked once, because whoever polls the status sees whether it has arrived."""
        answer = self._line.once({"op": "call_help", "at": at.isoformat()})
        return answer if isinstance(answer, Err) else Ok(None)

    def papers_left(self, papers: frozenset[PaperKind]) -> Result[None, StoreError]:
        """Papers that nobody took, for the next heartbeat; asked once, because it is told again."""
        answer = self._line.once({"op": "papers_left", "papers": sorted(papers)})
        return answer if isinstance(answer, Err) else Ok(None)

    def asking(self, seconds: float) -> None:
        """A citizen asks the hall something and waits at most so long; 0: she has her answer. Never waits itself."""
        self._line.tell({"op": "asking", "seconds": seconds})

    def entries(self) -> Result[list[dict[str, Any]], StoreError]:
        """Every row as plain data, for a technician."""
        answer = self._line.call({"op": "list"})
        return answer if isinstance(answer, Err) else Ok(answer.value.head["ok"])

    def report_devices(self, devices: tuple[DeviceReport, ...]) -> Result[None, StoreError]:
        """Device health for the next heartbeat; asked once, because the next report is soon."""
        head = {"op": "devices", "devices": [device.model_dump(mode="json") for device in devices]}
        answer = self._line.once(head)
        return answer if isinstance(answer, Err) else Ok(None)


__all__ = ["ClientDelays", "QueueClient"]
