"""Answers requests from the socket: the queue's side of the `Outbox` port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from kiosk.contract.frames import Frame
from kiosk.contract.signing import PublicKeys
from kiosk.core.ports import (
    Owed,
    QueueStatus,
    SealedSubmission,
    StoreError,
    StoreFault,
)
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.messages import (
    Asking,
    BadMessage,
    CallHelp,
    Devices,
    ListAll,
    OwedTo,
    PapersLeft,
    Put,
    Request,
    ReserveNumber,
    StateOf,
    Status,
    cut,
    error_head,
    parse_request,
    status_values,
)
from offline_queue.media.desk import MediaDesk
from offline_queue.outbox import Intake
from offline_queue.paper.ledger_desk import LedgerDesk
from offline_queue.store import Store
from offline_queue.uplink.sync_state import SyncState

Answer = tuple[dict[str, Any], bytes]
_CITIZENS = (OwedTo, Asking, ReserveNumber, Put)
"""Asked when a card is laid down, a question is asked, something is filed."""


class QueueService:
    """One answer for every request; knows nothing of sockets."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        sync: SyncState,
        *,
        wake: Callable[[], None],
        hall_keys: Callable[[], PublicKeys] = dict,
    ) -> None:
        """`wake` tells the sync worker that there is something new; `hall_keys`: whose receipts are believed now."""
        self._store = store
        self._media = MediaDesk(store, hall_keys=hall_keys, wake=wake)
        self._desk = LedgerDesk(store, wake=wake)
        self._intake = intake
        self._sync = sync
        self._wake = wake

    def answer(self, frame: Frame) -> Answer:
        """The answer's head and tail; a request that makes no sense is BROKEN."""
        try:
            if MediaDesk.knows(frame.head):
                return self._media.answer(frame)
            request = parse_request(frame.head)
            if isinstance(request, _CITIZENS):
                self._sync.traffic.somebody_is_here()
            return self._answer(request, frame.tail)
        except BadMessage as error:
            return error_head(StoreError(StoreFault.BROKEN, str(error))), b""

    def _answer(self, request: Request, tail: bytes) -> Answer:
        match request:
            case ReserveNumber():
                return _plain(self._intake.reserve_number())
            case Put():
                return _plain(self._put(request, tail))
            case OwedTo():
                return _owed(self._intake.owed(bytes.fromhex(request.card_tag)))
            case StateOf():
                return _plain(self._store.state(request.id))
            case Status():
                return {"ok": status_values(self.status())}, b""
            case ListAll():
                entries = self._store.entries()
                return _plain(Ok([asdict(entry) for entry in entries.value]) if isinstance(entries, Ok) else entries)
            case Devices():
                self._sync.report_devices(request.devices)
                return {"ok": None}, b""
            case CallHelp():
                self._sync.help.take(request.at)
                self._wake()
                return {"ok": None}, b""
            case Asking():
                self._sync.traffic.asking(request.seconds)
                return {"ok": None}, b""
            case PapersLeft():
                self._sync.report_papers_left(request.papers)
                return {"ok": None}, b""
            case _:
                return _plain(self._desk.answer(request))

    def status(self) -> QueueStatus:
        """The queue in numbers; a store that is down accepts nothing."""
        backlog = self._store.backlog()
        link, last_error, call = self._sync.link, self._sync.last_error, self._sync.help.call
        if isinstance(backlog, Err):
            return QueueStatus(link, 0, 0, 0, False, backlog.error.fault.value, call)
        numbers = backlog.value
        return QueueStatus(
            link=link,
            pending=numbers.pending,
            parked=numbers.parked,
            oldest_unsent_s=numbers.oldest_unsent_s,
            accepting=self._store.space.accepting() and not self._sync.revoked,
            last_error=last_error,
            help=call,
            sheets_ready=self._desk.sheets_ready(),
            returned=numbers.returned,
            clock_skew_s=None if (skew := self._sync.clock.skew_s()) is None else round(skew),
        )

    def _put(self, request: Put, tail: bytes) -> Result[None, StoreError]:
        slip, envelope, *blobs = cut(tail, (request.slip, request.envelope, *request.blobs))
        sealed = SealedSubmission(request.id, request.application_no, envelope, tuple(blobs), request.corrects)
        done = self._intake.put(sealed, card_tag=bytes.fromhex(request.card_tag), slip=slip)
        if isinstance(done, Ok):
            self._sync.just_filed(request.id)
            self._wake()
        return done


def _plain(result: Result[Any, StoreError]) -> Answer:
    return ({"ok": result.value} if isinstance(result, Ok) else error_head(result.error)), b""


def _owed(result: Result[tuple[Owed, ...], StoreError]) -> Answer:
    if isinstance(result, Err):
        return error_head(result.error), b""
    rows = [
        {"id": owed.id, "application_no": owed.application_no, "state": owed.paper, "slip": len(owed.receipt)}
        for owed in result.value
    ]
    return {"ok": rows}, b"".join(owed.receipt for owed in result.value)
