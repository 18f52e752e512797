"""The inside of a driver's worker process: one device, one socket to the host.

The main thread runs commands one after another; a second thread beats. A C library that keeps the interpreter's lock
stops the beat, and the host kills the process.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import resource
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from drivers.host.adapter import Adapter, Reply
from drivers.host.lives import EXIT_MEMORY, EXIT_UNEXPECTED, EXIT_USAGE
from drivers.host.needs import NEEDS
from drivers.host.protocol import (
    SELF_TEST,
    VERSION,
    Command,
    Event,
    FromWorker,
    Heartbeat,
    Hello,
    Replied,
    decode_command,
    encode_from_worker,
)
from kiosk.contract.frames import FrameReader
from kiosk.core.devices import DeviceError, DeviceEvent, DeviceStatus, StatusChanged
from kiosk.core.result import Err, Ok, Result

HEARTBEAT_S = 0.25
_PR_SET_PDEATHSIG = 1
_RECEIVE_BYTES = 256 * 1024


def main(build: Callable[[str], Adapter], argv: Sequence[str] | None = None) -> None:
    """The whole ``__main__`` of a driver: ``--fd N --address ADDRESS``, where N is the inherited socket."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True, help="inherited socket to the driver host")
    parser.add_argument("--address", required=True, help="address of the device")
    arguments = parser.parse_args(argv)
    sys.excepthook = _report_in_main
    threading.excepthook = _report_and_end
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the citizen's card
    with socket.socket(fileno=arguments.fd) as sock:
        try:
            adapter = build(arguments.address)
        except ValueError:  # of the address's parser, which says so in words of its own to whoever asks it
            sys.stderr.write("driver ended: it does not understand its device's address\n")
            sys.exit(EXIT_USAGE)
        limit = NEEDS[adapter.kind].data_limit
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        serve(adapter, sock)


def serve(adapter: Adapter, sock: socket.socket, *, heartbeat_s: float = HEARTBEAT_S) -> None:
    """Run the device until the host closes the socket or sends SIGTERM; the command in work is finished first.

    An exception of the adapter ends the process: the host reports DRIVER_LOST and starts a new one.
    """
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the host stops us in order
    signal.signal(signal.SIGTERM, lambda _number, _frame: _stop_reading(sock))
    link = _Link(sock)
    link.send(Hello(VERSION, adapter.kind, adapter.identity, adapter.capabilities | {SELF_TEST}))
    stopped = threading.Event()
    threading.Thread(target=_beat, args=(link, stopped, heartbeat_s), name="heartbeat", daemon=True).start()
    try:
        adapter.open(link.emit)
        link.introduce(adapter.status())
        _run_commands(adapter, sock, link)
    finally:
        adapter.close()
        stopped.set()


def _run_commands(adapter: Adapter, sock: socket.socket, link: _Link) -> None:
    reader = FrameReader()
    while data := _receive(sock):
        for frame in reader.feed(data):
            command = decode_command(frame)
            link.send(Replied(command.id, _do(adapter, command)))


def _do(adapter: Adapter, command: Command) -> Result[Reply, DeviceError]:
    if command.verb != SELF_TEST:
        return adapter.handle(command.verb, command.args, command.blob)
    match adapter.self_test(deep=command.args.get("deep") is True):
        case Ok(found):
            return Ok(Reply({"found": found}))
        case Err() as failed:
            return failed


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(_RECEIVE_BYTES)
    except ConnectionResetError:  # the host was killed while something of ours was unread: the same as its end
        return b""


def _beat(link: _Link, stopped: threading.Event, interval_s: float) -> None:
    while not stopped.wait(interval_s):
        link.send(Heartbeat())


def _stop_reading(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the host is gone already
        sock.shutdown(socket.SHUT_RD)


def _die_with_parent() -> None:
    """SIGKILL when the host's supervising thread ends (prctl(2) PR_SET_PDEATHSIG). Should it have ended before this
    call, then the socket is at its end and the first read says so."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class _Link:
    """The sending half; any thread. A host that is gone is found by the reading half, which then ends the process."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self._introduced = False

    def send(self, message: FromWorker) -> None:
        """Send one message."""
        data = encode_from_worker(message)
        with self._lock:
            self._write(data)

    def emit(self, event: DeviceEvent) -> None:
        """`Emit` for the adapter."""
        data = encode_from_worker(Event(event))
        with self._lock:
            self._introduced = self._introduced or isinstance(event, StatusChanged)
            self._write(data)

    def introduce(self, status: DeviceStatus) -> None:
        """Send the first status, unless the adapter's own threads have sent a newer one already."""
        data = encode_from_worker(Event(StatusChanged(status)))
        with self._lock:
            if not self._introduced:
                self._write(data)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._sock.sendall(data)


def _report_in_main(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> None:
    _report(kind, value, trace)
    if issubclass(kind, MemoryError):
        os._exit(EXIT_MEMORY)


def _report(kind: type[BaseException], _value: BaseException | None, trace: TracebackType | None) -> None:
    """One line to stderr: what and where. Never the message: it may quote what was on a card."""
    frames = reversed(traceback.extract_tb(trace))
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    sys.stderr.write(f"driver ended: {kind.__name__} at {where}\n")


def _report_and_end(failure: threading.ExceptHookArgs) -> None:
    """A thread of the adapter failed in a way nobody foresaw: the whole process ends and is started anew."""
    _report(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(EXIT_MEMORY if issubclass(failure.exc_type, MemoryError) else EXIT_UNEXPECTED)
