"""The print ledger as the terminal's other processes see it: port `PrintLedger` over the queue's socket.

Every step may be repeated, so each call is, until its deadline: a restart of the queue process goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kiosk.core.ports import StoreError
from kiosk.core.print_ledger import PrintEntry, PrintOrder, Settled, Sheet, SheetCount, VoidReason
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.line import NONSENSE, ClientDelays, QueueLine
from offline_queue.ipc.messages import count_of, entry_of, intend_message, sheet_of

T = TypeVar("T")


class LedgerClient:
    """Implements `PrintLedger`. Safe to use from several threads."""

    def __init__(self, socket_path: Path, *, delays: ClientDelays | None = None) -> None:
        self._line = QueueLine(socket_path, delays=delays)

    def intend(self, order: PrintOrder, *, card_tag: bytes) -> Result[PrintEntry, StoreError]:
        """Written down, with its numbered sheet if it needs one."""
        return self._ask(intend_message(order, card_tag=card_tag), entry_of)

    def sent(self, job: str, *, attempt: str) -> Result[None, StoreError]:
        """It goes to the printer now."""
        return self._ask({"op": "sent", "job": job, "attempt": attempt}, _nothing)

    def settle(self, job: str, outcome: Settled, *, fault: str = "", pages: int = 0) -> Result[None, StoreError]:
        """The printer's word."""
        head = {"op": "settle", "job": job, "outcome": outcome.value, "fault": fault, "pages": pages}
        return self._ask(head, _nothing)

    def answer(self, job: str, *, came_out: bool) -> Result[None, StoreError]:
        """A person's word."""
        return self._ask({"op": "answer", "job": job, "came_out": came_out}, _nothing)

    def reprint(self, job: str, reason: VoidReason) -> Result[PrintEntry, StoreError]:
        """It does not count; the one in its place."""
        return self._ask({"op": "reprint", "job": job, "reason": reason.value}, entry_of)

    def open_pages(self, card_tag: bytes | None = None) -> Result[tuple[PrintEntry, ...], StoreError]:
        """Pages whose end is not known."""
        head = {"op": "open_pages", "card_tag": None if card_tag is None else card_tag.hex()}
        return self._ask(head, lambda rows: tuple(map(entry_of, rows)))

    def load_sheets(self, first: str, count: int) -> Result[SheetCount, StoreError]:
        """Numbered sheets are in the tray."""
        return self._ask({"op": "load_sheets", "first": first, "count": count}, count_of)

    def void_sheet(self, serial: str, reason: VoidReason) -> Result[None, StoreError]:
        """A sheet that will not be used."""
        return self._ask({"op": "void_sheet", "serial": serial, "reason": reason.value}, _nothing)

    def return_sheet(self, serial: str) -> Result[None, StoreError]:
        """A sheet in doubt lies in the tray."""
        return self._ask({"op": "return_sheet", "serial": serial}, _nothing)

    def sheets(self) -> Result[tuple[Sheet, ...], StoreError]:
        """Every sheet ever loaded."""
        found: list[Sheet] = []
        while True:
            after = found[-1].serial if found else ""
            page = self._ask({"op": "sheets", "after": after}, lambda rows: tuple(map(sheet_of, rows)))
            if isinstance(page, Err):
                return page
            if not page.value:
                return Ok(tuple(found))
            found += page.value

    def count_sheets(self) -> Result[SheetCount, StoreError]:
        """The audit in numbers."""
        return self._ask({"op": "count_sheets"}, count_of)

    def _ask(self, head: dict[str, Any], read: Callable[[Any], T]) -> Result[T, StoreError]:
        answer = self._line.call(head)
        if isinstance(answer, Err):
            return answer
        try:
            return Ok(read(answer.value.head["ok"]))
        except (KeyError, TypeError, ValueError):
            return Err(NONSENSE)


def _nothing(value: object) -> None:
    if value is not None:
        raise ValueError("an answer where none was due")
