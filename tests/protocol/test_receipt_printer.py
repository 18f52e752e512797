"""The receipt printer's driver against a printer at the wire: every fault is seen, and left behind when it is over."""

from __future__ import annotations

import os
import pty
import signal
import socket
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from drivers.host.adapter import Reply
from drivers.host.codec import dump_proof, dump_receipt
from drivers.host.host import DriverHost, Notice
from drivers.host.proxies import ReceiptPrinterProxy
from drivers.receipt.driver import ReceiptAdapter, Timings, random_token
from drivers.receipt.fonts import FontBook
from drivers.receipt.protocol import defuse
from drivers.receipt.render import render
from drivers.sim.escpos_machine import Machine
from drivers.sim.escpos_paper import Paper
from drivers.sim.receipt import ReceiptPrinterSim
from kiosk.core.devices import (
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    Level,
    StatusChanged,
)
from kiosk.core.ports import PrintProof
from kiosk.core.receipt import Line, Pair, Receipt, Rule
from kiosk.core.result import Err, Ok

LONG_S = 20.0
FAST = Timings(
    poll=0.03,
    answer=0.3,
    connect=1.0,
    proof=0.5,
    within=LONG_S,
    recall=0.1,
    step=0.01,
    first_retry=0.02,
    last_retry=0.1,
)
SLIP = Receipt(
    "job-1",
    (Line("受理回执", "title"), Rule(), Pair("受理编号", "440699-261122-T001-0007-K"), Pair("事项", "居住证签注")),
)
BOOK = FontBook()


def wait_until(condition: Callable[[], object], within_s: float = LONG_S) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.005)


class Street:
    """A printer, and a driver with everything that it said."""

    def __init__(self, folder: Path, timings: Timings = FAST) -> None:
        self.sim = ReceiptPrinterSim(dir=folder)
        self.address = self.sim.start()
        self.driver = ReceiptAdapter(self.address, timings=timings, book=BOOK)
        self.said: list[DeviceStatus] = []

    def hear(self, event: DeviceEvent) -> None:
        assert isinstance(event, StatusChanged)
        self.said.append(event.status)

    def open(self) -> Street:
        self.driver.open(self.hear)
        wait_until(lambda: self.driver.status().well)
        return self

    def close(self) -> None:
        self.driver.close()
        self.sim.stop()

    def set(self, **faults: Any) -> None:
        self.sim.handle("set", faults, b"")

    def papers(self) -> list[dict[str, Any]]:
        papers: list[dict[str, Any]] = self.sim.handle("list", {}, b"")[0]["papers"]
        return papers

    def paper(self, n: int) -> Image.Image:
        return Image.open(BytesIO(self.sim.handle("get", {"n": n}, b"")[1]))

    def wait_for_fault(self, fault: Fault | None) -> None:
        wait_until(lambda: self.driver.status().fault is fault)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    opened = Street(tmp_path).open()
    yield opened
    opened.close()


def expected() -> bytes:
    """The dots that must be on paper."""
    rendered = render(SLIP, BOOK)
    assert isinstance(rendered, Ok)
    ink = bytes(byte ^ 0xFF for byte in rendered.value.tobytes())
    return bytes(byte ^ 0xFF for byte in defuse(ink))


def test_a_slip_is_on_paper_dot_for_dot(street: Street) -> None:
    assert street.driver.print(SLIP) == Ok(PrintProof("job-1", 1))
    assert [(paper["n"], paper["complete"], paper["torn"]) for paper in street.papers()] == [(1, True, False)]
    assert street.paper(1).convert("1").tobytes() == expected()


def test_the_verb_prints_and_refuses_nonsense(street: Street) -> None:
    assert street.driver.handle("print", dump_receipt(SLIP), b"") == Ok(Reply(dump_proof(PrintProof("job-1", 1))))
    for verb, args in (("dance", {}), ("print", {}), ("print", dump_receipt(SLIP) | {"within_s": "soon"})):
        refused = street.driver.handle(verb, args, b"")
        assert isinstance(refused, Err)
        assert refused.error.fault is Fault.PROTOCOL
    assert len(street.papers()) == 1


