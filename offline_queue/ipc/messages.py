"""What the terminal's processes say to the queue process: one request frame, one answer frame.

Answer head: ``{"ok": …}`` or ``{"err": <StoreFault>, "detail": …}``.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kiosk.contract.sync import DeviceReport
from kiosk.contract.wire import Instant, Short, Size, SubmissionId
from kiosk.core.devices import Fault
from kiosk.core.ports import HelpCall, HelpState, Link, QueueStatus, SealedSubmission, StoreError, StoreFault
from kiosk.core.print_ledger import (
    PaperKind,
    PrintEntry,
    PrintOrder,
    PrintState,
    Sheet,
    SheetCount,
    SheetState,
    VoidReason,
)

JobName = Annotated[str, Field(pattern=r"^[0-9A-Za-z._:-]{1,100}$")]
Serial = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,20}$")]
Tag = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){0,64}$")]


class Message(BaseModel):
    """A request head."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReserveNumber(Message):
    """A fresh application number."""

    op: Literal["reserve_number"] = "reserve_number"


class Put(Message):
    """File a submission; the tail is slip, envelope and blobs, one after the other."""

    op: Literal["put"] = "put"
    id: SubmissionId
    application_no: Short
    corrects: Annotated[str, Field(pattern=r"^(\d{12}[0-9A-Z]{4}\d{4}[0-9A-Z])?$")] = ""
    card_tag: Tag
    slip: Size
    envelope: Size
    blobs: tuple[Size, ...] = ()


class OwedTo(Message):
    """What is owed to this card; the answer's tail holds the slips, one after the other."""

    op: Literal["owed"] = "owed"
    card_tag: Tag


class StateOf(Message):
    """Where a submission stands."""

    op: Literal["state"] = "state"
    id: Short


class Status(Message):
    """The queue in numbers."""

    op: Literal["status"] = "status"


class ListAll(Message):
    """Every row, for a technician."""

    op: Literal["list"] = "list"


class Devices(Message):
    """Device health for the next heartbeat."""

    op: Literal["devices"] = "devices"
    devices: tuple[DeviceReport, ...]


class CallHelp(Message):
    """Somebody at the terminal wants help, since this instant."""

    op: Literal["call_help"] = "call_help"
    at: Instant


class Asking(Message):
    """A citizen asks the hall something; uploads give way for so long. 0: she has her answer."""

    op: Literal["asking"] = "asking"
    seconds: Annotated[float, Field(ge=0, le=600)]


class PapersLeft(Message):
    """Papers that nobody took."""

    op: Literal["papers_left"] = "papers_left"
    papers: tuple[Literal["receipt", "page"], ...]


class Intend(Message):
    """Write a printing down before it happens."""

    op: Literal["intend"] = "intend"
    job: JobName
    kind: Literal["page"] = "page"
    """A receipt is intended by filing."""
    pages: Annotated[int, Field(ge=1, le=1000)]
    hall_job: JobName
    numbered: bool
    card_tag: Tag


class Sent(Message):
    """It goes to the printer now."""

    op: Literal["sent"] = "sent"
    job: JobName
    attempt: JobName


class Settle(Message):
    """The printer's word."""

    op: Literal["settle"] = "settle"
    job: JobName
    outcome: Literal["proven", "failed", "unknown"]
    fault: Fault | Literal[""]
    pages: Annotated[int, Field(ge=0, le=1000)]


class AnswerTo(Message):
    """A person's word."""

    op: Literal["answer"] = "answer"
    job: JobName
    came_out: bool


class Reprint(Message):
    """A page does not count; another one is intended."""

    op: Literal["reprint"] = "reprint"
    job: JobName
    reason: VoidReason


class OpenPages(Message):
    """Pages whose end is not known: of a card, or all."""

    op: Literal["open_pages"] = "open_pages"
    card_tag: Tag | None


class LoadSheets(Message):
    """Numbered sheets are in the tray."""

    op: Literal["load_sheets"] = "load_sheets"
    first: Serial
    count: Annotated[int, Field(ge=1, le=100_000)]


class VoidSheet(Message):
    """A sheet will not be used."""

    op: Literal["void_sheet"] = "void_sheet"
    serial: Serial
    reason: VoidReason


class ReturnSheet(Message):
    """A sheet in doubt lies in the tray."""

    op: Literal["return_sheet"] = "return_sheet"
    serial: Serial


class ListSheets(Message):
    """The sheets behind this one, for the audit; empty: from the first."""

    op: Literal["sheets"] = "sheets"
    after: Short = ""


