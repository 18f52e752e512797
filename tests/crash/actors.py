"""The processes of the kill soak, forked from one warm parent: hall, queue process, and the citizens at the screen.

Everything is what a terminal and a hall run, over mutual TLS and real files. The two careless variants exist so that
the soak can show that it would notice them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from hall.admin import perform
from hall.hall import Hall, open_hall
from hall.intake import submissions
from hall.server import serve, uvloop_run
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.numbers import ApplicationNumber, mint_submission_id
from kiosk.contract.signing import HallReceipt, sign_receipt
from kiosk.contract.sync import Verdict
from kiosk.core.ports import SealedSubmission
from kiosk.core.profile import Profile
from kiosk.core.result import Err, Ok
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.disk.space import SpaceLimits
from offline_queue.ipc.service import QueueService
from offline_queue.process import QueueOptions, main
from offline_queue.store import Retention
from offline_queue.uplink.policy import Backoff, SyncDelays
from tests.crash.shim import Page, Shim, die_with_parent

_PAUSE_S = 0.03
"""Between two filings: the queue comes to rest now and then."""
_BACKLOG = 60
_HURRY = Backoff(first=0.01, cap=0.03, floor=0.005)
OPTIONS = QueueOptions(
    delays=SyncDelays(
        heartbeat=0.3, manifest=0.5, house=0.3, link=_HURRY, hall=_HURRY, item=_HURRY, refused=0.05, store=0.02
    ),
    space=SpaceLimits(ballast=256 * 1024),
    # Old filings are forgotten while it runs, so that forgetting is killed too.
    retention=Retention(owed=timedelta(seconds=5), history=timedelta(seconds=20)),
    enrolment_s=0.02,
    stop_s=1.0,
)


class Careless(StrEnum):
    """A fault that the soak must find."""

    NOT = "not"
    HALL_WITHOUT_DEDUPE = "hall_without_dedupe"
    QUEUE_ACKS_FIRST = "queue_acks_first"


@dataclass(frozen=True)
class Places:
    """Where one street lives."""

    root: Path
    terminal_id: str

    @property
    def hall(self) -> Path:
        """The hall's data directory."""
        return self.root / "hall"

    @property
    def machine(self) -> Path:
        """The terminal's directory."""
        return self.root / "terminal"

    @property
    def terminal(self) -> Path:
        """The terminal's data directory."""
        return self.machine / "data"


@dataclass
class Told:
    """A pipe that says what a process has promised, one line each; a line is whole or not there."""

    reading: int
    writing: int
    _rest: bytes = field(default=b"")

    @classmethod
    def new(cls) -> Told:
        """A fresh pipe; the reading end never blocks."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        return cls(reading, writing)

    def say(self, *words: str) -> None:
        """Say one line."""
        os.write(self.writing, (" ".join(words) + "\n").encode())

    def lines(self) -> list[list[str]]:
        """What was said since the last time."""
        heard = self._rest
        try:
            while piece := os.read(self.reading, 65536):
                heard += piece
        except BlockingIOError:
            pass
        *whole, self._rest = heard.split(b"\n")
        return [line.decode().split() for line in whole]

    def close(self) -> None:
        """Both ends."""
        os.close(self.reading)
        os.close(self.writing)


def fork(work: Callable[[], int | None], *, log: Path) -> int:
    """A child that does `work`, dies with us, and says what goes wrong in `log`; its pid."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        die_with_parent()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with log.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = work() or 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


# --- the hall --------------------------------------------------------------------------------------------------------


class _WatchedIntake:
    """The hall's intake; says which ids it has signed for, with what."""

    def __init__(self, inner: Any, told: Told) -> None:
        self._inner = inner
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _tell(self, verdict: Verdict) -> Verdict:
        if verdict.receipt:
            self._told.say("signed", verdict.id, hashlib.sha256(verdict.receipt.encode()).hexdigest())
        return verdict

    def announce(self, items: Any) -> tuple[Verdict, ...]:
        """As the intake does."""
        return tuple(self._tell(verdict) for verdict in self._inner.announce(items))

    def submit(self, raw: bytes, *, terminal_id: str) -> Verdict:
        """As the intake does."""
        verdict: Verdict = self._tell(self._inner.submit(raw, terminal_id=terminal_id))
        return verdict

    def submit_batch(self, raws: Any, *, terminal_id: str) -> tuple[Verdict | None, ...]:
        """As the intake does."""
        verdicts = self._inner.submit_batch(raws, terminal_id=terminal_id)
        return tuple(verdict and self._tell(verdict) for verdict in verdicts)


