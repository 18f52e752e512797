"""The emulated line does what its profile says: figures taken over it mean something."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.net.netemu import ADDRESS, Direction, Line, Profile, emulated, why_not

needs_root = pytest.mark.skipif(bool(why_not()), reason=why_not() or "root")


@pytest.fixture
def line() -> Iterator[Line]:
    with emulated(Profile(rate_bps=2e6, rtt_s=0.1)) as made:
        yield made


def echo(line: Line) -> int:
    """An echo server at the hall's end; its port."""
    server = line.at("hall", lambda: socket.create_server((ADDRESS["hall"], 0)))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data[:1])

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


@needs_root
def test_rate_and_delay_are_those_of_the_profile(line: Line) -> None:
    port = echo(line)
    client = line.at("terminal", lambda: socket.create_connection((ADDRESS["hall"], port), timeout=10))
    with client:
        began = time.monotonic()
        client.sendall(b"x")
        assert client.recv(1)
        assert 0.1 <= time.monotonic() - began < 1.0
        began = time.monotonic()
        client.sendall(bytes(250_000))
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
        assert 1.0 <= time.monotonic() - began < 20  # 250 kB at 2 Mbit/s
    assert line.counts()["up"]["bytes"] > 250_000


@needs_root
def test_a_blackout_carries_nothing_and_ends(line: Line) -> None:
    port = echo(line)
    with line.at("terminal", lambda: socket.create_connection((ADDRESS["hall"], port), timeout=10)) as client:
        line.become(Profile(rate_bps=2e6, rtt_s=0.02, blackout=True))
        client.sendall(b"x")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        line.become(Profile(rate_bps=2e6, rtt_s=0.02))
        client.settimeout(20)
        assert client.recv(1)


def test_a_packet_waits_its_turn_its_way_and_may_be_lost_or_doubled() -> None:
    plain = Profile(rate_bps=8000, rtt_s=1.0, queue_s=1.0)
    one = Direction(0, 1, random.Random(1))
    assert one.take(bytes(500), plain, 10.0) == [pytest.approx(11.0)]
    assert one.take(bytes(500), plain, 10.0) == [pytest.approx(11.5)]
    assert one.take(bytes(1000), plain, 10.0) == [pytest.approx(12.5)]
    assert one.take(bytes(1000), plain, 10.0) == []
    assert one.counts == {"packets": 3, "bytes": 2000, "lost": 0, "dropped": 1, "doubled": 0}
    lossy = Direction(0, 1, random.Random(1))
    profile = Profile(rate_bps=1e9, rtt_s=0.1, loss=0.1, duplicate=0.1, jitter_s=0.05)
    outs = [lossy.take(b"x" * 100, profile, n * 0.001) for n in range(5000)]
    assert 400 < lossy.counts["lost"] < 600
    assert 350 < lossy.counts["doubled"] < 550
    flat = [at for out in outs for at in out]
    assert flat == sorted(flat)
