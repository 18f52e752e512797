"""The print ledger's vocabulary and rules (打印台账): one concept for receipts and for A4 pages. Pure.

A printing is written down before a printer hears of it (intended), again when it is handed over (sent), and settled
by the printer's own word: proven, failed or unknown. Unknown is asked of a person. A paper that came out and does not
count is void, with its reason. Numbered licence paper (证照空白纸): a sheet is in stock, taken by one printing, used or
void; no sheet leaves this list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from kiosk.core.devices import Fault

REPRINT_LIMIT = 2
"""Papers made again for one job of the hall on a person's word, by default."""

PaperName = Literal["plain", "numbered"]


class PaperKind(StrEnum):
    """What is printed."""

    RECEIPT = "receipt"
    """回执: belongs to a submission, whose id is its number."""
    PAGE = "page"
    """打证: belongs to a print job of the hall."""


class PrintState(StrEnum):
    """How far a printing has come."""

    INTENDED = "intended"
    """Written down; no printer has heard of it."""
    SENT = "sent"
    """Handed to the printer, or about to be: it may be on paper."""
    PROVEN = "proven"
    """On paper: the printer said so, or a person did."""
    FAILED = "failed"
    """Certainly no complete paper: the printer said so, or a person did."""
    UNKNOWN = "unknown"
    """Only a person can tell."""
    VOID = "void"
    """It came out and does not count any more."""


Settled = Literal[PrintState.PROVEN, PrintState.FAILED, PrintState.UNKNOWN]
"""What a printer's word makes of a printing."""


class VoidReason(StrEnum):
    """Why a paper or a sheet does not count: a closed list."""

    JAMMED = "jammed"
    UNREADABLE = "unreadable"
    LOST_IN_PRINTER = "lost_in_printer"
    DAMAGED = "damaged"
    MISSING = "missing"
    """Not in the pack: only a technician can say that."""
    REMOVED = "removed"
    """Taken out of this terminal by a technician."""


REPRINT_REASONS = frozenset({VoidReason.JAMMED, VoidReason.UNREADABLE, VoidReason.LOST_IN_PRINTER, VoidReason.DAMAGED})
"""Why a paper may be made again."""


class SheetState(StrEnum):
    """Where a numbered sheet is."""

    STOCK = "stock"
    TAKEN = "taken"
    """By a printing that is not decided yet: nobody knows for sure whether it still lies in the tray."""
    USED = "used"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class PrintOrder:
    """A printing to be written down."""

    job: str
    """Our number, and the job's name at the printer: one number is one paper."""
    kind: PaperKind
    pages: int
    hall_job: str = ""
    """The hall's job that wants to hear how it ends; empty for receipts."""
    numbered: bool = False
    """Takes the next numbered sheet."""


@dataclass(frozen=True, slots=True)
class PrintEntry:
    """A printing as it stands in the ledger. Nothing in it says who or what."""

    job: str
    kind: PaperKind
    pages: int
    state: PrintState
    hall_job: str = ""
    serial: str = ""
    """Of the numbered sheet, while one belongs to it."""
    fault: str = ""
    reason: str = ""
    """See VoidReason."""
    sent_at: datetime | None = None
    """When it was handed to the printer last, by the machine's clock."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One numbered sheet in the audit list."""

    serial: str
    state: SheetState
    job: str = ""
    reason: str = ""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SheetCount:
    """The audit in numbers: loaded = stock + taken + used + void, always."""

    loaded: int
    stock: int
    taken: int
    used: int
    void: int

    @property
    def ready(self) -> int:
        """Sheets that may be printed on now: none while one is in doubt, for then nobody knows which is on top."""
        return 0 if self.taken else self.stock


class Forbidden(ValueError):
    """The ledger does not allow this step; the message says why, in few words."""


def after_intent(now: PrintState | None) -> PrintState:
    """Write a printing down, or once more after it failed; Forbidden if it may be on paper."""
    match now:
        case None | PrintState.INTENDED | PrintState.FAILED:
            return PrintState.INTENDED
        case PrintState.SENT | PrintState.UNKNOWN:
            raise Forbidden("it may be on paper")
        case PrintState.PROVEN | PrintState.VOID:
            raise Forbidden("it is on paper")
        case _:
            assert_never(now)


