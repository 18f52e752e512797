"""What the fault table says of a fault (故障表): how long it lasts, who mends it, and the sentences for both sides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Persistence(StrEnum):
    """Is there any sense in trying again?"""

    TEMPORARY = "temporary"
    """It may be well at any moment."""
    PERMANENT = "permanent"
    """It stays until a technician has changed something."""


class Mender(StrEnum):
    """Who can mend it."""

    ITSELF = "itself"
    CITIZEN = "citizen"
    STAFF = "staff"
    """村站工作人员, anybody with the key to the paper."""
    TECHNICIAN = "technician"


class Condition(StrEnum):
    """What can be said of a device that names no fault, and is not wholly well all the same."""

    NOT_KNOWN = "not_known"
    """Starting, or unknown."""
    DEVICE_ERROR = "device_error"
    SUPPLIES_OUT = "supplies_out"
    SUPPLIES_UNKNOWN = "supplies_unknown"
    PAPER_LOW = "paper_low"
    TONER_LOW = "toner_low"
    JAMMED = "jammed"


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in both languages."""

    zh: str
    en: str

    def filled(self, **parts: Words) -> Words:
        """With ``{name}`` replaced by the part's words in the same language."""
        return Words(
            self.zh.format(**{name: part.zh for name, part in parts.items()}),
            self.en.format(**{name: part.en for name, part in parts.items()}),
        )


@dataclass(frozen=True, slots=True)
class DeviceWords:
    """A device in the sentences: what a citizen calls it and does without it, what a technician calls it."""

    citizen: Words
    otherwise: Words
    technician: Words


@dataclass(frozen=True, slots=True)
class FaultEntry:
    """One row. `citizen` says what became of her answers or her paper, and what to do next."""

    lasts: Persistence
    mends: Mender
    citizen: Words
    technician: Words

    def on(self, device: DeviceWords) -> FaultEntry:
        """The sentences as they are told on this device."""
        return replace(self, citizen=self.citizen.filled(device=device.citizen, otherwise=device.otherwise))
