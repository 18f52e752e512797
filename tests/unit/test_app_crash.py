"""The unexpected ends the process with 70 and leaves type and place, never a word of what was worked on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "张三440699"
SET_UP = (
    "import sys, threading, logging; from pathlib import Path; from kiosk.app.crash import end_on_the_unexpected\n"
    "from kiosk.app.logs import set_up_logs\n"
    "folder = Path(sys.argv[1]); set_up_logs(folder, 'ui'); end_on_the_unexpected(folder, 'ui')\n"
    f"def fail():\n    secret = '{SECRET}'\n    raise ValueError(secret)\n"
)


def _run(folder: Path, body: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SET_UP + body, str(folder)], capture_output=True, text=True, check=False, timeout=30
    )
    everything = "".join(path.read_text("utf-8") for path in folder.iterdir()) + done.stdout + done.stderr
    assert SECRET not in everything
    return done.returncode, (folder / "ui.crash").read_text("utf-8")


@pytest.mark.parametrize(
    "body",
    [
        "fail()",
        "thread = threading.Thread(target=fail); thread.start(); thread.join(); sys.exit(0)",
        "try:\n    fail()\nexcept ValueError as error:\n    raise RuntimeError(str(error)) from error",
    ],
    ids=["main", "thread", "chained"],
)
def test_an_exception_ends_the_process_with_type_and_place(tmp_path: Path, body: str) -> None:
    status, crash = _run(tmp_path, body)
    assert status == 70
    assert "ui 0." in crash.splitlines()[0]
    assert "ended by" in crash
    assert "Error" in crash
    assert "<string>:" in crash


def test_what_can_only_be_ignored_is_written_and_survived(tmp_path: Path) -> None:
    body = "class Thing:\n    def __del__(self):\n        fail()\nThing()\nprint('on')\n"
    status, crash = _run(tmp_path, body)
    assert status == 0
    assert "ignored ValueError" in crash
    assert "__del__" in crash


def test_ctrl_c_is_no_crash(tmp_path: Path) -> None:
    status, crash = _run(tmp_path, "raise KeyboardInterrupt")
    assert (status, crash) == (130, "")


def test_a_crash_of_a_c_library_is_written_too(tmp_path: Path) -> None:
    status, crash = _run(tmp_path, "import os; os.kill(os.getpid(), 11)")
    assert status == -signal.SIGSEGV
    assert "Segmentation fault" in crash


def test_a_program_that_crashes_for_ever_does_not_fill_the_disk(tmp_path: Path) -> None:
    (tmp_path / "ui.crash").write_text("x" * (1024 * 1024 + 1), encoding="utf-8")
    _, crash = _run(tmp_path, "fail()")
    assert "ended by ValueError" in crash
    assert len(crash) < 10_000
    assert (tmp_path / "ui.crash.1").stat().st_size > 1024 * 1024


def test_a_logged_exception_keeps_type_and_place_only(tmp_path: Path) -> None:
    body = (
        "log = logging.getLogger('kiosk.ui')\n"
        "try:\n    fail()\nexcept ValueError:\n    log.exception('failed', extra={'item': 'x'})\n"
        "log.info('well'); logging.getLogger('urllib3').debug('noise')\n"
    )
    status, _ = _run(tmp_path, body)
    assert status == 0
    failed, well = [json.loads(line) for line in (tmp_path / "ui.jsonl").read_text("utf-8").splitlines()]
    assert (failed["event"], failed["level"], failed["logger"], failed["item"]) == ("failed", "error", "kiosk.ui", "x")
    assert failed["exception"] == "ValueError"
    assert failed["places"][-1].endswith("fail")
    assert failed["timestamp"].endswith("Z")
    assert (well["event"], "exception" in well) == ("well", False)
