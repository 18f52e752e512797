"""The receipt of a filing as it is kept for its holder, in case that the screen dies before it is printed.

Stored as JSON, sealed with the citizen's card (`CardKeys`): the same card at the same terminal opens it again.
"""

from __future__ import annotations

from typing import Annotated, Literal, assert_never

from pydantic import Field, ValidationError

from kiosk.contract.wire import Wire, canonical_json
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule, Style


class StoredLine(Wire):
    """See `Line`."""

    kind: Literal["line"] = "line"
    text: str
    style: Style


class StoredPair(Wire):
    """See `Pair`."""

    kind: Literal["pair"] = "pair"
    label: str
    value: str


class StoredRule(Wire):
    """See `Rule`."""

    kind: Literal["rule"] = "rule"
    dashed: bool


class StoredCode(Wire):
    """See `Code`."""

    kind: Literal["code"] = "code"
    data: str
    caption: str


StoredBlock = Annotated[StoredLine | StoredPair | StoredRule | StoredCode, Field(discriminator="kind")]


class StoredSlip(Wire):
    """What the done page says, and the paper in both of its versions."""

    format: Literal["slip/1"] = "slip/1"
    job: str
    item_name: str
    kind: Literal["application", "consultation"]
    application_no: str
    query_code: str
    query_place: str
    limit_days: int | None
    limit_unit: str
    corrects: str = Field(default="", exclude_if=lambda number: not number)
    """补正: the number of the case that it corrects."""
    saved: tuple[StoredBlock, ...]
    """Paper that says: safe here, goes by itself."""
    delivered: tuple[StoredBlock, ...]
    """Paper that says: the hall has it."""

    def receipt(self, *, delivered: bool) -> Receipt:
        """The paper to print."""
        blocks = self.delivered if delivered else self.saved
        return Receipt(self.job, tuple(map(_load, blocks)))


def store_blocks(receipt: Receipt) -> tuple[StoredBlock, ...]:
    """The paper in a form that survives JSON."""
    return tuple(map(_store, receipt.blocks))


def slip_bytes(slip: StoredSlip) -> bytes:
    """Canonical JSON, to be sealed."""
    return canonical_json(slip)


def parse_slip(raw: bytes) -> StoredSlip | None:
    """What `slip_bytes` made; None if these bytes are something else (an older or newer version)."""
    try:
        return StoredSlip.model_validate_json(raw)
    except ValidationError:
        return None


def _store(block: Block) -> StoredBlock:
    match block:
        case Line():
            return StoredLine(text=block.text, style=block.style)
        case Pair():
            return StoredPair(label=block.label, value=block.value)
        case Rule():
            return StoredRule(dashed=block.dashed)
        case Code():
            return StoredCode(data=block.data, caption=block.caption)
        case _:
            assert_never(block)


def _load(block: StoredBlock) -> Block:
    match block:
        case StoredLine():
            return Line(block.text, block.style)
        case StoredPair():
            return Pair(block.label, block.value)
        case StoredRule():
            return Rule(block.dashed)
        case StoredCode():
            return Code(block.data, block.caption)
        case _:
            assert_never(block)
