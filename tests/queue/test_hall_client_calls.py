"""The HTTPS client against a real TLS server that misbehaves in every way that networks and halls do."""

from __future__ import annotations

import base64
import hashlib
import ssl
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kiosk.contract.person import (
    Applications,
    IssueRequest,
    Licences,
    PersonSession,
    PersonSessionRequest,
    PrintJob,
    print_job_signed_bytes,
)
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import SigningKey
from kiosk.contract.submission import IdentityProof
from kiosk.contract.sync import Announce, Heartbeat
from kiosk.core.ports import HallError, HallFault, HallGateway, PersonGateway
from kiosk.core.result import Err, Ok
from offline_queue.gateway import DirectHall
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.keys.identity import NotEnrolled, load_identity
from offline_queue.uplink.policy import CallError, Trouble
from tests.queue.conftest import (
    NOW,
    PLANTED,
    Pki,
    Request,
    Terminal,
    TestHall,
    make_pki,
    reply,
    reply_json,
    reply_problem,
)

LIMITS = CallLimits(connect_s=1, call_s=1, person_s=1, document_s=1, transfer_s=1, json_bytes=4096)
NOTHING = Announce(items=())


@pytest.fixture
def client(terminal: Terminal) -> Iterator[HallClient]:
    made = HallClient(base_url=terminal.profile.hall.url, identity=load_identity(terminal.data), limits=LIMITS)
    yield made
    made.close()


def trouble(result: Ok[object] | Err[CallError]) -> Trouble:
    assert isinstance(result, Err)
    return result.error.trouble


Fault = Callable[[TestHall, BaseHTTPRequestHandler, Request], bool]


def raw(data: bytes) -> Fault:
    """Bytes instead of an answer, then the connection ends."""

    def answer(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        http.wfile.write(data)
        http.close_connection = True
        return True

    return answer


def drip(head: bytes, each: bytes = b"x") -> Fault:
    """One byte at a time, for ever: every single read is quick enough."""

    def answer(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        http.wfile.write(head)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                http.wfile.write(each)
                http.wfile.flush()
            except OSError:
                break
            time.sleep(0.05)
        http.close_connection = True
        return True

    return answer


def answering(status: int, body: bytes, media: str, **headers: str) -> Fault:
    return lambda hall, http, request: reply(
        http, status, body, media, {name.replace("_", "-"): value for name, value in headers.items()}
    )


GOOD = b'{"hall_time":"2026-11-22T08:00:00Z","verdicts":[]}'
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_a_good_answer(client: HallClient, hall: TestHall) -> None:
    assert isinstance(client.announce(NOTHING), Ok)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (raw(b""), Trouble.UNREACHABLE),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), Trouble.UNREACHABLE),
        (raw(b"\x00" * 100), Trouble.UNREACHABLE),
        (raw(JSON_HEAD + b"Content-Length: 500\r\n\r\n" + GOOD), Trouble.UNREACHABLE),
        (raw(JSON_HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"ha'), Trouble.UNREACHABLE),
        (raw(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), Trouble.UNREACHABLE),
        (raw(JSON_HEAD + b"Content-Length: -3\r\n\r\n"), Trouble.GARBAGE),
        (drip(b""), Trouble.TIMEOUT),
        (drip(b"HTTP/1.1 200 OK\r\nX-Drip: "), Trouble.TIMEOUT),
        (drip(JSON_HEAD + b"Content-Length: 100000\r\n\r\n"), Trouble.TIMEOUT),
        (drip(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), Trouble.TIMEOUT),
        (answering(200, b"<html>Welcome to Free WiFi</html>", "text/html"), Trouble.GARBAGE),
        (answering(200, b"<html>Welcome</html>", "application/json"), Trouble.GARBAGE),
        (answering(200, b"", "application/json"), Trouble.GARBAGE),
        (answering(200, b"null", "application/json"), Trouble.GARBAGE),
        (answering(200, GOOD[:-1] + b',"more":1}', "application/json"), Trouble.GARBAGE),
        (answering(200, GOOD, "application/json", Content_Encoding="gzip"), Trouble.GARBAGE),
        (answering(200, b" " * 5000, "application/json"), Trouble.TOO_LARGE),
        (answering(302, b"", "text/html", Location="https://127.0.0.1/login"), Trouble.REDIRECT),
        (answering(307, b"", "text/html", Location="/v1/announce"), Trouble.REDIRECT),
        (answering(304, b"", "application/json"), Trouble.REDIRECT),
        (answering(500, b"<html>oops</html>", "text/html"), Trouble.PROBLEM),
        (answering(502, b"", "application/problem+json"), Trouble.PROBLEM),
    ],
)
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.HTTPWarning")
def test_every_misbehaviour_is_a_typed_trouble_in_time(
    client: HallClient, hall: TestHall, fault: Fault, expected: Trouble, expected_logs: set[str]
) -> None:
    hall.faults["/v1/announce"] = fault
    started = time.monotonic()
    result = client.announce(NOTHING)
    assert trouble(result) is expected
    assert time.monotonic() - started < 8
    assert [path for _, path in hall.requests] == ["/v1/announce"]
    hall.faults.clear()
    assert isinstance(client.announce(NOTHING), Ok)


