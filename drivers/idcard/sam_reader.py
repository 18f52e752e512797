"""An ID card reader that speaks SAM_V: a thread asks the module all the time whether a card lies there; readings come
from the worker's main thread, in between."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from drivers.host.adapter import Emit
from drivers.idcard.address import EscapeAddress, SerialAddress, SocketAddress
from drivers.idcard.presence import KEEPERS, Change, Presence, is_here
from drivers.idcard.protocol import CardBytes
from drivers.idcard.sam_talk import Refused, demand, introduce, read_selected
from drivers.idcard.sam_v import FIND, FOUND, GOOD, NOT_FOUND, SELECT, Command, fault_of
from drivers.idcard.wire import Wire, WireFailure, ask, open_wire
from drivers.pcsc.watchdog import Watchdog, pcscd_watchdog
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.result import Err, Ok, Result

KIND = DeviceKind.ID_CARD
_CONTACT_LOST = frozenset({Fault.UNREACHABLE, Fault.PERMISSION, Fault.IN_USE, Fault.SERVICE_DOWN, Fault.NO_READER})
_ILL = frozenset({Fault.SAM_FAULT, Fault.PROTOCOL, Fault.HARDWARE})
"""What makes the device ill, when the module answers it to a search for cards."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Delays, seconds."""

    poll_s: float = 0.12
    retry_s: float = 0.4
    """Until contact is sought anew."""
    turn_s: float = 6.0
    """At most, until a reading gets the wire: longer than any question lasts."""


