"""Routing (分派): which unit a case goes to, by the first rule that fits."""

from __future__ import annotations

from pydantic import ValidationError

from kiosk.contract.wire import canonical_json
from kiosk.core.answers import Answers
from kiosk.core.condition import holds
from kiosk.core.item import Condition, Item, Part, Words
from kiosk.core.journey import effective


class Route(Part):
    """To this unit, when the condition holds."""

    to: Words
    when: Condition | None = None


class RouteError(ValueError):
    """A rule that is none; the message says which, counted from 0."""


def routes(item: Item) -> tuple[Route, ...]:
    """The rules of an item in order; RouteError at the first that is malformed."""
    found: list[Route] = []
    for place, rule in enumerate(item.routing):
        try:
            found.append(Route.model_validate_json(canonical_json(rule)))
        except ValidationError as error:
            raise RouteError(f"routing.{place} has {error.error_count()} faults") from None
    return tuple(found)


def route(item: Item, answers: Answers) -> str:
    """Where this case goes; the item's department when the item has no rules."""
    values = effective(item, answers).plain()
    return next((rule.to for rule in routes(item) if holds(rule.when, values)), item.department)
