"""Scripted faults (故障脚本): `faults/<device>.toml` read strictly. Pure but for reading the files.

A script breaks one device, says what must be seen and how soon, mends it, and says how soon it must be well again.
Whoever plays it decides how: a device's own tests on one driver, `kiosk sim drill` on a terminal that serves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from drivers.sim.bench import PREFIXES
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState
from kiosk.core.fault_fields import Condition
from kiosk.core.faults import trouble_of

FOLDER = Path(__file__).parent / "faults"
HOST = "host"
"""File and id prefix of faults of a driver's process."""
SAM_V = "sam_v"
"""Rig whose ID card reader is a security module on a serial line; all others are as `kiosk.devdock` builds them."""

Seconds = Annotated[float, Field(gt=0, le=60)]


class FaultScriptError(ValueError):
    """A fault file is wrong; the message says which and where."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Verb(BaseModel):
    """Something a hand does to a simulated device; what is said beside `do` goes with it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    do: str

    @property
    def args(self) -> dict[str, Any]:
        """Arguments of the verb."""
        return dict(self.model_extra or {})

    @property
    def prefix(self) -> str:
        """Which simulator."""
        return self.do.partition(".")[0]

    @field_validator("do")
    @classmethod
    def _is_known(cls, do: str) -> str:
        prefix, dot, verb = do.partition(".")
        if prefix not in PREFIXES.values() or not dot or not verb:
            raise ValueError(f"no such verb: {do}")
        return do


class Signal(_Strict):
    """A signal to the driver's process."""

    signal: Literal["KILL", "STOP", "CONT", "SEGV", "TERM"]
    driver: DeviceKind


class Wait(_Strict):
    """Let time pass."""

    wait_s: float = Field(gt=0, le=30)


Step = Verb | Signal | Wait


class Expected(_Strict):
    """What must be seen; what is not said does not matter."""

    fault: Fault | None = None
    state: DeviceState | None = None
    media: MediaState | None = None
    paper: Level | None = None
    toner: Level | None = None

    def is_met(self, status: DeviceStatus) -> bool:
        """Does the status show all of it?"""
        return all(getattr(status, name) == wanted for name, wanted in self._wanted().items())

    def beside_the_fault(self) -> Expected:
        """The same without the fault, for faults that only a command brings out."""
        return self.model_copy(update={"fault": None})

    def trouble(self, device: DeviceKind) -> Fault | Condition | None:
        """The row of the fault table that this is about; None if it is no trouble at all."""
        seen = DeviceStatus(
            kind=device,
            state=self.state or DeviceState.ONLINE,
            media=self.media or MediaState.NONE,
            paper=self.paper or Level.NONE,
            toner=self.toner or Level.NONE,
            fault=self.fault,
        )
        return trouble_of(seen)

    def words(self) -> str:
        """``fault paper_out, paper out``."""
        return ", ".join(f"{name} {wanted}" for name, wanted in self._wanted().items())

    def _wanted(self) -> dict[str, Any]:
        return {name: wanted for name in type(self).model_fields if (wanted := getattr(self, name)) is not None}


class FaultScript(_Strict):
    """One scripted fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str = Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$")
    about: str = Field(min_length=10)
    break_: tuple[Step, ...] = Field(alias="break", min_length=1)
    test: bool = False
    """A deep self-test brings it out: the fault is one of commands."""
    expect: Expected
    within_s: Seconds
    heal: tuple[Step, ...] = ()
    """Empty: it heals by itself."""
    recovers_s: Seconds
    rig: Literal["", "sam_v"] = Field(default="", exclude=True)
    """Terminal that it is for: that of its folder, not said in the file."""

    @property
    def group(self) -> str:
        """File it belongs in: a device, or `host`."""
        return self.id.partition(".")[0]

    @property
    def device(self) -> DeviceKind:
        """The device that shows it."""
        return self._drivers()[0] if self.group == HOST else DeviceKind(self.group)

    @property
    def trouble(self) -> Fault | Condition:
        """The row of the fault table that it is about."""
        trouble = self.expect.trouble(self.device)
        assert trouble is not None, "checked when it was read"
        return trouble

    @model_validator(mode="after")
    def _is_of_one_device(self) -> Self:
        if self.group == HOST:
            if len(set(self._drivers())) != 1:
                raise ValueError("a fault of the host signals the driver of exactly one device")
        elif self.group not in set(DeviceKind):
            raise ValueError(f"no such device: {self.group}")
        strangers = {step.prefix for step in self._steps() if isinstance(step, Verb)} - {PREFIXES[self.device]}
        strangers |= {str(kind) for kind in self._drivers()} - {str(self.device)}
        if strangers:  # devices are broken side by side, and must not get in each other's way
            raise ValueError(f"touches another device: {', '.join(sorted(strangers))}")
        if self.expect.trouble(self.device) is None:
            raise ValueError("expects no trouble")
        if self.test and self.expect.fault is None:
            raise ValueError("a self-test brings out a fault: which?")
        return self

    def _steps(self) -> tuple[Step, ...]:
        return (*self.break_, *self.heal)

    def _drivers(self) -> list[DeviceKind]:
        return [step.driver for step in self._steps() if isinstance(step, Signal)]


class _File(_Strict):
    fault: tuple[FaultScript, ...] = Field(min_length=1)


def read_scripts(text: str, *, group: str) -> tuple[FaultScript, ...]:
    """The scripts of one file in its order; FaultScriptError."""
    try:
        scripts = _File.model_validate(tomllib.loads(text)).fault
    except tomllib.TOMLDecodeError as error:
        raise FaultScriptError(f"{group}.toml: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FaultScriptError(f"{group}.toml: {where}: {first['msg']}") from None
    for script in scripts:
        if script.group != group:
            raise FaultScriptError(f"{group}.toml: {script.id} belongs in {script.group}.toml")
        if script.rig:
            raise FaultScriptError(f"{group}.toml: {script.id}: its folder says for which rig it is")
    return scripts


def load_scripts(folder: Path = FOLDER) -> tuple[FaultScript, ...]:
    """All scripts of a folder, file by file, and of the folders of other rigs in it; FaultScriptError."""
    scripts = [
        script.model_copy(update={"rig": rig})
        for rig in ("", SAM_V)
        for path in sorted((folder / rig).glob("*.toml"))
        for script in read_scripts(path.read_text(encoding="utf-8"), group=path.stem)
    ]
    _refuse_doubles(script.id for script in scripts)
    return tuple(scripts)


def choose(
    scripts: Sequence[FaultScript], *, devices: Iterable[DeviceKind] = (), ids: Iterable[str] = ()
) -> tuple[FaultScript, ...]:
    """Those of these devices and ids, where any are named; FaultScriptError for an id that nobody has."""
    wanted_devices, wanted_ids = frozenset(devices), frozenset(ids)
    if unknown := wanted_ids - {script.id for script in scripts}:
        raise FaultScriptError(f"no such fault: {', '.join(sorted(unknown))}")
    return tuple(
        script
        for script in scripts
        if (not wanted_devices or script.device in wanted_devices) and (not wanted_ids or script.id in wanted_ids)
    )


def _refuse_doubles(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            raise FaultScriptError(f"{id_}: there are two of them")
        seen.add(id_)
