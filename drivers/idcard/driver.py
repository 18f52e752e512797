"""The ID card reader (身份证阅读器) by PC/SC: a monitor thread for cards, reads in the worker's main thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import smartcard.scard as pcsc

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import dump_card
from drivers.idcard.cards import CardClass, classify
from drivers.idcard.protocol import PLAN, AskAgain, Block, parse_answer, split_stream
from drivers.pcsc.address import PcscAddress, parse_address
from drivers.pcsc.monitor import Monitor, list_readers, unsigned
from drivers.pcsc.status import (
    Code,
    Sight,
    events_between,
    fault_of,
    name_of,
    status_of,
)
from kiosk.core.devices import DeviceError, DeviceKind, DeviceState, DeviceStatus, Fault, MediaState
from kiosk.core.id_card import IdCard
from kiosk.core.id_card_text import decode_text_block
from kiosk.core.result import Err, Ok, Result

ATTEMPTS = 3
"""A card laid down a little askew is often read the second time."""
_EITHER = pcsc.SCARD_PROTOCOL_T0 | pcsc.SCARD_PROTOCOL_T1


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


class _Failed(Exception):
    """Internal: leaves a read at its first trouble."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault)
        self.error = DeviceError(fault, detail)


def _read_once(address: PcscAddress) -> Result[IdCard, DeviceError]:
    """Connect, read, decode, disconnect."""
    try:
        with _connected(address) as (card, protocol):
            _demand_readable(card)
            stream = b"".join(_read_block(card, protocol, block) for block in PLAN)
    except _Failed as failed:
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


@contextmanager
def _connected(address: PcscAddress) -> Iterator[tuple[Any, int]]:
    """Card handle and protocol; both handles are given back whatever happens. Results of giving back mean nothing:
    the card or pcscd may be gone."""
    context = _check(pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER))[0]
    try:
        code, names = list_readers(context)
        reader = address.choose(names)
        if code or not reader:
            raise _Failed(fault_of(code) if code else Fault.NO_READER, name_of(code) if code else "")
        card, protocol = _check(pcsc.SCardConnect(context, reader, pcsc.SCARD_SHARE_SHARED, _EITHER), connecting=True)
        try:
            yield card, protocol
        finally:
            pcsc.SCardDisconnect(card, pcsc.SCARD_LEAVE_CARD)
    finally:
        pcsc.SCardReleaseContext(context)


def _check(result: Any, *, connecting: bool = False) -> tuple[Any, ...]:
    """The values of a PC/SC call; _Failed by its result."""
    code = unsigned(result[0])
    if code != Code.SUCCESS:
        raise _Failed(fault_of(code, connecting=connecting), name_of(code))
    return tuple(result[1:])


def _demand_readable(card: Any) -> None:
    _reader, _state, _protocol, atr = _check(pcsc.SCardStatus(card))
    match classify(bytes(atr)):
        case CardClass.READABLE:
            return
        case other:
            raise _Failed(Fault.CARD_FOREIGN, other.value)


def _read_block(card: Any, protocol: int, block: Block) -> bytes:
    """One block, asked for once more if the reader names another Le."""
    answer = parse_answer(block, _transmit(card, protocol, block.command()))
    if isinstance(answer, Ok) and isinstance(answer.value, AskAgain):
        answer = parse_answer(block, _transmit(card, protocol, block.command(answer.value.le)))
    match answer:
        case Ok(bytes() as data):
            return data
        case Ok():
            raise _Failed(Fault.CARD_UNREADABLE, "length named twice")
        case Err(error):
            raise _Failed(Fault.CARD_UNREADABLE, f"{error.why} {error.detail}".rstrip())


def _transmit(card: Any, protocol: int, apdu: bytes) -> bytes:
    header = pcsc.SCARD_PCI_T0 if protocol == pcsc.SCARD_PROTOCOL_T0 else pcsc.SCARD_PCI_T1
    (answer,) = _check(pcsc.SCardTransmit(card, header, list(apdu)))
    if not answer:  # some readers report a card that left like this
        raise _Failed(Fault.CARD_REMOVED, "empty answer")
    return bytes(answer)
