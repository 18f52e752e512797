"""Personal data as it may be shown and printed (脱敏): enough to recognise oneself, not enough for a stranger."""

from __future__ import annotations

import unicodedata

STAR = "*"


def mask_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 买买提·吐尔逊 → 买*****逊; a single character is hidden."""
    characters = _characters(name.strip())
    if len(characters) < 2:
        return STAR * len(characters)
    if len(characters) == 2:
        return characters[0] + STAR
    first, *middle, last = characters
    return first + STAR * len(middle) + last


def mask_id_number(number: str) -> str:
    """First six and last four: 440699********1234."""
    return _keep(number, head=6, tail=4)


def mask_phone(phone: str) -> str:
    """First three and last four: 138****1234."""
    return _keep(phone, head=3, tail=4)


def mask_licence_number(number: str) -> str:
    """Last four."""
    return _keep(number, head=0, tail=4)


def _keep(text: str, *, head: int, tail: int) -> str:
    """Head and tail around stars; where that would show more than half, only the tail, and at last nothing."""
    hidden = len(text) - head - tail
    if hidden < 3:
        shown = min(tail, len(text) // 2)
        return STAR * (len(text) - shown) + text[len(text) - shown :]
    return text[:head] + STAR * hidden + text[len(text) - tail :]


def _characters(text: str) -> list[str]:
    """What a reader counts as characters: marks and variation selectors stay with their base."""
    characters: list[str] = []
    for point in text:
        if characters and unicodedata.category(point).startswith("M"):
            characters[-1] += point
        else:
            characters.append(point)
    return characters
