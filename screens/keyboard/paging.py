"""Candidates on pages: which fit into the place of the keys. Pure arithmetic."""

from __future__ import annotations

GRID_WIDTH, GRID_ROWS = 860, 4
LETTER, ROOM, LEAST, GAP = 46, 44, 84, 8
"""Pixels of a candidate: per character, around, at least, between. The same numbers draw it (Candidate.qml)."""


def grid_pages(words: list[str]) -> list[int]:
    """Where each page of candidates begins, so that every page fits its rows."""
    starts: list[int] = []
    row, x = GRID_ROWS, 0
    for number, word in enumerate(words):
        width = max(LEAST, LETTER * len(word) + ROOM) + GAP
        if x + width > GRID_WIDTH + GAP:
            row, x = row + 1, 0
        if row >= GRID_ROWS:
            row, x = 0, 0
            starts.append(number)
        x += width
    return starts
