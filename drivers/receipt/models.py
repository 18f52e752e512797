"""Which printer has which ways (型号差异表): rows of models.toml, chosen by address or by the printer's own name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

_WIDEST = 832
"""Dots of a head for 112 mm paper."""
_TABLE = Path(__file__).with_name("models.toml")
_FLAGS = ("identifies", "sensor", "status_back", "recall", "cutter", "near_end")


class Proving(StrEnum):
    """How a printer can show that a slip is on paper."""

    PROCESS_ID = "process_id"
    DRAINED = "drained"
    NONE = "none"
    FOUND_OUT = "found_out"


class Mouth(StrEnum):
    """How a printer tells whether a slip waits to be taken."""

    UNSEEN = ""
    FULL_STATUS = "full_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row; the fields are explained in the table."""

    id: str
    about: str
    dots: int
    buffer: int
    proving: Proving
    source: str
    names: tuple[str, ...] = ()
    identifies: bool = True
    sensor: bool = True
    status_back: bool = True
    recall: bool = True
    cutter: bool = True
    near_end: bool = True
    mouth: Mouth = Mouth.UNSEEN

    @property
    def row_bytes(self) -> int:
        """Bytes in a row of dots."""
        return self.dots // 8


@cache
def catalogue() -> tuple[Model, ...]:
    """All rows; ValueError if the table makes no sense."""
    return read_table(tomllib.loads(_TABLE.read_text("utf-8")))


def read_table(table: Mapping[str, Any]) -> tuple[Model, ...]:
    """Rows of a parsed table; ValueError names the first row that makes no sense."""
    models = tuple(_read(row) for row in table.get("model", ()))
    if not models or len({model.id for model in models}) != len(models):
        raise ValueError("models: none, or two of the same id")
    return models


def _read(row: Mapping[str, Any]) -> Model:
    name = row.get("id", "?")
    try:
        model = Model(
            **{
                **row,
                "names": tuple(row.get("names", ())),
                "proving": Proving(row.get("proving", "")),
                "mouth": Mouth(row.get("mouth", "")),
            }
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"model {name}: {error}") from error
    sizes = (model.dots, model.buffer)
    if any(type(size) is not int for size in sizes) or any(type(getattr(model, flag)) is not bool for flag in _FLAGS):
        raise ValueError(f"model {name}: a number or a flag is of another type")
    if model.dots % 8 or not 8 <= model.dots <= _WIDEST or model.buffer < 256:
        raise ValueError(f"model {name}: width or buffer")
    if model.proving is Proving.DRAINED and not model.sensor:
        raise ValueError(f"model {name}: drained is proven by GS r")
    return model


def by_id(wanted: str, models: Iterable[Model] | None = None) -> Model:
    """The row that an address names; ValueError if there is none."""
    for model in catalogue() if models is None else models:
        if model.id == wanted:
            return model
    raise ValueError(f"receipt printer model {wanted!r} is not in the table")


def by_name(name: str, models: Iterable[Model] | None = None) -> Model:
    """The row for what a printer calls itself; the first row of the table if it is in none."""
    rows = tuple(catalogue() if models is None else models)
    return next((model for model in rows if any(fnmatchcase(name, pattern) for pattern in model.names)), rows[0])
