"""One citizen's session (会话): who is there, since when, when it ends by itself. Time comes in as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from kiosk.contract.submission import IdentityProof
from kiosk.core.id_card import IdCard
from kiosk.core.id_card_text import LONG_TERM


class Assurance(StrEnum):
    """How sure we are who is there (实名等级)."""

    L0 = "none"
    L2 = "card"


@dataclass(frozen=True, slots=True)
class Session:
    """From the first touch to the wipe. Card data lives here and nowhere else."""

    terminal_id: str
    started_at: datetime
    kind: Literal["citizen"] = "citizen"
    card: IdCard | None = field(default=None, repr=False)
    read_at: datetime | None = None
    """When the card was read; set with `card`."""

    @property
    def assurance(self) -> Assurance:
        """L2 once a card was read."""
        return Assurance.L0 if self.card is None else Assurance.L2

    def identified(self, card: IdCard, *, at: datetime) -> Session:
        """The same session, now knowing who is there."""
        return Session(terminal_id=self.terminal_id, started_at=self.started_at, kind=self.kind, card=card, read_at=at)

    @property
    def proof(self) -> IdentityProof:
        """For the hall: this card at this instant, or nobody."""
        if self.card is None or self.read_at is None:
            return IdentityProof(method="none", read_at=self.started_at, terminal_id=self.terminal_id)
        return identity_proof(self.card, read_at=self.read_at, terminal_id=self.terminal_id)


def identity_proof(card: IdCard, *, read_at: datetime, terminal_id: str) -> IdentityProof:
    """What the hall needs of a card: no address, no photo."""
    return IdentityProof(
        method="id_card",
        card=card.type.value,
        name=card.name,
        id_number=card.id_number,
        valid_to=LONG_TERM if card.valid_to is None else card.valid_to.isoformat(),
        read_at=read_at,
        terminal_id=terminal_id,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Seconds. WCAG 2.2 §2.2.1 wants at least 20 s to ask for more time."""

    idle_s: float = 60.0
    """Without a touch, until the warning."""
    warning_s: float = 30.0
    """The warning stands this long, then the session ends."""
    card_grace_s: float = 15.0
    """To put the card back."""
    large_text_factor: float = 3.0
    """Idle and warning take this many times longer in 大字版."""


@dataclass(frozen=True, slots=True)
class Running:
    """All is well. Seconds until the session ends by itself; None while a device is at work."""

    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class Warned:
    """Are you still there? Or: please put your card back."""

    seconds_left: int
    reason: Literal["idle", "card"]


@dataclass(frozen=True, slots=True)
class Ended:
    """Wipe everything now."""

    reason: Literal["idle", "card"]


TimerState = Running | Warned | Ended


def timer_state(
    *,
    now: float,
    last_touch: float,
    card_lifted_at: float | None = None,
    busy: bool = False,
    large_text: bool = False,
    delays: Delays,
) -> TimerState:
    """What the session's clocks say. All times are monotonic seconds.

    `busy`: a device prints, captures or files right now; the idle clock stands still, the card's does not.
    """
    factor = delays.large_text_factor if large_text else 1.0
    idle = math.inf if busy else last_touch + (delays.idle_s + delays.warning_s) * factor - now
    if card_lifted_at is not None:
        return _closing(min(idle, card_lifted_at + delays.card_grace_s - now), "card")
    if busy:
        return Running(None)
    if idle <= delays.warning_s * factor:
        return _closing(idle, "idle")
    return Running(math.ceil(idle))


def _closing(left: float, reason: Literal["idle", "card"]) -> Warned | Ended:
    return Ended(reason) if left <= 0 else Warned(math.ceil(left), reason)