@pytest.mark.parametrize(
    ("asked", "understood"),
    [("7", 7), ("0", 0), ("soon", None), ("-1", None), ("1e3", None), ("9" * 40, None), ("", None)],
)
def test_a_problem_comes_with_code_and_retry_after(
    client: HallClient, hall: TestHall, asked: str, understood: int | None
) -> None:
    hall.faults["/v1/heartbeat"] = lambda hall, http, request: reply_problem(
        http, 429, ProblemCode.BUSY, {"Retry-After": asked}
    )
    beat = Heartbeat(terminal_id="T001", at=NOW, software="t", bundle=0, pending=0, parked=0, oldest_unsent_s=0)
    assert client.heartbeat(beat) == Err(CallError(Trouble.PROBLEM, 429, ProblemCode.BUSY, understood))


def test_nobody_there(terminal: Terminal) -> None:
    client = HallClient(base_url="https://127.0.0.1:1", identity=load_identity(terminal.data), limits=LIMITS)
    assert trouble(client.announce(NOTHING)) is Trouble.UNREACHABLE


def test_a_hall_with_another_root_is_not_believed(terminal: Terminal, hall: TestHall) -> None:
    Path(terminal.layout.ca).write_bytes(make_pki().ca)
    client = HallClient(base_url=hall.url, identity=load_identity(terminal.data), limits=LIMITS)
    assert trouble(client.announce(NOTHING)) is Trouble.TLS
    assert hall.requests == []


def test_a_hall_under_another_name_is_not_believed(terminal: Terminal, hall: TestHall) -> None:
    url = hall.url.replace("127.0.0.1", "localhost")
    client = HallClient(base_url=url, identity=load_identity(terminal.data), limits=LIMITS)
    assert trouble(client.announce(NOTHING)) is Trouble.TLS


