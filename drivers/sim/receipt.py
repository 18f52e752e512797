"""A thermal receipt printer on TCP (热敏打印机): speaks ESC/POS bytes, keeps each slip as a PNG.

Verbs: `set` (paper full|low|out, dots_left N, cover, cutter, hot, mute, garbage, gone: true|false, slow_ms N),
`list`, `get` (n), `tear`, `status`.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from drivers.sim.escpos_machine import Machine
from drivers.sim.escpos_paper import Paper

_GARBAGE = b"\xff\x80\x9cwhat?\xa3"
_BOOLEANS = ("cover", "cutter", "hot", "mute", "garbage", "gone")


class ReceiptPrinterSim:
    """One printer; lives on when the driver dies."""

    def __init__(self, *, dir: Path, port: int = 0) -> None:  # noqa: A002 - the common word of all simulators
        self._port = port
        self._machine = Machine(Paper(dir), self._answer)
        self._mute = self._garbage = self._gone = False
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None
        self._wake_read, self._wake_write = socket.socketpair()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> str:
        """Listen; the address for a terminal's profile."""
        with self._lock:
            self._listen()
        self._thread = threading.Thread(target=self._run, name="receipt-sim", daemon=True)
        self._thread.start()
        return f"tcp://127.0.0.1:{self._port}"

    def stop(self) -> None:
        """End the thread and every socket."""
        with self._lock:
            self._stopping = True
            self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            self._hang_up()
            self._unlisten()
            self._wake_read.close()
            self._wake_write.close()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> tuple[dict[str, Any], bytes]:
        """One verb; ValueError, KeyError or TypeError when it makes no sense."""
        with self._lock:
            match verb:
                case "set":
                    self._set(args)
                    return self._describe(), b""
                case "list":
                    return {"papers": [slip.describe() for slip in self._machine.paper.slips()]}, b""
                case "get":
                    slip = self._machine.paper.slip(int(args["n"]))
                    return slip.describe(), slip.png()
                case "tear":
                    return {"taken": self._machine.paper.tear()}, b""
                case "status":
                    return self._describe(), b""
                case _:
                    raise ValueError(f"no verb {verb!r}")

    def _set(self, args: dict[str, Any]) -> None:
        unknown = set(args) - {*_BOOLEANS, "paper", "dots_left", "slow_ms"}
        if unknown:
            raise ValueError(f"nothing to set: {', '.join(sorted(unknown))}")
        for name in _BOOLEANS:
            if type(args.get(name, False)) is not bool:
                raise TypeError(f"{name} is true or false")
        if args.get("paper", "full") not in ("full", "low", "out"):
            raise ValueError("paper is full, low or out")
        self._mute = args.get("mute", self._mute)
        self._garbage = args.get("garbage", self._garbage)
        if "dots_left" in args:
            self._machine.dots_left = None if args["dots_left"] is None else int(args["dots_left"])
        if "slow_ms" in args:
            self._machine.delay_s = float(args["slow_ms"]) / 1000
        hand = {name: args[name] for name in ("paper", "cover", "cutter", "hot") if name in args}
        self._machine.change(replace(self._machine.condition, **hand))
        if "gone" in args and args["gone"] != self._gone:
            self._gone = args["gone"]
            if self._gone:
                self._hang_up()
                self._unlisten()
            else:
                self._listen()
        self._wake()

    def _describe(self) -> dict[str, Any]:
        condition = self._machine.condition
        return {
            "paper": condition.paper,
            "dots_left": self._machine.dots_left,
            "cover": condition.cover,
            "cutter": condition.cutter,
            "hot": condition.hot,
            "mute": self._mute,
            "garbage": self._garbage,
            "gone": self._gone,
            "slow_ms": round(self._machine.delay_s * 1000),
            "connected": self._peer is not None,
        }

    # --- the line ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._stopping:
                    return
                again = self._machine.work(time.monotonic())
                watched = self._watched()
            ready = _wait(watched, None if again is None else max(0.0, again - time.monotonic()))
            with self._lock:
                for sock in ready:
                    self._serve(sock)

    def _watched(self) -> dict[socket.socket, int]:
        watched = {self._wake_read: select.POLLIN}
        if self._peer is None:
            if self._listener is not None:
                watched[self._listener] = select.POLLIN
        elif self._machine.room:
            watched[self._peer] = select.POLLIN
        elif self._machine.condition.blocked:
            # Full and standing still: nothing is read, but a driver that died makes place for the next one.
            watched[self._peer] = select.POLLRDHUP
        return watched

    def _serve(self, sock: socket.socket) -> None:
        if sock is self._wake_read:
            sock.recv(4096)
        elif sock is self._listener:
            with contextlib.suppress(BlockingIOError):  # the caller gave up between select and accept
                self._peer, _ = sock.accept()
                self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._machine.connected()
        elif sock is self._peer:
            try:
                chunk = sock.recv(self._machine.room)  # no room: only asked when the peer is gone
            except OSError:
                chunk = b""
            if chunk:
                self._machine.receive(chunk)
            else:
                self._hang_up()

    def _answer(self, data: bytes) -> None:
        if self._peer is None or self._mute:
            return
        with contextlib.suppress(OSError):  # nobody there to hear it: found at the next read
            self._peer.sendall(_GARBAGE if self._garbage else data)

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A small window: a printer has kilobytes, and a driver must live with a line that backs up.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", self._port))
        listener.listen(4)
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._listener = listener

    def _unlisten(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _hang_up(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None
            self._machine.disconnected()

    def _wake(self) -> None:
        self._wake_write.send(b"\x00")


def _wait(watched: dict[socket.socket, int], timeout_s: float | None) -> list[socket.socket]:
    poll = select.poll()
    by_number = {sock.fileno(): sock for sock in watched if sock.fileno() >= 0}  # -1: closed by a hand since
    for number, sock in by_number.items():
        poll.register(number, watched[sock])
    ready = poll.poll(None if timeout_s is None else timeout_s * 1000)
    return [by_number[number] for number, _ in ready]
