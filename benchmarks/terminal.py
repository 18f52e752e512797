"""A whole serving terminal on a street of its own: frames while drivers hang, from card to screen, memory."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import ROOT, Figure
from kiosk.app.device_desk import DeviceDeskClient
from kiosk.core.devices import DeviceKind
from kiosk.devdock import hands
from kiosk.devdock.cases.finger import Finger
from kiosk.devdock.cases.model import load_case
from kiosk.devdock.cases.play import send_away
from kiosk.devdock.cases.runner import CaseRunner
from kiosk.devdock.eyes import Eyes
from kiosk.devdock.street import DEFAULT_TERMINALS, Street, StreetError, Terminal, wait_until
from provisioning.profile import load_profile

FRAME_MS = 1000 / 60
SLOWEST_FRAME_MS = 1000 / 30
_REST_S = 1.0
_WATCH_S = 2.0
"""From the moment that a driver hangs until it was killed and is on its way back."""
_HELD_S = 1.0
"""As long as a hung driver lives: its host waits so long for a heartbeat."""
_CARDS = 10
_LOOK_S = 0.005
_SETTLE_S = 1.0
_CASES = ("residence_renewal",)

Progress = Callable[[str], None]


@contextmanager
def street(root: Path) -> Iterator[Street]:
    """Two terminals (one case prints at the other), moving pictures on, and a probe in the screen processes."""
    with Street(root, terminals=DEFAULT_TERMINALS, motion=True, screen="benchmarks.screen") as running:
        yield running


def measure(root: Path, on_progress: Progress) -> list[Figure]:
    """All of it."""
    on_progress("the street")
    with street(root) as running:
        terminal = next(iter(running.terminals.values()))
        time.sleep(_SETTLE_S)
        on_progress("memory at rest")
        at_rest = memory(
            terminal, "memory_at_rest", "the whole terminal on its first page: sum of PSS of its processes"
        )
        on_progress("frames while drivers hang")
        gaps = frame_gaps(terminal)
        on_progress("from card to screen")
        cards = card_to_screen(running, terminal)
        on_progress("memory in use")
        return [*gaps, cards, at_rest, memory_in_use(running, terminal, root / "cases")]


# --- frames ----------------------------------------------------------------------------------------------------------


def frame_gaps(terminal: Terminal) -> list[Figure]:
    """Time from frame to frame: nothing wrong, each driver hanging in turn, and in turn with them the peer."""
    at_rest: list[float] = []
    hung: list[float] = []
    held: list[float] = []
    desk = DeviceDeskClient(Path(load_profile(terminal.profile).layout.desk_socket))
    terminal.screen.do("animate", on=True)
    try:
        with Eyes(desk).open() as eyes:
            for kind in sorted(desk.records()):
                at_rest += _gaps(terminal, _nothing, _REST_S)
                hung += _gaps(terminal, lambda kind=kind: _hang(eyes, kind), _WATCH_S)  # type: ignore[misc]
                wait_until(lambda kind=kind: eyes.record(kind).status.well, what=f"{kind} to be well")  # type: ignore[misc]
                held += _gaps(terminal, lambda: terminal.screen.do("hold", seconds=_HELD_S), _HELD_S + 0.5)
    finally:
        terminal.screen.do("animate", on=False)
    peer = "frame_gap_driver_in_the_ui"
    return [
        _frames("frame_gap_at_rest", "frame to frame while something moves, nothing wrong", at_rest),
        _frames("frame_gap_driver_hangs", "the same while a driver hangs (SIGSTOP), each in turn", hung, peer=peer),
        Figure(
            name=peer,
            about=f"the same call in a thread of the screen's process, holding the interpreter's lock {_HELD_S:g} s",
            unit="ms",
            values=tuple(held),
        ),
    ]


def _frames(name: str, about: str, gaps: list[float], *, peer: str = "") -> Figure:
    return Figure(name=name, about=about, unit="ms", values=tuple(gaps), limit=SLOWEST_FRAME_MS, peer=peer)


def _gaps(terminal: Terminal, disturb: Callable[[], object], seconds: float) -> list[float]:
    terminal.screen.do("frames")
    disturb()
    time.sleep(seconds)
    head, _ = terminal.screen.do("frames")
    return [float(gap) for gap in head["gaps_ms"]]


def _nothing() -> None:
    pass


def _hang(eyes: Eyes, kind: DeviceKind) -> None:
    pid = eyes.record(kind).driver.pid
    if pid is None:
        raise StreetError(f"{kind} has no driver to hang")
    os.kill(pid, signal.SIGSTOP)


# --- cards -----------------------------------------------------------------------------------------------------------


def card_to_screen(running: Street, terminal: Terminal) -> Figure:
    """From the moment that the card lies there until the screen greets its holder."""
    finger = Finger(terminal)
    person = running.persons["chen"]
    taken: list[float] = []
    for _ in range(_CARDS):
        wait_until(lambda: terminal.view() == "attract", what="the first page")
        began = time.monotonic()
        hands.put_card(terminal, person)
        wait_until(lambda: terminal.view() == "home" and finger.sees("您好"), what="a greeting", every_s=_LOOK_S)
        taken.append((time.monotonic() - began) * 1000)
        hands.lift_card(terminal)
        send_away(terminal)
    return Figure(
        name="card_to_screen",
        about="an ID card is laid down, read in full, and the screen greets its holder by name",
        unit="ms",
        values=tuple(taken),
        limit=1000.0,
    )


# --- memory ----------------------------------------------------------------------------------------------------------


def memory_in_use(running: Street, terminal: Terminal, out: Path) -> Figure:
    """The most that was seen at any moment while people were served."""
    import threading

    samples: list[float] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(0.2):
            samples.append(pss_mib(terminal))

    sampler = threading.Thread(target=sample, name="memory", daemon=True)
    sampler.start()
    try:
        for name in _CASES:
            report = CaseRunner(load_case(ROOT / "tests" / "cases" / f"{name}.yaml"), running, out / name).run()
            if not report.ok:
                raise StreetError(f"case {name}: {report.error}")
    finally:
        over.set()
        sampler.join()
    about = f"the same while cases are played ({', '.join(_CASES)}), every 0.2 s"
    return Figure(name="memory_in_use", about=about, unit="MiB", values=tuple(samples))


def memory(terminal: Terminal, name: str, about: str) -> Figure:
    """A few samples at rest."""
    samples = []
    for _ in range(5):
        samples.append(pss_mib(terminal))
        time.sleep(0.2)
    return Figure(name=name, about=about, unit="MiB", values=tuple(samples))


def pss_mib(terminal: Terminal) -> float:
    """Proportional set size (proc(5), smaps_rollup) of screen, sync and every driver."""
    roots = [pid for name in ("ui", "sync") if (pid := terminal.pid(name)) is not None]
    return sum(_pss_kib(pid) for root in roots for pid in (root, *_children(root))) / 1024


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = [int(child) for child in file.read_text().split()]
        except OSError:  # that thread has ended
            continue
        for child in direct:
            found += [child, *_children(child)]
    return found


def _pss_kib(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:  # it ended while we looked
        pass
    return 0
