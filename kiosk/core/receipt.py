"""A receipt (回执) as a document: what must be on it, and lines for a 576-dot printer.

Promise P28: application number, where and how to query, and the code; a receipt without them is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["title", "subtitle", "body", "strong", "small", "number", "center", "center_small"]


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, wrapped by the renderer."""

    text: str
    style: Style = "body"


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line across the paper."""

    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code with a caption under it; error correction M."""

    data: str
    caption: str


Block = Line | Pair | Rule | Code


@dataclass(frozen=True, slots=True)
class Receipt:
    """One slip of paper, top to bottom."""

    job: str
    """Print job key: unique per slip; the printer's proof is asked for under it."""
    blocks: tuple[Block, ...]


MANDATORY_LABELS = ("受理编号", "查询码", "事项", "受理时间", "查询方式")


class ReceiptError(ValueError):
    """The receipt lacks a mandatory line."""


def require_mandatory(receipt: Receipt) -> Receipt:
    """The same receipt, or ReceiptError naming the missing lines (P28)."""
    present = {block.label for block in receipt.blocks if isinstance(block, Pair) and block.value}
    missing = [label for label in MANDATORY_LABELS if label not in present]
    if missing:
        raise ReceiptError("receipt lacks " + "、".join(missing))
    if not any(isinstance(block, Code) for block in receipt.blocks):
        raise ReceiptError("receipt lacks its code")
    return receipt
