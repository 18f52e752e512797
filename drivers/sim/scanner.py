"""A simulated code scanner (扫码器) on a serial line: a pseudo-terminal behind a stable path, as udev gives one.

It answers ENQ with its name, as the model `enquiry` of `drivers/scanner/models.toml` has it. It looks at the speed
that the terminal has set on the line: at another speed than its own the terminal gets noise.

Verbs: `scan` (text, or `hex`; `encoding` utf-8 | gb18030, `aim` e.g. ``]Q1``, `ending` cr | lf | crlf | none, `pace_ms`
a byte, `tear` bytes after which it stops for good, `times`), `hold` (text, `every_s`, `for_s`: lies under the scanner
and is read again and again), `clear`, `noise` (`lines`, `kind` high | control | long), `flood` (`seconds`,
`per_second`), `set` (`plugged`, `mute`, `blind`, `baud`, `node` port | forbidden | file | taken), `status`.
"""

from __future__ import annotations

import fcntl
import os
import random
import select
import termios
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from drivers.sim.control import Reply
from kiosk.core.scanned_code import MAX_CODE_BYTES

BAUD = 9600
NAME = b"CW-SIM-SCAN 1.0"
PORT_NAME = "scanner"
_ENQ, _ACK = b"\x05", b"\x06"
_ENDINGS = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "none": b""}
_FORBIDDEN = Path("/sys/kernel/uevent_seqnum")
"""A file of the kernel that nobody may open for writing, root neither: open(2) says EACCES, or EROFS in a container."""
_STALL_S = 0.5
_SPEEDS = {getattr(termios, f"B{baud}"): baud for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}

Node = Literal["port", "forbidden", "file", "taken"]


@dataclass(frozen=True, slots=True)
class _Conduct:
    """How the scanner behaves, apart from what is held under it."""

    plugged: bool = True
    mute: bool = False
    """Its lamp is on and nothing comes out."""
    blind: bool = False
    """It answers, but its window is dirty: it reads nothing."""
    baud: int = BAUD
    """What the scanner itself is set to."""
    node: Node = "port"
    """What is found at its path: the port, one that may not be opened, a file, one that another program has."""


