"""Hostile bytes: every parser ends in a value or its own refusal; over the wire, in a problem document."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from hall.http import read_model
from hall.problem import STATUS, Refused
from hall.store.vault import PersonToken, Vault, VaultError
from hall.terminals.enrol_request import read_keys
from kiosk.contract.enrolment import EnrolRequest
from kiosk.contract.envelope import MAGIC, EnvelopeError, parse_envelope
from kiosk.contract.person import IssueRequest, PersonSessionRequest, PrintJobRequest, PrintOutcome
from kiosk.contract.problems import MEDIA_TYPE, Problem, ProblemCode
from kiosk.contract.sync import Announce, Heartbeat
from tests.hall.conftest import HallProcess, TestTerminal

BODIES: list[type[BaseModel]] = [
    Announce,
    EnrolRequest,
    Heartbeat,
    IssueRequest,
    PersonSessionRequest,
    PrintJobRequest,
    PrintOutcome,
]
VAULT = Vault(bytes(32))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("model", BODIES)
@given(data=st.data())
def test_any_json_is_a_body_or_malformed(model: type[BaseModel], data: st.DataObject) -> None:
    fields = st.fixed_dictionaries({}, optional=dict.fromkeys(model.model_fields, json_values))
    body = data.draw(st.binary(max_size=60) | (json_values | fields).map(lambda value: json.dumps(value).encode()))
    try:
        read_model(model, body)
    except Refused as refused:
        assert refused.code is ProblemCode.MALFORMED
        assert "input" not in refused.title


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_is_a_request_for_keys_or_malformed(csr: str, public: str) -> None:
    with pytest.raises(Refused) as refused:
        read_keys(EnrolRequest(ticket_id="x", csr=csr, signing_public=public, mac=""))
    assert refused.value.code is ProblemCode.MALFORMED


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 2**32 - 1))
def test_any_bytes_are_an_envelope_or_none(tail: bytes, header: int, ciphertext: int) -> None:
    for raw in (tail, MAGIC + tail, MAGIC + struct.pack(">I", header) + tail + struct.pack(">I", ciphertext)):
        with pytest.raises(EnvelopeError):
            parse_envelope(raw)


@given(st.text(max_size=150) | st.binary(max_size=100).map(lambda raw: raw.hex()))
def test_no_invented_token_opens(text: str) -> None:
    from datetime import UTC, datetime

    with pytest.raises(VaultError):
        VAULT.open_person_token(text, now=datetime.now(UTC))
    with pytest.raises(VaultError):
        VAULT.open_staff_token(text, purpose="staff-session", now=datetime.now(UTC))


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**33), st.integers(0, 95), st.integers(1, 255))
def test_a_token_opens_only_unchanged_and_in_time(person: bytes, ends: int, place: int, flip: int) -> None:
    import base64
    from datetime import UTC, datetime

    token = PersonToken(person.hex(), "T001", ends)
    text = VAULT.person_token(token)
    before = datetime.fromtimestamp(max(0, ends - 1), UTC)
    if ends > 0:
        assert VAULT.open_person_token(text, now=before) == token
    with pytest.raises(VaultError):
        VAULT.open_person_token(text, now=datetime.fromtimestamp(ends, UTC))
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[place % len(raw)] ^= flip
    with pytest.raises(VaultError):
        VAULT.open_person_token(base64.urlsafe_b64encode(bytes(raw)).decode(), now=before)
    with pytest.raises(VaultError):
        VAULT.open_staff_token(text, purpose="staff-session", now=before)


def test_every_code_has_a_status() -> None:
    assert set(STATUS) == set(ProblemCode)


# --- over the wire ---------------------------------------------------------------------------------------------------


def problem_of(answer: requests.Response) -> Problem:
    assert answer.headers["content-type"] == MEDIA_TYPE
    found = Problem.model_validate_json(answer.content)
    assert found.status == answer.status_code
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/v1/enrol",
        "/v1/announce",
        "/v1/submissions",
        "/v1/heartbeat",
        "/v1/me/session",
        "/v1/me/certificates",
        "/v1/me/print-jobs",
        "/v1/print-jobs/x/outcome",
    ],
)
@pytest.mark.parametrize("body", [b"", b"null", b"[1]", b"\xff\xfe", b'{"a": 1}', b"CWE1\xff\xff\xff\xff", b"[" * 9999])
def test_garbage_is_malformed_everywhere(terminal: TestTerminal, path: str, body: bytes) -> None:
    headers = terminal.bearer() if path.startswith("/v1/me/") and path != "/v1/me/session" else {}
    assert problem_of(terminal.post(path, body, headers=headers)).code is ProblemCode.MALFORMED


def test_too_much_is_refused_early(terminal: TestTerminal) -> None:
    big = terminal.post("/v1/submissions", bytes(2 * 1024 * 1024))
    assert problem_of(big).code is ProblemCode.TOO_LARGE
    assert problem_of(terminal.post("/v1/enrol", b" " * 70_000)).code is ProblemCode.TOO_LARGE

    def endless() -> Iterator[bytes]:
        for _ in range(4000):
            yield bytes(1024)

    with requests.Session() as other:  # no Content-Length; the hall may hang up while we still talk
        other.trust_env, other.verify, other.cert = False, terminal.http.verify, terminal.http.cert
        try:
            answer = other.post(terminal.hall.url + "/v1/submissions", data=endless(), timeout=20)
        except requests.ConnectionError:
            return
        assert answer.status_code == 413


def test_sixty_five_announcements_are_too_many(terminal: TestTerminal) -> None:
    item = {"id": terminal.question().id, "sha256": "0" * 64, "size": 1, "blobs": []}
    assert terminal.post("/v1/announce", {"items": [item] * 64}).status_code == 200
    assert problem_of(terminal.post("/v1/announce", {"items": [item] * 65})).code is ProblemCode.TOO_LARGE


def test_unknown_paths_and_methods(terminal: TestTerminal) -> None:
    assert problem_of(terminal.get("/v1/nothing")).code is ProblemCode.NOT_FOUND
    assert problem_of(terminal.get("/")).code is ProblemCode.NOT_FOUND
    assert terminal.get("/v1/announce").status_code == 405
    assert problem_of(terminal.get("/v1/bundle/x")).code is ProblemCode.MALFORMED
    assert problem_of(terminal.get("/v1/bundle/" + "9" * 30)).code is ProblemCode.MALFORMED


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.integers(0, 40))
def test_damaged_envelopes_never_get_a_receipt(terminal: TestTerminal, place: float, flip: int, cut: int) -> None:
    raw = bytearray(terminal.seal(terminal.question()))
    raw[int(place * len(raw))] ^= flip
    answer = terminal.post("/v1/submissions", bytes(raw[: len(raw) - cut]))
    assert answer.status_code == 422
    body: dict[str, Any] = answer.json()
    assert not body.get("receipt")
    assert body["code"] in ("malformed", "bad_signature", "unknown_key", "forbidden")


def test_the_hall_survives_noise_and_silence(hall: HallProcess, terminal: TestTerminal) -> None:
    silent = socket.create_connection(("127.0.0.1", hall.port))
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", hall.port)) as line:
            line.sendall(secrets.token_bytes(500))
    context = ssl.create_default_context(cafile=str(terminal.http.verify))
    with (
        socket.create_connection(("127.0.0.1", hall.port)) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as line,
    ):
        line.sendall(b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 200_000)
    assert terminal.get("/v1/bundle/manifest").status_code == 200
    silent.close()
