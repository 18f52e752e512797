"""IPP bytes, printer states and HTTP exchanges: tables, any bytes at all, and printers that play for time."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.page import status
from drivers.page.address import PageAddress, Tls, parse
from drivers.page.client import IppClient, NotReached, Refused, Unclear
from drivers.page.facts import Sheet
from drivers.page.http import MAX_ANSWER, Broken, Unreachable, post
from drivers.page.ipp import (
    Attribute,
    Group,
    GroupTag,
    IppError,
    Message,
    Operation,
    Value,
    ValueTag,
    decode,
    encode,
    request,
)
from drivers.sim import ipp_wire
from kiosk.core.devices import DeviceState, Fault, Level, MediaState

PRINTER = "ipp://127.0.0.1:8631/ipp/print"

names = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12)
words = st.text(max_size=20)


def attribute(tag: ValueTag, values: st.SearchStrategy[Value]) -> st.SearchStrategy[Attribute]:
    return st.builds(Attribute, names, st.just(int(tag)), st.lists(values, min_size=1, max_size=3).map(tuple))


attributes = st.one_of(
    attribute(ValueTag.INTEGER, st.integers(-(2**31), 2**31 - 1)),
    attribute(ValueTag.ENUM, st.integers(0, 99)),
    attribute(ValueTag.BOOLEAN, st.booleans()),
    *(attribute(tag, words) for tag in (ValueTag.TEXT, ValueTag.NAME, ValueTag.KEYWORD, ValueTag.URI)),
)
groups = st.builds(
    Group, st.sampled_from([1, 2, 4, 5]), st.lists(attributes, max_size=4, unique_by=lambda a: a.name).map(tuple)
)
messages = st.builds(
    Message, st.integers(0, 0xFFFF), st.integers(0, 2**31 - 1), st.lists(groups, max_size=4).map(tuple), st.just(0x0101)
)


@given(messages, st.binary(max_size=20))
def test_what_is_written_is_read_back(message: Message, document: bytes) -> None:
    assert decode(encode(message) + document) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(IppError):
        decode(data)


@given(messages, st.data())
def test_torn_messages_are_refused(message: Message, data: st.DataObject) -> None:
    raw = encode(message)
    with pytest.raises(IppError):
        decode(raw[: data.draw(st.integers(0, len(raw) - 1))])


@given(messages, st.data())
def test_changed_bytes_are_read_or_refused(message: Message, data: st.DataObject) -> None:
    raw = bytearray(encode(message))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(IppError):
        decode(bytes(raw))


@given(st.lists(attributes, max_size=5, unique_by=lambda a: a.name), st.binary(max_size=30))
def test_a_printer_reads_what_we_write(extra: list[Attribute], document: bytes) -> None:
    """Two codecs, written apart."""
    extra = [one for one in extra if not one.name.startswith(("attributes", "printer"))]
    raw = encode(request(Operation.SEND_DOCUMENT, PRINTER, 7, tuple(extra))) + document
    heard = ipp_wire.read_request(raw)
    assert (heard.version, heard.operation, heard.id, heard.document) == (0x0101, 6, 7, document)
    assert list(heard.attributes)[:3] == ["attributes-charset", "attributes-natural-language", "printer-uri"]
    for one in extra:
        assert heard.attributes[one.name] == (one.tag, list(one.values))


@given(st.binary(max_size=200))
def test_the_printer_takes_any_bytes(data: bytes) -> None:
    with contextlib.suppress(ipp_wire.WireError):
        ipp_wire.read_request(data)


def test_names_with_a_language_are_read_as_names() -> None:
    raw = b"\x01\x01\x00\x00\x00\x00\x00\x01\x02\x36\x00\x08job-name\x00\x0a\x00\x02zh\x00\x04A001\x03"
    assert decode(raw).groups[0].text("job-name") == "A001"


# --- status ------------------------------------------------------------------------------------------------------

REASONS = {
    "media-empty": (Fault.PAPER_OUT, DeviceState.ONLINE),
    "media-needed": (Fault.PAPER_OUT, DeviceState.ONLINE),
    "input-tray-missing": (Fault.PAPER_OUT, DeviceState.ONLINE),
    "media-jam": (Fault.JAM, DeviceState.ERROR),
    "door-open": (Fault.DOOR_OPEN, DeviceState.ERROR),
    "cover-open": (Fault.DOOR_OPEN, DeviceState.ERROR),
    "interlock-open": (Fault.DOOR_OPEN, DeviceState.ERROR),
    "toner-empty": (Fault.TONER_OUT, DeviceState.ONLINE),
    "marker-supply-empty": (Fault.TONER_OUT, DeviceState.ONLINE),
    "offline": (Fault.UNREACHABLE, DeviceState.OFFLINE),
    "connecting-to-device": (Fault.UNREACHABLE, DeviceState.OFFLINE),
    "timed-out": (Fault.UNREACHABLE, DeviceState.OFFLINE),
    "shutdown": (Fault.UNREACHABLE, DeviceState.OFFLINE),
}
CONDITIONS = list(itertools.product((3, 4, 5), REASONS, ("", "-error", "-warning", "-report")))


@pytest.mark.parametrize(("state", "reason", "suffix"), CONDITIONS)
def test_every_reason_with_every_suffix(state: int, reason: str, suffix: str) -> None:
    summary = status.summarize(status.Condition(state, (reason + suffix,)), identity="i")
    assert (summary.fault, summary.state) == REASONS[reason]
    assert not summary.well
    assert (summary.media is MediaState.JAMMED) == (reason == "media-jam")


@pytest.mark.parametrize(
    ("reasons", "paper", "toner"),
    [
        (("none",), Level.FULL, Level.FULL),
        (("media-low-warning",), Level.LOW, Level.FULL),
        (("toner-low-report", "media-low"), Level.LOW, Level.LOW),
        (("marker-supply-low-warning",), Level.FULL, Level.LOW),
        (("media-empty-warning", "media-low-warning"), Level.OUT, Level.FULL),
        (("cups-waiting-for-job-completed",), Level.FULL, Level.FULL),
    ],
)
def test_supplies(reasons: tuple[str, ...], paper: Level, toner: Level) -> None:
    summary = status.summarize(status.Condition(3, reasons), identity="i")
    assert (summary.paper, summary.toner) == (paper, toner)
    assert summary.well == (Level.OUT not in (paper, toner))


@pytest.mark.parametrize(
    "condition",
    [
        status.Condition(None, ("none",)),
        status.Condition(99, ("none",)),
        status.Condition(3, ()),
        status.Condition(5, ("none",)),
        status.Condition(5, ("paused",)),
        status.Condition(3, ("fuser-over-temp-error",)),
        status.Condition(3, ("none",), accepting=False),
    ],
)
def test_what_is_not_known_or_not_explained_is_never_good(condition: status.Condition) -> None:
    assert not status.summarize(condition, identity="i").well


@given(st.integers(-1, 9), st.lists(st.one_of(st.sampled_from([*REASONS, "none", "media-low-warning"]), words)))
def test_any_words_make_a_status(state: int, reasons: list[str]) -> None:
    summary = status.summarize(status.Condition(state, tuple(reasons)), identity="i")
    assert not (summary.well and any(status._plain(reason) in REASONS for reason in reasons))
    assert len(summary.detail) <= 200


def test_a_jam_comes_before_an_empty_tray() -> None:
    summary = status.summarize(status.Condition(5, ("media-empty-error", "media-jam-error")), identity="i")
    assert (summary.fault, summary.paper, summary.media) == (Fault.JAM, Level.OUT, MediaState.JAMMED)


def test_no_contact_is_never_good() -> None:
    assert not status.unreachable(Fault.TIMEOUT, identity="").well
    assert not status.starting("").well


# --- HTTP --------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: %d\r\n\r\n"


@contextmanager
def speaker(*pieces: bytes, every_s: float = 0.0) -> Iterator[str]:
    """A server that takes one request and says these pieces."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            line, _ = listener.accept()
            with line, contextlib.suppress(OSError):  # the client hangs up when it has had enough
                line.recv(65536)
                for piece in pieces:
                    line.sendall(piece)
                    if over.wait(every_s):
                        return
                line.shutdown(socket.SHUT_WR)
                line.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/ipp/print"
        finally:
            over.set()
            thread.join()


