"""Address of a code scanner; pure. See `kiosk.core.profile.DeviceAddresses`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from kiosk.core.scanned_code import WEDGE

DEFAULT_BAUD = 9600
DEFAULT_MODEL = "silent"
_BAUDS = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600})
_FORM = "scanner address is serial:/dev/…?baud=N&model=NAME, scanner://host:port?model=NAME or wedge:"


@dataclass(frozen=True, slots=True)
class SerialPort:
    """``serial:/dev/…?baud=9600&model=silent``, 8N1: a serial scanner, or a USB one set to act as a serial port."""

    path: str
    baud: int = DEFAULT_BAUD
    model: str = DEFAULT_MODEL

    @property
    def identity(self) -> str:
        """The path."""
        return self.path


@dataclass(frozen=True, slots=True)
class SerialServer:
    """``scanner://host:port?model=silent``: a serial line at the other end of a network (串口服务器)."""

    host: str
    port: int
    model: str = DEFAULT_MODEL

    @property
    def identity(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Wedge:
    """``wedge:``: it types like a keyboard. The screens listen to it themselves; it needs no driver process."""


Address = SerialPort | SerialServer | Wedge


def parse_address(text: str) -> Address:
    """ValueError if it is no address of a scanner."""
    if text == WEDGE:
        return Wedge()
    parts = urlsplit(text)
    match parts.scheme:
        case "serial" if parts.path.startswith("/") and not parts.netloc:
            options = _options(parts, "baud", "model")
            baud = options.get("baud", str(DEFAULT_BAUD))
            if not (baud.isascii() and baud.isdigit() and int(baud) in _BAUDS):
                raise ValueError(f"no such speed; {_FORM}")
            return SerialPort(parts.path, int(baud), options.get("model", DEFAULT_MODEL))
        case "scanner" if parts.hostname and parts.port and parts.path in ("", "/") and parts.username is None:
            return SerialServer(parts.hostname, parts.port, _options(parts, "model").get("model", DEFAULT_MODEL))
        case _:
            raise ValueError(_FORM)


def _options(parts: SplitResult, *known: str) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    options = dict(pairs)
    if len(options) != len(pairs) or not set(options) <= set(known) or parts.fragment:
        raise ValueError(_FORM)
    return options
