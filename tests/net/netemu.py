"""A poor line between two network namespaces: two TUN devices, a program that holds packets back, real kernel TCP.

Needs root and /dev/net/tun, and says so. Namespaces have no names and vanish with their last process. Run as a program
(with two descriptors) it is the line itself; commands come as JSON lines on standard input.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Side = Literal["hall", "terminal"]
ADDRESS: dict[Side, str] = {"hall": "10.77.0.1", "terminal": "10.77.0.2"}
_CLONE_NEWNET = 0x40000000
_TUNSETIFF, _TUN_NO_PI = 0x400454CA, 0x1001
_SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCSIFFLAGS = 0x8916, 0x891C, 0x8914
_UP_AND_RUNNING = 0x41
_FULL_PACKET = 2048


@dataclass(frozen=True)
class Profile:
    """One line, the same both ways."""

    rate_bps: float
    """Bits a second."""
    rtt_s: float
    loss: float = 0.0
    """Share of packets."""
    jitter_s: float = 0.0
    """Either way; packets keep their order."""
    duplicate: float = 0.0
    queue_s: float = 1.0
    """How much the router before the line holds; what comes then is dropped."""
    blackout: bool = False


VILLAGE = Profile(rate_bps=1e6, rtt_s=0.2, loss=0.02)
MOUNTAIN = Profile(rate_bps=256e3, rtt_s=0.6, loss=0.05, jitter_s=0.05)


def why_not() -> str:
    """Empty if lines can be emulated here; else a sentence."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun"
    return ""


# --- namespaces ------------------------------------------------------------------------------------------------------


def _libc(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


def _in_thread(work: Callable[[], T]) -> T:
    """A namespace belongs to a thread: in one of its own, nobody else moves."""
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed to the caller
            failures.append(error)

    thread = threading.Thread(target=run, name="namespace")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _new_namespace(address: str) -> tuple[int, int]:
    """A namespace with one TUN device: descriptors of both."""

    def work() -> tuple[int, int]:
        _libc("unshare", _CLONE_NEWNET)
        namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", b"line", _TUN_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, "255.255.255.0")):
                told = struct.pack("16sHH4s8x", b"line", socket.AF_INET, 0, socket.inet_aton(value))
                fcntl.ioctl(control, request, told)
            for device in (b"line", b"lo"):
                fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", device, _UP_AND_RUNNING))
        return namespace, tun

    return _in_thread(work)


class Line:
    """An emulated line, and what stands at its two ends."""

    def __init__(self, program: subprocess.Popen[str], namespaces: dict[Side, int]) -> None:
        self._program = program
        self._namespaces = namespaces
        self._lock = threading.Lock()

    def command(self, side: Side, arguments: Sequence[str]) -> list[str]:
        """The same command, to be run at that end."""
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._namespaces[side]}", "--", *arguments]

    def at(self, side: Side, work: Callable[[], T]) -> T:
        """Do something in this process with sockets at that end."""

        def run() -> T:
            _libc("setns", self._namespaces[side], _CLONE_NEWNET)
            return work()

        return _in_thread(run)

    def become(self, profile: Profile) -> None:
        """From now on this line."""
        self._ask({"profile": asdict(profile)})

    def counts(self) -> dict[str, dict[str, int]]:
        """By direction (`up`: from the terminal): packets and bytes carried, lost, dropped, doubled; `waiting_ms`: how
        much of the line's time is in the router before it just now."""
        return dict(self._ask({"counts": True}))

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self._program.stdin is not None and self._program.stdout is not None
        with self._lock:
            self._program.stdin.write(json.dumps(message) + "\n")
            self._program.stdin.flush()
            return dict(json.loads(self._program.stdout.readline()))


