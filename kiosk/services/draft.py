"""A draft (草稿) as it is sealed: answers and pictures of an item that was begun."""

from __future__ import annotations

from pydantic import Base64Bytes

from kiosk.contract.submission import AnswerRecord
from kiosk.contract.wire import Instant, Short, Wire


class StoredCapture(Wire):
    """A picture of one material."""

    original: Base64Bytes
    page: Base64Bytes
    width: int
    height: int
    advice: Short
    at: Instant


class Draft(Wire):
    """What is kept of a flow."""

    item_code: Short
    item_version: int
    at: Instant
    answers: dict[str, AnswerRecord]
    captures: dict[str, StoredCapture]
    filing: Short = ""
    """Submit was pressed: the id that the filing has if it was written down."""
    corrects: Short = ""
    """补正: of which case; empty for a first filing."""
    wanted: str = ""
    """What the department wanted of it then."""

    @property
    def matter(self) -> str:
        """What it is a draft of: one case, or one item. A card has at most one of each."""
        return self.corrects or self.item_code
