"""What is sent to a receipt printer, what its status bits mean, which addresses it has: tables and any bytes."""

from __future__ import annotations

import itertools
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.receipt import protocol, status
from drivers.receipt.link import DeviceFile, SerialPort, Tcp, parse_address, wanted_model
from drivers.receipt.models import by_id
from drivers.receipt.protocol import InfoKind, StatusKind
from drivers.sim.escpos_commands import (
    AskStatus,
    Cut,
    Feed,
    Forget,
    Ignored,
    Initialize,
    Kanji,
    NewLine,
    Raster,
    RealTimeScanner,
    SendInfo,
    SendProof,
    SendSensor,
    Text,
    next_command,
)
from drivers.sim.escpos_commands import StatusBack as AskStatusBack
from kiosk.core.devices import DeviceState, Fault, Level, MediaState

REAL_TIME = [byte for byte in range(256) if byte & 0x93 == 0x12]

# --- out ---------------------------------------------------------------------------------------------------------


def commands(data: bytes) -> list[object]:
    found: list[object] = []
    while (step := next_command(data)) is not None:
        command, used = step
        found.append(command)
        data = data[used:]
    assert data == b""
    return found


pictures = st.tuples(st.integers(1, 60), st.sampled_from([384, 512, 576])).flatmap(
    lambda size: st.binary(min_size=size[0] * size[1] // 8, max_size=size[0] * size[1] // 8).map(
        lambda dots: Image.frombytes("1", (size[1], size[0]), dots)
    )
)
EPSON = by_id("epson-576")


@given(pictures)
def test_a_printer_reads_the_picture_back(image: Image.Image) -> None:
    row_bytes = image.width // 8
    rows = b"".join(
        command.data[start : start + command.row_bytes].ljust(row_bytes, b"\x00")
        for command in commands(b"".join(protocol.strips(image)))
        if isinstance(command, Raster)
        for start in range(0, len(command.data), command.row_bytes)
    )
    ink = bytes(byte ^ 0xFF for byte in image.tobytes())
    assert len(rows) == len(ink)
    assert all(after & before == before for before, after in zip(ink, rows, strict=True)), "dots are added, never lost"
    assert sum(a != b for a, b in zip(ink, rows, strict=True)) <= ink.count(b"\x10")


def test_white_at_the_right_is_not_sent() -> None:
    image = Image.new("1", (576, 48), 255)
    image.putpixel((20, 3), 0)
    first, second = commands(b"".join(protocol.strips(image)))
    assert first == Raster(3, bytes(3 * 3) + b"\x00\x00\x08" + bytes(3 * 20))
    assert second == Raster(1, bytes(24))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\x10\x04\x01", b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", b"\x10\x05\x02"]),
)
def test_no_picture_speaks_to_the_printer(dots: bytes, command: bytes) -> None:
    assert RealTimeScanner().feed(protocol.defuse(dots + command + dots)) == []


@pytest.mark.parametrize("after_break", [False, True])
def test_a_slip_is_initialised_printed_cut_and_proof_is_asked(after_break: bool) -> None:
    image = Image.new("1", (576, 30), 255)
    heard = commands(b"".join(protocol.slip(image, b"aBoO", model=EPSON, after_break=after_break)))
    meant = [command for command in heard if not isinstance(command, Ignored)]
    body = [AskStatusBack(255), Raster(1, bytes(24)), Raster(1, bytes(6)), Cut(0), SendProof(b"aBoO")]
    assert meant == ([Initialize(), Cut(0)] if after_break else [Initialize()]) + body


def test_a_slip_for_a_printer_that_has_less() -> None:
    """No cutter: fed out under the tear bar. No GS ( H and no GS a: nothing that it would print as text."""
    image = Image.new("1", (384, 8), 255)
    heard = commands(b"".join(protocol.slip(image, b"aBoO", model=by_id("clone-58"), after_break=True)))
    meant = [command for command in heard if not isinstance(command, Ignored)]
    assert meant == [Initialize(), Feed(160), Raster(1, bytes(8)), Feed(160)]


@given(st.integers(1, 24), st.data())
def test_a_strip_left_half_sent_is_ended_with_white(rows: int, data: st.DataObject) -> None:
    strip = b"\x1dv0\x00" + struct.pack("<HH", 72, rows) + b"\xff" * 72 * rows
    sent = strip[: data.draw(st.integers(0, len(strip)))]
    slip = b"".join(protocol.slip(Image.new("1", (576, 1), 0), b"oooo", model=EPSON, after_break=True))
    heard = commands(sent + slip)
    assert heard[-1] == SendProof(b"oooo")
    assert [command for command in heard if isinstance(command, Initialize)] == [Initialize()]
    assert heard[-3] == Raster(72, b"\xff" * 72)


@pytest.mark.parametrize("token", [b"", b"abc", b"abcde", b"ab\x00c", b"a\x80bc", b"ab9c", b"pqrs"])
def test_process_ids_are_four_characters_that_nothing_else_can_be(token: bytes) -> None:
    with pytest.raises(ValueError, match="4 characters"):
        protocol.ask_proof(token)


