"""The 256-byte text block of an identity card: UTF-16LE, space padded, four layouts told apart at byte 248.

Places of the fields: `id_card_layouts`. A block that does not hold together is refused with the field that is wrong,
never with its content.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from kiosk.core.id_card import CardType, IdCard
from kiosk.core.id_card_layouts import CARD_TYPES, CHARACTER_OF, LAYOUTS, Field, Layout
from kiosk.core.identity import Holder, is_permanent_2017_number, parse_person_number
from kiosk.core.nations import NATION_CODES, NATIONS
from kiosk.core.private_use import map_private_use
from kiosk.core.result import Err, Ok, Result

TEXT_BYTES = 256
PHOTO_BYTES = 1024
ADDRESS_BYTES = 70
LONG_TERM = "长期"
_SEXES = frozenset("0129")


class CardTextFault(StrEnum):
    """What is wrong with a block."""

    LENGTH = "length"
    """Not 256 bytes of text, or a photo of another size than 1,024 bytes."""
    TYPE = "type"
    """A card type that this terminal does not know."""
    TEXT = "text"
    """Not UTF-16, or control characters."""
    MISSING = "missing"
    """A field that every card has is blank."""
    SEX = "sex"
    NATION = "nation"
    DATE = "date"
    PERIOD = "period"
    """The card ends before it begins."""
    ID_NUMBER = "id_number"
    """The number fails its own check or belongs on another kind of card."""


@dataclass(frozen=True, slots=True)
class CardTextError:
    """Why a block was refused; carries no content of the card."""

    fault: CardTextFault
    field: str = ""


class _Refused(Exception):
    """Internal: leaves the decoder at the first fault."""

    def __init__(self, fault: CardTextFault, field: Field) -> None:
        super().__init__(fault)
        self.error = CardTextError(fault, field)


def decode_text_block(block: bytes, photo: bytes = b"") -> Result[IdCard, CardTextError]:
    """What the card says. `photo` is kept as it is: 1,024 bytes WLT, or empty if it was not read."""
    if len(block) != TEXT_BYTES:
        return Err(CardTextError(CardTextFault.LENGTH, "text"))
    if len(photo) not in (0, PHOTO_BYTES):
        return Err(CardTextError(CardTextFault.LENGTH, "photo"))
    card_type = CARD_TYPES.get(block[248:250].decode("utf-16-le", "replace"))
    if card_type is None:
        return Err(CardTextError(CardTextFault.TYPE, "type"))
    try:
        return Ok(_Block(block, LAYOUTS[card_type]).card(card_type, photo))
    except _Refused as refused:
        return Err(refused.error)


def with_newest_address(card: IdCard, record: bytes) -> Result[IdCard, CardTextError]:
    """The card with the address of its additional record (70 bytes, 追加地址), the printed one kept beside it. An
    empty record changes nothing."""
    if len(record) != ADDRESS_BYTES:
        return Err(CardTextError(CardTextFault.LENGTH, "address"))
    try:
        newest = map_private_use(_Block(record, {"address": (0, ADDRESS_BYTES)}).text("address"))
    except _Refused as refused:
        return Err(refused.error)
    if newest in ("", card.address):
        return Ok(card)
    return Ok(replace(card, address=newest, printed_address=card.printed_address or card.address))


def encode_address_record(address: str) -> bytes:
    """The record that holds this address; ValueError if it is too long. For card simulators and tests."""
    record = address.encode("utf-16-le")
    if len(record) > ADDRESS_BYTES:
        raise ValueError(f"address is longer than {ADDRESS_BYTES // 2} UTF-16 units")
    return record + " ".encode("utf-16-le") * ((ADDRESS_BYTES - len(record)) // 2)


@dataclass(frozen=True, slots=True)
class _Block:
    raw: bytes
    layout: Layout

    def card(self, card_type: CardType, photo: bytes) -> IdCard:
        english = (self._padded("english") + self._padded("english_more")).strip()
        name = map_private_use(self.text("name")) or english
        if not name:
            raise _Refused(CardTextFault.MISSING, "name")
        valid_from = self.date("from")
        valid_to = None if self.text("to") == LONG_TERM else self.date("to")
        if valid_to is not None and valid_to < valid_from:
            raise _Refused(CardTextFault.PERIOD, "to")
        return IdCard(
            type=card_type,
            name=name,
            id_number=self.id_number(card_type),
            sex=self.sex(),
            nation=self.nation(),
            birth=self.date("birth"),
            address=map_private_use(self.text("address")),
            issuer=self.text("issuer"),
            valid_from=valid_from,
            valid_to=valid_to,
            english_name=english,
            country=self.text("country"),
            pass_number=self.text("pass"),
            issue_count=self.text("count"),
            photo=photo,
        )

    def text(self, name: Field) -> str:
        """A field without its padding; empty if this layout has no such field."""
        return self._padded(name).strip(" \u3000")

    def _padded(self, name: Field) -> str:
        offset, length = self.layout.get(name, (0, 0))
        try:
            text = self.raw[offset : offset + length].decode("utf-16-le").rstrip("\0")
        except UnicodeDecodeError:
            raise _Refused(CardTextFault.TEXT, name) from None
        if not all(map(_harmless, text)):
            raise _Refused(CardTextFault.TEXT, name)
        return text

    def date(self, name: Field) -> date:
        digits = self.text(name)
        try:
            if not (len(digits) == 8 and digits.isascii() and digits.isdigit()):
                raise ValueError
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            raise _Refused(CardTextFault.DATE, name) from None

    def sex(self) -> str:
        sex = self.text("sex")
        if sex not in _SEXES:
            raise _Refused(CardTextFault.SEX, "sex")
        return sex

    def nation(self) -> str:
        """In words; empty for a two-digit code outside the standard, which some genuine cards carry."""
        code = self.text("nation")
        if "nation" in self.layout and not (len(code) == 2 and code.isascii() and code.isdigit()):
            raise _Refused(CardTextFault.NATION, "nation")
        return NATIONS.get(code, "")

    def id_number(self, card_type: CardType) -> str:
        number = self.text("id").upper()
        if not _fits(card_type, number):
            raise _Refused(CardTextFault.ID_NUMBER, "id")
        return number


def _fits(card_type: CardType, number: str) -> bool:
    """Is this a good number for this kind of card?"""
    if card_type is CardType.PERMANENT_2017:
        return is_permanent_2017_number(number)
    match parse_person_number(number):
        case Err():
            return False
        case Ok(good):
            return good.holder in _HOLDERS[card_type]


_HOLDERS: Mapping[CardType, frozenset[Holder]] = {
    CardType.RESIDENT: frozenset({Holder.CITIZEN}),
    CardType.HMT: frozenset({Holder.HONG_KONG, Holder.MACAO, Holder.TAIWAN}),
    CardType.PERMANENT_2023: frozenset({Holder.FOREIGNER}),
}


def _harmless(character: str) -> bool:
    """No control, format (text direction!), line separator or non-character; unassigned ones may be new hanzi."""
    point = ord(character)
    return unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp") and not (
        0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
    )


def encode_text_block(card: IdCard) -> bytes:
    """The block that decodes to this card (without its photo); ValueError if a text is too long for its field.

    For card simulators and tests. Fields that `IdCard` does not carry are blank.
    """
    layout = LAYOUTS[card.type]
    block = bytearray(" ".encode("utf-16-le") * (TEXT_BYTES // 2))
    for name, text in _texts(card).items():
        if name not in layout:
            continue
        offset, length = layout[name]
        encoded = text.encode("utf-16-le")
        if len(encoded) > length:
            raise ValueError(f"{name} is longer than {length // 2} UTF-16 units")
        block[offset : offset + len(encoded)] = encoded
    return bytes(block)


def _texts(card: IdCard) -> dict[Field, str]:
    split = 35 if card.type is CardType.PERMANENT_2023 else len(card.english_name)
    only_english = card.english_name != "" and card.name == card.english_name
    return {
        "name": "" if only_english else card.name,
        "english": card.english_name[:split],
        "english_more": card.english_name[split:],
        "sex": card.sex,
        "nation": NATION_CODES.get(card.nation, ""),
        "birth": _digits(card.birth),
        "address": card.address,
        "id": card.id_number,
        "issuer": card.issuer,
        "country": card.country,
        "from": _digits(card.valid_from),
        "to": LONG_TERM if card.valid_to is None else _digits(card.valid_to),
        "pass": card.pass_number,
        "count": card.issue_count,
        "type": CHARACTER_OF[card.type],
    }


def _digits(day: date) -> str:
    return day.isoformat().replace("-", "")


class CardValidity(StrEnum):
    """Is the card good today?"""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"


def card_validity(card: IdCard, today: date) -> CardValidity:
    """`today` is the day in China. The last day counts."""
    if today < card.valid_from:
        return CardValidity.NOT_YET_VALID
    if card.valid_to is not None and today > card.valid_to:
        return CardValidity.EXPIRED
    return CardValidity.VALID
