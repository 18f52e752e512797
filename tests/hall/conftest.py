"""Real hall processes on free ports, real terminals enrolled at them, and submissions as terminals make them."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from hall.admin import perform
from kiosk.contract.numbers import ApplicationNumber, mint_query_code, mint_submission_id
from kiosk.contract.sealing import SessionSeal, new_session, seal_blob, seal_submission
from kiosk.contract.signing import SigningKey
from kiosk.contract.submission import AnswerRecord, Consent, IdentityProof, MaterialUse, Submission
from kiosk.contract.tickets import EnrolTicket
from kiosk.core.ports import SealedSubmission, SealSession
from kiosk.core.result import Ok
from offline_queue.seal import TerminalSealer
from provisioning.enrol import enrol
from provisioning.profile import Machine, load_profile

REPOSITORY = Path(__file__).parents[2]
_END_S = 10.0
"""Within this a hall ends that was told to."""
RENEWAL, INSURED, QUESTION = "440604-GA-0031", "440604-RS-0102", "440604-ZX-12345"
MAY = ("陈样本", "440699194803080003")
"""Has a residence permit and social insurance, see `persons`."""
LEE = ("李样本", "440699200411030014")
"""The departments know nothing of him."""
PICTURE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////"
    "wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AR//Z"
)


def check_character(body: str) -> str:
    """GB 11643, so that the numbers here are well-formed."""
    from kiosk.core.identity import person_check_character

    return person_check_character(body)


MAY = (MAY[0], MAY[1][:17] + check_character(MAY[1][:17]))
LEE = (LEE[0], LEE[1][:17] + check_character(LEE[1][:17]))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class HallProcess:
    """`hall serve` as a child."""

    def __init__(self, data: Path, *, decide_after: float = 0.2) -> None:
        self.data = data
        self._decide_after = decide_after
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.staff_port = 0
        self.log = data.parent / f"{data.name}.stderr"

    def start(self) -> HallProcess:
        """Up, and told so."""
        command = [sys.executable, "-m", "hall", "serve", "--data", str(self.data), "--decide-after"]
        command += [str(self._decide_after), "--port", str(self.port), "--staff-port", str(self.staff_port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONFAULTHANDLER": "1"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=_die_with_parent,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.kill()
        assert line, self.log.read_text()
        ready = json.loads(line)
        self.port = int(ready["terminal_url"].rsplit(":", 1)[1])
        self.staff_port = int(ready["staff_url"].rsplit(":", 1)[1])
        return self

    @property
    def url(self) -> str:
        """For terminals."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def staff_url(self) -> str:
        """For clerks."""
        return f"http://127.0.0.1:{self.staff_port}"

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def do(self, operation: str, **ask: Any) -> dict[str, Any]:
        """As the command line does it."""
        return perform(self.data, operation, **ask)

    def running(self) -> bool:
        """Is there a process?"""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def stop(self) -> float:
        """SIGTERM; seconds until it was gone."""
        assert self._process is not None and self._process.stdout is not None
        begun = time.monotonic()
        self._process.terminate()
        try:
            assert self._process.wait(_END_S) == 0
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)  # its log says what each thread does
            self._process.wait()
            raise
        finally:
            self._process.stdout.close()
        return time.monotonic() - begun


