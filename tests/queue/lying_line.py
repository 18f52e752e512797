"""A line on which nothing may be believed: between terminal and hall somebody answers in the hall's place, or changes
what the hall says, on real sockets behind real TLS. What is a lie and what is not is decided by a seeded dice.
"""

from __future__ import annotations

import base64
import io
import json
import random
import sqlite3
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from kiosk.contract.numbers import mint_submission_id
from kiosk.contract.signing import HallReceipt, SignatureError, SigningKey, sign_receipt, verify_receipt
from kiosk.core.result import Ok
from offline_queue.uplink.policy import SyncDelays
from offline_queue.uplink.sync_state import SyncState
from tests.queue.conftest import FakeClock, Request, Terminal, TestHall, reply, wait_for
from tests.queue.worker_bench import Stepped

SENDING = ("/v1/announce", "/v1/submissions", "/v1/batches")
_PORTAL = "<html><body>欢迎使用免费无线网，请登录</body></html>".encode()
_STRANGER = SigningKey.generate()
_RECEIPT_HEAD = 62
"""Bytes of a receipt that the signature covers."""


class Heard:
    """A connection that keeps what the hall says instead of sending it."""

    def __init__(self, http: BaseHTTPRequestHandler) -> None:
        self.command, self.wfile = http.command, io.BytesIO()
        self.status, self.headers = 0, dict[str, str]()

    def send_response(self, status: int) -> None:
        self.status = status

    def send_header(self, name: str, value: str) -> None:
        self.headers[name] = value

    def end_headers(self) -> None:
        """The body follows."""


