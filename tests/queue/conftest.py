"""A terminal's identity, filings of synthetic persons, and a small real hall that can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.contract.batch import split_batch
from kiosk.contract.bundle import Bundle, HallKey
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.journal import JournalBatch, JournalKind, JournalMark, follow
from kiosk.contract.numbers import ApplicationNumber, mint_submission_id
from kiosk.contract.person import PrintOutcome
from kiosk.contract.problems import MEDIA_TYPE, Problem, ProblemCode
from kiosk.contract.sealing import SealingKey, open_envelope, open_session_key
from kiosk.contract.signing import HallReceipt, SigningKey, sign_bundle, sign_receipt, verify_envelope
from kiosk.contract.submission import AnswerRecord, IdentityProof, Submission
from kiosk.contract.sync import (
    Announce,
    BatchVerdicts,
    BlobState,
    BundleManifest,
    Heartbeat,
    HeartbeatAnswer,
    Verdict,
    Verdicts,
)
from kiosk.contract.wire import canonical_json
from kiosk.core.clock import CHINA
from kiosk.core.profile import DataLayout, Hall, Profile
from offline_queue.seal import TerminalSealer

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PLANTED = ("试验甲乙", "440699199001011236", "广东省测试市虚构路一号")

if TYPE_CHECKING:
    from tests.queue.worker_bench import Bench


class FakeClock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.wall = NOW
        self.ticks = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds


@dataclass(frozen=True)
class HallSecrets:
    signing: SigningKey
    sealing: SealingKey
    recovery: SealingKey

    @classmethod
    def generate(cls) -> HallSecrets:
        return cls(SigningKey.generate(), SealingKey.generate(), SealingKey.generate())

    def public(self) -> tuple[HallKey, ...]:
        return tuple(
            HallKey(id=key.id, purpose=purpose, public=base64.b64encode(key.public).decode())
            for purpose, key in (("sign", self.signing), ("seal", self.sealing), ("recovery", self.recovery))
        )


@dataclass(frozen=True)
class Pki:
    """A CA with one server and one client certificate, as PEM."""

    ca: bytes
    server: bytes
    server_key: bytes
    client: bytes
    client_key: bytes


def make_pki() -> Pki:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    start, end = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=30)
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test hall root")])

    def certificate(name: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder(issuer_name=ca_name, subject_name=name, public_key=key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def leaf(common: str) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        return certificate(name, key.public_key(), ca=False).public_bytes(serialization.Encoding.PEM), pem(key)

    root = certificate(ca_name, ca_key.public_key(), ca=True).public_bytes(serialization.Encoding.PEM)
    return Pki(root, *leaf("127.0.0.1"), *leaf("T001"))


@dataclass(frozen=True)
class Terminal:
    """An enrolled terminal on disk."""

    data: Path
    profile: Profile
    secrets: HallSecrets
    signing: SigningKey

    @property
    def layout(self) -> DataLayout:
        return DataLayout(self.data)

    def sealer(self) -> TerminalSealer:
        return TerminalSealer.of(self.data)

    def filing(self, serial: int, *, blobs: int = 0, blob_bytes: int = 3000, corrects: int = 0) -> Any:
        """A sealed submission of a synthetic person; `corrects`: the serial of the one that it corrects (补正)."""
        moment = int(NOW.timestamp() * 1000) + serial
        id_ = mint_submission_id(
            unix_ms=moment, random_bytes=lambda n: hashlib.sha256(f"{serial}".encode()).digest()[:n]
        )
        number, corrected = (
            str(ApplicationNumber("440699", NOW.astimezone(CHINA).date(), "T001", each)) for each in (serial, corrects)
        )
        name, id_number, address = PLANTED
        submission = Submission(
            id=id_,
            application_no=number,
            query_code="23456789",
            item_code="TEST-ITEM",
            item_version=1,
            bundle=1,
            terminal_id="T001",
            created_at=NOW,
            applicant=IdentityProof(
                method="id_card", card="resident", name=name, id_number=id_number, read_at=NOW, terminal_id="T001"
            ),
            answers={"address": AnswerRecord(value=address, source="citizen", at=NOW)},
            corrects=corrected if corrects else "",
        )
        session = self.sealer().open_session()
        plain = [(name + id_number).encode() * 8 + bytes([n]) * blob_bytes for n in range(blobs)]
        sealed = session.seal(submission, tuple(session.seal_blob(id_, data) for data in plain))
        session.close()
        return sealed


def make_terminal(data: Path, pki: Pki, secrets: HallSecrets, *, url: str = "https://127.0.0.1:1") -> Terminal:
    layout = DataLayout(data)
    identity = Path(layout.identity)
    identity.mkdir(parents=True)
    signing = SigningKey.generate()
    response = EnrolResponse(
        terminal_id="T001",
        region="440699",
        site_name="测试点",
        certificate=pki.client.decode(),
        ca=pki.ca.decode(),
        keys=secrets.public(),
        expires_at=NOW + timedelta(days=30),
    )
    Path(layout.terminal_json).write_bytes(canonical_json(response))
    Path(layout.tls_certificate).write_bytes(pki.client)
    Path(layout.tls_key).write_bytes(pki.client_key)
    Path(layout.ca).write_bytes(pki.ca)
    Path(layout.signing_key).write_bytes(signing.pem())
    profile = Profile(
        schema=1,
        terminal_id="T001",
        region="440699",
        site_name="测试点",
        terminal_name="一号机",
        data=str(data),
        hall=Hall(url=url),
    )
    return Terminal(data, profile, secrets, signing)


@dataclass
class Request:
    """What the hall was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[["TestHall", BaseHTTPRequestHandler, Request], bool]
