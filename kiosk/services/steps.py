"""The stations of a journey (办理步骤): only those that it has."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.core.answers import Answers
from kiosk.core.item import Item
from kiosk.core.journey import visible_materials
from kiosk.core.views import Step


def journey_steps(item: Item, answers: Answers | None = None) -> tuple[Step, ...]:
    """In order. A material that only some answers call for is counted once they were given."""
    return tuple(_steps(item, answers or Answers()))


def _steps(item: Item, answers: Answers) -> Iterator[Step]:
    if item.identity.level == "card":
        yield "card"
    if item.pages:
        yield "fill"
    if any("card_reader" not in material.sources for material in visible_materials(item, answers)):
        yield "materials"
    yield "check"
    yield "paper" if item.kind == "certificate" else "receipt"
