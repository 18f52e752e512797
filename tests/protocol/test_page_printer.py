"""The A4 printer's driver against a printer at the wire: every fault is seen and left behind, nothing prints twice."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from drivers.host.adapter import Reply
from drivers.host.codec import dump_document, dump_proof
from drivers.host.host import DriverHost
from drivers.host.proxies import PagePrinterProxy
from drivers.page.driver import PageAdapter
from drivers.page.facts import A4
from drivers.page.ipp import Attribute, Operation, ValueTag, encode, request
from drivers.page.timings import Timings
from drivers.sim.page import PagePrinterSim
from kiosk.core.devices import DeviceEvent, DeviceKind, DeviceState, DeviceStatus, Fault, Level, StatusChanged
from kiosk.core.ports import Document, JobFate, PrintProof
from kiosk.core.result import Err, Ok

LONG_S = 20.0
FAST = Timings(
    poll=0.03,
    follow=0.02,
    exchange=0.5,
    send=2.0,
    within=LONG_S,
    lost=0.8,
    settle=0.3,
    cancel=0.5,
    first_retry=0.02,
    last_retry=0.1,
)


def _pdf(pages: int) -> bytes:
    target = BytesIO()
    sheet = Image.new("L", (595, 842), 255)
    sheet.save(target, "PDF", save_all=True, append_images=[sheet] * (pages - 1))
    return target.getvalue()


PDF = _pdf(2)


def document(job: str = "440699-0001") -> Document:
    return Document(job, PDF, 2)


def wait_until(condition: Callable[[], object], within_s: float = LONG_S) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.005)


class Street:
    """A printer, and a driver with everything that it said."""

    def __init__(self, folder: Path) -> None:
        self.sim = PagePrinterSim(dir=folder)
        self.address = self.sim.start()
        self.driver = PageAdapter(self.address, timings=FAST)
        self.said: list[DeviceStatus] = []

    def hear(self, event: DeviceEvent) -> None:
        assert isinstance(event, StatusChanged)
        self.said.append(event.status)

    def set(self, **faults: Any) -> None:
        self.sim.handle("set", faults, b"")

    def papers(self) -> list[dict[str, Any]]:
        papers: list[dict[str, Any]] = self.sim.handle("list", {}, b"")[0]["papers"]
        return papers

    def wait_for_fault(self, fault: Fault | None) -> None:
        wait_until(lambda: self.driver.status().fault is fault)

    def well(self) -> bool:
        return self.driver.status().well

    def print_meanwhile(self, one: Document | None = None, **how: Any) -> tuple[threading.Thread, list[object]]:
        ended: list[object] = []
        thread = threading.Thread(target=lambda: ended.append(self.driver.print(one or document(), **how)))
        thread.start()
        return thread, ended


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    opened = Street(tmp_path)
    opened.driver.open(opened.hear)
    wait_until(opened.well)
    yield opened
    opened.sim.handle("set", {"mute": False}, b"")
    opened.driver.close()
    opened.sim.stop()


def fault_of(result: object) -> Fault:
    assert isinstance(result, Err), result
    return result.error.fault  # type: ignore[no-any-return]


def test_a_document_comes_out_as_it_went_in(street: Street) -> None:
    assert street.driver.print(document()) == Ok(PrintProof("440699-0001", 2))
    (paper,) = street.papers()
    assert paper == {
        "n": 1,
        "job": "440699-0001",
        "pages": 2,
        "printed": 2,
        "complete": True,
        "torn": False,
        "media": A4,
        "sides": "one-sided",
    }
    assert street.sim.handle("get", {"n": 1}, b"")[1] == PDF
    picture = Image.open(BytesIO(street.sim.handle("get", {"n": 1, "as": "png", "page": 2}, b"")[1]))
    assert picture.format == "PNG"
    assert picture.height > picture.width
    assert street.sim.handle("tear", {}, b"")[0] == {"taken": 2}
    assert street.papers()[0]["torn"] is True


def test_the_verb_prints_and_refuses_nonsense(street: Street) -> None:
    args, pdf = dump_document(document())
    assert street.driver.handle("print", args, pdf) == Ok(Reply(dump_proof(PrintProof("440699-0001", 2))))
    for verb, wrong in (("dance", {}), ("print", {}), ("print", args | {"within_s": "soon"})):
        assert fault_of(street.driver.handle(verb, wrong, pdf)) is Fault.PROTOCOL


def test_the_same_job_name_never_prints_twice(street: Street) -> None:
    for _ in range(3):
        assert street.driver.print(document()) == Ok(PrintProof("440699-0001", 2))
    assert street.driver.print(document("440699-0002")) == Ok(PrintProof("440699-0002", 2))
    assert [paper["job"] for paper in street.papers()] == ["440699-0001", "440699-0002"]


def test_status_is_told_once_a_change(street: Street) -> None:
    time.sleep(5 * FAST.poll)  # a quiet time in which nothing must be said
    assert [status.state for status in street.said] == [DeviceState.ONLINE]
    street.set(paper="low")
    wait_until(lambda: street.driver.status().paper is Level.LOW)
    street.set(toner="low", paper="full")
    wait_until(lambda: street.driver.status().toner is Level.LOW)
    assert isinstance(street.driver.print(document()), Ok), "low is good enough"


@pytest.mark.parametrize(
    ("hand", "mended", "fault", "state"),
    [
        ({"jam": True}, {"jam": False}, Fault.JAM, DeviceState.ERROR),
        ({"door": True}, {"door": False}, Fault.DOOR_OPEN, DeviceState.ERROR),
        ({"toner": "out"}, {"toner": "full"}, Fault.TONER_OUT, DeviceState.ONLINE),
        ({"gone": True}, {"gone": False}, Fault.UNREACHABLE, DeviceState.OFFLINE),
        ({"mute": True}, {"mute": False}, Fault.TIMEOUT, DeviceState.OFFLINE),
        ({"garbage": True}, {"garbage": False}, Fault.PROTOCOL, DeviceState.OFFLINE),
    ],
)
def test_a_fault_before_printing(
    street: Street, hand: dict[str, Any], mended: dict[str, Any], fault: Fault, state: DeviceState
) -> None:
    """It is seen by itself, a document is refused with nothing sent, and all is well when it is mended."""
    street.set(**hand)
    street.wait_for_fault(fault)
    assert street.driver.status().state is state
    assert not street.well()
    assert fault_of(street.driver.print(document())) is fault
    street.set(**mended)
    wait_until(street.well)
    assert isinstance(street.driver.print(document()), Ok)
    assert [paper["complete"] for paper in street.papers()] == [True]


def test_an_empty_tray_is_waited_for(street: Street) -> None:
    street.set(paper="out")
    thread, ended = street.print_meanwhile()
    street.wait_for_fault(Fault.PAPER_OUT)
    assert ended == []
    street.set(paper="full")
    thread.join(LONG_S)
    assert ended == [Ok(PrintProof("440699-0001", 2))]


def test_an_empty_tray_that_stays_empty(street: Street) -> None:
    street.set(paper="out")
    assert fault_of(street.driver.print(document(), within_s=0.8)) is Fault.PAPER_OUT
    street.set(paper="full")
    assert isinstance(street.driver.print(document()), Ok)
    assert len(street.papers()) == 1


@pytest.mark.parametrize(
    ("hand", "mended", "fault"),
    [
        ({"sheets_left": 1}, {"paper": "full"}, Fault.PAPER_OUT),
        ({"jam": True}, {"jam": False}, Fault.JAM),
        ({"door": True}, {"door": False}, Fault.DOOR_OPEN),
        ({"toner": "out"}, {"toner": "full"}, Fault.TONER_OUT),
    ],
)
def test_a_fault_in_the_middle(street: Street, hand: dict[str, Any], mended: dict[str, Any], fault: Fault) -> None:
    """The driver says so while it waits; when it is mended the job goes on, once."""
    street.set(slow_ms=150)
    thread, ended = street.print_meanwhile()
    if "sheets_left" not in hand:
        wait_until(street.papers)
    street.set(**hand)
    street.wait_for_fault(fault)
    assert ended == []
    street.set(slow_ms=0, **mended)
    thread.join(LONG_S)
    assert ended == [Ok(PrintProof("440699-0001", 2))]
    assert [paper["printed"] for paper in street.papers()] == [2]
    wait_until(street.well)


def test_a_fault_that_nobody_mends_cancels_the_job(street: Street) -> None:
    """The second page does not come out later, in front of somebody else."""
    street.set(sheets_left=1)
    assert fault_of(street.driver.print(document(), within_s=1.0)) is Fault.PAPER_OUT
    street.set(paper="full")
    wait_until(street.well)
    (half,) = street.papers()
    assert (half["printed"], half["complete"]) == (1, False)
    assert isinstance(street.driver.print(document()), Ok), "given up is not printed: the same name may be tried again"


def test_an_aborted_job_may_be_tried_again(street: Street) -> None:
    street.set(abort_next=True)
    assert fault_of(street.driver.print(document())) is Fault.ABORTED
    assert isinstance(street.driver.print(document()), Ok)
    assert [paper["complete"] for paper in street.papers()] == [True]


def test_a_document_that_is_no_pdf_is_aborted(street: Street) -> None:
    assert fault_of(street.driver.print(Document("j", b"GIF89a", 1))) is Fault.ABORTED
    assert street.papers() == []


def test_a_busy_printer_is_asked_again(street: Street) -> None:
    street.set(busy=True)
    assert fault_of(street.driver.print(document(), within_s=0.8)) is Fault.TIMEOUT
    thread, ended = street.print_meanwhile()
    street.set(busy=False)
    thread.join(LONG_S)
    assert ended == [Ok(PrintProof("440699-0001", 2))]


@pytest.mark.parametrize("hand", ["gone", "mute", "garbage"])
def test_a_printer_that_is_away_for_a_moment(street: Street, hand: str) -> None:
    street.set(slow_ms=200)
    thread, ended = street.print_meanwhile()
    wait_until(street.papers)
    street.set(**{hand: True})
    wait_until(lambda: street.driver.status().state is DeviceState.OFFLINE)
    street.set(**{hand: False})
    thread.join(LONG_S)
    assert ended == [Ok(PrintProof("440699-0001", 2))]
    assert len(street.papers()) == 1


def test_a_printer_that_does_not_come_back_leaves_the_job_unproven_and_it_can_be_asked_for(street: Street) -> None:
    street.set(slow_ms=200)
    thread, ended = street.print_meanwhile()
    wait_until(street.papers)
    street.set(gone=True)
    thread.join(LONG_S)
    assert fault_of(ended[0]) is Fault.UNPROVEN
    street.set(gone=False)
    wait_until(street.well)
    assert street.driver.print(document()) == Ok(PrintProof("440699-0001", 2))
    assert len(street.papers()) == 1


def test_paper_and_sides(street: Street) -> None:
    """Both sides where it can, one where it cannot; other paper only where it lies in the tray."""
    a5 = replace(document("440699-0005"), media="iso_a5_148x210mm")
    assert fault_of(street.driver.print(a5)) is Fault.MEDIA_WRONG
    assert fault_of(street.driver.print(replace(a5, media="iso_a3_297x420mm"))) is Fault.MEDIA_WRONG
    street.set(media="iso_a5_148x210mm")
    street.wait_for_fault(Fault.MEDIA_WRONG)
    assert isinstance(street.driver.print(replace(a5, duplex=True)), Ok), "what lies there can be printed on"
    street.set(media=A4, duplexer=False)
    wait_until(street.well)
    assert isinstance(street.driver.print(replace(document(), duplex=True)), Ok)
    assert [(paper["media"], paper["sides"]) for paper in street.papers()] == [
        ("iso_a5_148x210mm", "two-sided-long-edge"),
        (A4, "one-sided"),
    ]


def test_an_end_with_errors_proves_nothing(street: Street) -> None:
    street.set(errors_next=True)
    assert fault_of(street.driver.print(document())) is Fault.UNPROVEN
    assert fault_of(street.driver.print(document())) is Fault.UNPROVEN, "nor does asking again print it"
    assert street.driver.fate("440699-0001") == Ok(JobFate.UNKNOWN)
    assert len(street.papers()) == 1


def test_a_printer_that_does_not_count_is_believed(street: Street) -> None:
    street.set(counts=False)
    assert street.driver.print(document()) == Ok(PrintProof("440699-0001", 2))


def test_fewer_pages_than_the_document_has_are_no_proof(street: Street) -> None:
    assert fault_of(street.driver.print(replace(document(), pages=3))) is Fault.UNPROVEN


def test_a_printer_that_forgot_the_job_leaves_it_unproven(street: Street) -> None:
    street.set(slow_ms=500)
    thread, ended = street.print_meanwhile()
    wait_until(lambda: street.sim._engine.state == 4)
    with street.sim._engine.lock:
        street.sim._engine.jobs.clear()
    thread.join(LONG_S)
    assert fault_of(ended[0]) is Fault.UNPROVEN
    assert fault_of(street.driver.print(document())) is Fault.UNPROVEN, "it may be on paper: a person has to look"


def test_a_job_left_without_its_document_is_cancelled_first(street: Street) -> None:
    """What a driver leaves behind that was killed between Create-Job and Send-Document."""
    name = Attribute("job-name", ValueTag.NAME, ("440699-0001",))
    body = encode(request(Operation.CREATE_JOB, street.address, 1, (name,)))
    answer = street.sim._service.answer(body, whole=True)
    assert answer[2:4] == b"\x00\x00"
    assert isinstance(street.driver.print(document()), Ok)
    with street.sim._engine.lock:
        assert [job.state for job in street.sim._engine.jobs.values()] == [7, 9]


def test_a_document_torn_on_the_way_is_not_printed(street: Street) -> None:
    host, port = street.address.removeprefix("ipp://").partition("/")[0].split(":")
    name = Attribute("job-name", ValueTag.NAME, ("440699-0001",))
    body = encode(request(Operation.CREATE_JOB, street.address, 1, (name,)))
    street.sim._service.answer(body, whole=True)
    number = Attribute("job-id", ValueTag.INTEGER, (1,))
    torn = encode(request(Operation.SEND_DOCUMENT, street.address, 2, (number,))) + PDF[:100]
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"POST /ipp/print HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (len(torn) + 1000) + torn)
    wait_until(lambda: street.sim._engine.jobs[1].over)
    assert street.papers() == []
    assert isinstance(street.driver.print(document()), Ok)


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("dance", {}),
        ("set", {"colour": "red"}),
        ("set", {"paper": "damp"}),
        ("set", {"jam": "yes"}),
        ("get", {}),
        ("get", {"n": 99}),
        ("get", {"n": 1, "as": "gif"}),
        ("get", {"n": 1, "as": "png", "page": 9}),
    ],
)
def test_the_printer_refuses_hands_that_make_no_sense(street: Street, verb: str, args: dict[str, Any]) -> None:
    assert isinstance(street.driver.print(document()), Ok)
    with pytest.raises((ValueError, KeyError, TypeError)):
        street.sim.handle(verb, args, b"")


# --- the real process --------------------------------------------------------------------------------------------


def test_a_driver_killed_in_the_middle_does_not_print_twice(tmp_path: Path) -> None:
    sim = PagePrinterSim(dir=tmp_path)
    address = sim.start()
    host = DriverHost(
        [sys.executable, "-m", "drivers.page", "--address", address], DeviceKind.PAGE, notice=lambda _notice: None
    )
    printer = PagePrinterProxy(host)
    said: list[DeviceEvent] = []
    printer.listen(said.append)
    host.start()
    try:
        wait_until(lambda: printer.status().well)
        sim.handle("set", {"slow_ms": 700}, b"")
        ended: list[object] = []
        thread = threading.Thread(target=lambda: ended.append(printer.print(document())))
        thread.start()
        wait_until(lambda: sim.handle("list", {}, b"")[0]["papers"])
        pid = host.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        thread.join(LONG_S)
        assert fault_of(ended[0]) is Fault.UNPROVEN
        wait_until(lambda: Fault.DRIVER_LOST in [e.status.fault for e in said if isinstance(e, StatusChanged)])
        wait_until(lambda: printer.status().well)
        assert printer.print(document()) == Ok(PrintProof("440699-0001", 2))
        papers = sim.handle("list", {}, b"")[0]["papers"]
    finally:
        host.stop()
        sim.stop()
    assert [(paper["job"], paper["printed"], paper["complete"]) for paper in papers] == [("440699-0001", 2, True)]
