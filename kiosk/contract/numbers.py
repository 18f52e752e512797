"""Numbers minted on the terminal without asking anybody: submission id and application number (受理号).

Application number: region 6 digits, date yymmdd, terminal 4, serial 4, check 1; printed in groups.
The query code (查询码) has 8 characters from an alphabet without look-alikes.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

ALPHABET = "23456789ABCDEFGHJKLMNPRSTUVWXYZ"
"""31 characters: no 0 1 I O Q."""
_BODY = re.compile(r"^(\d{6})(\d{6})([0-9A-Z]{4})(\d{4})$")


def mint_submission_id(*, unix_ms: int, random_bytes: Callable[[int], bytes]) -> str:
    """UUIDv7 (RFC 9562 §5.7) from milliseconds since 1970 and 10 random bytes."""
    raw = bytearray(unix_ms.to_bytes(6, "big") + random_bytes(10))
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def mint_query_code(random_bytes: Callable[[int], bytes]) -> str:
    """8 characters of `ALPHABET` (39 bits), uniform by rejection."""
    code = ""
    while len(code) < 8:
        for byte in random_bytes(16):
            if byte < 248 and len(code) < 8:
                code += ALPHABET[byte % 31]
    return code


def _check_character(body: str) -> str:
    """Luhn mod 31 over the body, each character valued by its position in 0-9A-Z modulo 31."""
    total = 0
    for position, character in enumerate(reversed(body)):
        value = int(character, 36) % 31
        if position % 2 == 0:
            value *= 2
            value = value // 31 + value % 31
        total += value
    return ALPHABET[-total % 31]


@dataclass(frozen=True, slots=True)
class ApplicationNumber:
    """受理号: where (region), when (day), which terminal, which of the day."""

    region: str
    day: date
    terminal: str
    serial: int

    def __str__(self) -> str:
        body = f"{self.region}{self.day:%y%m%d}{self.terminal}{self.serial:04d}"
        return body + _check_character(body)

    def printed(self) -> str:
        """In groups for the eye: 440604-261122-T001-0007-K."""
        text = str(self)
        return "-".join((text[:6], text[6:12], text[12:16], text[16:20], text[20]))

    @classmethod
    def parse(cls, text: str) -> ApplicationNumber:
        """Read a number with or without hyphens and spaces; ValueError if it is none or its check is wrong."""
        plain = text.replace("-", "").replace(" ", "").upper()
        match = _BODY.match(plain[:-1])
        if match is None or len(plain) != 21:
            raise ValueError("not an application number")
        if _check_character(plain[:-1]) != plain[-1]:
            raise ValueError("application number check character is wrong")
        region, day, terminal, serial = match.groups()
        return cls(region, date(2000 + int(day[:2]), int(day[2:4]), int(day[4:])), terminal, int(serial))
