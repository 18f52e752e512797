"""What PC/SC says, in the words of `kiosk.core.devices`; pure.

Codes and flags: PC/SC part 5 and pcsc-lite's ``pcsclite.h``. What a citizen lays on the reader never makes the reader
ill: a foreign or mute card is the answer to a read, not a fault of the device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    MediaState,
    SocialCardLifted,
    SocialCardPresented,
    StatusChanged,
)


class Code(IntEnum):
    """Results of PC/SC calls that mean something to us."""

    SUCCESS = 0
    CANCELLED = 0x80100002
    INVALID_HANDLE = 0x80100003
    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_SMARTCARD = 0x8010000C
    UNKNOWN_CARD = 0x8010000D
    PROTO_MISMATCH = 0x8010000F
    NOT_READY = 0x80100010
    INVALID_ATR = 0x80100015
    NOT_TRANSACTED = 0x80100016
    READER_UNAVAILABLE = 0x80100017
    COMM_ERROR = 0x80100013
    NO_SERVICE = 0x8010001D
    SERVICE_STOPPED = 0x8010001E
    NO_READERS_AVAILABLE = 0x8010002E
    UNSUPPORTED_CARD = 0x80100065
    UNRESPONSIVE_CARD = 0x80100066
    UNPOWERED_CARD = 0x80100067
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069


class Flag(IntFlag):
    """Reader states of SCardGetStatusChange; the upper 16 bits count insertions and removals."""

    CHANGED = 0x0002
    UNKNOWN = 0x0004
    UNAVAILABLE = 0x0008
    EMPTY = 0x0010
    PRESENT = 0x0020
    EXCLUSIVE = 0x0080
    MUTE = 0x0200


_FAULTS: Mapping[int, Fault] = {
    Code.NO_SERVICE: Fault.SERVICE_DOWN,
    Code.SERVICE_STOPPED: Fault.SERVICE_DOWN,
    Code.COMM_ERROR: Fault.SERVICE_DOWN,
    # pcscd came back and knows nothing of our handle
    Code.INVALID_HANDLE: Fault.SERVICE_DOWN,
    Code.UNKNOWN_READER: Fault.NO_READER,
    Code.READER_UNAVAILABLE: Fault.NO_READER,
    Code.NO_READERS_AVAILABLE: Fault.NO_READER,
    Code.REMOVED_CARD: Fault.CARD_REMOVED,
    Code.NO_SMARTCARD: Fault.CARD_REMOVED,
    # CCID readers say so when the card leaves in the middle of an exchange
    Code.NOT_TRANSACTED: Fault.CARD_REMOVED,
    Code.UNRESPONSIVE_CARD: Fault.CARD_MUTE,
    Code.UNPOWERED_CARD: Fault.CARD_MUTE,
    Code.INVALID_ATR: Fault.CARD_MUTE,
    Code.UNSUPPORTED_CARD: Fault.CARD_FOREIGN,
    Code.UNKNOWN_CARD: Fault.CARD_FOREIGN,
    Code.PROTO_MISMATCH: Fault.CARD_FOREIGN,
    Code.RESET_CARD: Fault.CARD_UNREADABLE,
    Code.NOT_READY: Fault.CARD_UNREADABLE,
    Code.TIMEOUT: Fault.TIMEOUT,
    # another program holds the reader for itself
    Code.SHARING_VIOLATION: Fault.IN_USE,
}


def fault_of(code: int, *, connecting: bool = False) -> Fault:
    """The fault behind a result that is not SUCCESS. While connecting, a card that is not there was never there."""
    if connecting and code == Code.NO_SMARTCARD:
        return Fault.NO_CARD
    return _FAULTS.get(code, Fault.UNREACHABLE)


def name_of(code: int) -> str:
    """For technicians: ``PC/SC NO_SERVICE (0x8010001D)``."""
    name = next((known.name for known in Code if known == code), "error")
    return f"PC/SC {name} (0x{code:08X})"


# --- the reader over time -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sight:
    """The reader as PC/SC shows it at one moment."""

    error: int = Code.SUCCESS
    """Of the service."""
    reader: str = ""
    """Full name; empty: not there."""
    state: int = 0
    """Flags and, above them, the count of insertions and removals."""
    hung: bool = False
    """The service takes questions and does not answer them."""

    @property
    def present(self) -> bool | None:
        """Does a card lie there? None: cannot see."""
        if self.error or self.hung or not self.reader or self.state & (Flag.UNKNOWN | Flag.UNAVAILABLE):
            return None
        return bool(self.state & Flag.PRESENT)

    @property
    def count(self) -> int:
        """Of insertions and removals since the reader came."""
        return self.state >> 16


def status_of(sight: Sight, kind: DeviceKind) -> DeviceStatus:
    """The status of the reader, a device of this kind, at this sight."""
    if sight.hung:
        detail = "pcscd does not answer"
        return DeviceStatus(kind, DeviceState.OFFLINE, MediaState.UNKNOWN, fault=Fault.SERVICE_DOWN, detail=detail)
    if sight.error:
        fault, detail = fault_of(sight.error), name_of(sight.error)
        return DeviceStatus(kind, DeviceState.OFFLINE, MediaState.UNKNOWN, fault=fault, detail=detail)
    if not sight.reader:
        return DeviceStatus(kind, DeviceState.OFFLINE, MediaState.UNKNOWN, fault=Fault.NO_READER)
    if sight.present is None:
        return DeviceStatus(kind, DeviceState.ERROR, MediaState.UNKNOWN, fault=Fault.UNREACHABLE, identity=sight.reader)
    media = MediaState.PRESENT if sight.present else MediaState.ABSENT
    if sight.state & Flag.EXCLUSIVE:  # we never ask for that ourselves
        return DeviceStatus(kind, DeviceState.ERROR, media, fault=Fault.IN_USE, identity=sight.reader)
    return DeviceStatus(kind, DeviceState.ONLINE, media, identity=sight.reader)


_CARD_EVENTS: Mapping[DeviceKind, tuple[DeviceEvent, DeviceEvent]] = {
    DeviceKind.ID_CARD: (CardPresented(), CardLifted()),
    DeviceKind.SOCIAL_CARD: (SocialCardPresented(), SocialCardLifted()),
}
"""What the terminal calls a card that comes, and one that goes, in each reader."""


def events_between(
    before: Sight | None,
    now: Sight,
    kind: DeviceKind,
    status: Callable[[Sight, DeviceKind], DeviceStatus] = status_of,
) -> tuple[DeviceEvent, ...]:
    """What to tell the terminal. The first sight after blindness tells whether a card lies there, without claiming
    that it is the one of before. A device that knows more of its reader brings its own `status`."""
    events: list[DeviceEvent] = []
    if before is None or status(before, kind) != status(now, kind):
        events.append(StatusChanged(status(now, kind)))
    presented, lifted = _CARD_EVENTS[kind]
    was = before.present if before is not None else None
    match was, now.present:
        case (True, True) if before is not None and before.count != now.count:
            events += [lifted, presented]
        case (None | False, True):
            events.append(presented)
        case (None | True, False):
            events.append(lifted)
        case _:
            pass
    return tuple(events)
