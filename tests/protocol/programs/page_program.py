"""The page printer's worker with short waits: what takes it seconds on a terminal must not take tests minutes."""

from __future__ import annotations

from drivers.host.worker import main
from drivers.page.driver import PageAdapter
from drivers.page.timings import Timings

QUICK = Timings(
    poll=0.1,
    follow=0.05,
    exchange=1.0,
    send=5.0,
    within=20.0,
    lost=2.0,
    settle=1.0,
    cancel=1.0,
    quick=1.0,
    deep=3.0,
    first_retry=0.05,
    last_retry=0.2,
)

if __name__ == "__main__":
    main(lambda address: PageAdapter(address, timings=QUICK))
