"""A scanner's line, its codes, its address, its patience: pure functions, every case of their tables."""

from __future__ import annotations

import errno
import itertools
import string
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.scanner.address import Address, SerialPort, SerialServer, Wedge, parse_address
from drivers.scanner.ear import Ear, Limits
from drivers.scanner.models import Enquiry, Model, find_model
from drivers.scanner.protocol import Refusal, Splitter, decode
from drivers.scanner.status import fault_of, troubled
from kiosk.core.devices import DeviceState, Fault
from kiosk.core.result import Err, Ok
from kiosk.core.scanned_code import MAX_CODE_BYTES, HeldCode, without_symbology

SILENT = find_model("silent")
ASKED = find_model("enquiry")

# --- lines


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"ABC\r"], [b"ABC"]),
        ([b"ABC\n"], [b"ABC"]),
        ([b"ABC\r\n"], [b"ABC"]),
        ([b"ABC\r", b"\n"], [b"ABC"]),
        ([b"A", b"B", b"C\r\nD\rE\n"], [b"ABC", b"D", b"E"]),
        ([b"\r\n\r\n\n"], []),
        ([b"a\x0bb\x0cc\x1cd\x85e\r"], [b"a\x0bb\x0cc\x1cd\x85e"]),  # only CR and LF end a line
    ],
)
def test_lines_end_with_cr_lf_or_both(pieces: list[bytes], lines: list[bytes]) -> None:
    splitter = Splitter()
    assert [line for piece in pieces for line in splitter.feed(piece, 1.0)] == [Ok(line) for line in lines]
    assert splitter.due is None


def test_silence_ends_a_code_of_a_scanner_without_suffix() -> None:
    splitter = Splitter(pause_s=0.3)
    assert splitter.feed(b"12", 0.0) == []
    assert splitter.feed(b"34", 0.2) == []
    assert splitter.due == pytest.approx(0.5)
    assert splitter.feed(b"", 0.4) == []
    assert splitter.feed(b"", 0.5) == [Ok(b"1234")]
    assert splitter.feed(b"56", 0.6) == []
    assert splitter.feed(b"78", 1.0) == [Ok(b"56")]  # late, and yet not glued together


def test_a_code_without_its_end_is_torn_once_ends_are_known() -> None:
    splitter = Splitter(pause_s=0.3, torn_s=1.0)
    assert splitter.feed(b"1\r", 0.0) == [Ok(b"1")]
    assert splitter.feed(b"23", 1.0) == []
    assert splitter.feed(b"", 1.5) == []
    assert splitter.feed(b"4\r", 1.9) == [Ok(b"234")]
    splitter.feed(b"56", 3.0)
    assert splitter.feed(b"", 4.0) == [Err(Refusal.TORN)]
    assert splitter.due is None


def test_an_endless_line_takes_no_memory_and_ends() -> None:
    splitter = Splitter()
    for number in range(100):
        assert splitter.feed(b"x" * 1000, number / 100) == []
    assert len(splitter._pending) <= 2 * MAX_CODE_BYTES
    assert splitter.feed(b"x\r", 1.0) == [Err(Refusal.LENGTH)]
    assert splitter.feed(b"x\r", 1.0) == [Ok(b"x")]


@given(
    codes=st.lists(st.binary(min_size=1, max_size=40)),
    cuts=st.lists(st.integers(0, 400)),
    end=st.sampled_from([b"\r", b"\n", b"\r\n"]),
)
def test_however_the_bytes_arrive_the_lines_are_the_same(codes: list[bytes], cuts: list[int], end: bytes) -> None:
    clean = [code.replace(b"\r", b"").replace(b"\n", b"") for code in codes]
    data = b"".join(code + end for code in clean)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    splitter = Splitter()
    lines = [line for start, stop in itertools.pairwise(edges) for line in splitter.feed(data[start:stop], 0.0)]
    assert lines == [Ok(code) for code in clean if code]


# --- codes


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"FS440699202611220001", "FS440699202611220001"),
        ("佛山市𠮷".encode(), "佛山市𠮷"),
        ("佛山市𠮷".encode("gb18030"), "佛山市𠮷"),
        ("佛山市".encode("gbk"), "佛山市"),
        (b"\x00\x00ABC", "ABC"),
        (b"]Q1ABC", "ABC"),
        (b"]Q1]Q1ABC", "]Q1ABC"),
        (b"]12", "]12"),
        (b"\xef\xbb\xbfABC", "ABC"),
        (b"]Q2\xef\xbb\xbfABC", "ABC"),
        (b"01069\x1d10AB", "01069\x1d10AB"),
        (b"  ", ""),
        (b"\x00", ""),
        (b" A ", " A "),
        (b"x" * MAX_CODE_BYTES, "x" * MAX_CODE_BYTES),
        (b"]Q1" + b"x" * MAX_CODE_BYTES, "x" * MAX_CODE_BYTES),
    ],
)
def test_codes(line: bytes, code: str) -> None:
    assert decode(line) == Ok(code)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"AB\x00C", Refusal.CONTROL),
        (b"\x02ABC\x03", Refusal.CONTROL),
        (b"AB\tC", Refusal.CONTROL),
        (b"AB\x7fC", Refusal.CONTROL),
        ("\x85".encode(), Refusal.CONTROL),
        ("\ue000".encode(), Refusal.CONTROL),  # private use: no two machines agree on it
        (b"\xaa\xa1\xaa\xa2", Refusal.CONTROL),  # the same in GB 18030
        (b"ABC\xff", Refusal.ENCODING),
        (b"\x80\x80", Refusal.ENCODING),
        (b"\xed\xa0\x80", Refusal.ENCODING),  # a surrogate
        (b"x" * (MAX_CODE_BYTES + 1), Refusal.LENGTH),
    ],
)
def test_no_codes(line: bytes, why: Refusal) -> None:
    assert decode(line) == Err(why)


