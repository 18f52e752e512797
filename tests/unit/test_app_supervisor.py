"""The supervisor keeps programs running and ends them all."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kiosk.app.supervisor import Delays, Program, Supervisor, restart_delay

FOREVER = (sys.executable, "-c", "import time\nwhile True: time.sleep(60)")


def _wait(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_killed_program_comes_back_and_all_end_together(tmp_path: Path) -> None:
    events: list[tuple[str, str, int]] = []
    supervisor = Supervisor(
        (Program("one", FOREVER), Program("two", FOREVER)),
        log_dir=tmp_path,
        on_event=lambda *event: events.append(event),
    )
    supervisor.start()
    _wait(lambda: supervisor.pid("one") is not None and supervisor.pid("two") is not None)
    first, other = supervisor.pid("one"), supervisor.pid("two")
    assert first is not None
    assert other is not None
    os.kill(first, 9)
    _wait(lambda: supervisor.pid("one") not in (None, first))
    assert supervisor.pid("two") == other, "the neighbour is left alone"
    assert ("one", "ended", -9) in events
    last = supervisor.pid("one")
    supervisor.stop()
    assert all(not Path(f"/proc/{pid}").exists() for pid in (first, other, last))


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = (
        sys.executable,
        "-c",
        "import signal,time\nsignal.signal(15, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(60)",
    )
    supervisor = Supervisor((Program("stubborn", stubborn),), log_dir=tmp_path, delays=Delays(stop_grace=0.3))
    supervisor.start()
    _wait(
        lambda: (
            b"ready" in (tmp_path / "stubborn.stderr").read_bytes()
            if (tmp_path / "stubborn.stderr").exists()
            else False
        )
    )
    pid = supervisor.pid("stubborn")
    supervisor.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_a_broken_program_is_started_ever_more_slowly(tmp_path: Path) -> None:
    starts: list[float] = []

    def note(_name: str, what: str, _number: int) -> None:
        if what == "started":
            starts.append(time.monotonic())

    supervisor = Supervisor(
        (Program("broken", (sys.executable, "-c", "raise SystemExit(3)")),),
        log_dir=tmp_path,
        delays=Delays(first_restart=0.2, longest_restart=2.0),
        on_event=note,
    )
    supervisor.start()
    _wait(lambda: len(starts) >= 3)
    supervisor.stop()
    assert starts[1] - starts[0] >= 0.4
    assert starts[2] - starts[1] >= 0.8


@given(st.integers(0, 10_000))
def test_the_delay_grows_and_is_bounded(failures: int) -> None:
    delays = Delays()
    delay = restart_delay(failures=failures, delays=delays)
    assert delays.first_restart <= delay <= delays.longest_restart
    assert delay <= restart_delay(failures=failures + 1, delays=delays)
