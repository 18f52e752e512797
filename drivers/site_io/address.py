"""Address of an I/O board. See `kiosk.core.profile.DeviceAddresses`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from drivers.site_io.board import DEFAULT_BOARD, find_board

DEFAULT_BAUD = 9600
_BAUDS = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200})
_PARITIES = frozenset("NEO")
_LAST_UNIT = 247
_FORM = (
    "I/O board address is modbus:/dev/…?baud=9600&parity=N&unit=1&board=NAME or modbus://host:port?unit=1&board=NAME"
)


@dataclass(frozen=True, slots=True)
class SerialPort:
    """``modbus:/dev/…?baud=9600&parity=N&unit=1&board=NAME``: 8 data bits, 1 stop bit."""

    path: str
    baud: int = DEFAULT_BAUD
    parity: str = "N"
    unit: int = 1
    board: str = DEFAULT_BOARD

    @property
    def identity(self) -> str:
        """The path."""
        return self.path


@dataclass(frozen=True, slots=True)
class SerialServer:
    """``modbus://host:port?unit=1&board=NAME``: RTU frames through a serial server (串口服务器); not Modbus TCP."""

    host: str
    port: int
    unit: int = 1
    board: str = DEFAULT_BOARD

    @property
    def identity(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


Address = SerialPort | SerialServer


def parse_address(text: str) -> Address:
    """ValueError if it is no address of an I/O board, or of one that nobody has described."""
    parts = urlsplit(text)
    if parts.scheme != "modbus" or parts.fragment or parts.username is not None:
        raise ValueError(_FORM)
    if parts.netloc:
        if not parts.hostname or not parts.port or parts.path not in ("", "/"):
            raise ValueError(_FORM)
        options = _options(parts, {"unit", "board"})
        return SerialServer(parts.hostname, parts.port, _unit(options), _board(options))
    if not parts.path.startswith("/"):
        raise ValueError(_FORM)
    options = _options(parts, {"baud", "parity", "unit", "board"})
    baud, parity = _number(options.get("baud", str(DEFAULT_BAUD))), options.get("parity", "N").upper()
    if baud not in _BAUDS:
        raise ValueError(f"no such speed; {_FORM}")
    if parity not in _PARITIES:
        raise ValueError(f"parity is N, E or O; {_FORM}")
    return SerialPort(unquote(parts.path), baud, parity, _unit(options), _board(options))


def _options(parts: SplitResult, known: set[str]) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    options = dict(pairs)
    if len(options) != len(pairs) or not set(options) <= known:
        raise ValueError(_FORM)
    return options


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def _unit(options: dict[str, str]) -> int:
    unit = _number(options.get("unit", "1"))
    if not 1 <= unit <= _LAST_UNIT:
        raise ValueError(f"unit is 1 to {_LAST_UNIT}; {_FORM}")
    return unit


def _board(options: dict[str, str]) -> str:
    return find_board(options.get("board", DEFAULT_BOARD)).name