@pytest.mark.parametrize("image", [Image.new("L", (576, 8)), Image.new("1", (570, 8))])
def test_only_1_bit_pictures_of_whole_bytes(image: Image.Image) -> None:
    with pytest.raises(ValueError, match="1-bit"):
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
    order = [
        (condition.unrecoverable, Fault.HARDWARE),
        (condition.cover_open, Fault.COVER_OPEN),
        (condition.cutter_error, Fault.CUTTER),
        (condition.recoverable, Fault.JAM),
        (condition.overheated, Fault.OVERHEATED),
        (condition.paper_end, Fault.PAPER_OUT),
        (condition.offline, Fault.STOPPED),
    ]
    assert summary.fault == next((fault for holds, fault in order if holds), None)
    assert summary.well == (not any(holds for holds, _ in order)), "nothing but the near end is good"
    assert (summary.state is DeviceState.ONLINE) == (summary.fault in (None, Fault.PAPER_OUT))
    assert (summary.media is MediaState.JAMMED) == condition.recoverable
    if condition.cover_open:
        assert summary.paper is Level.UNKNOWN
    elif condition.paper_end:
        assert summary.paper is Level.OUT
    else:
        assert summary.paper is (Level.LOW if condition.paper_near_end else Level.FULL)
    blind = status.summarize(condition, identity="x", near_end=False)
    assert blind == replace(summary, paper=Level.FULL if summary.paper is Level.LOW else summary.paper)


@pytest.mark.parametrize(
    ("in_mouth", "media"), [(None, MediaState.NONE), (True, MediaState.PRESENT), (False, MediaState.ABSENT)]
)
def test_a_slip_in_the_mouth(in_mouth: bool | None, media: MediaState) -> None:
    condition = replace(status.from_real_time(0x12, 0x12, 0x12, 0x12), in_mouth=in_mouth)
    assert status.summarize(condition, identity="").media is media
    assert status.summarize(condition, identity="").well


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
        ("1a 52 32 12", "18 20 00 0f", Fault.HARDWARE, Level.FULL),
        ("1a 52 16 12", "18 04 00 0f", Fault.JAM, Level.FULL),
        ("1a 12 12 12", "18 00 00 0f", Fault.STOPPED, Level.FULL),
    ],
)
def test_both_ways_of_status_say_the_same(real_time: str, back: str, fault: Fault | None, paper: Level) -> None:
    asked = status.summarize(status.from_real_time(*bytes.fromhex(real_time)), identity="i")
    told = status.summarize(status.from_status_back(bytes.fromhex(back)), identity="i")
    assert asked == told
    assert (asked.fault, asked.paper) == (fault, paper)


def test_no_contact_is_never_good() -> None:
    assert not status.starting("").well
    assert not status.starting("").lost(Fault.TIMEOUT).well


def test_status_requests() -> None:
    assert [protocol.ask_status(kind).hex() for kind in StatusKind] == [
        "100401",
        "100402",
        "100403",
        "100404",
        "100414",
    ]
    assert commands(b"".join(protocol.ask_info(kind) for kind in InfoKind)) == [
        SendInfo(67),
        SendInfo(65),
        SendInfo(68),
    ]
    assert commands(protocol.ASK_SENSOR) == [SendSensor(1)]


# --- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://192.0.2.7:9101", Tcp("192.0.2.7", 9101)),
        ("tcp://printer", Tcp("printer", 9100)),
        ("serial:/dev/serial/by-id/usb-1?baud=38400", SerialPort("/dev/serial/by-id/usb-1", 38400)),
        ("serial:/dev/ttyS0", SerialPort("/dev/ttyS0", 115200)),
        ("serial:/dev/ttyS0?baud=9600&flow=rtscts", SerialPort("/dev/ttyS0", 9600, rtscts=True)),
        ("serial:/dev/ttyS0?flow=xonxoff&model=clone-58", SerialPort("/dev/ttyS0", 115200)),
        ("file:/dev/usb/lp0", DeviceFile("/dev/usb/lp0")),
        ("file:/dev/usb/lp0?model=epson-512", DeviceFile("/dev/usb/lp0")),
        ("tcp://printer?model=clone-80-bare", Tcp("printer", 9100)),
    ],
)
def test_addresses(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp://",
        "serial:ttyS0",
        "usb:04b8:0202",
        "serial:/dev/ttyS0?baud=fast",
        "serial:/dev/ttyS0?flow=river",
        "tcp://printer?baud=9600",
        "file:/dev/usb/lp0?flow=rtscts",
        "tcp://printer?model=typewriter",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|invalid literal|not in the table"):
        parse_address(text)


def test_the_model_of_an_address() -> None:
    assert wanted_model("tcp://printer?model=clone-58") == "clone-58"
    assert wanted_model("serial:/dev/ttyS0?baud=9600") is None
