"""Addresses, and things at a camera's address that are no camera."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.camera.grabber import Ended, Grabber, Picture, fault_of
from drivers.camera.jpeg import encode
from drivers.camera.source import DeviceSource, Patience, UrlSource, parse_address
from drivers.camera.status import troubled
from kiosk.core.devices import DeviceState, Fault

BRIEF = Patience(open_s=0.8, read_s=0.8, connect_s=0.5)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
JPEG = encode(np.random.default_rng(5).integers(0, 256, (120, 160, 3)).astype(np.uint8), quality=80)
BOMB = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01" + bytes(500)


def part(body: bytes) -> bytes:
    return b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"\r\n"


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A TCP server whose every connection is one `talk`; the URL of a stream on it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(2)
            connection.recv(4096)
            talk(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/stream"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def first_news(url: str, *, patience: Patience = BRIEF) -> Picture | Ended | None:
    """What a grabber says first; never later than its time limits allow."""
    grabber = Grabber(UrlSource(url), patience=patience, monotonic=time.monotonic)
    grabber.start()
    try:
        return grabber.newer(0, within_s=20)
    finally:
        grabber.stop()


def mute(_connection: socket.socket) -> None:
    time.sleep(2.5)


def refusing(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")


def a_web_page(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"<p>hello</p>" * 500)


def endless_header(connection: socket.socket) -> None:
    for _ in range(200):
        connection.sendall(b"X-Pad: " + b"a" * 900 + b"\r\n")
        time.sleep(0.02)


def only_bombs(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _ in range(60):
        connection.sendall(part(BOMB))
        time.sleep(0.04)


def lying_length(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99999999999\r\n\r\n" + JPEG)


@pytest.mark.parametrize(
    ("talk", "faults"),
    [
        (lambda _connection: None, {Fault.PROTOCOL}),
        (refusing, {Fault.PROTOCOL}),
        (a_web_page, {Fault.PROTOCOL}),
        (mute, {Fault.FROZEN}),
        (endless_header, {Fault.PROTOCOL, Fault.FROZEN}),
        (only_bombs, {Fault.PROTOCOL}),
        (lying_length, {Fault.PROTOCOL, Fault.FROZEN}),
    ],
)
def test_what_is_no_camera_is_a_fault_in_time(
    talk: Callable[[socket.socket], None], faults: set[Fault], capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(talk) as url:
        news = first_news(url)
    assert isinstance(news, Ended) and news.fault in faults
    assert capfd.readouterr() == ("", "")


def test_nobody_there() -> None:
    with serving(mute) as url:
        pass
    news = first_news(url)
    assert isinstance(news, Ended) and news.fault is Fault.NO_CAMERA


def test_pictures_go_on_after_one_that_is_broken() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        for body in (JPEG, b"\x00" * 700, BOMB, JPEG[:200], *[JPEG] * 40):
            connection.sendall(part(body))
            time.sleep(0.03)

    with serving(talk) as url:
        grabber = Grabber(UrlSource(url), patience=BRIEF, monotonic=time.monotonic)
        grabber.start()
        try:
            number = 0
            while number < 8:
                news = grabber.newer(number, within_s=10)
                assert isinstance(news, Picture), news
                number = news.number
            assert news.jpeg.rstrip(b"\r\n") == JPEG
        finally:
            grabber.stop()


def test_the_newest_picture_is_given_and_no_older_one() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        for _ in range(100):
            connection.sendall(part(JPEG))
            time.sleep(0.02)

    with serving(talk) as url:
        grabber = Grabber(UrlSource(url), patience=BRIEF, monotonic=time.monotonic)
        grabber.start()
        try:
            first = grabber.newer(0, within_s=10)
            time.sleep(0.5)
            asked = time.monotonic()
            later = grabber.newer(0, since=asked, within_s=10)
            assert isinstance(first, Picture) and isinstance(later, Picture)
            assert later.at >= asked and later.number > first.number + 3
        finally:
            grabber.stop()


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    garbage=st.lists(
        st.one_of(st.binary(max_size=400), st.sampled_from([HEAD, part(JPEG), part(BOMB), JPEG, b"\r\n"])), max_size=8
    )
)
def test_any_bytes_end_in_pictures_or_a_fault(garbage: list[bytes]) -> None:
    def talk(connection: socket.socket) -> None:
        for piece in garbage:
            connection.sendall(piece)

    with serving(talk) as url:
        news = first_news(url, patience=Patience(open_s=0.3, read_s=0.3))
    assert news is not None
    assert not isinstance(news, Ended) or news.fault in (Fault.PROTOCOL, Fault.FROZEN)


# --- addresses


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("http://127.0.0.1:8081/stream.mjpg", "http://127.0.0.1:8081/stream.mjpg"),
        ("rtsp://kiosk:secret@camera.local/main?token=1", "rtsp://camera.local/main"),
        ("/dev/v4l/by-id/usb-Camera-video-index0", "/dev/v4l/by-id/usb-Camera-video-index0"),
        ("index:0", "/dev/video0"),
        ("index:11", "/dev/video11"),
    ],
)
def test_addresses(address: str, identity: str) -> None:
    assert parse_address(address).identity == identity


@pytest.mark.parametrize(
    "address", ["", "camera", "index:", "index:-1", "index:²", "ftp://host/x", "http://", "http:///path", "http://h:0/"]
)
def test_no_addresses(address: str) -> None:
    with pytest.raises(ValueError):
        parse_address(address)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        source = parse_address(text)
    except ValueError:
        return
    assert source.identity


def test_a_missing_device_is_away_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    grabber = Grabber(DeviceSource("/dev/video-that-is-not-there"), patience=BRIEF, monotonic=time.monotonic)
    grabber.start()
    news = grabber.newer(0, within_s=10)
    grabber.stop()
    assert isinstance(news, Ended) and news.fault is Fault.NO_CAMERA
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("present", "silent", "fault", "state"),
    [
        (False, False, Fault.NO_CAMERA, DeviceState.OFFLINE),
        (False, True, Fault.NO_CAMERA, DeviceState.OFFLINE),
        (True, True, Fault.FROZEN, DeviceState.ERROR),
        (True, False, Fault.PROTOCOL, DeviceState.ERROR),
    ],
)
def test_faults(present: bool, silent: bool, fault: Fault, state: DeviceState) -> None:
    assert fault_of(present=present, silent=silent) is fault
    status = troubled("x", fault)
    assert status.state is state and not status.well
