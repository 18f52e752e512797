"""The inside of the simulated thermal printer: buffer, mechanism, sensors. No sockets; the host calls it in one thread.

Blocked (no paper, cover open, cutter jammed, head hot) it takes nothing from its small buffer, so the line backs up;
it still answers real-time status and sends status back, as the real one does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from drivers.sim.escpos_commands import (
    AskStatus,
    Command,
    Cut,
    Feed,
    Forget,
    Ignored,
    Initialize,
    Kanji,
    NewLine,
    Raster,
    RealTimeScanner,
    SendProof,
    SendSensor,
    StatusBack,
    Text,
    next_command,
)
from drivers.sim.escpos_paper import Paper, fit_row, text_rows

BUFFER_BYTES = 4096
PRINTER_BYTES = 3072
"""The printer's own part of the buffer; the rest belongs to the interface."""
LARGEST_READ = 65536
ROWS_PER_DELAY = 24
PaperLevel = Literal["full", "low", "out"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a hand can do to the printer."""

    paper: PaperLevel = "full"
    cover: bool = False
    cutter: bool = False
    hot: bool = False

    @property
    def blocked(self) -> bool:
        """The mechanism stands still."""
        return self.paper == "out" or self.cover or self.cutter or self.hot


class Machine:
    """Bytes in, dots on paper and answers out."""

    def __init__(self, paper: Paper, answer: Callable[[bytes], None]) -> None:
        self.paper = paper
        self.condition = Condition()
        self.dots_left: int | None = None
        """Rows until the roll ends; None: a long time."""
        self.delay_s = 0.0
        """Time for 24 rows."""
        self._answer = answer
        self._scanner = RealTimeScanner()
        self._buffer = bytearray()
        self._rows: deque[bytes] = deque()
        self._line = b""
        self._kanji = False
        self._status_back = False
        self._ready_at = 0.0
        self._until_delay = ROWS_PER_DELAY

    @property
    def room(self) -> int:
        """Bytes that the receive buffer can take. A running printer takes as much as its command needs."""
        if self.condition.blocked or self._rows:
            return max(0, BUFFER_BYTES - len(self._buffer))
        return LARGEST_READ

    def change(self, condition: Condition) -> None:
        """A hand did something; whoever asked for status back hears of it."""
        before, self.condition = self.condition, condition
        if condition != before and self._status_back:
            self._answer(self._status_bytes())

    def connected(self) -> None:
        """A new connection: the interface forgets half real-time commands; the buffer stays."""
        self._scanner = RealTimeScanner()
        self._status_back = False

    def disconnected(self) -> None:
        """What the interface held for a connection that died, and a mechanism at rest could not take, goes with it."""
        if self.condition.blocked:
            del self._buffer[PRINTER_BYTES:]

    def receive(self, chunk: bytes) -> None:
        """Bytes from the line."""
        self._buffer += chunk
        for command in self._scanner.feed(chunk):
            match command:
                case AskStatus(which):
                    self._answer(bytes((self._real_time(which),)))
                case Forget(after):
                    self._buffer[:] = after
                    self._rows.clear()
                    self._line = b""
                    self._answer(b"\x37\x25\x00")
                case _:
                    assert_never(command)

    def work(self, now: float) -> float | None:
        """Print what can be printed; the time to call again, None: when something comes in."""
        while not self.condition.blocked:
            if self._rows:
                if now < self._ready_at:
                    return self._ready_at
                self._print_row(self._rows.popleft(), now)
                continue
            step = next_command(bytes(self._buffer))
            if step is None:
                return None
            command, used = step
            if isinstance(command, Cut) and self._line:
                command, used = NewLine(), 0
            del self._buffer[:used]
            self._execute(command)
        return None

    def _print_row(self, row: bytes, now: float) -> None:
        self.paper.row(row)
        if self.delay_s:
            self._until_delay -= 1
            if self._until_delay == 0:
                self._until_delay, self._ready_at = ROWS_PER_DELAY, now + self.delay_s
        if self.dots_left is not None:
            self.dots_left -= 1
            if self.dots_left <= 0:
                self.dots_left = None
                self.change(replace(self.condition, paper="out"))

    def _execute(self, command: Command) -> None:
        match command:
            case Initialize():
                self._line, self._kanji = b"", False
            case Kanji(on):
                self._kanji = on
            case Text(data):
                self._line += data
            case NewLine():
                self._rows.extend(text_rows(self._line, kanji=self._kanji))
                self._line = b""
            case Feed(dots):
                self._rows.extend(fit_row(b"") for _ in range(dots))
            case Raster(row_bytes, data) if row_bytes:
                rows = range(0, len(data), row_bytes)
                self._rows.extend(fit_row(data[start : start + row_bytes]) for start in rows)
            case Cut(feed):
                for _ in range(feed):
                    self.paper.blank()
                self.paper.cut()
            case StatusBack(mask):
                self._status_back = mask != 0
                if self._status_back:
                    self._answer(self._status_bytes())
            case SendSensor(which):
                self._answer(bytes((self._paper_bits(),)) if which in (1, 49) else b"\x00")
            case SendProof(token):
                self._answer(b'7"' + token + b"\x00")
            case Ignored() | Raster():
                pass
            case _:
                assert_never(command)

    def _paper_bits(self) -> int:
        """GS r 1 and third byte of status back."""
        return {"full": 0x00, "low": 0x03, "out": 0x0F}[self.condition.paper]

    def _real_time(self, which: int) -> int:
        """DLE EOT 1..4."""
        condition, fixed = self.condition, 0x12
        match which:
            case 1:
                return fixed | (0x08 if condition.blocked else 0)
            case 2:
                error = condition.cutter or condition.hot
                bits = (condition.cover, 0x04), (condition.paper == "out", 0x20), (error, 0x40)
                return fixed | sum(bit for on, bit in bits if on)
            case 3:
                return fixed | (0x08 if condition.cutter else 0) | (0x40 if condition.hot else 0)
            case _:
                return fixed | {"full": 0x00, "low": 0x0C, "out": 0x6C}[condition.paper]

    def _status_bytes(self) -> bytes:
        """Automatic status back."""
        condition = self.condition
        printer = 0x10 | (0x08 if condition.blocked else 0) | (0x20 if condition.cover else 0)
        error = (0x08 if condition.cutter else 0) | (0x40 if condition.hot else 0)
        return bytes((printer, error, self._paper_bits(), 0x0F))
