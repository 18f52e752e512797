"""A thermal receipt printer on TCP, a serial line or a device file (热敏打印机): speaks ESC/POS bytes, keeps each slip
as a PNG.

Verbs: `set`, `list`, `get` (n), `tear`, `status`. What can be set:
    paper full|low|out, dots_left N, cover, cutter, hot, jam, broken, paused, cutter_jams: the mechanism
    power, stalled, slow_ms N, model ID: the whole printer; without power everything in its buffer is lost
    mute, garbage, noise, proofless, gone: the line
    after_rows N: all the rest of this command happens when N more rows are printed
"""

from __future__ import annotations

import os
import select
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from drivers.sim.escpos_line import PathKind, plug
from drivers.sim.escpos_machine import Machine
from drivers.sim.escpos_models import DEFAULT, MAKES
from drivers.sim.escpos_paper import Paper

_GARBAGE = b"\xff\x80\x9cwhat?\xa3"
_NOISE = b"\xff\x81"
_MECHANISM = ("cover", "cutter", "hot", "jam", "broken", "paused")
_MACHINE = ("cutter_jams", "stalled", "proofless")
_LINE = ("mute", "garbage", "noise", "gone", "power")
_BOOLEANS = (*_MECHANISM, *_MACHINE, *_LINE)
_XON, _XOFF = b"\x11", b"\x13"
_XOFF_BELOW, _XON_ABOVE = 512, 1024
"""Free bytes of the buffer at which a serial printer stops its caller and lets him go on."""


