"""One unbroken contact with a board: while it lasts, the lamps are as they were last written."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.site_io.board import Board, Point, readings_of
from drivers.site_io.line import Line
from drivers.site_io.master import Master, Patience, Refusal
from drivers.site_io.protocol import Function, Request
from drivers.site_io.status import inputs_of
from kiosk.core.devices import Lamp, LampState, SiteInputs

Wishes = Mapping[Lamp, LampState]


class Contact:
    """Every method may raise BoardTrouble; then this contact is over."""

    def __init__(self, line: Line, board: Board, *, unit: int, patience: Patience) -> None:
        self._line = line
        self._board = board
        self._unit = unit
        self._master = Master(line, patience=patience)
        self._written: dict[Lamp, int] = {}
        self._name: str | None = None
        self._suspect: Lamp | None = None

    def name(self) -> str:
        """Model and firmware, as far as the board tells; asked once. A board that refuses to tell is well."""
        if self._name is None:
            self._name = self._ask_name()
        return self._name

    def _ask_name(self) -> str:
        words = []
        if self._board.text is not None:
            first, count = self._board.text
            raw = b"".join(value.to_bytes(2, "big") for value in self._registers(first, count))
            words.append("".join(chr(byte) for byte in raw if 0x20 <= byte < 0x7F).strip())
        if self._board.firmware is not None:
            words += [f"firmware {value // 100}.{value % 100:02}" for value in self._registers(self._board.firmware, 1)]
        return " ".join(filter(None, words))

    def read(self) -> SiteInputs:
        """The inputs at this moment. A board without inputs is asked for its lamps: it must answer something."""
        questions = self._board.questions(self._unit)
        readings: dict[Point, int] = {}
        for question in questions or self._board.lamp_questions(self._unit)[:1]:
            readings |= readings_of(question, self._master.ask(question).values)
        return inputs_of(self._board, readings)

    def show(self, wishes: Wishes, *, bright: bool) -> None:
        """Write the lamps that are not as they should be."""
        self._write({lamp: self._board.lamps[lamp].value(state, bright=bright) for lamp, state in wishes.items()})

    def review(self) -> Lamp | None:
        """Are the lamps still as written? One that is not will be written anew by `show`; one that is not for the
        second time is named. A board may lose its power for less time than anybody notices."""
        try:
            readings = self._read_lamps()
        except Refusal:  # it does not let its lamps be read
            return None
        liar = next((lamp for lamp in self._written if readings[lamp] != self._written[lamp]), None)
        self._written = readings
        again, self._suspect = liar is not None and liar is self._suspect, liar
        return liar if again else None

    def prove_lamps(self) -> Lamp | None:
        """Each lamp alone, on and off again, all read back every time; the first that is not as it was switched."""
        self._write(dict.fromkeys(self._board.lamps, 0))
        for lamp in self._board.lamps:
            for value in (1, 0):
                self._write({lamp: value})
                readings = self._read_lamps()
                if readings != self._written:
                    liar = next(lamp for lamp in readings if readings[lamp] != self._written[lamp])
                    self._written = readings
                    return liar
        return None

    def close(self) -> None:
        """Hang up; the lamps stay as they are."""
        self._line.close()

    def _write(self, values: Mapping[Lamp, int]) -> None:
        changed = {lamp: value for lamp, value in values.items() if self._written.get(lamp) != value}
        for order in self._board.orders(self._unit, changed):
            self._master.ask(order)
        self._written |= changed

    def _read_lamps(self) -> dict[Lamp, int]:
        readings: dict[Point, int] = {}
        for question in self._board.lamp_questions(self._unit):
            readings |= readings_of(question, self._master.ask(question).values)
        return {lamp: readings[place.point] for lamp, place in self._board.lamps.items()}

    def _registers(self, first: int, count: int) -> tuple[int, ...]:
        try:
            return self._master.ask(Request(self._unit, Function.READ_HOLDING_REGISTERS, first, count)).values
        except Refusal:
            return ()