class _CarelessIntake(submissions.Intake):
    """Makes a case of everything that arrives, as often as it arrives."""

    def _accept(self, connection: Any, opened: Any, now: Any, calendar: Any) -> Verdict:
        first = opened.submission
        number = ApplicationNumber.parse(first.application_no)
        again = str(dataclasses.replace(number, serial=int.from_bytes(os.urandom(4), "big") % 10_000))
        id_ = mint_submission_id(unix_ms=int(now.timestamp() * 1000), random_bytes=os.urandom)
        fresh = first.model_copy(update={"id": id_, "application_no": again})
        verdict = super()._accept(connection, dataclasses.replace(opened, submission=fresh), now, calendar)
        receipt = sign_receipt(HallReceipt(first.id, opened.sha256, now), self._keys.signing)
        import base64

        return verdict.model_copy(update={"id": first.id, "receipt": base64.b64encode(receipt).decode()})


def run_hall(places: Places, *, port: int, told: Told, careless: Careless, page: Page | None = None) -> int:
    """`hall serve`."""
    if page is not None:
        Shim.here().arm(places.hall, page)
    opened = open_hall(places.hall, decide_after_s=3600.0)
    kept: Any = opened.intake
    if careless is Careless.HALL_WITHOUT_DEDUPE:
        submissions._known = lambda *_: None  # type: ignore[assignment]
        kept.__class__ = _CarelessIntake
    watched: Hall = dataclasses.replace(opened, intake=_WatchedIntake(kept, told))  # type: ignore[arg-type]

    def ready(where: dict[str, Any]) -> None:
        told.say("port", where["terminal_url"].rsplit(":", 1)[1])

    watched.jobs.start()
    try:
        uvloop_run(serve(watched, host="127.0.0.1", port=port, staff_port=0, on_ready=ready))
    finally:
        watched.jobs.stop()
        watched.close()
    return 0


def publish(places: Places) -> int:
    """Set the hall up with its catalogue."""
    perform(places.hall, "publish")
    return 0


def enrol(places: Places, *, port: int) -> int:
    """Ticket, keys, certificate, from the running hall."""
    from kiosk.contract.tickets import EnrolTicket
    from provisioning.enrol import enrol as enrol_at
    from tests.hall.conftest import machine_at

    machine = machine_at(places.machine, f"https://127.0.0.1:{port}", places.terminal_id)
    ticket = perform(places.hall, "ticket", terminal=places.terminal_id, site="样本站", name="1号机")["ticket"]
    done = enrol_at(machine, EnrolTicket.parse(ticket))
    if isinstance(done, Err):
        raise RuntimeError(done.error.fault.value)
    return 0


# --- the terminal ----------------------------------------------------------------------------------------------------


def run_queue(places: Places, profile: Profile, *, careless: Careless, page: Page | None = None) -> int:
    """`kiosk sync`."""
    if page is not None:
        Shim.here().arm(places.terminal, page)
    if careless is Careless.QUEUE_ACKS_FIRST:
        _acknowledge_first()
    return main(profile, data=places.terminal, software="crash", options=OPTIONS)


def _acknowledge_first() -> None:
    """Say yes, then write it down."""
    later: queue.Queue[Callable[[], Any]] = queue.Queue()
    honest = QueueService._put

    def put(self: QueueService, request: Any, tail: bytes) -> Any:
        later.put(lambda: honest(self, request, tail))
        return Ok(None)

    def write() -> None:
        while True:
            later.get()()

    QueueService._put = put  # type: ignore[method-assign]
    threading.Thread(target=write, daemon=True).start()


def run_citizens(places: Places, filings: Iterable[SealedSubmission], *, told: Told) -> int:
    """File one after the other for ever; what the queue has acknowledged is told. Ends at SIGTERM, between filings."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    from kiosk.core.profile import DataLayout

    client = QueueClient(Path(DataLayout(places.terminal).queue_socket), delays=ClientDelays(call_s=60, again_s=0.005))
    for position, sealed in enumerate(filings):
        if ending.is_set():
            return 0
        if position % 3 == 0:
            number = client.reserve_number()
            if isinstance(number, Err):
                raise RuntimeError(f"no number: {number.error.fault.value}")
            told.say("number", number.value)
        told.say("trying", sealed.id, parse_envelope(sealed.envelope).sha256)
        done = client.put(sealed, card_tag=os.urandom(32), slip=b"sealed slip")
        if isinstance(done, Err):
            raise RuntimeError(f"refused: {done.error.fault.value} {done.error.detail}")
        told.say("filed", sealed.id)
        ending.wait(_PAUSE_S)
        # Everything must have arrived at the end of the storm: no backlog that takes longer than the storm.
        while position % 10 == 0 and not ending.is_set() and client.status().pending > _BACKLOG:
            ending.wait(_PAUSE_S)
    told.say("nothing_left")
    signal.pause()
    return 0
