"""Nonsense in both directions between a host and its workers: typed ends, nothing hangs, nothing is quoted."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.host.lives import Reason
from drivers.host.needs import NEEDS
from drivers.host.process import Patience, WorkerProcess
from drivers.host.protocol import SELF_TEST, VERSION, FromWorker, Hello, encode_from_worker
from kiosk.contract.frames import PREFIX, encode_frame
from kiosk.core.devices import DeviceKind, DeviceState, Fault

PROGRAM = Path(__file__).with_name("programs") / "worker_program.py"
HELLO = encode_from_worker(Hello(VERSION, DeviceKind.ID_CARD, "", frozenset({"read", SELF_TEST})))
SECRET = "440699199001010014"
LONG_S = 20.0

TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.just(SECRET)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def frames(types: list[str], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    """Almost messages: known types and fields, each field perhaps absent, perhaps of another kind."""
    optional = {name: value | JSON for name, value in fields.items()}
    heads = st.fixed_dictionaries({}, optional={"type": st.sampled_from(types) | JSON, **optional})
    return st.builds(encode_frame, heads, st.binary(max_size=8))


DEEP = PREFIX.pack(200_000, 0) + b"[" * 200_000
HUGE = PREFIX.pack(0xFFFFFFFF, 0xFFFFFFFF)
SURROGATE = PREFIX.pack(37, 0) + b'{"type":"event","event":"\\ud800\\udc00"}'[:37]
NOT_A_NUMBER = PREFIX.pack(27, 0) + b'{"type":"reply","id":  NaN}'
NASTY = st.sampled_from([DEEP, HUGE, SURROGATE, NOT_A_NUMBER, PREFIX.pack(2, 3) + b"{}abc", b"\0"])

STATUS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(DeviceKind) | JSON,
        "state": st.sampled_from(DeviceState) | JSON,
        "media": st.just("none") | JSON,
        "paper": st.just("low") | JSON,
        "toner": st.just("none") | JSON,
        "fault": st.sampled_from(Fault) | st.just("") | JSON,
        "identity": TEXT | JSON,
        "detail": TEXT | JSON,
    },
)
FROM_WORKER = frames(
    ["hello", "heartbeat", "event", "reply"],
    version=st.just(VERSION),
    kind=st.sampled_from(DeviceKind),
    identity=TEXT,
    capabilities=st.lists(TEXT, max_size=3),
    event=st.sampled_from(["status", "card_presented", "preview", "code_scanned", "site"]),
    status=STATUS,
    sequence=st.integers(),
    quad=st.lists(st.lists(st.floats(0, 1), max_size=3), max_size=4),
    advice=TEXT,
    text=TEXT,
    inputs=st.dictionaries(st.sampled_from(["person_near", "battery_percent"]), JSON, max_size=2),
    id=st.integers(),
    error=st.dictionaries(st.sampled_from(["fault", "detail"]), JSON, max_size=2),
    values=st.dictionaries(TEXT, JSON, max_size=2),
)
FROM_HOST = frames(
    ["command", "hello"],
    id=st.integers(),
    verb=st.sampled_from(["echo", "read", SELF_TEST, "status"]),
    args=st.dictionaries(TEXT, JSON, max_size=2),
)


@pytest.fixture(scope="module")
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that the fuzzed connection may belong to."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@settings(deadline=None)
@given(greeting=st.booleans(), said=st.lists(FROM_WORKER | NASTY, max_size=6))
def test_no_messages_whatever_upset_the_host(
    bystander: subprocess.Popen[bytes], greeting: bool, said: list[bytes]
) -> None:
    heard: list[FromWorker] = []
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.dup() as sending:
        sender = threading.Thread(target=_say, args=(theirs, (HELLO if greeting else b"") + b"".join(said)))
        sender.start()
        worker = WorkerProcess(bystander, ours, sending)
        patience = Patience(hello_s=LONG_S, silence_s=LONG_S)
        end = worker.attend(DeviceKind.ID_CARD, NEEDS[DeviceKind.ID_CARD], patience, heard.append)
        ours.shutdown(socket.SHUT_RDWR)
        sender.join()
    assert end.reason in (Reason.ENDED, Reason.PROTOCOL, Reason.MISFIT)
    assert heard == [] or isinstance(heard[0], Hello)
    if end.reason is Reason.PROTOCOL:
        assert SECRET not in str(end)


def _say(sock: socket.socket, data: bytes) -> None:
    with sock, contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the host need not hear more of it
        sock.sendall(data)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.lists(FROM_HOST | NASTY, min_size=1, max_size=4))
def test_no_messages_whatever_make_a_worker_hang_or_tell(said: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, str(PROGRAM), "--address", "", "--fd", str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE) as process:
            theirs.close()
            ours.settimeout(LONG_S)
            try:
                ours.sendall(b"".join(said))
                ours.shutdown(socket.SHUT_WR)
                while ours.recv(65536):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass  # it would not hear more of it
            _, told = process.communicate(timeout=LONG_S)
    assert process.returncode in (0, 1)
    assert SECRET.encode() not in told
    assert b"Traceback" not in told
