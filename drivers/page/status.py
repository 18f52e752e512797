"""printer-state and printer-state-reasons → DeviceStatus (RFC 8011 §5.4.11, §5.4.12; PWG 5100.9); pure.

The suffix says how bad the printer finds it; CUPS passes an empty tray on as a warning, so it is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState

_SUFFIXES = ("-error", "-warning", "-report")
_PAPER_OUT = frozenset({"media-empty", "media-needed", "input-tray-missing"})
_PAPER_LOW = frozenset({"media-low"})
_TONER_OUT = frozenset({"toner-empty", "marker-supply-empty"})
_TONER_LOW = frozenset({"toner-low", "marker-supply-low"})
_DOOR = frozenset({"door-open", "cover-open", "interlock-open"})
_JAM = frozenset({"media-jam"})
_AWAY = frozenset({"offline", "connecting-to-device", "timed-out", "shutdown", "power-down"})
_STOPPED = 5
_STATES = (3, 4, _STOPPED)


@dataclass(frozen=True, slots=True)
class Condition:
    """The printer's own words."""

    state: int | None
    reasons: tuple[str, ...]
    """Empty: it did not say. A printer that is well says `none`."""
    accepting: bool = True


def summarize(condition: Condition, *, identity: str) -> DeviceStatus:
    """One state, levels, at most one fault: the one a person has to mend first."""
    reasons = {_plain(reason) for reason in condition.reasons} - {"none"}
    detail = ",".join(sorted(reason for reason in condition.reasons if reason != "none"))[:200]

    def status(state: DeviceState, fault: Fault | None = None) -> DeviceStatus:
        known = bool(condition.reasons)
        return DeviceStatus(
            DeviceKind.PAGE,
            state,
            media=MediaState.JAMMED if reasons & _JAM else MediaState.NONE,
            paper=_level(reasons, out=_PAPER_OUT, low=_PAPER_LOW) if known else Level.UNKNOWN,
            toner=_level(reasons, out=_TONER_OUT, low=_TONER_LOW) if known else Level.UNKNOWN,
            fault=fault,
            identity=identity,
            detail=detail,
        )

    if condition.state not in _STATES:
        return status(DeviceState.UNKNOWN)
    if reasons & _AWAY:
        return status(DeviceState.OFFLINE, Fault.UNREACHABLE)
    if reasons & _JAM:
        return status(DeviceState.ERROR, Fault.JAM)
    if reasons & _DOOR:
        return status(DeviceState.ERROR, Fault.DOOR_OPEN)
    if reasons & _PAPER_OUT:
        return status(DeviceState.ONLINE, Fault.PAPER_OUT)
    if reasons & _TONER_OUT:
        return status(DeviceState.ONLINE, Fault.TONER_OUT)
    broken = condition.state == _STOPPED or any(reason.endswith("-error") for reason in condition.reasons)
    return status(DeviceState.ERROR if broken or not condition.accepting else DeviceState.ONLINE)


def _plain(reason: str) -> str:
    for suffix in _SUFFIXES:
        if reason.endswith(suffix):
            return reason.removesuffix(suffix)
    return reason


def _level(reasons: set[str], *, out: frozenset[str], low: frozenset[str]) -> Level:
    if reasons & out:
        return Level.OUT
    return Level.LOW if reasons & low else Level.FULL


def unreachable(fault: Fault, *, identity: str, detail: str = "") -> DeviceStatus:
    """Nothing is known but that there is no contact."""
    return DeviceStatus(
        DeviceKind.PAGE,
        DeviceState.OFFLINE,
        paper=Level.UNKNOWN,
        toner=Level.UNKNOWN,
        fault=fault,
        identity=identity,
        detail=detail,
    )


def starting(identity: str) -> DeviceStatus:
    """Before the first answer."""
    return DeviceStatus(
        DeviceKind.PAGE, DeviceState.STARTING, paper=Level.UNKNOWN, toner=Level.UNKNOWN, identity=identity
    )
