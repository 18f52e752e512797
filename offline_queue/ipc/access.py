"""A technician's way to a queue: through the process that owns it, or by opening the store while none runs.

Both ways ask the same questions of the same code; see `offline_queue.media.desk` and `offline_queue.ipc.messages`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kiosk.contract.frames import Frame
from kiosk.contract.media import MediaItem, MediaResult
from kiosk.core.clock import Clock, SystemClock
from kiosk.core.ports import QueueStatus, SealedSubmission, StoreError, StoreFault
from kiosk.core.profile import DataLayout
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.files import Locked
from offline_queue.disk.schema import SchemaError
from offline_queue.ipc.line import NONSENSE, ClientDelays, QueueLine
from offline_queue.ipc.messages import error_of, put_message, status_of
from offline_queue.ipc.service import QueueService
from offline_queue.keys.identity import NotEnrolled, believed_keys, load_enrolment
from offline_queue.media.desk import SETTLE
from offline_queue.outbox import Intake
from offline_queue.store import Store
from offline_queue.uplink.sync_state import SyncState

_DELAYS = ClientDelays(call_s=60.0, status_s=2.0)


class NoQueue(RuntimeError):
    """This queue cannot be worked on; the message says why."""


class Line(Protocol):
    """Asks the owner of the store."""

    def call(self, head: dict[str, Any], tail: bytes = b"") -> Result[Frame, StoreError]:
        """One question."""
        ...


class _OwnLine:
    """Questions to a store that this process owns."""

    def __init__(self, service: QueueService) -> None:
        self._service = service

    def call(self, head: dict[str, Any], tail: bytes = b"") -> Result[Frame, StoreError]:
        answer, rest = self._service.answer(Frame(head, tail))
        return Ok(Frame(answer, rest)) if "ok" in answer else Err(error_of(answer))


@dataclass(frozen=True, slots=True)
class Held:
    """A submission that the hall has not signed for."""

    seq: int
    item: MediaItem


@dataclass(frozen=True, slots=True)
class QueueAccess:
    """One queue, in a technician's hands."""

    line: Line
    store: Store | None
    """The store itself, when no queue process runs."""

    @property
    def live(self) -> bool:
        """Does a queue process run, which delivers by itself?"""
        return self.store is None

    def status(self) -> Result[QueueStatus, StoreError]:
        """The queue in numbers."""
        answer = self._ask({"op": "status"})
        try:
            return answer if isinstance(answer, Err) else Ok(status_of(answer.value))
        except (KeyError, TypeError, ValueError):
            return Err(NONSENSE)

    def entries(self) -> Result[list[dict[str, Any]], StoreError]:
        """Rows for a technician."""
        return self._ask({"op": "list"})

    def reserve_number(self) -> Result[str, StoreError]:
        """A fresh application number."""
        return self._ask({"op": "reserve_number"})

    def put(self, sealed: SealedSubmission) -> Result[None, StoreError]:
        """Ok only when it is durable."""
        head, tail = put_message(sealed, card_tag=b"", slip=b"")
        answer = self.line.call(head, tail)
        return answer if isinstance(answer, Err) else Ok(None)

    def held(self) -> Iterator[Result[Held, StoreError]]:
        """Everything that the hall has not signed for, oldest first; ends at the first error."""
        after = 0
        while True:
            page = self._ask({"op": "held", "after": after})
            if isinstance(page, Err):
                yield page
                return
            for row in page.value:
                after = row["seq"]
                yield Ok(Held(after, MediaItem.model_validate(row["item"], strict=False)))
            if not page.value:
                return

    def envelope(self, held: Held) -> Result[bytes, StoreError]:
        """Sealed bytes; BROKEN: damaged, or delivered meanwhile."""
        item = held.item
        answer = self.line.call({"op": "held_envelope", "seq": held.seq, "id": item.id, "sha256": item.sha256})
        return answer if isinstance(answer, Err) else Ok(answer.value.tail)

    def blob(self, sha256: str) -> Result[bytes, StoreError]:
        """Sealed bytes; BROKEN: damaged, lost, or delivered meanwhile."""
        answer = self.line.call({"op": "held_blob", "sha256": sha256})
        return answer if isinstance(answer, Err) else Ok(answer.value.tail)

    def settle(self, results: tuple[MediaResult, ...]) -> Result[list[str], StoreError]:
        """One word for each result, see `MediaDesk`."""
        words: list[str] = []
        for start in range(0, len(results), SETTLE):
            piece = [result.model_dump(mode="json") for result in results[start : start + SETTLE]]
            answer = self._ask({"op": "settle_media", "results": piece})
            if isinstance(answer, Err):
                return answer
            words += answer.value
        return Ok(words)

    def requeue(self, ids: tuple[str, ...] | None) -> Result[int, StoreError]:
        """How many parked items are to be sent again; None: all."""
        return self._ask({"op": "requeue", "ids": ids})

    def note_media(self, what: str, *, sha256: str, count: int) -> Result[None, StoreError]:
        """``exported`` or ``imported``, for the journal."""
        return self._ask({"op": "note_media", "what": what, "sha256": sha256, "count": count})

    def keep_house(self) -> Result[None, StoreError]:
        """Give room back."""
        return self._ask({"op": "keep_house"})

    def inspect(self) -> Result[dict[str, Any], StoreError]:
        """SQLite's own word on its structures."""
        return self._ask({"op": "inspect"})

    def counters(self) -> Result[dict[str, int], StoreError]:
        """Last serials by day."""
        return self._ask({"op": "counters"})

    def raise_counters(self, counters: dict[str, int]) -> Result[None, StoreError]:
        """Never below these."""
        return self._ask({"op": "raise_counters", "counters": counters})

    def _ask(self, head: dict[str, Any]) -> Result[Any, StoreError]:
        answer = self.line.call(head)
        return answer if isinstance(answer, Err) else Ok(answer.value.head["ok"])