@dataclass
class TestTerminal:
    """An enrolled terminal that files by hand."""

    __test__ = False
    machine: Machine
    hall: HallProcess
    http: requests.Session
    signing: SigningKey
    serial: int = field(default=0)

    @property
    def id(self) -> str:
        """T001."""
        return self.machine.profile.terminal_id

    def keys(self) -> dict[str, bytes]:
        """The hall's public keys by purpose."""
        from kiosk.contract.enrolment import EnrolResponse

        known = EnrolResponse.model_validate_json(Path(self.machine.layout.terminal_json).read_bytes())
        return {key.purpose: base64.b64decode(key.public) for key in known.keys}

    def session(self) -> SessionSeal:
        """A citizen's sealing session."""
        keys = self.keys()
        return new_session(terminal_id=self.id, hall_public=keys["seal"], recovery_public=keys["recovery"])

    def number(self) -> str:
        """The next application number of today."""
        self.serial += 1
        return str(ApplicationNumber("440604", datetime.now(UTC).date(), self.id, self.serial))

    def proof(self, person: tuple[str, str] = MAY) -> IdentityProof:
        """A card that was read now."""
        return IdentityProof(
            method="id_card",
            card="resident",
            name=person[0],
            id_number=person[1],
            valid_to="长期",
            read_at=datetime.now(UTC),
            terminal_id=self.id,
        )

    def question(self, **changes: Any) -> Submission:
        """A consultation (12345)."""
        now = datetime.now(UTC)
        base: dict[str, Any] = {
            "id": mint_submission_id(unix_ms=int(time.time() * 1000), random_bytes=secrets.token_bytes),
            "application_no": self.number(),
            "query_code": mint_query_code(secrets.token_bytes),
            "item_code": QUESTION,
            "item_version": 1,
            "bundle": 1,
            "terminal_id": self.id,
            "created_at": now,
            "applicant": self.proof(),
            "answers": {
                "topic": AnswerRecord(value="traffic", source="citizen", at=now),
                "question": AnswerRecord(value="路口的灯什么时候修好", source="citizen", at=now),
            },
        }
        return Submission(**{**base, **changes})

    def renewal(
        self, session: SessionSeal | SealSession, *, licence_id: str, picture: bytes = PICTURE, **changes: Any
    ) -> tuple[Submission, bytes]:
        """A renewal with one reused licence and one photographed paper; the paper's sealed bytes beside it."""
        now = datetime.now(UTC)
        id_ = mint_submission_id(unix_ms=int(time.time() * 1000), random_bytes=secrets.token_bytes)
        if isinstance(session, SessionSeal):
            blob = seal_blob(session.key, submission_id=id_, data=picture)
        else:
            blob = session.seal_blob(id_, picture)
        base: dict[str, Any] = {
            "id": id_,
            "item_code": RENEWAL,
            "answers": {
                "addr_same": AnswerRecord(value=True, source="citizen", at=now),
                "reason": AnswerRecord(value="home", source="citizen", at=now),
                "phone": AnswerRecord(value="13800000000", source="citizen", at=now),
            },
            "materials": (
                MaterialUse(id="id_card", source="card_reader", name="居民身份证", captured_at=now),
                MaterialUse(id="permit", source="licence_library", name="居住证", licence_id=licence_id),
                MaterialUse(
                    id="housing",
                    source="camera",
                    name="租赁合同或房产证",
                    blob=hashlib.sha256(blob).hexdigest(),
                    original_sha256=hashlib.sha256(picture).hexdigest(),
                    media_type="image/jpeg",
                    size=len(picture),
                    captured_at=now,
                ),
            ),
            "consents": (Consent(purpose="居住证签注", subject=licence_id, at=now),),
        }
        return self.question(**{**base, **changes}), blob

    def sealed_renewal(self, *, application_no: str, licence_id: str, picture: bytes = PICTURE) -> SealedSubmission:
        """The same by the terminal's own sealer, whatever its keys are by now."""
        session = TerminalSealer.of(self.machine.data).open_session()
        submission, blob = self.renewal(session, licence_id=licence_id, picture=picture, application_no=application_no)
        sealed = session.seal(submission, (blob,))
        session.close()
        return sealed

    def seal(self, submission: Submission, *blobs: bytes, session: SessionSeal | None = None) -> bytes:
        """The envelope."""
        return seal_submission(submission, sealed_blobs=blobs, session=session or self.session(), signing=self.signing)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        """POST of wire types, dicts or bytes."""
        if hasattr(body, "model_dump_json"):
            body = body.model_dump_json().encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.http.post(self.hall.url + path, data=body, timeout=20, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET."""
        return self.http.get(self.hall.url + path, timeout=20, **options)

    def put_blob(self, blob: bytes, *, offset: int = 0, length: int | None = None) -> requests.Response:
        """Upload from an offset."""
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(len(blob) if length is None else length)}
        sha256 = hashlib.sha256(blob).hexdigest()
        return self.http.put(f"{self.hall.url}/v1/blobs/{sha256}", data=blob[offset:], headers=headers, timeout=20)

    def bearer(self, person: tuple[str, str] = MAY) -> dict[str, str]:
        """Headers of a citizen's session."""
        answer = self.post("/v1/me/session", {"proof": json.loads(self.proof(person).model_dump_json())})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}


