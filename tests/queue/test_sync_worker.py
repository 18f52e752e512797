"""The sync worker against a real TLS hall: what it delivers, what it does not believe, and that it holds up nobody."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from kiosk.contract.batch import split_batch
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import HallReceipt, SigningKey, sign_receipt
from kiosk.contract.sync import (
    Announce,
    BatchVerdicts,
    BlobState,
    BundleManifest,
    DeviceReport,
    Heartbeat,
    Verdict,
    Verdicts,
)
from kiosk.core.ports import Link, SubmissionState
from kiosk.core.result import Ok
from offline_queue.keys.identity import load_identity
from offline_queue.uplink.bundles import BundleKeeper
from offline_queue.uplink.delivery import CHUNK_BYTES
from tests.queue.conftest import (
    NOW,
    HallSecrets,
    Request,
    TestHall,
    reply,
    reply_json,
    reply_problem,
)
from tests.queue.worker_bench import Bench, Fault, closing, portal


def files(bench: Bench) -> int:
    return sum(path.is_file() for path in Path(bench.terminal.layout.queue_blobs).rglob("*"))


# --- delivering ------------------------------------------------------------------------------------------------------


def test_everything_arrives_once_and_is_forgotten_here(bench: Bench) -> None:
    filings = bench.file(1, 2, 3, blobs=2)
    assert files(bench) == 6
    bench.settle()
    assert bench.hall.effects == [sealed.id for sealed in filings]
    assert set(bench.states().values()) == {"accepted"}
    assert files(bench) == 0
    assert (bench.state.link, bench.state.last_error) == (Link.UP, "")
    select = "select id, receipt from submissions join receipts using (seq) order by seq"
    receipts = bench.store.db.run(lambda db: db.execute(select).fetchall())
    assert receipts == Ok([(sealed.id, bench.hall.accepted[sealed.id][1]) for sealed in filings])


def test_small_ones_go_in_batches_and_need_no_announcement(bench: Bench) -> None:
    filings = bench.file(*range(1, 151))
    bench.settle()
    assert sorted(bench.hall.effects) == sorted(sealed.id for sealed in filings)
    assert bench.asked("/v1/announce") == 0
    assert 4 <= bench.asked("/v1/batches") <= 8


def test_what_has_files_is_announced_in_more_than_one_go(bench: Bench) -> None:
    filings = bench.file(*range(1, 71), blobs=1, blob_bytes=10)
    bench.settle()
    assert sorted(bench.hall.effects) == sorted(sealed.id for sealed in filings)
    assert bench.asked("/v1/announce") == 2
    assert bench.asked("/v1/submissions") == 70


def test_what_the_hall_has_of_files_is_not_sent_again(bench: Bench) -> None:
    filings = bench.file(1, 2, blobs=1)
    for sealed in filings:
        bench.hall.blobs[hashlib.sha256(sealed.blobs[0]).hexdigest()] = bytearray(sealed.blobs[0])
    bench.settle()
    assert sorted(bench.hall.effects) == sorted(sealed.id for sealed in filings)
    assert (bench.asked("/v1/blobs"), bench.asked("/v1/submissions"), bench.asked("/v1/batches")) == (0, 0, 1)


def test_nothing_to_do_asks_nothing_but_heartbeat_and_manifest(bench: Bench) -> None:
    bench.settle(seconds=4.9)
    assert bench.asked("/v1/announce") == 0
    assert bench.asked("/v1/heartbeat") == 1
    bench.settle(seconds=0.2)
    assert bench.asked("/v1/heartbeat") == 2


def test_an_upload_is_resumed_where_it_was_cut(bench: Bench) -> None:
    (sealed,) = bench.file(1, blobs=1, blob_bytes=3 * CHUNK_BYTES)
    seen: list[int] = []

    def cut_third(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if request.method != "PUT":
            return False
        seen.append(int(request.headers["Upload-Offset"]))
        if len(seen) == 3:
            http.close_connection = True
            return True
        return False

    bench.hall.faults["/v1/blobs"] = cut_third
    bench.settle()
    assert bench.state.link is Link.DOWN
    bench.settle(seconds=60)
    assert bench.hall.effects == [sealed.id]
    assert seen == [0, CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES]


def test_a_hall_that_died_with_all_bytes_here_is_made_to_look_at_them(bench: Bench) -> None:
    """Its part file is whole, but it was killed before it said so: HEAD names the full offset, the blob is missing."""
    (sealed,) = bench.file(1, blobs=1)
    name = hashlib.sha256(sealed.blobs[0]).hexdigest()
    part, finished = bytearray(sealed.blobs[0]), []

    def blob(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if request.method == "HEAD":
            return reply(http, 200, b"", "application/json", {"Upload-Offset": str(len(part))})
        part.extend(request.body)
        hall.blobs[name] = part
        finished.append(len(request.body))
        return reply_json(http, 201, BlobState(sha256=name, offset=len(part), complete=True))

    bench.hall.faults["/v1/blobs"] = blob
    bench.settle()
    assert finished == [0]
    assert bench.hall.effects == [sealed.id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "00" * 32, "offset": 10, "complete": False},
        {"offset": 0, "complete": False},
        {"offset": 10**6, "complete": True},
        {"offset": 10, "complete": True},
    ],
)
def test_a_blob_state_that_makes_no_sense_does_not_spin(bench: Bench, wrong: dict[str, Any]) -> None:
    (bad,) = bench.file(1, blobs=1)
    (good,) = bench.file(2)
    name = hashlib.sha256(bad.blobs[0]).hexdigest()
    bench.hall.faults["/v1/blobs"] = lambda hall, http, request: (
        request.method == "PUT" and reply_json(http, 202, BlobState(**{"sha256": name, **wrong}))
    )
    bench.settle()
    assert bench.hall.effects == [good.id]
    assert bench.codes()[bad.id] == "garbage"
    assert bench.asked("/v1/blobs") == 2


def test_an_offset_that_the_hall_corrects_is_followed(bench: Bench) -> None:
    (sealed,) = bench.file(1, blobs=1, blob_bytes=2 * CHUNK_BYTES)
    name = hashlib.sha256(sealed.blobs[0]).hexdigest()
    lied = []

    def lie_once(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if request.method != "HEAD" or lied:
            return False
        lied.append(1)
        return reply(http, 200, b"", "application/json", {"Upload-Offset": "77"})

    bench.hall.faults["/v1/blobs"] = lie_once
    bench.settle()
    assert bench.hall.effects == [sealed.id]
    assert bytes(bench.hall.blobs[name]) == sealed.blobs[0]


def test_a_hall_that_always_disagrees_on_offsets_does_not_spin(bench: Bench) -> None:
    (bad,) = bench.file(1, blobs=1)
    (good,) = bench.file(2)
    bench.hall.faults["/v1/blobs"] = lambda hall, http, request: (
        request.method == "PUT" and reply_problem(http, 409, ProblemCode.OFFSET_MISMATCH)
    )
    bench.settle()
    assert bench.hall.effects == [good.id]
    assert bench.codes()[bad.id] == "offset_mismatch"
    assert bench.asked("/v1/blobs") == 6


# --- disbelieving ----------------------------------------------------------------------------------------------------


def accepting(receipt: Callable[[TestHall, str, str], bytes]) -> Fault:
    """A hall that says yes to every announcement and files nothing."""

    def answer(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        items = Announce.model_validate_json(request.body).items
        verdicts = tuple(
            Verdict(id=i.id, status="accepted", receipt=base64.b64encode(receipt(hall, i.id, i.sha256)).decode())
            for i in items
        )
        return reply_json(http, 200, Verdicts(verdicts=verdicts, hall_time=NOW))

    return answer


def commit_then_cut(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    hall.take(request.body)
    return closing(hall, http, request)


def truncated(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    http.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"verd')
    return closing(hall, http, request)


def reversed_verdicts(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    items = Announce.model_validate_json(request.body).items[::-1]
    verdicts = tuple(hall.look(item.id, item.sha256, []) for item in items)
    return reply_json(http, 200, Verdicts(verdicts=verdicts, hall_time=NOW))


STRANGER = SigningKey.generate()
LIES: dict[str, Fault] = {
    "portal page with 200": portal(200),
    "portal page with 201": portal(201),
    "portal page called json": portal(200, media="application/json"),
    "redirect": portal(302, b""),
    "empty 200": portal(200, b"", "application/json"),
    "500": portal(500),
    "502 html": portal(502),
    "503": lambda hall, http, request: reply_problem(http, 503, ProblemCode.BUSY),
    "401": lambda hall, http, request: reply_problem(http, 401, ProblemCode.UNAUTHENTICATED),
    "413": lambda hall, http, request: reply_problem(http, 413, ProblemCode.TOO_LARGE),
    "422 problem": lambda hall, http, request: reply_problem(http, 422, ProblemCode.MALFORMED),
    "409 problem": lambda hall, http, request: reply_problem(http, 409, ProblemCode.CONFLICT),
    "hangs up": closing,
    "truncated": truncated,
}
ANNOUNCE_LIES: dict[str, Fault] = LIES | {
    "no receipt": accepting(lambda hall, id_, sha256: b""),
    "random receipt": accepting(lambda hall, id_, sha256: bytes(126)),
    "a stranger's receipt": accepting(lambda hall, id_, sha256: sign_receipt(HallReceipt(id_, sha256, NOW), STRANGER)),
    "receipt of other bytes": accepting(
        lambda hall, id_, sha256: sign_receipt(HallReceipt(id_, "00" * 32, NOW), hall.secrets.signing)
    ),
    "receipt of another id": accepting(
        lambda hall, id_, sha256: sign_receipt(HallReceipt(id_[:-1] + "0", sha256, NOW), hall.secrets.signing)
    ),
    "verdicts in another order": reversed_verdicts,
    "too few verdicts": lambda hall, http, request: reply_json(http, 200, Verdicts(verdicts=(), hall_time=NOW)),
    "missing blobs that were never announced": lambda hall, http, request: reply_json(
        http,
        200,
        Verdicts(
            verdicts=tuple(
                Verdict(id=item.id, status="wanted", missing=("00" * 32,))
                for item in Announce.model_validate_json(request.body).items
            ),
            hall_time=NOW,
        ),
    ),
}
SUBMIT_LIES: dict[str, Fault] = LIES | {
    "commits, then cuts the line": commit_then_cut,
    "verdict of another": lambda hall, http, request: reply_json(
        http, 200, Verdict(id="01a20244-e801-7b86-b273-ff34fce19d6b", status="accepted")
    ),
    "wants it for ever": lambda hall, http, request: reply_json(
        http, 202, Verdict(id=parse_envelope(request.body).header.id, status="wanted")
    ),
    "later": lambda hall, http, request: reply_json(
        http, 200, Verdict(id=parse_envelope(request.body).header.id, status="retry", retry_after_s=5)
    ),
}


def batch_lie(verdict: Callable[[TestHall, str, str], Verdict | None]) -> Fault:
    """An answer of the right shape, and nothing filed."""

    def answer(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        envelopes = [parse_envelope(raw) for raw in split_batch(request.body)]
        told = tuple(verdict(hall, envelope.header.id, envelope.sha256) for envelope in envelopes)
        return reply_json(http, 200, BatchVerdicts(verdicts=told, hall_time=NOW))

    return answer


def signed(id_: str, sha256: str, key: SigningKey, *, under: str = "") -> Verdict:
    receipt = base64.b64encode(sign_receipt(HallReceipt(id_, sha256, NOW), key)).decode()
    return Verdict(id=under or id_, status="accepted", receipt=receipt)


def commit_batch_then_cut(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    for raw in split_batch(request.body):
        hall.take(raw)
    return closing(hall, http, request)


def crossed(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
    told = [hall.take(raw)[1] for raw in split_batch(request.body)]
    return reply_json(http, 200, BatchVerdicts(verdicts=tuple(reversed(told)), hall_time=NOW))


BATCH_LIES: dict[str, Fault] = LIES | {
    "commits all, then cuts the line": commit_batch_then_cut,
    "commits all, then crosses the verdicts": crossed,
    "no verdicts": lambda hall, http, request: reply_json(http, 200, BatchVerdicts(verdicts=(), hall_time=NOW)),
    "no envelopes": batch_lie(lambda hall, id_, sha256: None),
    "accepted without receipt": batch_lie(lambda hall, id_, sha256: Verdict(id=id_, status="accepted")),
    "a stranger's receipts": batch_lie(lambda hall, id_, sha256: signed(id_, sha256, STRANGER)),
    "receipts of other bytes": batch_lie(lambda hall, id_, sha256: signed(id_, "00" * 32, hall.secrets.signing)),
    "receipts of other ids": batch_lie(
        lambda hall, id_, sha256: signed(id_[:-1] + "0", sha256, hall.secrets.signing, under=id_)
    ),
    "wants them for ever": batch_lie(lambda hall, id_, sha256: Verdict(id=id_, status="wanted")),
    "wants files that there are not": batch_lie(
        lambda hall, id_, sha256: Verdict(id=id_, status="wanted", missing=("00" * 32,))
    ),
    "later, all of them": batch_lie(lambda hall, id_, sha256: Verdict(id=id_, status="retry", retry_after_s=5)),
    "put off": lambda hall, http, request: reply_problem(
        http, 503, ProblemCode.BUSY, {"Retry-After": "40", "CWS-Start-Slot": "39.5"}
    ),
}


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/announce", name) for name in ANNOUNCE_LIES]
    + [("/v1/submissions", name) for name in SUBMIT_LIES]
    + [("/v1/batches", name) for name in BATCH_LIES]
    + [("/v1/blobs", name) for name in LIES],
)
def test_whatever_the_hall_says_nothing_is_lost_doubled_or_parked(bench: Bench, path: str, name: str) -> None:
    filings = bench.file(1, 2, blobs=0 if path == "/v1/batches" else 1)
    bench.hall.faults[path] = (ANNOUNCE_LIES | SUBMIT_LIES | BATCH_LIES)[name]
    if path == "/v1/submissions":  # what has its files there already comes in a batch the next time
        bench.hall.faults["/v1/batches"] = portal(500)
    bench.settle(seconds=20)
    assert set(bench.states().values()) == {"sealed"} or name.startswith("commits")
    left = sum(state == "sealed" for state in bench.states().values())
    assert files(bench) == (0 if path == "/v1/batches" else left)
    bench.hall.faults.clear()
    bench.clock.advance(1000)
    bench.settle(seconds=1000)
    assert sorted(bench.hall.effects) == sorted(sealed.id for sealed in filings)
    assert set(bench.states().values()) == {"accepted"}
    assert bench.state.last_error == ""


def test_a_rejection_is_kept_for_people_to_look_at(bench: Bench) -> None:
    bad, good = bench.file(1, 2, blobs=1)

    def reject(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if parse_envelope(request.body).header.id != bad.id:
            return False
        return reply_json(http, 422, Verdict(id=bad.id, status="rejected", code=ProblemCode.ANSWERS_INVALID))

    bench.hall.faults["/v1/submissions"] = reject
    bench.settle(seconds=4000)
    assert bench.states() == {bad.id: "parked", good.id: "accepted"}
    assert bench.codes()[bad.id] == "answers_invalid"
    assert files(bench) == 1
    assert bench.asked("/v1/submissions") == 2


def test_a_conflict_is_parked_and_nothing_overwritten(bench: Bench) -> None:
    bench.hall.take(bench.terminal.filing(1).envelope)
    before = dict(bench.hall.accepted)
    (ours,) = bench.file(1)
    bench.settle()
    assert bench.states() == {ours.id: "parked"}
    assert bench.codes()[ours.id] == "conflict"
    assert bench.hall.accepted == before


def test_damage_on_our_disk_parks_that_one_only(bench: Bench) -> None:
    bad, good = bench.file(1, 2, blobs=1)
    name = hashlib.sha256(bad.blobs[0]).hexdigest()
    path = bench.store.blobs.path(name)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    bench.settle()
    assert bench.states() == {bad.id: "parked", good.id: "accepted"}
    assert bench.codes()[bad.id] == "damaged"


# --- holding nobody up -----------------------------------------------------------------------------------------------


def test_one_bad_item_in_the_announcement_does_not_hold_up_the_others(bench: Bench) -> None:
    filings = bench.file(*range(1, 11), blobs=1, blob_bytes=10)
    bad = filings[3].id

    def refuse(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        poisoned = bad in {item.id for item in Announce.model_validate_json(request.body).items}
        return poisoned and reply_problem(http, 422, ProblemCode.MALFORMED)

    bench.hall.faults["/v1/announce"] = refuse
    bench.settle()
    assert set(bench.hall.effects) == {sealed.id for sealed in filings} - {bad}
    assert bench.states()[bad] == "sealed"
    assert bench.codes()[bad] == "malformed"


def holds(request: Request, id_: str) -> bool:
    return id_ in {parse_envelope(raw).header.id for raw in split_batch(request.body)}


@pytest.mark.parametrize("status", [400, 409, 413, 422])
@pytest.mark.parametrize("bad", [0, 5, 40])
def test_one_item_that_spoils_its_batch_ends_alone_and_the_others_go_on_at_once(
    bench: Bench, bad: int, status: int
) -> None:
    filings = bench.file(*range(1, 42))
    bench.hall.faults["/v1/batches"] = lambda hall, http, request: (
        holds(request, filings[bad].id) and reply_problem(http, status, ProblemCode.MALFORMED)
    )
    bench.settle()
    assert set(bench.hall.effects) == {sealed.id for sealed in filings} - {filings[bad].id}
    assert {id_ for id_, state in bench.states().items() if state == "sealed"} == {filings[bad].id}
    assert bench.codes()[filings[bad].id] == "malformed"
    bench.hall.faults.clear()
    bench.settle(seconds=4000)
    assert len(bench.hall.effects) == len(set(bench.hall.effects)) == 41


def test_verdicts_of_one_batch_are_each_done_as_they_ask(bench: Bench) -> None:
    good, rejected, later, unread, conflict = bench.file(1, 2, 3, 4, 5)
    asked = {
        rejected.id: Verdict(id=rejected.id, status="rejected", code=ProblemCode.ITEM_UNKNOWN),
        later.id: Verdict(id=later.id, status="retry", code=ProblemCode.BUSY, retry_after_s=3),
        unread.id: None,
        conflict.id: Verdict(id=conflict.id, status="conflict", code=ProblemCode.CONFLICT),
    }

    def mixed(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        ids = [(parse_envelope(raw).header.id, raw) for raw in split_batch(request.body)]
        told = tuple(asked[id_] if id_ in asked else hall.take(raw)[1] for id_, raw in ids)
        return reply_json(http, 200, BatchVerdicts(verdicts=told, hall_time=NOW))

    bench.hall.faults["/v1/batches"] = mixed
    bench.settle()
    assert bench.states() == {
        good.id: "accepted",
        rejected.id: "parked",
        later.id: "sealed",
        unread.id: "sealed",
        conflict.id: "parked",
    }
    codes = bench.codes()
    assert [codes[sealed.id] for sealed in (rejected, later, unread, conflict)] == [
        "item_unknown",
        "busy",
        "http_422",
        "conflict",
    ]


def test_one_item_that_the_hall_chokes_on_does_not_hold_up_the_others(bench: Bench) -> None:
    filings = bench.file(1, 2, 3)
    bench.hall.faults["/v1/batches"] = lambda hall, http, request: (
        holds(request, filings[0].id) and reply(http, 500, b"oops", "text/plain")
    )
    bench.settle(seconds=1)
    assert set(bench.hall.effects) == {filings[1].id, filings[2].id}
    assert bench.codes()[filings[0].id] == "http_500"
    entries = bench.store.entries()
    assert isinstance(entries, Ok)
    assert [entry.attempts for entry in entries.value if entry.id == filings[0].id] == [1]


def test_an_item_that_breaks_the_line_goes_behind_the_others(bench: Bench) -> None:
    filings = bench.file(1, 2, 3)
    bench.hall.faults["/v1/batches"] = lambda hall, http, request: (
        holds(request, filings[0].id) and closing(hall, http, request)
    )
    bench.settle(seconds=1)
    bench.settle(seconds=2)
    bench.settle(seconds=60)
    assert set(bench.hall.effects) == {filings[1].id, filings[2].id}


def test_no_bundle_and_a_sick_heartbeat_do_not_hold_up_submissions(bench: Bench) -> None:
    for path in ("/v1/heartbeat", "/v1/bundle"):
        bench.hall.faults[path] = portal(500)
    (sealed,) = bench.file(1)
    bench.settle()
    assert bench.hall.effects == [sealed.id]
    assert (bench.state.link, bench.state.last_error) == (Link.UP, "http_500")


# --- waiting ---------------------------------------------------------------------------------------------------------


def test_retry_after_is_honoured_even_when_something_new_is_filed(bench: Bench) -> None:
    bench.file(1)
    bench.hall.faults["/v1/batches"] = lambda hall, http, request: reply_problem(
        http, 429, ProblemCode.BUSY, {"Retry-After": "30"}
    )
    bench.settle()
    asked = len(bench.hall.requests)
    bench.hall.faults.clear()
    bench.file(2)
    bench.worker._pacer.wake()
    bench.settle(seconds=29)
    assert len(bench.hall.requests) == asked
    bench.settle(seconds=3)
    assert len(bench.hall.effects) == 2


def test_a_filing_tries_a_broken_line_at_once(bench: Bench) -> None:
    bench.hall.faults["/v1"] = closing
    bench.settle()
    assert bench.state.link is Link.DOWN
    bench.hall.faults.clear()
    (sealed,) = bench.file(1)
    assert bench.worker.step() > 0
    assert bench.hall.effects == []
    bench.worker._pacer.wake()
    bench.settle()
    assert bench.hall.effects == [sealed.id]
    assert bench.state.link is Link.UP


def test_a_hall_that_is_away_is_asked_less_and_less(bench: Bench) -> None:
    bench.hall.faults["/v1"] = closing
    bench.file(1)
    waits = []
    for _ in range(8):
        waits.append(bench.worker.step())
        bench.clock.advance(waits[-1])
    assert waits[:4] == pytest.approx([0.5, 1.0, 2.0, 4.0], rel=0.01)
    assert waits[-1] <= 15.0
    assert bench.states() == {bench.terminal.filing(1).id: "sealed"}


def test_a_terminal_that_is_not_known_waits_and_goes_on_by_itself(bench: Bench) -> None:
    bench.hall.faults["/v1"] = lambda hall, http, request: reply_problem(http, 401, ProblemCode.UNAUTHENTICATED)
    (sealed,) = bench.file(1)
    bench.settle()
    assert (bench.state.link, bench.state.last_error) == (Link.UP, "unauthenticated")
    assert bench.states() == {sealed.id: "sealed"}
    bench.hall.faults.clear()
    bench.settle(seconds=61)
    assert bench.hall.effects == [sealed.id]
    assert bench.state.last_error == ""


def test_state_while_it_is_being_sent(bench: Bench) -> None:
    (sealed,) = bench.file(1, blobs=1)
    seen = []

    def look(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        seen.append(bench.store.state(sealed.id))
        return False

    for path in ("/v1/announce", "/v1/blobs", "/v1/submissions"):
        bench.hall.faults[path] = look
    bench.settle()
    assert seen[0] == Ok(SubmissionState.SEALED)
    assert set(map(repr, seen[1:])) == {repr(Ok(SubmissionState.UPLOADING))}
    assert bench.store.state(sealed.id) == Ok(SubmissionState.ACCEPTED)


# --- bundle and heartbeat --------------------------------------------------------------------------------------------


def test_a_newer_bundle_is_taken_and_never_an_older_one(bench: Bench) -> None:
    path = Path(bench.terminal.layout.bundle_file)
    bench.hall.bundle = b""
    bench.settle()
    assert not path.exists()
    for number, expected in ((5, 5), (4, 5), (5, 5), (6, 6)):
        bench.hall.publish(number)
        bench.settle(seconds=31)
        assert bench.bundles.number == expected
    assert path.read_bytes() == bench.hall.bundle
    fetched = [asked for _, asked in bench.hall.requests if asked.startswith("/v1/bundle/") and "manifest" not in asked]
    assert fetched == ["/v1/bundle/5", "/v1/bundle/6"]
    keys = load_identity(bench.terminal.data).enrolled_keys
    assert BundleKeeper(path, enrolled_keys=keys).number == 6


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("stranger", "bundle_unsigned"),
        ("torn", "bundle_hash"),
        ("garbage", "bundle_garbage"),
        ("other number", "bundle_other_number"),
        ("no keys", "bundle_garbage"),
        ("longer than it said", "too_large"),
    ],
)
def test_a_bundle_that_is_not_right_is_refused_and_the_old_one_stays(bench: Bench, fault: str, code: str) -> None:
    hall = bench.hall
    hall.publish(5)
    bench.settle()
    good = hall.bundle
    hall.publish(6)
    manifest = None
    match fault:
        case "stranger":
            hall.publish(6, key=STRANGER)
        case "torn":
            manifest = manifest_of(hall.bundle, 6)
            hall.bundle = hall.bundle[:-1] + bytes([hall.bundle[-1] ^ 1])
        case "garbage":
            hall.bundle = b"CWB1 but not really"
        case "other number":
            hall.bundle_number = 7
        case "no keys":
            hall.publish(6, keys=(HallSecrets.generate().public()[0].model_copy(update={"public": "AAAA"}),))
        case "longer than it said":
            manifest = manifest_of(hall.bundle, 6).model_copy(update={"size": 10})
    if manifest is not None:
        hall.faults["/v1/bundle/manifest"] = lambda hall, http, request: reply_json(http, 200, manifest)
    bench.settle(seconds=31)
    assert bench.bundles.number == 5
    assert Path(bench.terminal.layout.bundle_file).read_bytes() == good
    assert bench.state.last_error == code
    hall.faults.clear()
    hall.publish(8)
    bench.settle(seconds=61)
    assert bench.bundles.number == 8
    assert bench.state.last_error == ""


def manifest_of(raw: bytes, number: int) -> BundleManifest:
    return BundleManifest(number=number, sha256=hashlib.sha256(raw).hexdigest(), size=len(raw), published_at=NOW)


def test_a_bundle_may_bring_the_key_that_signs_the_next_receipts(bench: Bench) -> None:
    new = HallSecrets(SigningKey.generate(), bench.hall.secrets.sealing, bench.hall.secrets.recovery)
    bench.hall.publish(2, keys=new.public())
    bench.settle()
    bench.hall.secrets = new
    (sealed,) = bench.file(1)
    bench.settle()
    assert bench.states() == {sealed.id: "accepted"}


def test_the_heartbeat_tells_health_and_nothing_else(bench: Bench) -> None:
    beats: list[Heartbeat] = []

    def listen(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        beats.append(Heartbeat.model_validate_json(request.body))
        return False

    bench.hall.faults["/v1/heartbeat"] = listen
    bench.hall.faults["/v1/batches"] = portal(500)
    report = DeviceReport(kind="receipt", state="online", media="none", paper="low", toner="none")
    bench.state.report_devices((report,))
    bench.file(1, 2)
    bench.clock.advance(100)
    bench.settle()
    assert beats == [
        Heartbeat(
            terminal_id="T001",
            at=bench.clock.now(),
            software="test",
            bundle=1,
            pending=2,
            parked=0,
            oldest_unsent_s=100,
            devices=(report,),
            returns_heard=0,
        )
    ]
