"""One message being handled: the state so far, and what is to be done outside because of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from kiosk.core.catalogue import Catalogue
from kiosk.core.clock import Clock
from kiosk.core.events import Event
from kiosk.core.session import Delays as SessionDelays
from kiosk.services.effects import Effect, StopPreview
from kiosk.services.model import Model, Visit
from kiosk.services.places import AtCapture, Flow, Place
from kiosk.services.search import SearchIndex
from kiosk.services.settings import Delays, TerminalSettings

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Shelf:
    """One bundle, ready to be searched."""

    catalogue: Catalogue
    search: SearchIndex


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What handlers may look at besides the state."""

    settings: TerminalSettings
    clock: Clock
    delays: Delays
    session_delays: SessionDelays
    random_bytes: Callable[[int], bytes]


@dataclass(slots=True)
class Turn:
    """A transaction: handlers change `model` by replacement and collect effects and events."""

    model: Model
    around: Surroundings
    shelf: Shelf
    """The bundle of this session: nothing changes under a citizen's hands."""
    newest: Shelf
    """The bundle for the next one."""
    effects: list[Effect] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def catalogue(self) -> Catalogue:
        """The bundle of this session."""
        return self.shelf.catalogue

    @property
    def now(self) -> datetime:
        """Aware wall time."""
        return self.around.clock.now()

    @property
    def monotonic(self) -> float:
        """Seconds for deadlines."""
        return self.around.clock.monotonic()

    @property
    def visit(self) -> Visit:
        """The citizen's session; there must be one."""
        assert self.model.visit is not None
        return self.model.visit

    @property
    def flow(self) -> Flow:
        """The item being done; there must be one."""
        flow = self.visit.flow
        assert flow is not None
        return flow

    def current(self, generation: int) -> bool:
        """Does this result belong to the citizen who stands here now?"""
        return self.model.visit is not None and self.model.visit.generation == generation

    def set(self, **changes: Any) -> None:
        """Change the machine."""
        self.model = replace(self.model, **changes)

    def set_visit(self, **changes: Any) -> None:
        """Change the session."""
        self.model = replace(self.model, visit=replace(self.visit, **changes))

    def set_flow(self, **changes: Any) -> None:
        """Change the item being done."""
        self.set_visit(flow=replace(self.flow, **changes))

    def go(self, place: Place) -> None:
        """Show another page. Leaving the camera stops its pictures, whichever way she leaves."""
        if isinstance(self.visit.place, AtCapture) and not isinstance(place, AtCapture):
            self.do(StopPreview())
        self.set_visit(place=place)

    def touch(self) -> None:
        """The idle clock starts again."""
        self.set_visit(last_touch=self.monotonic)

    def at(self, kind: type[P]) -> P | None:
        """The page shown, if it is of this kind."""
        visit = self.model.visit
        return visit.place if visit is not None and isinstance(visit.place, kind) else None

    def do(self, *effects: Effect) -> None:
        """Have this done outside."""
        self.effects.extend(effects)

    def log(self, event: Event) -> None:
        """Tell the log, without personal data."""
        self.events.append(event)
