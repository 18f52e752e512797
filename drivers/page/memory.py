"""What became of earlier jobs: by what the printer still knows, and by what this process remembers of its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from drivers.page.client import Job, Trouble
from drivers.page.fate import Traces, age_of, judge, remembers
from drivers.page.route import Route, View
from drivers.page.timings import Timings
from drivers.page.watch import Watch
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.ports import JobFate
from kiosk.core.result import Err, Ok, Result


class Failed(Exception):
    """The end of a print before its document was sent, or of a question."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.error = DeviceError(fault, detail)


class Memory:
    """Asks the printer; one command at a time."""

    def __init__(
        self, route: Route, watch: Watch, timings: Timings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._route = route
        self._watch = watch
        self._timings = timings
        self._monotonic = monotonic
        self._sent: dict[str, float] = {}
        """When a document left under a job name whose end is not known."""
        self._met: set[str] = set()
        """Names that the printer itself knew once: if it knows one of them no more, it forgets."""

    def sends(self, name: str) -> None:
        """Its document leaves now. Without a queue the printer has given the job a number already."""
        self._sent.setdefault(name, self._monotonic())
        if self._route.direct:
            self._met.add(name)

    def meets(self, name: str) -> None:
        """The printer tells of it."""
        self._met.add(name)

    def forget(self, name: str) -> None:
        """Its end is known."""
        self._sent.pop(name, None)
        self._met.discard(name)

    def fate(self, name: str, *, age_s: float | None) -> Result[JobFate, DeviceError]:
        """What became of an earlier job. `age_s`: how long ago at most it was sent, None: nobody knows."""
        try:
            view = self._watch.look()
            traces, history = self.settled(name)
        except Failed as failure:
            return Err(failure.error)
        except Trouble as trouble:
            return Err(DeviceError(trouble.fault, str(trouble)))
        verdict = judge(traces)
        if verdict is None:
            never = self.never_came(name, view, traces, history, age_s=age_s)
            verdict = JobFate.NOT_PRINTED if never else JobFate.UNKNOWN
        return Ok(verdict)

    def settled(self, name: str) -> tuple[Traces, list[Job]]:
        """Jobs under this name; those whose document never came are cancelled first, for nobody will send it."""
        until = self._monotonic() + self._timings.cancel
        while True:
            traces, history = self._route.traces(name)
            if not traces.torn.unfinished:
                return traces, history
            if self._monotonic() >= until:
                raise Failed(Fault.UNPROVEN, "an earlier job under this name cannot be cancelled")
            self._route.cancel(traces.torn)
            self._watch.stopped.wait(self._timings.follow)

    def allows(self, name: str, traces: Traces, history: list[Job]) -> bool:
        """The printer knows nothing under this name: may it be printed now without being printed twice?"""
        if not traces.desk and name not in self._sent:
            return True
        return self.never_came(name, self._watch.look(), traces, history)

    def never_came(
        self, name: str, view: View, traces: Traces, history: list[Job], *, age_s: float | None = None
    ) -> bool:
        """A job left no trace at the printer: does that prove that it never was there?"""
        sent_at = self._sent.get(name)
        ages = (age_s, None if sent_at is None else self._monotonic() - sent_at, age_of(traces.desk, view.desk))
        known = [age for age in ages if age is not None]
        return name not in self._met and bool(known) and remembers(view.printer, history, age_s=max(known))
