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
from kiosk.core.ports import HelpCall, HelpState, Link, QueueStatus, SealedSubmission, StoreError, StoreFault

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
    card_tag: Tag
    slip: Size
    envelope: Size
    blobs: tuple[Size, ...] = ()


class OwedTo(Message):
    """What is owed to this card; the answer's tail holds the slips, one after the other."""

    op: Literal["owed"] = "owed"
    card_tag: Tag


class NoteReceipt(Message):
    """What became of the paper."""

    op: Literal["receipt_state"] = "receipt_state"
    id: Short
    state: Literal["owed", "started", "proven"]


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


Request = ReserveNumber | Put | OwedTo | NoteReceipt | StateOf | Status | ListAll | Devices | CallHelp

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


def error_head(error: StoreError) -> dict[str, Any]:
    """An answer that says no."""
    return {"err": error.fault.value, "detail": error.detail}


def error_of(head: dict[str, Any]) -> StoreError:
    """The no of an answer; an answer that makes no sense is a store that is down."""
    try:
        return StoreError(StoreFault(str(head.get("err"))), str(head.get("detail", "")))
    except ValueError:
        return StoreError(StoreFault.STORE_DOWN, "queue answered nonsense")
