"""The A4 printer in its worker process (A4 激光打印机): a PDF under our job name, printed when the printer says so."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import CodecError, dump_proof, load_document, take
from drivers.page.address import parse
from drivers.page.client import Trouble
from drivers.page.facts import LONG_EDGE, Facts
from drivers.page.http import post
from drivers.page.printing import Outcome, Printing
from drivers.page.proof_sheet import proof_sheet
from drivers.page.route import Route, View
from drivers.page.timings import Timings
from drivers.page.watch import Watch
from kiosk.core.devices import DeviceError, DeviceKind, DeviceStatus, Fault
from kiosk.core.ports import Document, JobFate
from kiosk.core.result import Err, Ok, Result


class PageAdapter:
    """Adapter for `drivers.host.worker`.

    `print`: a dumped Document and its PDF, optionally `within_s` → a dumped PrintProof.
    `fate`: `job`, optionally `age_s` → `fate`, a JobFate.
    """

    kind = DeviceKind.PAGE
    capabilities = frozenset({"print", "fate"})

    def __init__(
        self, address: str, *, timings: Timings | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._timings = timings = timings or Timings()
        self._monotonic = monotonic
        place = parse(address)
        self.identity = place.uri
        self._route = Route(place, post=post, exchange_s=timings.exchange, send_s=timings.send)
        self._watch = Watch(self._route, timings)
        self._printing = Printing(self._route, self._watch, timings, monotonic=monotonic)

    def open(self, emit: Emit) -> None:
        """Start to watch the printer."""
        self._watch.start(emit)

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._watch.status

    def close(self) -> None:
        """Stop watching."""
        self._watch.stop()

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """`print` or `fate`."""
        try:
            match verb:
                case "print":
                    document = load_document(args, blob)
                    return _replied(self.print(document, within_s=_seconds(args, "within_s")))
                case "fate":
                    job, age_s = take(args, "job", str), _seconds(args, "age_s")
                case _:
                    return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))
        except CodecError as error:
            return Err(DeviceError(Fault.PROTOCOL, f"command is malformed ({error})"))
        match self.fate(job, age_s=age_s):
            case Ok(fate):
                return Ok(Reply({"fate": fate.value}))
            case Err() as unknown:
                return unknown

    def print(self, document: Document, *, within_s: float | None = None) -> Outcome:
        """One document; `drivers.page.printing` says what its errors mean."""
        until = self._monotonic() + (self._timings.within if within_s is None else within_s)
        self._watch.printing.set()
        try:
            return self._printing.print(document, until=until - self._timings.cancel)
        finally:
            self._watch.printing.clear()

    def fate(self, job: str, *, age_s: float | None = None) -> Result[JobFate, DeviceError]:
        """What became of an earlier job, by the printer's own memory; UNKNOWN where it may have forgotten.

        `age_s`: seconds since it was sent at the earliest. Without it only a trace of the job tells anything.
        """
        return self._printing.memory.fate(job, age_s=age_s)

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Quick: what the printer tells of itself. Deep: one page on paper as well."""
        try:
            view = self._watch.look(within_s=None if deep else self._timings.quick)
        except Trouble as trouble:
            return Err(DeviceError(trouble.fault, str(trouble)))
        status = self._watch.status
        if not status.well:
            return Err(DeviceError(status.fault or Fault.PROTOCOL, status.detail or "printer does not say how it is"))
        found = describe(view)
        if not deep:
            return Ok(found)
        pdf = proof_sheet("Test page", [self.identity, *found.split("; ")])
        match self.print(Document(f"test-{uuid.uuid4()}", pdf, pages=1), within_s=self._timings.deep):
            case Ok(proof):
                return Ok(f"{found}; test page printed, {proof.pages} counted")
            case Err() as failed:
                return failed


def describe(view: View) -> str:
    """For technicians, in one line."""
    printer = view.printer
    toners = ", ".join(f"{toner.name} {toner.percent} %" for toner in printer.condition.toners if toner.percent >= 0)
    parts = (
        printer.name or "printer does not say what it is",
        f"paper {', '.join(printer.ready)}" if printer.ready else "paper not told",
        f"supplies {toners}" if toners else "supplies not told",
        "both sides" if LONG_EDGE in printer.sides else "one side only",
        f"{printer.impressions} pages so far" if printer.impressions is not None else "pages not counted",
        _way(printer, view.desk),
    )
    return "; ".join(parts)


def _way(printer: Facts, desk: Facts) -> str:
    if desk.device_uri is None:
        return "direct"
    return "by the queue's word only" if printer is desk else "through a print server"


def _replied(outcome: Outcome) -> Result[Reply, DeviceError]:
    match outcome:
        case Ok(proof):
            return Ok(Reply(dump_proof(proof)))
        case Err():
            return outcome


def _seconds(args: Args, name: str) -> float | None:
    """None: not said."""
    if args.get(name) is None:
        return None
    value = args[name]
    if type(value) not in (int, float) or not 0 <= value < 1e9:
        raise CodecError(f"{name}: seconds expected")
    return float(value)
