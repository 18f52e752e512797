"""Rows out of a damaged SQLite file, page by page, without asking SQLite (sqlite.org/fileformat2.html §1.5, §2.1).

Every page that says of itself that it holds rows of a table is read, whether or not anything still points to it; one
bit of what it says, its kind or its number of rows, may be wrong. What does not add up is left out; what was deleted
may be found once more.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

Value = int | float | str | bytes | None
_LEAF = 0x0D
_FIRST_HEADER = 100
_LEAF_HEADER = 8
_DEFAULT_PAGE = 1024
_MOST_COLUMNS = 64
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Bytes by serial type."""


class _Nonsense(ValueError):
    """This cannot be a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of some table."""

    rowid: int
    values: tuple[Value, ...]


def rows_of(raw: bytes) -> Iterator[Row]:
    """Every row that can be read in a database file."""
    size = _page_bytes(raw)
    for number in range(1, -(-len(raw) // size) + 1):
        page = raw[(number - 1) * size : number * size]
        start = _FIRST_HEADER if number == 1 else 0
        if len(page) < size or (page[start] ^ _LEAF).bit_count() > 1:
            continue
        for at in _cells(page, start):
            try:
                yield _row(raw, page, at, size)
            except (_Nonsense, struct.error, IndexError, UnicodeDecodeError):
                continue


def _cells(page: bytes, start: int) -> Iterator[int]:
    """Where rows begin: as many as the page says, and whatever else in the room of its pointers points to cells."""
    count, content = struct.unpack_from(">HH", page, start + 3)
    first = start + _LEAF_HEADER
    room = (content - first) // 2 if first <= content <= len(page) else 0
    for number in range(max(min(count, len(page) // 4), room)):
        (at,) = struct.unpack_from(">H", page, first + 2 * number)
        if number < count or content <= at < len(page):
            yield at


def _page_bytes(raw: bytes) -> int:
    """From the header if it can be believed."""
    if len(raw) < _FIRST_HEADER:
        return _DEFAULT_PAGE
    (size,) = struct.unpack_from(">H", raw, 16)
    size = 65536 if size == 1 else size
    return size if size >= 512 and size & (size - 1) == 0 else _DEFAULT_PAGE


def _row(raw: bytes, page: bytes, at: int, size: int) -> Row:
    length, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if not 0 < length <= len(raw):
        raise _Nonsense
    local = _local(length, size)
    payload = bytearray(page[at : at + local])
    if local < length:
        (following,) = struct.unpack_from(">I", page, at + local)
        payload += _overflow(raw, following, length - local, size)
    if len(payload) != length:
        raise _Nonsense
    return Row(rowid, _record(bytes(payload)))


def _local(length: int, size: int) -> int:
    """Bytes of a payload that lie on the leaf itself."""
    most = size - 35
    if length <= most:
        return length
    least = (size - 12) * 32 // 255 - 23
    fitting = least + (length - least) % (size - 4)
    return fitting if fitting <= most else least


def _overflow(raw: bytes, number: int, length: int, size: int) -> bytes:
    found = bytearray()
    while length > 0:
        if not 0 < number <= len(raw) // size:
            raise _Nonsense
        page = raw[(number - 1) * size : number * size]
        (number,) = struct.unpack_from(">I", page)
        part = page[4 : 4 + min(length, size - 4)]
        found += part
        length -= len(part)
    return bytes(found)


def _record(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    if not 0 < end <= len(payload):
        raise _Nonsense
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != end or not 0 < len(kinds) <= _MOST_COLUMNS:
        raise _Nonsense
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise _Nonsense
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in _INTEGERS:
        length = _INTEGERS[kind]
        return int.from_bytes(payload[at : at + length], "big", signed=True), at + length
    if kind == 7:
        (number,) = struct.unpack_from(">d", payload, at)
        return number, at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise _Nonsense
    length = (kind - 12) // 2
    part = payload[at : at + length]
    if len(part) != length:
        raise _Nonsense
    return (part if kind % 2 == 0 else part.decode()), at + length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Big-endian, seven bits a byte, at most nine bytes."""
    value = 0
    for number in range(9):
        byte = raw[at + number]
        if number == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + number + 1
    raise _Nonsense