def test_each_slip_is_a_paper_of_its_own_and_can_be_torn_off(street: Street) -> None:
    for _ in range(3):
        assert isinstance(street.driver.print(SLIP), Ok)
    assert street.sim.handle("tear", {}, b"")[0] == {"taken": 3}
    assert [paper["torn"] for paper in street.papers()] == [True] * 3
    assert street.sim.handle("tear", {}, b"")[0] == {"taken": 0}


def test_status_is_told_once_a_change(street: Street) -> None:
    polls = 5
    time.sleep(polls * FAST.poll)  # a quiet time in which nothing must be said
    assert [status.state for status in street.said] == [DeviceState.ONLINE]
    street.set(paper="low")
    wait_until(lambda: street.driver.status().paper is Level.LOW)
    assert isinstance(street.driver.print(SLIP), Ok), "nearly out is good enough for a slip"
    assert [status.paper for status in street.said] == [Level.FULL, Level.LOW]


@pytest.mark.parametrize(
    ("hand", "mended", "fault", "state"),
    [
        ({"paper": "out"}, {"paper": "full"}, Fault.PAPER_OUT, DeviceState.ONLINE),
        ({"cover": True}, {"cover": False}, Fault.COVER_OPEN, DeviceState.ERROR),
        ({"cutter": True}, {"cutter": False}, Fault.CUTTER, DeviceState.ERROR),
        ({"hot": True}, {"hot": False}, Fault.OVERHEATED, DeviceState.ERROR),
        ({"gone": True}, {"gone": False}, Fault.UNREACHABLE, DeviceState.OFFLINE),
        ({"mute": True}, {"mute": False}, Fault.TIMEOUT, DeviceState.OFFLINE),
        ({"garbage": True}, {"garbage": False}, Fault.PROTOCOL, DeviceState.OFFLINE),
    ],
)
def test_a_fault_before_printing(
    street: Street, hand: dict[str, Any], mended: dict[str, Any], fault: Fault, state: DeviceState
) -> None:
    """It is seen by itself, a slip is refused with nothing sent, and all is well when it is mended."""
    street.set(**hand)
    street.wait_for_fault(fault)
    assert street.driver.status().state is state
    assert not street.driver.status().well
    refused = street.driver.print(SLIP)
    assert isinstance(refused, Err)
    assert refused.error.fault is fault
    street.set(**mended)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    assert [paper["complete"] for paper in street.papers()] == [True]
    assert street.paper(1).convert("1").tobytes() == expected()


@pytest.mark.parametrize(
    ("hand", "mended", "fault"),
    [
        ({}, {"paper": "full"}, Fault.PAPER_OUT),
        ({"cover": True}, {"cover": False}, Fault.COVER_OPEN),
        ({"hot": True}, {"hot": False}, Fault.OVERHEATED),
        ({"cutter": True}, {"cutter": False}, Fault.CUTTER),
    ],
)
def test_a_fault_in_the_middle_of_a_slip(
    street: Street, hand: dict[str, Any], mended: dict[str, Any], fault: Fault
) -> None:
    """The driver says so while it waits; when it is mended the slip goes on, once and whole."""
    printed: list[object] = []
    if hand:
        street.set(slow_ms=50)
    else:
        street.set(dots_left=100)
    printing = threading.Thread(target=lambda: printed.append(street.driver.print(SLIP)))
    printing.start()
    if hand:
        wait_until(street.papers)
        street.set(**hand)
    street.wait_for_fault(fault)
    assert printed == []
    street.set(slow_ms=0, **mended)
    printing.join(LONG_S)
    assert printed == [Ok(PrintProof("job-1", 1))]
    assert [paper["complete"] for paper in street.papers()] == [True]
    assert street.paper(1).convert("1").tobytes() == expected()
    wait_until(lambda: street.driver.status().well)


def test_paper_that_nobody_refills_leaves_the_slip_unproven_and_recalled(street: Street) -> None:
    """What was not printed does not come out later, in front of somebody else."""
    street.set(dots_left=100)
    refused = street.driver.handle("print", dump_receipt(SLIP) | {"within_s": 0.6}, b"")
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.UNPROVEN
    assert street.driver.status().fault is Fault.PAPER_OUT
    street.set(paper="full")
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    half, whole = street.papers()
    assert (half["height"], whole["complete"]) == (100, True)
    assert street.paper(2).convert("1").tobytes() == expected()


