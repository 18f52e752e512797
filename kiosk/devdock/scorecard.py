"""The driver scorecard (驱动评分卡): criteria and evidence as data, grades computed from both. Pure."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.sim.fault_scripts import HOST, FaultScript
from kiosk.core.devices import DeviceKind

FILE = Path(__file__).resolve().parents[2] / "drivers" / "scorecard.toml"


class Grade(StrEnum):
    """From worst to best."""

    NONE = "none"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


GRADES = tuple(Grade)


class ScorecardError(ValueError):
    """The scorecard is wrong; the message says where."""


class Criterion(BaseModel):
    """What must be shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    grade: Grade
    zh: str
    en: str
    count: int = 0
    """So many scripted faults show it, and nothing else is asked."""


class Scorecard(BaseModel):
    """Criteria, and for each device what shows them: tests, scripted faults, figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: tuple[Criterion, ...]
    device: Mapping[DeviceKind, Mapping[str, tuple[str, ...]]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """One device's result."""

    device: DeviceKind
    grade: Grade
    shown: Mapping[str, tuple[str, ...]]
    """Evidence by criterion; a criterion that is missing is not shown."""


def read_scorecard(text: str) -> Scorecard:
    """From TOML; ScorecardError."""
    try:
        card = Scorecard.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ScorecardError(f"scorecard.toml: {error}") from None
    doubled = [id_ for id_, times in Counter(criterion.id for criterion in card.criterion).items() if times > 1]
    by_count = {criterion.id for criterion in card.criterion if criterion.count}
    told = {id_ for evidence in card.device.values() for id_ in evidence}
    wrong = doubled or sorted(told - {criterion.id for criterion in card.criterion}) or sorted(told & by_count)
    if wrong:
        raise ScorecardError(f"scorecard.toml: {', '.join(wrong)}: doubled, unknown, or shown by the count alone")
    return card


def score(card: Scorecard, scripts: Sequence[FaultScript]) -> tuple[Score, ...]:
    """Every device's grade, in the order of `DeviceKind`."""
    counts = Counter(script.device for script in scripts if script.group != HOST)
    return tuple(_score(card, kind, counts[kind]) for kind in DeviceKind)


def _score(card: Scorecard, kind: DeviceKind, scripted: int) -> Score:
    shown = {id_: evidence for id_, evidence in card.device.get(kind, {}).items() if evidence}
    for criterion in card.criterion:
        if criterion.count and scripted >= criterion.count:
            shown[criterion.id] = (f"{scripted} scripts",)
    reached = Grade.NONE
    for grade in GRADES[1:]:
        if any(criterion.id not in shown for criterion in card.criterion if criterion.grade is grade):
            break
        reached = grade
    return Score(kind, reached, shown)


def missing_evidence(
    card: Scorecard, scripts: Iterable[FaultScript], *, figures: Iterable[str], tests: Mapping[str, Iterable[str]]
) -> list[str]:
    """Evidence that does not exist. `tests`: names of test functions by file, relative to the checkout."""
    ids, known_figures = {script.id for script in scripts}, set(figures)

    def exists(evidence: str) -> bool:
        kind, _, name = evidence.partition(":")
        match kind:
            case "fault":
                return name in ids
            case "figure":
                return name in known_figures
            case _:
                file, _, test = evidence.partition("::")
                return test in tests.get(file, ())

    return [
        f"{kind}.{criterion}: {evidence}"
        for kind, shown in card.device.items()
        for criterion, pieces in shown.items()
        for evidence in pieces
        if not exists(evidence)
    ]
