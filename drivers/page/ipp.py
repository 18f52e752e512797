"""IPP messages as bytes (RFC 8010) with the few names of RFC 8011 that printing a PDF needs; pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

VERSION = 0x0101
"""IPP/1.1: every IPP printer must take it (RFC 8011 §4.1.8)."""


MAX_VALUES = 20_000
"""Of one message, groups counted too; the longest job list that is asked for has a tenth of it."""


class Operation(IntEnum):
    """operation-id."""

    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class GroupTag(IntEnum):
    """Delimiter tags."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class ValueTag(IntEnum):
    """Value tags that are made here; others are read as bytes."""

    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    NAME_WITH_LANGUAGE = 0x36
    TEXT_WITH_LANGUAGE = 0x35
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49


class StatusCode(IntEnum):
    """status-code of answers that are treated in their own way; 0x0000..0x00FF is success."""

    NOT_FOUND = 0x0406
    SERVICE_UNAVAILABLE = 0x0502
    NOT_ACCEPTING_JOBS = 0x0506
    BUSY = 0x0507


class JobState(IntEnum):
    """job-state (RFC 8011 §5.3.7)."""

    PENDING = 3
    PENDING_HELD = 4
    PROCESSING = 5
    PROCESSING_STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


Value = int | bool | str | bytes


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and its values, all of one tag."""

    name: str
    tag: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes of the operation, of the printer, or of one job."""

    tag: int
    attributes: tuple[Attribute, ...]

    def values(self, name: str) -> tuple[Value, ...]:
        """Values of an attribute; empty if it is not there."""
        return next((attribute.values for attribute in self.attributes if attribute.name == name), ())

    def integer(self, name: str) -> int | None:
        """First value, if it is a number."""
        values = self.values(name)
        return values[0] if values and type(values[0]) is int else None

    def text(self, name: str) -> str | None:
        """First value, if it is text."""
        values = self.values(name)
        return values[0] if values and isinstance(values[0], str) else None

    def keywords(self, name: str) -> tuple[str, ...]:
        """All values that are text."""
        return tuple(value for value in self.values(name) if isinstance(value, str))


@dataclass(frozen=True, slots=True)
class Message:
    """A request or, the other way round, an answer: `code` is operation-id or status-code."""

    code: int
    request_id: int
    groups: tuple[Group, ...]
    version: int = VERSION

    def of(self, tag: GroupTag) -> tuple[Group, ...]:
        """All groups with a tag, in order."""
        return tuple(group for group in self.groups if group.tag == tag)


class IppError(ValueError):
    """These bytes are no IPP message; the value of no attribute is quoted."""


# --- out ---------------------------------------------------------------------------------------------------------


def request(
    operation: Operation, uri: str, request_id: int, operation_attributes: tuple[Attribute, ...], *rest: Group
) -> Message:
    """A request with the attributes that must come first (RFC 8011 §4.1.4)."""
    first = (
        Attribute("attributes-charset", ValueTag.CHARSET, ("utf-8",)),
        Attribute("attributes-natural-language", ValueTag.LANGUAGE, ("zh-cn",)),
        Attribute("printer-uri", ValueTag.URI, (uri,)),
    )
    return Message(operation, request_id, (Group(GroupTag.OPERATION, first + operation_attributes), *rest))


def encode(message: Message) -> bytes:
    """The bytes of a message, without document data."""
    parts = [struct.pack(">HHi", message.version, message.code, message.request_id)]
    for group in message.groups:
        parts.append(bytes((group.tag,)))
        for attribute in group.attributes:
            name = attribute.name.encode()
            for value in attribute.values:
                raw = _value_bytes(attribute.tag, value)
                parts.append(struct.pack(">BH", attribute.tag, len(name)) + name + struct.pack(">H", len(raw)) + raw)
                name = b""  # further values carry no name (RFC 8010 §3.1.5)
    return b"".join((*parts, bytes((GroupTag.END,))))


def _value_bytes(tag: int, value: Value) -> bytes:
    match value:
        case bool():
            return struct.pack(">?", value)
        case int():
            return struct.pack(">i", value)
        case str():
            return value.encode()
        case bytes():
            return value


# --- in ----------------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Message:
    """The message at the head of `data`; IppError. Collections come out as flat bytes: nothing here needs them."""
    if len(data) < 8:
        raise IppError("shorter than a header")
    version, code, request_id = struct.unpack_from(">HHi", data)
    groups = tuple(
        Group(tag, tuple(Attribute(name, kind, tuple(values)) for name, kind, values in attributes))
        for tag, attributes in _groups(data)
    )
    return Message(code, request_id, groups, version)


_Read = tuple[str, int, list[Value]]
"""Name, tag and values of an attribute."""


def _groups(data: bytes) -> Iterator[tuple[int, list[_Read]]]:
    offset = 8
    tag: int | None = None
    attributes: list[_Read] = []
    for _ in range(MAX_VALUES):
        if offset >= len(data):
            raise IppError("no end of attributes")
        head = data[offset]
        if head < 0x10:  # a delimiter
            if tag is not None:
                yield tag, attributes
            if head == GroupTag.END:
                return
            tag, attributes, offset = head, [], offset + 1
            continue
        if tag is None:
            raise IppError("attribute outside a group")
        name, raw, offset = _take(data, offset + 1)
        value = _value(head, raw)
        if name:
            attributes.append((name, head, [value]))
        elif attributes:
            attributes[-1][2].append(value)
        else:
            raise IppError("further value of nothing")
    raise IppError("too many values")


def _take(data: bytes, offset: int) -> tuple[str, bytes, int]:
    """Name, value and where the next begins."""
    raw_name, offset = _sized(data, offset)
    raw, offset = _sized(data, offset)
    return _text(raw_name), raw, offset


def _sized(data: bytes, offset: int) -> tuple[bytes, int]:
    if len(data) < offset + 2:
        raise IppError("torn")
    (length,) = struct.unpack_from(">H", data, offset)
    end = offset + 2 + length
    if len(data) < end:
        raise IppError("torn")
    return data[offset + 2 : end], end


def _value(tag: int, raw: bytes) -> Value:
    match tag:
        case ValueTag.INTEGER | ValueTag.ENUM:
            if len(raw) != 4:
                raise IppError("number is not 4 bytes")
            number: int = struct.unpack(">i", raw)[0]
            return number
        case ValueTag.BOOLEAN:
            if raw not in (b"\x00", b"\x01"):
                raise IppError("boolean is not 0 or 1")
            return raw == b"\x01"
        case ValueTag.NAME_WITH_LANGUAGE | ValueTag.TEXT_WITH_LANGUAGE:
            _, offset = _sized(raw, 0)
            return _text(_sized(raw, offset)[0])
        case _ if 0x40 <= tag <= 0x4F:
            return _text(raw)
        case _:
            return raw


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise IppError("text is not UTF-8") from None
