"""One card by PC/SC: connect, ask, give back. Trouble is a `PcscFailure`, in the words of `drivers.pcsc.status`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import smartcard.scard as pcsc

from drivers.pcsc.address import PcscAddress
from drivers.pcsc.monitor import list_readers, unsigned
from drivers.pcsc.status import Code, fault_of, name_of
from kiosk.core.devices import DeviceError, Fault

T0 = int(pcsc.SCARD_PROTOCOL_T0)
T1 = int(pcsc.SCARD_PROTOCOL_T1)


class PcscFailure(Exception):
    """Leaves an exchange with a card at its first trouble."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(fault)
        self.error = DeviceError(fault, detail)


@dataclass(frozen=True, slots=True)
class ConnectedCard:
    """A card that answered its reset."""

    handle: Any
    protocol: int
    reader: str

    def atr(self) -> bytes:
        """Its answer to reset; PcscFailure."""
        _reader, _state, _protocol, atr = check(pcsc.SCardStatus(self.handle))
        return bytes(atr)

    def transmit(self, apdu: bytes) -> bytes:
        """Response APDU, at least one byte; PcscFailure."""
        header = pcsc.SCARD_PCI_T0 if self.protocol == T0 else pcsc.SCARD_PCI_T1
        (answer,) = check(pcsc.SCardTransmit(self.handle, header, list(apdu)))
        if not answer:  # some readers report a card that left like this
            raise PcscFailure(Fault.CARD_REMOVED, "empty answer")
        return bytes(answer)


@contextmanager
def connected(address: PcscAddress, *, protocols: int = T0 | T1) -> Iterator[ConnectedCard]:
    """The card that lies in the reader; PcscFailure.

    Both handles are given back whatever happens. Results of giving back mean nothing: the card or pcscd may be gone.
    """
    context = check(pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER))[0]
    try:
        reader = _reader(context, address)
        handle, protocol = check(
            pcsc.SCardConnect(context, reader, pcsc.SCARD_SHARE_SHARED, protocols), connecting=True
        )
        try:
            yield ConnectedCard(handle, protocol, reader)
        finally:
            pcsc.SCardDisconnect(handle, pcsc.SCARD_LEAVE_CARD)
    finally:
        pcsc.SCardReleaseContext(context)


def find_reader(address: PcscAddress) -> str:
    """Asks the service anew for the reader's full name; PcscFailure when either is not there."""
    context = check(pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER))[0]
    try:
        return _reader(context, address)
    finally:
        pcsc.SCardReleaseContext(context)


def check(result: Any, *, connecting: bool = False) -> tuple[Any, ...]:
    """The values of a PC/SC call; PcscFailure by its result code."""
    code = unsigned(result[0])
    if code != Code.SUCCESS:
        raise PcscFailure(fault_of(code, connecting=connecting), name_of(code))
    return tuple(result[1:])


def _reader(context: Any, address: PcscAddress) -> str:
    code, names = list_readers(context)
    reader = address.choose(names)
    if code or not reader:
        raise PcscFailure(fault_of(code) if code else Fault.NO_READER, name_of(code) if code else "")
    return reader
