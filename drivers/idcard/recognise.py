"""Whose card lies there, when its answer to reset does not tell: asked by SELECT (ISO 7816-4); pure.

A payment directory (EMV Book 1 §12: PSE, PPSE) names the applications of its card, and they tell bank from transit.
"""

from __future__ import annotations

from collections.abc import Iterator

from drivers.idcard.profiles import CardClass, Profiles, Question

_APPLICATION = 0x4F
_LONGEST_TEXT = 4096


def select(question: Question, *, byte_wise: bool) -> bytes:
    """SELECT by name; `byte_wise`: T=0, where no length of the answer may follow data."""
    command = b"\x00\xa4\x04\x00" + bytes((len(question.name),)) + question.name
    return command if byte_wise else command + b"\x00"


def get_response(answer: bytes) -> bytes | None:
    """The command that fetches the data which SW 61xx promises; None: nothing is promised."""
    return b"\x00\xc0\x00\x00" + answer[1:] if len(answer) == 2 and answer[0] == 0x61 else None


def verdict(profiles: Profiles, question: Question, answer: bytes) -> CardClass | None:
    """What the answer to a question says; None: this card has no such application."""
    if len(answer) < 2 or answer[-2] not in (0x90, 0x61, 0x62, 0x63):
        return None
    return profiles.applications_say(_applications(answer[:-2])) or question.says


def _applications(data: bytes) -> Iterator[bytes]:
    """Values of tag 4F anywhere in a BER-TLV template; damaged rest is passed over."""
    at = 0
    while at + 2 <= len(data):
        tag, first = data[at], data[at]
        at += 1
        if first & 0x1F == 0x1F:
            tag = tag << 8 | data[at]
            at += 1
        if at >= len(data):
            return
        length = data[at]
        at += 1
        if length & 0x80:
            more = length & 0x7F
            length = int.from_bytes(data[at : at + more], "big")
            at += more
        if length > _LONGEST_TEXT:
            return
        value = data[at : at + length]
        at += length
        if first & 0x20:
            yield from _applications(value)
        elif tag == _APPLICATION:
            yield value
