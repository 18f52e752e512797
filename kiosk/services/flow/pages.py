"""A page on A4 (打证): fetched from the hall, printed under the hall's job number, its fate reported back.

The job number makes the printer's proof unambiguous: the same job never prints twice. When in doubt she is asked.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.journey import effective
from kiosk.core.ports import Document
from kiosk.core.result import Err, Ok
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import FetchLicencePages, IssueCertificate, PrintPages
from kiosk.services.faults import PAPER_WANTED, hall_notice
from kiosk.services.flow.paper import page_job, put_page_job, settle_page_jobs
from kiosk.services.flow.visit import notice
from kiosk.services.messages import DocumentCame, PagesPrinted
from kiosk.services.model import PageJob, Visit
from kiosk.services.places import AtCheck, AtPrint, AtSpace, PagePhase
from kiosk.services.readiness import device_well
from kiosk.services.turn import Turn


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
    if not device_well(turn.model, DeviceKind.PAGE):
        elsewhere = turn.catalogue.nearest_elsewhere({DeviceKind.PAGE}, turn.around.settings.terminal_id)
        down = notice(NoticeCode.DEVICE_DOWN, device=DeviceKind.PAGE.value, elsewhere=elsewhere)
        turn.go(AtSpace(place.tab, down))
        return
    order = FetchLicencePages(
        generation=turn.visit.generation,
        request_id=_request_id(turn),
        proof=turn.visit.session.proof,
        licence_id=licence_id,
    )
    turn.go(AtPrint(title, order, AtSpace(place.tab), "fetching"))
    turn.do(order)


def document_came(turn: Turn, message: DocumentCame) -> None:
    """The hall made it, and its signature was verified: print."""
    place = turn.at(AtPrint)
    if place is None or not turn.current(message.generation) or place.order.request_id != message.request_id:
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    turn.touch()
    match message.result:
        case Ok(fetched):
            document = Document(job=fetched.job_id, pdf=fetched.pdf, pages=fetched.pages)
            _print(turn, replace(place, document=document, pages=fetched.pages))
        case Err(error):
            turn.log(Event.of(EventName.HALL_FAILED, fault=error.fault))
            turn.go(replace(place, phase="failed", notice=Notice(hall_notice(error.fault))))


def printed(turn: Turn, message: PagesPrinted) -> None:
    """What the printer says. Reported at once when it is final or when she is gone."""
    job = page_job(turn, message.job_id)
    if job is None:
        return
    match message.result:
        case Ok(proof):
            turn.log(Event.of(EventName.PRINT_PROVEN, device=DeviceKind.PAGE, pages=proof.pages, millis=message.millis))
            put_page_job(turn, replace(job, in_flight=False, outcome="proven", pages=proof.pages))
            _show(turn, message, "done", None)
            settle_page_jobs(turn, job.generation)
            return
        case Err(error) if error.fault is Fault.UNPROVEN:
            settled = replace(job, in_flight=False, outcome="unknown", fault=error.fault.value)
            _show(turn, message, "unproven", NoticeCode.PAGE_UNPROVEN)
        case Err(error) if error.fault in PAPER_WANTED:
            settled = replace(job, in_flight=False, outcome="failed", fault=error.fault.value)
            _show(turn, message, "waiting_paper", NoticeCode.PAGE_PAPER_OUT)
        case Err(error):
            settled = replace(job, in_flight=False, outcome="failed", fault=error.fault.value)
            _show(turn, message, "failed", NoticeCode.PAGE_FAILED)
    turn.log(Event.of(EventName.PRINT_FAILED, device=DeviceKind.PAGE, fault=error.fault))
    put_page_job(turn, settled)
    if not turn.current(job.generation):
        settle_page_jobs(turn, job.generation)


def print_again(turn: Turn, place: AtPrint) -> None:
    """She says that nothing came out, or wants another try: the same order, the same job."""
    if place.phase not in ("failed", "unproven", "waiting_paper"):
        return
    if place.document is None:
        turn.go(replace(place, phase="fetching", notice=None))
        turn.do(place.order)
    else:
        _print(turn, place)


def paper_taken(turn: Turn, place: AtPrint) -> None:
    """She says the page is there: that is proof."""
    if place.phase == "unproven" and place.document is not None:
        job = page_job(turn, place.document.job)
        if job is not None:
            put_page_job(turn, replace(job, outcome="proven", fault=""))
        turn.go(replace(place, phase="done", notice=None))
        settle_page_jobs(turn, turn.visit.generation)


def printer_back(turn: Turn) -> None:
    """There is paper again: the page comes by itself."""
    place = turn.at(AtPrint)
    if place is not None and place.phase == "waiting_paper" and device_well(turn.model, DeviceKind.PAGE):
        _print(turn, place)


def tick(turn: Turn) -> None:
    """Paper that came back before we heard that it was out."""
    place = turn.at(AtPrint)
    if place is not None and place.retry_at is not None and place.retry_at <= turn.monotonic:
        turn.go(replace(place, retry_at=turn.monotonic + turn.around.delays.paper_retry))
        printer_back(turn)


def leave(turn: Turn, place: AtPrint) -> None:
    """Back to where it was ordered; what the printer said last is what the hall hears."""
    if place.phase in ("fetching", "printing"):
        return
    settle_page_jobs(turn, turn.visit.generation)
    turn.go(place.origin)


def _print(turn: Turn, place: AtPrint) -> None:
    assert place.document is not None
    document = place.document
    turn.log(Event.of(EventName.PRINT_INTENDED, device=DeviceKind.PAGE, pages=document.pages))
    put_page_job(turn, PageJob(turn.visit.generation, document.job, document.pages, in_flight=True))
    turn.go(replace(place, phase="printing", notice=None, retry_at=None))
    turn.do(PrintPages(turn.visit.generation, document))


def _show(turn: Turn, message: PagesPrinted, phase: PagePhase, code: NoticeCode | None) -> None:
    place = turn.at(AtPrint)
    known = place is not None and place.document is not None and place.document.job == message.job_id
    if place is not None and known and turn.current(message.generation):
        turn.touch()
        retry_at = turn.monotonic + turn.around.delays.paper_retry if phase == "waiting_paper" else None
        turn.go(replace(place, phase=phase, notice=None if code is None else Notice(code), retry_at=retry_at))


def _printable(visit: Visit, licence_id: str) -> str | None:
    """What to call it; None if it is not hers or may not be printed. A case names the licence that came out of it."""
    for licence in visit.licences:
        if licence.id == licence_id:
            return licence.type_name if licence.printable else None
    return next((case.item_name for case in visit.applications if licence_id and case.licence_id == licence_id), None)


def _request_id(turn: Turn) -> str:
    """Random, so that the hall can tell the same request from another one."""
    return str(uuid.UUID(bytes=turn.around.random_bytes(16), version=4))
