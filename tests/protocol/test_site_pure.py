"""Modbus RTU on paper, what boards mean, when a door is open; then hostile bytes."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.sim.modbus_slave import Memory, Slave, SlaveFault
from drivers.site_io.address import SerialPort, SerialServer, parse_address
from drivers.site_io.board import Point, Table, find_board, load_boards, parse_board
from drivers.site_io.line import BoardTrouble, Line, fault_of, open_line
from drivers.site_io.master import Master, Patience
from drivers.site_io.protocol import (
    Answer,
    Flaw,
    Function,
    Refused,
    Request,
    crc16,
    find_answer,
    intact,
    judge,
    seal,
    silence_s,
)
from drivers.site_io.status import Settling, faults_of, inputs_of, status_of, unreachable
from kiosk.core.devices import DeviceState, Fault, Lamp, LampState, SiteInputs

READ = Request(1, Function.READ_DISCRETE_INPUTS, 0, 5)
CALM = SiteInputs(False, False, False, False, False, 100)
CABINET = find_board("cabinet")
RELAY8 = find_board("relay8")


# --- frames ------------------------------------------------------------------------------------------------------


def test_checksum_as_published() -> None:
    # MODBUS over Serial Line V1.02, appendix B; and the check value of CRC-16/MODBUS
    assert crc16(b"\x02\x07") == 0x1241
    assert crc16(b"123456789") == 0x4B37


@pytest.mark.parametrize(
    ("request_", "frame"),
    [
        # MODBUS Application Protocol V1.1b3 §6, with unit 17
        (Request(17, Function.READ_COILS, 19, 37), "1101001300250E84"),
        (Request(17, Function.READ_DISCRETE_INPUTS, 196, 22), "110200C40016BAA9"),
        (Request(17, Function.READ_HOLDING_REGISTERS, 107, 3), "1103006B00037687"),
        (Request(17, Function.WRITE_COIL, 172, values=(1,)), "110500ACFF004E8B"),
        (Request(17, Function.WRITE_COIL, 172, values=(0,)), "110500AC00000F7B"),
        (Request(17, Function.WRITE_REGISTER, 1, values=(3,)), "1106000100039A9B"),
        (Request(17, Function.WRITE_COILS, 19, 10, (1, 0, 1, 1, 0, 0, 1, 1, 1, 0)), "110F0013000A02CD01BF0B"),
    ],
)
def test_questions_as_published(request_: Request, frame: str) -> None:
    assert request_.frame().hex().upper() == frame


@pytest.mark.parametrize(
    ("request_", "body", "found"),
    [
        (Request(17, Function.READ_COILS, 19, 10), "110102CD01", Answer((1, 0, 1, 1, 0, 0, 1, 1, 1, 0))),
        (Request(17, Function.READ_HOLDING_REGISTERS, 107, 2), "110304022B0064", Answer((555, 100))),
        (Request(17, Function.WRITE_COIL, 172, values=(1,)), "110500ACFF00", Answer()),
        (Request(17, Function.WRITE_COIL, 172, values=(1,)), "110500AC0000", None),
        (Request(17, Function.WRITE_COIL, 172, values=(1,)), "110500ADFF00", None),
        (Request(17, Function.WRITE_COILS, 19, 2, (1, 1)), "110F00130002", Answer()),
        (Request(17, Function.WRITE_COILS, 19, 2, (1, 1)), "110F00130003", None),
        (Request(17, Function.READ_COILS, 19, 10), "118102", Refused(2)),
        (Request(17, Function.READ_COILS, 19, 10), "118202", None),
        (Request(17, Function.READ_COILS, 19, 10), "128102", None),
        (Request(17, Function.READ_COILS, 19, 10), "120102CD01", None),
        (Request(17, Function.READ_COILS, 19, 10), "110202CD01", None),
        (Request(17, Function.READ_COILS, 19, 10), "110103CD0100", None),
        (Request(17, Function.READ_COILS, 19, 10), "110101CD01", None),
    ],
)
def test_answers(request_: Request, body: str, found: object) -> None:
    frame = seal(bytes.fromhex(body))
    assert find_answer(request_, frame) == found
    assert find_answer(request_, b"\xff\x11\x01" + frame) == found
    assert find_answer(request_, frame[:-1]) is None
    assert find_answer(request_, frame[:-1] + bytes((frame[-1] ^ 1,))) is None


@pytest.mark.parametrize(
    ("received", "flaw"),
    [
        (b"", Flaw.SILENCE),
        (b"\x01\x02\x01", Flaw.TORN),
        (b"\x01\x02\x01\x00\x00\x00", Flaw.CHECKSUM),
        (seal(b"\x02\x02\x01\x00"), Flaw.OTHER),
        (seal(b"\x01\x05\x01\x00\x00\x00"), Flaw.OTHER),
        (b"\xff\xfe\xfd\xfc", Flaw.NOISE),
    ],
)
def test_what_is_wrong_with_an_answer(received: bytes, flaw: Flaw) -> None:
    assert find_answer(READ, received) is None
    assert judge(READ, received) is flaw


def test_silence_between_frames() -> None:
    assert silence_s(9600) == pytest.approx(0.00401, abs=1e-5)
    assert silence_s(115200) == 0.00175


def test_refusals_in_words() -> None:
    assert str(Refused(2)) == "exception 2 (illegal data address)"
    assert str(Refused(99)) == "exception 99 (unknown)"
    assert [code for code in range(12) if Refused(code).transient] == [5, 6]


# --- addresses and boards ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("modbus:/dev/ttyS1", SerialPort("/dev/ttyS1")),
        (
            "modbus:/dev/serial/by-id/usb-x%20y?baud=19200&unit=3&board=relay8&parity=e",
            SerialPort("/dev/serial/by-id/usb-x y", 19200, "E", 3, "relay8"),
        ),
        ("modbus://10.0.0.7:4001?unit=2", SerialServer("10.0.0.7", 4001, 2)),
        ("modbus://[::1]:502?board=relay8", SerialServer("::1", 502, 1, "relay8")),
    ],
)
def test_addresses(text: str, address: SerialPort | SerialServer) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/dev/ttyS1",
        "serial:/dev/ttyS1",
        "modbus:ttyS1",
        "modbus:/dev/ttyS1?baud=9601",
        "modbus:/dev/ttyS1?baud=fast",
        "modbus:/dev/ttyS1?unit=0",
        "modbus:/dev/ttyS1?unit=248",
        "modbus:/dev/ttyS1?unit=²",
        "modbus:/dev/ttyS1?unit=1&unit=2",
        "modbus:/dev/ttyS1?parity=M",
        "modbus:/dev/ttyS1?board=toaster",
        "modbus:/dev/ttyS1?colour=red",
        "modbus:/dev/ttyS1?baud",
        "modbus://host",
        "modbus://host:x",
        "modbus://host:502/path",
        "modbus://host:502?baud=9600",
        "modbus://user@host:502",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_address(text)


@pytest.mark.parametrize("board", load_boards().values(), ids=lambda board: board.name)
def test_described_boards_are_whole(board: Any) -> None:
    assert set(board.lamps) == set(Lamp)
    points = [lamp.point for lamp in board.lamps.values()]
    assert len(set(points)) == len(points)
    for question in (*board.questions(1), *board.lamp_questions(1)):
        assert len(question.frame()) == 8 and question.answer_bytes <= 256


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"name": "x", "colour": "red"},
        {"name": "x", "inputs": {"warmth": {"discrete": 1}}},
        {"name": "x", "inputs": {"person_near": {"discrete": 1, "coil": 1}}},
        {"name": "x", "inputs": {"person_near": {"discrete": 70000}}},
        {"name": "x", "inputs": {"person_near": {"discrete": "one"}}},
        {"name": "x", "inputs": {"person_near": {"drawer": 1}}},
        {"name": "x", "lamps": {"disco": {"coil": 1}}},
        {"name": "x", "lamps": {"card": {"discrete": 1}}},
        {"name": "x", "lamps": {"card": {"coil": 1, "blink": 2}}},
        {"name": "x", "battery_percent": {"coil": 1}},
        {"name": "x", "identity": {"shape": 1}},
        {"name": "x", "inputs": 5},
    ],
)
def test_boards_that_nobody_can_wire(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_board(row)


def test_one_question_for_each_table() -> None:
    assert CABINET.questions(3) == (
        Request(3, Function.READ_DISCRETE_INPUTS, 0, 5),
        Request(3, Function.READ_HOLDING_REGISTERS, 0, 1),
    )
    far = parse_board({"name": "x", "inputs": {"cabinet_open": {"coil": 3}, "person_near": {"coil": 900}}})
    assert [(item.address, item.count) for item in far.questions(1)] == [(3, 1), (900, 1)]


def test_orders_for_lamps() -> None:
    assert RELAY8.orders(1, {Lamp.CARD: 1}) == (Request(1, Function.WRITE_COIL, 0, 1, (1,)),)
    assert RELAY8.orders(1, {Lamp.CARD: 1, Lamp.RECEIPT: 0, Lamp.STATUS: 1}) == (
        Request(1, Function.WRITE_COILS, 0, 2, (1, 0)),
        Request(1, Function.WRITE_COIL, 4, 1, (1,)),
    )
    assert CABINET.orders(1, {Lamp.PAGE: 2, Lamp.CARD: 0}) == (
        Request(1, Function.WRITE_REGISTER, 16, values=(0,)),
        Request(1, Function.WRITE_REGISTER, 18, values=(2,)),
    )
    assert CABINET.orders(1, {}) == ()


@pytest.mark.parametrize(
    ("board", "state", "bright", "value"),
    [
        (CABINET, LampState.OFF, True, 0),
        (CABINET, LampState.ON, False, 1),
        (CABINET, LampState.BLINK, False, 2),
        (RELAY8, LampState.BLINK, True, 1),
        (RELAY8, LampState.BLINK, False, 0),
    ],
)
def test_who_blinks(board: Any, state: LampState, bright: bool, value: int) -> None:
    assert board.lamps[Lamp.CARD].value(state, bright=bright) == value


# --- meaning -----------------------------------------------------------------------------------------------------


def readings(board: Any, *sensors: int, percent: int = 100) -> dict[Point, int]:
    row = {Point(Table.DISCRETE, place): value for place, value in enumerate(sensors)}
    return row | ({board.battery: percent} if board.battery else {})


def test_inputs_of_boards() -> None:
    assert inputs_of(CABINET, readings(CABINET, 1, 0, 1, 0, 1, percent=55)) == SiteInputs(
        True, False, True, False, True, 55
    )
    assert inputs_of(CABINET, readings(CABINET, 0, 0, 0, 0, 0, percent=0xFFFF)).battery_percent is None
    assert inputs_of(RELAY8, readings(RELAY8, 1, 1, 0, 0, 0)) == SiteInputs(False, True, False, False, False, None)
    assert inputs_of(find_board("lamps-only"), {}) == SiteInputs()


def test_a_door_is_believed_when_it_holds_still() -> None:
    settling = Settling(CABINET)
    assert settling.settle(CALM, 0.0) == CALM
    opened = replace(CALM, cabinet_open=True)
    assert settling.settle(opened, 1.0) == CALM
    assert settling.settle(CALM, 1.05) == CALM, "it bounced"
    assert settling.settle(opened, 1.1) == CALM
    assert settling.settle(opened, 1.24) == CALM
    assert settling.settle(opened, 1.26) == opened
    assert settling.settle(replace(opened, battery_percent=3), 1.3).battery_percent == 3


def test_the_first_look_is_believed_at_once() -> None:
    settling = Settling(CABINET)
    opened = replace(CALM, cabinet_open=True)
    assert settling.settle(CALM, 0.0) == CALM
    settling.forget()
    assert settling.settle(opened, 0.01) == opened


@pytest.mark.parametrize(
    ("inputs", "lamp", "faults"),
    [
        (CALM, None, ()),
        (SiteInputs(), None, ()),
        (replace(CALM, cabinet_open=True), None, (Fault.CABINET_OPEN,)),
        (replace(CALM, on_battery=True), None, (Fault.ON_BATTERY,)),
        (replace(CALM, on_battery=True, battery_percent=20), None, (Fault.BATTERY_LOW, Fault.ON_BATTERY)),
        (replace(CALM, battery_percent=5), None, ()),
        (SiteInputs(battery_percent=5), None, (Fault.BATTERY_LOW,)),
        (replace(CALM, cabinet_open=True, on_battery=True), None, (Fault.CABINET_OPEN, Fault.ON_BATTERY)),
        (replace(CALM, person_near=True, slip_waiting=True, page_waiting=True), None, ()),
        (CALM, Lamp.CARD, (Fault.HARDWARE,)),
        (replace(CALM, cabinet_open=True), Lamp.CARD, (Fault.CABINET_OPEN, Fault.HARDWARE)),
    ],
)
def test_what_the_cabinet_suffers_from(inputs: SiteInputs, lamp: Lamp | None, faults: tuple[Fault, ...]) -> None:
    assert faults_of(inputs, dead_lamp=lamp) == faults
    status = status_of(inputs, identity="x", dead_lamp=lamp)
    assert status.state is DeviceState.ONLINE
    assert status.fault is (faults[0] if faults else None)
    assert all(fault.value in status.detail for fault in faults[1:])
    assert status.well is not bool(faults)


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.UNREACHABLE, Fault.PERMISSION, Fault.IN_USE, Fault.PROTOCOL])
def test_no_contact(fault: Fault) -> None:
    status = unreachable(fault, identity="x", detail="y")
    assert status.state is (DeviceState.ERROR if fault is Fault.PROTOCOL else DeviceState.OFFLINE)
    assert status.fault is fault and not status.well


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.EACCES, Fault.PERMISSION),
        (errno.EPERM, Fault.PERMISSION),
        (errno.EAGAIN, Fault.IN_USE),
        (errno.EBUSY, Fault.IN_USE),
        (errno.ENOENT, Fault.UNREACHABLE),
        (errno.ENXIO, Fault.UNREACHABLE),
        (errno.ECONNREFUSED, Fault.UNREACHABLE),
        (None, Fault.UNREACHABLE),
    ],
)
def test_why_a_line_does_not_open(number: int | None, fault: Fault) -> None:
    assert fault_of(number) is fault


def test_what_is_no_serial_port(tmp_path: Any) -> None:
    plain = tmp_path / "file"
    plain.touch()
    with pytest.raises(BoardTrouble) as caught:
        open_line(SerialPort(str(plain)), connect_s=1.0)
    assert caught.value.error.fault is Fault.UNREACHABLE


# --- the master on a line ----------------------------------------------------------------------------------------


class Wire:
    """A line whose far end is a function: what it returns is what the master receives."""

    def __init__(self, respond: Callable[[bytes], bytes]) -> None:
        self._near, self._far = os.openpty()
        tty.setraw(self._near)
        tty.setraw(self._far)
        self.asked: list[bytes] = []
        self.line = Line(self._near, lambda: None, baud=115200, pause_s=0.03)
        self._respond = respond
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the near end was closed
            while data := os.read(self._far, 512):
                self.asked.append(data)
                if answer := self._respond(data):
                    os.write(self._far, answer)

    def close(self) -> None:
        os.close(self._near)
        self._thread.join(5)
        os.close(self._far)


@pytest.fixture
def wire() -> Iterator[Callable[[Callable[[bytes], bytes]], Wire]]:
    wires: list[Wire] = []

    def make(respond: Callable[[bytes], bytes]) -> Wire:
        wires.append(Wire(respond))
        return wires[-1]

    yield make
    for one in wires:
        one.close()


PATIENCE = Patience(answer_s=0.2, silence_s=0.05, busy_s=0.001, attempts=2)
GOOD = seal(b"\x01\x02\x01\x15")


def test_a_question_and_its_answer(wire: Any) -> None:
    far = wire(lambda _frame: GOOD)
    assert Master(far.line, patience=PATIENCE).ask(READ) == Answer((1, 0, 1, 0, 1))
    assert far.asked == [READ.frame()]


def test_one_bad_answer_is_forgiven(wire: Any) -> None:
    told = iter([GOOD[:-1] + b"\0", b"\xff\xff" + GOOD])
    far = wire(lambda _frame: next(told))
    assert Master(far.line, patience=PATIENCE).ask(READ) == Answer((1, 0, 1, 0, 1))
    assert len(far.asked) == 2


def test_a_slave_that_is_busy_is_asked_again(wire: Any) -> None:
    told = iter([seal(b"\x01\x82\x06"), GOOD])
    far = wire(lambda _frame: next(told))
    assert Master(far.line, patience=PATIENCE).ask(READ) == Answer((1, 0, 1, 0, 1))


@pytest.mark.parametrize(
    ("told", "fault", "detail", "questions"),
    [
        (b"", Fault.TIMEOUT, "read discrete inputs at 0: no answer", 2),
        (GOOD[:3], Fault.PROTOCOL, "read discrete inputs at 0: torn answer", 2),
        (GOOD[:-1] + b"\0", Fault.PROTOCOL, "read discrete inputs at 0: wrong checksum", 2),
        (seal(b"\x01\x82\x02"), Fault.PROTOCOL, "read discrete inputs at 0: exception 2 (illegal data address)", 1),
        (seal(b"\x01\x82\x06"), Fault.PROTOCOL, "read discrete inputs at 0: exception 6 (device busy)", 2),
        (seal(b"\x01\x82\x63"), Fault.PROTOCOL, "read discrete inputs at 0: exception 99 (unknown)", 1),
        (seal(b"\x09\x02\x01\x15"), Fault.PROTOCOL, "read discrete inputs at 0: other frame", 2),
        (b"\xff" * 200, Fault.PROTOCOL, "read discrete inputs at 0: noise", 2),
    ],
)
def test_no_good_answer(wire: Any, told: bytes, fault: Fault, detail: str, questions: int) -> None:
    far = wire(lambda _frame: told)
    with pytest.raises(BoardTrouble) as caught:
        Master(far.line, patience=PATIENCE).ask(READ)
    assert (caught.value.error.fault, caught.value.error.detail) == (fault, detail)
    assert len(far.asked) == questions


def test_a_late_answer_is_not_taken_for_the_next_one(wire: Any) -> None:
    """It comes while nobody waits, and looks like the answer to what is asked next."""
    far = wire(lambda _frame: GOOD)
    os.write(far._far, seal(b"\x01\x02\x01\x1f"))
    threading.Event().wait(0.02)
    assert Master(far.line, patience=PATIENCE).ask(READ) == Answer((1, 0, 1, 0, 1))


# --- hostile bytes -----------------------------------------------------------------------------------------------

REQUESTS = st.one_of(
    st.builds(
        Request,
        st.integers(1, 247),
        st.sampled_from([Function.READ_COILS, Function.READ_DISCRETE_INPUTS, Function.READ_HOLDING_REGISTERS]),
        st.integers(0, 0xFF00),
        st.integers(1, 40),
    ),
    st.builds(
        lambda unit, address, value: Request(unit, Function.WRITE_REGISTER, address, values=(value,)),
        st.integers(1, 247),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFF),
    ),
    st.builds(
        lambda unit, address, values: Request(unit, Function.WRITE_COILS, address, len(values), tuple(values)),
        st.integers(1, 247),
        st.integers(0, 0xFF00),
        st.lists(st.integers(0, 1), min_size=1, max_size=30),
    ),
)


@given(REQUESTS, st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_judged(request_: Request, received: bytes) -> None:
    match find_answer(request_, received):
        case None:
            assert judge(request_, received) in Flaw
        case Answer(values):
            assert len(values) in (0, request_.count)
        case Refused(code):
            assert 0 <= code <= 255


@given(REQUESTS, st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_simulated_slave_and_the_master_agree_and_bits_do_not_flip_unseen(
    request_: Request, data: st.DataObject
) -> None:
    addresses = range(request_.address, request_.address + max(request_.count, len(request_.values)))
    value = st.integers(
        0, 0xFFFF if request_.function in (Function.READ_HOLDING_REGISTERS, Function.WRITE_REGISTER) else 1
    )
    row = {address % 0x10000: data.draw(value) for address in addresses}
    memory = Memory({"coil": dict(row), "discrete": dict(row), "holding": dict(row)})
    slave = Slave(request_.unit, memory)
    noise = bytes(byte | 0x80 for byte in data.draw(st.binary(max_size=4)) if byte | 0x80 != request_.unit)
    frame = slave.feed(request_.frame())
    match find_answer(request_, noise + frame):
        case Answer(values):
            assert values == (tuple(row.values()) if request_.function <= 3 else ())
        case other:
            pytest.fail(str(other))
    place = data.draw(st.integers(0, len(frame) * 8 - 1))
    flipped = bytes(byte ^ (1 << place % 8 if at == place // 8 else 0) for at, byte in enumerate(frame))
    assert find_answer(request_, flipped) is None
    cut = frame[: data.draw(st.integers(0, len(frame) - 1))]
    assert find_answer(request_, cut) is None


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([None, *SlaveFault]))
@settings(max_examples=200, deadline=None)
def test_the_simulated_slave_survives_anything(chunks: list[bytes], fault: SlaveFault | None) -> None:
    slave = Slave(1, Memory({"coil": {0: 0}, "discrete": {0: 1}, "holding": {0: 7}}), fault)
    for chunk in chunks:
        slave.feed(chunk)
    slave.silence()
    slave.fault = None
    question = Request(1, Function.READ_HOLDING_REGISTERS, 0, 1)
    assert find_answer(question, slave.feed(question.frame())) == Answer((slave.memory.tables["holding"][0],))


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("010100000001", "01010101"),
        ("010100000000", "018103"),
        ("010100010001", "018102"),
        ("010500001234", "018503"),
        ("010700000000", "018701"),
        ("010600000009", "010600000009"),
        ("011000000001020009", "011000000001"),
        ("011000000002020009", "019003"),
    ],
)
def test_the_simulated_slave_answers_like_a_real_one(frame: str, answer: str) -> None:
    slave = Slave(1, Memory({"coil": {0: 1}, "discrete": {}, "holding": {0: 7}}))
    assert slave.feed(seal(bytes.fromhex(frame))) == seal(bytes.fromhex(answer))


def test_frames_seal_and_open() -> None:
    assert intact(seal(b"\x01\x02")) and not intact(b"") and not intact(b"\x01\x02\x03")


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([GOOD, GOOD[:3], GOOD + GOOD, seal(b"\x01\x82\x06"), seal(b"\x02\x02\x01\x00")]),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_over_the_line_the_question_ends(told: list[bytes]) -> None:
    """Typed trouble or an answer, and never later than the patience allows (asserted with much room)."""
    rest = iter(told)
    far = Wire(lambda _frame: next(rest, b""))
    brief = Patience(answer_s=0.03, silence_s=0.02, busy_s=0.0, attempts=2)
    began = time.monotonic()
    try:
        answer = Master(far.line, patience=brief).ask(READ)
        assert len(answer.values) == 5
    except BoardTrouble as trouble:
        assert trouble.error.fault in (Fault.TIMEOUT, Fault.PROTOCOL)
    finally:
        took = time.monotonic() - began
        far.close()
    assert took < 5
