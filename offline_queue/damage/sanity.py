"""Could this row have been written by us? A bit that the disk turned may leave SQLite content, and be nonsense."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping

from kiosk.core.ports import SubmissionState
from kiosk.core.print_ledger import PaperKind, PrintState
from offline_queue.disk.contents import PLACES

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"\d{12}[0-9A-Z]{4}\d{4}[0-9A-Z]")
_STATES = frozenset({SubmissionState.SEALED, SubmissionState.ACCEPTED, SubmissionState.PARKED})


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _or_none(rule: Callable[[object], bool]) -> Callable[[object], bool]:
    """A place may be empty."""
    return lambda value: value is None or rule(value)


def _is_json(value: object) -> bool:
    if value is None:
        return True
    try:
        return isinstance(value, str) and all(
            is_sha256(sha256) and isinstance(size, int) for sha256, size in json.loads(value)
        )
    except (ValueError, TypeError):
        return False


is_id = _matches(_ID)
is_sha256 = _matches(_SHA256)
_is_number = _matches(_NUMBER)


def _is_known_as(value: object) -> bool:
    """A number; or the id, which takes its place when salvage cannot read the number any more."""
    return _is_number(value) or is_id(value)


_RULES: Mapping[str, Mapping[str, Callable[[object], bool]]] = {
    "submissions": {
        "id": is_id,
        "sha256": is_sha256,
        "application_no": _is_known_as,
        "state": lambda value: value in _STATES,
        "corrects": _or_none(_is_number),
    },
    "prints": {
        "kind": lambda value: value in set(PaperKind),
        "state": lambda value: value in set(PrintState),
    },
    "blobs": {"sha256": is_sha256},
    "contents": {
        "taken": lambda value: value in (0, 1),
        "id": _or_none(is_id),
        "sha256": _or_none(is_sha256),
        "application_no": _or_none(_is_known_as),
        "blobs": _is_json,
        "corrects": _or_none(_is_number),
    },
    "returns": {"id": is_id},
}


_ASTRAY = (
    "select 1 from contents left join submissions using (id)"
    " where contents.place > :places and contents.place != :places + contents.seq"
    " or taken = 1 and submissions.seq is not null"
    " and (contents.seq, contents.place) is not (submissions.seq, submissions.place) limit 1"
)
"""Contents that do not lie where they belong, or not to whom they say."""


def fits(table: str, row: Mapping[str, object]) -> bool:
    """Does every column hold what it can hold?"""
    rules = _RULES.get(table, {})
    return all(rule(row[column]) for column, rule in rules.items() if column in row)


def makes_sense(connection: sqlite3.Connection) -> bool:
    """Do all rows, and do the indexes say the same? Reads everything; for when something about a row was strange."""
    try:
        if connection.execute("pragma integrity_check(1)").fetchall() != [("ok",)]:
            return False
    except (sqlite3.Error, UnicodeDecodeError):
        return False
    for table, rules in _RULES.items():
        columns = tuple(rules)
        try:
            rows = connection.execute(f"select {', '.join(columns)} from {table} not indexed")  # noqa: S608
            if not all(fits(table, dict(zip(columns, row, strict=True))) for row in rows):
                return False
        except sqlite3.Error:
            # Text that is none, or a table that has lost a column's name.
            return False
    return connection.execute(_ASTRAY, {"places": PLACES}).fetchone() is None
