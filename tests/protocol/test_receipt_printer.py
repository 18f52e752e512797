"""The receipt printer's driver against a printer at the wire, on each of its three ways: every fault is seen, and left
behind when it is over; of no slip do two whole ones come out."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from drivers.host.adapter import Reply
from drivers.host.codec import dump_proof, dump_receipt
from drivers.host.host import DriverHost, Notice
from drivers.host.proxies import ReceiptPrinterProxy
from drivers.receipt.answers import TOKEN_BYTES
from drivers.receipt.driver import ReceiptAdapter
from drivers.receipt.fonts import FontBook
from drivers.receipt.layout import Layout
from drivers.receipt.link import DeviceFile, Link, LinkLost, SerialPort
from drivers.receipt.protocol import defuse, random_token
from drivers.receipt.render import render
from drivers.receipt.timings import Timings
from drivers.sim.escpos_line import PathKind
from drivers.sim.receipt import ReceiptPrinterSim
from kiosk.core.devices import (
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    Level,
    MediaState,
    StatusChanged,
)
from kiosk.core.ports import PrintProof
from kiosk.core.receipt import Code, Line, Pair, Receipt, Rule
from kiosk.core.result import Err, Ok

LONG_S = 20.0
PATHS: tuple[PathKind, ...] = ("tcp", "serial", "file")
FAST = Timings(
    poll=0.05,
    listen=0.02,
    answer=0.4,
    quiet=0.05,
    connect=2.0,
    step=0.01,
    look=0.03,
    silence=0.8,
    proof=1.0,
    within=LONG_S,
    recall=0.1,
    first_retry=0.02,
    last_retry=0.1,
)
CODE = "ZZ1:RECEIPT"
SLIP = Receipt(
    "job-1",
    (
        Line("受理回执", "title"),
        Rule(),
        Pair("受理编号", "440699-261122-T001-0007-K"),
        Pair("事项", "居住证签注"),
        Code(CODE, "扫码验证"),
    ),
)
BOOK = FontBook()


def wait_until(condition: Callable[[], object], within_s: float = LONG_S) -> None:
    ends = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.005)


class Street:
    """A printer, and a driver with everything that it said."""

    def __init__(
        self, folder: Path, path: PathKind = "tcp", *, model: str = "epson-576", options: str = "", **patience: Any
    ) -> None:
        self.sim = ReceiptPrinterSim(dir=folder, path=path, model=model)
        self.address = self.sim.start()
        if options:
            self.address += ("&" if "?" in self.address else "?") + options
        self.driver = ReceiptAdapter(self.address, timings=replace(FAST, **patience), book=BOOK)
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

    def sees(self, name: str) -> Any:
        return self.sim.handle("status", {}, b"")[0][name]

    def papers(self) -> list[dict[str, Any]]:
        papers: list[dict[str, Any]] = self.sim.handle("list", {}, b"")[0]["papers"]
        return papers

    def paper(self, n: int) -> Image.Image:
        return Image.open(BytesIO(self.sim.handle("get", {"n": n}, b"")[1]))

    def receipts(self) -> int:
        """Pieces of paper on which the whole receipt can be read: its code scans."""
        pictures = (self.paper(paper["n"]).convert("L") for paper in self.papers())
        return sum(CODE in [code.text for code in zxingcpp.read_barcodes(picture)] for picture in pictures)

    def last_is_whole(self) -> bool:
        """The last piece has all dots of the receipt, and none but them."""
        *_, last = self.papers()
        return last["complete"] and self.paper(last["n"]).convert("1").tobytes() == expected()

    def wait_for_fault(self, fault: Fault | None) -> None:
        wait_until(lambda: self.driver.status().fault is fault)

    def print_in_background(self) -> tuple[threading.Thread, list[object]]:
        printed: list[object] = []
        printing = threading.Thread(target=lambda: printed.append(self.driver.print(SLIP)))
        printing.start()
        return printing, printed


@pytest.fixture(params=PATHS)
def street(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Street]:
    opened = Street(tmp_path, request.param).open()
    yield opened
    opened.close()


def expected(dots: int = 576) -> bytes:
    """The dots that must be on paper."""
    rendered = render(SLIP, BOOK, Layout.of(dots))
    assert isinstance(rendered, Ok)
    ink = bytes(byte ^ 0xFF for byte in rendered.value.tobytes())
    assert defuse(ink) == ink, "this slip has no dots that must be changed"
    return rendered.value.tobytes()


def fault_of(outcome: object) -> Fault:
    assert isinstance(outcome, Err), outcome
    assert isinstance(outcome.error, DeviceError)
    return outcome.error.fault


# --- the same jobs and faults on TCP, a serial line and a device file --------------------------------------------


def test_a_slip_is_on_paper_dot_for_dot(street: Street) -> None:
    assert street.driver.print(SLIP) == Ok(PrintProof("job-1", 1))
    assert [(paper["n"], paper["complete"], paper["torn"]) for paper in street.papers()] == [(1, True, False)]
    assert street.paper(1).convert("1").tobytes() == expected()
    assert street.receipts() == 1
    assert street.sees("overrun") == 0


def test_the_verb_prints_and_refuses_nonsense(street: Street) -> None:
    assert street.driver.handle("print", dump_receipt(SLIP), b"") == Ok(Reply(dump_proof(PrintProof("job-1", 1))))
    for verb, args in (("dance", {}), ("print", {}), ("print", dump_receipt(SLIP) | {"within_s": "soon"})):
        assert fault_of(street.driver.handle(verb, args, b"")) is Fault.PROTOCOL
    assert fault_of(street.driver.handle("print", dump_receipt(SLIP) | {"within_s": 0.0}, b"")) is Fault.TIMEOUT
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


def test_who_it_is(street: Street) -> None:
    """Name and firmware in full, of the serial number only the end."""
    where = street.address.partition("?")[0]
    assert street.driver.status().identity == f"TM-T82II 1.00 ESC/POS no. …4217 {where}"
    assert street.driver.model.id == "epson-576"


@pytest.mark.parametrize("deep", [False, True])
def test_it_proves_itself(street: Street, deep: bool) -> None:
    found = street.driver.self_test(deep=deep)
    assert isinstance(found, Ok), found
    assert "TM-T82II" in found.value
    assert "epson-576, 576 dots, proof: process_id" in found.value
    assert [paper["complete"] for paper in street.papers()] == [True] * deep
    assert isinstance(street.driver.print(SLIP), Ok)
    assert street.last_is_whole()


def test_a_quick_self_test_prints_nothing_and_finds_what_is_wrong(street: Street) -> None:
    street.set(cover=True)
    street.wait_for_fault(Fault.COVER_OPEN)
    assert fault_of(street.driver.self_test(deep=False)) is Fault.COVER_OPEN
    street.set(cover=False)
    wait_until(lambda: street.driver.status().well)
    street.set(stalled=True)
    assert fault_of(street.driver.self_test(deep=False)) is Fault.TIMEOUT
    assert not street.driver.status().well, "what was found is its status"
    street.set(stalled=False)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.self_test(deep=False), Ok)
    assert street.papers() == []


def test_a_deep_self_test_does_not_wait_for_paper(street: Street) -> None:
    street.set(dots_left=100)
    assert street.driver.self_test(deep=True) == Err(DeviceError(Fault.PAPER_OUT, "printer cannot go on"))


@pytest.mark.parametrize(
    ("hand", "mended", "fault", "state"),
    [
        ({"paper": "out"}, {"paper": "full"}, Fault.PAPER_OUT, DeviceState.ONLINE),
        ({"cover": True}, {"cover": False}, Fault.COVER_OPEN, DeviceState.ERROR),
        ({"cutter": True}, {"cutter": False}, Fault.CUTTER, DeviceState.ERROR),
        ({"hot": True}, {"hot": False}, Fault.OVERHEATED, DeviceState.ERROR),
        ({"jam": True}, {"jam": False}, Fault.JAM, DeviceState.ERROR),
        ({"broken": True}, {"broken": False}, Fault.HARDWARE, DeviceState.ERROR),
        ({"paused": True}, {"paused": False}, Fault.STOPPED, DeviceState.ERROR),
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
    assert fault_of(street.driver.print(SLIP)) is fault
    street.set(**mended)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    assert [paper["complete"] for paper in street.papers()] == [True]
    assert street.last_is_whole()


def test_without_power_it_is_away(street: Street) -> None:
    """A serial line stays and is silent; a socket and a USB device vanish."""
    street.set(power=False)
    street.wait_for_fault(Fault.TIMEOUT if street.address.startswith("serial:") else Fault.UNREACHABLE)
    street.set(power=True)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)


@pytest.mark.parametrize(
    ("hand", "mended", "fault"),
    [
        ({"dots_left": 100}, {"paper": "full"}, Fault.PAPER_OUT),
        ({"after_rows": 100, "cover": True}, {"cover": False}, Fault.COVER_OPEN),
        ({"after_rows": 100, "hot": True}, {"hot": False}, Fault.OVERHEATED),
        ({"after_rows": 100, "paused": True}, {"paused": False}, Fault.STOPPED),
        ({"cutter_jams": True}, {"cutter": False}, Fault.CUTTER),
    ],
)
def test_a_fault_in_the_middle_of_a_slip(
    street: Street, hand: dict[str, Any], mended: dict[str, Any], fault: Fault
) -> None:
    """The driver says so while it waits; when it is mended the slip goes on: exactly one receipt."""
    street.set(**hand)
    printing, printed = street.print_in_background()
    street.wait_for_fault(fault)
    assert printed == []
    street.set(**mended)
    printing.join(LONG_S)
    assert printed == [Ok(PrintProof("job-1", 1))]
    assert [paper["complete"] for paper in street.papers()] == [True]
    assert street.last_is_whole()
    assert street.receipts() == 1
    assert street.sees("overrun") == 0
    wait_until(lambda: street.driver.status().well)


def test_paper_that_nobody_refills_leaves_the_slip_unproven_and_recalled(street: Street) -> None:
    """What was not printed does not come out later, in front of somebody else."""
    street.set(dots_left=100)
    refused = street.driver.handle("print", dump_receipt(SLIP) | {"within_s": 1.0}, b"")
    assert fault_of(refused) is Fault.UNPROVEN
    street.wait_for_fault(Fault.PAPER_OUT)
    street.set(paper="full")
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    half, whole = street.papers()
    assert (half["height"], whole["complete"]) == (100, True)
    assert street.paper(2).convert("1").tobytes() == expected()
    assert street.receipts() == 1


@pytest.mark.parametrize(("lost", "after_rows"), [("power", 30), ("power", 250), ("gone", 250), ("mute", 250)])
def test_a_printer_lost_in_the_middle_of_a_slip(street: Street, lost: str, after_rows: int) -> None:
    """Unproven: the citizen is asked. The next slip is whole, and nothing of the first is on its paper."""
    street.set(after_rows=after_rows, **{lost: lost != "power"})
    assert fault_of(street.driver.print(SLIP)) is Fault.UNPROVEN
    wait_until(lambda: not street.driver.status().well)
    street.set(**{lost: lost == "power"})
    wait_until(lambda: street.driver.status().well)
    before = street.receipts()
    assert before <= 1, "at most the one that was asked for"
    assert isinstance(street.driver.print(SLIP), Ok)
    assert street.last_is_whole()
    assert street.receipts() == before + 1, "one more, because a person asked for it"


def test_a_power_cut_too_short_to_be_seen_proves_nothing(street: Street) -> None:
    """Off and on again between two looks: what the printer forgot never counts as printed."""
    street.set(slow_ms=40)
    printing, printed = street.print_in_background()
    wait_until(street.papers)
    street.set(power=False)
    street.set(power=True, slow_ms=0)
    printing.join(LONG_S)
    assert fault_of(printed[0]) is Fault.UNPROVEN
    assert not any(street.paper(paper["n"]).convert("1").tobytes() == expected() for paper in street.papers())
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    assert street.last_is_whole()


def test_without_proof_a_slip_is_unproven_even_if_it_is_on_paper(street: Street) -> None:
    street.set(proofless=True)
    refused = street.driver.print(SLIP)
    assert refused == Err(DeviceError(Fault.UNPROVEN, "printer says it is well and does not go on"))
    assert street.receipts() == 1
    street.set(proofless=False)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)


def test_a_printer_that_prints_nothing_is_given_up(street: Street) -> None:
    street.set(stalled=True)
    assert fault_of(street.driver.print(SLIP)) is Fault.UNPROVEN
    street.wait_for_fault(Fault.TIMEOUT)
    street.set(stalled=False)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    assert street.last_is_whole()
    assert street.receipts() == 1


def test_a_slow_printer_is_not_hurried(street: Street) -> None:
    street.set(slow_ms=30)
    assert street.driver.print(SLIP) == Ok(PrintProof("job-1", 1))
    assert street.sees("overrun") == 0
    assert street.receipts() == 1


def test_noise_between_answers_is_not_an_answer(street: Street) -> None:
    """Where a process id is the proof, noise does no harm."""
    street.set(noise=True)
    assert street.driver.print(SLIP) == Ok(PrintProof("job-1", 1))
    assert street.receipts() == 1


def test_a_name_in_no_font_prints_nothing(street: Street) -> None:
    assert fault_of(street.driver.print(Receipt("j", (Pair("申请人", "\U0002fa1f"),)))) is Fault.GLYPH_MISSING
    assert street.papers() == []


@pytest.mark.parametrize("path", PATHS)
def test_a_printer_that_comes_late_is_found(tmp_path: Path, path: PathKind) -> None:
    street = Street(tmp_path, path)
    street.set(gone=True)
    street.driver.open(street.hear)
    street.wait_for_fault(Fault.UNREACHABLE)
    street.set(gone=False)
    wait_until(lambda: street.driver.status().well)
    street.close()
    assert [status.state for status in street.said] == [DeviceState.OFFLINE, DeviceState.ONLINE]


@pytest.mark.parametrize("options", ["", "?model=epson-576", "?model=clone-80"])
def test_a_proof_of_an_earlier_slip_is_not_taken(options: str) -> None:
    """A printer that repeats old answers proves nothing, whatever it is taken for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def repeat() -> None:
            line, _ = listener.accept()
            with line, suppress(ConnectionResetError):  # the driver hangs up hard
                while data := line.recv(65536):
                    asked = data.count(b"\x10\x04")
                    line.sendall(b"\x12" * asked + b'7"load\x00' + b"\x00" * data.count(b"\x1dr\x01"))

        speaker = threading.Thread(target=repeat)
        speaker.start()
        port = listener.getsockname()[1]
        driver = ReceiptAdapter(f"tcp://127.0.0.1:{port}{options}", timings=FAST, book=BOOK, token=lambda: b"noon")
        refused = driver.print(SLIP)
        driver.close()
        speaker.join()
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.UNPROVEN