@contextmanager
def emulated(profile: Profile, *, seed: int = 1) -> Iterator[Line]:
    """A line; gone when the block ends."""
    if refusal := why_not():
        raise PermissionError(refusal)
    ends = {side: _new_namespace(address) for side, address in ADDRESS.items()}
    tuns = [ends["terminal"][1], ends["hall"][1]]
    program = subprocess.Popen(
        [sys.executable, __file__, *map(str, tuns), str(seed), json.dumps(asdict(profile))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=tuns,
        preexec_fn=die_with_parent,
    )
    assert program.stdin is not None and program.stdout is not None
    program.stdout.readline()
    try:
        yield Line(program, {side: namespace for side, (namespace, _) in ends.items()})
    finally:
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()
        for namespace, tun in ends.values():
            os.close(tun)
            os.close(namespace)


def die_with_parent() -> None:
    """For `preexec_fn`."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


# --- the line itself -------------------------------------------------------------------------------------------------


@dataclass
class Direction:
    """Packets one way: one after the other at the line's rate, then the way, then perhaps nothing."""

    source: int
    sink: int
    random: random.Random
    busy_until: float = 0.0
    last_out: float = 0.0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("packets", "bytes", "lost", "dropped", "doubled"), 0)
    )

    def take(self, packet: bytes, profile: Profile, now: float) -> list[float]:
        """When it comes out: never, once or twice."""
        start = max(now, self.busy_until)
        if profile.blackout or start - now > profile.queue_s:
            self.counts["dropped"] += 1
            return []
        self.busy_until = start + len(packet) * 8 / profile.rate_bps
        self.counts["packets"] += 1
        self.counts["bytes"] += len(packet)
        if self.random.random() < profile.loss:
            self.counts["lost"] += 1
            return []
        way = profile.rtt_s / 2 + self.random.uniform(-profile.jitter_s, profile.jitter_s) / 2
        self.last_out = max(self.last_out, self.busy_until + max(0.0, way))
        if self.random.random() < profile.duplicate:
            self.counts["doubled"] += 1
            return [self.last_out, self.last_out]
        return [self.last_out]

    def told(self, now: float) -> dict[str, int]:
        """What was counted, and what a packet that came now would wait for its turn (ms)."""
        return {**self.counts, "waiting_ms": max(0, round((self.busy_until - now) * 1000))}


def _carry(up: Direction, down: Direction, profile: Profile) -> None:
    on_the_way: list[tuple[float, int, int, bytes]] = []
    number = 0
    by_source = {up.source: up, down.source: down}
    poll = select.poll()
    for descriptor in (*by_source, 0):
        poll.register(descriptor, select.POLLIN)
    while True:
        left = on_the_way[0][0] - time.monotonic() if on_the_way else 1.0
        for descriptor, _ in poll.poll(max(0.0, left) * 1000):
            if descriptor == 0:
                line = sys.stdin.readline()
                if not line:
                    return
                asked = json.loads(line)
                if "profile" in asked:
                    profile = Profile(**asked["profile"])
                now = time.monotonic()
                told = {"up": up.told(now), "down": down.told(now)}
                sys.stdout.write(json.dumps(told) + "\n")
                sys.stdout.flush()
                continue
            direction = by_source[descriptor]
            for packet in _packets(descriptor):
                for out in direction.take(packet, profile, time.monotonic()):
                    number += 1
                    heapq.heappush(on_the_way, (out, number, direction.sink, packet))
        while on_the_way and on_the_way[0][0] <= time.monotonic():
            _, _, sink, packet = heapq.heappop(on_the_way)
            os.write(sink, packet)


def _packets(descriptor: int) -> Iterator[bytes]:
    """Everything that waits there; IPv6's own chatter stays at home."""
    while True:
        try:
            packet = os.read(descriptor, _FULL_PACKET)
        except BlockingIOError:
            return
        if packet[0] >> 4 == 4:
            yield packet


def _main() -> None:
    terminal, hall, seed = map(int, sys.argv[1:4])
    profile = Profile(**json.loads(sys.argv[4]))
    up = Direction(terminal, hall, random.Random(f"up{seed}"))
    down = Direction(hall, terminal, random.Random(f"down{seed}"))
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    _carry(up, down, profile)


if __name__ == "__main__":
    _main()
