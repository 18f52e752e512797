"""Structured events (事件): made only from the catalogue, personal data impossible by type.

``Event.of(EventName.PRINT_FAILED, device=DeviceKind.RECEIPT, fault=Fault.PAPER_OUT)``
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.core.event_fields import EventFieldError, EventLevel
from kiosk.core.event_table import EVENTS, EventName


class EventError(ValueError):
    """Not an event of the catalogue. Names event and field, never the value."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; a checked copy of its fields."""

    name: EventName
    fields: Mapping[str, str | int]

    def __post_init__(self) -> None:
        spec = EVENTS[self.name]
        types = {**spec.required, **spec.optional}
        if missing := spec.required.keys() - self.fields.keys():
            raise EventError(f"{self.name}: lacks {', '.join(sorted(missing))}")
        if self.fields.keys() - types.keys():
            raise EventError(f"{self.name}: has a field that the catalogue does not know")
        checked: dict[str, str | int] = {}
        for name, value in self.fields.items():
            try:
                checked[name] = types[name].check(value)
            except EventFieldError as error:
                raise EventError(f"{self.name}.{name}: {error}") from None
        object.__setattr__(self, "fields", checked)

    @classmethod
    def of(cls, name: EventName, **fields: str | int | None) -> Event:
        """With these fields; an optional field may be None."""
        return cls(name, {field: value for field, value in fields.items() if value is not None})

    @property
    def level(self) -> EventLevel:
        """How urgent."""
        return EVENTS[self.name].level

    def as_dict(self) -> dict[str, str | int]:
        """For the log: event, level and fields, plain values only."""
        return {"event": self.name.value, "level": self.level, **self.fields}
