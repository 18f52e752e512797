"""Works on a store as hard as it can until it is killed: one fork for every line on standard input.

Protocol: ``start`` → the child's pid; the end of input ends this program. Every child dies with its parent.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from kiosk.core.clock import SystemClock
from kiosk.core.print_ledger import PaperKind, PrintOrder
from kiosk.core.result import Ok
from offline_queue.journal.table import JournalLimits
from offline_queue.journal.watch import JournalWatch, Signer, WatchDelays
from offline_queue.keys.identity import load_identity
from offline_queue.paper.ledger import Ledger
from offline_queue.store import Store
from tests.queue.queue_child import die_with_parent


def work(data: Path) -> None:
    """Print, sign, close files, begin again."""
    identity = load_identity(data)
    clock = SystemClock()
    store = Store(data / "queue", clock=clock, journal=JournalLimits(records=16))
    delays = WatchDelays(look=0.0, checkpoint_records=8)
    signer = Signer(identity.terminal_id, identity.signing)
    watch = JournalWatch(store, clock=clock, boot=b"b" * 16, signer=signer, delays=delays)
    assert watch.start(software="test") == Ok(None)
    ledger = Ledger(store, wake=lambda: None)
    for number in itertools.count():
        order = PrintOrder(f"{os.getpid()}-{number}", PaperKind.PAGE, 1, f"{os.getpid()}-{number}")
        assert isinstance(ledger.intend(order, card_tag=b""), Ok)
        assert watch.tick() == Ok(None)


def run() -> None:
    """Fork on demand."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if (pid := os.fork()) == 0:
            die_with_parent()
            work(Path(sys.argv[1]))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    run()
