"""The terminal's own client at a real hall: both sides read the contract the same way."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk.contract.envelope import BlobRef
from kiosk.contract.signing import verify_bundle
from kiosk.contract.sync import Announce, AnnounceItem, Heartbeat, HeartbeatAnswer
from kiosk.core.ports import HallFault
from kiosk.core.result import Err, Ok
from offline_queue.gateway import DirectHall
from offline_queue.hall_client import HallClient
from offline_queue.keys.identity import current_keys, load_identity
from tests.hall.conftest import LEE, HallProcess, TestTerminal


@pytest.fixture
def client(terminal: TestTerminal, hall: HallProcess) -> Iterator[HallClient]:
    made = HallClient(base_url=hall.url, identity=load_identity(terminal.machine.data))
    yield made
    made.close()


@pytest.fixture
def gateway(terminal: TestTerminal, hall: HallProcess) -> Iterator[DirectHall]:
    made = DirectHall.of(terminal.machine.data, hall_url=hall.url)
    yield made
    made.close()


def test_announce_upload_submit(terminal: TestTerminal, client: HallClient) -> None:
    session = terminal.session()
    submission, blob = terminal.renewal(session, licence_id="none")
    raw = terminal.seal(submission, blob, session=session)
    sha256 = hashlib.sha256(blob).hexdigest()
    ref = BlobRef(sha256=sha256, size=len(blob))
    item = AnnounceItem(id=submission.id, sha256=hashlib.sha256(raw).hexdigest(), size=len(raw), blobs=(ref,))
    told = client.announce(Announce(items=(item,)))
    assert isinstance(told, Ok)
    assert told.value.verdicts[0].missing == (sha256,)
    assert client.blob_offset(sha256) == Ok(0)
    half = client.put_chunk(sha256, offset=0, length=len(blob), chunk=blob[:50])
    assert isinstance(half, Ok) and not half.value.complete
    assert client.blob_offset(sha256) == Ok(50)
    whole = client.put_chunk(sha256, offset=50, length=len(blob), chunk=blob[50:])
    assert isinstance(whole, Ok) and whole.value.complete
    for expected in ("accepted", "duplicate"):
        verdict = client.submit(raw)
        assert isinstance(verdict, Ok)
        assert verdict.value.status == expected
    conflict = client.submit(terminal.seal(submission, blob, session=session))
    assert isinstance(conflict, Ok)
    assert conflict.value.status == "conflict"


def test_bundle_and_heartbeat(terminal: TestTerminal, client: HallClient) -> None:
    manifest = client.manifest()
    assert isinstance(manifest, Ok)
    raw = client.bundle(manifest.value.number, size=manifest.value.size)
    assert isinstance(raw, Ok)
    identity = load_identity(terminal.machine.data)
    keys = current_keys(identity, terminal.machine.data).signing
    assert verify_bundle(raw.value, keys).number == manifest.value.number
    beat = Heartbeat(
        terminal_id=terminal.id, at=datetime.now(UTC), software="0", bundle=1, pending=0, parked=0, oldest_unsent_s=0
    )
    said = client.heartbeat(beat)
    assert isinstance(said, Ok)
    assert said.value == HeartbeatAnswer(hall_time=said.value.hall_time)


def test_a_citizen_prints_her_certificate(terminal: TestTerminal, gateway: DirectHall) -> None:
    opened = gateway.open_person(terminal.proof())
    assert isinstance(opened, Ok)
    person = opened.value
    request = {"request_id": str(uuid.uuid4()), "item_code": "440604-RS-0102", "item_version": 1, "answers": {}}
    made = person.issue(**request)  # type: ignore[arg-type]
    assert isinstance(made, Ok)
    assert made.value.pdf.startswith(b"%PDF")
    again = person.print_job(request_id=str(uuid.uuid4()), licence_id=made.value.licence_id)
    assert isinstance(again, Ok)
    assert again.value.pdf == made.value.pdf
    assert person.reopen_job(job_id=made.value.job_id) == made
    held = person.licences()
    assert isinstance(held, Ok)
    assert made.value.licence_id in {licence.id for licence in held.value}
    person.close()


def test_who_has_no_record_hears_so(terminal: TestTerminal, gateway: DirectHall) -> None:
    opened = gateway.open_person(terminal.proof(LEE))
    assert isinstance(opened, Ok)
    refused = opened.value.issue(request_id="x", item_code="440604-RS-0102", item_version=1, answers={})
    assert isinstance(refused, Err)
    assert refused.error.fault is HallFault.NOT_ELIGIBLE


def test_a_whole_part_of_a_dead_hall_is_found(terminal: TestTerminal, hall: HallProcess, client: HallClient) -> None:
    blob = b"CWB1" + bytes(100)
    sha256 = hashlib.sha256(blob).hexdigest()
    (Path(hall.data) / "blobs" / "incoming" / f"{terminal.id}-{sha256}").write_bytes(blob)
    item = AnnounceItem(
        id=terminal.question().id, sha256="0" * 64, size=1, blobs=(BlobRef(sha256=sha256, size=len(blob)),)
    )
    told = client.announce(Announce(items=(item,)))
    assert isinstance(told, Ok)
    assert told.value.verdicts[0].missing == ()
