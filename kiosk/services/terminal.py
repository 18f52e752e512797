"""The terminal: one actor that turns touches, device events, results and time into snapshots.

One thread owns the state; nothing on it blocks. Port calls run on worker lanes and come back as messages. Without
`start()` the same actor is driven by `step()`, one inbox after the other, which is how tests play it with a fake clock.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import replace

from kiosk.contract.bundle import Bundle, Calendar
from kiosk.core.catalogue import Catalogue
from kiosk.core.clock import Clock
from kiosk.core.devices import DeviceEvent, MediaState
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.intents import Intent
from kiosk.core.session import Delays as SessionDelays
from kiosk.core.views import Chrome, Snapshot, View
from kiosk.services.effects import ENDS_WITH_SESSION, Effect
from kiosk.services.flow import card
from kiosk.services.flow.update import update
from kiosk.services.flow.visit import EndReason, end
from kiosk.services.hands import Hands, lane_of
from kiosk.services.lanes import Lanes, ThreadLanes
from kiosk.services.messages import FromCitizen, FromDevice, Message, Tick
from kiosk.services.model import Model
from kiosk.services.render.screen import chrome, view
from kiosk.services.search import Entry, SearchIndex
from kiosk.services.settings import Delays, Ports, TerminalSettings
from kiosk.services.turn import Shelf, Surroundings, Turn

OnSnapshot = Callable[[Snapshot], None]
OnEvent = Callable[[Event], None]
OnCrash = Callable[[BaseException], None]


def shelf_of(bundle: Bundle | None) -> Shelf:
    """A bundle ready to be searched; an empty one before the first has come."""
    if bundle is None:
        empty = Catalogue(
            number=0,
            hall_name="",
            query_place="",
            themes=(),
            windows=(),
            terminals=(),
            calendar=Calendar(),
            versions={},
            newest={},
            refused=(),
        )
        return Shelf(empty, SearchIndex(()))
    catalogue = Catalogue.of(bundle)
    return Shelf(catalogue, SearchIndex(Entry(item.code, item.name, item.aliases) for item in catalogue.items))


def _end_process(error: BaseException) -> None:
    """The unexpected ends the process (it is back in under a second); the traceback is the excepthook's business."""
    raise error