def test_without_proof_a_slip_is_unproven_even_if_it_is_on_paper(street: Street) -> None:
    street.set(slow_ms=100)
    timer = threading.Thread(target=lambda: (wait_until(street.papers), street.set(mute=True, slow_ms=0)))
    timer.start()
    assert street.driver.print(SLIP) == Err(DeviceError(Fault.UNPROVEN, "no proof in time"))
    timer.join()
    wait_until(lambda: any(paper["complete"] for paper in street.papers()))
    street.wait_for_fault(Fault.TIMEOUT)
    street.set(mute=False)
    wait_until(lambda: street.driver.status().well)


def test_a_line_that_breaks_in_the_middle_leaves_the_slip_unproven(street: Street) -> None:
    street.set(slow_ms=100)
    timer = threading.Thread(target=lambda: (wait_until(street.papers), street.set(gone=True)))
    timer.start()
    assert street.driver.print(SLIP) == Err(DeviceError(Fault.UNPROVEN, "line broke while printing"))
    timer.join()
    assert street.driver.status().state is DeviceState.OFFLINE
    street.set(gone=False, slow_ms=0)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    *_, last = street.papers()
    assert street.paper(last["n"]).convert("1").tobytes() == expected(), "the half slip before it was cut off"


def test_a_name_in_no_font_prints_nothing(street: Street) -> None:
    refused = street.driver.print(Receipt("j", (Pair("申请人", "\U0002fa1f"),)))
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.GLYPH_MISSING
    assert street.papers() == []


def test_a_printer_that_comes_late_is_found(tmp_path: Path) -> None:
    street = Street(tmp_path)
    street.set(gone=True)
    street.driver.open(street.hear)
    street.wait_for_fault(Fault.UNREACHABLE)
    street.set(gone=False)
    wait_until(lambda: street.driver.status().well)
    street.close()
    assert [status.state for status in street.said] == [DeviceState.OFFLINE, DeviceState.ONLINE]


