"""The same driver through a real cupsd: what CUPS hides, forgets or gets wrong, the driver tells as it is."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.page.driver import PageAdapter
from drivers.page.facts import A4, Sheet
from drivers.page.ipp import JobState
from drivers.page.proof_sheet import proof_sheet
from drivers.page.timings import Timings
from drivers.sim.page import PagePrinterSim
from kiosk.core.devices import DeviceEvent, DeviceState, DeviceStatus, Fault, Level, StatusChanged
from kiosk.core.ports import Document, JobFate, PrintProof
from kiosk.core.result import Err, Ok
from tests.protocol.print_server import CupsDaemon, descendants, wait_for

pytestmark = pytest.mark.xdist_group("cups")

TIMINGS = Timings(
    poll=0.1,
    follow=0.05,
    exchange=5.0,
    send=5.0,
    within=30.0,
    lost=1.5,
    settle=1.5,
    cancel=5.0,
    first_retry=0.05,
    last_retry=0.2,
)
USERS = ("", "nobody") if os.getuid() == 0 else ("",)
PROOF = PrintProof("440699-0001", 1)


def document(job: str = "440699-0001", **how: Any) -> Document:
    return Document(job, proof_sheet("A page", ["through a print server"]), 1, **how)


class Office:
    """A printer, a print server in front of it, and a driver."""

    def __init__(self, folder: Path, user: str = "") -> None:
        self.sim = PagePrinterSim(dir=folder / "printer")
        self.printer = self.sim.start()
        self.cups = CupsDaemon(folder / "cups", user=user)
        self.cups.start()
        self.queue = self.cups.add("a4", self.printer)
        self.driver = PageAdapter(self.queue, timings=TIMINGS)
        self.said: list[DeviceStatus] = []

    def hear(self, event: DeviceEvent) -> None:
        assert isinstance(event, StatusChanged)
        self.said.append(event.status)

    def set(self, **faults: Any) -> None:
        self.sim.handle("set", faults, b"")

    def papers(self) -> list[dict[str, Any]]:
        papers: list[dict[str, Any]] = self.sim.handle("list", {}, b"")[0]["papers"]
        return papers

    def complete(self) -> int:
        return sum(paper["complete"] for paper in self.papers())

    def well(self) -> bool:
        return self.driver.status().well

    def wait_well(self) -> None:
        wait_for(self.well, "well")

    def wait_fault(self, fault: Fault) -> None:
        wait_for(lambda: self.driver.status().fault is fault, fault)

    def print_meanwhile(self, **how: Any) -> tuple[threading.Thread, list[object]]:
        ended: list[object] = []
        thread = threading.Thread(target=lambda: ended.append(self.driver.print(document(), **how)))
        thread.start()
        return thread, ended

    def close(self) -> None:
        self.set(mute=False)
        self.driver.close()
        self.cups.stop()
        self.sim.stop()


def made(folder: Path, user: str = "") -> Iterator[Office]:
    office = Office(folder, user)
    office.driver.open(office.hear)
    try:
        office.wait_well()
        yield office
    finally:
        office.close()


@pytest.fixture
def office(short_path: Path) -> Iterator[Office]:
    yield from made(short_path)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder that cupsd's own user may enter, which pytest's are not, with a name short enough for a socket's."""
    with tempfile.TemporaryDirectory(prefix="cups-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def fault_of(result: object) -> Fault:
    assert isinstance(result, Err), result
    return result.error.fault  # type: ignore[no-any-return]


@pytest.mark.parametrize("user", USERS, ids=lambda user: user or "self")
def test_a_document_comes_out_once(short_path: Path, user: str) -> None:
    for office in made(short_path, user):
        assert office.driver.print(document()) == Ok(PROOF)
        assert office.driver.print(document()) == Ok(PROOF)
        (paper,) = office.papers()
        assert (paper["job"], paper["printed"], paper["media"]) == ("440699-0001", 1, A4)
        status = office.driver.status()
        assert status.identity == f"Street A4 1.4.2 @ {office.queue}", "the printer's own name, not the queue's"
        tested = office.driver.self_test(deep=False)
        assert isinstance(tested, Ok)
        assert "through a print server" in tested.value


def test_paper_and_sides_are_passed_on(office: Office) -> None:
    office.set(media="iso_a5_148x210mm")
    office.wait_fault(Fault.MEDIA_WRONG)
    assert fault_of(office.driver.print(document())) is Fault.MEDIA_WRONG
    assert isinstance(office.driver.print(document("a5", media="iso_a5_148x210mm", duplex=True)), Ok)
    (paper,) = office.papers()
    assert (paper["media"], paper["sides"]) == ("iso_a5_148x210mm", "two-sided-long-edge")


def test_an_empty_tray_half_way_is_named_and_waited_for(office: Office) -> None:
    office.set(slow_ms=300)
    thread, ended = office.print_meanwhile()
    wait_for(lambda: office.sim._engine.state == 4, "it prints")
    office.set(paper="out")
    office.wait_fault(Fault.PAPER_OUT)
    assert office.driver.status().paper is Level.OUT
    assert ended == []
    office.set(paper="full")
    thread.join(30)
    assert ended == [Ok(PROOF)]


def test_a_jam_that_nobody_clears_leaves_nothing_behind(office: Office) -> None:
    office.set(slow_ms=300)
    thread, ended = office.print_meanwhile(within_s=TIMINGS.cancel + 2.0)
    wait_for(lambda: office.sim._engine.state == 4, "it prints")
    office.set(jam=True)
    thread.join(30)
    assert fault_of(ended[0]) is Fault.JAM
    assert [job.state for job in office.cups.client("a4").jobs()] == [JobState.CANCELED]
    office.set(jam=False, slow_ms=0)
    office.wait_well()
    assert office.papers() == [], "it does not come out later"
    assert office.driver.print(document()) == Ok(PROOF), "given up is not printed: it may be tried again"


def test_cups_calls_an_aborted_job_completed_and_the_driver_does_not(office: Office) -> None:
    office.set(abort_next=True)
    assert fault_of(office.driver.print(document())) is Fault.ABORTED
    (job,) = office.cups.client("a4").jobs()
    assert job.over
    assert job.pages == 1, "CUPS counts what went through its filter"
    assert office.driver.fate("440699-0001") == Ok(JobFate.NOT_PRINTED)
    assert office.papers() == []
    assert office.driver.print(document()) == Ok(PROOF)


def test_cups_keeps_a_jam_that_is_cleared_and_the_driver_does_not(office: Office) -> None:
    office.set(jam=True)
    office.wait_fault(Fault.JAM)
    client = office.cups.client("a4")
    with_jam = client.create("other", Sheet(A4, "one-sided"))
    client.send(with_jam, document().pdf)
    wait_for(lambda: any("media-jam" in word for word in client.facts().condition.reasons), "CUPS hears of the jam")
    client.cancel(with_jam)
    server = office.cups.process
    assert server is not None
    wait_for(lambda: client.job(with_jam).over and not descendants(server.pid), "cancelled, and nobody at the printer")
    office.set(jam=False)
    office.wait_well()
    assert any("media-jam" in word for word in client.facts().condition.reasons), "stale"
    assert office.driver.print(document()) == Ok(PROOF)


def test_a_printer_that_is_away_is_named_and_gets_nothing_later(office: Office) -> None:
    """CUPS would take the job and hold it for ever."""
    office.set(gone=True)
    office.wait_fault(Fault.UNREACHABLE)
    assert office.driver.status().state is DeviceState.OFFLINE
    assert fault_of(office.driver.print(document())) is Fault.UNREACHABLE
    assert office.cups.client("a4").jobs() == []
    assert fault_of(office.driver.fate("440699-0001")) is Fault.UNREACHABLE
    office.set(gone=False)
    office.wait_well()
    assert office.driver.print(document()) == Ok(PROOF)


def test_a_printer_unplugged_half_way(office: Office) -> None:
    office.set(slow_ms=500)
    thread, ended = office.print_meanwhile()
    wait_for(lambda: office.sim._engine.state == 4, "it prints")
    office.set(gone=True)
    office.wait_fault(Fault.UNREACHABLE)
    thread.join(30)
    assert fault_of(ended[0]) is Fault.UNPROVEN
    wait_for(lambda: all(job.over for job in office.cups.client("a4").jobs()), "CUPS lets it be")
    office.set(gone=False)
    office.wait_well()
    wait_for(lambda: office.driver.fate("440699-0001") == Ok(JobFate.PRINTED), "it tells what came of it")
    assert office.driver.print(document()) == Ok(PROOF)
    assert office.complete() == 1


@pytest.mark.parametrize(("break_it", "mend_it"), [("cupsdisable", "cupsenable"), ("cupsreject", "cupsaccept")])
def test_a_queue_that_is_held_up(office: Office, break_it: str, mend_it: str) -> None:
    office.cups.tool(break_it, "a4")
    office.wait_fault(Fault.STOPPED)
    assert fault_of(office.driver.print(document())) is Fault.STOPPED
    office.cups.tool(mend_it, "a4")
    office.wait_well()
    assert office.driver.print(document()) == Ok(PROOF)


def test_cupsd_killed_half_way_prints_once(office: Office) -> None:
    """The printer alone tells the end; the new cupsd knows nothing of it and prints nothing."""
    office.set(slow_ms=700)
    thread, ended = office.print_meanwhile()
    wait_for(lambda: office.sim._engine.state == 4, "it prints")
    office.cups.stop(signal.SIGKILL)
    office.wait_fault(Fault.SERVICE_DOWN)
    thread.join(30)
    assert ended == [Ok(PROOF)]
    office.cups.start()
    office.wait_well()
    assert office.cups.client("a4").jobs() == []
    assert office.driver.fate("440699-0001") == Ok(JobFate.PRINTED)
    assert office.driver.print(document()) == Ok(PROOF)
    assert office.complete() == len(office.papers()) == 1


def test_cupsd_killed_while_the_printer_is_jammed(office: Office) -> None:
    """The printer has the document: it may come out yet, is waited for, and comes once."""
    office.set(slow_ms=500)
    thread, ended = office.print_meanwhile()
    wait_for(lambda: office.sim._engine.state == 4, "it prints")
    office.set(jam=True)
    office.cups.stop(signal.SIGKILL)
    thread.join(30)
    assert fault_of(ended[0]) is Fault.UNPROVEN
    office.cups.start()
    office.wait_fault(Fault.JAM)
    assert office.driver.fate("440699-0001") == Ok(JobFate.PRINTING)
    office.set(jam=False, slow_ms=0)
    office.wait_well()
    assert office.driver.print(document()) == Ok(PROOF)
    assert office.complete() == len(office.papers()) == 1


def test_cupsd_killed_before_the_printer_has_the_document(office: Office) -> None:
    """The printer waits for a document that nobody will send: that job is cancelled, and printed anew."""
    office.set(lag_ms=300)
    thread, ended = office.print_meanwhile()
    wait_for(lambda: office.sim._engine.jobs, "created, the answer is on its way")
    office.cups.stop(signal.SIGKILL)
    thread.join(30)
    assert fault_of(ended[0]) is Fault.UNPROVEN
    office.set(lag_ms=0)
    office.cups.start()
    office.wait_well()
    assert office.driver.fate("440699-0001") == Ok(JobFate.NOT_PRINTED)
    assert office.driver.print(document()) == Ok(PROOF)
    assert office.complete() == len(office.papers()) == 1


def test_a_printer_switched_off_and_on_half_way_is_no_proof_of_anything(office: Office) -> None:
    office.set(slow_ms=500)
    thread, ended = office.print_meanwhile()
    wait_for(lambda: office.sim._engine.state == 4, "it prints")
    wait_for(lambda: "440699-0001" in office.driver._printing.memory._met, "the driver has seen it there")
    office.sim.handle("power_cycle", {}, b"")
    office.set(slow_ms=0)
    thread.join(30)
    assert fault_of(ended[0]) is Fault.UNPROVEN
    assert office.driver.fate("440699-0001", age_s=5.0) == Ok(JobFate.UNKNOWN)
    assert fault_of(office.driver.print(document())) is Fault.UNPROVEN, "a person has to look first"
    assert office.complete() == 0
    assert len(office.papers()) <= 1


def test_a_printer_that_cannot_be_asked_needs_a_word_in_the_profile(office: Office) -> None:
    """A queue in front of something that is no IPP printer, here a raw port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[bytes] = []
        thread = threading.Thread(target=_swallow, args=(listener, taken), daemon=True)
        thread.start()
        office.cups.tool("lpadmin", "-p", "a4", "-v", f"socket://127.0.0.1:{listener.getsockname()[1]}")
        office.wait_fault(Fault.MISCONFIGURED)
        assert fault_of(office.driver.print(document())) is Fault.MISCONFIGURED
        trusting = PageAdapter(f"{office.queue}?proof=queue", timings=TIMINGS)
        assert trusting.print(document()) == Ok(PROOF)
        tested = trusting.self_test(deep=False)
        assert isinstance(tested, Ok)
        assert "by the queue's word only" in tested.value
        wait_for(lambda: taken, "the raw port has it")
        assert b"%PDF" in taken[0]


def _swallow(listener: socket.socket, taken: list[bytes]) -> None:
    line, _ = listener.accept()
    with line:
        pieces = []
        while piece := line.recv(65536):
            pieces.append(piece)
        taken.append(b"".join(pieces))