def test_an_answer() -> None:
    with speaker(HEAD % 5 + b"hello") as url:
        assert post(url, b"x", within_s=10) == b"hello"


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", *[b"."] * 1000),
        tuple(bytes((byte,)) for byte in HEAD * 20),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n.\r\n"] * 1000),
    ],
)
def test_a_printer_that_drips_is_left_in_time(pieces: tuple[bytes, ...]) -> None:
    with speaker(*pieces, every_s=0.05) as url:
        began = time.monotonic()
        with pytest.raises(Broken):
            post(url, b"x", within_s=0.4)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"what?\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
        HEAD % 50 + b"too short",
        HEAD % (MAX_ANSWER + 1) + bytes(MAX_ANSWER + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_answers_that_are_none(said: bytes) -> None:
    with speaker(said) as url, pytest.raises(Broken):
        post(url, b"x", within_s=5)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable):
        post(f"http://127.0.0.1:{port}/", b"x", within_s=5)
    with pytest.raises(Unreachable):
        post("http://printer.invalid/", b"x", within_s=5)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with speaker(HEAD % 2 + b"ok") as url:
        assert post(url, b"x", within_s=10) == b"ok"


# --- the client --------------------------------------------------------------------------------------------------


def client_hearing(*answers: bytes | Exception) -> IppClient:
    said = iter(answers)

    def told(url: str, body: bytes, *, within_s: float, tls: Tls | None) -> bytes:
        answer = next(said)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return IppClient(parse(PRINTER), post=told, exchange_s=1, send_s=1)