@contextmanager
def open_queue(
    data: Path, *, create: bool = False, clock: Clock | None = None, wait_s: float = 20.0
) -> Iterator[QueueAccess]:
    """The queue of a data directory, through whoever owns it; NoQueue."""
    layout = DataLayout(data)
    clock = clock or SystemClock()
    end = clock.monotonic() + wait_s
    while True:
        line = QueueLine(Path(layout.queue_socket), delays=_DELAYS)
        if Path(layout.queue_socket).exists() and isinstance(line.once({"op": "status"}), Ok):
            yield QueueAccess(line, None)
            return
        if not create and not Path(layout.queue_db).is_file():
            raise NoQueue("no queue here")
        try:
            store = Store(Path(layout.queue), clock=clock)
            break
        except Locked:  # another technician's command, or a queue process that starts or ends just now
            if clock.monotonic() >= end:
                raise NoQueue("somebody else has this queue and does not answer") from None
        except (SchemaError, sqlite3.Error, OSError) as error:
            raise NoQueue(f"the store cannot be read: {error}") from None
    try:
        region, terminal_id = _numbers(data)
        intake = Intake(store, clock=clock, region=region, terminal_id=terminal_id)
        state = SyncState()
        service = QueueService(store, intake, state, wake=_nobody, hall_keys=lambda: believed_keys(data))
        yield QueueAccess(_OwnLine(service), store)
    finally:
        store.close()


def _numbers(data: Path) -> tuple[str, str]:
    try:
        enrolment = load_enrolment(data)
    except NotEnrolled:
        return "", ""
    return enrolment.region, enrolment.terminal_id


def _nobody() -> None:
    """No worker runs here that could be woken."""


def words_of(error: StoreError) -> str:
    """One plain line."""
    words = {
        StoreFault.DISK_FULL: "the disk is full: nothing was taken",
        StoreFault.STORE_DOWN: "the store does not work",
        StoreFault.CONFLICT: "the same id or number is here with other bytes",
        StoreFault.BROKEN: "damaged, or not a submission",
    }.get(error.fault, error.fault.value)
    return f"{words} ({error.detail})" if error.detail else words
