"""Which case gets which street: cases that break things have one of their own, the others share one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kiosk.core.profile import DataLayout
from kiosk.devdock import hands
from kiosk.devdock.cases.disk import SmallDisk
from kiosk.devdock.cases.finger import Finger, NotSeen
from kiosk.devdock.cases.model import Case
from kiosk.devdock.cases.runner import CaseRunner, Report
from kiosk.devdock.link import LinkMode
from kiosk.devdock.street import DEFAULT_TERMINALS, Street, StreetError, Terminal

_SEND_AWAY_S = 40.0


def play_one(case: Case, out: Path) -> Report:
    """A street, the case, and nothing left behind."""
    if case.needs_root and os.geteuid() != 0:
        return Report(case.case, case.title, case.why, error="needs root: it mounts a small disk of its own")
    with _street(case) as (street, disk):
        return CaseRunner(case, street, out, small_disk=disk).run()


def play_all(cases: Sequence[Case], out: Path, *, on_done: Callable[[Report], None]) -> list[Report]:
    """Every case in the order given; those without `fresh` on one shared street."""
    reports: dict[str, Report] = {}
    shared = [case for case in cases if not case.fresh]
    if shared:
        most = max(case.terminals for case in shared)
        with _root() as root, Street(root, terminals=DEFAULT_TERMINALS[:most]) as street:
            for case in shared:
                reports[case.case] = CaseRunner(case, street, out / case.case).run()
                on_done(reports[case.case])
                tidy(street)
    for case in cases:
        if case.fresh:
            reports[case.case] = play_one(case, out / case.case)
            on_done(reports[case.case])
    return [reports[case.case] for case in cases]


@contextlib.contextmanager
def _root() -> Iterator[Path]:
    """A short path: unix socket names have room for 107 characters."""
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        yield Path(name) / "s"


@contextlib.contextmanager
def _street(case: Case) -> Iterator[tuple[Street, SmallDisk | None]]:
    with _root() as root, contextlib.ExitStack() as stack:
        street = Street(root, terminals=DEFAULT_TERMINALS[: case.terminals])
        disk = None
        if case.needs_root:
            street.make_place()
            disk = stack.enter_context(SmallDisk(root / DEFAULT_TERMINALS[0].id / "data"))
        stack.enter_context(street)
        yield street, disk


def tidy(street: Street) -> None:
    """Everything well and nobody there, for the next case."""
    for terminal in street.terminals.values():
        if terminal.link is not None and terminal.link.mode is not LinkMode.UP:
            terminal.link.set_mode(LinkMode.UP)
        terminal.hardware.do("receipt.set", paper="full", dots_left=None, cover=False)
        terminal.hardware.do("page.set", paper="full", jam=False)
        terminal.hardware.do("camera.set", frozen=False)
        hands.clear_document(terminal)
        hands.pull_social_card(terminal)
        terminal.hardware.do("site.set", cabinet_open=False, on_battery=False)
        hands.lift_card(terminal)
        send_away(terminal)
        # what somebody began in another case is not offered to the same person in this one
        shutil.rmtree(DataLayout(terminal.data).drafts, ignore_errors=True)


def send_away(terminal: Terminal) -> None:
    """Somebody has left a session open: end it as the next citizen would."""
    finger = Finger(terminal)
    deadline = time.monotonic() + _SEND_AWAY_S
    while terminal.view() != "attract":
        for label in ("完成", "退出", "返回首页"):
            if finger.can_tap(label):
                with contextlib.suppress(NotSeen):  # it may end by itself under our finger
                    finger.tap(label, within_s=1.0)
                break
        if time.monotonic() > deadline:
            raise StreetError(f"{terminal.spec.id} does not come back to its first page")
        time.sleep(0.2)
