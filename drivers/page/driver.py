"""The A4 printer in its worker process (A4 激光打印机): a PDF under our job name, printed when the printer says so.

The same job name never prints twice: the printer is asked for it first, also after this process was killed. Before
the document is sent every error means that nothing came out; after it only `completed`, `aborted` or `canceled` of
the printer decides, and without its word the job is UNPROVEN. A job given up is cancelled, so that it does not come
out later in front of somebody else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import CodecError, dump_proof, load_document
from drivers.page.client import IppClient, Job, NotReached, Refused, Trouble, Unclear
from drivers.page.http import post
from drivers.page.ipp import JobState, StatusCode
from drivers.page.status import starting, summarize, unreachable
from kiosk.core.devices import DeviceError, DeviceKind, DeviceStatus, Fault, StatusChanged
from kiosk.core.ports import Document, PrintProof
from kiosk.core.result import Err, Ok, Result

Outcome = Result[PrintProof, DeviceError]


@dataclass(frozen=True, slots=True)
class Timings:
    """Every wait of this driver, seconds."""

    poll: float = 2.0
    """Between two looks at an idle printer."""
    follow: float = 0.4
    """Between two looks at a job."""
    exchange: float = 3.0
    """For one question."""
    send: float = 30.0
    """For the document."""
    within: float = 110.0
    """For a whole job, with paper put in half-way; shorter than the host's deadline. `within_s` of a command wins."""
    lost: float = 20.0
    """For a printer that went silent over a job to come back."""
    settle: float = 5.0
    """For a document whose sending ended unclear to show up at the printer."""
    cancel: float = 5.0
    """For the printer to confirm that it gave a job up."""
    first_retry: float = 0.3
    last_retry: float = 5.0


