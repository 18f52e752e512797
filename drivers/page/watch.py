"""What is known of the printer now, asked again and again; told when it changes."""

from __future__ import annotations

import threading

from drivers.host.adapter import Emit
from drivers.page.client import Trouble
from drivers.page.facts import A4, holds
from drivers.page.route import Route, View
from drivers.page.status import starting, summarize, unreachable
from drivers.page.timings import Timings
from kiosk.core.devices import DeviceStatus, StatusChanged


class Watch:
    """Keeps the status. Any thread may look; one of its own does while nothing is printed."""

    def __init__(self, route: Route, timings: Timings) -> None:
        self._route = route
        self._timings = timings
        self._where = route.desk.address.uri
        self._name = ""
        self._status = starting(self._where)
        self._lock = threading.Lock()
        self._emit: Emit = lambda _event: None
        self.stopped = threading.Event()
        self.printing = threading.Event()
        """While it is set the job's thread looks."""
        self._thread: threading.Thread | None = None

    @property
    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    def start(self, emit: Emit) -> None:
        """Begin to look."""
        self._emit = emit
        self._thread = threading.Thread(target=self._run, name="page-status", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self.stopped.set()
        if self._thread is not None:
            self._thread.join()

    def look(self, *, media: str = A4, within_s: float | None = None) -> View:
        """Ask the printer how it is and tell it; Trouble if it did not say, which is told too.

        `media`: the paper that is wanted. A printer that does not say what lies in its trays has it.
        """
        try:
            view = self._route.look(within_s=within_s)
        except Trouble as trouble:
            self.tell(trouble)
            raise
        facts = view.printer
        self._name = facts.name
        fits = not facts.ready or holds(facts.ready, media)
        self._publish(summarize(facts.condition, identity=self._identity, fits=fits))
        return view

    def tell(self, trouble: Trouble) -> None:
        """There is no contact."""
        self._publish(unreachable(trouble.fault, identity=self._identity, detail=str(trouble)))

    @property
    def _identity(self) -> str:
        """Model and firmware once they were told, and where; no credentials."""
        return f"{self._name} @ {self._where}" if self._name else self._where

    def _run(self) -> None:
        retry = self._timings.first_retry
        while not self.stopped.is_set():
            if self.printing.is_set() or self._answers():
                retry = self._timings.first_retry
                self.stopped.wait(self._timings.poll)
            else:
                self.stopped.wait(retry)
                retry = min(retry * 2, self._timings.last_retry)

    def _answers(self) -> bool:
        try:
            self.look()
        except Trouble:
            return False
        return True

    def _publish(self, status: DeviceStatus) -> None:
        with self._lock:
            if status == self._status:
                return
            self._status = status
            self._emit(StatusChanged(status))