"""Answers in the hall's place; False lets the hall answer itself."""


@dataclass
class TestHall:
    """A small real hall: idempotent, with receipts, behind mutual TLS. `faults` come first, by path prefix."""

    __test__ = False

    secrets: HallSecrets
    terminal_keys: dict[str, bytes] = field(default_factory=dict)
    accepted: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    """Ids in the order in which they took effect; a doubled filing shows here."""
    blobs: dict[str, bytearray] = field(default_factory=dict)
    outcomes: list[tuple[str, PrintOutcome]] = field(default_factory=list)
    """What terminals said of paper, as often as they said it."""
    beat: Heartbeat | None = None
    checkpoints: int = 0
    """Of terminals' journals."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, Handler] = field(default_factory=dict)
    staff_look: bool = False
    """A clerk takes note of every call for help at once."""
    bundle: bytes = b""
    bundle_number: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, number: int, *, key: SigningKey | None = None, keys: tuple[HallKey, ...] | None = None) -> None:
        bundle = Bundle(
            number=number,
            published_at=NOW,
            region="440699",
            hall_name="测试办事大厅",
            query_place="任一终端",
            keys=self.secrets.public() if keys is None else keys,
            themes=(),
            items=(),
            terminals=(),
            windows=(),
        )
        self.bundle, self.bundle_number = sign_bundle(bundle, key or self.secrets.signing), number

    def handle(self, http: BaseHTTPRequestHandler, request: Request) -> None:
        with self.lock:
            self.requests.append((request.method, request.path))
        for prefix, fault in list(self.faults.items()):
            if request.path.startswith(prefix) and fault(self, http, request):
                return
        match request.path.split("/")[2:]:
            case ["announce"]:
                announce = Announce.model_validate_json(request.body)
                verdicts = tuple(
                    self.look(item.id, item.sha256, [ref.sha256 for ref in item.blobs]) for item in announce.items
                )
                reply_json(http, 200, Verdicts(verdicts=verdicts, hall_time=datetime.now(UTC)))
            case ["blobs", sha256]:
                self.take_blob(http, request, sha256)
            case ["batches"]:
                verdicts = [self.take(raw)[1] for raw in split_batch(request.body)]
                reply_json(http, 200, BatchVerdicts(verdicts=tuple(verdicts), hall_time=datetime.now(UTC)))
            case ["submissions"]:
                status, verdict = self.take(request.body)
                reply_json(http, status, verdict)
            case ["bundle", "manifest"]:
                self.give_manifest(http)
            case ["bundle", _]:
                reply(http, 200, self.bundle, "application/octet-stream")
            case ["print-jobs", job, "outcome"]:
                with self.lock:
                    self.outcomes.append((job, PrintOutcome.model_validate_json(request.body)))
                reply(http, 204, b"", "application/json")
            case ["journal"]:
                reply_json(http, 200, self.take_journal(request.body))
            case ["heartbeat"]:
                beat = self.beat = Heartbeat.model_validate_json(request.body)
                seen = NOW if beat.help_called_at and self.staff_look else None
                reply_json(http, 200, HeartbeatAnswer(help_acknowledged_at=seen))
            case _:
                reply_problem(http, 404, ProblemCode.NOT_FOUND)

    def give_manifest(self, http: BaseHTTPRequestHandler) -> None:
        if not self.bundle:
            reply_problem(http, 404, ProblemCode.NOT_FOUND)
            return
        sha256 = hashlib.sha256(self.bundle).hexdigest()
        manifest = BundleManifest(number=self.bundle_number, sha256=sha256, size=len(self.bundle), published_at=NOW)
        reply_json(http, 200, manifest)

    def receipt(self, id_: str, sha256: str) -> bytes:
        return sign_receipt(HallReceipt(id_, sha256, datetime.now(UTC)), self.secrets.signing)

    def look(self, id_: str, sha256: str, blobs: list[str]) -> Verdict:
        with self.lock:
            if (known := self.accepted.get(id_)) is not None:
                if known[0] != sha256:
                    return Verdict(id=id_, status="conflict", code=ProblemCode.CONFLICT)
                return Verdict(id=id_, status="duplicate", receipt=base64.b64encode(known[1]).decode())
            return Verdict(id=id_, status="wanted", missing=tuple(name for name in blobs if not self.whole(name)))

    def whole(self, sha256: str) -> bool:
        return hashlib.sha256(self.blobs.get(sha256, b"")).hexdigest() == sha256

    def take(self, raw: bytes) -> tuple[int, Verdict]:
        envelope = parse_envelope(raw)
        verify_envelope(envelope, self.terminal_keys)
        header = envelope.header
        known = self.look(header.id, envelope.sha256, [ref.sha256 for ref in header.blobs])
        if known.status == "conflict":
            return 409, known
        if known.status == "duplicate":
            return 200, known
        if known.missing:
            return 202, known
        keys = {self.secrets.sealing.id: self.secrets.sealing}
        submission = open_envelope(envelope, open_session_key(header, keys))
        receipt = self.receipt(submission.id, envelope.sha256)
        with self.lock:
            if submission.id not in self.accepted:
                self.accepted[submission.id] = (envelope.sha256, receipt)
                self.effects.append(submission.id)
        return 201, Verdict(id=header.id, status="accepted", receipt=base64.b64encode(receipt).decode())

    def take_journal(self, raw: bytes) -> JournalMark:
        """Everything that follows; `hall.journal` is what remembers and compares."""
        batch = JournalBatch.parse(raw)
        head = batch.before
        for body in batch.bodies:
            head, record = follow(head, body)
            if record.kind == JournalKind.CHECKPOINT:
                self.checkpoints += 1
        return JournalMark(epoch=head.epoch.hex(), seq=head.seq, head=head.hash.hex(), state="known")

    def take_blob(self, http: BaseHTTPRequestHandler, request: Request, sha256: str) -> None:
        held = self.blobs.setdefault(sha256, bytearray())
        if request.method == "HEAD":
            reply(http, 200 if held else 404, b"", "application/json", {"Upload-Offset": str(len(held))})
            return
        if int(request.headers["Upload-Offset"]) != len(held):
            reply_problem(http, 409, ProblemCode.OFFSET_MISMATCH)
            return
        held += request.body
        length = int(request.headers["Upload-Length"])
        reply_json(http, 200, BlobState(sha256=sha256, offset=len(held), complete=len(held) == length))


def reply(
    http: BaseHTTPRequestHandler, status: int, body: bytes, media: str, headers: dict[str, str] | None = None
) -> bool:
    http.send_response(status)
    http.send_header("Content-Type", media)
    http.send_header("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        http.send_header(name, value)
    http.end_headers()
    if http.command != "HEAD":
        http.wfile.write(body)
    return True


def reply_json(http: BaseHTTPRequestHandler, status: int, value: Any) -> bool:
    return reply(http, status, canonical_json(value), "application/json")


def reply_problem(
    http: BaseHTTPRequestHandler, status: int, code: ProblemCode, headers: dict[str, str] | None = None
) -> bool:
    return reply(http, status, canonical_json(Problem.of(code, status)), MEDIA_TYPE, headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, hall: TestHall, context: ssl.SSLContext) -> None:
        self.hall = hall
        self.context = context
        super().__init__(("127.0.0.1", 0), _Http)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up in these tests; that is no news."""