@dataclass
class Liar:
    """Stands on the line. `honesty` of all answers go through as they are."""

    dice: random.Random
    honesty: float = 0.25
    answers: int = 0
    """Answers to calls that carry submissions; honest ones too."""
    lies: Counter[str] = field(default_factory=Counter)
    _old: list[tuple[int, str, bytes]] = field(default_factory=list)
    _receipts: list[str] = field(default_factory=list)

    def __call__(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        """A `Handler` of the test hall."""
        if not request.path.startswith(SENDING):
            return False
        self.answers += 1
        if self.dice.random() < self.honesty:
            return self._honest(hall, http, request)
        lie = self.dice.choice(_LIES)
        self.lies[lie.__name__] += 1
        lie(self, hall, http, request)
        return True

    def truth(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> Heard:
        """What the hall itself says, with everything that follows from it at the hall."""
        heard = Heard(http)
        fault = hall.faults.pop("/")
        try:
            hall.handle(heard, request)  # type: ignore[arg-type]
        finally:
            hall.faults["/"] = fault
        body = heard.wfile.getvalue()
        self._old = [*self._old[-63:], (heard.status, heard.headers["Content-Type"], body)]
        with suppress(ValueError):
            self._receipts += [v["receipt"] for v in _verdicts(json.loads(body)) if v.get("receipt")]
            del self._receipts[:-64]
        return heard

    def _honest(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        heard = self.truth(hall, http, request)
        return reply(http, heard.status, heard.wfile.getvalue(), heard.headers["Content-Type"])

    # --- somebody else answers ----------------------------------------------------------------------------------

    def portal_sends_elsewhere(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        status = self.dice.choice((301, 302, 303, 307, 308, 511))
        reply(http, status, _PORTAL, "text/html", {"Location": f"{hall.url}/login"})

    def portal_page(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        media = self.dice.choice(("text/html; charset=utf-8", "application/json"))
        reply(http, self.dice.choice((200, 201)), _PORTAL, media)

    def proxy_says_fine(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        body = self.dice.choice((b"", b"{}", b"[]", b"null", b'{"status":"ok"}', b'{"verdicts":[]}', b"OK"))
        reply(http, self.dice.choice((200, 201, 202, 204)), body, "application/json")

    def accepted_by_nobody(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        self._claim(http, request, lambda _id, _sha: self.dice.choice(("", "AAAA", "not base64", "A" * 168)))

    def signed_by_a_stranger(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def forged(id_: str, sha256: str) -> str:
            raw = sign_receipt(HallReceipt(id_, sha256, datetime.now(UTC)), _STRANGER)
            # Under its own name or under the hall's.
            signer = self.dice.choice((_STRANGER.id, hall.secrets.signing.id))
            return _text(raw[:2] + bytes.fromhex(signer) + raw[6:])

        self._claim(http, request, forged)

    def receipt_of_another_id(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def crossed(_id: str, sha256: str) -> str:
            other = mint_submission_id(unix_ms=self.dice.getrandbits(40), random_bytes=self.dice.randbytes)
            return _text(sign_receipt(HallReceipt(other, sha256, datetime.now(UTC)), hall.secrets.signing))

        self._claim(http, request, crossed)

    def receipt_of_another_hash(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def crossed(id_: str, _sha: str) -> str:
            sha256 = self.dice.randbytes(32).hex()
            return _text(sign_receipt(HallReceipt(id_, sha256, datetime.now(UTC)), hall.secrets.signing))

        self._claim(http, request, crossed)

    def receipt_replayed(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        """A genuine one that the hall gave lately, to this or another terminal."""
        old = list(self._receipts)
        self._claim(http, request, lambda _id, _sha: self.dice.choice(old) if old else "")

    def receipt_of_another_version(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def other(id_: str, sha256: str) -> str:
            raw = sign_receipt(HallReceipt(id_, sha256, datetime.now(UTC)), hall.secrets.signing)
            head = bytes(self.dice.choice(((2, 1), (1, 2), (0, 0), (255, 1)))) + raw[2:_RECEIPT_HEAD]
            return _text(head + hall.secrets.signing.sign(head))

        self._claim(http, request, other)

    def receipt_of_another_length(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def other(id_: str, sha256: str) -> str:
            raw = sign_receipt(HallReceipt(id_, sha256, datetime.now(UTC)), hall.secrets.signing)
            return _text(self.dice.choice((raw[:-1], raw + b"\0", raw * 2, raw[:64], raw[64:])))

        self._claim(http, request, other)

    def old_answer(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        """Word for word what the hall once said to another question."""
        status, media, body = self.dice.choice(self._old) if self._old else (200, "application/json", b"{}")
        reply(http, status, body, media)

    # --- the hall's own answer, changed on its way --------------------------------------------------------------

    def truncated(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        heard = self.truth(hall, http, request)
        body = heard.wfile.getvalue()
        cut = body[: self.dice.randrange(max(1, len(body)))]
        if self.dice.random() < 0.5:
            reply(http, heard.status, cut, heard.headers["Content-Type"])
            return
        _raw(http, heard, f"Content-Length: {len(body)}", cut)

    def chunked_without_end(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        heard = self.truth(hall, http, request)
        body = heard.wfile.getvalue()
        cut = body[: self.dice.randrange(max(1, len(body)))]
        _raw(http, heard, "Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(cut), cut) if cut else b"")

    def one_bit_other(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        """Behind the TLS of a proxy that is no help."""

        def flipped(verdict: dict[str, Any]) -> None:
            raw = bytearray(base64.b64decode(verdict["receipt"]))
            bit = self.dice.randrange(len(raw) * 8)
            raw[bit // 8] ^= 1 << bit % 8
            verdict["receipt"] = _text(bytes(raw))

        self._changed(hall, http, request, lambda said: [flipped(v) for v in _verdicts(said) if v.get("receipt")])

    def reordered(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def shuffle(said: Any) -> None:
            if isinstance(said.get("verdicts"), list):
                said["verdicts"].reverse()
                self.dice.shuffle(said["verdicts"])

        self._changed(hall, http, request, shuffle)

    def doubled(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def double(said: Any) -> None:
            if isinstance(said.get("verdicts"), list):
                said["verdicts"] = said["verdicts"] * 2

        self._changed(hall, http, request, double)

    def receipts_swapped(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        """Ids as they should be, each with the receipt of the next."""

        def swap(said: Any) -> None:
            verdicts = _verdicts(said)
            receipts = [verdict.get("receipt", "") for verdict in verdicts]
            for verdict, receipt in zip(verdicts, [*receipts[1:], *self._receipts[-1:]], strict=False):
                verdict.update(status="accepted", receipt=receipt)

        self._changed(hall, http, request, swap)

    def ids_swapped(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def swap(said: Any) -> None:
            verdicts = _verdicts(said)
            ids = [verdict.get("id") for verdict in verdicts]
            for verdict, other in zip(verdicts, [*ids[1:], *ids[:1]], strict=True):
                verdict["id"] = other

        self._changed(hall, http, request, swap)

    def another_version(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        def newer(said: Any) -> None:
            said["version"] = 2
            for verdict in _verdicts(said):
                verdict["status"] = "accepted/2"

        self._changed(hall, http, request, newer)

    def twice_answered(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        """A second answer waits on the line for whoever asks next."""
        heard = self.truth(hall, http, request)
        body = heard.wfile.getvalue()
        reply(http, heard.status, body, heard.headers["Content-Type"])
        reply(http, heard.status, body, heard.headers["Content-Type"])

    def committed_then_cut(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        self.truth(hall, http, request)
        _hang_up(http)

    def dripping(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> None:
        """A byte now and then; nobody waits for the end of it."""
        heard = self.truth(hall, http, request)
        body = heard.wfile.getvalue()
        with suppress(OSError):
            http.wfile.write(f"HTTP/1.1 {heard.status} OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            for byte in body:
                http.wfile.write(bytes([byte]))
                http.wfile.flush()
                time.sleep(0.01)
        _hang_up(http)

    # --- helpers -------------------------------------------------------------------------------------------------

    def _claim(self, http: BaseHTTPRequestHandler, request: Request, receipt: Callable[[str, str], str]) -> None:
        """Say of everything in the request that it is accepted; the hall never hears of it."""
        asked = asked_about(request)
        status = self.dice.choice(("accepted", "duplicate"))
        verdicts = [{"id": id_, "status": status, "receipt": receipt(id_, sha256)} for id_, sha256 in asked]
        now = datetime.now(UTC).isoformat()
        single = request.path.startswith("/v1/submissions")
        body: Any = verdicts[0] if single else {"verdicts": verdicts, "hall_time": now}
        reply(http, 201 if single else 200, json.dumps(body).encode(), "application/json")

    def _changed(
        self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request, change: Callable[[Any], object]
    ) -> None:
        heard = self.truth(hall, http, request)
        body = heard.wfile.getvalue()
        with suppress(ValueError):
            said = json.loads(body)
            change(said)
            body = json.dumps(said).encode()
        reply(http, heard.status, body, heard.headers["Content-Type"])


_LIES: tuple[Callable[[Liar, TestHall, BaseHTTPRequestHandler, Request], None], ...] = (
    *(
        lie
        for lie in (
            Liar.portal_sends_elsewhere,
            Liar.portal_page,
            Liar.proxy_says_fine,
            Liar.accepted_by_nobody,
            Liar.signed_by_a_stranger,
            Liar.receipt_of_another_id,
            Liar.receipt_of_another_hash,
            Liar.receipt_replayed,
            Liar.receipt_of_another_version,
            Liar.receipt_of_another_length,
            Liar.old_answer,
            Liar.truncated,
            Liar.chunked_without_end,
            Liar.one_bit_other,
            Liar.reordered,
            Liar.doubled,
            Liar.receipts_swapped,
            Liar.ids_swapped,
            Liar.another_version,
            Liar.twice_answered,
            Liar.committed_then_cut,
        )
        for _ in range(4)
    ),
    Liar.dripping,  # takes long
)
LIES = frozenset(lie.__name__ for lie in _LIES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _verdicts(said: Any) -> list[dict[str, Any]]:
    if not isinstance(said, dict):
        return []
    found = said.get("verdicts", [said] if "status" in said and "id" in said else [])
    return [verdict for verdict in found if isinstance(verdict, dict)]


def asked_about(request: Request) -> list[tuple[str, str]]:
    """Ids and hashes that a request is about."""
    import hashlib

    from kiosk.contract.batch import split_batch
    from kiosk.contract.envelope import parse_envelope

    if request.path.startswith("/v1/announce"):
        return [(item["id"], item["sha256"]) for item in json.loads(request.body)["items"]]
    raws = [request.body] if request.path.startswith("/v1/submissions") else split_batch(request.body)
    return [(parse_envelope(raw).header.id, hashlib.sha256(raw).hexdigest()) for raw in raws]


def _raw(http: BaseHTTPRequestHandler, heard: Heard, length: str, body: bytes) -> None:
    media = heard.headers["Content-Type"]
    with suppress(OSError):
        head = f"HTTP/1.1 {heard.status} OK\r\nContent-Type: {media}\r\n{length}\r\n\r\n"
        http.wfile.write(head.encode() + body)
    _hang_up(http)


def _hang_up(http: BaseHTTPRequestHandler) -> None:
    http.close_connection = True
    with suppress(OSError):
        http.connection.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: reset, no farewell
        http.connection.close()


class Bench(Stepped):
    """Its clock leaps over every pause."""

    def __init__(self, terminal: Terminal, clock: FakeClock, *, seed: int) -> None:
        super().__init__(
            terminal,
            clock,
            call_s=1,
            state=SyncState(monotonic=clock.monotonic),
            random=random.Random(seed).random,
            delays=SyncDelays(heartbeat=1e9, manifest=1e9),
        )
        self.filed: dict[str, str] = {}

    def file(self, serial: int) -> str:
        """One more submission; some have a paper with them."""
        from kiosk.contract.envelope import parse_envelope

        sealed = self.terminal.filing(serial, blobs=int(serial % 16 == 0), blob_bytes=500)
        assert self.intake.put(sealed, card_tag=b"", slip=b"") == Ok(None)
        self.filed[sealed.id] = parse_envelope(sealed.envelope).sha256
        if serial % 4 == 0:
            self.state.just_filed(sealed.id)
        return sealed.id

    def pending(self) -> int:
        backlog = self.store.backlog()
        assert isinstance(backlog, Ok)
        return backlog.value.pending

    def step(self) -> None:
        """One step, then no pause that it asked for is left."""
        self.worker.step()
        self.clock.ticks += 2000
        self.clock.wall += timedelta(milliseconds=1)

    def accepted(self) -> dict[str, bytes]:
        """Receipts of all that the terminal believes delivered, out of its database."""
        with sqlite3.connect(f"file:{self.terminal.layout.queue_db}?mode=ro", uri=True) as db:
            rows = db.execute("select id, receipt from submissions join receipts using (seq)").fetchall()
        db.close()
        return {id_: bytes(receipt or b"") for id_, receipt in rows}


def false_acks(bench: Bench, hall: TestHall) -> list[str]:
    """Ids that the terminal forgot without the hall's own signature for exactly those bytes."""
    keys = {hall.secrets.signing.id: hall.secrets.signing.public}
    wrong = []
    for id_, raw in bench.accepted().items():
        held = hall.accepted.get(id_)
        try:
            receipt = verify_receipt(raw, keys)
        except SignatureError:
            wrong.append(id_)
            continue
        fits = (receipt.submission_id, receipt.sha256) == (id_, bench.filed[id_])
        if not fits or held is None or held[0] != bench.filed[id_]:
            wrong.append(id_)
    return wrong


def lie_for_long(bench: Bench, hall: TestHall, *, liar: Liar, answers: int) -> None:
    """Keep a few submissions waiting until so many answers were given; then the line is honest and all arrive."""
    hall.faults["/"] = liar
    serial = 0
    while liar.answers < answers:
        while bench.pending() < 4 and serial < 9999:
            serial += 1
            bench.file(serial)
        bench.step()
    liar.honesty = 1.0

    def drained() -> bool:
        bench.step()
        return bench.pending() == 0

    assert wait_for(drained, seconds=60), (bench.pending(), bench.state.last_error)


def say(words: str) -> None:
    """Seeds and counts: shown when a test fails, and always by ``-rP``."""
    sys.stdout.write(f"receipts: {words}\n")
