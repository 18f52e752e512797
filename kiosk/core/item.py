"""The `fuwu/1` item (事项): names, pages and conditions, materials, routing, deadlines, results — all data.

Loaded from JSON in the signed bundle (the hall writes YAML). Conditions are structured data, never strings.
`kiosk.core.item_check` finds what the types cannot; `kiosk.core.journey` walks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
)

from kiosk.core.devices import DeviceKind
from kiosk.core.print_ledger import PaperName

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z][0-9A-Z-]{2,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=400)]
AnswerScalar = str | bool | int


class Part(BaseModel):
    """A piece of an item."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class FieldIs(Part):
    """The answer equals."""

    field: Id
    is_: AnswerScalar = Field(alias="is")


class FieldIn(Part):
    """The answer is one of."""

    field: Id
    in_: tuple[AnswerScalar, ...] = Field(alias="in", min_length=1)


class FieldGte(Part):
    """The number is at least."""

    field: Id
    gte: int


class FieldLte(Part):
    """The number is at most."""

    field: Id
    lte: int


class All(Part):
    """Every one holds."""

    all: tuple[Condition, ...] = Field(min_length=1)


class Any(Part):
    """At least one holds."""

    any: tuple[Condition, ...] = Field(min_length=1)


class Not(Part):
    """It does not hold."""

    not_: Condition = Field(alias="not")


Condition = FieldIs | FieldIn | FieldGte | FieldLte | All | Any | Not


class Option(Part):
    """One choice: stored value and shown text."""

    v: Words
    t: Words


class Question(Part):
    """One field (字段) of a page."""

    id: Id
    type: Literal["text", "long_text", "yesno", "choice", "address", "phone", "number", "date"]
    label: Words
    hint: str = ""
    required: bool = True
    show: Condition | None = None
    options: tuple[Option, ...] = ()
    """Of a choice. A yes/no question may say `yes` and `no` in its own words, as 一样 and 不一样."""
    prefill: str | None = None
    """`card.name`, `card.address`, `licence.<type>.<field>`: offered, never forced."""
    max_length: int = 200
    min: int | None = None
    """Numbers: smallest value. Text and addresses: fewest characters."""
    max: int | None = None
    """Numbers: largest value."""


class Page(Part):
    """One screen: one thing a page. An exit page ends the journey at a window."""

    id: Id
    title: Words
    text: str = ""
    show: Condition | None = None
    exit: bool = False
    fields: tuple[Question, ...] = ()


class Material(Part):
    """A paper the department wants (材料) and where it may come from, best source first."""

    id: Id
    name: Words
    hint: str = ""
    licence: tuple[Words, ...] = ()
    """Licence type names that satisfy it (证照复用)."""
    sources: tuple[Literal["card_reader", "licence_library", "camera"], ...] = Field(min_length=1)
    original_check: Literal["none", "after"] = "none"
    show: Condition | None = None


class Span(Part):
    """A time limit."""

    days: int
    unit: Literal["workday", "day"] = "workday"


class Limits(Part):
    """Legal and promised limits (法定/承诺时限)."""

    legal: Span | None = None
    promised: Span
    correction_days: int | None = Field(default=None, ge=1, le=365, exclude_if=lambda days: days is None)
    """补正: working days that a citizen has for it; the hall's usual number if nothing is said."""


class Outcome(Part):
    """What the citizen gets (办理结果)."""

    id: Id
    kind: Literal["licence", "certificate", "answer"]
    name: Words
    template: Id | None = None
    validity_years: int = 0
    media: tuple[Literal["a4", "e_licence"], ...] = ()
    paper: PaperName = "plain"
    """What it is printed on: `numbered` licence paper (证照空白纸) has a serial of its own."""

    @model_serializer(mode="wrap")
    def _as_published(self, dump: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """An item version never changes: one that says nothing of its paper stays as it was first published."""
        document: dict[str, JsonValue] = dump(self)
        if self.paper == "plain":
            del document["paper"]
        return document


class Identity(Part):
    """Who may do it: L0 none, L2 card (实名等级)."""

    level: Literal["none", "card"]


class Item(Part):
    """One service item (事项), one version, for ever."""

    format: Literal["fuwu/1"]
    code: Code
    version: int = Field(ge=1)
    name: Words
    aliases: tuple[Words, ...] = ()
    department: Words
    summary: Words
    kind: Literal["application", "certificate", "consultation"]
    """Files with materials; prints at once; asks a question."""
    process: Literal["preview", "verify_before", "verify_after", "full_online"] = "full_online"
    visits: int = 0
    limits: Limits | None = None
    fee_text: Words = "免费"
    identity: Identity
    offline: Literal["queue", "online_only"]
    pages: tuple[Page, ...] = ()
    materials: tuple[Material, ...] = ()
    routing: tuple[dict[str, JsonValue], ...] = ()
    results: tuple[Outcome, ...] = ()
    basis: str = ""

    def required_devices(self) -> frozenset[DeviceKind]:
        """Devices without which the item cannot be offered (设备要求)."""
        needed: set[DeviceKind] = set()
        if self.identity.level == "card":
            needed.add(DeviceKind.ID_CARD)
        if self.kind == "certificate":
            needed.add(DeviceKind.PAGE)
        if any(material.sources[-1] == "camera" and material.show is None for material in self.materials):
            needed.add(DeviceKind.CAMERA)
        return frozenset(needed)

    def needs_sheet(self) -> bool:
        """Is a numbered sheet printed on at once?"""
        return self.kind == "certificate" and any(result.paper == "numbered" for result in self.results)


@dataclass(frozen=True, slots=True)
class ItemFault:
    """One thing wrong in a document: where, and what was expected. Never the value that stood there."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ItemError(ValueError):
    """These bytes are no `fuwu/1` item; every fault found is listed."""

    def __init__(self, faults: tuple[ItemFault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def load_item(raw: bytes) -> Item:
    """Read one item from JSON, strictly: unknown keys and wrong types are refused. Raises ItemError."""
    try:
        return Item.model_validate_json(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        found = [ItemFault(".".join(map(str, detail["loc"])) or "document", detail["type"]) for detail in details]
    # A broken condition fails every branch of its union: one line for each place and kind is enough.
    raise ItemError(tuple(dict.fromkeys(found)))
