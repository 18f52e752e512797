"""The I/O board in its worker process: a thread polls and keeps the lamps as wished, commands only change wishes.

The board may lose power, and its lamps with it: after every loss of contact all of them are written anew. Lamps that
the board cannot blink by itself are blinked by the same round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import CodecError, take_enum
from drivers.site_io.address import parse_address
from drivers.site_io.board import find_board
from drivers.site_io.contact import Contact
from drivers.site_io.line import BoardTrouble, open_line
from drivers.site_io.master import Patience
from drivers.site_io.status import Settling, starting, status_of, unreachable
from kiosk.core.devices import (
    DeviceError,
    DeviceKind,
    DeviceStatus,
    Fault,
    Lamp,
    LampState,
    SiteChanged,
    SiteInputs,
    StatusChanged,
)
from kiosk.core.result import Err, Ok, Result


@dataclass(frozen=True, slots=True)
class Timings:
    """Every wait of this driver, seconds."""

    poll: float = 0.05
    """From the start of one round to the next; a slow line takes longer."""
    blink: float = 0.5
    """Bright, and as long dark."""
    review: float = 1.0
    """From one reading of the lamps to the next."""
    connect: float = 2.0
    first_retry: float = 0.3
    last_retry: float = 2.0
    patience: Patience = field(default_factory=Patience)


class SiteIoAdapter:
    """Adapter for `drivers.host.worker`: verb `light` with `lamp` and `state`."""

    kind = DeviceKind.SITE_IO
    capabilities = frozenset({"light"})

    def __init__(
        self, address: str, *, timings: Timings | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._address = parse_address(address)
        self._board = find_board(self._address.board)
        self._timings = timings or Timings()
        self._monotonic = monotonic
        self.identity = f"{self._board.name} at {self._address.identity}"
        self._turn = threading.Lock()
        """Guards what follows; held for one round, so that a command waits for one at most."""
        self._contact: Contact | None = None
        self._dead_lamp: Lamp | None = None
        self._review_at = 0.0
        self._wishes = dict.fromkeys(self._board.lamps, LampState.OFF)
        self._settling = Settling(self._board)
        self._inputs: SiteInputs | None = None
        """As last told; None: contact was lost since."""
        self._status = starting(self.identity)
        self._emit: Emit = lambda _event: None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="site-io", daemon=True)

    def open(self, emit: Emit) -> None:
        """Begin to poll; the lamps go dark."""
        self._emit = emit
        self._thread.start()

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """`light`. A wish that cannot be fulfilled now is fulfilled when the board is back."""
        if verb not in self.capabilities:
            return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        try:
            lamp, state = take_enum(args, "lamp", Lamp), take_enum(args, "state", LampState)
        except CodecError as error:
            return Err(DeviceError(Fault.PROTOCOL, str(error)))
        if lamp not in self._board.lamps:
            return Err(DeviceError(Fault.MISCONFIGURED, f"board {self._board.name} has no lamp {lamp.value}"))
        with self._turn:
            self._wishes[lamp] = state
            trouble = self._do(self._show)
        return Err(trouble) if trouble else Ok(Reply())

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Quick: one round, timed. Deep: also every lamp on and off, read back, then all as they were."""
        with self._turn:
            began = self._monotonic()
            trouble = self._do(self._round)
            taken_ms = round((self._monotonic() - began) * 1000)
            if trouble is None and deep:
                trouble = self._prove_lamps()
        if trouble is not None:
            return Err(trouble)
        lamps = f"; {len(self._board.lamps)} lamps proven" if deep else ""
        return Ok(f"{self._status.identity}; a round in {taken_ms} ms{lamps}")

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    def close(self) -> None:
        """Stop polling, all lamps off, hang up."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        with self._turn:
            self._wishes = dict.fromkeys(self._board.lamps, LampState.OFF)
            self._do(self._show)
            if self._contact is not None:
                self._contact.close()

    # --- the thread ----------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        retry = self._timings.first_retry
        while not self._stop.is_set():
            began = self._monotonic()
            fresh = self._connect() if self._contact is None else None
            with self._turn:
                # A command may have ended the contact since; only this thread begins one.
                self._contact = self._contact or fresh
                if self._contact is not None:
                    self._do(self._round)
                connected = self._contact is not None
            if connected:
                retry = self._timings.first_retry
                self._stop.wait(max(0.0, began + self._timings.poll - self._monotonic()))
            else:
                self._stop.wait(retry)
                retry = min(retry * 2, self._timings.last_retry)

    def _connect(self) -> Contact | None:
        """Without the turn: this may take its time, and commands are told at once that there is no board."""
        try:
            line = open_line(self._address, connect_s=self._timings.connect)
        except BoardTrouble as trouble:
            with self._turn:
                self._lose(trouble.error)
            return None
        return Contact(line, self._board, unit=self._address.unit, patience=self._timings.patience)

    # --- with the turn -------------------------------------------------------------------------------------------

    def _do(self, job: Callable[[Contact], None]) -> DeviceError | None:
        """One piece of work with the board; any trouble ends the contact, and the thread begins a new one."""
        contact = self._contact
        if contact is None:
            return DeviceError(self._status.fault or Fault.UNREACHABLE, self._status.detail or "not connected yet")
        try:
            job(contact)
        except BoardTrouble as trouble:
            contact.close()
            self._contact = None
            self._lose(trouble.error)
            return trouble.error
        return None

    def _round(self, contact: Contact) -> None:
        """Inputs and lamps; told only when both worked, so that half a board does not flicker."""
        now = self._monotonic()
        inputs = self._settling.settle(contact.read(), now)
        if now >= self._review_at:
            self._review_at = now + self._timings.review
            self._dead_lamp = contact.review()
        self._show(contact)
        identity = ", ".join(filter(None, (self.identity, contact.name())))
        self._publish(status_of(inputs, identity=identity, dead_lamp=self._dead_lamp))
        if inputs != self._inputs:
            self._inputs = inputs
            self._emit(SiteChanged(inputs))

    def _show(self, contact: Contact) -> None:
        bright = int(self._monotonic() / self._timings.blink) % 2 == 0
        contact.show(self._wishes, bright=bright)

    def _prove_lamps(self) -> DeviceError | None:
        liars: list[Lamp] = []

        def prove(contact: Contact) -> None:
            liars.extend(filter(None, [contact.prove_lamps()]))
            self._show(contact)

        trouble = self._do(prove)
        if trouble is None and liars:
            return DeviceError(Fault.HARDWARE, f"lamp {liars[0].value} is not as it was switched")
        return trouble

    def _lose(self, error: DeviceError) -> None:
        self._settling.forget()
        self._inputs, self._dead_lamp = None, None
        self._publish(unreachable(error.fault, identity=self._status.identity, detail=error.detail))

    def _publish(self, status: DeviceStatus) -> None:
        if status != self._status:
            self._status = status
            self._emit(StatusChanged(status))
