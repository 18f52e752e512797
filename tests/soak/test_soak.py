"""Three minutes of ``make soak``: what citizens were told is at the hall, once, whatever went wrong meanwhile.

`SOAK_SECONDS` makes it another length, `SOAK_SEED` repeats one.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.soak.report import Report
from tests.soak.street import Bustle, Street

SECONDS = float(os.environ.get("SOAK_SECONDS", "180"))
DAYS = 75.0
"""Certificates are renewed once, and on a machine that has no time at all for it none runs out."""
CALM = Bustle(citizens_a_second=2.0, between_faults_s=(0.4, 2.6))
"""Less a second than in the hour: the other tests want the processor too."""


@pytest.mark.timeout(300 + SECONDS)
def test_hall_and_terminals_count_the_same(tmp_path: Path, expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")
    seed = int(os.environ.get("SOAK_SEED", random.SystemRandom().randrange(1, 2**32)))
    street = Street(tmp_path, seed=seed, days_a_second=DAYS / SECONDS, bustle=CALM)
    try:
        report = street.run(SECONDS)
        street.hall.kill()
        tampered = with_one_taken_away(street)
    finally:
        street.close()
    sys.stdout.write(f"{report.words()}\n")
    assert report.faultless(), report
    assert len(tampered.lost) == 1 and not tampered.faultless(), "the count sees a single one that is missing"
    assert report.told > SECONDS, "citizens were served through it all"
    assert sum(report.faults.values()) > SECONDS / 3
    assert report.rss_mib[1] <= report.rss_mib[0] + 24
    assert report.disk_kib <= 12 * 1024 + 4 * report.told, "ballast, journal, and little for each"


def with_one_taken_away(street: Street) -> Report:
    """The falsifier: the same count, after the hall forgot one."""
    db = sqlite3.connect(street.root / "hall" / "hall.db")
    with db:
        db.execute("delete from submissions where rowid = (select max(rowid) from submissions)")
    db.close()
    return street.count(0.0)
