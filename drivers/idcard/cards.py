"""Cards by their answer to reset; pure."""

from __future__ import annotations

from enum import Enum


class CardClass(Enum):
    """Whose card it is, as far as an ATR tells."""

    READABLE = "readable"
    """A resident card behind SAM_V: can be read here."""
    RESIDENT_WITHOUT_SAM = "resident_without_sam"
    """A resident card on an ordinary contactless reader: nobody can read it here."""
    FOREIGN = "foreign"


# PC/SC part 3 §3.1.3.2.3: storage cards show their standard (1 byte) and name (2 bytes) after this.
_STORAGE_CARD = bytes.fromhex("3B8F8001804F0CA000000306")
_NAME_AT = len(_STORAGE_CARD) + 1
_SAM_V_NAMES = (bytes.fromhex("FFB0"), bytes.fromhex("9000"))
_RESIDENT_TYPE_B = bytes.fromhex("3B888001D10386050080800058")


def classify(atr: bytes) -> CardClass:
    """By ATR (pcsc-tools smartcard_list.txt: "Chinese ID Card", "Resident Identity Card"; name 90 00: readinfo)."""
    if atr == _RESIDENT_TYPE_B:
        return CardClass.RESIDENT_WITHOUT_SAM
    if atr.startswith(_STORAGE_CARD) and atr[_NAME_AT : _NAME_AT + 2] in _SAM_V_NAMES:
        return CardClass.READABLE
    return CardClass.FOREIGN
