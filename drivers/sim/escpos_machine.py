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
    SendInfo,
    SendProof,
    SendSensor,
    StatusBack,
    Text,
    next_command,
)
from drivers.sim.escpos_models import DEFAULT, MAKES, Make
from drivers.sim.escpos_paper import Paper, text_rows

INTERFACE_BYTES = 1024
"""The interface's own part of the buffer; the rest is the printer's."""
LARGEST_READ = 65536
ROWS_PER_DELAY = 24
FULL_STATUS = 20
PaperLevel = Literal["full", "low", "out"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a hand, or wear, can do to the printer."""

    paper: PaperLevel = "full"
    cover: bool = False
    cutter: bool = False
    hot: bool = False
    jam: bool = False
    """Paper stuck in the mechanism."""
    broken: bool = False
    """The printer's own test failed: head, memory, power supply."""
    paused: bool = False
    """Taken offline at its panel."""

    @property
    def blocked(self) -> bool:
        """The mechanism stands still."""
        return self.paper == "out" or self.cover or self.paused or self.error

    @property
    def error(self) -> bool:
        """The error lamp is on."""
        return self.cutter or self.hot or self.jam or self.broken


class Machine:
    """Bytes in, dots on paper and answers out."""

    def __init__(self, paper: Paper, answer: Callable[[bytes], None], make: Make = MAKES[DEFAULT]) -> None:
        self.paper = paper
        self.condition = Condition()
        self.dots_left: int | None = None
        """Rows until the roll ends; None: a long time."""
        self._delay_s = 0.0
        self.cutter_jams = False
        """The next cut fails."""
        self.stalled = False
        """The firmware hangs: real-time answers come, and nothing else."""
        self.proofless = False
        """Process ids are not returned."""
        self.overrun = 0
        """Bytes that came when the buffer was full, and were lost."""
        self.after_rows: tuple[int, Callable[[], None]] | None = None
        """Something that happens when so many more rows are printed."""
        self._answer = answer
        self.make = make
        self.paper.load(make.dots)
        self._line = b""
        self.power_up(make)

    def power_up(self, make: Make) -> None:
        """Begin anew: everything that was in a buffer is gone."""
        if make.dots != self.make.dots:
            self.paper.load(make.dots)
        self.make = make
        self._scanner = RealTimeScanner()
        self._buffer = bytearray()
        self._rows: deque[bytes] = deque()
        self._line = b""
        self._kanji = False
        self._status_back = False
        self._ready_at = 0.0
        self._until_delay = ROWS_PER_DELAY

    def hurry(self, delay_s: float) -> None:
        """Time for 24 rows, from now on."""
        self._delay_s, self._ready_at = delay_s, 0.0

    @property
    def delay_s(self) -> float:
        """Time for 24 rows."""
        return self._delay_s

    @property
    def room(self) -> int:
        """Bytes that the receive buffer can take. A running printer takes as much as its command needs."""
        if self.standing or self._rows:
            return max(0, self.make.buffer - len(self._buffer))
        return LARGEST_READ

    @property
    def standing(self) -> bool:
        """Nothing is worked off."""
        return self.condition.blocked or self.stalled

    @property
    def at_rest(self) -> bool:
        """Nothing to do."""
        return not self._rows and not self._buffer

    def change(self, condition: Condition) -> None:
        """A hand did something; whoever asked for status back hears of it."""
        before, self.condition = self.condition, condition
        if condition != before and self._status_back:
            self._answer(self._status_bytes())

    def tear(self) -> int:
        """A citizen takes what hangs out; how many. Without a cutter she tears it off at the bar."""
        if not self.make.cutter and self.at_rest:
            self.paper.cut()
        return self.paper.tear()

    def connected(self) -> None:
        """A new connection: the interface forgets half real-time commands; the buffer stays."""
        self._scanner = RealTimeScanner()
        self._status_back = False

    def disconnected(self) -> None:
        """What the interface held for a connection that died, and a mechanism at rest could not take, goes with it."""
        if self.standing:
            del self._buffer[self.make.buffer - INTERFACE_BYTES :]

    def receive(self, chunk: bytes) -> None:
        """Bytes from the line; what finds no room is lost."""
        self.overrun += max(0, len(chunk) - self.room)
        self._buffer += chunk[: self.room]
        for command in self._scanner.feed(chunk):
            match command:
                case AskStatus(which):
                    self._answer_at_once(which)
                case Forget(after) if self.make.recall:
                    self._buffer[:] = after
                    self._rows.clear()
                    self._line = b""
                    self._answer(b"\x37\x25\x00")
                case Forget():
                    pass
                case _:
                    assert_never(command)

    def work(self, now: float) -> float | None:
        """Print what can be printed; the time to call again, None: when something comes in."""
        while not self.standing:
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
            if isinstance(command, Cut) and self.make.cutter and self.cutter_jams:
                self.cutter_jams = False
                self.change(replace(self.condition, cutter=True))
                return None  # it cuts when the cutter is free again
            del self._buffer[:used]
            self._execute(command)
        return None

    def _print_row(self, row: bytes, now: float) -> None:
        self.paper.row(row)
        if self._delay_s:
            self._until_delay -= 1
            if self._until_delay == 0:
                self._until_delay, self._ready_at = ROWS_PER_DELAY, now + self._delay_s
        if self.dots_left is not None:
            self.dots_left -= 1
            if self.dots_left <= 0:
                self.dots_left = None
                self.change(replace(self.condition, paper="out"))
        if self.after_rows is not None:
            left, happen = self.after_rows
            self.after_rows = (left - 1, happen) if left > 1 else None
            if left <= 1:
                happen()

    def _execute(self, command: Command) -> None:
        match command:
            case Initialize():
                self._line, self._kanji = b"", False
            case Kanji(on):
                self._kanji = on
            case Text(data):
                self._line += data
            case NewLine():
                self._rows.extend(text_rows(self._line, kanji=self._kanji, dots=self.make.dots))
                self._line = b""
            case Feed(dots):
                self._rows.extend(b"" for _ in range(dots))
            case Raster(row_bytes, data) if row_bytes:
                self._rows.extend(data[start : start + row_bytes] for start in range(0, len(data), row_bytes))
            case Cut(feed):
                if self.make.cutter:
                    for _ in range(feed):
                        self.paper.row(b"")
                    self.paper.cut()
            case StatusBack(mask):
                self._status_back = mask != 0 and self.make.status_back
                if self._status_back:
                    self._answer(self._status_bytes())
            case SendSensor(which):
                if self.make.sensor:
                    self._answer(bytes((self._paper_bits(),)) if which in (1, 49) else b"\x00")
            case SendInfo(which):
                self._tell(which)
            case SendProof(token):
                if not self.make.process_id:
                    self._line += b"(H\x06" + token
                elif not self.proofless:
                    self._answer(b'7"' + token + b"\x00")
            case Ignored() | Raster():
                pass
            case _:
                assert_never(command)

    def _tell(self, which: int) -> None:
        make = self.make
        told = {65: make.firmware, 66: "SIM", 67: make.name, 68: make.serial}
        if make.name and which in told:
            self._answer(b"_" + told[which].encode("ascii") + b"\x00")
        elif not make.name:
            self._line += b"I" + bytes((which,))

    def _paper_bits(self) -> int:
        """GS r 1 and third byte of status back."""
        return {"full": 0x00, "low": 0x03 if self.make.near_end else 0x00, "out": 0x0F}[self.condition.paper]

    def _answer_at_once(self, which: int) -> None:
        if which != FULL_STATUS:
            self._answer(bytes((self._real_time(which),)))
        elif self.make.presenter:
            condition = self.condition
            paper = {"full": 0x00, "low": 0x04, "out": 0x05}[condition.paper] | (0x20 if self.paper.hanging else 0)
            recoverable = (0x01 if condition.hot else 0) | (0x40 if condition.jam else 0)
            fatal = (0x01 if condition.cutter else 0) | (0x08 if condition.broken else 0)
            self._answer(bytes((0x10, 0x0F, paper, 0x02 if condition.cover else 0x00, recoverable, fatal)))

    def _real_time(self, which: int) -> int:
        """DLE EOT 1..4."""
        condition, fixed = self.condition, 0x12
        match which:
            case 1:
                return fixed | (0x08 if condition.blocked else 0)
            case 2:
                bits = (condition.cover, 0x04), (condition.paper == "out", 0x20), (condition.error, 0x40)
                return fixed | sum(bit for on, bit in bits if on)
            case 3:
                return fixed | self._error_bits()
            case _:
                low = 0x0C if self.make.near_end else 0x00
                return fixed | {"full": 0x00, "low": low, "out": 0x60 | low}[condition.paper]

    def _error_bits(self) -> int:
        """DLE EOT 3 and second byte of status back."""
        condition = self.condition
        bits = (condition.jam, 0x04), (condition.cutter, 0x08), (condition.broken, 0x20), (condition.hot, 0x40)
        return sum(bit for on, bit in bits if on)

    def _status_bytes(self) -> bytes:
        """Automatic status back."""
        condition = self.condition
        printer = 0x10 | (0x08 if condition.blocked else 0) | (0x20 if condition.cover else 0)
        return bytes((printer, self._error_bits(), self._paper_bits(), 0x0F))
