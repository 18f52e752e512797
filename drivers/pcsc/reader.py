"""The reader itself by PC/SC, with or without a card in it: escape commands, and who it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import smartcard.scard as pcsc

from drivers.pcsc.address import PcscAddress
from drivers.pcsc.card import check, find_reader
from drivers.pcsc.monitor import unsigned
from drivers.pcsc.status import Code

_MAKER = int(pcsc.SCARD_ATTR_VENDOR_NAME)
_FIRMWARE = int(pcsc.SCARD_ATTR_VENDOR_IFD_VERSION)


@dataclass(frozen=True, slots=True)
class ConnectedReader:
    """A reader held without a card (SCARD_SHARE_DIRECT). A daemon that hangs blocks every call."""

    handle: Any
    name: str
    """In full."""

    def escape(self, function: int, data: bytes) -> bytes:
        """The answer to SCardControl with SCARD_CTL_CODE(function); PcscFailure."""
        (answer,) = check(pcsc.SCardControl(self.handle, pcsc.SCARD_CTL_CODE(function), list(data)))
        return bytes(answer)

    def attribute(self, tag: int) -> bytes:
        """What the reader says of itself; empty if it does not."""
        code, value = pcsc.SCardGetAttrib(self.handle, tag)
        return bytes(value) if unsigned(code) == Code.SUCCESS else b""


@contextmanager
def connected_reader(address: PcscAddress) -> Iterator[ConnectedReader]:
    """The reader; PcscFailure. Handles are given back whatever happens."""
    name = find_reader(address)
    context = check(pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER))[0]
    try:
        handle, _protocol = check(pcsc.SCardConnect(context, name, pcsc.SCARD_SHARE_DIRECT, 0))
        try:
            yield ConnectedReader(handle, name)
        finally:
            pcsc.SCardDisconnect(handle, pcsc.SCARD_LEAVE_CARD)
    finally:
        pcsc.SCardReleaseContext(context)


def describe(reader: ConnectedReader) -> str:
    """Name, maker and firmware, as far as it tells."""
    return ", ".join(filter(None, (reader.name, *attributes(reader.attribute(_MAKER), reader.attribute(_FIRMWARE)))))


def attributes(maker: bytes, firmware: bytes) -> tuple[str, str]:
    """In words; pure. PC/SC part 3 §3.1.1: the version is a double word 0xMMmmbbbb, in the machine's order."""
    name = maker.rstrip(b"\0").decode("ascii", "replace")
    if len(firmware) != 4:
        return name, ""
    return name, f"firmware {firmware[3]}.{firmware[2]}.{int.from_bytes(firmware[:2], 'little')}"
