"""What is inside an envelope: the submission (申办) as the hall reads it after opening."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kiosk.contract.wire import Instant, Sha256, Short, Size, SubmissionId, TerminalId, Text, Wire

AnswerValue = Annotated[str, Field(max_length=2000)] | bool | int | None
"""Answers are text, yes/no, or whole numbers. Dates are ISO 8601 text."""

CardKind = Literal["resident", "hmt", "permanent_2017", "permanent_2023"]


class IdentityProof(Wire):
    """How the terminal knows who is there: a card (实名) read at an instant, or nobody (L0)."""

    method: Literal["id_card", "none"]
    card: CardKind | None = None
    name: Short = ""
    id_number: Short = ""
    valid_to: Short = ""
    """ISO date, or 长期."""
    read_at: Instant
    terminal_id: TerminalId


class AnswerRecord(Wire):
    """One answer with its provenance."""

    value: AnswerValue
    source: Short
    """`citizen`, `id_card`, `social_card`, `licence:<id>` or `material:<id>`."""
    at: Instant


class MaterialUse(Wire):
    """One material (材料) and where it came from."""

    id: Short
    source: Literal["camera", "licence_library", "card_reader"]
    name: Short
    licence_id: Short = ""
    blob: Sha256 | None = None
    """SHA-256 of the sealed bytes, listed in the envelope header."""
    original_sha256: Sha256 | None = None
    media_type: Short = ""
    size: Size = 0
    captured_at: Instant | None = None


class Consent(Wire):
    """A citizen's yes to one use of one licence (证照复用授权)."""

    purpose: Short
    subject: Short
    at: Instant


class Submission(Wire):
    """One filing; the hall keeps it with the item version it was answered under."""

    format: Literal["submission/1"] = "submission/1"
    id: SubmissionId
    application_no: Short
    query_code: Short
    item_code: Short
    item_version: int
    bundle: int
    channel: Literal["terminal"] = "terminal"
    terminal_id: TerminalId
    created_at: Instant
    applicant: IdentityProof
    answers: dict[str, AnswerRecord] = Field(default_factory=dict)
    materials: tuple[MaterialUse, ...] = ()
    consents: tuple[Consent, ...] = ()
    note: Text = ""
    corrects: Short = Field(default="", exclude_if=lambda number: not number)
    """补正: the application number of the case that this one corrects, in plain form; it has a number of its own. Empty
    for a first filing, and then left out of the bytes, which so stay what they were before there were corrections."""