def test_process_ids_differ() -> None:
    tokens = {random_token() for _ in range(200)}
    assert len(tokens) > 190
    assert all(len(token) == 4 and TOKEN_BYTES.issuperset(token) for token in tokens)


# --- opening ------------------------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[str]:
    """The name of a terminal line with nobody at its other end."""
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def addresses(name: str) -> tuple[SerialPort | DeviceFile, ...]:
    return SerialPort(name, 115200), DeviceFile(name)


def test_a_line_that_another_program_holds_is_in_use(terminal: str) -> None:
    """Held by a lock, as terminal programs do."""
    holder = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    for address in addresses(terminal):
        with pytest.raises(LinkLost) as lost:
            Link(address, connect_s=1.0)
        assert lost.value.fault is Fault.IN_USE
    os.close(holder)
    for address in addresses(terminal):
        Link(address, connect_s=1.0).abort()


def as_nobody(attempt: Callable[[], None]) -> str:
    """What `attempt` brings in a process without privileges: the fault of its LinkLost."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            attempt()
        except LinkLost as lost:
            os.write(write, lost.fault.value.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        fault = told.read()
    os.waitpid(child, 0)
    return fault


@pytest.mark.parametrize("kind", [0, 1], ids=["serial", "file"])
def test_a_line_that_may_not_be_opened(terminal: str, kind: int) -> None:
    """usblp has one opener, and refuses the second as a tty in exclusive mode does: EBUSY."""
    address = addresses(terminal)[kind]
    Path(terminal).chmod(0o666)
    holder = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(holder, termios.TIOCEXCL)
    assert as_nobody(lambda: Link(address, connect_s=1.0).abort()) == Fault.IN_USE
    fcntl.ioctl(holder, termios.TIOCNXCL)
    assert as_nobody(lambda: Link(address, connect_s=1.0).abort()) == ""
    Path(terminal).chmod(0o000)
    assert as_nobody(lambda: Link(address, connect_s=1.0).abort()) == Fault.PERMISSION
    os.close(holder)


def test_the_fault_of_opening_is_the_status(terminal: str) -> None:
    holder = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    driver = ReceiptAdapter(f"file:{terminal}", timings=FAST, book=BOOK)
    assert fault_of(driver.print(SLIP)) is Fault.IN_USE
    assert driver.status().state is DeviceState.OFFLINE
    assert driver.status().detail == f"cannot open ({errno.errorcode[errno.EAGAIN]})"
    driver.close()
    os.close(holder)


@pytest.mark.parametrize("scheme", ["serial", "file"])
def test_a_path_that_leads_to_something_else_is_misconfigured(tmp_path: Path, scheme: str) -> None:
    ordinary = tmp_path / "lp0"
    ordinary.write_bytes(b"")
    for path in (tmp_path, ordinary):
        driver = ReceiptAdapter(f"{scheme}:{path}", timings=FAST, book=BOOK)
        assert fault_of(driver.print(SLIP)) is Fault.MISCONFIGURED
        driver.close()
    assert ordinary.read_bytes() == b""


@pytest.mark.parametrize("address", ["serial:/dev/kiosk-none", "file:/nonexistent/lp0", "tcp://127.0.0.1:1"])
def test_a_device_that_is_not_there_is_unreachable(address: str) -> None:
    driver = ReceiptAdapter(address, timings=FAST, book=BOOK)
    assert fault_of(driver.print(SLIP)) is Fault.UNREACHABLE
    driver.close()


def test_a_file_that_does_not_answer_never_proves_anything(tmp_path: Path) -> None:
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    driver = ReceiptAdapter(f"file:{pipe}", timings=FAST, book=BOOK)
    refused = driver.print(SLIP)
    driver.close()
    assert isinstance(refused, Err)
    assert not driver.status().well


# --- models -------------------------------------------------------------------------------------------------------

MADE: list[tuple[PathKind, str, str, str, int, str]] = [
    # path, make, what must be said in the address, row of the table, dots, proof
    ("tcp", "epson-576", "", "epson-576", 576, "process_id"),
    ("serial", "epson-576", "model=clone-80", "clone-80", 576, "drained"),
    ("tcp", "epson-512", "", "epson-512", 512, "process_id"),
    ("tcp", "clone-80", "", "clone-80", 576, "drained"),
    ("file", "clone-80", "", "clone-80", 576, "drained"),
    ("tcp", "clone-58", "", "clone-58", 384, "drained"),
    ("serial", "clone-58", "", "clone-58", 384, "drained"),
    ("file", "clone-58", "model=clone-58", "clone-58", 384, "drained"),
    ("tcp", "custom-presenter", "", "custom-presenter", 576, "drained"),
    ("file", "custom-presenter", "", "custom-presenter", 576, "drained"),
    ("tcp", "unnamed-80", "", "generic-80", 576, "process_id"),
    ("serial", "nameless-clone", "", "generic-80", 576, "drained"),
]


@pytest.mark.parametrize(("path", "make", "options", "row", "dots", "proof"), MADE)
def test_every_model_prints_in_its_way(
    tmp_path: Path, path: PathKind, make: str, options: str, row: str, dots: int, proof: str
) -> None:
    street = Street(tmp_path, path, model=make, options=options).open()
    assert street.driver.print(SLIP) == Ok(PrintProof("job-1", 1))
    model = street.driver.model
    assert (model.id, model.dots, model.proving.value) == (row, dots, proof)
    street.sim.handle("tear", {}, b"")
    (paper,) = street.papers()
    assert paper["complete"]
    printed = street.paper(1)
    assert printed.width == dots
    assert expected(dots) in printed.convert("1").tobytes(), "perhaps with a feed before and after"
    assert street.sees("overrun") == 0
    assert isinstance(street.driver.self_test(deep=True), Ok)
    street.close()


def test_a_printer_that_never_answers_in_turn_must_be_named(tmp_path: Path) -> None:
    street = Street(tmp_path, model="clone-80-bare")
    street.driver.open(street.hear)
    street.wait_for_fault(Fault.TIMEOUT)
    assert "address must name a model" in street.driver.status().detail
    assert fault_of(street.driver.print(SLIP)) is Fault.TIMEOUT
    assert street.papers() == []
    street.close()


@pytest.mark.parametrize("path", PATHS)
def test_a_printer_that_can_prove_nothing_is_honest(tmp_path: Path, path: PathKind) -> None:
    """The slip comes out whole, and the citizen is asked all the same."""
    street = Street(tmp_path, path, model="clone-80-bare", options="model=clone-80-bare").open()
    assert street.driver.print(SLIP) == Err(DeviceError(Fault.UNPROVEN, "this printer cannot prove what it prints"))
    wait_until(lambda: street.receipts() == 1)
    assert street.driver.status().well
    assert isinstance(street.driver.self_test(deep=False), Ok)
    assert fault_of(street.driver.self_test(deep=True)) is Fault.UNPROVEN
    street.close()


def test_drained_is_no_proof_when_the_line_is_noisy(tmp_path: Path) -> None:
    """An answer of one byte could be noise: better ask the citizen."""
    street = Street(tmp_path, model="clone-80").open()
    street.set(noise=True)
    assert fault_of(street.driver.print(SLIP)) is Fault.UNPROVEN
    street.set(noise=False)
    wait_until(lambda: street.driver.status().well)
    assert isinstance(street.driver.print(SLIP), Ok)
    street.close()


@pytest.mark.parametrize("make", ["clone-80", "custom-presenter"])
def test_drained_after_a_refill(tmp_path: Path, make: str) -> None:
    street = Street(tmp_path, model=make).open()
    street.set(dots_left=100)
    printing, printed = street.print_in_background()
    street.wait_for_fault(Fault.PAPER_OUT)
    street.set(paper="full")
    printing.join(LONG_S)
    assert printed == [Ok(PrintProof("job-1", 1))]
    assert street.receipts() == 1
    street.close()


def test_a_presenter_tells_of_the_slip_in_its_mouth(tmp_path: Path) -> None:
    street = Street(tmp_path, model="custom-presenter").open()
    assert street.driver.status().media is MediaState.ABSENT
    assert isinstance(street.driver.print(SLIP), Ok)
    wait_until(lambda: street.driver.status().media is MediaState.PRESENT)
    assert street.driver.status().well, "the next slip may come"
    street.sim.handle("tear", {}, b"")
    wait_until(lambda: street.driver.status().media is MediaState.ABSENT)
    street.set(gone=True)
    wait_until(lambda: street.driver.status().media is MediaState.UNKNOWN)
    street.close()


def test_without_a_sensor_nothing_is_known_of_the_end_coming_near(tmp_path: Path) -> None:
    street = Street(tmp_path, model="clone-58").open()
    street.set(paper="low")
    assert isinstance(street.driver.print(SLIP), Ok)
    assert street.driver.status().paper is Level.FULL
    street.set(paper="out")
    wait_until(lambda: street.driver.status().paper is Level.OUT)
    street.close()


def test_without_a_cutter_two_slips_hang_on_one_paper(tmp_path: Path) -> None:
    """Each is fed out under the tear bar; a hand separates them."""
    street = Street(tmp_path, model="clone-58").open()
    assert isinstance(street.driver.print(SLIP), Ok)
    first = street.papers()[0]
    assert not first["complete"]
    assert street.sim.handle("tear", {}, b"")[0] == {"taken": 1}
    assert isinstance(street.driver.print(SLIP), Ok)
    street.sim.handle("tear", {}, b"")
    assert [paper["complete"] for paper in street.papers()] == [True, True]
    assert street.receipts() == 2
    street.close()


def test_another_printer_at_the_same_place_is_recognised(tmp_path: Path) -> None:
    street = Street(tmp_path).open()
    street.set(gone=True)
    street.wait_for_fault(Fault.UNREACHABLE)
    street.set(model="clone-58", gone=False)
    wait_until(lambda: street.driver.status().well)
    assert street.driver.model.id == "clone-58"
    assert isinstance(street.driver.print(SLIP), Ok)
    assert street.paper(1).width == 384
    street.close()


# --- the emulator's own hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("dance", {}),
        ("set", {"colour": "red"}),
        ("set", {"paper": "damp"}),
        ("set", {"cover": "yes"}),
        ("set", {"model": "typewriter"}),
        ("set", {"after_rows": 5, "paper": "damp"}),
        ("get", {}),
        ("get", {"n": 99}),
    ],
)
def test_the_printer_refuses_hands_that_make_no_sense(tmp_path: Path, verb: str, args: dict[str, Any]) -> None:
    sim = ReceiptPrinterSim(dir=tmp_path)
    with pytest.raises((ValueError, KeyError, TypeError)):
        sim.handle(verb, args, b"")
    sim.stop()


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


def test_the_driver_gives_up_in_order_before_its_host_kills_it(tmp_path: Path) -> None:
    """The proxy tells it how long it has: nobody puts in paper, and the same process goes on afterwards."""
    sim = ReceiptPrinterSim(dir=tmp_path)
    command = [sys.executable, "-m", "drivers.receipt", "--address", sim.start()]
    host = DriverHost(command, DeviceKind.RECEIPT, notice=lambda _notice: None)
    printer = ReceiptPrinterProxy(host, deadline_s=8.0)
    host.start()
    try:
        wait_until(lambda: printer.status().well)
        pid = host.pid
        sim.handle("set", {"dots_left": 100}, b"")
        assert printer.print(SLIP) == Err(DeviceError(Fault.UNPROVEN, "no proof in time"))
        wait_until(lambda: printer.status().fault is Fault.PAPER_OUT)
        sim.handle("set", {"paper": "full"}, b"")
        wait_until(lambda: printer.status().well)
        assert printer.print(SLIP) == Ok(PrintProof("job-1", 1))
        assert host.pid == pid
    finally:
        host.stop()
        sim.stop()