class CountSheets(Message):
    """The audit in numbers."""

    op: Literal["count_sheets"] = "count_sheets"


LedgerRequest = (
    Intend
    | Sent
    | Settle
    | AnswerTo
    | Reprint
    | OpenPages
    | LoadSheets
    | VoidSheet
    | ReturnSheet
    | ListSheets
    | CountSheets
)
Request = (
    ReserveNumber | Put | OwedTo | StateOf | Status | ListAll | Devices | CallHelp | PapersLeft | Asking | LedgerRequest
)

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="op")])


class BadMessage(ValueError):
    """Not a request of ours; quotes nothing of it."""


def parse_request(head: dict[str, Any]) -> Request:
    """Raises BadMessage."""
    try:
        return _REQUESTS.validate_python(head)
    except ValidationError as error:
        raise BadMessage(f"request has {error.error_count()} faults") from None


def put_message(sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> tuple[dict[str, Any], bytes]:
    """Head and tail of a put."""
    head = {
        "op": "put",
        "id": sealed.id,
        "application_no": sealed.application_no,
        **({"corrects": sealed.corrects} if sealed.corrects else {}),
        "card_tag": card_tag.hex(),
        "slip": len(slip),
        "envelope": len(sealed.envelope),
        "blobs": [len(blob) for blob in sealed.blobs],
    }
    return head, b"".join((slip, sealed.envelope, *sealed.blobs))


def cut(tail: bytes, sizes: tuple[int, ...]) -> tuple[bytes, ...]:
    """A tail in pieces; BadMessage if it is longer or shorter than they are."""
    if sum(sizes) != len(tail):
        raise BadMessage("tail does not fit its sizes")
    pieces: list[bytes] = []
    start = 0
    for size in sizes:
        pieces.append(tail[start : start + size])
        start += size
    return tuple(pieces)


def status_values(status: QueueStatus) -> dict[str, Any]:
    """The queue in numbers, as JSON."""
    call = status.help
    return {**asdict(status), "help": call and {"at": call.at.isoformat(), "state": call.state.value}}


def status_of(values: dict[str, Any]) -> QueueStatus:
    """Back again; KeyError, TypeError or ValueError."""
    call = values["help"]
    help_call = None if call is None else HelpCall(datetime.fromisoformat(call["at"]), HelpState(call["state"]))
    return QueueStatus(**{**values, "link": Link(values["link"]), "help": help_call})


def intend_message(order: PrintOrder, *, card_tag: bytes) -> dict[str, Any]:
    """Head of an intend."""
    return {"op": "intend", **asdict(order), "card_tag": card_tag.hex()}


def order_of(request: Intend) -> PrintOrder:
    """Back again."""
    return PrintOrder(request.job, PaperKind(request.kind), request.pages, request.hall_job, request.numbered)


def entry_values(entry: PrintEntry) -> dict[str, Any]:
    """A printing as JSON."""
    return {**asdict(entry), "sent_at": entry.sent_at and entry.sent_at.isoformat()}


def entry_of(values: dict[str, Any]) -> PrintEntry:
    """Back again; KeyError, TypeError or ValueError."""
    at = values["sent_at"]
    sent_at = None if at is None else datetime.fromisoformat(at)
    kind, state = PaperKind(values["kind"]), PrintState(values["state"])
    return PrintEntry(**{**values, "kind": kind, "state": state, "sent_at": sent_at})


def sheet_values(sheet: Sheet) -> dict[str, Any]:
    """A sheet as JSON."""
    return {**asdict(sheet), "changed_at": sheet.changed_at and sheet.changed_at.isoformat()}


def sheet_of(values: dict[str, Any]) -> Sheet:
    """Back again; KeyError, TypeError or ValueError."""
    at = values["changed_at"]
    changed_at = None if at is None else datetime.fromisoformat(at)
    return Sheet(**{**values, "state": SheetState(values["state"]), "changed_at": changed_at})


def count_of(values: dict[str, Any]) -> SheetCount:
    """Numbers of the audit from JSON; TypeError."""
    return SheetCount(**values)


def error_head(error: StoreError) -> dict[str, Any]:
    """An answer that says no."""
    return {"err": error.fault.value, "detail": error.detail}


def error_of(head: dict[str, Any]) -> StoreError:
    """The no of an answer; an answer that makes no sense is a store that is down."""
    try:
        return StoreError(StoreFault(str(head.get("err"))), str(head.get("detail", "")))
    except ValueError:
        return StoreError(StoreFault.STORE_DOWN, "queue answered nonsense")
