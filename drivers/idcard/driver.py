"""The ID card reader (身份证阅读器): whatever the way to the card, here it becomes an `IdCard`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, assert_never

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import dump_card
from drivers.idcard.address import EscapeAddress, ReaderAddress, SerialAddress, SocketAddress, parse_address
from drivers.idcard.pcsc_reader import PcscReader
from drivers.idcard.picture import PictureDecoder
from drivers.idcard.profiles import load_profiles
from drivers.idcard.protocol import CardBytes
from drivers.idcard.sam_reader import SamReader
from drivers.pcsc.address import PcscAddress
from kiosk.core.devices import DeviceError, DeviceKind, DeviceStatus, Fault
from kiosk.core.id_card import IdCard
from kiosk.core.id_card_text import CardTextError, decode_text_block, with_newest_address
from kiosk.core.result import Err, Ok, Result

ATTEMPTS = 3
"""A card laid down a little askew is often read the second time."""
BUDGET_S = 8.0
"""For all attempts together: the host waits 10 s."""


_TRIED_AGAIN = frozenset({Fault.CARD_UNREADABLE, Fault.UNREACHABLE})


class Reader(Protocol):
    """A way to the card."""

    def open(self, emit: Emit) -> None:
        """Begin to watch; soon back."""
        ...

    def close(self) -> None:
        """Stop watching."""
        ...

    def status(self) -> DeviceStatus:
        """As last seen."""
        ...

    def identify(self) -> Result[str, DeviceError]:
        """Who the reader is, asked now."""
        ...

    def read(self) -> Result[CardBytes, DeviceError]:
        """The card that lies there, once."""
        ...


class IdCardAdapter:
    """One reader, by address: see `drivers.idcard.address`."""

    kind = DeviceKind.ID_CARD
    capabilities = frozenset({"read"})

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        where = parse_address(address)
        self.identity = address.partition("?")[0]
        self._reader = _reader(where)
        self._decoder = PictureDecoder(Path(where.decoder)) if where.decoder else None
        self._clock = clock

    def open(self, emit: Emit) -> None:
        """Begin to watch."""
        self._reader.open(emit)

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """`read`: the card that lies there."""
        if verb != "read":
            return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        match self._read():
            case Ok(card):
                return Ok(Reply(*dump_card(card)))
            case Err() as failed:
                return failed

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Quick: who the reader is. Deep: reads the card that lies there; tells its layout and the time, no more."""
        status = self._reader.status()
        if status.fault is not None:
            return Err(DeviceError(status.fault, status.detail))
        if not deep:
            return self._reader.identify()
        began = self._clock()
        match self._read():
            case Ok(card):
                picture = ", with picture" if card.picture else self._why_no_picture()
                return Ok(f"{card.type.value} card in {(self._clock() - began) * 1000:.0f} ms{picture}")
            case Err() as failed:
                return failed

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._reader.status()

    def close(self) -> None:
        """Stop watching."""
        self._reader.close()

    def _read(self) -> Result[IdCard, DeviceError]:
        ends = self._clock() + BUDGET_S
        for attempt in range(1, ATTEMPTS + 1):
            outcome = self._read_once()
            match outcome:
                case Err(DeviceError(fault)) if fault in _TRIED_AGAIN and attempt < ATTEMPTS and self._clock() < ends:
                    continue
                case Ok(card) if self._decoder is not None:
                    return Ok(replace(card, picture=self._decoder.decode(card.photo)))
                case _:
                    return outcome
        raise AssertionError("the last attempt returns")

    def _read_once(self) -> Result[IdCard, DeviceError]:
        match self._reader.read():
            case Err() as failed:
                return failed
            case Ok(raw):
                return _decode(raw)

    def _why_no_picture(self) -> str:
        return f"; {self._decoder.trouble}" if self._decoder is not None and self._decoder.trouble else ""


def _decode(raw: CardBytes) -> Result[IdCard, DeviceError]:
    match decode_text_block(raw.text, raw.photo):
        case Err(wrong):
            return Err(_unreadable(wrong))
        case Ok(card) as good:
            if not raw.newest_address:
                return good
    match with_newest_address(card, raw.newest_address):
        case Err(wrong):
            return Err(_unreadable(wrong))
        case Ok() as newest:
            return newest


def _unreadable(wrong: CardTextError) -> DeviceError:
    return DeviceError(Fault.CARD_UNREADABLE, f"text: {wrong.fault} {wrong.field}".rstrip())


def _reader(where: ReaderAddress) -> Reader:
    profiles = load_profiles()
    match where.place:
        case PcscAddress() as pcsc:
            _use_socket(pcsc)
            return PcscReader(pcsc, profiles)
        case EscapeAddress(pcsc) as escape:
            _use_socket(pcsc)
            profile = profiles.reader(where.transport, pcsc.reader)
            return SamReader(escape, escape=profile.escape if profile else 1)
        case SerialAddress() | SocketAddress() as line:
            return SamReader(line)
        case _:
            assert_never(where.place)


def _use_socket(pcsc: PcscAddress) -> None:
    """libpcsclite reads it once, with the first context of the process."""
    if pcsc.socket:
        os.environ["PCSCLITE_CSOCK_NAME"] = pcsc.socket