def readings(line: bytes) -> list[str]:
    """What a line may say: in UTF-8 and in GB 18030, where it is either."""
    texts = []
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            texts.append(without_symbology(line.lstrip(b"\0").decode(encoding)).removeprefix("\ufeff"))
    return texts


@given(st.binary(max_size=200))
@example(b"?")
def test_any_line_is_exactly_a_code_or_refused(line: bytes) -> None:
    match decode(line):
        case Ok(text):
            assert text == readings(line)[0] or not (text or readings(line)[0].strip())
        case Err(Refusal.ENCODING):
            assert readings(line) == []
        case Err(Refusal.CONTROL):
            assert not readings(line)[0].isprintable()
        case Err(why):
            pytest.fail(f"{why} of {len(line)} bytes")


@given(st.text(alphabet=string.printable[:95] + "佛山𠮷", max_size=40), st.sampled_from(["utf-8", "gb18030"]))
def test_what_is_sent_is_what_is_read(text: str, encoding: str) -> None:
    line = text.encode(encoding)
    wanted = without_symbology(text)
    assert wanted in readings(line)
    assert decode(line) == Ok(readings(line)[0] if readings(line)[0].strip() else "")


def test_a_code_that_is_held_under_the_scanner_is_one_code() -> None:
    held = HeldCode()
    assert [held.fresh("A", at) for at in (0.0, 0.7, 1.4, 2.1)] == [True, False, False, False]
    assert held.fresh("A", 2.95)
    assert held.fresh("B", 3.0)
    assert held.fresh("A", 3.1)
    assert "A" not in repr(held)


# --- the ear


def test_three_refused_lines_in_a_row_are_garbled_and_one_code_heals() -> None:
    ear = Ear(SILENT)
    ear.hear(b"\xff\r\xff\rgood\r\xff\r\xff\r", 0.0)
    assert ear.trouble is None
    heard = ear.hear(b"\x02\r", 0.1)
    assert (heard.refused, heard.codes) == (1, ())
    assert ear.trouble is not None and ear.trouble.fault is Fault.GARBLED
    assert "control" in ear.trouble.detail
    assert ear.hear(b"good2\r", 0.2).codes == ("good2",)
    assert ear.trouble is None


def test_garbled_is_forgotten_after_a_long_silence() -> None:
    ear = Ear(SILENT, limits=Limits(forget_s=60))
    ear.hear(b"\xff\r" * 3, 0.0)
    assert ear.due == 60
    ear.hear(b"", 59.0)
    assert ear.trouble is not None
    ear.hear(b"", 60.0)
    assert ear.trouble is None and ear.due is None


def test_a_flood_is_no_hand_and_ends_with_calm() -> None:
    ear = Ear(SILENT)
    heard = [ear.hear(f"line {number}\r".encode(), number / 100) for number in range(200)]
    assert sum(len(one.codes) for one in heard) == 20
    assert ear.trouble is not None and ear.trouble.fault is Fault.PROTOCOL
    due = ear.due
    assert due == pytest.approx(1.99 + 1.0)
    assert ear.hear(b"", 2.5).codes == () and ear.trouble is not None
    ear.hear(b"", due)
    assert ear.trouble is None
    assert ear.hear(b"code\r", 4.0).codes == ("code",)


def test_a_visiting_card_is_no_flood() -> None:
    ear = Ear(SILENT)
    assert len(ear.hear(b"".join(b"FIELD%d\r\n" % number for number in range(15)), 0.0).codes) == 15
    assert ear.trouble is None


def test_its_name_is_no_code() -> None:
    heard = Ear(ASKED).hear(b"\x06SCAN 3000 v2\rABC\r", 0.0)
    assert (heard.identity, heard.codes, heard.seen) == ("SCAN 3000 v2", ("ABC",), 1)
    assert Ear(SILENT).hear(b"\x06SCAN 3000 v2\r", 0.0).refused == 1


def test_what_was_heard_is_in_no_text_about_it() -> None:
    heard = Ear(SILENT).hear(b"SECRET\r", 0.0)
    assert heard.codes == ("SECRET",) and "SECRET" not in repr(heard)


chunks = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"\r", b"\n", b"\x06NAME\r", b"ABC\r", b"\xff\r", "佛山\r".encode("gb18030"), b"x" * 3000]),
)


