"""What a case file may say. Each step is one verb with its words; unknown words are refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Strict(BaseModel):
    """A part of a case file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pinyin(Strict):
    """Type on the pinyin page and pick a candidate."""

    keys: str
    pick: str


class PutCard(Strict):
    """Put a person's card on the reader."""

    person: str
    options: dict[str, Any] = Field(default_factory=dict)


class PutDocument(Strict):
    """Lay a synthetic document under the camera."""

    document: str
    holder: str
    options: dict[str, Any] = Field(default_factory=dict)


class DeviceFault(Strict):
    """Tell simulated hardware something, for example `receipt.set`."""

    do: str
    options: dict[str, Any] = Field(default_factory=dict)


class Paper(Strict):
    """Wait for this many papers in all and check words in the receipt's sealed bundle of lines."""

    count: int
    within: float = 60


class Cases(Strict):
    """What the hall must know in the end."""

    count: int
    state: str = ""
    within: float = 60


class Prints(Strict):
    """What the hall must know of pages in the end: so many jobs, each with this outcome and so many papers."""

    count: int
    outcome: str
    papers: int = 1
    within: float = 60


class Licence(Strict):
    """A department has a word on a licence that somebody holds."""

    holder: str
    type: str
    status: Literal["valid", "suspended", "revoked"]


class Storm(Strict):
    """Somebody files again and again while processes are killed at random moments."""

    filings: int
    kills: int
    victims: tuple[str, ...]
    seed: int | None = None


class Step(Strict):
    """One step; exactly one of these is set."""

    view: str | None = None
    tap: str | None = None
    tap_at: str | None = None
    see: str | None = None
    not_see: str | None = None
    pinyin: Pinyin | None = None
    keys: str | None = None
    put_card: PutCard | None = None
    lift_card: bool | None = None
    put_document: PutDocument | None = None
    clear_document: bool | None = None
    push_social_card: PutCard | None = None
    pull_social_card: bool | None = None
    scan_last: Literal["receipt", "page"] | None = None
    """Hold the code on the last paper under the scanner."""
    device: DeviceFault | None = None
    network: Literal["up", "down", "silent", "error_500", "garbage"] | None = None
    kill: str | None = None
    disk: Literal["full", "free"] | None = None
    receipts: Paper | None = None
    pages: Paper | None = None
    tear: Literal["receipt", "page"] | None = None
    verify_receipt: tuple[str, ...] | None = None
    verify_page: tuple[str, ...] | None = None
    licence: Licence | None = None
    hall: Cases | None = None
    prints: Prints | None = None
    queue_empty: bool | None = None
    terminal: str | None = None
    shot: str | None = None
    start_clock: bool | None = None
    stop_clock: bool | None = None
    storm: Storm | None = None
    within: float = 40

    def verb(self) -> str:
        """Which one it is."""
        return next(name for name in type(self).model_fields if name != "within" and getattr(self, name) is not None)


class Limits(Strict):
    """What the whole case must keep to."""

    touches: int | None = None


class Case(Strict):
    """One scripted person."""

    case: str
    title: str
    why: str
    fresh: bool = False
    """Needs a street of its own: it kills, fills disks, or counts from zero."""
    needs_root: bool = False
    terminals: int = 1
    limits: Limits = Limits()
    steps: tuple[Step, ...]


class CaseError(ValueError):
    """The case file is wrong; says where."""


def load_case(path: Path) -> Case:
    """Read and check a case file."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        case = Case.model_validate(document)
    except yaml.YAMLError as error:
        raise CaseError(f"{path.name}: {error}") from None
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5])
        raise CaseError(f"{path.name}: {places}") from None
    for number, step in enumerate(case.steps, 1):
        said = [name for name in type(step).model_fields if name != "within" and getattr(step, name) is not None]
        if len(said) != 1:
            raise CaseError(f"{path.name}: step {number} says {len(said)} things: {said}")
    return case
