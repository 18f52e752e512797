"""Which point of a board is which sensor and which lamp: data (`boards.toml`), and what follows from it; pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from drivers.site_io.protocol import Function, Request
from kiosk.core.devices import Lamp, LampState, SiteInputs

DEFAULT_BOARD = "cabinet"
_FILE = Path(__file__).with_name("boards.toml")
_LAST_ADDRESS = 0xFFFF
_MOST_AT_ONCE = 64
"""Bits or registers in one question; boards of this kind have few."""
SENSORS = tuple(item.name for item in fields(SiteInputs) if item.name != "battery_percent")


class Table(StrEnum):
    """The tables of a Modbus slave."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"


_READ = {
    Table.COIL: Function.READ_COILS,
    Table.DISCRETE: Function.READ_DISCRETE_INPUTS,
    Table.HOLDING: Function.READ_HOLDING_REGISTERS,
}


@dataclass(frozen=True, slots=True)
class Point:
    """One bit or register."""

    table: Table
    address: int


Readings = Mapping[Point, int]


@dataclass(frozen=True, slots=True)
class SensorPoint:
    """A sensor of yes and no."""

    point: Point
    inverted: bool = False
    settle_s: float = 0.05


@dataclass(frozen=True, slots=True)
class LampPoint:
    """A lamp. `blink`: what makes the board blink it; None: the driver does."""

    point: Point
    blink: int | None = None

    def value(self, state: LampState, *, bright: bool) -> int:
        """What to write now; `bright` is the phase of lamps that the driver blinks."""
        match state:
            case LampState.OFF:
                return 0
            case LampState.ON:
                return 1
            case LampState.BLINK:
                return int(bright) if self.blink is None else self.blink


@dataclass(frozen=True, slots=True)
class Board:
    """One kind of board."""

    name: str
    sensors: Mapping[str, SensorPoint]
    """By the field of SiteInputs."""
    battery: Point | None
    lamps: Mapping[Lamp, LampPoint]
    text: tuple[int, int] | None
    """Holding registers with its name: first and how many."""
    firmware: int | None
    """Holding register."""

    def questions(self, unit: int) -> tuple[Request, ...]:
        """What to ask in every round: one question for each table that has an input."""
        points = [sensor.point for sensor in self.sensors.values()] + ([self.battery] if self.battery else [])
        return _spans(unit, points)

    def lamp_questions(self, unit: int) -> tuple[Request, ...]:
        """What to ask to see the lamps as the board has them."""
        return _spans(unit, [lamp.point for lamp in self.lamps.values()])

    def orders(self, unit: int, values: Mapping[Lamp, int]) -> tuple[Request, ...]:
        """What to write for these lamps; neighbouring coils go together."""
        wanted = {self.lamps[lamp].point: value for lamp, value in values.items() if lamp in self.lamps}
        registers = [
            Request(unit, Function.WRITE_REGISTER, point.address, values=(value,))
            for point, value in sorted(wanted.items(), key=lambda item: item[0].address)
            if point.table is Table.HOLDING
        ]
        coils = {point.address: value for point, value in wanted.items() if point.table is Table.COIL}
        return (*registers, *_coil_orders(unit, coils))


def readings_of(request: Request, values: tuple[int, ...]) -> dict[Point, int]:
    """The values of an answered question, by point."""
    table = next(table for table, function in _READ.items() if function is request.function)
    return {Point(table, request.address + place): value for place, value in enumerate(values)}


@cache
def load_boards() -> Mapping[str, Board]:
    """All that are described; ValueError names what is wrong in the data."""
    with _FILE.open("rb") as file:
        rows = tomllib.load(file)["board"]
    boards = {row["name"]: parse_board(row) for row in rows}
    if len(boards) != len(rows):
        raise ValueError("two boards of one name")
    return boards


def find_board(name: str) -> Board:
    """ValueError if nobody described it."""
    boards = load_boards()
    if name not in boards:
        raise ValueError(f"no I/O board of this name; known: {', '.join(boards)}")
    return boards[name]


def parse_board(row: Mapping[str, Any]) -> Board:
    """A table of the data file; ValueError."""
    try:
        return _parse_board(row)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"board {row.get('name', '?')}: {type(error).__name__} {error}") from error


def _parse_board(row: Mapping[str, Any]) -> Board:
    unknown = set(row) - {"name", "about", "inputs", "battery_percent", "lamps", "identity"}
    identity = dict(row.get("identity", {}))
    unknown |= set(identity) - {"text", "firmware"}
    if unknown:
        raise ValueError(f"board {row['name']}: what is {', '.join(sorted(unknown))}?")
    text = identity.get("text")
    return Board(
        name=row["name"],
        sensors={name: _sensor(name, spec) for name, spec in row.get("inputs", {}).items()},
        battery=_point(row["battery_percent"], {Table.HOLDING}, set()) if "battery_percent" in row else None,
        lamps={Lamp(name): _lamp(spec) for name, spec in row.get("lamps", {}).items()},
        text=(text[0], text[1]) if text else None,
        firmware=identity.get("firmware"),
    )


def _sensor(name: str, spec: Mapping[str, Any]) -> SensorPoint:
    if name not in SENSORS:
        raise ValueError(f"no sensor {name}")
    point = _point(spec, set(Table), {"inverted", "settle_ms"})
    return SensorPoint(point, bool(spec.get("inverted", False)), spec.get("settle_ms", 50) / 1000)


def _lamp(spec: Mapping[str, Any]) -> LampPoint:
    point = _point(spec, {Table.COIL, Table.HOLDING}, {"blink"})
    if "blink" in spec and point.table is not Table.HOLDING:
        raise ValueError("a coil has no value for blinking")
    return LampPoint(point, spec.get("blink"))


def _point(spec: Mapping[str, Any], tables: set[Table], options: set[str]) -> Point:
    named = [Table(key) for key in spec if key not in options]
    if len(named) != 1 or named[0] not in tables:
        raise ValueError(f"one of {', '.join(sorted(tables))} expected")
    address = spec[named[0]]
    if type(address) is not int or not 0 <= address <= _LAST_ADDRESS:
        raise ValueError(f"no address {address!r}")
    return Point(named[0], address)


def _spans(unit: int, points: list[Point]) -> tuple[Request, ...]:
    requests = []
    for table in Table:
        addresses = sorted({point.address for point in points if point.table is table})
        while addresses:
            first = addresses[0]
            near = [address for address in addresses if address < first + _MOST_AT_ONCE]
            requests.append(Request(unit, _READ[table], first, near[-1] - first + 1))
            addresses = addresses[len(near) :]
    return tuple(requests)


def _coil_orders(unit: int, coils: Mapping[int, int]) -> list[Request]:
    orders: list[Request] = []
    run: list[int] = []
    for address in sorted(coils):
        if run and address != run[-1] + 1:
            orders.append(_coil_order(unit, run, coils))
            run = []
        run.append(address)
    return [*orders, _coil_order(unit, run, coils)] if run else orders


def _coil_order(unit: int, run: list[int], coils: Mapping[int, int]) -> Request:
    values = tuple(coils[address] for address in run)
    function = Function.WRITE_COIL if len(run) == 1 else Function.WRITE_COILS
    return Request(unit, function, run[0], len(run), values)
