"""Announce → upload → verdict, bundle manifest and heartbeat."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kiosk.contract.envelope import BlobRef
from kiosk.contract.problems import ProblemCode
from kiosk.contract.wire import Instant, Sha256, Short, Size, SubmissionId, TerminalId, Whole, Wire

Code = Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,40}$")]


class AnnounceItem(Wire):
    """One sealed submission that the terminal holds."""

    id: SubmissionId
    sha256: Sha256
    size: Size
    blobs: tuple[BlobRef, ...] = ()


class Announce(Wire):
    """POST /v1/announce: what is waiting here; at most 64 items."""

    items: tuple[AnnounceItem, ...]


class Verdict(Wire):
    """The hall's word on one submission.

    `accepted` and `duplicate` carry the signed receipt (126 bytes, base64); the terminal forgets a submission
    only when that receipt verifies for exactly this id and hash. `wanted` asks for the envelope and the blobs
    listed in `missing`. `rejected` and `conflict` are final and parked with their code.
    """

    id: SubmissionId
    status: Literal["wanted", "accepted", "duplicate", "rejected", "conflict", "retry"]
    code: ProblemCode | None = None
    missing: tuple[Sha256, ...] = ()
    receipt: str = ""
    retry_after_s: Whole = 0


class Verdicts(Wire):
    """Answer to an announce: one verdict an item, same order."""

    verdicts: tuple[Verdict, ...]
    hall_time: Instant


class BatchVerdicts(Wire):
    """Answer to POST /v1/batches: one verdict an envelope, same order.

    None: these bytes are no envelope that this hall can read; nothing was kept of them.
    """

    verdicts: tuple[Verdict | None, ...]
    hall_time: Instant


class BlobState(Wire):
    """How much of a blob the hall holds, durable."""

    sha256: Sha256
    offset: Size
    complete: bool


class BundleManifest(Wire):
    """GET /v1/bundle/manifest."""

    number: Whole
    sha256: Sha256
    size: Size
    published_at: Instant


class DeviceReport(Wire):
    """One device in a heartbeat."""

    kind: Short
    state: Short
    media: Short
    paper: Short
    toner: Short
    fault: Short = ""


class Heartbeat(Wire):
    """POST /v1/heartbeat: health of a terminal, no personal data."""

    terminal_id: TerminalId
    at: Instant
    software: Short
    bundle: Whole
    pending: Whole
    parked: Whole
    oldest_unsent_s: Whole
    """Age of the oldest unsent submission in seconds; 4 h notice, 8 h warning, 12 h breach (P53)."""
    devices: tuple[DeviceReport, ...] = ()
    papers_left: tuple[Literal["receipt", "page"], ...] = ()
    """Papers of somebody who has gone lie in these mouths (未取走)."""
    sheets_ready: Whole = 0
    """Numbered licence sheets that may be printed on."""
    help_called_at: Instant | None = None
    """Somebody at the terminal wants help since then (呼叫帮助); repeated until the hall says that staff know."""
    returns_heard: Whole | None = None
    """Up to which `Returned.order` this terminal knows what came back for correction; None: it does not ask."""


MAX_SEND_AGAIN = 100


class SendAgain(Wire):
    """A submission that the hall refused and, after it has put itself right, wants to see again."""

    id: SubmissionId
    order: Whole
    """A new one each time that staff ask: the same order is done once."""


MAX_RETURNED = 100


class Returned(Wire):
    """A filing that the hall has signed for came back for correction (补正); its contents are gone here."""

    id: SubmissionId
    order: Whole
    """Grows; what has a higher one is newer."""
    code: Code
    """Why, see `kiosk.contract.corrections`; empty: corrected, or closed, and nothing is wanted any more."""


class HeartbeatAnswer(Wire):
    """What the hall has to say to a heartbeat."""

    help_acknowledged_at: Instant | None = None
    """When staff took note of the call in this very heartbeat; None while nobody has."""
    hall_time: Instant | None = None
    """The hall's clock: a terminal whose own is wrong says so to its technician."""
    send_again: Annotated[tuple[SendAgain, ...], Field(max_length=MAX_SEND_AGAIN)] = ()
    """Repeated until these are here."""
    returned: Annotated[
        tuple[Returned, ...], Field(max_length=MAX_RETURNED, exclude_if=lambda returned: not returned)
    ] = ()
    """What comes after `Heartbeat.returns_heard`, oldest first."""
