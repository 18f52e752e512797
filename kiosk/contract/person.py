"""A citizen's own matters (我的空间): applications, licences (证照), certificates and print jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kiosk.contract.submission import AnswerValue, IdentityProof
from kiosk.contract.wire import Instant, Sha256, Short, Size, Text, Whole, Wire

CaseState = Literal[
    "received", "accepted", "handling", "correction_wanted", "granted", "denied", "answered", "withdrawn", "expired"
]
"""`expired`: 逾期未补正, closed because no correction came."""


class PersonSessionRequest(Wire):
    """POST /v1/me/session: the card that lies on the reader."""

    proof: IdentityProof


class PersonSession(Wire):
    """A short-lived bearer token for /v1/me, never stored."""

    token: Short
    expires_at: Instant


class ApplicationSummary(Wire):
    """One case (办件) of this person."""

    application_no: Short
    item_code: Short
    item_name: Short
    state: CaseState
    received_at: Instant
    due_at: Instant | None = None
    message: Text = ""
    licence_id: Short = ""
    """The licence that came out of it, printable at any terminal."""
    correct_by: Instant | None = None
    """While a correction is wanted (补正): until when. `message` says what."""


class LicenceSummary(Wire):
    """One licence (证照) this person holds."""

    id: Short
    type_name: Short
    number: Short
    issuer: Short
    holder: Short
    """Masked."""
    valid_from: Short
    valid_to: Short
    printable: bool
    usable: bool
    """May be reused as a material: valid, not expired, not revoked."""
    paper: Literal["plain", "numbered"] = "plain"
    """What it is printed on."""
    fields: dict[str, str] = Field(default_factory=dict)
    """What may prefill answers, for example ``employer``."""


class Applications(Wire):
    """GET /v1/me/applications, newest first."""

    applications: tuple[ApplicationSummary, ...]


class Licences(Wire):
    """GET /v1/me/licences, newest first."""

    licences: tuple[LicenceSummary, ...]


class FormerAnswers(Wire):
    """GET /v1/me/applications/{no}/answers: what she answered, while a correction of it is wanted (补正)."""

    application_no: Short
    item_code: Short
    item_version: Whole
    answers: dict[str, AnswerValue]


class IssueRequest(Wire):
    """POST /v1/me/certificates: an at-once certificate (立等可取) of an item, made by the hall now.

    `request_id` makes it idempotent: the same id again returns the same certificate.
    """

    request_id: Short
    item_code: Short
    item_version: Whole
    answers: dict[str, str | bool | int | None] = Field(default_factory=dict)


class PrintJobRequest(Wire):
    """POST /v1/me/print-jobs; the same `request_id` again returns the same job."""

    request_id: Short
    licence_id: Short


class PrintJob(Wire):
    """A document to print, fetched by GET /v1/print-jobs/{id}/document (application/pdf)."""

    id: Short
    title: Short
    sha256: Sha256
    size: Size
    pages: Whole
    media: Literal["iso_a4_210x297mm"] = "iso_a4_210x297mm"
    licence_id: Short
    licence_number: Short
    paper: Literal["plain", "numbered"] = "plain"
    """Numbered licence paper (证照空白纸), whose serial the terminal reports."""
    key_id: Short
    signature: str
    """Base64 Ed25519 over ``CWP1`` + id + NUL + sha256: the terminal prints nothing the hall did not sign (P49)."""


class PrintOutcome(Wire):
    """POST /v1/print-jobs/{id}/outcome, by the terminal itself: the citizen may be gone. Told until it is answered
    with 204; the same again is the same.

    One job may have several papers (a jam, a reprint), each with a number and attempts of its own.
    """

    outcome: Literal["proven", "failed", "unknown", "void"]
    pages: Whole
    fault: Short = ""
    at: Instant
    number: Short = ""
    """The paper's number in the terminal's print ledger; the first one bears the job's id."""
    attempt: Whole = 1
    """Of this number, from 1: it failed before, and nothing came out."""
    serial: Short = ""
    """Of the numbered sheet: used when proven, spoiled when failed or void, in doubt when unknown."""
    reason: Short = ""
    """Why a paper or its sheet does not count: jammed, unreadable, lost_in_printer, damaged."""


def print_job_signed_bytes(job_id: str, sha256: str) -> bytes:
    """What the hall signs for a print job."""
    return b"CWP1" + job_id.encode() + b"\0" + sha256.encode()