class _Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.hall.handle(self, Request(self.command, self.path, dict(self.headers), body))

    do_GET = do_POST = do_PUT = do_HEAD = _do

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture(scope="session")
def pki() -> Pki:
    return make_pki()


@pytest.fixture(scope="session")
def secrets() -> HallSecrets:
    return HallSecrets.generate()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hall(pki: Pki, secrets: HallSecrets, tmp_path: Path) -> Iterator[TestHall]:
    for name in ("ca", "server", "server_key"):
        (tmp_path / f"{name}.pem").write_bytes(getattr(pki, name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server_key.pem")
    context.load_verify_locations(tmp_path / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    running = TestHall(secrets)
    server = _Server(running, context)
    running.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield running
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def terminal(pki: Pki, secrets: HallSecrets, hall: TestHall, tmp_path: Path) -> Terminal:
    made = make_terminal(tmp_path / "data", pki, secrets, url=hall.url)
    hall.terminal_keys[made.signing.id] = made.signing.public
    return made


@pytest.fixture
def bench(terminal: Terminal, hall: TestHall, clock: FakeClock, expected_logs: set[str]) -> Iterator[Bench]:
    from tests.queue import worker_bench  # it needs what is here

    expected_logs.add("offline_queue")
    hall.publish(1)
    made = worker_bench.Bench(terminal, hall, clock)
    yield made
    made.close()


def wait_for(condition: Callable[[], bool], *, seconds: float = 30.0) -> bool:
    """Poll until the condition holds; False when it never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., bool]:
    return wait_for
