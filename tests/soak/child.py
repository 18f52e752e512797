"""Forks real queue processes of one terminal: ``start`` on standard input → the child's pid on standard output."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from kiosk.core.profile import Profile
from offline_queue.policy import Backoff, SyncDelays
from offline_queue.process import QueueOptions, main
from offline_queue.renewal import RenewalPlan

_DAY = 1 / 90
OPTIONS = QueueOptions(
    delays=SyncDelays(
        heartbeat=1.0,
        manifest=5.0,
        house=3.0,
        link=Backoff(0.05, 0.5),
        hall=Backoff(0.05, 0.5),
        item=Backoff(0.1, 2.0),
        refused=1.0,
    ),
    renewal=RenewalPlan(again=_DAY / 86400 * 4),  # looks every four seconds, for days pass in seconds here
    renewal_s=2.0,
)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def run() -> None:
    """Until the end of input."""
    _die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    data = Path(sys.argv[1])
    profile = Profile.model_validate_json((data / "profile.json").read_bytes())
    for _ in sys.stdin:
        if (pid := os.fork()) == 0:
            _die_with_parent()
            with (data / "sync.log").open("ab") as log:
                os.dup2(log.fileno(), 2)
            os._exit(main(profile, data=data, software="soak", options=OPTIONS))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run()
