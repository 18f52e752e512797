"""IPP messages as a printer reads and writes them (RFC 8010); pure.

Written from the RFC and not from the driver's codec, so that the two check each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OPERATION, JOB, END, PRINTER, UNSUPPORTED = 1, 2, 3, 4, 5
INTEGER, BOOLEAN, ENUM, TEXT, NAME, KEYWORD, URI = 0x21, 0x22, 0x23, 0x41, 0x42, 0x44, 0x45
CHARSET, LANGUAGE, MIME = 0x47, 0x48, 0x49
NO_VALUE = 0x13

Scalar = int | bool | str
Attributes = dict[str, tuple[int, list[Scalar]]]
"""Name → value tag and values."""


class WireError(ValueError):
    """The client does not speak IPP."""


@dataclass(slots=True)
class Request:
    """What came in: attributes of all groups by name, and the document."""

    version: int
    operation: int
    id: int
    attributes: Attributes = field(default_factory=dict)
    document: bytes = b""

    def first(self, name: str) -> Scalar | None:
        """First value."""
        _, values = self.attributes.get(name, (0, []))
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """All values as text."""
        return [str(value) for value in self.attributes.get(name, (0, []))[1]]


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise WireError("torn")
        self.at += count
        return piece

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big", signed=count == 4)

    def sized(self) -> bytes:
        return self.take(self.number(2))


def read_request(data: bytes) -> Request:
    """WireError."""
    cursor = _Cursor(data)
    request = Request(cursor.number(2), cursor.number(2), cursor.number(4))
    current: list[Scalar] = []
    while (tag := cursor.number(1)) != END:
        if tag < 0x10:
            continue
        name, raw = cursor.sized().decode("utf-8", "replace"), cursor.sized()
        if name:
            current = []
            request.attributes[name] = (tag, current)
        current.append(_scalar(tag, raw))
    request.document = data[cursor.at :]
    return request


def _scalar(tag: int, raw: bytes) -> Scalar:
    if tag in (INTEGER, ENUM) and len(raw) == 4:
        return int.from_bytes(raw, "big", signed=True)
    if tag == BOOLEAN and len(raw) == 1:
        return raw != b"\x00"
    return raw.decode("utf-8", "replace")


def write_answer(request: Request, status: int, groups: list[tuple[int, Attributes]]) -> bytes:
    """The bytes of an answer, in the client's version."""
    head: Attributes = {
        "attributes-charset": (CHARSET, ["utf-8"]),
        "attributes-natural-language": (LANGUAGE, ["en"]),
    }
    out = bytearray(request.version.to_bytes(2, "big") + status.to_bytes(2, "big"))
    out += request.id.to_bytes(4, "big", signed=True)
    for tag, attributes in [(OPERATION, head), *groups]:
        out.append(tag)
        for name, (kind, values) in attributes.items():
            for position, value in enumerate(values):
                word = name.encode() if position == 0 else b""
                raw = _raw(kind, value)
                out += bytes((kind,)) + len(word).to_bytes(2, "big") + word + len(raw).to_bytes(2, "big") + raw
    out.append(END)
    return bytes(out)


def _raw(kind: int, value: Scalar) -> bytes:
    if kind == NO_VALUE:
        return b""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    return value.to_bytes(4, "big", signed=True) if isinstance(value, int) else value.encode()
