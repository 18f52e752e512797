"""printer-state and printer-state-reasons → DeviceStatus (RFC 8011 §5.4.11, §5.4.12; PWG 5100.9); pure.

The suffix says how bad the printer finds it; CUPS passes an empty tray on as a warning, so it is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState

_SUFFIXES = ("-error", "-warning", "-report")
_AWAY = frozenset({"offline", "connecting-to-device", "timed-out", "shutdown", "power-down"})
_JAM = frozenset({"media-jam"})
_DOOR = frozenset({"door-open", "cover-open", "interlock-open"})
_HOT = frozenset({"fuser-over-temp"})
_BROKEN = frozenset(
    {"opc-life-over", "motor-failure", "marker-waste-full", "developer-empty"}
    | {"subunit-unrecoverable-failure", "subunit-life-over", "unrecoverable-failure"}
)
_EMPTY = frozenset({"media-empty", "input-tray-missing"})
_NEEDED = frozenset({"media-needed"})
"""Empty, or other paper than the job wants."""
_MEDIA_WRONG = frozenset({"input-cannot-feed-size-selected", "input-media-size-change", "input-media-change-request"})
_OUTPUT_FULL = frozenset({"output-area-full"})
_TONER_OUT = frozenset({"toner-empty", "marker-supply-empty", "marker-supply-missing"})
_STOPPED_BY_HAND = frozenset({"paused", "moving-to-paused", "hold-new-jobs", "deactivated"})
_PAPER_LOW = frozenset({"media-low"})
_TONER_LOW = frozenset({"toner-low", "marker-supply-low"})
_NAMED = frozenset().union(
    *(_AWAY, _JAM, _DOOR, _HOT, _EMPTY, _NEEDED, _MEDIA_WRONG, _OUTPUT_FULL, _TONER_OUT),
    *(_STOPPED_BY_HAND, _PAPER_LOW, _TONER_LOW),
)
"""What has a name of its own; any other error of a printer is its hardware."""
_STOPPED = 5
_STATES = (3, 4, _STOPPED)


@dataclass(frozen=True, slots=True)
class Toner:
    """A cartridge, in percent; negative: not known (PWG 5100.9 §4: marker-levels)."""

    name: str
    percent: int
    low: int
    """At or under this it is low."""

    @property
    def is_low(self) -> bool:
        """Time to bring a new one."""
        return 0 <= self.percent <= self.low


@dataclass(frozen=True, slots=True)
class Condition:
    """The printer's own words."""

    state: int | None
    reasons: tuple[str, ...]
    """Empty: it did not say. A printer that is well says `none`."""
    accepting: bool = True
    ready: tuple[str, ...] = ()
    """Paper in its trays; empty: it did not say."""
    toners: tuple[Toner, ...] = ()


def summarize(condition: Condition, *, identity: str, fits: bool = True) -> DeviceStatus:
    """One state, levels, at most one fault: the one a person has to mend first.

    `fits`: the paper that the printer says it holds is the paper that is wanted.
    """
    reasons = {_plain(reason) for reason in condition.reasons} - {"none"}
    if any(toner.is_low for toner in condition.toners):
        reasons.add("toner-low")
    known = bool(condition.reasons)
    state, fault = _verdict(condition, reasons, fits=fits)
    return DeviceStatus(
        DeviceKind.PAGE,
        state,
        media=MediaState.JAMMED if reasons & _JAM else MediaState.NONE,
        paper=_level(out=_is_empty(reasons, fits=fits), low=reasons & _PAPER_LOW) if known else Level.UNKNOWN,
        toner=_level(out=reasons & _TONER_OUT, low=reasons & _TONER_LOW) if known else Level.UNKNOWN,
        fault=fault,
        identity=identity,
        detail=_detail(condition, fits=fits),
    )


def _detail(condition: Condition, *, fits: bool) -> str:
    words = sorted(reason for reason in condition.reasons if reason != "none")
    if not fits:
        words.append(f"holds {' '.join(condition.ready)}")
    return ",".join(words)[:200]


def _is_empty(reasons: set[str], *, fits: bool) -> bool:
    return bool(reasons & _EMPTY or (reasons & _NEEDED and fits and not reasons & _MEDIA_WRONG))


def _verdict(condition: Condition, reasons: set[str], *, fits: bool) -> tuple[DeviceState, Fault | None]:
    if condition.state not in _STATES:
        return DeviceState.UNKNOWN, None
    broken = {_plain(reason) for reason in condition.reasons if reason.endswith("-error")} - _NAMED
    ladder = (
        (reasons & _AWAY, DeviceState.OFFLINE, Fault.UNREACHABLE),
        (reasons & _JAM, DeviceState.ERROR, Fault.JAM),
        (reasons & _DOOR, DeviceState.ERROR, Fault.DOOR_OPEN),
        (reasons & _HOT, DeviceState.ERROR, Fault.OVERHEATED),
        (broken or reasons & _BROKEN, DeviceState.ERROR, Fault.HARDWARE),
        (reasons & _OUTPUT_FULL, DeviceState.ONLINE, Fault.OUTPUT_FULL),
        (_is_empty(reasons, fits=fits), DeviceState.ONLINE, Fault.PAPER_OUT),
        (reasons & _MEDIA_WRONG or not fits, DeviceState.ONLINE, Fault.MEDIA_WRONG),
        (reasons & _TONER_OUT, DeviceState.ONLINE, Fault.TONER_OUT),
        (reasons & _STOPPED_BY_HAND, DeviceState.ERROR, Fault.STOPPED),
        (condition.state == _STOPPED or not condition.accepting, DeviceState.ERROR, Fault.STOPPED),
    )
    return next(((state, fault) for applies, state, fault in ladder if applies), (DeviceState.ONLINE, None))


def held_up(queue: Condition) -> Condition:
    """A queue's condition without what it says of its printer: that is hearsay and goes stale (CUPS keeps a jam)."""
    own = tuple(reason for reason in queue.reasons if _plain(reason) in _STOPPED_BY_HAND)
    return Condition(queue.state, own or ("none",), accepting=queue.accepting)


def _plain(reason: str) -> str:
    for suffix in _SUFFIXES:
        if reason.endswith(suffix):
            return reason.removesuffix(suffix)
    return reason


def _level(*, out: object, low: object) -> Level:
    if out:
        return Level.OUT
    return Level.LOW if low else Level.FULL


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
