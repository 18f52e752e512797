"""The contact slot (社保卡读卡器) by PC/SC: a monitor thread for cards, reads in the worker's main thread."""

from __future__ import annotations

import os
import threading
import time

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import dump_social_card
from drivers.pcsc.address import parse_address
from drivers.pcsc.card import PcscFailure, connected
from drivers.pcsc.monitor import Monitor
from drivers.pcsc.reader import connected_reader, describe
from drivers.pcsc.status import Sight, events_between, status_of
from drivers.social_card.reading import WITHIN_S, read_card
from kiosk.core.devices import DeviceError, DeviceKind, DeviceState, DeviceStatus, Fault, MediaState
from kiosk.core.result import Err, Ok, Result
from kiosk.core.social_card import SocialCard

ATTEMPTS = 3
"""A contact that is a little dirty often holds the second time."""

NEWS_S = 0.3
"""The monitor knows of a card that was taken long before."""


class SocialCardAdapter:
    """One slot, by address ``pcsc:/path/of/pcscd.comm?reader=PREFIX``. Verb `read` → a dumped SocialCard."""

    kind = DeviceKind.SOCIAL_CARD
    capabilities = frozenset({"read"})

    def __init__(self, address: str) -> None:
        self._address = parse_address(address)
        self.identity = self._address.reader or "first reader"
        if self._address.socket:
            # libpcsclite reads it once, with the first context of the process
            os.environ["PCSCLITE_CSOCK_NAME"] = self._address.socket
        self._lock = threading.Condition()
        self._sight: Sight | None = None
        self._monitor: Monitor | None = None

    def open(self, emit: Emit) -> None:
        """Begin to watch."""

        def see(sight: Sight) -> None:
            with self._lock:
                before, self._sight = self._sight, sight
                self._lock.notify_all()
            for event in events_between(before, sight, self.kind):
                emit(event)

        self._monitor = Monitor(self._address, see)
        self._monitor.start()

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """`read`: the card in the slot."""
        if verb != "read":
            return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        match self._read():
            case Ok(card):
                return Ok(Reply(dump_social_card(card)))
            case Err() as failed:
                return failed

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Quick: who the reader is, asked now. Deep: the card in the slot is read; nothing personal is told."""
        if (ill := self._illness()) is not None:
            return Err(ill)
        if not deep:
            return self._identify()
        began = time.monotonic()
        match self._read():
            case Ok(card):
                taken_ms = (time.monotonic() - began) * 1000
                return Ok(f"card of region {card.region}, version {card.standard}, in {taken_ms:.0f} ms")
            case Err() as failed:
                return failed

    def status(self) -> DeviceStatus:
        """As last seen."""
        with self._lock:
            sight = self._sight
        return (
            status_of(sight, self.kind) if sight else DeviceStatus(self.kind, DeviceState.STARTING, MediaState.UNKNOWN)
        )

    def close(self) -> None:
        """Stop watching."""
        if self._monitor is not None:
            self._monitor.stop()

    def _illness(self) -> DeviceError | None:
        """What the monitor knows already, so that nobody waits for a service that hangs."""
        status = self.status()
        return DeviceError(status.fault, status.detail) if status.fault is not None else None

    def _identify(self) -> Result[str, DeviceError]:
        try:
            with connected_reader(self._address) as reader:
                return Ok(describe(reader))
        except PcscFailure as failure:
            return Err(failure.error)

    def _read(self) -> Result[SocialCard, DeviceError]:
        """A few times if the card cannot be read, all of them within the time of one."""
        if (ill := self._illness()) is not None:
            return Err(ill)
        ends = time.monotonic() + WITHIN_S
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._read_once(ends)
            match outcome:
                case Err(DeviceError(Fault.CARD_UNREADABLE)) if attempt < ATTEMPTS and time.monotonic() < ends:
                    continue
                case Err(DeviceError(Fault.CARD_REMOVED, detail)) if not self._is_lifted():
                    return Err(DeviceError(Fault.NO_READER, f"shows a card and does not answer: {detail}"))
                case _:
                    return outcome
        raise AssertionError("the last attempt returns")

    def _is_lifted(self) -> bool:
        """PC/SC says the same of a card that left and of a reader whose cable broke; only the former is news to the
        monitor, and soon."""
        with self._lock:
            return self._lock.wait_for(lambda: self._sight is None or self._sight.present is not True, NEWS_S)

    def _read_once(self, ends: float) -> Result[SocialCard, DeviceError]:
        try:
            with connected(self._address) as card:
                return read_card(card.transmit, within_s=max(0.0, ends - time.monotonic()))
        except PcscFailure as failure:
            return Err(failure.error)
