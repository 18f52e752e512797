"""What the points of a board mean: inputs that hold still, and the status of the board; pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.site_io.board import Board, Readings
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Lamp, SiteInputs

LOW_PERCENT = 20
"""A UPS of this size then has a few minutes left."""
_FULL_PERCENT = 100


def inputs_of(board: Board, readings: Readings) -> SiteInputs:
    """As the points say at this moment; None where the board has no such point or tells nonsense."""
    senses = {name: bool(readings[sensor.point]) != sensor.inverted for name, sensor in board.sensors.items()}
    percent = readings[board.battery] if board.battery else None
    if percent is not None and percent > _FULL_PERCENT:
        percent = None
    return SiteInputs(**senses, battery_percent=percent)


@dataclass(slots=True)
class _Doubt:
    """Another value than the believed one, and since when it has been there."""

    value: bool
    since: float


@dataclass(slots=True)
class Settling:
    """Believes a sensor when it has held still: doors bounce, people sway. Times are monotonic seconds."""

    board: Board
    _believed: dict[str, bool] = field(default_factory=dict)
    _doubts: dict[str, _Doubt] = field(default_factory=dict)

    def forget(self) -> None:
        """Contact was lost: what comes next is believed at once."""
        self._believed.clear()
        self._doubts.clear()

    def settle(self, seen: SiteInputs, at: float) -> SiteInputs:
        """What to believe now."""
        senses = {name: self._settle(name, getattr(seen, name), at) for name in self.board.sensors}
        return SiteInputs(**senses, battery_percent=seen.battery_percent)

    def _settle(self, name: str, value: bool, at: float) -> bool:
        believed = self._believed.setdefault(name, value)
        if value == believed:
            self._doubts.pop(name, None)
            return believed
        doubt = self._doubts.setdefault(name, _Doubt(value, at))
        if at - doubt.since < self.board.sensors[name].settle_s:
            return believed
        del self._doubts[name]
        self._believed[name] = value
        return value


def faults_of(inputs: SiteInputs, *, dead_lamp: Lamp | None = None) -> tuple[Fault, ...]:
    """What the cabinet suffers from, the most urgent first. A low battery matters when nothing else feeds the
    terminal, or when nobody can say."""
    low = inputs.battery_percent is not None and inputs.battery_percent <= LOW_PERCENT
    found = (
        (Fault.BATTERY_LOW, low and inputs.on_battery is not False),
        (Fault.CABINET_OPEN, inputs.cabinet_open is True),
        (Fault.ON_BATTERY, inputs.on_battery is True),
        (Fault.HARDWARE, dead_lamp is not None),
    )
    return tuple(fault for fault, there in found if there)


def status_of(inputs: SiteInputs, *, identity: str, dead_lamp: Lamp | None = None) -> DeviceStatus:
    """The board answers: online. What its sensors say against the cabinet is the fault, the rest is the detail."""
    faults = faults_of(inputs, dead_lamp=dead_lamp)
    words = [fault.value for fault in faults[1:]]
    if inputs.on_battery and inputs.battery_percent is not None:
        words.append(f"battery {inputs.battery_percent // 10 * 10}%")  # in tens: each step is news to the hall
    if dead_lamp is not None:
        words.append(f"lamp {dead_lamp.value} is not as it was switched")
    return DeviceStatus(
        DeviceKind.SITE_IO,
        DeviceState.ONLINE,
        fault=faults[0] if faults else None,
        identity=identity,
        detail=", ".join(words),
    )


def starting(identity: str) -> DeviceStatus:
    """Nothing is known yet."""
    return DeviceStatus(DeviceKind.SITE_IO, DeviceState.STARTING, identity=identity)


def unreachable(fault: Fault, *, identity: str, detail: str) -> DeviceStatus:
    """No answer, or answers that make no sense."""
    state = DeviceState.ERROR if fault is Fault.PROTOCOL else DeviceState.OFFLINE
    return DeviceStatus(DeviceKind.SITE_IO, state, fault=fault, identity=identity, detail=detail)
