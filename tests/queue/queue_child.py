"""Starts queue processes quickly: imports once, then forks a real `main` for every line it reads.

Protocol: ``start`` on standard input → the child's pid on standard output; the end of input ends this program. Every
child dies with its parent.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from kiosk.core.profile import Profile
from offline_queue.process import QueueOptions, main
from offline_queue.uplink.policy import Backoff, SyncDelays

PR_SET_PDEATHSIG = 1
QUICK = QueueOptions(
    delays=SyncDelays(link=Backoff(0.02, 0.1), hall=Backoff(0.02, 0.1), item=Backoff(0.02, 0.1), refused=0.1),
    enrolment_s=0.05,
)


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when whoever started us is gone."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(options: QueueOptions) -> None:
    """Fork on demand."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    data = Path(sys.argv[1])
    profile = Profile.model_validate_json((data / "profile.json").read_bytes())
    for _ in sys.stdin:
        if (pid := os.fork()) == 0:
            die_with_parent()
            with (data / "sync.log").open("ab") as log:
                os.dup2(log.fileno(), 2)
            os._exit(main(profile, data=data, software="test", options=options))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run(QUICK)