@given(st.lists(st.tuples(chunks, st.floats(0, 3)), max_size=40), st.sampled_from([SILENT, ASKED]))
def test_any_stream_gives_codes_or_trouble_never_more(stream: list[tuple[bytes, float]], model: Model) -> None:
    ear, at = Ear(model), 0.0
    for data, pause in stream:
        at += pause
        heard = ear.hear(data, at)
        assert len(heard.codes) <= heard.seen <= Limits().lines
        assert all(0 < len(code.encode("gb18030")) <= 2 * MAX_CODE_BYTES for code in heard.codes)
        assert ear.trouble is None or ear.trouble.fault in (Fault.GARBLED, Fault.PROTOCOL)
    ear.hear(b"", at + 1000)
    assert ear.trouble is None or ear.due is not None
    ear.hear(b"", at + 2000)
    assert ear.trouble is None and ear.due is None


# --- asking


def test_one_that_cannot_be_asked_is_believed() -> None:
    enquiry = Enquiry(SILENT)
    assert (enquiry.lives, enquiry.mute, enquiry.due, enquiry.ask(5.0)) == (True, False, None, b"")


def test_one_that_can_be_asked_is_believed_when_it_answers() -> None:
    enquiry = Enquiry(ASKED, every_s=5.0, answer_s=0.8)
    assert not enquiry.lives
    assert enquiry.ask(0.0) == b"\x05"
    enquiry.heard()
    assert enquiry.lives and enquiry.due == 5.0
    assert enquiry.ask(1.0) == b""
    assert enquiry.ask(1.0, hurry=True) == b"\x05"
    assert (enquiry.ask(1.8), enquiry.mute, enquiry.lives) == (b"\x05", False, True)
    assert (enquiry.ask(2.6), enquiry.mute, enquiry.lives) == (b"\x05", True, False)
    enquiry.heard()
    assert enquiry.lives and not enquiry.mute


def test_asking_in_a_hurry_makes_nobody_mute() -> None:
    enquiry = Enquiry(ASKED)
    for number in range(10):
        enquiry.ask(number / 100, hurry=True)
    assert not enquiry.mute


def test_models_are_data() -> None:
    assert ASKED.identity_in(b"\x06A 1") == "A 1"
    assert ASKED.identity_in(b"\x06") is None and ASKED.identity_in(b"\x06A\xff") is None
    with pytest.raises(ValueError, match="silent, enquiry"):
        find_model("zebra")


# --- addresses and faults


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("serial:/dev/serial/by-id/x", SerialPort("/dev/serial/by-id/x", 9600, "silent")),
        ("serial:/dev/ttyS0?baud=115200&model=enquiry", SerialPort("/dev/ttyS0", 115200, "enquiry")),
        ("scanner://10.0.0.5:4001", SerialServer("10.0.0.5", 4001, "silent")),
        ("scanner://[::1]:4001?model=enquiry", SerialServer("::1", 4001, "enquiry")),
        ("wedge:", Wedge()),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "scanner", "serial:", "serial:dev/x", "serial:/dev/x?baud=", "serial:/dev/x?baud=9601"),
        *("serial:/dev/x?baud=²", "serial:/dev/x?speed=9600", "serial:/dev/x?baud=9600&baud=9600", "serial:/x?baud"),
        *("scanner://", "scanner://host", "scanner://host:0", "scanner://host:99999", "scanner://u:p@host:1"),
        *("scanner://host:1/path", "scanner://host:1?baud=9600", "wedge:/dev/x", "tcp://host:1", "serial:/dev/x#y"),
    ],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValueError):
        parse_address(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert isinstance(address, Wedge) or address.identity


@pytest.mark.parametrize(
    ("number", "fault", "state"),
    [
        (errno.ENOENT, Fault.UNREACHABLE, DeviceState.OFFLINE),
        (errno.ENXIO, Fault.UNREACHABLE, DeviceState.OFFLINE),
        (errno.EIO, Fault.UNREACHABLE, DeviceState.OFFLINE),
        (errno.ECONNREFUSED, Fault.UNREACHABLE, DeviceState.OFFLINE),
        (None, Fault.UNREACHABLE, DeviceState.OFFLINE),
        (errno.EACCES, Fault.PERMISSION, DeviceState.ERROR),
        (errno.EPERM, Fault.PERMISSION, DeviceState.ERROR),
        (errno.EROFS, Fault.PERMISSION, DeviceState.ERROR),
        (errno.EAGAIN, Fault.IN_USE, DeviceState.ERROR),
        (errno.EBUSY, Fault.IN_USE, DeviceState.ERROR),
        (errno.ENOTTY, Fault.MISCONFIGURED, DeviceState.ERROR),
        (errno.EISDIR, Fault.MISCONFIGURED, DeviceState.ERROR),
    ],
)
def test_why_a_port_cannot_be_opened(number: int | None, fault: Fault, state: DeviceState) -> None:
    assert fault_of(number) is fault
    status = troubled("x", fault)
    assert status.state is state and not status.well
