"""A page on A4 (打证): fetched from the hall, written into the print ledger, printed under its number there.

The number makes the printer's proof unambiguous: the same number never prints twice. When in doubt she is asked. What
became of it the hall hears from the ledger, whether she is still here or not.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.journey import effective
from kiosk.core.ports import Document, PrintableDocument, StoreError
from kiosk.core.print_ledger import PaperKind, PrintEntry, PrintOrder, PrintState, VoidReason
from kiosk.core.result import Err, Ok
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import (
    Answer,
    FetchLicencePages,
    IntendPages,
    IssueCertificate,
    PrintPages,
    ReopenJob,
    ReplacePages,
    Settle,
)
from kiosk.services.faults import PAPER_WANTED, hall_notice, ledger_notice
from kiosk.services.flow import lost_pages
from kiosk.services.flow.mouths import came_out
from kiosk.services.flow.paper import note
from kiosk.services.flow.visit import notice
from kiosk.services.messages import DocumentCame, PagesIntended, PagesPrinted
from kiosk.services.model import Visit
from kiosk.services.places import AtCheck, AtHome, AtPrint, AtSpace, PagePhase
from kiosk.services.readiness import device_well, sheets_missing
from kiosk.services.turn import Turn

_LIMIT = Notice(NoticeCode.REPRINT_LIMIT)
"""Now a person must look: another try would say the same."""


def order_certificate(turn: Turn) -> None:
    """确认打印: an at-once certificate (立等可取)."""
    flow = turn.flow
    order = IssueCertificate(
        generation=turn.visit.generation,
        request_id=_request_id(turn),
        proof=turn.visit.session.proof,
        item_code=flow.item.code,
        item_version=flow.item.version,
        answers=tuple(effective(flow.item, flow.answers).plain().items()),
    )
    turn.go(AtPrint(flow.item.name, order, AtCheck(), "fetching"))
    turn.do(order)


def order_licence(turn: Turn, place: AtSpace, licence_id: str) -> None:
    """Print one of her licences."""
    title = _printable(turn.visit, licence_id)
    if title is None:
        return
    elsewhere = turn.catalogue.nearest_elsewhere({DeviceKind.PAGE}, turn.around.settings.terminal_id)
    if not device_well(turn.model, DeviceKind.PAGE):
        down = notice(NoticeCode.DEVICE_DOWN, device=DeviceKind.PAGE.value, elsewhere=elsewhere)
        turn.go(replace(place, notice=down))
        return
    if _numbered(turn.visit, licence_id) and sheets_missing(turn.model):
        turn.go(replace(place, notice=notice(NoticeCode.SHEETS_OUT, elsewhere=elsewhere)))
        return
    order = FetchLicencePages(
        generation=turn.visit.generation,
        request_id=_request_id(turn),
        proof=turn.visit.session.proof,
        licence_id=licence_id,
    )
    turn.go(AtPrint(title, order, AtSpace(place.tab), "fetching"))
    turn.do(order)


def ask_about(turn: Turn, entry: PrintEntry) -> None:
    """上次的证照打印出来了吗？ Its end was not seen, and the printer cannot tell."""
    order = ReopenJob(
        generation=turn.visit.generation,
        request_id=_request_id(turn),
        proof=turn.visit.session.proof,
        hall_job=entry.hall_job,
    )
    asked = Notice(NoticeCode.PAGE_ASKED)
    turn.go(AtPrint("", order, AtHome(), "unproven", job=entry.job, pages=entry.pages, notice=asked))


def document_came(turn: Turn, message: DocumentCame) -> None:
    """The hall made it, and its signature was verified: write it down."""
    place = turn.at(AtPrint)
    if place is None or not turn.current(message.generation) or place.order.request_id != message.request_id:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.touch()
    match message.result:
        case Ok(fetched):
            _intend(turn, _with_document(place, fetched))
        case Err(error):
            turn.log(Event.of(EventName.HALL_FAILED, fault=error.fault))
            turn.go(replace(place, phase="failed", notice=Notice(hall_notice(error.fault))))


def intended(turn: Turn, message: PagesIntended) -> None:
    """It is in the ledger: print it. Not for somebody who has gone."""
    place = turn.at(AtPrint)
    here = place is not None and turn.current(message.generation) and place.job == message.job
    match message.result:
        case Ok(entry) if place is not None and here and place.document is not None:
            document = replace(place.document, job=entry.job)
            turn.log(Event.of(EventName.PRINT_INTENDED, device=DeviceKind.PAGE, pages=document.pages))
            turn.set(printing=turn.model.printing | {entry.job})
            printing = replace(place, job=entry.job, document=document, phase="printing", spoiled=None)
            turn.go(replace(printing, notice=None, retry_at=None))
            turn.do(PrintPages(turn.visit.generation, document))
        case Ok(entry):
            note(turn, Settle(entry.job, PrintState.FAILED))
        case Err(error):
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            if place is not None and here:
                _refused(turn, place, error)


def printed(turn: Turn, message: PagesPrinted) -> None:
    """What the printer says, whoever stands here now."""
    turn.set(printing=turn.model.printing - {message.job})
    match message.result:
        case Ok(proof):
            turn.log(Event.of(EventName.PRINT_PROVEN, device=DeviceKind.PAGE, pages=proof.pages, millis=message.millis))
            note(turn, Settle(message.job, PrintState.PROVEN, pages=proof.pages))
            came_out(turn, DeviceKind.PAGE, hers=turn.current(message.generation))
            _show(turn, message, "done", None)
        case Err(StoreError() as error):
            turn.log(Event.of(EventName.STORE_REFUSED, fault=error.fault))
            note(turn, Settle(message.job, PrintState.FAILED))
            _show(turn, message, "failed", NoticeCode.PAGE_NOT_STARTED)
        case Err(error) if error.fault is Fault.UNPROVEN:
            turn.log(Event.of(EventName.PRINT_UNPROVEN, device=DeviceKind.PAGE))
            note(turn, Settle(message.job, PrintState.UNKNOWN, error.fault.value))
            _show(turn, message, "unproven", NoticeCode.PAGE_UNPROVEN)
        case Err(error):
            turn.log(Event.of(EventName.PRINT_FAILED, device=DeviceKind.PAGE, fault=error.fault))
            note(turn, Settle(message.job, PrintState.FAILED, error.fault.value))
            if error.fault in PAPER_WANTED:
                _show(turn, message, "waiting_paper", NoticeCode.PAGE_PAPER_OUT)
            else:
                _show(turn, message, "failed", NoticeCode.PAGE_FAILED)


def print_again(turn: Turn, place: AtPrint) -> None:
    """She says that nothing came out, or wants another try: the same order, the same number."""
    if place.phase not in ("failed", "unproven", "waiting_paper") or place.notice == _LIMIT:
        return
    if place.phase == "unproven":
        _answer(turn, place, came_out=False)
    if place.spoiled is not None:
        _replace(turn, place, place.spoiled)
    elif place.document is None:
        turn.go(replace(place, phase="fetching", notice=None))
        turn.do(place.order)
    else:
        _intend(turn, place)


def paper_taken(turn: Turn, place: AtPrint) -> None:
    """She says the page is there: that is proof."""
    if place.phase == "unproven":
        _answer(turn, place, came_out=True)
        turn.go(replace(place, phase="done", notice=None))


def spoiled(turn: Turn, place: AtPrint, reason: VoidReason) -> None:
    """纸有问题: the page came out and is of no use. It is void, and another one comes, a few times at most."""
    if place.phase == "done" and place.document is not None:
        turn.log(Event.of(EventName.PRINT_VOIDED, reason=reason.value))
        _replace(turn, place, reason)


def printer_back(turn: Turn) -> None:
    """There is paper again: the page comes by itself."""
    place = turn.at(AtPrint)
    if place is not None and place.phase == "waiting_paper" and device_well(turn.model, DeviceKind.PAGE):
        _intend(turn, place)


def tick(turn: Turn) -> None:
    """Paper that came back before we heard that it was out."""
    place = turn.at(AtPrint)
    if place is not None and place.retry_at is not None and place.retry_at <= turn.monotonic:
        turn.go(replace(place, retry_at=turn.monotonic + turn.around.delays.paper_retry))
        printer_back(turn)


def leave(turn: Turn, place: AtPrint) -> None:
    """Back to where it was ordered."""
    if place.phase not in ("fetching", "printing"):
        turn.go(place.origin)


def _replace(turn: Turn, place: AtPrint, reason: VoidReason) -> None:
    turn.go(replace(place, phase="fetching", notice=None, spoiled=reason))
    turn.do(ReplacePages(turn.visit.generation, place.job, reason))


def _intend(turn: Turn, place: AtPrint) -> None:
    """Into the ledger first; the printer hears of it only when that is durable."""
    assert place.document is not None
    order = PrintOrder(place.job, PaperKind.PAGE, place.document.pages, place.hall_job, place.numbered)
    turn.go(replace(place, phase="fetching", notice=None, retry_at=None))
    turn.do(IntendPages(turn.visit.generation, order, turn.visit.session.card))


def _with_document(place: AtPrint, fetched: PrintableDocument) -> AtPrint:
    """A page that was asked about keeps the number under which the printer knows it."""
    job = place.job or fetched.job_id
    return replace(
        place,
        title=place.title or fetched.title,
        document=Document(job=job, pdf=fetched.pdf, pages=fetched.pages),
        job=job,
        hall_job=fetched.job_id,
        numbered=fetched.paper == "numbered",
        pages=fetched.pages,
    )


def _refused(turn: Turn, place: AtPrint, error: StoreError) -> None:
    turn.touch()
    code = ledger_notice(error.fault)
    phase: PagePhase = "unproven" if code is NoticeCode.PAGE_UNPROVEN else "failed"
    turn.go(replace(place, phase=phase, notice=Notice(code), retry_at=None))


def _answer(turn: Turn, place: AtPrint, *, came_out: bool) -> None:
    lost_pages.answered(turn, place.job)
    note(turn, Answer(place.job, came_out))


def _show(turn: Turn, message: PagesPrinted, phase: PagePhase, code: NoticeCode | None) -> None:
    place = turn.at(AtPrint)
    if place is not None and place.job == message.job and turn.current(message.generation):
        turn.touch()
        retry_at = turn.monotonic + turn.around.delays.paper_retry if phase == "waiting_paper" else None
        turn.go(replace(place, phase=phase, notice=None if code is None else Notice(code), retry_at=retry_at))


def _printable(visit: Visit, licence_id: str) -> str | None:
    """What to call it; None if it is not hers or may not be printed. A case names the licence that came out of it."""
    for licence in visit.licences:
        if licence.id == licence_id:
            return licence.type_name if licence.printable else None
    return next((case.item_name for case in visit.applications if licence_id and case.licence_id == licence_id), None)


def _numbered(visit: Visit, licence_id: str) -> bool:
    """Does it need numbered paper? Of a licence known from a case only, the hall tells when it is fetched."""
    return any(licence.paper == "numbered" for licence in visit.licences if licence.id == licence_id)


def _request_id(turn: Turn) -> str:
    """Random, so that the hall can tell the same request from another one."""
    return str(uuid.UUID(bytes=turn.around.random_bytes(16), version=4))
