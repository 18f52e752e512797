"""The contact slot (社保卡读卡器) by PC/SC: a monitor thread for cards, reads in the worker's main thread."""

from __future__ import annotations

import os
import threading
import time

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import dump_social_card
from drivers.pcsc.address import parse_address
from drivers.pcsc.card import PcscFailure, connected, find_reader
from drivers.pcsc.monitor import Monitor
from drivers.pcsc.status import Sight, events_between, status_of
from drivers.social_card.reading import WITHIN_S, read_card
from kiosk.core.devices import DeviceError, DeviceKind, DeviceState, DeviceStatus, Fault, MediaState
from kiosk.core.result import Err, Ok, Result
from kiosk.core.social_card import SocialCard

ATTEMPTS = 3
"""A contact that is a little dirty often holds the second time."""


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
        self._lock = threading.Lock()
        self._sight: Sight | None = None
        self._monitor: Monitor | None = None

    def open(self, emit: Emit) -> None:
        """Begin to watch."""

        def see(sight: Sight) -> None:
            with self._lock:
                before, self._sight = self._sight, sight
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
        """Quick: the service knows the reader. Deep: the card in the slot is read; nothing personal is told."""
        try:
            reader = find_reader(self._address)
        except PcscFailure as failure:
            return Err(failure.error)
        if not deep:
            return Ok(reader)
        match self._read():
            case Ok(card):
                return Ok(f"{reader}; read a card of region {card.region}, version {card.standard}")
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

    def _read(self) -> Result[SocialCard, DeviceError]:
        """A few times if the card cannot be read, all of them within the time of one."""
        ends = time.monotonic() + WITHIN_S
        outcome = self._read_once(ends)
        for _ in range(ATTEMPTS - 1):
            match outcome:
                case Err(DeviceError(Fault.CARD_UNREADABLE)) if time.monotonic() < ends:
                    outcome = self._read_once(ends)
                case _:
                    break
        return outcome

    def _read_once(self, ends: float) -> Result[SocialCard, DeviceError]:
        try:
            with connected(self._address) as card:
                return read_card(card.transmit, within_s=max(0.0, ends - time.monotonic()))
        except PcscFailure as failure:
            return Err(failure.error)
