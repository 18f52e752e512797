"""A real hall at one end of an emulated line, a real terminal's queue process at the other."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hall.admin import perform
from kiosk.contract.numbers import mint_query_code, mint_submission_id
from kiosk.contract.submission import AnswerRecord, IdentityProof, Submission
from kiosk.contract.tickets import EnrolTicket
from kiosk.core.ports import SealedSubmission, SubmissionState
from kiosk.core.result import Ok
from offline_queue.client import QueueClient
from offline_queue.hall_client import HallClient
from offline_queue.keys.identity import load_identity
from offline_queue.seal import TerminalSealer
from provisioning.enrol import enrol
from provisioning.profile import Machine, load_profile
from tests.net.netemu import ADDRESS, Line, Profile, die_with_parent, emulated

REPOSITORY = Path(__file__).parents[2]
QUESTION = "440604-ZX-12345"
PERSON = ("陈样本", "440699194803080003")
FAST = Profile(rate_bps=100e6, rtt_s=0.001)


class Village:
    """The line, the hall behind it, the terminal before it."""

    def __init__(self, root: Path, line: Line) -> None:
        self.line = line
        self.root = root
        self.hall_data = root / "hall"
        self._hall: subprocess.Popen[str] | None = None
        self._queue: subprocess.Popen[bytes] | None = None
        self.hall_data.mkdir(mode=0o700)
        (self.hall_data / "hall.toml").write_text(f'tls_names = ["{ADDRESS["hall"]}"]\ndecide_after_s = 3600.0\n')
        perform(self.hall_data, "publish")
        self.port = 0
        self.start_hall()
        self.profile_path = root / "machine.toml"
        self.profile_path.write_text(
            'schema = 1\nterminal_id = "T001"\nregion = "440604"\nsite_name = "样本站"\nterminal_name = "1号机"\n'
            f'data = "data"\n[hall]\nurl = "{self.url}"\n',
            encoding="utf-8",
        )
        self.machine: Machine = load_profile(self.profile_path)
        ticket = perform(self.hall_data, "ticket", terminal="T001", site="样本站", name="1号机")["ticket"]
        enrolled = line.at("terminal", lambda: enrol(self.machine, EnrolTicket.parse(ticket)))
        assert isinstance(enrolled, Ok), enrolled
        self.queue = QueueClient(Path(self.machine.layout.queue_socket))

    @property
    def url(self) -> str:
        """Of the hall, for terminals."""
        return f"https://{ADDRESS['hall']}:{self.port}"

    def start_hall(self) -> None:
        """Up, and told so."""
        arguments = ["serve", "--data", str(self.hall_data), "--host", ADDRESS["hall"], "--port", str(self.port)]
        command = self.line.command("hall", [sys.executable, "-m", "hall", *arguments, "--staff-port", "0"])
        with (self.root / "hall.log").open("ab") as log:
            self._hall = subprocess.Popen(
                command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=die_with_parent
            )
        assert self._hall.stdout is not None
        line = self._hall.stdout.readline()
        assert line, (self.root / "hall.log").read_text()
        self.port = int(json.loads(line)["terminal_url"].rsplit(":", 1)[1])

    def stop_hall(self) -> None:
        """kill -9."""
        assert self._hall is not None and self._hall.stdout is not None
        self._hall.kill()
        self._hall.wait()
        self._hall.stdout.close()
        self._hall = None

    def start_queue(self) -> None:
        """`kiosk sync` at the terminal's end."""
        own = [sys.executable, "-m", "kiosk.app", "sync", "--profile", str(self.profile_path)]
        with (self.root / "queue.log").open("ab") as log:
            self._queue = subprocess.Popen(
                self.line.command("terminal", own),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )
        until(lambda: self.queue.status().accepting, seconds=30)

    def stop_queue(self) -> None:
        """kill -9: nothing is known any more of what was filed just now."""
        assert self._queue is not None
        self._queue.kill()
        self._queue.wait()
        self._queue = None

    def close(self) -> None:
        """Everything ends."""
        if self._queue is not None:
            self.stop_queue()
        if self._hall is not None:
            self.stop_hall()

    def client(self) -> HallClient:
        """A client of one's own; to be made and used in `line.at("terminal", …)`."""
        return HallClient(base_url=self.url, identity=load_identity(self.machine.data))

    def seal(self, count: int, *, text: int = 0) -> list[SealedSubmission]:
        """So many consultations of synthetic persons, each in a session of its own; `text`: characters more in each."""
        sealer = TerminalSealer.of(self.machine.data)
        made = []
        for n in range(count):
            number = self.queue.reserve_number()
            assert isinstance(number, Ok), number
            session = sealer.open_session()
            made.append(session.seal(question(number.value, n, text=text), ()))
            session.close()
        return made

    def file(self, filings: Sequence[SealedSubmission]) -> None:
        """Durable in the queue."""
        for sealed in filings:
            put = self.queue.put(sealed, card_tag=b"", slip=b"")
            assert put == Ok(None), put

    def pending(self) -> int:
        """In the queue."""
        return self.queue.status().pending

    def accepted(self, sealed: SealedSubmission) -> bool:
        """Has the hall signed for it?"""
        return self.queue.state(sealed.id) == Ok(SubmissionState.ACCEPTED)

    def deliver_one(self, sealed: SealedSubmission) -> float:
        """File it as a citizen does; seconds until she is told that it has arrived."""
        began = time.monotonic()
        self.file([sealed])
        until(lambda: self.accepted(sealed), seconds=120, every=0.005)
        return time.monotonic() - began

    def arrivals(self) -> list[str]:
        """Submission ids in the order in which the hall took them."""
        import sqlite3

        db = sqlite3.connect(f"file:{self.hall_data / 'hall.db'}?mode=ro", uri=True)
        try:
            return [row[0] for row in db.execute("select id from submissions order by rowid")]
        finally:
            db.close()