class Terminal:
    """The services of one terminal. `dispatch` and `device_event` may be called from any thread."""

    def __init__(
        self,
        *,
        ports: Ports,
        bundle: Callable[[], Bundle | None],
        settings: TerminalSettings,
        clock: Clock,
        on_snapshot: OnSnapshot,
        on_event: OnEvent = lambda event: None,
        on_crash: OnCrash = _end_process,
        delays: Delays | None = None,
        session_delays: SessionDelays | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        lanes: Lanes | None = None,
    ) -> None:
        """`bundle` gives the newest verified bundle, the same object until there is another one."""
        self._ports = ports
        self._bundle = bundle
        self._on_snapshot = on_snapshot
        self._on_event = on_event
        self._on_crash = on_crash
        self._lanes = lanes
        self._hands = Hands(ports, clock)
        self._around = Surroundings(
            settings=settings,
            clock=clock,
            delays=delays or Delays(),
            session_delays=session_delays or SessionDelays(),
            random_bytes=random_bytes,
        )
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._model = Model()
        self._known_bundle: Bundle | None = None
        self._newest = self._shelf = shelf_of(None)
        self._sequence = 0
        self._shown: tuple[View, Chrome, float] | None = None
        self._ended_generation = 0
        self._thread: threading.Thread | None = None

    # --- any thread ----------------------------------------------------------------------------------------------

    def dispatch(self, intent: Intent) -> None:
        """The citizen touched something."""
        self._inbox.put(FromCitizen(intent))

    def device_event(self, event: DeviceEvent) -> None:
        """A device told something."""
        self._inbox.put(FromDevice(event))

    def start(self) -> None:
        """Begin: first snapshot at once, then whatever happens, on an own thread."""
        if self._lanes is None:
            self._lanes = ThreadLanes()
        self.begin()
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the session, finish what is on the way to disk, paper and hall, stop."""
        if self._thread is not None:
            self._inbox.put(None)
            self._thread.join()
            self._thread = None

    # --- the actor -----------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Take stock of devices and bundle, show the first page. A card that lies there already is read."""
        self._load_bundle()
        statuses = {kind: device.status() for kind, device in self._ports.devices().items()}
        self._model = replace(self._model, devices=statuses)
        self._emit(Event.of(EventName.TERMINAL_STARTED, bundle=self._newest.catalogue.number))
        reader = self._ports.id_card
        if reader is not None and reader.status().media is MediaState.PRESENT:
            self._take(card.presented)
        self.handle(Tick())

    def step(self) -> bool:
        """Handle everything that is in the inbox now, then look at the clock. True if there was anything."""
        anything = False
        while not self._inbox.empty():
            message = self._inbox.get()
            if message is not None:
                self.handle(message)
                anything = True
        self.handle(Tick())
        return anything

    def handle(self, message: Message) -> None:
        """Take one turn."""
        if isinstance(message, Tick) and self._model.visit is None:
            self._load_bundle()
        self._take(lambda turn: update(turn, message))

    def _run(self) -> None:
        every, clock = self._around.delays.tick, self._around.clock
        ticked = clock.monotonic()
        try:
            while True:
                try:
                    message = self._inbox.get(timeout=every)
                except queue.Empty:
                    message = Tick()
                if message is None:
                    break
                self.handle(message)
                # A busy inbox must not keep time from passing.
                if isinstance(message, Tick):
                    ticked = clock.monotonic()
                elif clock.monotonic() - ticked >= every:
                    self.handle(Tick())
                    ticked = clock.monotonic()
            self._wind_up()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the owner of the process must hear it
            self._on_crash(error)

    def _wind_up(self) -> None:
        if self._model.visit is not None:
            self._take(lambda turn: end(turn, EndReason.STOPPED))
        if self._lanes is not None:
            self._lanes.stop()
        self._emit(Event.of(EventName.TERMINAL_STOPPED))

    def _take(self, act: Callable[[Turn], None]) -> None:
        turn = Turn(self._model, self._around, self._shelf, self._newest)
        act(turn)
        self._model, self._shelf = turn.model, turn.shelf
        visit = self._model.visit
        self._ended_generation = self._model.generation if visit is None else visit.generation - 1
        if visit is None:
            self._shelf = self._newest
        for event in turn.events:
            self._emit(event)
        for effect in turn.effects:
            self._do(effect)
        self._show()

    def _do(self, effect: Effect) -> None:
        assert self._lanes is not None, "start() or lanes= first"
        self._lanes.run(lane_of(effect), lambda: self._work(effect))

    def _work(self, effect: Effect) -> None:
        """On a lane. What its session no longer needs is not begun."""
        try:
            if isinstance(effect, ENDS_WITH_SESSION) and effect.generation <= self._ended_generation:
                return
            answer = self._hands.do(effect)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the owner of the process must hear it
            self._on_crash(error)
            return
        if answer is not None:
            self._inbox.put(answer)

    def _load_bundle(self) -> None:
        """Between citizens only: nothing changes under anybody's hands."""
        bundle = self._bundle()
        if bundle is self._known_bundle:
            return
        self._known_bundle = bundle
        self._newest = self._shelf = shelf_of(bundle)
        catalogue = self._newest.catalogue
        self._emit(
            Event.of(
                EventName.BUNDLE_LOADED,
                bundle=catalogue.number,
                items=len(catalogue.items),
                refused=len(catalogue.refused),
            )
        )

    def _show(self) -> None:
        """A snapshot when something changed; a countdown that merely goes on is not a change."""
        model, shelf = self._model, self._shelf
        page, around = view(model, shelf, self._around), chrome(model, shelf, self._around)
        now = self._around.clock.monotonic()
        if self._shown is not None:
            last_page, last_around, at = self._shown
            counted = replace(around, seconds_left=last_around.seconds_left)
            if page == last_page and counted == last_around and _counts_down(last_around, around, now - at):
                return
        self._shown = (page, around, now)
        self._sequence += 1
        self._on_snapshot(Snapshot(self._sequence, page, around))

    def _emit(self, event: Event) -> None:
        self._on_event(event)


def _counts_down(before: Chrome, after: Chrome, passed: float) -> bool:
    if before.seconds_left is None or after.seconds_left is None:
        return before.seconds_left == after.seconds_left
    return abs(before.seconds_left - passed - after.seconds_left) <= 1.0