def after_sending(now: PrintState, kind: PaperKind, *, same_attempt: bool) -> PrintState:
    """Hand it to the printer; Forbidden if that could put it on paper twice.

    `same_attempt`: this very call was made before and its answer got lost. A receipt that failed may simply be sent
    again; a page is intended again first, because it may need another sheet.
    """
    match now:
        case PrintState.INTENDED:
            return PrintState.SENT
        case PrintState.SENT if same_attempt:
            return PrintState.SENT
        case PrintState.FAILED if kind is PaperKind.RECEIPT:
            return PrintState.SENT
        case PrintState.FAILED:
            raise Forbidden("not intended")
        case PrintState.SENT | PrintState.UNKNOWN:
            raise Forbidden("it may be on paper")
        case PrintState.PROVEN | PrintState.VOID:
            raise Forbidden("it is on paper")
        case _:
            assert_never(now)


def after_word(now: PrintState, outcome: Settled) -> PrintState:
    """What the printer's word makes of it. A weaker word never takes back a stronger one; the same twice is nothing."""
    match outcome:
        case PrintState.PROVEN:
            return PrintState.VOID if now is PrintState.VOID else PrintState.PROVEN
        case PrintState.FAILED:
            return now if now in (PrintState.PROVEN, PrintState.VOID) else PrintState.FAILED
        case PrintState.UNKNOWN:
            return PrintState.UNKNOWN if now is PrintState.SENT else now
        case _:
            assert_never(outcome)


def after_answer(now: PrintState, *, came_out: bool) -> PrintState:
    """A person's word: it came out, or it did not. Forbidden where it was not the question."""
    match now:
        case PrintState.SENT | PrintState.UNKNOWN | PrintState.FAILED:
            return PrintState.PROVEN if came_out else PrintState.FAILED
        case PrintState.INTENDED if not came_out:
            return PrintState.INTENDED
        case PrintState.PROVEN if came_out:
            return PrintState.PROVEN
        case PrintState.INTENDED:
            raise Forbidden("it was never sent")
        case PrintState.PROVEN:
            raise Forbidden("it is proven: say why it does not count")
        case PrintState.VOID:
            raise Forbidden("it is void")
        case _:
            assert_never(now)


_MAY_HAVE_FED = {
    Fault.JAM: VoidReason.JAMMED,
    Fault.CUTTER: VoidReason.JAMMED,
    Fault.HARDWARE: VoidReason.LOST_IN_PRINTER,
    Fault.OVERHEATED: VoidReason.LOST_IN_PRINTER,
    Fault.ABORTED: VoidReason.LOST_IN_PRINTER,
    Fault.UNPROVEN: VoidReason.LOST_IN_PRINTER,
}


def spoiled(fault: Fault | None) -> VoidReason | None:
    """Why the sheet of a failed printing is void; None if it still lies on top of the tray.

    A fault that may have fed the sheet spoils it: two licences under one number are worse than a wasted sheet.
    """
    return None if fault is None else _MAY_HAVE_FED.get(fault)


_SERIAL_DIGITS = 12
_SERIAL_LETTERS = 8


def serials(first: str, count: int) -> tuple[str, ...]:
    """`count` serials from `first` on: GD000101, GD000102, …; ValueError when they cannot be counted up."""
    head = first.rstrip("0123456789")
    digits = first[len(head) :]
    if (
        not first.isascii()
        or not first.isalnum()
        or not 0 < len(digits) <= _SERIAL_DIGITS
        or len(head) > _SERIAL_LETTERS
    ):
        raise ValueError("a serial is letters followed by digits, as GD000101")
    last = int(digits) + count - 1
    if count < 1 or len(str(last)) > len(digits):
        raise ValueError("these serials have no room for so many sheets")
    return tuple(f"{head}{number:0{len(digits)}d}" for number in range(int(digits), last + 1))
