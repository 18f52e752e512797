"""Every event that the programs make is one that the catalogue allows: checked in the source, before a run fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core.event_fields import Words
from kiosk.core.event_table import EVENTS, EventName

ROOT = Path(__file__).parents[2]
PARTS = ("kiosk", "drivers", "screens", "offline_queue", "provisioning")


def calls(source: str) -> Iterator[tuple[int, ast.Call]]:
    """Line and node of each ``Event.of(EventName.X, …)``."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="Event"), attr="of")):
                yield node.lineno, node


def fault(call: ast.Call) -> str:
    """What is wrong with a call; empty if nothing that the source can tell."""
    match call.args:
        case [ast.Attribute(value=ast.Name(id="EventName"), attr=name)] if name in EventName.__members__:
            spec = EVENTS[EventName[name]]
        case [ast.Name()]:
            return ""  # a name chosen elsewhere; `Event` itself looks at it
        case _:
            return "names no event"
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if len(given) < len(call.keywords):
        return ""
    if missing := spec.required.keys() - given.keys():
        return f"lacks {sorted(missing)}"
    types = {**spec.required, **spec.optional}
    if unknown := given.keys() - types.keys():
        return f"does not know {sorted(unknown)}"
    for field, value in given.items():
        kind = types[field]
        if isinstance(value, ast.Constant) and isinstance(kind, Words) and value.value not in kind.allowed:
            return f"{field} is no allowed word"
    return ""


def test_every_call_fits_the_catalogue() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {wrong}"
        for part in PARTS
        for path in sorted((ROOT / part).rglob("*.py"))
        for line, call in calls(path.read_text("utf-8"))
        if (wrong := fault(call))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("Event.of(EventName.HELP_CALLED)", ""),
        ("Event.of(EventName.NEVER)", "names no event"),
        ("Event.of('help_called')", "names no event"),
        ("Event.of(name)", ""),
        ("Event.of(EventName.LINK_CHANGED, **values)", ""),
        ("Event.of(EventName.LINK_CHANGED)", "lacks ['link']"),
        ("Event.of(EventName.LINK_CHANGED, link=state, who=name)", "does not know ['who']"),
        ("Event.of(EventName.LINK_CHANGED, link='broken')", "link is no allowed word"),
        ("Event.of(EventName.LINK_CHANGED, link='up')", ""),
    ],
)
def test_the_check_would_notice(source: str, wrong: str) -> None:
    assert [fault(call) for _, call in calls(source)] == [wrong]
