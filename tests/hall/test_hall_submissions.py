"""Submissions over the wire: accepted once, the same again, other bytes, rejected with a reason."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
import requests

from kiosk.contract.envelope import BlobRef
from kiosk.contract.person import print_job_signed_bytes
from kiosk.contract.signing import SigningKey, key_id, verify, verify_receipt
from kiosk.contract.submission import AnswerRecord, MaterialUse
from kiosk.contract.sync import Announce, AnnounceItem, BlobState, Verdict, Verdicts
from tests.hall.conftest import LEE, MAY, PICTURE, RENEWAL, HallProcess, TestTerminal, eventually


def verdict_of(answer: requests.Response) -> Verdict:
    return Verdict.model_validate_json(answer.content)


def counted(staff: requests.Session, hall: HallProcess, submission_id: str) -> list[dict[str, Any]]:
    rows = staff.get(hall.staff_url + "/staff/api/submissions", timeout=10).json()
    return [row for row in rows if row["id"] == submission_id]


def permit_of(terminal: TestTerminal) -> str:
    held = terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"]
    return str(next(row["id"] for row in held if row["type_name"] == "居住证" and not row["printable"]))


def test_accepted_once_then_the_same_receipt(
    terminal: TestTerminal, hall: HallProcess, staff: requests.Session
) -> None:
    submission = terminal.question()
    raw = terminal.seal(submission)
    first = terminal.post("/v1/submissions", raw)
    assert first.status_code == 201
    accepted = verdict_of(first)
    assert accepted.status == "accepted"
    receipt = verify_receipt(
        base64.b64decode(accepted.receipt), {key_id(terminal.keys()["sign"]): terminal.keys()["sign"]}
    )
    assert (receipt.submission_id, receipt.sha256) == (submission.id, hashlib.sha256(raw).hexdigest())
    second = terminal.post("/v1/submissions", raw)
    assert second.status_code == 200
    assert verdict_of(second).status == "duplicate"
    assert verdict_of(second).receipt == accepted.receipt
    rows = counted(staff, hall, submission.id)
    assert [(row["effects"], row["application_no"]) for row in rows] == [(1, submission.application_no)]


def test_other_bytes_under_the_same_id_change_nothing(terminal: TestTerminal) -> None:
    submission = terminal.question()
    raw = terminal.seal(submission)
    receipt = verdict_of(terminal.post("/v1/submissions", raw)).receipt
    other = terminal.post("/v1/submissions", terminal.seal(submission))
    assert other.status_code == 409
    assert (verdict_of(other).status, verdict_of(other).code) == ("conflict", "conflict")
    assert verdict_of(terminal.post("/v1/submissions", raw)).receipt == receipt


def test_a_used_application_number_is_a_conflict_that_a_clerk_sees(
    terminal: TestTerminal, staff: requests.Session
) -> None:
    first = terminal.question()
    assert terminal.post("/v1/submissions", terminal.seal(first)).status_code == 201
    again = terminal.question(application_no=first.application_no)
    assert terminal.post("/v1/submissions", terminal.seal(again)).status_code == 409
    assert again.id in staff.get(f"{terminal.hall.staff_url}/staff/refused", timeout=10).text


def test_the_whole_way_of_a_renewal(terminal: TestTerminal, other_terminal: TestTerminal) -> None:
    session = terminal.session()
    submission, blob = terminal.renewal(session, licence_id=permit_of(terminal))
    raw = terminal.seal(submission, blob, session=session)
    sha256 = hashlib.sha256(blob).hexdigest()
    ref = BlobRef(sha256=sha256, size=len(blob))
    item = AnnounceItem(id=submission.id, sha256=hashlib.sha256(raw).hexdigest(), size=len(raw), blobs=(ref,))
    told = Verdicts.model_validate_json(terminal.post("/v1/announce", Announce(items=(item,))).content)
    assert [(verdict.status, verdict.missing) for verdict in told.verdicts] == [("wanted", (sha256,))]

    early = terminal.post("/v1/submissions", raw)
    assert (early.status_code, verdict_of(early).missing) == (202, (sha256,))

    half = len(blob) // 2
    part = terminal.put_blob(blob[:half], length=len(blob))  # names the hash of the half: refused at the end only
    assert part.status_code == 202
    headers = {"Upload-Offset": "0", "Upload-Length": str(len(blob))}
    path = f"{terminal.hall.url}/v1/blobs/{sha256}"
    assert terminal.http.put(path, data=blob[:half], headers=headers, timeout=10).status_code == 202
    head = terminal.http.head(path, timeout=10)
    assert (head.headers["Upload-Offset"], "Upload-Length" in head.headers) == (str(half), False)
    done = terminal.put_blob(blob, offset=half)
    assert (done.status_code, BlobState.model_validate_json(done.content).complete) == (201, True)

    assert terminal.post("/v1/submissions", raw).status_code == 201

    def granted() -> dict[str, Any] | None:
        rows = other_terminal.get("/v1/me/applications", headers=other_terminal.bearer()).json()["applications"]
        mine = next(row for row in rows if row["application_no"] == submission.application_no)
        return mine if mine["state"] == "granted" else None

    application = eventually(granted)
    held = other_terminal.get("/v1/me/licences", headers=other_terminal.bearer()).json()["licences"]
    licence = next(row for row in held if row["id"] == application["licence_id"])
    assert (licence["type_name"], licence["printable"], licence["usable"]) == ("居住证", True, True)
    assert MAY[0] not in json.dumps(held, ensure_ascii=False)

    request = {"request_id": str(uuid.uuid4()), "licence_id": licence["id"]}
    job = other_terminal.post("/v1/me/print-jobs", request, headers=other_terminal.bearer()).json()
    assert other_terminal.post("/v1/me/print-jobs", request, headers=other_terminal.bearer()).json() == job
    sign = terminal.keys()["sign"]
    verify(
        {key_id(sign): sign},
        job["key_id"],
        print_job_signed_bytes(job["id"], job["sha256"]),
        base64.b64decode(job["signature"]),
    )
    pdf = other_terminal.get(f"/v1/print-jobs/{job['id']}/document").content
    assert (hashlib.sha256(pdf).hexdigest(), len(pdf)) == (job["sha256"], job["size"])
    assert terminal.get(f"/v1/print-jobs/{job['id']}/document").status_code == 404, "another terminal's job"
    outcome = {"outcome": "proven", "pages": 1, "at": datetime.now(UTC).isoformat()}
    assert other_terminal.post(f"/v1/print-jobs/{job['id']}/outcome", outcome).status_code == 204


def test_a_question_is_answered(terminal: TestTerminal) -> None:
    submission = terminal.question()
    assert terminal.post("/v1/submissions", terminal.seal(submission)).status_code == 201

    def answered() -> str:
        rows = terminal.get("/v1/me/applications", headers=terminal.bearer()).json()["applications"]
        mine = next(row for row in rows if row["application_no"] == submission.application_no)
        return str(mine["message"]) if mine["state"] == "answered" else ""

    assert "交通" in eventually(answered)


def test_a_licence_that_ran_out_on_the_way_wants_a_correction(terminal: TestTerminal) -> None:
    session = terminal.session()
    submission, blob = terminal.renewal(session, licence_id="nobody's")
    terminal.put_blob(blob)
    assert terminal.post("/v1/submissions", terminal.seal(submission, blob, session=session)).status_code == 201

    def settled() -> str:
        rows = terminal.get("/v1/me/applications", headers=terminal.bearer()).json()["applications"]
        mine = next(row for row in rows if row["application_no"] == submission.application_no)
        return str(mine["state"]) if mine["state"] not in ("received", "accepted", "handling") else ""

    assert eventually(settled) == "correction_wanted"


def rejected(terminal: TestTerminal, raw: bytes) -> str:
    answer = terminal.post("/v1/submissions", raw)
    assert answer.status_code == 422, answer.text
    verdict = verdict_of(answer)
    assert verdict.status == "rejected"
    assert verdict.receipt == ""
    return str(verdict.code)


def test_rejections_say_why(terminal: TestTerminal, other_terminal: TestTerminal) -> None:
    now = datetime.now(UTC)
    question = terminal.question
    strange = {"answers": {**question().answers, "never_asked": AnswerRecord(value="x", source="citizen", at=now)}}
    assert rejected(terminal, terminal.seal(question(item_version=99))) == "item_unknown"
    assert rejected(terminal, terminal.seal(question(answers={}))) == "answers_invalid"
    assert rejected(terminal, terminal.seal(question(**strange))) == "answers_invalid"
    assert rejected(terminal, terminal.seal(question(item_code=RENEWAL))) == "answers_invalid"
    assert rejected(terminal, terminal.seal(question(application_no="440604261122T0019999A"))) == "malformed"
    no_card = question().applicant.model_copy(update={"method": "none"})
    assert rejected(terminal, terminal.seal(question(applicant=no_card))) == "answers_invalid"
    assert rejected(other_terminal, terminal.seal(question())) == "forbidden"
    stranger = SigningKey.generate()
    mine, terminal.signing = terminal.signing, stranger
    try:
        assert rejected(terminal, terminal.seal(question())) == "unknown_key"
    finally:
        terminal.signing = mine


def test_changed_bytes_do_not_verify(terminal: TestTerminal) -> None:
    raw = bytearray(terminal.seal(terminal.question()))
    raw[-100] ^= 1
    assert rejected(terminal, bytes(raw)) == "bad_signature"


def test_sealed_to_another_hall(terminal: TestTerminal) -> None:
    from kiosk.contract.sealing import SealingKey, new_session

    strange = SealingKey.generate().public
    session = new_session(terminal_id=terminal.id, hall_public=strange, recovery_public=strange)
    assert rejected(terminal, terminal.seal(terminal.question(), session=session)) == "unknown_key"


def test_materials_must_be_the_ones_that_were_photographed(terminal: TestTerminal) -> None:
    session = terminal.session()
    submission, blob = terminal.renewal(session, licence_id="x")
    materials = [
        use.model_copy(update={"original_sha256": "0" * 64}) if use.blob else use for use in submission.materials
    ]
    terminal.put_blob(blob)
    changed = submission.model_copy(update={"materials": tuple(materials)})
    assert rejected(terminal, terminal.seal(changed, blob, session=session)) == "hash_mismatch"
    unopened = secrets.token_bytes(64)
    terminal.put_blob(unopened)
    swapped = [
        use.model_copy(update={"blob": hashlib.sha256(unopened).hexdigest()}) if use.blob else use
        for use in submission.materials
    ]
    other = terminal.question(item_code=RENEWAL, answers=submission.answers, materials=tuple(swapped))
    assert rejected(terminal, terminal.seal(other, unopened, session=session)) == "cannot_open"
    assert MaterialUse.model_validate(submission.materials[0]) == submission.materials[0]


def test_blob_offsets_and_hashes(terminal: TestTerminal) -> None:
    blob = secrets.token_bytes(1000)
    sha256 = hashlib.sha256(blob).hexdigest()
    wrong = terminal.put_blob(blob, offset=5)
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["Upload-Offset"]) == (409, "offset_mismatch", "0")
    path = f"{terminal.hall.url}/v1/blobs/{sha256}"
    headers = {"Upload-Offset": "0", "Upload-Length": "1000"}
    spoiled = terminal.http.put(path, data=bytes(1000), headers=headers, timeout=10)
    assert (spoiled.status_code, spoiled.json()["code"]) == (422, "hash_mismatch")
    assert terminal.put_blob(blob).status_code == 201, "starts again from nothing"
    assert terminal.put_blob(blob).status_code == 201, "and again is no harm"
    longer = terminal.http.put(
        f"{terminal.hall.url}/v1/blobs/{'0' * 64}",
        data=bytes(11),
        headers={**headers, "Upload-Length": "10"},
        timeout=10,
    )
    assert (longer.status_code, longer.json()["code"]) == (413, "too_large")
    assert terminal.http.put(path, data=b"x", timeout=10).json()["code"] == "malformed"
    assert terminal.http.head(f"{terminal.hall.url}/v1/blobs/nonsense", timeout=10).status_code == 400


def test_certificate_at_once_is_one_certificate(terminal: TestTerminal) -> None:
    from pypdf import PdfReader

    request = {"request_id": str(uuid.uuid4()), "item_code": "440604-RS-0102", "item_version": 1, "answers": {}}
    headers = terminal.bearer()
    job = terminal.post("/v1/me/certificates", request, headers=headers)
    assert job.status_code == 200, job.text
    assert terminal.post("/v1/me/certificates", request, headers=headers).json() == job.json()
    pdf = terminal.get(f"/v1/print-jobs/{job.json()['id']}/document").content
    reader = PdfReader(BytesIO(pdf))
    assert len(reader.pages) == job.json()["pages"] == 1
    text = reader.pages[0].extract_text()
    assert MAY[0] in text and MAY[1] not in text

    stranger = terminal.post("/v1/me/certificates", {**request, "request_id": "2"}, headers=terminal.bearer(LEE))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "not_eligible")
    taken = terminal.post("/v1/me/certificates", request, headers=terminal.bearer(LEE))
    assert (taken.status_code, taken.json()["code"]) == (409, "conflict")
    unknown = terminal.post("/v1/me/certificates", {**request, "request_id": "3", "item_version": 7}, headers=headers)
    assert unknown.json()["code"] == "item_unknown"


def test_a_citizens_session_is_hers_and_this_terminals(terminal: TestTerminal, other_terminal: TestTerminal) -> None:
    headers = terminal.bearer()
    assert other_terminal.get("/v1/me/licences", headers=headers).status_code == 403
    nobody = terminal.get("/v1/me/licences")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "person_session_expired")
    garbage = terminal.get("/v1/me/licences", headers={"Authorization": "Bearer AAAA"})
    assert garbage.json()["code"] == "person_session_expired"
    proof = json.loads(terminal.proof().model_dump_json())
    old = terminal.post("/v1/me/session", {"proof": {**proof, "read_at": "2020-01-01T00:00:00Z"}})
    assert old.json()["code"] == "person_session_expired"
    elsewhere = terminal.post("/v1/me/session", {"proof": {**proof, "terminal_id": "T002"}})
    assert elsewhere.status_code == 403
    typed = terminal.post("/v1/me/session", {"proof": {**proof, "id_number": "1"}})
    assert typed.status_code == 422
    licence = permit_of(terminal)
    theft = terminal.post("/v1/me/print-jobs", {"request_id": "s", "licence_id": licence}, headers=terminal.bearer(LEE))
    assert theft.status_code == 404
    unprintable = terminal.post("/v1/me/print-jobs", {"request_id": "u", "licence_id": licence}, headers=headers)
    assert unprintable.status_code == 404


def test_bundle_and_heartbeat(terminal: TestTerminal, staff: requests.Session, hall: HallProcess) -> None:
    from kiosk.contract.signing import verify_bundle

    manifest = terminal.get("/v1/bundle/manifest").json()
    raw = terminal.get(f"/v1/bundle/{manifest['number']}").content
    assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (manifest["sha256"], manifest["size"])
    sign = terminal.keys()["sign"]
    bundle = verify_bundle(raw, {key_id(sign): sign})
    assert {key.purpose for key in bundle.keys} == {"seal", "sign", "recovery"}
    assert terminal.get("/v1/bundle/999").json()["code"] == "not_found"
    beat = {
        "terminal_id": terminal.id,
        "at": datetime.now(UTC).isoformat(),
        "software": "0.1.0",
        "bundle": 1,
        "pending": 2,
        "parked": 0,
        "oldest_unsent_s": 5 * 3600,
        "devices": [
            {"kind": "receipt", "state": "online", "media": "none", "paper": "low", "toner": "none", "fault": ""}
        ],
    }
    answer = terminal.post("/v1/heartbeat", beat)
    said = answer.json()
    assert (answer.status_code, said["help_acknowledged_at"]) == (200, None)
    assert abs((datetime.fromisoformat(said["hall_time"]) - datetime.now(UTC)).total_seconds()) < 60
    assert terminal.post("/v1/heartbeat", {**beat, "terminal_id": "T009"}).status_code == 403
    assert len(PICTURE) > 100


@pytest.mark.parametrize("path", ["/v1/bundle/manifest", "/v1/me/licences", "/v1/print-jobs/x/document"])
def test_without_a_certificate_nobody_gets_in(terminal: TestTerminal, path: str) -> None:
    answer = requests.get(terminal.hall.url + path, verify=terminal.http.verify, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"
