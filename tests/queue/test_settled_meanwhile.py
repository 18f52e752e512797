"""A verdict comes, and its filing is not any more what it was when it was sent."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from typing import Any

from kiosk.contract.batch import split_batch
from kiosk.contract.frames import Frame
from kiosk.contract.media import MediaResult
from kiosk.contract.sync import BatchVerdicts, Verdict
from kiosk.core.result import Ok
from offline_queue.disk.database import transaction
from offline_queue.media.desk import MediaDesk
from tests.queue.conftest import NOW, TestHall, reply_json
from tests.queue.worker_bench import Bench


def set_aside(bench: Bench, id_: str) -> None:
    """As upkeep does when the disk has changed it."""

    def work(db: sqlite3.Connection) -> None:
        with transaction(db):
            bench.store._set_aside(db, id_)

    assert bench.store.db.run(work) == Ok(None)


def test_what_the_hall_signed_for_is_accepted_though_the_disk_lost_it_meanwhile(bench: Bench, hall: TestHall) -> None:
    (filed,) = bench.file(1)

    def meanwhile(hall: TestHall, http: Any, request: Any) -> bool:
        set_aside(bench, filed.id)
        return False

    hall.faults["/v1/batches"] = meanwhile
    bench.settle(seconds=60)
    assert (filed.id in hall.accepted, bench.states()[filed.id]) == (True, "accepted")


def test_a_receipt_by_stick_settles_a_damaged_one(bench: Bench, hall: TestHall) -> None:
    (filed,) = bench.file(1, blobs=1)
    sha256 = hashlib.sha256(filed.envelope).hexdigest()
    set_aside(bench, filed.id)
    receipt = base64.b64encode(hall.receipt(filed.id, sha256)).decode()
    result = MediaResult(sha256=sha256, verdict=Verdict(id=filed.id, status="accepted", receipt=receipt))
    desk = MediaDesk(bench.store, hall_keys=lambda: bench.bundles.keys.signing, wake=lambda: None)
    answer, _ = desk.answer(Frame({"op": "settle_media", "results": [result.model_dump(mode="json")]}))
    assert (answer, bench.states()[filed.id]) == ({"ok": ["accepted"]}, "accepted")


def test_a_receipt_settles_the_filing_that_it_names_whatever_its_row_is_now(bench: Bench, hall: TestHall) -> None:
    refused, taken = bench.file(1, 2)

    def exchange_rows(db: sqlite3.Connection) -> None:
        """As a salvage may, which finds rows in the order of pages."""
        with transaction(db):
            db.execute("update submissions set seq = -seq")
            db.execute("update submissions set seq = 3 + seq")

    def meanwhile(hall: TestHall, http: Any, request: Any) -> bool:
        assert bench.store.db.run(exchange_rows) == Ok(None)
        hall.faults.clear()
        _, second = split_batch(request.body)
        verdicts = (Verdict(id=refused.id, status="rejected"), hall.take(second)[1])
        return reply_json(http, 200, BatchVerdicts(verdicts=verdicts, hall_time=NOW))

    hall.faults["/v1/batches"] = meanwhile
    bench.settle(seconds=60)
    bench.settle(seconds=1000)
    assert bench.states() == {refused.id: "accepted", taken.id: "accepted"}
    assert {refused.id, taken.id} <= set(hall.accepted), "asked again, for no row was what it had been"
