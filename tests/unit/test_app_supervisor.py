"""The supervisor keeps programs running and ends them all."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kiosk.app.raw_log import LIMIT, keep_small
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


def test_what_a_program_writes_on_stderr_cannot_fill_the_disk(tmp_path: Path) -> None:
    chatty = (
        sys.executable,
        "-c",
        "import sys,time\nwhile True: sys.stderr.write('x' * 100_000 + '\\n'); sys.stderr.flush(); time.sleep(0.01)",
    )
    supervisor = Supervisor((Program("chatty", chatty),), log_dir=tmp_path, delays=Delays(log_look=0.05))
    supervisor.start()
    log, old = tmp_path / "chatty.stderr", tmp_path / "chatty.stderr.1"
    _wait(old.exists)
    _wait(lambda: 0 < log.stat().st_size <= LIMIT, within_s=20)  # it went on in the same file
    supervisor.stop()
    assert old.stat().st_size <= LIMIT
    assert log.read_bytes()[:1] == b"x", "begun anew at the start and not with a hole"


def test_the_last_words_are_kept_and_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "ui.stderr"
    keep_small(log)
    assert not log.exists()
    log.write_bytes(b"0123456789")
    keep_small(log, limit=10)
    assert [path.name for path in tmp_path.iterdir()] == ["ui.stderr"]
    keep_small(log, limit=4)
    assert (log.read_bytes(), (tmp_path / "ui.stderr.1").read_bytes()) == (b"", b"6789")


def test_a_log_that_cannot_be_set_aside_is_cut_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "ui.stderr"
    log.write_bytes(b"0123456789")
    (tmp_path / "ui.stderr.1").mkdir()
    keep_small(log, limit=4)
    assert log.read_bytes() == b""