@contextmanager
def village(root: Path, *, seed: int = 1) -> Iterator[Village]:
    """Over a fast line at first; everything ends with the block. PermissionError if this is no root."""
    with emulated(FAST, seed=seed) as line:
        made = Village(root, line)
        try:
            yield made
        finally:
            made.close()


def until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> None:
    """Poll; TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("did not happen in time")
        time.sleep(every)


def question(application_no: str, n: int, *, text: int = 0) -> Submission:
    """A consultation (12345); the characters of a long one are drawn from 500, and hard to compress."""
    more = "".join(chr(0x4E00 + secrets.randbelow(500)) for _ in range(text))
    now = datetime.now(UTC)
    return Submission(
        id=mint_submission_id(unix_ms=int(time.time() * 1000), random_bytes=secrets.token_bytes),
        application_no=application_no,
        query_code=mint_query_code(secrets.token_bytes),
        item_code=QUESTION,
        item_version=1,
        bundle=1,
        terminal_id="T001",
        created_at=now,
        applicant=IdentityProof(
            method="id_card",
            card="resident",
            name=PERSON[0],
            id_number=PERSON[1],
            valid_to="长期",
            read_at=now,
            terminal_id="T001",
        ),
        answers={
            "topic": AnswerRecord(value="traffic", source="citizen", at=now),
            "question": AnswerRecord(value=f"路口的灯什么时候修好，第{n}次问{more}", source="citizen", at=now),
        },
    )


@dataclass
class Drained:
    """What a drain took."""

    seconds: float
    """From the first word with the hall until everything was signed for."""
    bytes: int
    """Of envelopes."""
    waited: list[float] = field(default_factory=list)
    """Citizens who filed meanwhile: seconds each."""


def drain(
    place: Village,
    filings: Sequence[SealedSubmission],
    profile: Profile,
    *,
    fresh: Sequence[SealedSubmission],
    seconds: float,
    every: float = 1.0,
) -> Drained:
    """The outage ends: bring everything over a line of this profile, while citizens file `fresh` one after another."""
    place.line.become(profile)
    place.start_queue()
    until(lambda: place.queue.status().link.value == "up", seconds=seconds)
    began = time.monotonic()
    waited = []
    for sealed in fresh:
        if place.pending() == 0:
            break
        waited.append(place.deliver_one(sealed))
        time.sleep(every)
    until(lambda: place.pending() == 0, seconds=seconds)
    return Drained(time.monotonic() - began, sum(len(sealed.envelope) for sealed in filings), waited)
