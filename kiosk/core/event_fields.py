"""Types of event fields: closed words, bounded numbers, machine-made ids. There is none for free text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kiosk.contract.problems import ProblemCode
from kiosk.core.devices import DeviceKind, DeviceState, Fault, Level, MediaState
from kiosk.core.id_card import CardType
from kiosk.core.ports import HallFault, Link, StoreFault
from kiosk.core.views import NoticeCode

EventLevel = Literal["info", "notice", "warning", "error"]


class EventFieldError(ValueError):
    """A value that a field does not allow. The message never holds the value."""


@dataclass(frozen=True, slots=True)
class Words:
    """One of a closed list."""

    allowed: frozenset[str]

    def check(self, value: object) -> str:
        """The plain word, or EventFieldError."""
        if not isinstance(value, str) or value not in self.allowed:
            raise EventFieldError("not one of the allowed words")
        return str(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds too narrow for an identity or phone number."""

    low: int
    high: int

    def check(self, value: object) -> int:
        """The number, or EventFieldError."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise EventFieldError("not a whole number within bounds")
        return value


@dataclass(frozen=True, slots=True)
class Shaped:
    """An id that a machine made, of one exact shape."""

    shape: re.Pattern[str]

    def check(self, value: object) -> str:
        """The id, or EventFieldError."""
        if not isinstance(value, str) or not self.shape.fullmatch(value):
            raise EventFieldError("not of the right shape")
        return str(value)


FieldType = Words | Whole | Shaped


def words(*allowed: str) -> Words:
    """A closed list."""
    return Words(frozenset(allowed))


def _members(enum: type[StrEnum]) -> Words:
    return words(*(member.value for member in enum))


TYPES: dict[str, FieldType] = {
    "process": words("ui", "queue", "sync", "hall", "sim", *DeviceKind),
    "device": _members(DeviceKind),
    "device_state": _members(DeviceState),
    "media": _members(MediaState),
    "supply": _members(Level),
    "fault": _members(Fault),
    "link": _members(Link),
    "hall_fault": _members(HallFault),
    "store_fault": _members(StoreFault),
    "problem": _members(ProblemCode),
    "notice": _members(NoticeCode),
    "card": _members(CardType),
    "count": Whole(0, 1_000_000),
    "version": Whole(0, 1_000_000),
    "driver_end": words(
        *("ended", "silent", "no_hello", "protocol", "misfit", "usage", "memory", "command", "no_start", "host")
    ),
    "exit_code": Whole(-64, 255),
    "millis": Whole(0, 86_400_000),
    "seconds": Whole(0, 366 * 86_400),
    "bytes": Whole(0, 1 << 30),
    "terminal": Shaped(re.compile(r"[0-9A-Z]{4}")),
    # An item code, but nothing that could be a person's number: GB 11643, the 2017 foreigners' card, a mobile phone.
    "item": Shaped(re.compile(r"(?![0-9]{17}[0-9X]$|[A-Z]{3}[0-9]{12}$|1[0-9]{10}$)[0-9A-Z][0-9A-Z-]{2,63}")),
    "submission": Shaped(re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")),
}


@dataclass(frozen=True, slots=True)
class EventSpec:
    """What the catalogue says of one event."""

    level: EventLevel
    about: str
    required: dict[str, FieldType]
    optional: dict[str, FieldType]