def machine_at(directory: Path, hall_url: str, terminal_id: str = "T001") -> Machine:
    """A bare machine with a profile."""
    directory.mkdir(parents=True, exist_ok=True)
    profile = directory / "machine.toml"
    profile.write_text(
        f'schema = 1\nterminal_id = "{terminal_id}"\nregion = "440604"\nsite_name = "样本站"\n'
        f'terminal_name = "1号机"\ndata = "data"\n[hall]\nurl = "{hall_url}"\n',
        encoding="utf-8",
    )
    return load_profile(profile)


def enrolled(hall: HallProcess, directory: Path, terminal_id: str = "T001") -> TestTerminal:
    """Ticket, keys, certificate."""
    machine = machine_at(directory, hall.url, terminal_id)
    ticket = hall.do("ticket", terminal=terminal_id, site="样本站", name="1号机")["ticket"]
    assert isinstance(enrol(machine, EnrolTicket.parse(ticket)), Ok)
    return terminal_of(machine, hall)


def terminal_of(machine: Machine, hall: HallProcess) -> TestTerminal:
    """A machine that is enrolled already."""
    layout = machine.layout
    http = requests.Session()
    http.trust_env = False
    http.verify = str(layout.ca)
    http.cert = (str(layout.tls_certificate), str(layout.tls_key))
    return TestTerminal(machine, hall, http, SigningKey.from_pem(Path(layout.signing_key).read_bytes()))


def eventually(ready: Callable[[], Any], *, within_s: float = 20.0) -> Any:
    """The first true answer; fails when the time is up."""
    deadline = time.monotonic() + within_s
    while not (answer := ready()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
    return answer


@pytest.fixture
def start_hall() -> Iterator[Callable[..., HallProcess]]:
    """Starts halls; none is left running, however the test ends."""
    started: list[HallProcess] = []

    def start(data: Path, *, decide_after: float = 0.2) -> HallProcess:
        started.append(HallProcess(data, decide_after=decide_after))
        return started[-1].start()

    yield start
    for process in started:
        if process.running():
            process.kill()


@pytest.fixture(scope="session")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A persons file for `hall seed`."""
    path = tmp_path_factory.mktemp("persons") / "persons.toml"
    path.write_text(
        f'[may]\nname = "{MAY[0]}"\nid_number = "{MAY[1]}"\naddress = "样本市样本路1号"\n'
        f'records = ["residence_permit", "social_insurance"]\n'
        f'[lee]\nname = "{LEE[0]}"\nid_number = "{LEE[1]}"\nrecords = []\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, persons: Path) -> Iterator[HallProcess]:
    """A hall with catalogue and persons, whose log must stay empty."""
    data = tmp_path_factory.mktemp("hall") / "data"
    perform(data, "publish")
    perform(data, "seed", persons=str(persons))
    process = HallProcess(data).start()
    yield process
    process.stop()
    assert process.log.read_text() == ""


@pytest.fixture(scope="module")
def terminal(hall: HallProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestTerminal]:
    """Terminal T001."""
    made = enrolled(hall, tmp_path_factory.mktemp("terminal"))
    yield made
    made.http.close()


@pytest.fixture(scope="module")
def other_terminal(hall: HallProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestTerminal]:
    """Terminal T002."""
    made = enrolled(hall, tmp_path_factory.mktemp("other"), "T002")
    yield made
    made.http.close()


@pytest.fixture(scope="module")
def staff(hall: HallProcess) -> Iterator[requests.Session]:
    """A clerk who is signed in."""
    http = requests.Session()
    http.trust_env = False
    link = hall.do("staff_link", name="测试员")["path"]
    assert http.get(hall.staff_url + link, timeout=10).ok
    yield http
    http.close()
