"""Status bits of an ESC/POS printer → DeviceStatus; pure, table-tested over all combinations.

Bits: Epson ESC/POS reference, DLE EOT n = 1..4 and GS a. What was not said is unknown, and unknown is never good.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState


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
    """A mechanical error that a person can mend; in practice paper that is stuck."""
    overheated: bool
    in_mouth: bool | None = None
    """A slip waits to be taken; None where the printer cannot know."""


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


def summarize(condition: Condition, *, identity: str, near_end: bool = True) -> DeviceStatus:
    """One state, one paper level, at most one fault: the one a person has to mend first.

    `near_end`: the printer has a sensor for it; without one, its bits mean nothing.
    """
    fault = _first_fault(condition)
    return DeviceStatus(
        DeviceKind.RECEIPT,
        DeviceState.ONLINE if fault in (None, Fault.PAPER_OUT) else DeviceState.ERROR,
        media=_media(condition),
        paper=_paper(condition, near_end=near_end),
        fault=fault,
        identity=identity,
    )


def _first_fault(condition: Condition) -> Fault | None:
    """An open cover hides the paper sensor, so it comes before it; offline without a cause is a pressed button."""
    faults = (
        (condition.unrecoverable, Fault.HARDWARE),
        (condition.cover_open, Fault.COVER_OPEN),
        (condition.cutter_error, Fault.CUTTER),
        (condition.recoverable, Fault.JAM),
        (condition.overheated, Fault.OVERHEATED),
        (condition.paper_end, Fault.PAPER_OUT),
        (condition.offline, Fault.STOPPED),
    )
    return next((fault for holds, fault in faults if holds), None)


def _media(condition: Condition) -> MediaState:
    if condition.recoverable:
        return MediaState.JAMMED
    if condition.in_mouth is None:
        return MediaState.NONE
    return MediaState.PRESENT if condition.in_mouth else MediaState.ABSENT


def _paper(condition: Condition, *, near_end: bool) -> Level:
    if condition.cover_open:
        return Level.UNKNOWN
    if condition.paper_end:
        return Level.OUT
    return Level.LOW if condition.paper_near_end and near_end else Level.FULL


def starting(identity: str) -> DeviceStatus:
    """Before the first answer."""
    return DeviceStatus(DeviceKind.RECEIPT, DeviceState.STARTING, paper=Level.UNKNOWN, identity=identity)
