"""kill -9 at any moment leaves a journal that verifies, and that holds everything that the store holds."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from kiosk.contract.journal import parse_body
from offline_queue.journal.check import verify_journal
from offline_queue.journal.files import SegmentFiles
from tests.queue.conftest import Terminal, wait_for

KILLS = 20
REPOSITORY = Path(__file__).parents[2]


def journalled(data: Path) -> set[str]:
    """Numbers of the printings that the journal knows as intended."""
    files = SegmentFiles(data / "queue" / "journal")
    bodies = [body for number in files.numbers() for body in files.read(number).bodies]
    connection = sqlite3.connect(data / "queue" / "queue.db")
    bodies += [bytes(row[0]) for row in connection.execute("select body from journal")]
    connection.close()
    return {str(told["job"]) for told in (parse_body(body).as_dict() for body in bodies) if told["kind"] == "print"}


def stored(data: Path) -> set[str]:
    connection = sqlite3.connect(data / "queue" / "queue.db")
    jobs = {row[0] for row in connection.execute("select job from prints")}
    connection.close()
    return jobs


def test_no_kill_leaves_a_journal_that_does_not_verify(terminal: Terminal) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    sys.stdout.write(f"\njournal kills: seed {seed}\n")
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.queue.journal_child", str(terminal.data)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert nursery.stdin is not None and nursery.stdout is not None
    try:
        records = 0
        for _ in range(KILLS):
            nursery.stdin.write("start\n")
            nursery.stdin.flush()
            pid = int(nursery.stdout.readline())
            if not records:
                # The first one makes the store, which takes its time.
                assert wait_for(lambda: verify_journal(terminal.data).records > 0)
            time.sleep(chance.uniform(0.0, 0.15))
            os.kill(pid, signal.SIGKILL)
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.002)
            report = verify_journal(terminal.data)
            assert report.ok and not report.restarts, (seed, report)
            assert report.records >= records
            assert journalled(terminal.data) == stored(terminal.data), seed
            records = report.records
        assert records > KILLS, "nothing was written at all"
    finally:
        nursery.stdin.close()
        nursery.wait(10)
        nursery.stdout.close()
