"""From the fault table (TOML text) to Python constants. Pure; the script does the files."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.fault_fields import Condition, DeviceWords, FaultEntry, Mender, Persistence, Words

_E = TypeVar("_E", bound=StrEnum)

_ROW_KEYS = frozenset({"lasts", "mends", "citizen_zh", "citizen_en", "technician_zh", "technician_en"})
_DEVICE_KEYS = frozenset({"zh", "en", "otherwise_zh", "otherwise_en", "technician_zh", "technician_en"})
_CITIZEN_PARTS = frozenset({"device", "otherwise"})
_LITERAL = 105
"""Characters that fit on a line of the generated file, with indent, quotes and comma."""
_HEAD = '''"""Generated from faults.toml by scripts/generate_faults.py; change the table, not this file."""

from __future__ import annotations

from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.fault_fields import Condition, DeviceWords, FaultEntry, Mender, Persistence, Words
'''


class FaultTableError(ValueError):
    """The fault table is wrong; the message says where."""


@dataclass(frozen=True, slots=True)
class FaultTable:
    """The whole table. Rows of `device_faults` are complete."""

    devices: Mapping[DeviceKind, DeviceWords]
    faults: Mapping[Fault, FaultEntry]
    device_faults: Mapping[tuple[Fault, DeviceKind], FaultEntry]
    conditions: Mapping[Condition, FaultEntry]


def read_table(text: str) -> FaultTable:
    """Every device, fault and condition has its row, and nothing else has; FaultTableError."""
    tables = tomllib.loads(text)
    _exactly("table", tables, {"device", "fault", "condition"})
    devices = {kind: _device(kind, row) for kind, row in _members("device", tables["device"], DeviceKind)}
    faults: dict[Fault, FaultEntry] = {}
    device_faults: dict[tuple[Fault, DeviceKind], FaultEntry] = {}
    for fault, row in _members("fault", tables["fault"], Fault):
        base = {key: value for key, value in row.items() if not isinstance(value, dict)}
        faults[fault] = _entry(f"fault.{fault}", base)
        for name in row.keys() - base.keys():
            kind = _member(f"fault.{fault}", name, DeviceKind)
            device_faults[fault, kind] = _entry(f"fault.{fault}.{kind}", {**base, **row[name]})
    conditions = {
        condition: _entry(f"condition.{condition}", row)
        for condition, row in _members("condition", tables["condition"], Condition)
    }
    return FaultTable(devices, faults, dict(sorted(device_faults.items())), conditions)


def _members(where: str, table: Mapping[str, Any], members: type[_E]) -> list[tuple[_E, dict[str, Any]]]:
    """Rows in the order of the enum."""
    _exactly(where, table, {member.value for member in members})
    return [(member, table[member.value]) for member in members]


def _member(where: str, name: str, members: type[_E]) -> _E:
    try:
        return members(name)
    except ValueError:
        raise FaultTableError(f"{where}: {name} is none of {', '.join(members)}") from None


def _exactly(where: str, table: Iterable[str], names: Iterable[str]) -> None:
    missing, unknown = set(names) - set(table), set(table) - set(names)
    if missing or unknown:
        raise FaultTableError(
            f"{where}: lacks {', '.join(sorted(missing)) or 'nothing'}, knows no {', '.join(sorted(unknown)) or 'more'}"
        )


def _device(kind: DeviceKind, row: Mapping[str, Any]) -> DeviceWords:
    where = f"device.{kind}"
    _exactly(where, row, _DEVICE_KEYS)
    none: frozenset[str] = frozenset()
    return DeviceWords(
        Words(_sentence(where, row["zh"], none), _sentence(where, row["en"], none)),
        Words(_sentence(where, row["otherwise_zh"], none), _sentence(where, row["otherwise_en"], none)),
        Words(_sentence(where, row["technician_zh"], none), _sentence(where, row["technician_en"], none)),
    )


def _entry(where: str, row: Mapping[str, Any]) -> FaultEntry:
    _exactly(where, row, _ROW_KEYS)
    lasts, mends = _member(where, row["lasts"], Persistence), _member(where, row["mends"], Mender)
    if lasts is Persistence.PERMANENT and mends is not Mender.TECHNICIAN:
        raise FaultTableError(f"{where}: only a technician mends what is permanent")
    none: frozenset[str] = frozenset()
    return FaultEntry(
        lasts,
        mends,
        Words(_sentence(where, row["citizen_zh"], _CITIZEN_PARTS), _sentence(where, row["citizen_en"], _CITIZEN_PARTS)),
        Words(_sentence(where, row["technician_zh"], none), _sentence(where, row["technician_en"], none)),
    )


def _sentence(where: str, text: object, parts: frozenset[str]) -> str:
    if not isinstance(text, str) or not text.strip() or text != text.strip() or '"' in text or "\\" in text:
        raise FaultTableError(f"{where}: a sentence wants text, without spaces around it, quotes or backslashes")
    try:
        wanted = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise FaultTableError(f"{where}: {error}") from None
    if wanted - parts:
        raise FaultTableError(f"{where}: nothing fills {{{sorted(wanted - parts)[0]}}}")
    return text


# --- as Python ----------------------------------------------------------------------------------------------------


def python_table(table: FaultTable) -> str:
    """Text of `kiosk/core/fault_table.py`."""
    devices = "".join(
        f"    DeviceKind.{kind.name}: DeviceWords(\n"
        f"{_words(words.citizen)}{_words(words.otherwise)}{_words(words.technician)}    ),\n"
        for kind, words in table.devices.items()
    )
    faults = "".join(_row(f"Fault.{fault.name}", entry) for fault, entry in table.faults.items())
    device_faults = "".join(
        _row(f"(Fault.{fault.name}, DeviceKind.{kind.name})", entry)
        for (fault, kind), entry in table.device_faults.items()
    )
    conditions = "".join(_row(f"Condition.{condition.name}", entry) for condition, entry in table.conditions.items())
    return (
        f"{_HEAD}\n"
        f"DEVICES: dict[DeviceKind, DeviceWords] = {{\n{devices}}}\n\n"
        f"FAULTS: dict[Fault, FaultEntry] = {{\n{faults}}}\n\n"
        f"DEVICE_FAULTS: dict[tuple[Fault, DeviceKind], FaultEntry] = {{\n{device_faults}}}\n\n"
        f"CONDITIONS: dict[Condition, FaultEntry] = {{\n{conditions}}}\n"
    )


def _row(key: str, entry: FaultEntry) -> str:
    return (
        f"    {key}: FaultEntry(\n"
        f"        Persistence.{entry.lasts.name},\n"
        f"        Mender.{entry.mends.name},\n"
        f"{_words(entry.citizen)}{_words(entry.technician)}    ),\n"
    )


def _words(words: Words) -> str:
    return f"        Words(\n{_text(words.zh)}{_text(words.en)}        ),\n"


def _text(sentence: str) -> str:
    """In as many literals as the line length asks for."""
    if len(sentence) <= _LITERAL:
        return f'            "{sentence}",\n'
    cut = sentence.rindex(" ", 0, _LITERAL) + 1
    return f'            "{sentence[:cut]}"\n{_text(sentence[cut:])}'
