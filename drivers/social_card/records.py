"""What the files EF05 and EF06 hold, item by item; pure.

人社信息函〔2012〕37号 (社会保障卡文件结构和数据项 V2.0): each item is tag (1 byte), length (1 byte), value. Texts are
GBK, here read as its superset GB 18030, so that rare characters come out; dates are BCD. Padding: 00, FF or spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from kiosk.core.identity import parse_person_number
from kiosk.core.nations import NATION_CODES, NATIONS
from kiosk.core.private_use import map_private_use
from kiosk.core.result import Err, Ok, Result
from kiosk.core.social_card import SocialCard

EF05 = 0xEF05
"""发卡机构数据文件."""
EF06 = 0xEF06
"""持卡人基本信息文件."""
Items = dict[int, bytes]
"""Values by tag."""


class Tag(IntEnum):
    """Data items that are read here, and those beside them in the same files."""

    CARD_ID = 0x01
    """卡识别码; its first three bytes are the issuing region in BCD."""
    CARD_CLASS = 0x02
    STANDARD = 0x03
    """规范版本."""
    INITIALISER = 0x04
    ISSUED = 0x05
    VALID_TO = 0x06
    CARD_NUMBER = 0x07
    """卡号; nine characters, whatever follows them."""
    PERSON_NUMBER = 0x08
    """社会保障号码."""
    NAME = 0x09
    NAME_MORE = 0x4E
    """姓名扩展: what does not fit into NAME; since version 2.0."""
    SEX = 0x0A
    NATION = 0x0B
    BIRTHPLACE = 0x0C
    BIRTH = 0x0D


WANTED: Mapping[int, tuple[Tag, ...]] = {
    EF05: (Tag.CARD_ID, Tag.STANDARD, Tag.ISSUED, Tag.VALID_TO, Tag.CARD_NUMBER),
    EF06: (Tag.PERSON_NUMBER, Tag.NAME, Tag.NAME_MORE, Tag.SEX, Tag.NATION, Tag.BIRTH),
}
"""What is read of each file."""
OPTIONAL = frozenset({Tag.VALID_TO, Tag.NAME_MORE})
"""Items that good cards lack."""

_SEXES = frozenset("0129")
_CARD_NUMBER_BYTES = 9
_PADDING = b"\0 \xff"
_CARD_NUMBER = re.compile(r"[0-9A-Z]{1,9}")
_FOREIGN_NUMBER = re.compile(r"[A-Z]{3}[0-9A-Z]{12,15}")
"""外国人社会保障号码 (人力资源社会保障部令第16号): country, then the number of a document, without a check rule."""
_STANDARD = re.compile(r"[0-9]\.[0-9]{1,2}")


@dataclass(frozen=True, slots=True)
class ItemError:
    """An item that makes no sense. Names the item, never its value."""

    item: str


class _Refused(Exception):
    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item


def parse_item(record: bytes) -> Result[tuple[int, bytes], ItemError]:
    """Tag and value of one record; exactly as long as it says."""
    if len(record) < 2 or len(record) != 2 + record[1]:
        return Err(ItemError("length"))
    return Ok((record[0], record[2:]))


def decode_card(items: Mapping[int, bytes]) -> Result[SocialCard, ItemError]:
    """The card of all its items."""
    try:
        return Ok(
            SocialCard(
                name=_name(items),
                id_number=_person_number(_ascii(items, Tag.PERSON_NUMBER)),
                card_number=_matching(_CARD_NUMBER, _ascii(items, Tag.CARD_NUMBER, _CARD_NUMBER_BYTES), "CARD_NUMBER"),
                sex=_sex(items),
                nation=NATIONS.get(_digits(_value(items, Tag.NATION)[:1], Tag.NATION), ""),
                birth=_date(items, Tag.BIRTH),
                region=_digits(_value(items, Tag.CARD_ID)[:3], Tag.CARD_ID, count=6),
                issued=_date(items, Tag.ISSUED),
                valid_to=_date(items, Tag.VALID_TO) if _says(items, Tag.VALID_TO) else None,
                standard=_matching(_STANDARD, _ascii(items, Tag.STANDARD), "STANDARD"),
            )
        )
    except _Refused as refused:
        return Err(ItemError(refused.item))


def encode_card(card: SocialCard) -> dict[int, Items]:
    """Files whose items decode to this card, for card simulators and tests; ValueError if its name is too long.

    A name longer than 30 bytes goes on in NAME_MORE. Items that `SocialCard` does not carry are invented.
    """
    name = card.name.encode("gb18030")
    if len(name) > 50:
        raise ValueError("name is longer than 50 bytes")
    region = bytes.fromhex(card.region)
    return {
        EF05: {
            Tag.CARD_ID: region + bytes.fromhex("00D156000005") + bytes(7),
            Tag.CARD_CLASS: b"3",
            Tag.STANDARD: card.standard.encode("ascii"),
            Tag.INITIALISER: (region + b"\0" * 9)[:12],
            Tag.ISSUED: _bcd(card.issued),
            Tag.VALID_TO: _bcd(card.valid_to) if card.valid_to else b"\xff" * 4,
            Tag.CARD_NUMBER: card.card_number.encode("ascii").ljust(_CARD_NUMBER_BYTES, b"\0"),
        },
        EF06: {
            Tag.PERSON_NUMBER: card.id_number.encode("ascii"),
            Tag.NAME: name[:30].ljust(30, b"\0"),
            Tag.NAME_MORE: name[30:].ljust(20, b"\0"),
            Tag.SEX: card.sex.encode("ascii"),
            Tag.NATION: bytes.fromhex(NATION_CODES.get(card.nation, "00")),
            Tag.BIRTHPLACE: region,
            Tag.BIRTH: _bcd(card.birth),
        },
    }


def _bcd(day: date) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}")


def _value(items: Mapping[int, bytes], tag: Tag) -> bytes:
    value = items.get(tag)
    if value is None:
        raise _Refused(tag.name)
    return value


def _says(items: Mapping[int, bytes], tag: Tag) -> bool:
    return items.get(tag, b"").strip(_PADDING) != b""


def _name(items: Mapping[int, bytes]) -> str:
    """Both parts are one text: a character of four bytes may begin in one and end in the other."""
    more = items.get(Tag.NAME_MORE, b"").rstrip(_PADDING)
    first = _value(items, Tag.NAME)
    whole = (first + more if more else first).rstrip(_PADDING)
    try:
        name = map_private_use(whole.decode("gb18030")).strip(" \u3000")
    except UnicodeDecodeError:
        raise _Refused("NAME") from None
    if not name or not all(map(_harmless, name)):
        raise _Refused("NAME")
    return name


def _harmless(character: str) -> bool:
    """No control, format (text direction!), line separator, surrogate or replacement character."""
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") and character != "\ufffd"


def _ascii(items: Mapping[int, bytes], tag: Tag, most: int | None = None) -> str:
    try:
        return _value(items, tag)[:most].strip(_PADDING).decode("ascii").upper()
    except UnicodeDecodeError:
        raise _Refused(tag.name) from None


def _matching(pattern: re.Pattern[str], text: str, item: str) -> str:
    if not pattern.fullmatch(text):
        raise _Refused(item)
    return text


def _person_number(text: str) -> str:
    if _FOREIGN_NUMBER.fullmatch(text):
        return text
    match parse_person_number(text):
        case Ok(good):
            return good.text
        case Err():
            raise _Refused("PERSON_NUMBER")


def _sex(items: Mapping[int, bytes]) -> str:
    """As a character on most cards, as a number on some."""
    value = _value(items, Tag.SEX)
    sex = chr(value[0] if value[0] > 9 else value[0] + ord("0")) if len(value) == 1 else ""
    if sex not in _SEXES:
        raise _Refused("SEX")
    return sex


def _digits(value: bytes, tag: Tag, *, count: int = 2) -> str:
    digits = value.hex()
    if len(digits) != count or not digits.isdigit():
        raise _Refused(tag.name)
    return digits


def _date(items: Mapping[int, bytes], tag: Tag) -> date:
    digits = _digits(_value(items, tag), tag, count=8)
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise _Refused(tag.name) from None