class PageAdapter:
    """Adapter for `drivers.host.worker`: verb `print` with a dumped Document and its PDF → a dumped PrintProof."""

    kind = DeviceKind.PAGE
    capabilities = frozenset({"print"})

    def __init__(
        self, address: str, *, timings: Timings | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.identity = address
        self._timings = timings or Timings()
        self._client = IppClient(address, post=post, exchange_s=self._timings.exchange, send_s=self._timings.send)
        self._monotonic = monotonic
        self._status = starting(address)
        self._status_lock = threading.Lock()
        self._emit: Emit = lambda _event: None
        self._stop = threading.Event()
        self._printing = threading.Event()
        self._monitor: threading.Thread | None = None

    def open(self, emit: Emit) -> None:
        """Start to watch the printer."""
        self._emit = emit
        self._monitor = threading.Thread(target=self._watch, name="page-status", daemon=True)
        self._monitor.start()

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._monitor is not None:
            self._monitor.join()

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """`print`."""
        if verb not in self.capabilities:
            return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        try:
            document, within_s = load_document(args, blob), float(args.get("within_s", self._timings.within))
        except (CodecError, TypeError, ValueError) as error:
            return Err(DeviceError(Fault.PROTOCOL, f"command is malformed ({type(error).__name__})"))
        match self.print(document, within_s=within_s):
            case Ok(proof):
                return Ok(Reply(dump_proof(proof)))
            case Err() as refused:
                return refused

    def print(self, document: Document, *, within_s: float | None = None) -> Outcome:
        """One document; see the module for what its errors mean."""
        until = self._monotonic() + (self._timings.within if within_s is None else within_s)
        self._printing.set()
        try:
            return self._print(document, until - self._timings.cancel)
        finally:
            self._printing.clear()

    # --- watching ------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        retry = self._timings.first_retry
        while not self._stop.is_set():
            if self._printing.is_set() or self._look():
                retry = self._timings.first_retry
                self._stop.wait(self._timings.poll)
            else:
                self._stop.wait(retry)
                retry = min(retry * 2, self._timings.last_retry)

    def _look(self) -> bool:
        """Ask the printer how it is; False if it did not say."""
        try:
            self._publish(summarize(self._client.condition(), identity=self.identity))
        except Trouble as trouble:
            self._publish(unreachable(_fault(trouble), identity=self.identity, detail=str(trouble)))
            return False
        return True

    def _publish(self, status: DeviceStatus) -> None:
        with self._status_lock:
            if status == self._status:
                return
            self._status = status
            self._emit(StatusChanged(status))

    # --- printing ------------------------------------------------------------------------------------------------

    def _print(self, document: Document, until: float) -> Outcome:
        try:
            known = self._known(document.job)
            if known is not None:
                return self._follow(known, document, until, sent_clearly=True)
            number = self._create(document, until)
        except _Failed as failed:
            return Err(failed.error)
        except Trouble as trouble:
            return Err(DeviceError(_fault(trouble), str(trouble)))
        return self._send(number, document, until)

    def _known(self, name: str) -> Job | None:
        """The job of an earlier attempt that has printed or still may; one without its document is cancelled."""
        jobs = self._client.jobs(name)
        for job in reversed(jobs):
            if job.state == JobState.COMPLETED:
                return job
        for job in reversed(jobs):
            if job.lacks_document:
                ended = self._give_up(job.id)
                if ended is None:
                    raise _Failed(Fault.UNPROVEN, "an earlier job under this name cannot be cancelled")
                if ended.state == JobState.COMPLETED:
                    return ended
            elif not job.over:
                return job
        return None

    def _create(self, document: Document, until: float) -> int:
        """Wait until the printer can print, then Create-Job."""
        while True:
            self._look()
            status = self._status
            if status.well:
                try:
                    return self._client.create(document.job, document.media)
                except Refused as refused:
                    if not refused.busy:
                        raise _Failed(Fault.ABORTED, str(refused)) from refused
                    waiting_for = DeviceError(Fault.TIMEOUT, "printer is busy")
            elif status.fault is Fault.PAPER_OUT:
                waiting_for = DeviceError(Fault.PAPER_OUT, status.detail)
            else:
                # A state without a named fault is an error that the printer does not explain.
                raise _Failed(status.fault or Fault.PROTOCOL, status.detail)
            if self._monotonic() >= until:
                raise _Failed(waiting_for.fault, waiting_for.detail)
            self._stop.wait(self._timings.follow)

    def _send(self, number: int, document: Document, until: float) -> Outcome:
        while True:
            try:
                self._client.send(number, document.pdf)
            except NotReached as trouble:
                return Err(DeviceError(Fault.UNREACHABLE, str(trouble)))
            except Unclear:
                return self._follow(self._unknown(number, document), document, until, sent_clearly=False)
            except Refused as refused:
                if refused.busy and self._monotonic() < until:
                    self._stop.wait(self._timings.follow)
                    continue
                self._give_up(number)
                return Err(DeviceError(Fault.ABORTED, str(refused)))
            return self._follow(self._unknown(number, document), document, until, sent_clearly=True)

    @staticmethod
    def _unknown(number: int, document: Document) -> Job:
        return Job(number, document.job, JobState.PENDING, (), None)

    def _follow(self, job: Job, document: Document, until: float, *, sent_clearly: bool) -> Outcome:
        """Until the printer has decided; a printer that waits for paper is waited for."""
        heard_at = lacking_since = self._monotonic()
        while not job.over:
            now = self._monotonic()
            if not job.lacks_document:
                lacking_since = now
            missing = not sent_clearly and now - lacking_since >= self._timings.settle
            if missing or now >= until:
                return self._end(job.id, document, "document did not arrive" if missing else "gave up waiting")
            if now - heard_at >= self._timings.lost:
                return Err(DeviceError(Fault.UNPROVEN, "printer went silent over the job"))
            self._stop.wait(self._timings.follow)
            self._look()
            try:
                job = self._client.job(job.id)
                heard_at = self._monotonic()
            except Refused as refused:
                if refused.code == StatusCode.NOT_FOUND:
                    return Err(DeviceError(Fault.UNPROVEN, "printer forgot the job"))
            except Trouble as trouble:
                self._publish(unreachable(_fault(trouble), identity=self.identity, detail=str(trouble)))
        return _outcome(job, document)

    def _end(self, number: int, document: Document, why: str) -> Outcome:
        """Cancel, and say what is certain."""
        fault = self._status.fault or Fault.TIMEOUT
        job = self._give_up(number)
        if job is None:
            return Err(DeviceError(Fault.UNPROVEN, f"{why}, not cancelled"))
        if job.state == JobState.COMPLETED or (job.pages or 0) >= document.pages:
            return _outcome(job, document)
        return Err(DeviceError(fault, f"{why}, cancelled"))

    def _give_up(self, number: int) -> Job | None:
        """Cancel-Job; the job as it ended, None if the printer did not say so in time."""
        until = self._monotonic() + self._timings.cancel
        while self._monotonic() < until:
            try:
                self._client.cancel(number)
            except Refused as refused:  # too late or forgotten: its state tells
                if refused.code == StatusCode.NOT_FOUND:
                    return None
            except Trouble:
                self._stop.wait(self._timings.follow)
                continue
            try:
                job = self._client.job(number)
            except Trouble:
                self._stop.wait(self._timings.follow)
                continue
            if job.over:
                return job
            self._stop.wait(self._timings.follow)
        return None


class _Failed(Exception):
    """The end of a print before its document was sent."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.error = DeviceError(fault, detail)


def _outcome(job: Job, document: Document) -> Outcome:
    """What the printer's last word on a job means. Some report aborted jobs as canceled (CUPS does)."""
    pages = job.pages or 0
    if job.state == JobState.COMPLETED and "job-completed-with-errors" not in job.reasons:
        return Ok(PrintProof(document.job, pages or document.pages))
    if job.state == JobState.COMPLETED or pages >= document.pages:
        return Err(DeviceError(Fault.UNPROVEN, "printer reports an end with errors after the last page"))
    return Err(DeviceError(Fault.ABORTED, ",".join(job.reasons)[:200]))


def _fault(trouble: Trouble) -> Fault:
    match trouble:
        case NotReached():
            return Fault.UNREACHABLE
        case Unclear(garbage=False):
            return Fault.TIMEOUT
        case _:
            return Fault.PROTOCOL
