"""Line breaking for Chinese text (GB/T 15834-2011 §5.1: which marks may not start or end a line); pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

NOT_AT_START = frozenset("，。、；：？！…—·）》〉」』】〕〗”’％℃%,.;:?!)]}°′″～")
"""Closing marks stay with what they close."""
NOT_AT_END = frozenset("（《〈「『【〔〖“‘([{￥$№")
"""Opening marks stay with what they open."""

_OPENING = tuple(NOT_AT_END)
_COUNTED = frozenset("年月日时分秒号页份个件元天")
_DATED = frozenset("年月日时分")
"""2026年11月22日 and 5个 are read in one go."""

Width = Callable[[str], float]
"""Width of one character, in dots."""


def clusters(text: str) -> Iterator[str]:
    """Pieces that are better not broken: a hanzi with its marks, a Latin word or number, a run of blanks."""
    piece = ""
    for character in text:
        if piece and _may_break(piece, character):
            yield piece
            piece = ""
        piece += character
    if piece:
        yield piece


def wrap(text: str, *, width: Width, limit: float) -> list[str]:
    """Lines no wider than `limit`. An over-long piece is cut hard; blanks at a line's edges are dropped."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for cluster in clusters(paragraph):
            for piece in _fit(cluster, width=width, limit=limit):
                if line and _measure(line + piece.rstrip(" "), width) > limit:
                    lines.append(line.rstrip(" "))
                    line = piece.lstrip(" ")
                else:
                    line += piece
        lines.append(line.rstrip(" "))
    return lines


def _fit(cluster: str, *, width: Width, limit: float) -> Iterator[str]:
    """The cluster, or characters of it as far as they go when it is wider than a line."""
    if _measure(cluster.rstrip(" "), width) <= limit:
        yield cluster
        return
    piece = ""
    for character in cluster:
        if piece and _measure(piece + character, width) > limit:
            yield piece
            piece = ""
        piece += character
    yield piece


def _measure(text: str, width: Width) -> float:
    return sum(map(width, text))


def _may_break(piece: str, after: str) -> bool:
    before = piece[-1]
    if after in NOT_AT_START or after == " " or piece.rstrip(" ").endswith(_OPENING):
        return False
    if (before.isdigit() and after in _COUNTED) or (before in _DATED and after.isdigit()):
        return False
    return before == " " or not (_is_word(before) and _is_word(after))


def _is_word(character: str) -> bool:
    """Letters, digits and what joins them: everything before the CJK blocks that is no blank or dash."""
    return character < "⺀" and character != " " and character not in "·…—“”‘’"
