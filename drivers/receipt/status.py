"""Status bits of an ESC/POS printer → DeviceStatus; pure, table-tested over all combinations.

Bits: Epson ESC/POS reference, DLE EOT n = 1..4 and GS a. What was not said is unknown, and unknown is never good.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level


@dataclass(frozen=True, slots=True)
class Condition:
    """The printer's own words, from either source of status."""

    offline: bool
    cover_open: bool
    paper_near_end: bool
    paper_end: bool
    cutter_error: bool
    unrecoverable: bool
    recoverable: bool
    overheated: bool


def from_real_time(printer: int, offline_cause: int, error_cause: int, paper: int) -> Condition:
    """The four bytes of DLE EOT 1, 2, 3, 4."""
    return Condition(
        offline=bool(printer & 0x08),
        cover_open=bool(offline_cause & 0x04),
        paper_near_end=bool(paper & 0x0C),
        paper_end=bool(paper & 0x60) or bool(offline_cause & 0x20),
        cutter_error=bool(error_cause & 0x08),
        unrecoverable=bool(error_cause & 0x20),
        recoverable=bool(error_cause & 0x04),
        overheated=bool(error_cause & 0x40),
    )


def from_status_back(bits: bytes) -> Condition:
    """The four bytes of automatic status back."""
    printer, error, paper = bits[0], bits[1], bits[2]
    return Condition(
        offline=bool(printer & 0x08),
        cover_open=bool(printer & 0x20),
        paper_near_end=bool(paper & 0x03),
        paper_end=bool(paper & 0x0C),
        cutter_error=bool(error & 0x08),
        unrecoverable=bool(error & 0x20),
        recoverable=bool(error & 0x04),
        overheated=bool(error & 0x40),
    )


def summarize(condition: Condition, *, identity: str) -> DeviceStatus:
    """One state, one paper level, at most one fault: the one a person has to mend first."""
    fault = _first_fault(condition)
    status = DeviceStatus(
        DeviceKind.RECEIPT, DeviceState.ONLINE, paper=_paper(condition), fault=fault, identity=identity
    )
    if fault is Fault.PAPER_OUT or (fault is None and not condition.offline and not _broken(condition)):
        return status
    if fault is None:
        detail = "error without cause" if _broken(condition) else "offline without cause"
        return replace(status, state=DeviceState.ERROR, detail=detail)
    return replace(status, state=DeviceState.ERROR)


def _first_fault(condition: Condition) -> Fault | None:
    """An open cover hides the paper sensor, so it comes first."""
    if condition.cover_open:
        return Fault.COVER_OPEN
    if condition.cutter_error:
        return Fault.CUTTER
    if condition.overheated:
        return Fault.OVERHEATED
    if condition.paper_end:
        return Fault.PAPER_OUT
    return None


def _paper(condition: Condition) -> Level:
    if condition.cover_open:
        return Level.UNKNOWN
    if condition.paper_end:
        return Level.OUT
    return Level.LOW if condition.paper_near_end else Level.FULL


def _broken(condition: Condition) -> bool:
    return condition.unrecoverable or condition.recoverable


def unreachable(fault: Fault, *, identity: str, detail: str = "") -> DeviceStatus:
    """Nothing is known but that there is no contact."""
    return DeviceStatus(
        DeviceKind.RECEIPT, DeviceState.OFFLINE, paper=Level.UNKNOWN, fault=fault, identity=identity, detail=detail
    )


def starting(identity: str) -> DeviceStatus:
    """Before the first answer."""
    return DeviceStatus(DeviceKind.RECEIPT, DeviceState.STARTING, paper=Level.UNKNOWN, identity=identity)
