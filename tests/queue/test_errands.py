"""Heartbeats, catalogue, outcomes of pages: none of them disturbs another, or the thread that brings submissions."""

from __future__ import annotations

import threading
import time
from typing import Any

from kiosk.core.print_ledger import PaperKind, PrintOrder, PrintState
from kiosk.core.result import Ok
from offline_queue.paper.ledger import Ledger
from tests.queue.conftest import TestHall
from tests.queue.worker_bench import Bench, closing


def test_nobody_spins_while_a_heartbeat_waits_for_its_answer(bench: Bench, hall: TestHall) -> None:
    def slow(hall: TestHall, http: Any, request: Any) -> bool:
        time.sleep(1.0)
        return False

    hall.faults["/v1/heartbeat"] = slow
    rounds, post = 0, bench.worker._post

    def counted() -> float:
        nonlocal rounds
        rounds += 1
        return post()

    bench.worker._post = counted  # type: ignore[method-assign]
    thread = threading.Thread(target=bench.worker.run, daemon=True)
    thread.start()
    time.sleep(0.9)
    bench.worker.stop()
    thread.join(5)
    assert 0 < rounds < 50


def test_an_outcome_over_which_the_line_breaks_silences_nothing_else(bench: Bench, hall: TestHall) -> None:
    ledger = Ledger(bench.store, wake=lambda: None)
    assert isinstance(ledger.intend(PrintOrder("J1", PaperKind.PAGE, 1, "J1", False), card_tag=b""), Ok)
    assert ledger.sent("J1", attempt="a") == Ok(None)
    assert ledger.settle("J1", PrintState.PROVEN, pages=1) == Ok(None)
    hall.faults["/v1/print-jobs/"] = closing
    (filed,) = bench.file(1)
    for _ in range(100):
        bench.worker.step()
        bench.clock.advance(5)
    tries = bench.asked("/v1/print-jobs/")
    assert hall.beat is not None
    assert (bench.bundles.number, bench.states()[filed.id]) == (1, "accepted")
    assert 0 < tries < 30, "less and less often"
    hall.faults.clear()
    bench.settle(seconds=120)
    assert bench.asked("/v1/print-jobs/") == tries + 1