class SamReader:
    """One module, on a serial line, behind a TCP port or inside a PC/SC reader."""

    def __init__(
        self,
        address: SerialAddress | SocketAddress | EscapeAddress,
        *,
        escape: int = 1,
        pace: Pace | None = None,
        open_: Callable[..., Wire] = open_wire,
    ) -> None:
        self._address = address
        self._escape = escape
        self._pace = pace or Pace()
        self._open = open_
        self._emit: Emit = lambda _event: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="sam-poll", daemon=True)
        self._turn = threading.Lock()
        """Who talks to the module; guards what follows."""
        self._wire: Wire | None = None
        self._presence = Presence()
        self._mark = b""
        self._salt = secrets.token_bytes(16)
        self._module = ""
        self._stumbles = 0
        self._blind = False
        """Nothing was seen for a while; the terminal then hears anew whether a card lies there."""
        self._watchdog: Watchdog | None = None
        self._hung = False
        self._status_lock = threading.Lock()
        self._status = DeviceStatus(KIND, DeviceState.STARTING, MediaState.UNKNOWN)

    def open(self, emit: Emit) -> None:
        """Begin to ask."""
        self._emit = emit
        self._thread.start()
        if isinstance(self._address, EscapeAddress):
            self._watchdog = pcscd_watchdog(self._feel)
            self._watchdog.start()

    def close(self) -> None:
        """Stop asking, give the line back."""
        self._stopping.set()
        if self._watchdog is not None:
            self._watchdog.stop()
        if self._hung:  # the line is in a call that cannot be called back; it ends with the process
            return
        self._thread.join()
        self._hang_up()

    def status(self) -> DeviceStatus:
        """As last seen."""
        with self._status_lock:
            return self._status

    def identify(self) -> Result[str, DeviceError]:
        """The module's own status and number, asked now."""
        with self._talking() as wire:
            if isinstance(wire, DeviceError):
                return Err(wire)
            try:
                return Ok(introduce(wire))
            except (WireFailure, Refused) as failed:
                return Err(failed.error)

    def read(self) -> Result[CardBytes, DeviceError]:
        """The card that lies there."""
        with self._talking() as wire:
            if isinstance(wire, DeviceError):
                return Err(wire)
            try:
                return Ok(self._read(wire))
            except (WireFailure, Refused) as failed:
                return Err(failed.error)

    # --- with the wire ---------------------------------------------------------------------------------------------

    def _talking(self) -> _Turn:
        return _Turn(self._turn, 0.0 if self._hung else self._pace.turn_s, lambda: self._wire, self.status)

    def _read(self, wire: Wire) -> CardBytes:
        """Find, select, read, newest address. A card that was read is not found again, but may still be selected."""
        found = ask(wire, FIND).status
        if found not in (FOUND, GOOD, NOT_FOUND):
            raise Refused(*fault_of(found))
        selected = ask(wire, SELECT).status
        if selected != GOOD and found == NOT_FOUND:
            self._demand_kept(wire)
        elif selected != GOOD:
            fault, words = fault_of(selected)
            raise Refused(Fault.CARD_UNREADABLE if fault is Fault.NO_CARD else fault, words)
        card = read_selected(wire)
        known, before = self._presence.here is True, self._mark
        self._remember(wire, card)
        self._show(self._well())
        # what happened since the last question, the terminal hears before it has the card
        if known and before not in (b"", self._mark):
            self._emit(CardLifted())
        if not known or before not in (b"", self._mark):
            self._emit(CardPresented())
        return card

    def _demand_kept(self, wire: Wire) -> None:
        """A card that is neither found nor selected may be one that was read, is still selected, and lies there."""
        words = fault_of(NOT_FOUND)[1]
        if not self._presence.here:
            raise Refused(Fault.NO_CARD, words)
        keeper = self._presence.keeper
        if self._presence.was_read and keeper is None:
            raise Refused(Fault.CARD_UNREADABLE, "module reads a card once, until it is lifted")
        if not self._presence.was_read or keeper is None or not is_here(keeper, ask(wire, keeper).status):
            raise Refused(Fault.CARD_REMOVED, words)

    def _remember(self, wire: Wire, card: CardBytes) -> None:
        """Nothing of the card but a mark that tells it from another one, worthless outside this process."""
        self._presence = Presence(here=True, was_read=True, keeper=_keeper(wire))
        self._mark = self._mark_of(card)

    def _mark_of(self, card: CardBytes) -> bytes:
        return hashlib.blake2b(card.text, key=self._salt).digest()

    # --- the asking thread -----------------------------------------------------------------------------------------

    def _poll(self) -> None:
        while not self._stopping.is_set():
            with self._turn:
                wait_s = self._ask_once()
            self._stopping.wait(wait_s)

    def _ask_once(self) -> float:
        """Contact and one question; how long to wait before the next."""
        try:
            if self._wire is None:
                self._wire = self._open(self._address, escape=self._escape)
            if not self._module:
                self._module = introduce(self._wire)
            events = self._look(self._wire)
        except (WireFailure, Refused) as failed:
            return self._stumble(failed.error)
        self._stumbles = 0
        self._show(self._well())
        if self._blind and not self._presence.doubtful:
            self._blind = False
            events = (CardPresented() if self._presence.here else CardLifted(),)
        for event in events:
            self._emit(event)
        return 0.0 if self._presence.doubtful else self._pace.poll_s

    def _look(self, wire: Wire) -> tuple[DeviceEvent, ...]:
        """One question; what the terminal must hear. WireFailure, Refused."""
        question = self._presence.question
        status = ask(wire, question).status
        if fault_of(status)[0] in _ILL and question is FIND and not is_here(question, status):
            raise Refused(*fault_of(status))
        if self._presence.here is None and not is_here(question, status) and (keeper := _keeper(wire)):
            # read before this process began, by the one before it, and never lifted
            self._presence = Presence(here=True, was_read=True, keeper=keeper)
            return (CardPresented(),)
        self._presence, change = self._presence.after(question, status)
        match change:
            case Change.LAID:
                return (CardPresented(),)
            case Change.LIFTED:
                self._mark = b""
                return (CardLifted(),)
            case Change.LAID_ANEW:
                return (CardLifted(), CardPresented())
            case Change.MAYBE_ANOTHER:
                return self._tell_apart(wire)
            case Change.NOTHING:
                return ()

    def _tell_apart(self, wire: Wire) -> tuple[DeviceEvent, ...]:
        """A card was found anew: the one of before was only jolted, or it is another one."""
        before = self._mark
        try:
            demand(ask(wire, SELECT).status, GOOD)
            card = read_selected(wire)
        except Refused:
            self._presence, self._mark = Presence(here=True), b""
        else:
            self._remember(wire, card)
        return () if self._mark == before else (CardLifted(), CardPresented())

    def _stumble(self, error: DeviceError) -> float:
        """One bad moment is forgiven, two are told. What is known of the card stays: it may lie there all the time, and
        a card that was read would not be found again."""
        self._stumbles += 1
        lost = error.fault in _CONTACT_LOST
        if lost or self._stumbles > 1 or self.status().state is DeviceState.STARTING:
            self._module, self._blind = "", True
            self._show(_ill(error, self._status.identity))
        if lost:
            self._hang_up()
        return self._pace.retry_s

    def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _well(self) -> DeviceStatus:
        media = MediaState.PRESENT if self._presence.here else MediaState.ABSENT
        blind = self._presence.was_read and self._presence.keeper is None
        detail = "module does not tell when a card that was read is lifted" if blind else ""
        return DeviceStatus(KIND, DeviceState.ONLINE, media, identity=self._module, detail=detail)

    def _feel(self, hung: bool) -> None:
        """pcscd takes questions and does not answer; when it does again, the asking thread goes on by itself."""
        self._hung = hung
        if hung:
            self._show(_ill(DeviceError(Fault.SERVICE_DOWN, "pcscd does not answer"), self.status().identity))

    def _show(self, status: DeviceStatus) -> None:
        with self._status_lock:
            changed, self._status = status != self._status, status
        if changed:
            self._emit(StatusChanged(status))


def _keeper(wire: Wire) -> Command | None:
    """The first question that proves that a card lies there."""
    return next((question for question in KEEPERS if is_here(question, ask(wire, question).status)), None)


def _ill(error: DeviceError, identity: str) -> DeviceStatus:
    state = DeviceState.OFFLINE if error.fault in _CONTACT_LOST else DeviceState.ERROR
    return DeviceStatus(KIND, state, MediaState.UNKNOWN, fault=error.fault, identity=identity, detail=error.detail)


class _Turn:
    """The wire for one reading, or why there is none."""

    def __init__(
        self,
        lock: threading.Lock,
        patience_s: float,
        wire: Callable[[], Wire | None],
        status: Callable[[], DeviceStatus],
    ) -> None:
        self._lock = lock
        self._patience_s = patience_s
        self._wire = wire
        self._status = status
        self._held = False

    def __enter__(self) -> Wire | DeviceError:
        self._held = self._lock.acquire(timeout=self._patience_s)
        wire, status = self._wire(), self._status()
        if not self._held:
            return DeviceError(status.fault or Fault.TIMEOUT, status.detail or "module is busy")
        if wire is None:
            return DeviceError(status.fault or Fault.UNREACHABLE, status.detail)
        return wire

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._lock.release()
