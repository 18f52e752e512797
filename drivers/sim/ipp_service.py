"""IPP operations of the simulated A4 printer (RFC 8011): request in, answer out."""

from __future__ import annotations

from collections.abc import Callable

from drivers.sim.ipp_machine import A4, ABORTED, CANCELED, SIZES, TONER_PERCENT, Engine, Job
from drivers.sim.ipp_wire import (
    BOOLEAN,
    CHARSET,
    ENUM,
    INTEGER,
    JOB,
    KEYWORD,
    LANGUAGE,
    MIME,
    NAME,
    NO_VALUE,
    PRINTER,
    TEXT,
    URI,
    Attributes,
    Request,
    WireError,
    read_request,
    write_answer,
)

PRINT_JOB, VALIDATE_JOB, CREATE_JOB, SEND_DOCUMENT, CANCEL_JOB, GET_JOB, GET_JOBS, GET_PRINTER = (
    0x0002,
    0x0004,
    0x0005,
    0x0006,
    0x0008,
    0x0009,
    0x000A,
    0x000B,
)
_OPERATIONS = (PRINT_JOB, VALIDATE_JOB, CREATE_JOB, SEND_DOCUMENT, CANCEL_JOB, GET_JOB, GET_JOBS, GET_PRINTER)
_OK, _BAD, _NOT_POSSIBLE, _NOT_FOUND, _FORMAT, _NO_OPERATION, _NOT_ACCEPTING, _BUSY = (
    0,
    0x0400,
    0x0404,
    0x0406,
    0x040A,
    0x0501,
    0x0506,
    0x0507,
)
_FORMATS = ("application/pdf", "application/octet-stream")

_SIDES = ("one-sided", "two-sided-long-edge", "two-sided-short-edge")
_HUNDREDTHS = dict(zip(SIZES, (("21000", "29700"), ("14800", "21000"), ("21590", "27940")), strict=True))
"""Width and height in hundredths of a millimetre."""

Answer = tuple[int, list[tuple[int, Attributes]]]