def answer(code: int = 0, number: int = 1, *groups: Group) -> bytes:
    return encode(Message(code, number, groups))


@given(st.binary(max_size=100))
def test_garbage_is_unclear(data: bytes) -> None:
    for ask in (lambda c: c.facts(), lambda c: c.job(1), lambda c: c.create("j", Sheet("m", "s")), lambda c: c.jobs()):
        with pytest.raises((Unclear, Refused)) as caught:
            ask(client_hearing(b"\x01\x01\x00\x00" + b"\x00\x00\x00\x63" + data))
        assert isinstance(caught.value, Refused) or caught.value.garbage


@given(messages)
def test_any_ipp_answer_is_an_answer_or_trouble(message: Message) -> None:
    for ask in (lambda c: c.facts(), lambda c: c.job(1), lambda c: c.create("j", Sheet("m", "s")), lambda c: c.jobs()):
        raw = encode(Message(message.code, 1, message.groups))
        second = encode(Message(message.code, 2, message.groups))
        with contextlib.suppress(Unclear, Refused):
            ask(client_hearing(raw, second))


def test_refusals_and_silence() -> None:
    with pytest.raises(Refused, match="0x0406"):
        client_hearing(answer(0x0406)).job(3)
    with pytest.raises(NotReached):
        client_hearing(Unreachable("gone")).facts()
    with pytest.raises(Unclear):
        client_hearing(Broken("torn")).facts()


def test_jobs_of_another_name_are_not_ours() -> None:
    def job(number: int, name: str) -> Group:
        return Group(
            GroupTag.JOB,
            (
                Attribute("job-id", ValueTag.INTEGER, (number,)),
                Attribute("job-name", ValueTag.NAME, (name,)),
                Attribute("job-state", ValueTag.ENUM, (9,)),
            ),
        )

    client = client_hearing(answer(0, 1), answer(0, 2, job(3, "ours"), job(2, "theirs"), job(1, "ours")))
    assert [found.id for found in client.jobs() if found.name == "ours"] == [1, 3]


@pytest.mark.parametrize(
    ("address", "made"),
    [
        ("ipp://10.0.0.8/ipp/print", PageAddress("ipp://10.0.0.8:631/ipp/print", "http://10.0.0.8:631/ipp/print")),
        ("ipp://printer:8631", PageAddress("ipp://printer:8631/", "http://printer:8631/")),
        ("ipp://[::1]:8631/p", PageAddress("ipp://[::1]:8631/p", "http://[::1]:8631/p")),
        ("ipp://me:secret@h:1/p", PageAddress("ipp://h:1/p", "http://h:1/p")),
        ("ipps://h/p", PageAddress("ipps://h:631/p", "https://h:631/p", Tls())),
        ("ipps://h/p?ca=/a/b.pem&name=n", PageAddress("ipps://h:631/p", "https://h:631/p", Tls("/a/b.pem", "n"))),
        (
            "ipp://h/printers/a4?proof=queue",
            PageAddress("ipp://h:631/printers/a4", "http://h:631/printers/a4", None, True),
        ),
    ],
)
def test_addresses(address: str, made: PageAddress) -> None:
    assert parse(address) == made


@pytest.mark.parametrize(
    "address",
    ["", "http://10.0.0.8/", "ipp:///print", "ipp://h/p?speed=9", "ipp://h/p?proof=hope", "ipp://h:x/p", "usb://h"],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"page printer address|[Pp]ort"):
        parse(address)
