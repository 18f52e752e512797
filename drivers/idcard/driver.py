"""The ID card reader (身份证阅读器) by PC/SC: a monitor thread for cards, reads in the worker's main thread."""

from __future__ import annotations

import os
import threading

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import dump_card
from drivers.idcard.cards import CardClass, classify
from drivers.idcard.protocol import PLAN, AskAgain, Block, parse_answer, split_stream
from drivers.pcsc.address import PcscAddress, parse_address
from drivers.pcsc.card import ConnectedCard, PcscFailure, connected
from drivers.pcsc.monitor import Monitor
from drivers.pcsc.status import Sight, events_between, status_of
from kiosk.core.devices import DeviceError, DeviceKind, DeviceState, DeviceStatus, Fault, MediaState
from kiosk.core.id_card import IdCard
from kiosk.core.id_card_text import decode_text_block
from kiosk.core.result import Err, Ok, Result

ATTEMPTS = 3
"""A card laid down a little askew is often read the second time."""


class IdCardAdapter:
    """One reader, by address ``pcsc:/path/of/pcscd.comm?reader=PREFIX``."""

    kind = DeviceKind.ID_CARD
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
        """`read`: the card that lies there."""
        if verb != "read":
            return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        match self._read():
            case Ok(card):
                return Ok(Reply(*dump_card(card)))
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

    def _read(self) -> Result[IdCard, DeviceError]:
        for attempt in range(1, ATTEMPTS + 1):
            outcome = _read_once(self._address)
            match outcome:
                case Err(DeviceError(Fault.CARD_UNREADABLE)) if attempt < ATTEMPTS:
                    continue
                case _:
                    return outcome
        raise AssertionError("the last attempt returns")


def _read_once(address: PcscAddress) -> Result[IdCard, DeviceError]:
    """Connect, read, decode, disconnect."""
    try:
        with connected(address) as card:
            _demand_readable(card)
            stream = b"".join(_read_block(card, block) for block in PLAN)
    except PcscFailure as failed:
        return Err(failed.error)
    match split_stream(stream):
        case Err(error):
            return Err(DeviceError(Fault.CARD_UNREADABLE, f"{error.why} {error.detail}".rstrip()))
        case Ok(parts):
            match decode_text_block(parts.text, parts.photo):
                case Ok() as good:
                    return good
                case Err(wrong):
                    return Err(DeviceError(Fault.CARD_UNREADABLE, f"text: {wrong.fault} {wrong.field}".rstrip()))


def _demand_readable(card: ConnectedCard) -> None:
    match classify(card.atr()):
        case CardClass.READABLE:
            return
        case other:
            raise PcscFailure(Fault.CARD_FOREIGN, other.value)


def _read_block(card: ConnectedCard, block: Block) -> bytes:
    """One block, asked for once more if the reader names another Le."""
    answer = parse_answer(block, card.transmit(block.command()))
    if isinstance(answer, Ok) and isinstance(answer.value, AskAgain):
        answer = parse_answer(block, card.transmit(block.command(answer.value.le)))
    match answer:
        case Ok(bytes() as data):
            return data
        case Ok():
            raise PcscFailure(Fault.CARD_UNREADABLE, "length named twice")
        case Err(error):
            raise PcscFailure(Fault.CARD_UNREADABLE, f"{error.why} {error.detail}".rstrip())