class ReceiptPrinterSim:
    """One printer; lives on when the driver dies."""

    def __init__(
        self,
        *,
        dir: Path,  # noqa: A002 - the common word of all simulators
        port: int = 0,
        path: PathKind = "tcp",
        model: str = DEFAULT,
    ) -> None:
        """`path`: what it is plugged into; `model`: a make of `escpos_models`."""
        self._serial = path == "serial"
        self._line = plug(path, folder=dir, port=port)
        self._machine = Machine(Paper(dir), self._answer, MAKES[model])
        self._model = model
        self._mute = self._garbage = self._noise = self._gone = False
        self._power = True
        self._stopped_caller = False
        self._lock = threading.RLock()
        self._wake_read, self._wake_write = os.pipe()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> str:
        """Be there; the address for a terminal's profile."""
        with self._lock:
            self._line.plug()
        self._thread = threading.Thread(target=self._run, name="receipt-sim", daemon=True)
        self._thread.start()
        return self._line.address

    def stop(self) -> None:
        """End the thread and every descriptor."""
        with self._lock:
            if self._stopping:
                return
            self._stopping = True
            self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            self._line.unplug()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> tuple[dict[str, Any], bytes]:
        """One verb; ValueError, KeyError or TypeError when it makes no sense."""
        with self._lock:
            match verb:
                case "set":
                    self._hand(dict(args))
                    return self._describe(), b""
                case "list":
                    return {"papers": [slip.describe() for slip in self._machine.paper.slips()]}, b""
                case "get":
                    slip = self._machine.paper.slip(int(args["n"]))
                    return slip.describe(), slip.png()
                case "tear":
                    self._work()  # what came in just now is no reason to think that it still prints
                    return {"taken": self._machine.tear()}, b""
                case "status":
                    return self._describe(), b""
                case _:
                    raise ValueError(f"no verb {verb!r}")

    def _hand(self, wanted: dict[str, Any]) -> None:
        rows = wanted.pop("after_rows", None)
        _check(wanted)
        if rows is None:
            self._set(wanted)
        else:
            self._machine.after_rows = (max(1, int(rows)), lambda: self._set(wanted))

    def _set(self, wanted: dict[str, Any]) -> None:
        machine = self._machine
        self._mute = wanted.get("mute", self._mute)
        self._garbage = wanted.get("garbage", self._garbage)
        self._noise = wanted.get("noise", self._noise)
        for name in _MACHINE:
            setattr(machine, name, wanted.get(name, getattr(machine, name)))
        if "dots_left" in wanted:
            machine.dots_left = None if wanted["dots_left"] is None else int(wanted["dots_left"])
        if "slow_ms" in wanted:
            machine.hurry(float(wanted["slow_ms"]) / 1000)
        if "model" in wanted:
            self._model = wanted["model"]
            machine.power_up(MAKES[self._model])
        hand = {name: wanted[name] for name in ("paper", *_MECHANISM) if name in wanted}
        machine.change(replace(machine.condition, **hand))
        self._plug(gone=wanted.get("gone", self._gone), power=wanted.get("power", self._power))
        self._wake()

    def _plug(self, *, gone: bool, power: bool) -> None:
        """Cable and mains. A serial cable stays when the power goes; a network or USB interface goes with it."""
        was_there, was_powered = not self._gone and (self._power or self._serial), self._power
        self._gone, self._power = gone, power
        there = not gone and (power or self._serial)
        if was_powered and not power:
            self._machine.power_up(MAKES[self._model])
            self._stopped_caller = False
        if was_there and not there:
            self._line.unplug()
            self._machine.disconnected()
        if there and not was_there:
            self._line.plug()

    def _describe(self) -> dict[str, Any]:
        machine, condition = self._machine, self._machine.condition
        return {
            "paper": condition.paper,
            "dots_left": machine.dots_left,
            **{name: getattr(condition, name) for name in _MECHANISM},
            **{name: getattr(machine, name) for name in _MACHINE},
            "mute": self._mute,
            "garbage": self._garbage,
            "noise": self._noise,
            "gone": self._gone,
            "power": self._power,
            "slow_ms": round(machine.delay_s * 1000),
            "model": self._model,
            "overrun": machine.overrun,
            "mouth": machine.paper.hanging,
            "connected": self._line.connected,
        }

    # --- the line ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopping:
                    return
                again = self._work()
                self._handshake()
                room = self._machine.room
                watched = self._line.watched(room=room, standing=self._machine.standing)
            ready = _wait(watched | {self._wake_read: select.POLLIN}, again)
            with self._lock:
                for number in ready:
                    if number == self._wake_read:
                        os.read(self._wake_read, 4096)
                    elif number in self._line.watched(room=room, standing=True):  # no hand pulled it since
                        self._take(self._line.serve(number, room=room))

    def _work(self) -> float | None:
        return self._machine.work(time.monotonic()) if self._power else None

    def _take(self, came: bytes | str) -> None:
        match came:
            case "come":
                self._machine.connected()
            case "gone":
                self._machine.disconnected()
            case bytes() if came and self._power:
                self._machine.receive(came)
            case _:
                pass

    def _handshake(self) -> None:
        """XOFF and XON of a serial printer."""
        if not self._serial or not self._power:
            return
        room = self._machine.room
        if not self._stopped_caller and room < _XOFF_BELOW:
            self._stopped_caller = True
            self._line.send(_XOFF)
        elif self._stopped_caller and room > _XON_ABOVE:
            self._stopped_caller = False
            self._line.send(_XON)

    def _answer(self, data: bytes) -> None:
        if self._mute or not self._power:
            return
        self._line.send(_GARBAGE if self._garbage else (_NOISE + data if self._noise else data))

    def _wake(self) -> None:
        os.write(self._wake_write, b"\x00")


def _check(wanted: dict[str, Any]) -> None:
    unknown = wanted.keys() - {*_BOOLEANS, "paper", "dots_left", "slow_ms", "model"}
    if unknown:
        raise ValueError(f"nothing to set: {', '.join(sorted(unknown))}")
    for name in _BOOLEANS:
        if type(wanted.get(name, False)) is not bool:
            raise TypeError(f"{name} is true or false")
    if wanted.get("paper", "full") not in ("full", "low", "out"):
        raise ValueError("paper is full, low or out")
    if wanted.get("model", DEFAULT) not in MAKES:
        raise ValueError(f"model is one of {', '.join(MAKES)}")


def _wait(watched: dict[int, int], again: float | None) -> list[int]:
    """Descriptors that are ready; `again`: monotonic time to wake up, None: when something comes."""
    poll = select.poll()
    for number, events in watched.items():
        poll.register(number, events)
    timeout_ms = None if again is None else max(0.0, again - time.monotonic()) * 1000
    return [number for number, _ in poll.poll(timeout_ms)]
