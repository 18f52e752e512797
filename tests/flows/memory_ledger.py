"""A print ledger in memory, under the same rules as the one in the store (`kiosk.core.print_ledger`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.print_ledger import (
    REPRINT_LIMIT,
    Forbidden,
    PaperKind,
    PrintEntry,
    PrintOrder,
    PrintState,
    Settled,
    Sheet,
    SheetCount,
    VoidReason,
    after_answer,
    after_intent,
    after_sending,
    after_word,
)
from kiosk.core.result import Err, Ok, Result


class Clock(Protocol):
    def now(self) -> datetime: ...


@dataclass
class Paper:
    """A printing, and what only the ledger knows of it."""

    entry: PrintEntry
    card_tag: bytes
    attempt: str = ""
    again: int = 0


@dataclass
class MemoryLedger:
    """`faults`: so many calls are refused before anything is done. `outcomes`: what the hall would hear, in order."""

    clock: Clock
    papers: dict[str, Paper] = field(default_factory=dict)
    outcomes: list[tuple[str, str, str]] = field(default_factory=list)
    faults: int = 0
    sheets_left: int = 0

    def state(self, job: str) -> PrintState:
        return self.papers[job].entry.state

    def pages(self) -> dict[str, PrintState]:
        """Every page and where it stands."""
        return {job: one.entry.state for job, one in self.papers.items() if one.entry.kind is PaperKind.PAGE}

    def intend(self, order: PrintOrder, *, card_tag: bytes) -> Result[PrintEntry, StoreError]:
        if down := self._down():
            return down
        known = self.papers.get(order.job)
        try:
            state = after_intent(known.entry.state if known else None)
        except Forbidden as forbidden:
            return _forbidden(forbidden)
        if known is not None and known.again > REPRINT_LIMIT:
            return Err(StoreError(StoreFault.LIMIT))
        serial = known.entry.serial if known else ""
        if order.numbered and not serial:
            if not self.sheets_left:
                return Err(StoreError(StoreFault.NO_SHEET))
            serial = f"GD{self.sheets_left:06d}"
            self.sheets_left -= 1
        entry = PrintEntry(order.job, order.kind, order.pages, state, order.hall_job, serial)
        self.papers[order.job] = Paper(entry, card_tag, again=known.again if known else 0)
        return Ok(entry)

    def sent(self, job: str, *, attempt: str) -> Result[None, StoreError]:
        if down := self._down():
            return down
        paper = self.papers[job]
        try:
            state = after_sending(paper.entry.state, paper.entry.kind, same_attempt=attempt == paper.attempt)
        except Forbidden as forbidden:
            return _forbidden(forbidden)
        paper.attempt = attempt
        paper.entry = replace(paper.entry, state=state, sent_at=self.clock.now())
        return Ok(None)

    def settle(self, job: str, outcome: Settled, *, fault: str = "", pages: int = 0) -> Result[None, StoreError]:
        if down := self._down():
            return down
        self._move(job, after_word(self.papers[job].entry.state, outcome), fault)
        return Ok(None)

    def answer(self, job: str, *, came_out: bool) -> Result[None, StoreError]:
        if down := self._down():
            return down
        paper = self.papers[job]
        try:
            state = after_answer(paper.entry.state, came_out=came_out)
        except Forbidden as forbidden:
            return _forbidden(forbidden)
        paper.again += state is PrintState.FAILED and paper.entry.state is not PrintState.FAILED
        self._move(job, state, "")
        return Ok(None)

    def reprint(self, job: str, reason: VoidReason) -> Result[PrintEntry, StoreError]:
        if down := self._down():
            return down
        old = self.papers[job]
        hall_job = old.entry.hall_job
        family = [one for one in self.papers.values() if one.entry.hall_job == hall_job]
        if len(family) > REPRINT_LIMIT:
            return Err(StoreError(StoreFault.LIMIT))
        self._move(job, PrintState.VOID, "")
        order = PrintOrder(f"{hall_job}-{len(family) + 1}", PaperKind.PAGE, old.entry.pages, hall_job)
        return self.intend(order, card_tag=old.card_tag)

    def open_pages(self, card_tag: bytes | None = None) -> Result[tuple[PrintEntry, ...], StoreError]:
        if down := self._down():
            return down
        undecided = (PrintState.INTENDED, PrintState.SENT, PrintState.UNKNOWN)
        return Ok(
            tuple(
                one.entry
                for one in self.papers.values()
                if one.entry.kind is PaperKind.PAGE
                and one.entry.state in undecided
                and (card_tag is None or one.card_tag == card_tag)
            )
        )

    def load_sheets(self, first: str, count: int) -> Result[SheetCount, StoreError]:
        raise AssertionError("a technician's business")

    def void_sheet(self, serial: str, reason: VoidReason) -> Result[None, StoreError]:
        raise AssertionError("a technician's business")

    def return_sheet(self, serial: str) -> Result[None, StoreError]:
        raise AssertionError("a technician's business")

    def sheets(self) -> Result[tuple[Sheet, ...], StoreError]:
        raise AssertionError("a technician's business")

    def count_sheets(self) -> Result[SheetCount, StoreError]:
        raise AssertionError("a technician's business")

    def _move(self, job: str, state: PrintState, fault: str) -> None:
        paper = self.papers[job]
        if state is not paper.entry.state:
            paper.entry = replace(paper.entry, state=state, fault=fault)
            if paper.entry.hall_job:
                self.outcomes.append((job, state.value, fault))

    def _down(self) -> Err[StoreError] | None:
        if not self.faults:
            return None
        self.faults -= 1
        return Err(StoreError(StoreFault.STORE_DOWN))


def _forbidden(why: Forbidden) -> Err[StoreError]:
    return Err(StoreError(StoreFault.CONFLICT, str(why)))