def test_the_environment_is_not_asked(terminal: Terminal, hall: TestHall, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    client = HallClient(base_url=hall.url, identity=load_identity(terminal.data), limits=LIMITS)
    assert isinstance(client.announce(NOTHING), Ok)


def test_without_our_certificate_the_hall_hangs_up(terminal: Terminal, hall: TestHall, tmp_path: Path) -> None:
    other = make_pki()
    Path(terminal.layout.tls_certificate).write_bytes(other.client)
    Path(terminal.layout.tls_key).write_bytes(other.client_key)
    client = HallClient(base_url=hall.url, identity=load_identity(terminal.data), limits=LIMITS)
    assert trouble(client.announce(NOTHING)) in (Trouble.TLS, Trouble.UNREACHABLE)
    assert hall.requests == []


def test_certificate_and_key_must_fit(terminal: Terminal, pki: Pki) -> None:
    Path(terminal.layout.tls_key).write_bytes(pki.server_key)
    with pytest.raises(NotEnrolled):
        HallClient(base_url="https://127.0.0.1:1", identity=load_identity(terminal.data))


def test_old_tls_is_refused(client: HallClient) -> None:
    assert client._connection._context.minimum_version is ssl.TLSVersion.TLSv1_3


def test_cookies_are_not_kept(client: HallClient, hall: TestHall) -> None:
    seen: list[str | None] = []

    def fault(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        seen.append(request.headers.get("Cookie"))
        return reply(http, 200, GOOD, "application/json", {"Set-Cookie": "track=1"})

    hall.faults["/v1/announce"] = fault
    client.announce(NOTHING)
    client.announce(NOTHING)
    assert seen == [None, None]


@pytest.mark.parametrize("offset", ["", "x", "-1", "１", "1.5"])
def test_an_offset_that_is_no_number_is_garbage(client: HallClient, hall: TestHall, offset: str) -> None:
    hall.faults["/v1/blobs"] = lambda hall, http, request: reply(
        http, 200, b"", "application/json", {"Upload-Offset": offset} if offset.isascii() else {}
    )
    assert trouble(client.blob_offset("ab" * 32)) is Trouble.GARBAGE


def test_a_submission_gets_its_verdict_whatever_the_status(
    client: HallClient, hall: TestHall, terminal: Terminal
) -> None:
    sealed = terminal.filing(1)
    assert [_status(client.submit(sealed.envelope)) for _ in range(2)] == ["accepted", "duplicate"]
    assert _status(client.submit(terminal.filing(1).envelope)) == "conflict"
    hall.faults["/v1/submissions"] = lambda hall, http, request: reply_problem(http, 422, ProblemCode.CANNOT_OPEN)
    assert client.submit(sealed.envelope) == Err(CallError(Trouble.PROBLEM, 422, ProblemCode.CANNOT_OPEN))


def _status(result: object) -> str:
    assert isinstance(result, Ok)
    return str(result.value.status)


# --- the person who stands here --------------------------------------------------------------------------------------

PROOF = IdentityProof(
    method="id_card", card="resident", name=PLANTED[0], id_number=PLANTED[1], read_at=NOW, terminal_id="T001"
)
PDF = b"%PDF-1.7 synthetic"


def job(key: SigningKey, *, pdf: bytes = PDF, id_: str = "job/1", signed_id: str = "job/1") -> PrintJob:
    sha256 = hashlib.sha256(pdf).hexdigest()
    return PrintJob(
        id=id_,
        title="参保证明",
        sha256=sha256,
        size=len(pdf),
        pages=1,
        licence_id="L1",
        licence_number="N1",
        key_id=key.id,
        signature=base64.b64encode(key.sign(print_job_signed_bytes(signed_id, sha256))).decode(),
    )


class PersonHall:
    """The /v1/me part of a hall."""

    def __init__(self, hall: TestHall) -> None:
        self.job = job(hall.secrets.signing)
        self.pdf = PDF
        self.tokens: set[str | None] = set()
        self.paths: list[str] = []
        hall.faults["/v1/me"] = hall.faults["/v1/print-jobs"] = self.handle

    def handle(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        self.paths.append(request.path)
        if request.path == "/v1/me/session":
            assert PersonSessionRequest.model_validate_json(request.body).proof == PROOF
            return reply_json(http, 200, PersonSession(token="tok", expires_at=NOW))
        self.tokens.add(request.headers.get("Authorization"))
        match request.path:
            case "/v1/me/applications":
                return reply_json(http, 200, Applications(applications=()))
            case "/v1/me/licences":
                return reply_json(http, 200, Licences(licences=()))
            case "/v1/me/certificates" | "/v1/me/print-jobs":
                if request.path.endswith("certificates"):
                    assert IssueRequest.model_validate_json(request.body).request_id == "r1"
                return reply_json(http, 201, self.job)
            case "/v1/print-jobs/job%2F1/document":
                return reply(http, 200, self.pdf, "application/pdf")
            case "/v1/me/print-jobs/job%2F1":
                return reply_json(http, 200, self.job)
        return False


@pytest.fixture
def person_hall(hall: TestHall) -> PersonHall:
    return PersonHall(hall)


@pytest.fixture
def person(person_hall: PersonHall, terminal: Terminal, hall: TestHall) -> Iterator[PersonGateway]:
    direct = DirectHall.of(terminal.data, hall_url=hall.url)
    gateway: HallGateway = direct
    opened = gateway.open_person(PROOF)
    assert isinstance(opened, Ok)
    yield opened.value
    opened.value.close()
    direct.close()


def issue(person: PersonGateway) -> object:
    return person.issue(request_id="r1", item_code="TEST-ITEM", item_version=1, answers={"a": "b", "n": 1, "y": True})


def test_a_person_sees_and_prints_her_own(person: PersonGateway, person_hall: PersonHall) -> None:
    assert person.applications() == Ok(())
    assert person.licences() == Ok(())
    document = issue(person)
    assert isinstance(document, Ok)
    assert (document.value.pdf, document.value.job_id) == (PDF, "job/1")
    assert isinstance(person.print_job(request_id="r2", licence_id="L1"), Ok)
    reopened = person.reopen_job(job_id="job/1")
    assert isinstance(reopened, Ok)
    assert reopened.value == document.value
    assert person_hall.tokens == {"Bearer tok"}
    assert not any(word in path for path in person_hall.paths for word in PLANTED)


def test_only_a_document_that_the_hall_signed_is_handed_on(
    person: PersonGateway, person_hall: PersonHall, hall: TestHall
) -> None:
    good = person_hall.job
    for wrong in (
        job(SigningKey.generate()),
        job(hall.secrets.signing, signed_id="job/2"),
        good.model_copy(update={"sha256": "00" * 32}),
        good.model_copy(update={"signature": ""}),
        good.model_copy(update={"signature": "@@"}),
        good.model_copy(update={"key_id": "00000000"}),
    ):
        person_hall.job = wrong
        refused = issue(person)
        assert isinstance(refused, Err)
        assert refused.error.fault is HallFault.GARBAGE
    person_hall.job = good
    person_hall.pdf = PDF[:-1] + b"!"
    assert issue(person) == Err(HallError(HallFault.GARBAGE, "document is not the one that was signed for"))
    person_hall.pdf = PDF + b"more than was announced"
    assert issue(person) == Err(HallError(HallFault.GARBAGE, "too_large"))


def test_refusals_reach_the_citizen_by_code(person: PersonGateway, person_hall: PersonHall, hall: TestHall) -> None:
    hall.faults = {"/v1/me": lambda hall, http, request: reply_problem(http, 422, ProblemCode.NOT_ELIGIBLE)}
    assert issue(person) == Err(HallError(HallFault.NOT_ELIGIBLE, "not_eligible"))
    hall.faults = {"/v1/me": lambda hall, http, request: reply_problem(http, 401, ProblemCode.PERSON_SESSION_EXPIRED)}
    assert person.licences() == Err(HallError(HallFault.REFUSED, "person_session_expired"))
