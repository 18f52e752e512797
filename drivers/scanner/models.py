"""What a scanner can be asked, so that a silent line is not taken for a scanner; pure but for its data file."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

_DATA = Path(__file__).with_name("models.toml")


@dataclass(frozen=True, slots=True)
class Model:
    """A way to ask a scanner who it is; `silent` ones cannot be asked."""

    name: str
    ask: bytes = b""
    answer: re.Pattern[bytes] | None = None

    def identity_in(self, line: bytes) -> str | None:
        """Who it says it is; None if this line is no answer."""
        found = self.answer.fullmatch(line) if self.answer else None
        return found["identity"].decode("ascii") if found else None


def find_model(name: str) -> Model:
    """ValueError if the data file has no such model."""
    with _DATA.open("rb") as file:
        rows = tomllib.load(file)["model"]
    for row in rows:
        if row["name"] == name:
            answer = re.compile(row["answer"].encode("ascii")) if "answer" in row else None
            return Model(name, bytes.fromhex(row.get("ask", "")), answer)
    raise ValueError(f"no scanner model of this name; known: {', '.join(row['name'] for row in rows)}")


@dataclass(slots=True)
class Enquiry:
    """When to ask, and what the silence means. Times are monotonic seconds."""

    model: Model
    every_s: float = 5.0
    answer_s: float = 0.8
    """At 1200 baud an answer of 60 bytes takes 0.5 s."""
    patience: int = 2
    """So many times in a row it may stay silent."""
    _asked_at: float | None = None
    _waiting: bool = False
    _unanswered: int = 0
    _lives: bool = False

    @property
    def lives(self) -> bool:
        """Is it known to be there? Of one that cannot be asked it is believed."""
        return self._lives or not self.model.ask

    @property
    def mute(self) -> bool:
        """It was asked and said nothing."""
        return self._unanswered >= self.patience

    @property
    def due(self) -> float | None:
        """When `ask` has something to do; None: never."""
        if not self.model.ask:
            return None
        if self._asked_at is None:
            return float("-inf")
        return self._asked_at + (self.answer_s if self._waiting else self.every_s)

    def ask(self, at: float, *, hurry: bool = False) -> bytes:
        """What to send now; `hurry`: somebody waits for the answer."""
        if self.due is None or (at < self.due and not hurry):
            return b""
        if self._waiting and at >= self.due:
            self._unanswered += 1
            self._lives = self._lives and not self.mute
        self._asked_at, self._waiting = at, True
        return self.model.ask

    def heard(self) -> None:
        """An answer or a code came: it lives."""
        self._lives, self._waiting, self._unanswered = True, False, 0
