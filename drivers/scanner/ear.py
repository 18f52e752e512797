"""What a scanner's line says, and whether it makes sense; pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from drivers.scanner.models import Model
from drivers.scanner.protocol import Refusal, Splitter, decode
from kiosk.core.devices import Fault
from kiosk.core.result import Err, Ok
from kiosk.core.scanned_code import HeldCode


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a line that is open."""

    fault: Fault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came."""

    codes: tuple[str, ...] = field(default=(), repr=False)
    """New ones, each once."""
    seen: int = 0
    """Codes, repetitions of one that is held under the scanner included."""
    refused: int = 0
    identity: str | None = None
    """The scanner answered, and this is its name."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where sense ends."""

    garbled: int = 3
    """So many refused lines in a row are no bad print any more."""
    forget_s: float = 120.0
    """After so long a silence nobody knows whether the line is still garbled."""
    lines: int = 20
    """More lines than this within a second are no hand's; a visiting card has some fifteen."""
    calm_s: float = 1.0
    """A flood is over after so long a silence."""


class Ear:
    """One opening of the line. Times are monotonic seconds."""

    def __init__(self, model: Model, *, limits: Limits | None = None, splitter: Splitter | None = None) -> None:
        self._model = model
        self._limits = limits or Limits()
        self._splitter = splitter or Splitter()
        self._held = HeldCode()
        self._times: deque[float] = deque(maxlen=self._limits.lines + 1)
        self._flooded = False
        self._garbled = 0
        self._why = Refusal.CONTROL

    @property
    def due(self) -> float | None:
        """When `hear` should be called though nothing came; None: not before something comes."""
        times = [] if self._splitter.due is None else [self._splitter.due]
        if self._flooded:
            times.append(self._times[-1] + self._limits.calm_s)
        elif self._garbled >= self._limits.garbled:
            times.append(self._times[-1] + self._limits.forget_s)
        return min(times, default=None)

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong as of the last `hear`."""
        if self._flooded:
            return Trouble(Fault.PROTOCOL, f"more than {self._limits.lines} lines a second")
        if self._garbled >= self._limits.garbled:
            return Trouble(Fault.GARBLED, f"{self._garbled} lines in a row: {self._why}")
        return None

    def hear(self, data: bytes, at: float) -> Heard:
        """What these bytes bring, together with what came before."""
        codes: list[str] = []
        seen = refused = 0
        identity = None
        lines = self._splitter.feed(data, at)
        if not lines:
            self._rest(at)
        for line in lines:
            self._count(at)
            if isinstance(line, Ok) and (name := self._model.identity_in(line.value)) is not None:
                identity, self._garbled = name, 0
                continue
            match line if isinstance(line, Err) else decode(line.value):
                case Err(why):
                    refused += 1
                    self._garbled, self._why = self._garbled + 1, why
                case Ok(text) if text and not self._flooded:
                    seen, self._garbled = seen + 1, 0
                    if self._held.fresh(text, at):
                        codes.append(text)
                case Ok():
                    pass
        return Heard(tuple(codes), seen, refused, identity)

    def _rest(self, at: float) -> None:
        if not self._times:
            return
        silent = at - self._times[-1]
        self._flooded = self._flooded and silent < self._limits.calm_s
        self._garbled = 0 if silent >= self._limits.forget_s else self._garbled

    def _count(self, at: float) -> None:
        self._times.append(at)
        full = len(self._times) == self._times.maxlen
        self._flooded = self._flooded or (full and at - self._times[0] < 1.0)