def test_a_proof_of_an_earlier_slip_is_not_taken(tmp_path: Path) -> None:
    """A printer that repeats old answers proves nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def repeat() -> None:
            line, _ = listener.accept()
            with line, suppress(ConnectionResetError):  # the driver hangs up hard
                while data := line.recv(65536):
                    asked = data.count(b"\x10\x04")
                    line.sendall(b"\x12" * asked + b'7"old!\x00')

        speaker = threading.Thread(target=repeat)
        speaker.start()
        port = listener.getsockname()[1]
        driver = ReceiptAdapter(f"tcp://127.0.0.1:{port}", timings=FAST, book=BOOK, token=lambda: b"new!")
        refused = driver.print(SLIP)
        driver.close()
        speaker.join()
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.UNPROVEN


def test_process_ids_differ() -> None:
    tokens = {random_token() for _ in range(200)}
    assert len(tokens) > 195
    assert all(len(token) == 4 and token.isalnum() for token in tokens)


# --- serial lines and device files -------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["serial:{}?baud=115200", "file:{}"])
def test_serial_lines_and_device_files(scheme: str, tmp_path: Path) -> None:
    """A pty is a real terminal line; the printer at its other end is the same machine."""
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    machine = Machine(Paper(tmp_path), lambda data: os.write(ours, data) and None)
    stop_read, stop_write = os.pipe()

    def serve() -> None:
        import select

        while stop_read not in (ready := select.select([ours, stop_read], [], [])[0]):
            machine.receive(os.read(ready[0], 65536))
            machine.work(time.monotonic())

    printer = threading.Thread(target=serve)
    printer.start()
    driver = ReceiptAdapter(scheme.format(os.ttyname(theirs)), timings=FAST, book=BOOK)
    try:
        assert driver.print(SLIP) == Ok(PrintProof("job-1", 1))
        (slip,) = machine.paper.slips()
        assert Image.open(BytesIO(slip.png())).convert("1").tobytes() == expected()
    finally:
        os.write(stop_write, b"\x00")
        printer.join()
        driver.close()
        for number in (ours, theirs, stop_read, stop_write):
            os.close(number)


@pytest.mark.parametrize("address", ["serial:/dev/kiosk-none", "file:/nonexistent/lp0"])
def test_a_device_that_is_not_there_is_unreachable(address: str) -> None:
    driver = ReceiptAdapter(address, timings=FAST, book=BOOK)
    refused = driver.print(SLIP)
    driver.close()
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.UNREACHABLE


def test_a_file_that_does_not_answer_never_proves_anything(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    driver = ReceiptAdapter(f"file:{pipe}", timings=FAST, book=BOOK)
    refused = driver.print(SLIP)
    driver.close()
    assert isinstance(refused, Err)
    assert not driver.status().well


# --- the emulator's own hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("dance", {}),
        ("set", {"colour": "red"}),
        ("set", {"paper": "damp"}),
        ("set", {"cover": "yes"}),
        ("get", {}),
        ("get", {"n": 99}),
    ],
)
def test_the_printer_refuses_hands_that_make_no_sense(street: Street, verb: str, args: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        street.sim.handle(verb, args, b"")


def test_text_mode_and_sensors_of_the_printer(tmp_path: Path) -> None:
    sim = ReceiptPrinterSim(dir=tmp_path)
    host, port = sim.start().removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(
            b"\x1b@\x1c&" + "受理回执 㙍\n".encode("gb18030") + b"\x1bd\x02\x1dV\x00\x1dr\x01\x1d(H\x06\x0000next"
        )
        heard = b""
        while len(heard) < 8:
            heard += line.recv(64)
        assert heard == b'\x007"next\x00'
        sim.handle("set", {"paper": "low"}, b"")
        line.sendall(b"\x1dr\x01\x10\x04\x04")
        assert sorted(line.recv(1) + line.recv(1)) == [0x03, 0x1E]
    (slip,) = sim.handle("list", {}, b"")[0]["papers"]
    assert (slip["complete"], slip["height"]) == (True, 90)
    sim.stop()
    again = ReceiptPrinterSim(dir=tmp_path)
    again.start()
    assert [path.name for path in tmp_path.iterdir()] == ["receipt-0001.png"]
    again.stop()


# --- the real process --------------------------------------------------------------------------------------------


def test_a_driver_killed_in_the_middle_of_a_slip(tmp_path: Path) -> None:
    """The slip is unproven, the citizen is asked; the next one is whole and alone on its paper."""
    sim = ReceiptPrinterSim(dir=tmp_path)
    address = sim.start()
    notices: list[Notice] = []
    command = [sys.executable, "-m", "drivers.receipt", "--address", address]
    host = DriverHost(command, DeviceKind.RECEIPT, notice=notices.append)
    printer = ReceiptPrinterProxy(host)
    said: list[DeviceEvent] = []
    printer.listen(said.append)
    host.start()
    try:
        wait_until(lambda: printer.status().well)
        sim.handle("set", {"slow_ms": 200}, b"")
        printed: list[object] = []
        printing = threading.Thread(target=lambda: printed.append(printer.print(SLIP)))
        printing.start()
        wait_until(lambda: sim.handle("list", {}, b"")[0]["papers"])
        pid = host.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        printing.join(LONG_S)
        (refused,) = printed
        assert isinstance(refused, Err)
        assert refused.error.fault is Fault.UNPROVEN
        wait_until(lambda: Fault.DRIVER_LOST in [e.status.fault for e in said if isinstance(e, StatusChanged)])
        sim.handle("set", {"slow_ms": 0}, b"")
        wait_until(lambda: printer.status().well)
        assert printer.print(SLIP) == Ok(PrintProof("job-1", 1))
    finally:
        host.stop()
        papers = sim.handle("list", {}, b"")[0]["papers"]
        last = sim.handle("get", {"n": papers[-1]["n"]}, b"")[1]
        sim.stop()
    assert len(papers) == 2
    assert Image.open(BytesIO(last)).convert("1").tobytes() == expected()
    assert {notice.news.value for notice in notices} == {"lost", "back"}
