"""ESC/POS bytes and status bits: tables, and any bytes at all."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.receipt import protocol, status
from drivers.receipt.link import DeviceFile, SerialPort, Tcp, parse_address
from drivers.receipt.protocol import (
    Answer,
    Demultiplexer,
    Noise,
    Proof,
    RealTimeStatus,
    Recalled,
    StatusBack,
    StatusKind,
)
from drivers.sim.escpos_commands import (
    AskStatus,
    Cut,
    Forget,
    Ignored,
    Initialize,
    Kanji,
    NewLine,
    Raster,
    RealTimeScanner,
    SendProof,
    Text,
    next_command,
)
from drivers.sim.escpos_commands import StatusBack as AskStatusBack
from kiosk.core.devices import DeviceState, Fault, Level

REAL_TIME = [byte for byte in range(256) if byte & 0x93 == 0x12]
BACK_HEADS = [byte for byte in range(256) if byte & 0x93 == 0x10]
BACK_TAILS = [byte for byte in range(256) if not byte & 0x90]


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (b"", []),
        (b"\x12", [RealTimeStatus(0x12)]),
        (b"\x1a\x32\x12\x7e", [RealTimeStatus(byte) for byte in b"\x1a\x32\x12\x7e"]),
        (b"\x10\x00\x00\x0f", [StatusBack(b"\x10\x00\x00\x0f")]),
        (b"\x18\x00\x0f\x0f\x12", [StatusBack(b"\x18\x00\x0f\x0f"), RealTimeStatus(0x12)]),
        (b'7"0001\x00', [Proof(b"0001")]),
        (b"7%\x00", [Recalled()]),
        (b"\x11\x13\x12", [RealTimeStatus(0x12)]),  # XON and XOFF of a serial line
        (
            b"\x10\x00\x00\x0f\x7e\x10\x00\x00\x0f",
            [StatusBack(b"\x10\x00\x00\x0f"), RealTimeStatus(0x7E), StatusBack(b"\x10\x00\x00\x0f")],
        ),
        (b"\xff\x12", [Noise(b"\xff"), RealTimeStatus(0x12)]),
        (b"\x10\x00\x92\x12", [Noise(b"\x10"), Noise(b"\x00"), Noise(b"\x92"), RealTimeStatus(0x12)]),
        (b'7"00', []),
        (b'7"ab\x01\x12', [Noise(b"7"), Noise(b'"'), Noise(b"a"), Noise(b"b"), Noise(b"\x01"), RealTimeStatus(0x12)]),
        (b"7%\x01\x12", [Noise(b"7"), Noise(b"%"), Noise(b"\x01"), RealTimeStatus(0x12)]),
    ],
)
def test_answers_are_told_apart(data: bytes, answers: list[Answer]) -> None:
    assert Demultiplexer().feed(data) == answers


def test_a_torn_status_back_does_not_swallow_the_proof() -> None:
    answers = Demultiplexer().feed(b"\x10\x00" + b'7"abcd\x00' + b"\x12")
    # 0x37 is no byte of a status back only by its bit 4; the torn head is noise and the rest is read.
    assert Proof(b"abcd") in answers
    assert answers[-1] == RealTimeStatus(0x12)


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_any_bytes_in_any_pieces(pieces: list[bytes]) -> None:
    in_pieces = Demultiplexer()
    assert list(itertools.chain.from_iterable(map(in_pieces.feed, pieces))) == Demultiplexer().feed(b"".join(pieces))


good_answers = st.one_of(
    st.sampled_from(REAL_TIME).map(lambda byte: (bytes((byte,)), RealTimeStatus(byte))),
    st.tuples(st.sampled_from(BACK_HEADS), *[st.sampled_from(BACK_TAILS)] * 3).map(
        lambda four: (bytes(four), StatusBack(bytes(four)))
    ),
    st.binary(min_size=4, max_size=4)
    .map(lambda raw: bytes(0x20 + byte % 0x5F for byte in raw))
    .map(lambda token: (b'7"' + token + b"\x00", Proof(token))),
    st.just((b"7%\x00", Recalled())),
)


@given(st.lists(good_answers, max_size=20))
def test_every_mixture_of_answers_is_read(said: list[tuple[bytes, Answer]]) -> None:
    assert Demultiplexer().feed(b"".join(data for data, _ in said)) == [answer for _, answer in said]


@given(st.binary(max_size=40), st.lists(good_answers, min_size=4, max_size=8))
def test_after_noise_the_last_answers_are_read(noise: bytes, said: list[tuple[bytes, Answer]]) -> None:
    """Noise can end like the head of an answer; that costs the answers it swallows, not all of them."""
    heard = Demultiplexer().feed(noise + b"\xff" * 7 + b"".join(data for data, _ in said))
    assert heard[-len(said) :] == [answer for _, answer in said]


# --- out ---------------------------------------------------------------------------------------------------------


def commands(data: bytes) -> list[object]:
    found: list[object] = []
    while (step := next_command(data)) is not None:
        command, used = step
        found.append(command)
        data = data[used:]
    assert data == b""
    return found


pictures = st.integers(1, 60).flatmap(
    lambda rows: st.binary(min_size=rows * 72, max_size=rows * 72).map(
        lambda dots: Image.frombytes("1", (576, rows), dots)
    )
)


@given(pictures)
def test_a_printer_reads_the_picture_back(image: Image.Image) -> None:
    rows = b"".join(
        command.data for command in commands(b"".join(protocol.strips(image))) if isinstance(command, Raster)
    )
    ink = bytes(byte ^ 0xFF for byte in image.tobytes())
    assert rows == protocol.defuse(ink)
    assert all(after & before == before for before, after in zip(ink, rows, strict=True)), "dots are added, never lost"
    assert sum(a != b for a, b in zip(ink, rows, strict=True)) <= ink.count(b"\x10")


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\x10\x04\x01", b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", b"\x10\x05\x02"]),
)
def test_no_picture_speaks_to_the_printer(dots: bytes, command: bytes) -> None:
    assert RealTimeScanner().feed(protocol.defuse(dots + command + dots)) == []


@pytest.mark.parametrize("after_break", [False, True])
def test_a_slip_is_initialised_printed_cut_and_proof_is_asked(after_break: bool) -> None:
    heard = commands(protocol.slip(Image.new("1", (576, 30), 255), b"aB09", after_break=after_break))
    meant = [command for command in heard if not isinstance(command, Ignored)]
    body = [AskStatusBack(255), Raster(72, bytes(24 * 72)), Raster(72, bytes(6 * 72)), Cut(0), SendProof(b"aB09")]
    assert meant == ([Initialize(), Cut(0)] if after_break else [Initialize()]) + body


@given(st.integers(1, 24), st.data())
def test_a_strip_left_half_sent_is_ended_with_white(rows: int, data: st.DataObject) -> None:
    strip = b"\x1dv0\x00" + struct.pack("<HH", 72, rows) + b"\xff" * 72 * rows
    sent = strip[: data.draw(st.integers(0, len(strip)))]
    heard = commands(sent + protocol.slip(Image.new("1", (576, 1), 0), b"0001", after_break=True))
    assert heard[-1] == SendProof(b"0001")
    assert [command for command in heard if isinstance(command, Initialize)] == [Initialize()]
    assert heard[-3] == Raster(72, b"\xff" * 72)


@pytest.mark.parametrize("token", [b"", b"123", b"12345", b"12\x003", b"1\x8023"])
def test_process_ids_are_four_printable_characters(token: bytes) -> None:
    with pytest.raises(ValueError, match="4 printable"):
        protocol.ask_proof(token)


@pytest.mark.parametrize("image", [Image.new("L", (576, 8)), Image.new("1", (512, 8))])
def test_only_1_bit_pictures_576_dots_wide(image: Image.Image) -> None:
    with pytest.raises(ValueError, match="576"):
        next(protocol.strips(image))


# --- the emulator's ear ------------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_the_interpreter_takes_any_bytes(data: bytes) -> None:
    while (step := next_command(data)) is not None:
        assert step[1] > 0
        data = data[step[1] :]


@given(st.binary(max_size=60), st.integers(0, 70))
def test_the_scanner_does_not_care_about_pieces(data: bytes, cut: int) -> None:
    data = data + b"\x10\x04\x02" + protocol.RECALL
    whole, pieces = RealTimeScanner().feed(data), RealTimeScanner()
    parted = pieces.feed(data[:cut]) + pieces.feed(data[cut:])
    assert [type(command) for command in parted] == [type(command) for command in whole]
    assert AskStatus(2) in parted
    assert isinstance(parted[-1], Forget)


def test_text_mode() -> None:
    assert commands(b"\x1b@\x1c&" + "回执\n".encode("gb18030") + b"\x1dV\x00") == [
        Initialize(),
        Kanji(True),
        Text("回执".encode("gb18030")),
        NewLine(),
        Cut(0),
    ]


# --- status ------------------------------------------------------------------------------------------------------

FLAGS = list(itertools.product((False, True), repeat=8))


@pytest.mark.parametrize("flags", FLAGS)
def test_every_combination_of_conditions(flags: tuple[bool, ...]) -> None:
    condition = status.Condition(*flags)
    summary = status.summarize(condition, identity="x")
    troubled = any(
        (
            condition.offline,
            condition.cover_open,
            condition.paper_end,
            condition.cutter_error,
            condition.unrecoverable,
            condition.recoverable,
            condition.overheated,
        )
    )
    assert summary.well == (not troubled), "unknown and broken never count as good, and nothing else is called bad"
    order = [
        (condition.cover_open, Fault.COVER_OPEN),
        (condition.cutter_error, Fault.CUTTER),
        (condition.overheated, Fault.OVERHEATED),
        (condition.paper_end, Fault.PAPER_OUT),
    ]
    assert summary.fault == next((fault for holds, fault in order if holds), None)
    if condition.cover_open:
        assert summary.paper is Level.UNKNOWN
    elif condition.paper_end:
        assert summary.paper is Level.OUT
    else:
        assert summary.paper is (Level.LOW if condition.paper_near_end else Level.FULL)
    if summary.fault is None and troubled:
        assert summary.state is DeviceState.ERROR
        assert summary.detail


@given(*[st.sampled_from(REAL_TIME)] * 4)
def test_any_status_bytes_make_a_status(printer: int, cause: int, error: int, paper: int) -> None:
    condition = status.from_real_time(printer, cause, error, paper)
    assert status.summarize(condition, identity="").fault is not Fault.PAPER_OUT or (paper & 0x60 or cause & 0x20)


@pytest.mark.parametrize(
    ("real_time", "back", "fault", "paper"),
    [
        ("12 12 12 12", "10 00 00 0f", None, Level.FULL),
        ("12 12 12 1e", "10 00 03 0f", None, Level.LOW),
        ("1a 32 12 7e", "18 00 0f 0f", Fault.PAPER_OUT, Level.OUT),
        ("1a 16 12 12", "38 00 00 0f", Fault.COVER_OPEN, Level.UNKNOWN),
        ("1a 52 1a 12", "18 08 00 0f", Fault.CUTTER, Level.FULL),
        ("1a 52 52 12", "18 40 00 0f", Fault.OVERHEATED, Level.FULL),
        ("1a 52 32 12", "18 20 00 0f", None, Level.FULL),
        ("1a 12 12 12", "18 00 00 0f", None, Level.FULL),
    ],
)
def test_both_ways_of_status_say_the_same(real_time: str, back: str, fault: Fault | None, paper: Level) -> None:
    asked = status.summarize(status.from_real_time(*bytes.fromhex(real_time)), identity="i")
    told = status.summarize(status.from_status_back(bytes.fromhex(back)), identity="i")
    assert asked == told
    assert (asked.fault, asked.paper) == (fault, paper)


def test_no_contact_is_never_good() -> None:
    assert not status.unreachable(Fault.TIMEOUT, identity="").well
    assert not status.starting("").well


def test_status_requests() -> None:
    assert [protocol.ask_status(kind).hex() for kind in StatusKind] == ["100401", "100402", "100403", "100404"]


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://192.0.2.7:9101", Tcp("192.0.2.7", 9101)),
        ("tcp://printer", Tcp("printer", 9100)),
        ("serial:/dev/serial/by-id/usb-1?baud=38400", SerialPort("/dev/serial/by-id/usb-1", 38400)),
        ("serial:/dev/ttyS0", SerialPort("/dev/ttyS0", 115200)),
        ("file:/dev/usb/lp0", DeviceFile("/dev/usb/lp0")),
    ],
)
def test_addresses(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "tcp://", "serial:ttyS0", "usb:04b8:0202", "serial:/dev/ttyS0?baud=fast"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|invalid literal"):
        parse_address(text)
