"""Address of an ID card reader; pure. See `kiosk.core.profile.DeviceAddresses`.

``pcsc:/path/of/pcscd.comm?reader=PREFIX``, ``pcsc-escape:`` likewise, ``sam:/dev/…?baud=115200``,
``sam://host:port``; each also with ``decoder=/path/of/library.so``, a plug-in for photos.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from drivers.pcsc.address import PcscAddress
from drivers.pcsc.address import parse_address as parse_pcsc

BAUDS = (9600, 19200, 38400, 57600, 115200)
"""What a SAM_V module can be set to."""
_SHAPE = "a card reader's address looks like pcsc:/path?reader=NAME, sam:/dev/NAME?baud=115200 or sam://host:port"


class Transport(StrEnum):
    """How bytes come to the reader; the word of `readers.toml`."""

    PCSC = "pcsc"
    PCSC_ESCAPE = "pcsc-escape"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class EscapeAddress:
    """A PC/SC reader that takes SAM_V frames as escape commands."""

    pcsc: PcscAddress


@dataclass(frozen=True, slots=True)
class SerialAddress:
    """A SAM_V module on a serial line."""

    path: str
    baud: int = 115200


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """A SAM_V module behind a TCP port (serial device server)."""

    host: str
    port: int


Place = PcscAddress | EscapeAddress | SerialAddress | SocketAddress


@dataclass(frozen=True, slots=True)
class ReaderAddress:
    """Where the reader is, and the library that can decode its photos; empty: they stay as they are."""

    place: Place
    decoder: str = ""

    @property
    def transport(self) -> Transport:
        """For its profile."""
        match self.place:
            case PcscAddress():
                return Transport.PCSC
            case EscapeAddress():
                return Transport.PCSC_ESCAPE
            case SerialAddress() | SocketAddress():
                return Transport.LINE


def parse_address(text: str) -> ReaderAddress:
    """ValueError if it is no address of a reader."""
    parts = urlsplit(text)
    pairs = parse_qsl(parts.query, strict_parsing=True, keep_blank_values=True) if parts.query else []
    query = dict(pairs)
    if len(query) != len(pairs) or parts.fragment:
        raise ValueError(_SHAPE)
    decoder = query.pop("decoder", "")
    match parts.scheme:
        case "pcsc" | "pcsc-escape":
            pcsc = parse_pcsc(urlunsplit(("pcsc", parts.netloc, parts.path, urlencode(query), "")))
            return ReaderAddress(pcsc if parts.scheme == "pcsc" else EscapeAddress(pcsc), decoder)
        case "sam" if parts.netloc:
            if query or parts.path or not parts.hostname or not parts.port:
                raise ValueError(_SHAPE)
            return ReaderAddress(SocketAddress(parts.hostname, parts.port), decoder)
        case "sam" if parts.path.startswith("/"):
            baud = int(query.pop("baud", "115200"))
            if query or baud not in BAUDS:
                raise ValueError(f"{_SHAPE}; baud is one of {', '.join(map(str, BAUDS))}")
            return ReaderAddress(SerialAddress(unquote(parts.path), baud), decoder)
        case _:
            raise ValueError(_SHAPE)
