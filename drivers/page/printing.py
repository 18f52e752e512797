"""One document from the first question to the printer's last word.

The same job name never prints twice: printer and queue are asked for it first, also after this process was killed. A
printer that was switched off forgets, though: whoever is not sure that a name is new asks for its fate first.

Before the document is sent every error means that nothing came out; after it only the printer's own word decides,
and without it the job is UNPROVEN. A job given up is cancelled, so that it does not come out later in front of
somebody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from drivers.page.client import Job, NotReached, Refused, Trouble, Unclear
from drivers.page.facts import choose
from drivers.page.fate import Traces, failed, judge, proven
from drivers.page.memory import Failed, Memory
from drivers.page.route import Key, Route
from drivers.page.timings import Timings
from drivers.page.watch import Watch
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.ports import Document, JobFate, PrintProof
from kiosk.core.result import Err, Ok, Result

Outcome = Result[PrintProof, DeviceError]


class Printing:
    """One command at a time."""

    def __init__(
        self, route: Route, watch: Watch, timings: Timings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._route = route
        self._watch = watch
        self._timings = timings
        self._monotonic = monotonic
        self.memory = Memory(route, watch, timings, monotonic=monotonic)

    def print(self, document: Document, *, until: float) -> Outcome:
        """One document; what its errors mean stands above."""
        try:
            self._watch.look(media=document.media)  # also finds the printer behind a queue
            traces, history = self.memory.settled(document.job)
            outcome = self._earlier(document, until, traces, history)
            if outcome is None:
                number = self._create(document, until)
                outcome = self._send(_Attempt(document, number, _keys(traces), until))
        except Failed as failure:
            return Err(failure.error)
        except Trouble as trouble:
            return Err(DeviceError(trouble.fault, str(trouble)))
        match outcome:
            case Err(DeviceError(fault=Fault.UNPROVEN)):
                pass
            case _:
                self.memory.forget(document.job)
        return outcome

    # --- before the document -------------------------------------------------------------------------------------

    def _earlier(self, document: Document, until: float, traces: Traces, history: list[Job]) -> Outcome | None:
        """What became of an earlier attempt under this name; None: nothing, so print it."""
        match judge(traces, pages=document.pages):
            case JobFate.PRINTED:
                return _proof(traces, document)
            case JobFate.PRINTING:
                number = next((job.id for job in traces.desk if not job.over), None)
                ended = _keys(Traces((), tuple(job for job in traces.engine if job.over)))
                return self._follow(_Attempt(document, number, ended, until), sent_clearly=True)
            case JobFate.NOT_PRINTED:
                return None
            case JobFate.UNKNOWN:
                raise Failed(Fault.UNPROVEN, "an earlier job under this name ended unclear")
            case None:
                pass
        if not self.memory.allows(document.job, traces, history):
            raise Failed(Fault.UNPROVEN, "the printer has forgotten an earlier job under this name")
        return None

    def _create(self, document: Document, until: float) -> int:
        """Wait until the printer can print, then Create-Job."""
        while True:
            view = self._watch.look(media=document.media)
            status = self._watch.status
            if status.well:
                match choose(document, view.printer):
                    case Err(error):
                        raise Failed(error.fault, error.detail)
                    case Ok(sheet):
                        pass
                try:
                    return self._route.create(document.job, sheet)
                except Refused as refused:
                    if not refused.busy:
                        raise Failed(Fault.ABORTED, str(refused)) from refused
                    waiting_for = DeviceError(Fault.TIMEOUT, "printer is busy")
                except Unclear:  # it may wait for a document now, which would hold up everybody
                    with suppress(Trouble, Failed):
                        self.memory.settled(document.job)
                    raise
            elif status.fault is Fault.PAPER_OUT:
                waiting_for = DeviceError(Fault.PAPER_OUT, status.detail)
            else:
                # A state without a named fault is an error that the printer does not explain.
                raise Failed(status.fault or Fault.PROTOCOL, status.detail)
            if self._monotonic() >= until:
                raise Failed(waiting_for.fault, waiting_for.detail)
            self._wait()

    # --- the document --------------------------------------------------------------------------------------------

    def _send(self, attempt: _Attempt) -> Outcome:
        name, number = attempt.document.job, attempt.number
        assert number is not None
        while True:
            self.memory.sends(name)
            try:
                self._route.send(number, attempt.document.pdf)
            except NotReached as trouble:
                return Err(DeviceError(trouble.fault, str(trouble)))
            except Unclear:
                return self._follow(attempt, sent_clearly=False)
            except Refused as refused:
                if refused.busy and self._monotonic() < attempt.until:
                    self._wait()
                    continue
                self._give_up(attempt)
                return Err(DeviceError(Fault.ABORTED, str(refused)))
            return self._follow(attempt, sent_clearly=True)

    def _follow(self, attempt: _Attempt, *, sent_clearly: bool) -> Outcome:
        """Until the printer has decided; a printer that waits for paper is waited for."""
        document = attempt.document
        heard_at = lacking_since = moving_at = self._monotonic()
        while True:
            now = self._monotonic()
            if now >= attempt.until:
                return self._end(attempt, "gave up waiting")
            try:
                self._watch.look(media=document.media)
                traces = self._route.follow(document.job, attempt.number, but=attempt.but)
            except Trouble as trouble:
                self._watch.tell(trouble)
                alone = self._engine_alone(attempt)
                if judge(alone, pages=document.pages) is JobFate.PRINTED:
                    return _proof(alone, document)
                if now - heard_at >= self._timings.lost:
                    return self._silent(attempt)
                self._wait()
                continue
            heard_at = now
            if traces.engine:
                self.memory.meets(document.job)
            if judge(traces, pages=document.pages) is JobFate.PRINTED:
                return _proof(traces, document)
            if traces.engine and all(job.over for job in traces.engine):
                return self._ended(attempt, traces)
            if traces.unfinished:
                moving_at = now
                if not traces.torn.unfinished:
                    lacking_since = now
                if not (sent_clearly and traces.torn.desk) and now - lacking_since >= self._timings.settle:
                    return self._end(attempt, "document did not arrive")
            elif self._route.direct or now - moving_at >= self._timings.settle:
                return self._vanished(attempt, "no trace of the job at the printer", Fault.ABORTED)
            self._wait()

    def _engine_alone(self, attempt: _Attempt) -> Traces:
        try:
            return self._route.engine_alone(attempt.document.job, but=attempt.but)
        except Trouble:
            return Traces((), ())

    def _ended(self, attempt: _Attempt, traces: Traces) -> Outcome:
        """The printer gave it up. A queue that would try it again must not."""
        if traces.unfinished:
            last = self._give_up(attempt)
            if last is None:
                return Err(DeviceError(Fault.UNPROVEN, "printer gave up, queue did not"))
            traces = last
        reasons = ",".join(traces.engine[-1].reasons) if traces.engine else "no trace at the printer"
        return _last_word(traces, attempt.document, DeviceError(Fault.ABORTED, reasons[:200]))

    def _silent(self, attempt: _Attempt) -> Outcome:
        """No word for too long. A queue in between is told to let it be, for the printer may come back at any time."""
        if not self._route.direct and attempt.number is not None:
            with suppress(Trouble):
                self._route.desk.cancel(attempt.number)
        return Err(DeviceError(Fault.UNPROVEN, "printer went silent over the job"))

    def _end(self, attempt: _Attempt, why: str) -> Outcome:
        """Cancel, and say what is certain."""
        fault = self._watch.status.fault or Fault.TIMEOUT
        traces = self._give_up(attempt)
        if traces is None:
            return Err(DeviceError(Fault.UNPROVEN, f"{why}, not cancelled"))
        if not traces.engine:
            return self._vanished(attempt, why, fault)
        return _last_word(traces, attempt.document, DeviceError(fault, f"{why}, cancelled"))

    def _vanished(self, attempt: _Attempt, why: str, fault: Fault) -> Outcome:
        """It is over at the desk, and the printer knows of no new job under its name."""
        document = attempt.document
        with suppress(Trouble):
            traces, history = self._route.traces(document.job)
            match judge(traces, pages=document.pages):
                case JobFate.PRINTED:
                    return _proof(traces, document)
                case JobFate.NOT_PRINTED:
                    return Err(DeviceError(fault, why))
                case None if self.memory.never_came(document.job, self._watch.look(), traces, history):
                    return Err(DeviceError(fault, f"{why}, never at the printer"))
                case _:
                    pass
        return Err(DeviceError(Fault.UNPROVEN, why))

    def _give_up(self, attempt: _Attempt) -> Traces | None:
        """Cancel-Job; what is known when it is over, None if that was not said in time."""
        until = self._monotonic() + self._timings.cancel
        while self._monotonic() < until:
            with suppress(Trouble):
                traces = self._route.follow(attempt.document.job, attempt.number, but=attempt.but)
                if not traces.unfinished:
                    return traces
                self._route.cancel(traces)
            self._wait()
        return None

    def _wait(self) -> None:
        self._watch.stopped.wait(self._timings.follow)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One try to get a document on paper."""

    document: Document
    number: int | None
    """At the desk; None: it has left there, or the desk has forgotten it."""
    but: frozenset[Key]
    """Jobs of earlier tries at the printer."""
    until: float


def _keys(traces: Traces) -> frozenset[Key]:
    return frozenset(job.key for job in traces.engine)


def _proof(traces: Traces, document: Document) -> Outcome:
    """Pages as the printer counted them; as many as the document has where it does not count."""
    job = next(job for job in reversed(traces.engine) if proven(job, pages=document.pages))
    return Ok(PrintProof(document.job, job.pages or document.pages))


def _last_word(traces: Traces, document: Document, error: DeviceError) -> Outcome:
    """What the printer's last word means: `error` only where no job of this name can have come out whole."""
    if judge(traces, pages=document.pages) is JobFate.PRINTED:
        return _proof(traces, document)
    if traces.engine and all(failed(job, pages=document.pages) for job in traces.engine):
        return Err(error)
    return Err(DeviceError(Fault.UNPROVEN, "printer reports an end that does not agree with its pages"))
