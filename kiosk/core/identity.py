"""Numbers of persons and organisations: GB 11643 (公民身份号码) and GB 32100 (统一社会信用代码).

GB 11643-1999: 6 digits region, 8 digits birth date, 3 digits sequence (odd: male), 1 check character by
ISO 7064 MOD 11-2. The residence permits of Hong Kong, Macao and Taiwan residents use regions 810000, 820000 and
830000; the foreigners' permanent residence card of 2023 keeps the shape and begins with 9, its digits 4 to 6 being
the nationality (National Immigration Administration, card machine-reading rules, 2023 edition).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from kiosk.core.result import Err, Ok, Result

_CITIZEN = re.compile(r"[0-9]{17}[0-9X]")
_CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_CHECK = "10X98765432"
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]")
_CREDIT = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PERMANENT_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")


class NumberFault(StrEnum):
    """The first check that a number failed."""

    SHAPE = "shape"
    """Wrong length or characters."""
    REGION = "region"
    BIRTH = "birth"
    """Its birth date is no date, or before 1850."""
    CHECK = "check"
    """The check character does not fit: a digit is wrong or two are swapped."""


class Holder(StrEnum):
    """Whose number it is."""

    CITIZEN = "citizen"
    HONG_KONG = "hong_kong"
    MACAO = "macao"
    TAIWAN = "taiwan"
    FOREIGNER = "foreigner"


_PERMITS = {"810000": Holder.HONG_KONG, "820000": Holder.MACAO, "830000": Holder.TAIWAN}


@dataclass(frozen=True, slots=True)
class PersonNumber:
    """A good 18-character number and what it says. Never logged: its repr is empty."""

    text: str = field(repr=False)
    holder: Holder
    region: str = field(repr=False)
    """First six digits; for foreigners 9, province 2, nationality 3."""
    birth: date = field(repr=False)
    male: bool = field(repr=False)


def person_check_character(body: str) -> str:
    """The 18th character of 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(body, _CITIZEN_WEIGHTS, strict=True))
    return _CITIZEN_CHECK[total % 11]


def parse_person_number(text: str) -> Result[PersonNumber, NumberFault]:
    """Check an 18-character number; spaces around it and a small x are forgiven."""
    plain = text.strip().upper()
    if not _CITIZEN.fullmatch(plain):
        return Err(NumberFault.SHAPE)
    holder = _holder(plain[:6])
    if holder is None:
        return Err(NumberFault.REGION)
    birth = _date(plain[6:14])
    if birth is None:
        return Err(NumberFault.BIRTH)
    if person_check_character(plain[:17]) != plain[17]:
        return Err(NumberFault.CHECK)
    return Ok(PersonNumber(plain, holder, plain[:6], birth, int(plain[16]) % 2 == 1))


def is_permanent_2017_number(text: str) -> bool:
    """Three letters (country) and twelve digits; the 2017 card has no published check rule."""
    return _PERMANENT_2017.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A good unified social credit code (统一社会信用代码)."""

    text: str
    category: str
    """Registering department and kind of organisation, two characters."""
    region: str
    organisation: str
    """GB 11714 organisation code, nine characters."""


def credit_check_character(body: str) -> str:
    """The 18th character of 17: weights 3^i modulo 31 (GB 32100-2015)."""
    total = sum(_CREDIT_ALPHABET.index(character) * pow(3, position, 31) for position, character in enumerate(body))
    return _CREDIT_ALPHABET[-total % 31]


def parse_credit_code(text: str) -> Result[CreditCode, NumberFault]:
    """Check a credit code; spaces around it and small letters are forgiven."""
    plain = text.strip().upper()
    if not _CREDIT.fullmatch(plain):
        return Err(NumberFault.SHAPE)
    if credit_check_character(plain[:17]) != plain[17]:
        return Err(NumberFault.CHECK)
    return Ok(CreditCode(plain, plain[:2], plain[2:8], plain[8:17]))


def _holder(region: str) -> Holder | None:
    if region in _PERMITS:
        return _PERMITS[region]
    if region[0] == "9":
        return Holder.FOREIGNER
    return Holder.CITIZEN if _PROVINCE.match(region) else None


def _date(digits: str) -> date | None:
    try:
        birth = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return birth if birth.year >= 1850 else None
