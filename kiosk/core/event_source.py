"""From the event catalogue (TOML text) to Python constants and a page for people. Pure; the script does the files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from kiosk.core.event_fields import TYPES, EventLevel

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HEAD = '''"""Generated from events.toml by scripts/generate_events.py; change the catalogue, not this file."""

from __future__ import annotations

from enum import StrEnum

from kiosk.core.event_fields import TYPES, EventSpec, words


class EventName(StrEnum):
    """Every event there is."""

'''


class CatalogueError(ValueError):
    """The event catalogue is wrong; the message says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the catalogue. Field types are a name of `TYPES`, or words."""

    name: str
    level: str
    about: str
    fields: Mapping[str, str | tuple[str, ...]]


def read_catalogue(text: str) -> tuple[Entry, ...]:
    """Events in the order of the catalogue; CatalogueError."""
    return tuple(_entry(name, table) for name, table in tomllib.loads(text).items())


def _entry(name: str, table: object) -> Entry:
    if not _NAME.fullmatch(name) or not isinstance(table, dict) or set(table) != {"about", "level", "fields"}:
        raise CatalogueError(f"{name}: wants about, level and fields")
    if table["level"] not in get_args(EventLevel):
        raise CatalogueError(f"{name}: unknown level")
    fields: dict[str, str | tuple[str, ...]] = {}
    for field, kind in table["fields"].items():
        if isinstance(kind, str) and kind.removesuffix("?") in TYPES:
            fields[field] = kind
        elif isinstance(kind, list) and kind and all(isinstance(word, str) and _NAME.fullmatch(word) for word in kind):
            fields[field] = tuple(kind)
        else:
            raise CatalogueError(f"{name}.{field}: unknown type")
    return Entry(name, table["level"], table["about"], fields)


def python_table(entries: tuple[Entry, ...]) -> str:
    """Text of `kiosk/core/event_table.py`, as the formatter would leave it."""
    names = "".join(f'    {entry.name.upper()} = "{entry.name}"\n    """{entry.about}"""\n' for entry in entries)
    specs = "".join(map(_spec, entries))
    return f"{_HEAD}{names}\n\nEVENTS: dict[EventName, EventSpec] = {{\n{specs}}}\n"


def _spec(entry: Entry) -> str:
    required = {name: kind for name, kind in entry.fields.items() if not _is_optional(kind)}
    optional = {name: kind for name, kind in entry.fields.items() if _is_optional(kind)}
    return (
        f"    EventName.{entry.name.upper()}: EventSpec(\n"
        f'        level="{entry.level}",\n'
        f'        about="{entry.about}",\n'
        f"        required={_fields(required)},\n"
        f"        optional={_fields(optional)},\n"
        "    ),\n"
    )


def _is_optional(kind: str | tuple[str, ...]) -> bool:
    return isinstance(kind, str) and kind.endswith("?")


def _fields(fields: Mapping[str, str | tuple[str, ...]]) -> str:
    lines = "".join(f'            "{name}": {_type(kind)},\n' for name, kind in fields.items())
    return f"{{\n{lines}        }}" if lines else "{}"


def _type(kind: str | tuple[str, ...]) -> str:
    if isinstance(kind, str):
        return f'TYPES["{kind.removesuffix("?")}"]'
    quoted = ", ".join(f'"{word}"' for word in kind)
    return f"words({quoted})"


def markdown_table(entries: tuple[Entry, ...]) -> str:
    """The catalogue for people."""
    rows = (f"| `{entry.name}` | {entry.level} | {entry.about} | {_described(entry)} |\n" for entry in entries)
    return "| event | level | what happened | fields |\n|---|---|---|---|\n" + "".join(rows)


def _described(entry: Entry) -> str:
    return ", ".join(
        f"{name}: {kind if isinstance(kind, str) else ' / '.join(kind)}" for name, kind in entry.fields.items()
    )