class IppService:
    """Speaks for an engine."""

    def __init__(self, engine: Engine, port: Callable[[], int]) -> None:
        self._engine = engine
        self._port = port
        self.busy = False
        """It takes no job now, and says so when one comes."""
        self.accepting = True
        self.duplexer = True
        self.counts = True
        """Does it tell how many pages of a job are out?"""

    def answer(self, body: bytes, *, whole: bool) -> bytes:
        """The answer's bytes. `whole`: False when the connection broke in the middle of the body."""
        try:
            request = read_request(body)
        except WireError:
            return write_answer(Request(0x0101, 0, 1), _BAD, [])
        with self._engine.lock:
            status, groups = self._do(request, whole=whole)
        return write_answer(request, status, groups)

    def _do(self, request: Request, *, whole: bool) -> Answer:
        match request.operation:
            case 0x000B:
                return _OK, [(PRINTER, _only(self._printer(), request))]
            case 0x0004:
                return (_OK if _takes(request) else _FORMAT), []
            case 0x0005:
                return self._create(request)
            case 0x0002:
                status, groups = self._create(request)
                if status != _OK:
                    return status, groups
                job = self._engine.jobs[max(self._engine.jobs)]
                return self._receive(job, request, whole=whole)
            case 0x000A:
                return _OK, [(JOB, _only(self._job(job), request)) for job in self._list(request)]
            case 0x0006 | 0x0008 | 0x0009:
                job_id = request.first("job-id")
                named = self._engine.jobs.get(job_id) if isinstance(job_id, int) else None
                return (_NOT_FOUND, []) if named is None else self._about(named, request, whole=whole)
            case _:
                return _NO_OPERATION, []

    def _about(self, job: Job, request: Request, *, whole: bool) -> Answer:
        if request.operation == SEND_DOCUMENT:
            return self._receive(job, request, whole=whole)
        if request.operation == CANCEL_JOB:
            if job.over:
                return _NOT_POSSIBLE, []
            self._engine.end(job, CANCELED, "job-canceled-by-user")
            return _OK, []
        return _OK, [(JOB, _only(self._job(job), request))]

    def _create(self, request: Request) -> Answer:
        if self.busy:
            return _BUSY, []
        if not _takes(request):
            return _FORMAT, []
        if not self.accepting:
            return _NOT_ACCEPTING, []
        name, user = request.first("job-name"), request.first("requesting-user-name")
        job = self._engine.create(
            str(name or "untitled"),
            str(user or "anonymous"),
            media=_media(request),
            sides=str(request.first("sides") or "one-sided"),
        )
        return _OK, [(JOB, self._job(job))]

    def _receive(self, job: Job, request: Request, *, whole: bool) -> Answer:
        if job.over or job.pdf is not None:
            return _NOT_POSSIBLE, []
        if not _takes(request):
            return _FORMAT, []
        if whole:
            self._engine.receive(job, request.document)
        else:
            self._engine.end(job, ABORTED, "submission-interrupted")
        return _OK, [(JOB, self._job(job))]

    def _list(self, request: Request) -> list[Job]:
        completed = request.first("which-jobs") == "completed"
        jobs = [job for job in self._engine.jobs.values() if job.over == completed]
        if completed:  # the newest first (RFC 8011 §4.2.6.2)
            jobs.reverse()
        if request.first("my-jobs") is True:
            jobs = [job for job in jobs if job.user == request.first("requesting-user-name")]
        limit = request.first("limit")
        return jobs[:limit] if isinstance(limit, int) else jobs

    def _job(self, job: Job) -> Attributes:
        counted: Attributes = {"job-impressions-completed": (INTEGER, [job.printed])} if self.counts else {}
        return counted | {
            "job-id": (INTEGER, [job.id]),
            "job-uri": (URI, [f"{self._uri}/{job.id}"]),
            "job-name": (NAME, [job.name]),
            "job-originating-user-name": (NAME, [job.user]),
            "job-state": (ENUM, [job.state]),
            "job-state-reasons": (KEYWORD, list(job.reasons)),
            "job-impressions": (INTEGER, [job.pages]),
            "media": (KEYWORD, [job.media]),
            "sides": (KEYWORD, [job.sides]),
            "time-at-creation": (INTEGER, [job.created_s]),
            "time-at-completed": (NO_VALUE, [""]) if job.ended_s is None else (INTEGER, [job.ended_s]),
        }

    @property
    def _toner_percent(self) -> int:
        told = self._engine.toner_percent
        return TONER_PERCENT[self._engine.toner] if told is None else told

    @property
    def _uri(self) -> str:
        return f"ipp://127.0.0.1:{self._port()}/ipp/print"

    def _printer(self) -> Attributes:
        engine = self._engine
        return {
            "printer-uri-supported": (URI, [self._uri]),
            "uri-security-supported": (KEYWORD, ["none"]),
            "uri-authentication-supported": (KEYWORD, ["none"]),
            "printer-name": (NAME, ["a4"]),
            "printer-info": (TEXT, ["Street A4"]),
            "printer-location": (TEXT, [""]),
            "printer-make-and-model": (TEXT, ["Street A4"]),
            "printer-firmware-string-version": (TEXT, ["1.4.2"]),
            "printer-impressions-completed": (INTEGER, [engine.impressions]),
            "printer-more-info": (URI, [f"http://127.0.0.1:{self._port()}/"]),
            "printer-state": (ENUM, [engine.state]),
            "printer-state-reasons": (KEYWORD, list(engine.reasons)),
            "printer-is-accepting-jobs": (BOOLEAN, [self.accepting]),
            "ipp-versions-supported": (KEYWORD, ["1.1", "2.0"]),
            "operations-supported": (ENUM, list(_OPERATIONS)),
            "charset-configured": (CHARSET, ["utf-8"]),
            "charset-supported": (CHARSET, ["utf-8"]),
            "natural-language-configured": (LANGUAGE, ["en"]),
            "generated-natural-language-supported": (LANGUAGE, ["en"]),
            "document-format-default": (MIME, [_FORMATS[0]]),
            "document-format-supported": (MIME, list(_FORMATS)),
            "media-default": (KEYWORD, [A4]),
            "media-supported": (KEYWORD, list(SIZES)),
            "media-ready": (NO_VALUE, [""]) if engine.paper == "out" else (KEYWORD, [engine.media]),
            "sides-default": (KEYWORD, [_SIDES[0]]),
            "sides-supported": (KEYWORD, list(_SIDES if self.duplexer else _SIDES[:1])),
            "marker-names": (NAME, ["Black", "Waste"]),
            "marker-types": (KEYWORD, ["toner-cartridge", "waste-toner"]),
            "marker-levels": (INTEGER, [self._toner_percent, 30]),
            "marker-low-levels": (INTEGER, [10, 0]),
            "pdl-override-supported": (KEYWORD, ["attempted"]),
            "compression-supported": (KEYWORD, ["none"]),
            "queued-job-count": (INTEGER, [sum(not job.over for job in engine.jobs.values())]),
            "printer-up-time": (INTEGER, [engine.up_s]),
        }


def _media(request: Request) -> str:
    """By name, or by the size in a collection as print servers send it (PWG 5100.3 §3.13)."""
    if request.first("media"):
        return str(request.first("media"))
    words = request.all("media-col")
    sizes = {name: words[place + 1] for place, name in enumerate(words[:-1]) if name in ("x-dimension", "y-dimension")}
    wanted = (sizes.get("x-dimension"), sizes.get("y-dimension"))
    return next((name for name, size in _HUNDREDTHS.items() if size == wanted), A4)


def _takes(request: Request) -> bool:
    return (request.first("document-format") or _FORMATS[0]) in _FORMATS


def _only(attributes: Attributes, request: Request) -> Attributes:
    """What was asked for; groups of attributes count as all."""
    wanted = set(request.all("requested-attributes"))
    if not wanted or wanted & {"all", "printer-description", "job-description", "job-template"}:
        return attributes
    return {name: values for name, values in attributes.items() if name in wanted}