class CodeScannerSim:
    """One scanner. Its port is a link in its folder, so that it can come and go and stay at the same path."""

    def __init__(self, *, dir: Path) -> None:  # noqa: A002 - every simulator is made alike
        self._link = dir / PORT_NAME
        self._file = dir / "not-a-port"
        self._conduct = _Conduct()
        self._held = ""
        self._sent = 0
        self._lock = threading.Lock()
        """Guards the port and what is written to it: one code after another."""
        self._port: _Port | None = None
        self._ended = threading.Event()
        self._hand: threading.Thread | None = None
        self._let_go = threading.Event()

    def start(self) -> str:
        """Plug it in; its address for a terminal's profile."""
        self._plug()
        return f"serial:{self._link}?baud={BAUD}&model=enquiry"

    def stop(self) -> None:
        """Unplug it."""
        self._ended.set()
        self._clear()
        self._unplug()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """See the module."""
        match verb:
            case "scan":
                self._scan(**args)
            case "hold":
                self._hold(**args)
            case "clear":
                self._clear()
            case "noise":
                self._noise(**args)
            case "flood":
                self._flood(**args)
            case "set":
                self._set(replace(self._conduct, **args))
            case "status":
                pass
            case _:
                raise ValueError(f"the scanner has no verb {verb!r}")
        return self._status(), b""

    def _status(self) -> dict[str, Any]:
        conduct = self._conduct
        return {
            "plugged": conduct.plugged,
            "mute": conduct.mute,
            "blind": conduct.blind,
            "baud": conduct.baud,
            "node": conduct.node,
            "held": bool(self._held),
            "sent": self._sent,
        }

    # --- what a hand does --------------------------------------------------------------------------------------------

    def _scan(
        self,
        *,
        text: str = "",
        hex: str = "",  # noqa: A002 - the word of the verb
        encoding: str = "utf-8",
        aim: str = "",
        ending: str = "cr",
        pace_ms: float = 0.0,
        tear: int | None = None,
        times: int = 1,
    ) -> None:
        data = aim.encode("ascii") + (bytes.fromhex(hex) if hex else text.encode(encoding))
        if not data:
            raise ValueError("scan needs a text or hex")
        if not (0 <= pace_ms <= 1000 and 1 <= times <= 100):
            raise ValueError("pace_ms is 0..1000, times 1..100")
        line = data + _ENDINGS[ending] if tear is None else data[:tear]
        for _ in range(0 if self._conduct.blind else times):
            self._say(line, pace_s=pace_ms / 1000)
            self._sent += 1

    def _hold(self, *, text: str, every_s: float = 0.3, for_s: float = 60.0) -> None:
        self._clear()
        if not text or not 0.05 <= every_s <= 60:
            raise ValueError("hold needs a text; every_s is 0.05..60")
        self._held = text
        let_go = self._let_go = threading.Event()
        ends = time.monotonic() + for_s

        def again_and_again() -> None:
            while not let_go.is_set() and time.monotonic() < ends:
                self._scan(text=text)
                let_go.wait(every_s)
            self._held = ""

        self._hand = threading.Thread(target=again_and_again, name="scanner-hold", daemon=True)
        self._hand.start()

    def _clear(self) -> None:
        self._let_go.set()
        if self._hand is not None:
            self._hand.join()
        self._hand, self._held = None, ""

    def _noise(self, *, lines: int = 3, kind: str = "high") -> None:
        source = random.Random(lines)  # noqa: S311 - the same noise every time
        kinds: dict[str, Callable[[], bytes]] = {
            "high": lambda: bytes(0x80 | byte for byte in source.randbytes(24)) + b"\xff",
            "control": lambda: b"\x02" + source.randbytes(8).hex().encode() + b"\x03",
            "long": lambda: source.randbytes(2 * MAX_CODE_BYTES).hex().encode(),
        }
        make = kinds[kind]
        for _ in range(lines):
            self._say(make() + b"\r", pace_s=0)

    def _flood(self, *, seconds: float = 2.0, per_second: int = 200) -> None:
        """Line after line, as a thing that is no scanner sends them."""
        if not (0 < seconds <= 30 and 1 <= per_second <= 5000):
            raise ValueError("seconds is 0..30, per_second 1..5000")

        def run() -> None:
            ends = time.monotonic() + seconds
            number = 0
            while time.monotonic() < ends and not self._ended.wait(1 / per_second):
                number += 1
                self._say(f"$FLOOD,{number}\r\n".encode(), pace_s=0)

        threading.Thread(target=run, name="scanner-flood", daemon=True).start()

    # --- the device --------------------------------------------------------------------------------------------------

    def _set(self, conduct: _Conduct) -> None:
        if conduct.baud not in _SPEEDS.values() or conduct.node not in ("port", "forbidden", "file", "taken"):
            raise ValueError("no such baud or node")
        before, self._conduct = self._conduct, conduct
        if (conduct.plugged, conduct.node) != (before.plugged, before.node):
            self._unplug()
            if conduct.plugged:
                self._plug()

    def _plug(self) -> None:
        match self._conduct.node:
            case "forbidden":
                self._point_at(_FORBIDDEN)
            case "file":
                self._file.write_bytes(b"")
                self._point_at(self._file)
            case node:
                with self._lock:
                    self._port = _Port(self._answer, taken=node == "taken")
                    self._point_at(Path(self._port.path))

    def _point_at(self, target: Path) -> None:
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(target)

    def _unplug(self) -> None:
        self._link.unlink(missing_ok=True)
        with self._lock:
            port, self._port = self._port, None
        if port is not None:
            port.close()

    def _answer(self, heard: bytes) -> None:
        for _ in range(heard.count(_ENQ)):
            self._say(_ACK + NAME + b"\r", pace_s=0)

    def _say(self, data: bytes, *, pace_s: float) -> None:
        """Onto the line, one code at a time; what nobody takes is lost, as on a serial line."""
        with self._lock:
            port = self._port
            if port is None or self._conduct.mute:
                return
            spoken = data if port.baud == self._conduct.baud else _noise_like(data)
            pieces = [spoken] if not pace_s else [spoken[at : at + 1] for at in range(len(spoken))]
            for piece in pieces:
                port.write(piece)
                if pace_s:
                    time.sleep(pace_s)


class _Port:
    """A pseudo-terminal. Its own end of the line is kept open: the terminal may come and go."""

    def __init__(self, hear: Callable[[bytes], None], *, taken: bool) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        if taken:
            fcntl.flock(self._theirs, fcntl.LOCK_EX)  # as every polite serial program does
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._listen, args=(hear,), name="scanner-port", daemon=True)
        self._thread.start()

    @property
    def baud(self) -> int:
        """What the terminal has set; a line that nobody has set is at 9600 or the kernel's choice of 38400."""
        return _SPEEDS.get(termios.tcgetattr(self._theirs)[5], 0)

    def write(self, data: bytes) -> None:
        """All of it, or as much as somebody takes within half a second."""
        ends = time.monotonic() + _STALL_S
        while data and time.monotonic() < ends:
            with suppress(BlockingIOError):
                data = data[os.write(self._ours, data) :]
                continue
            select.select([], [self._ours], [], 0.05)

    def close(self) -> None:
        """As when the plug is pulled: whoever has it open hears that it is gone."""
        os.close(self._stop_write)
        self._thread.join()
        for number in (self._ours, self._theirs, self._stop_read):
            os.close(number)

    def _listen(self, hear: Callable[[bytes], None]) -> None:
        while True:
            ready, _, _ = select.select([self._ours, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            with suppress(OSError):
                hear(os.read(self._ours, 256))


def _noise_like(data: bytes) -> bytes:
    """What arrives when the two sides disagree about the speed: bytes that are not those, mostly beyond ASCII.

    Line ends are among them, since a stretched or squeezed stop bit now and then makes one.
    """
    return b"".join(bytes(((byte * 37 + 11) & 0xFF | 0x80, 0x00 if byte & 1 else 0xFE)) for byte in data) + b"\r"
