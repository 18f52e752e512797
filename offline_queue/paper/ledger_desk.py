"""Answers requests from the socket: the queue's side of the `PrintLedger` port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar, assert_never

from kiosk.core.ports import StoreError
from kiosk.core.print_ledger import PrintState, Settled
from kiosk.core.result import Ok, Result
from offline_queue.ipc.messages import (
    AnswerTo,
    CountSheets,
    Intend,
    LedgerRequest,
    ListSheets,
    LoadSheets,
    OpenPages,
    Reprint,
    ReturnSheet,
    Sent,
    Settle,
    VoidSheet,
    entry_values,
    order_of,
    sheet_values,
)
from offline_queue.paper.ledger import Ledger
from offline_queue.paper.sheets import SheetBook
from offline_queue.store import Store

T = TypeVar("T")


class LedgerDesk:
    """One answer, as plain data, for every request about paper."""

    def __init__(self, store: Store, *, wake: Callable[[], None]) -> None:
        self._ledger = Ledger(store, wake=wake)
        self._sheets = SheetBook(store)

    def sheets_ready(self) -> int:
        """Numbered sheets that may be printed on now; none while the store cannot say."""
        count = self._sheets.count()
        return count.value.ready if isinstance(count, Ok) else 0

    def answer(self, request: LedgerRequest) -> Result[Any, StoreError]:
        """Do it."""
        ledger, sheets = self._ledger, self._sheets
        match request:
            case Intend():
                return _as(ledger.intend(order_of(request), card_tag=bytes.fromhex(request.card_tag)), entry_values)
            case Sent(job=job, attempt=attempt):
                return ledger.sent(job, attempt=attempt)
            case Settle(job=job, outcome=outcome, fault=fault, pages=printed):
                return ledger.settle(job, _SETTLED[outcome], fault=str(fault), pages=printed)
            case AnswerTo(job=job, came_out=came_out):
                return ledger.answer(job, came_out=came_out)
            case Reprint(job=job, reason=reason):
                return _as(ledger.reprint(job, reason), entry_values)
            case OpenPages(card_tag=tag):
                pages = ledger.open_pages(None if tag is None else bytes.fromhex(tag))
                return _as(pages, lambda found: [entry_values(entry) for entry in found])
            case LoadSheets(first=first, count=count):
                return _as(sheets.load(first, count), asdict)
            case VoidSheet(serial=serial, reason=reason):
                return sheets.void(serial, reason)
            case ReturnSheet(serial=serial):
                return sheets.put_back(serial)
            case ListSheets():
                return _as(sheets.page(request.after), lambda found: [sheet_values(sheet) for sheet in found])
            case CountSheets():
                return _as(sheets.count(), asdict)
            case _:
                assert_never(request)


_SETTLED: dict[str, Settled] = {
    "proven": PrintState.PROVEN,
    "failed": PrintState.FAILED,
    "unknown": PrintState.UNKNOWN,
}


def _as(result: Result[T, StoreError], plain: Callable[[T], Any]) -> Result[Any, StoreError]:
    return Ok(plain(result.value)) if isinstance(result, Ok) else result
