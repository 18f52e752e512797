"""A stage to play flows on: the real services, a clock that moves when told, and small in-memory ports.

The ports here are our own interfaces; what stands behind them in life is tested with real wires elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import pytest

from kiosk.contract.bundle import Bundle, Calendar, TerminalPlace, Theme, Window
from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.person import ApplicationSummary, FormerAnswers, LicenceSummary
from kiosk.contract.submission import IdentityProof, Submission
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    CodeScanned,
    DeviceError,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    Lamp,
    LampState,
    Level,
    MediaState,
    SiteChanged,
    SiteInputs,
    SocialCardLifted,
    SocialCardPresented,
    StatusChanged,
)
from kiosk.core.events import Event
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.identity import person_check_character
from kiosk.core.intents import Begin, Next, OpenTile, ReuseLicence, SetAnswer, Start
from kiosk.core.ports import (
    Document,
    HallError,
    HallFault,
    HelpCall,
    HelpState,
    JobFate,
    KnownCode,
    Link,
    Owed,
    PersonGateway,
    PrintableDocument,
    PrintProof,
    QueueStatus,
    SealedSubmission,
    Shot,
    StoreError,
    StoreFault,
    SubmissionState,
)
from kiosk.core.print_ledger import PaperKind, PaperName, PrintEntry, PrintState
from kiosk.core.receipt import Receipt
from kiosk.core.result import Err, Ok, Result
from kiosk.core.social_card import SocialCard
from kiosk.core.views import Chrome, Snapshot, View
from kiosk.services.effects import Lane
from kiosk.services.settings import Delays, Ports, TerminalSettings
from kiosk.services.terminal import Terminal
from tests.flows.memory_ledger import MemoryLedger, Paper

V = TypeVar("V")
NOW = datetime(2026, 11, 22, 6, 26, tzinfo=UTC)
JPEG = b"\xff\xd8page\xff\xd9"

PERMIT = {
    "format": "fuwu/1",
    "code": "440699-GA-0031",
    "version": 2,
    "name": "居住证签注",
    "aliases": ["暂住证年审"],
    "department": "公安局",
    "summary": "居住证快满一年。",
    "kind": "application",
    "limits": {"promised": {"days": 3, "unit": "workday"}},
    "identity": {"level": "card"},
    "offline": "queue",
    "pages": [
        {
            "id": "who",
            "title": "您是",
            "fields": [
                {"id": "name", "type": "text", "label": "姓名", "prefill": "card.name"},
                {"id": "number", "type": "text", "label": "证件号", "prefill": "card.id_number"},
                {"id": "home", "type": "address", "label": "户籍地址", "prefill": "card.address"},
            ],
        },
        {"id": "where", "title": "住址一样吗", "fields": [{"id": "same", "type": "yesno", "label": "一样吗"}]},
        {
            "id": "new",
            "title": "新的住址",
            "show": {"field": "same", "is": False},
            "fields": [{"id": "address", "type": "address", "label": "现在的住址", "min": 6}],
        },
        {
            "id": "reason",
            "title": "做什么",
            "fields": [
                {
                    "id": "reason",
                    "type": "choice",
                    "label": "事由",
                    "options": [{"v": "work", "t": "上班"}, {"v": "other", "t": "其他"}],
                },
                {
                    "id": "employer",
                    "type": "text",
                    "label": "单位",
                    "show": {"field": "reason", "is": "work"},
                    "prefill": "licence.社会保险参保证明.employer",
                },
            ],
        },
        {"id": "window", "title": "请到窗口", "exit": True, "show": {"field": "reason", "is": "other"}},
        {"id": "contact", "title": "电话", "fields": [{"id": "phone", "type": "phone", "label": "电话"}]},
    ],
    "materials": [
        {"id": "id_card", "name": "居民身份证", "sources": ["card_reader"]},
        {"id": "permit", "name": "居住证", "licence": ["居住证"], "sources": ["licence_library", "camera"]},
        {"id": "lease", "name": "租赁合同", "sources": ["camera"], "show": {"field": "same", "is": False}},
    ],
    "results": [{"id": "renewed", "kind": "licence", "name": "居住证", "template": "permit", "media": ["a4"]}],
}
PROOF = {
    "format": "fuwu/1",
    "code": "440699-RS-0102",
    "version": 1,
    "name": "社保参保证明",
    "department": "人社局",
    "summary": "当场打印。",
    "kind": "certificate",
    "identity": {"level": "card"},
    "offline": "online_only",
    "results": [{"id": "paper", "kind": "certificate", "name": "社会保险参保证明", "media": ["a4"]}],
}
SOCIAL = {
    "format": "fuwu/1",
    "code": "440699-RS-0207",
    "version": 1,
    "name": "社保卡登记信息变更",
    "department": "人社局",
    "summary": "改电话。",
    "kind": "application",
    "identity": {"level": "card"},
    "offline": "queue",
    "pages": [
        {
            "id": "card",
            "title": "社保卡",
            "fields": [
                {"id": "number", "type": "text", "label": "社保卡号", "prefill": "social_card.card_number", "min": 9}
            ],
        },
        {"id": "contact", "title": "电话", "fields": [{"id": "phone", "type": "phone", "label": "电话"}]},
    ],
    "results": [{"id": "changed", "kind": "certificate", "name": "变更结果"}],
}
ASK = {
    "format": "fuwu/1",
    "code": "440699-ZX-12345",
    "version": 1,
    "name": "12345咨询",
    "department": "12345",
    "summary": "有问题写下来。",
    "kind": "consultation",
    "identity": {"level": "none"},
    "offline": "queue",
    "pages": [
        {
            "id": "question",
            "title": "您的问题",
            "fields": [{"id": "question", "type": "long_text", "label": "问题", "min": 4, "max_length": 500}],
        }
    ],
}
SHOOT = {
    **PERMIT,
    "code": "440699-GA-0099",
    "name": "材料补交",
    "aliases": [],
    "pages": [],
    "materials": [{"id": "paper", "name": "材料原件", "sources": ["camera"]}],
}


def _bundle(number: int = 7) -> Bundle:
    return Bundle(
        number=number,
        published_at=NOW,
        region="440699",
        hall_name="样本网上办事大厅",
        query_place="任何一台市民之窗，或打12345",
        keys=(),
        themes=(
            Theme(id="permit", title="居住证", subtitle="", icon="home", items=(PERMIT["code"],)),
            Theme(id="proof", title="社保证明", subtitle="", icon="file", items=(PROOF["code"],)),
            Theme(
                id="more", title="其他", subtitle="", icon="dots", items=(ASK["code"], SHOOT["code"], SOCIAL["code"])
            ),
        ),
        items=(PERMIT, PROOF, ASK, SHOOT, SOCIAL),
        terminals=(
            TerminalPlace(id="T001", name="一号", address="样本市东区", open="24小时", devices=("id_card",)),
            TerminalPlace(
                id="T002",
                name="二号",
                address="样本市东区",
                open="24小时",
                devices=("id_card", "receipt", "page", "camera"),
            ),
        ),
        windows=(Window(name="东区综合窗口", address="样本路1号", open="9-17", phone="0757-12345"),),
        calendar=Calendar(years=(2026,), days_off=(date(2026, 11, 24),)),
    )


def make_social_card(holder: IdCard) -> SocialCard:
    """The holder's 社保卡."""
    return SocialCard(
        name=holder.name,
        id_number=holder.id_number,
        card_number="AB1234567",
        sex=holder.sex,
        nation=holder.nation,
        birth=holder.birth,
        region="440699",
        issued=date(2020, 1, 1),
        valid_to=None,
        standard="3.00",
    )


def make_person(seed: int) -> IdCard:
    """A synthetic person; region 440699 is not assigned."""
    body = f"440699{1950 + seed % 40}0312{seed % 1000:03d}"
    return IdCard(
        type=CardType.RESIDENT,
        name=("欧阳龑甲", "司马样乙", "上官本丙", "诸葛例丁")[seed % 4] + "子" * (seed // 4 % 3),
        id_number=body + person_check_character(body),
        sex="2",
        nation="汉",
        birth=date(1950 + seed % 40, 3, 12),
        address=f"样本省样本市第{seed:04d}号暗巷",
        issuer="样本市公安局",
        valid_from=date(2010, 5, 1),
        valid_to=None,
    )


class FakeClock:
    """Moves when told."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 1000.0 + self.passed


class HandLanes:
    """Jobs run when told, lane by lane; a held lane keeps its jobs."""

    def __init__(self) -> None:
        self.waiting: dict[Lane, deque[Callable[[], None]]] = {lane: deque() for lane in Lane}
        self.held: set[Lane] = set()

    def run(self, lane: Lane, job: Callable[[], None]) -> None:
        self.waiting[lane].append(job)

    def stop(self) -> None:
        while any(self.waiting.values()):
            for jobs in self.waiting.values():
                while jobs:
                    jobs.popleft()()

    def one(self, lane: Lane) -> bool:
        """The next job of a lane."""
        if not self.waiting[lane]:
            return False
        self.waiting[lane].popleft()()
        return True

    def free(self) -> bool:
        """One job of every lane that is not held; True if there was any."""
        return [self.one(lane) for lane in Lane if lane not in self.held].count(True) > 0


@dataclass
class Kept:
    """What the outbox holds."""

    sealed: SealedSubmission
    card_tag: bytes
    slip: bytes
    state: SubmissionState = SubmissionState.SEALED


@dataclass
class MemoryOutbox:
    """A queue without a disk. `faults` are given one a call before anything is done."""

    clock: FakeClock
    ledger: MemoryLedger
    link: Link = Link.UP
    accepting: bool = True
    faults: deque[StoreFault] = field(default_factory=deque)
    lose_answers: int = 0
    """So many puts are kept but not answered."""
    kept: dict[str, Kept] = field(default_factory=dict)
    tried: list[tuple[str, bytes]] = field(default_factory=list)
    serial: int = 0
    help: HelpCall | None = None
    calls: list[datetime] = field(default_factory=list)
    left: list[frozenset[PaperKind]] = field(default_factory=list)
    """What the hall was told of papers that nobody took."""
    deaf: bool = False
    """The queue process is away when somebody calls for help."""

    def call_help(self, at: datetime) -> Result[None, StoreError]:
        self.calls.append(at)
        if self.deaf:
            return Err(StoreError(StoreFault.STORE_DOWN))
        if self.help is None or self.help.at != at:
            self.help = HelpCall(at, HelpState.WAITING)
        return Ok(None)

    def papers_left(self, papers: frozenset[PaperKind]) -> Result[None, StoreError]:
        self.left.append(papers)
        return Ok(None)

    def staff(self, state: HelpState) -> None:
        """The call gets that far."""
        assert self.help is not None
        self.help = replace(self.help, state=state)

    def reserve_number(self) -> Result[str, StoreError]:
        if self.faults:
            return Err(StoreError(self.faults.popleft()))
        self.serial += 1
        return Ok(str(ApplicationNumber("440699", date(2026, 11, 22), "T001", self.serial)))

    def put(self, sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> Result[None, StoreError]:
        self.tried.append((sealed.id, sealed.envelope))
        if self.faults:
            return Err(StoreError(self.faults.popleft()))
        known = self.kept.get(sealed.id)
        if known is not None and known.sealed != sealed:
            return Err(StoreError(StoreFault.CONFLICT))
        if sealed.id not in self.kept:
            self.kept[sealed.id] = Kept(sealed, card_tag, slip)
            self.ledger.papers[sealed.id] = Paper(
                PrintEntry(sealed.id, PaperKind.RECEIPT, 1, PrintState.INTENDED), card_tag
            )
        if self.lose_answers:
            self.lose_answers -= 1
            return Err(StoreError(StoreFault.STORE_DOWN))
        return Ok(None)

    def owed(self, card_tag: bytes) -> Result[tuple[Owed, ...], StoreError]:
        if self.faults:
            return Err(StoreError(self.faults.popleft()))
        return Ok(
            tuple(
                Owed(id_, kept.sealed.application_no, self.ledger.state(id_), kept.slip)
                for id_, kept in self.kept.items()
                if kept.card_tag == card_tag and self.ledger.state(id_) is not PrintState.PROVEN
            )
        )

    def state(self, submission_id: str) -> Result[SubmissionState, StoreError]:
        kept = self.kept.get(submission_id)
        return Ok(kept.state if kept else SubmissionState.ABSENT)

    def status(self) -> QueueStatus:
        return QueueStatus(
            self.link, len(self.kept), 0, 0, self.accepting, help=self.help, sheets_ready=self.ledger.sheets_left
        )

    def deliver(self) -> None:
        """The hall has everything."""
        for kept in self.kept.values():
            kept.state = SubmissionState.ACCEPTED

    def submission(self) -> Submission:
        """The only one."""
        (kept,) = self.kept.values()
        return Submission.model_validate_json(kept.sealed.envelope.removeprefix(b"sealed:"))


@dataclass
class MemorySeal:
    """A seal anybody can open, and that knows when it is closed."""

    closed: bool = False

    def seal_blob(self, submission_id: str, data: bytes) -> bytes:
        assert not self.closed
        return submission_id.encode() + data[::-1]

    def seal(self, submission: Submission, blobs: tuple[bytes, ...]) -> SealedSubmission:
        assert not self.closed
        return SealedSubmission(
            submission.id,
            submission.application_no,
            b"sealed:" + submission.model_dump_json().encode(),
            blobs,
            submission.corrects,
        )

    def close(self) -> None:
        self.closed = True


@dataclass
class MemorySealer:
    """Remembers its sessions."""

    sessions: list[MemorySeal] = field(default_factory=list)

    def open_session(self) -> MemorySeal:
        self.sessions.append(MemorySeal())
        return self.sessions[-1]

    def sign_receipt(self, application_no: str, submission_sha256: str, at: datetime) -> str:
        return f"ZZ1:{application_no}:{submission_sha256[:8]}"


class MemoryCardKeys:
    """A tag a card."""

    def tag(self, card: IdCard) -> bytes:
        return hashlib.sha256(card.id_number.encode()).digest()

    def seal(self, card: IdCard, data: bytes) -> bytes:
        return self.tag(card) + data

    def open(self, card: IdCard, sealed: bytes) -> Result[bytes, StoreError]:
        if sealed[:32] != self.tag(card):
            return Err(StoreError(StoreFault.BROKEN))
        return Ok(sealed[32:])


@dataclass
class Wire:
    """A device's status."""

    kind: DeviceKind
    seen: DeviceStatus

    def status(self) -> DeviceStatus:
        return self.seen

    def listen(self, listener: Callable[..., None]) -> None:
        raise AssertionError("the stage tells of device events itself")


@dataclass
class MemoryReader(Wire):
    """A reader with a card on it, or none."""

    card: IdCard | Fault = Fault.NO_CARD

    def read(self) -> Result[IdCard, DeviceError]:
        return Err(DeviceError(self.card)) if isinstance(self.card, Fault) else Ok(self.card)


@dataclass
class MemoryReceiptPrinter(Wire):
    """Prints into a list; `faults` are given one a job."""

    faults: deque[Fault] = field(default_factory=deque)
    slips: list[Receipt] = field(default_factory=list)

    def print(self, receipt: Receipt) -> Result[PrintProof, DeviceError]:
        if self.faults:
            return Err(DeviceError(self.faults.popleft()))
        self.slips.append(receipt)
        return Ok(PrintProof(receipt.job, 1))


@dataclass
class MemoryPagePrinter(Wire):
    """Prints into a list, one job once."""

    faults: deque[Fault] = field(default_factory=deque)
    pages: list[Document] = field(default_factory=list)
    fates: deque[JobFate | Fault] = field(default_factory=deque)
    """Told one a question; when there is none left, the truth."""
    asked: list[tuple[str, float | None]] = field(default_factory=list)

    def print(self, document: Document) -> Result[PrintProof, DeviceError]:
        if self.faults:
            return Err(DeviceError(self.faults.popleft()))
        if all(document.job != one.job for one in self.pages):
            self.pages.append(document)
        return Ok(PrintProof(document.job, document.pages))

    def fate(self, job: str, *, age_s: float | None = None) -> Result[JobFate, DeviceError]:
        self.asked.append((job, age_s))
        if self.fates:
            told = self.fates.popleft()
            return Err(DeviceError(told)) if isinstance(told, Fault) else Ok(told)
        return Ok(JobFate.PRINTED if any(page.job == job for page in self.pages) else JobFate.NOT_PRINTED)


@dataclass
class MemoryCamera(Wire):
    """Sees one page."""

    live: bool = False
    shots: deque[Fault | str] = field(default_factory=deque)
    """What comes next: a fault, or the advice of a shot; a good one when empty."""
    start_fault: Fault | None = None

    def start_preview(self) -> Result[None, DeviceError]:
        if self.start_fault:
            return Err(DeviceError(self.start_fault))
        self.live = True
        return Ok(None)

    def stop_preview(self) -> Result[None, DeviceError]:
        self.live = False
        return Ok(None)

    def capture(self) -> Result[Shot, DeviceError]:
        next_one = self.shots.popleft() if self.shots else "ok"
        if isinstance(next_one, Fault):
            return Err(DeviceError(next_one))
        return Ok(Shot(JPEG + b"original", JPEG, 100, 140, next_one))


@dataclass
class MemorySlot(Wire):
    """A contact slot with a card in it, or none."""

    card: SocialCard | Fault = Fault.NO_CARD

    def read(self) -> Result[SocialCard, DeviceError]:
        return Err(DeviceError(self.card)) if isinstance(self.card, Fault) else Ok(self.card)


@dataclass
class MemoryBoard(Wire):
    """Lamps that remember."""

    lamps: dict[Lamp, LampState] = field(default_factory=dict)

    def inputs(self) -> SiteInputs:
        return SiteInputs()

    def light(self, lamp: Lamp, state: LampState) -> Result[None, DeviceError]:
        self.lamps[lamp] = state
        return Ok(None)


@dataclass
class MemoryDrafts:
    """A drawer; full when told so."""

    kept: dict[tuple[bytes, str], bytes] = field(default_factory=dict)
    fault: StoreFault | None = None
    asked: int = 0

    def keep(self, tag: bytes, slot: str, sealed: bytes) -> Result[None, StoreError]:
        self.asked += 1
        if self.fault is not None:
            return Err(StoreError(self.fault))
        self.kept.pop((tag, slot), None)
        self.kept[tag, slot] = sealed
        return Ok(None)

    def load(self, tag: bytes) -> tuple[bytes, ...]:
        return tuple(reversed([sealed for (owner, _slot), sealed in self.kept.items() if owner == tag]))

    def drop(self, tag: bytes, slot: str) -> None:
        self.kept.pop((tag, slot), None)


class MemoryCodes:
    """Codes are JSON here."""

    def read(self, text: str) -> KnownCode | None:
        try:
            return KnownCode(**json.loads(text))
        except (ValueError, TypeError):
            return None


@dataclass
class Matters:
    """What the hall holds of a person."""

    applications: tuple[ApplicationSummary, ...] = ()
    licences: tuple[LicenceSummary, ...] = ()
    former: dict[str, FormerAnswers] = field(default_factory=dict)
    """By 受理号."""


@dataclass
class MemoryPerson:
    """One citizen at the hall."""

    hall: MemoryHall
    number: str
    closed: bool = False

    def _ask(self, answer: Callable[[], V]) -> Result[V, HallError]:
        assert not self.closed
        if self.hall.fault is not None:
            return Err(HallError(self.hall.fault))
        return Ok(answer())

    def applications(self) -> Result[tuple[ApplicationSummary, ...], HallError]:
        return self._ask(lambda: self.hall.matters[self.number].applications)

    def former_answers(self, application_no: str) -> Result[FormerAnswers, HallError]:
        former = self.hall.matters[self.number].former.get(application_no)
        return self._ask(lambda: former) if former is not None else Err(HallError(HallFault.REFUSED))

    def licences(self) -> Result[tuple[LicenceSummary, ...], HallError]:
        return self._ask(lambda: self.hall.matters[self.number].licences)

    def issue(
        self, *, request_id: str, item_code: str, item_version: int, answers: dict[str, Any]
    ) -> Result[PrintableDocument, HallError]:
        return self._ask(lambda: self.hall.document(request_id, self.number))

    def print_job(self, *, request_id: str, licence_id: str) -> Result[PrintableDocument, HallError]:
        return self._ask(lambda: self.hall.document(request_id, self.number))

    def reopen_job(self, *, job_id: str) -> Result[PrintableDocument, HallError]:
        return self._ask(lambda: next(job for job in self.hall.jobs.values() if job.job_id == job_id))

    def close(self) -> None:
        self.closed = True


@dataclass
class MemoryHall:
    """The hall, up or down."""

    fault: HallFault | None = None
    matters: dict[str, Matters] = field(default_factory=dict)
    persons: list[MemoryPerson] = field(default_factory=list)
    jobs: dict[str, PrintableDocument] = field(default_factory=dict)
    paper: PaperName = "plain"

    def open_person(self, proof: IdentityProof) -> Result[PersonGateway, HallError]:
        if self.fault is not None:
            return Err(HallError(self.fault))
        self.matters.setdefault(proof.id_number, Matters())
        self.persons.append(MemoryPerson(self, proof.id_number))
        return Ok(self.persons[-1])

    def document(self, request_id: str, number: str) -> PrintableDocument:
        return self.jobs.setdefault(
            request_id,
            PrintableDocument(
                f"job-{len(self.jobs) + 1}", "证明", b"%PDF-" + number.encode(), 1, "L1", "证1", self.paper
            ),
        )


def licence(**changes: Any) -> LicenceSummary:
    """A residence permit."""
    return LicenceSummary(
        **{
            "id": "L-1",
            "type_name": "居住证",
            "number": "粤0001",
            "issuer": "公安局",
            "holder": "欧***",
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
            "printable": True,
            "usable": True,
            "fields": {},
            **changes,
        }
    )


_MOUTHS = {
    DeviceKind.ID_CARD: {"media": MediaState.ABSENT},
    DeviceKind.RECEIPT: {"paper": Level.FULL},
    DeviceKind.PAGE: {"paper": Level.FULL, "toner": Level.FULL},
    DeviceKind.CAMERA: {},
    DeviceKind.SOCIAL_CARD: {"media": MediaState.ABSENT},
    DeviceKind.SCANNER: {},
    DeviceKind.SITE_IO: {},
}


class Stage:
    """The terminal with its doors open: what a citizen does, what she sees, what the world does to it."""

    def __init__(self, *, bundle: Bundle | None = None) -> None:
        self.clock = FakeClock()
        self.lanes = HandLanes()
        self.ledger = MemoryLedger(self.clock)
        self.outbox = MemoryOutbox(self.clock, self.ledger)
        self.sealer = MemorySealer()
        self.drafts = MemoryDrafts()
        self.hall = MemoryHall()
        well = {kind: DeviceStatus(kind=kind, state=DeviceState.ONLINE, **mouth) for kind, mouth in _MOUTHS.items()}
        self.reader = MemoryReader(DeviceKind.ID_CARD, well[DeviceKind.ID_CARD])
        self.receipt = MemoryReceiptPrinter(DeviceKind.RECEIPT, well[DeviceKind.RECEIPT])
        self.page = MemoryPagePrinter(DeviceKind.PAGE, well[DeviceKind.PAGE])
        self.camera = MemoryCamera(DeviceKind.CAMERA, well[DeviceKind.CAMERA])
        self.slot = MemorySlot(DeviceKind.SOCIAL_CARD, well[DeviceKind.SOCIAL_CARD])
        self.scanner = Wire(DeviceKind.SCANNER, well[DeviceKind.SCANNER])
        self.board = MemoryBoard(DeviceKind.SITE_IO, well[DeviceKind.SITE_IO])
        self.bundle = _bundle() if bundle is None else bundle
        self.snapshots: list[Snapshot] = []
        self.events: list[Event] = []
        self.crashes: list[BaseException] = []
        self.start()

    def start(self) -> None:
        """The screen comes up; after a crash, with all that is outside as it was."""
        self.lanes = HandLanes()
        self._random = 0
        self.terminal = self.build(clock=self.clock, lanes=self.lanes, on_crash=self._crash)
        self.terminal.begin()
        self.settle()

    def build(self, **changes: Any) -> Terminal:
        """A terminal on these ports."""
        return Terminal(
            ports=Ports(
                outbox=self.outbox,
                ledger=self.ledger,
                sealer=self.sealer,
                card_keys=MemoryCardKeys(),
                hall=self.hall,
                assistance=self.outbox,
                id_card=self.reader,
                receipt=self.receipt,
                page=self.page,
                camera=self.camera,
                codes=MemoryCodes(),
                drafts=self.drafts,
                social_card=self.slot,
                scanner=self.scanner,
                site_io=self.board,
            ),
            bundle=lambda: self.bundle,
            settings=TerminalSettings("T001", "440699", "样本村", "一号机"),
            on_snapshot=self.snapshots.append,
            on_event=self.events.append,
            random_bytes=self._random_bytes,
            **changes,
        )

    def _crash(self, error: BaseException) -> None:
        raise error

    def _random_bytes(self, count: int) -> bytes:
        self._random += 1
        seed = f"{len(self.snapshots)}/{self._random}".encode()
        return hashlib.shake_128(seed).digest(count)

    # --- what the world does

    def settle(self) -> Stage:
        """Until nothing is left to do."""
        for _ in range(200):
            self.terminal.step()
            if not self.lanes.free():
                self.terminal.step()
                if not any(self.lanes.waiting[lane] for lane in Lane if lane not in self.lanes.held):
                    return self
        raise AssertionError("the terminal does not come to rest")

    def wait(self, seconds: float) -> Stage:
        """Time passes, a quarter of a second at once."""
        for _ in range(round(seconds * 4)):
            self.clock.passed += 0.25
            self.settle()
        return self

    def hold(self, *lanes: Lane) -> Stage:
        """What is asked of these takes its time."""
        self.lanes.held |= set(lanes)
        return self

    def release(self) -> Stage:
        """Now it goes on."""
        self.lanes.held.clear()
        return self.settle()

    def device(self, kind: DeviceKind, **changes: Any) -> Stage:
        """A device tells of a new state."""
        device = {
            DeviceKind.ID_CARD: self.reader,
            DeviceKind.RECEIPT: self.receipt,
            DeviceKind.PAGE: self.page,
            DeviceKind.CAMERA: self.camera,
            DeviceKind.SOCIAL_CARD: self.slot,
            DeviceKind.SCANNER: self.scanner,
            DeviceKind.SITE_IO: self.board,
        }[kind]
        device.seen = replace(device.seen, **changes)
        self.terminal.device_event(StatusChanged(device.seen))
        return self.settle()

    def network(self, link: Link) -> Stage:
        """The cable."""
        self.outbox.link = link
        self.hall.fault = None if link is Link.UP else HallFault.UNREACHABLE
        return self.wait(1.25)

    # --- what the citizen does

    def touch(self, *intents: Any) -> Stage:
        """One touch after the other."""
        for intent in intents:
            self.terminal.dispatch(intent)
            self.settle()
        return self

    def put(self, card: IdCard | Fault) -> Stage:
        """Her card on the reader (or something that cannot be read)."""
        self.reader.card = card
        self.terminal.device_event(CardPresented())
        return self.settle()

    def lift(self) -> Stage:
        """Her card away."""
        self.reader.card = Fault.NO_CARD
        self.terminal.device_event(CardLifted())
        return self.settle()

    def insert(self, card: SocialCard | Fault) -> Stage:
        """Something into the contact slot."""
        self.slot.card = card
        self.terminal.device_event(SocialCardPresented())
        return self.settle()

    def pull(self) -> Stage:
        """And out again."""
        self.slot.card = Fault.NO_CARD
        self.terminal.device_event(SocialCardLifted())
        return self.settle()

    def scan(self, **code: Any) -> Stage:
        """A code under the scanner."""
        self.terminal.device_event(CodeScanned(json.dumps(code)))
        return self.settle()

    def feel(self, **inputs: Any) -> Stage:
        """The cabinet feels this."""
        self.terminal.device_event(SiteChanged(SiteInputs(**inputs)))
        return self.settle()

    def to_check(self, card: IdCard) -> Stage:
        """All the way to check-answers of the residence permit, its permit reused."""
        self.hall.matters[card.id_number] = Matters(licences=(licence(),))
        self.touch(Start()).put(card)
        self.touch(OpenTile(PERMIT["code"]), Begin(), Next(), SetAnswer("same", True), Next())
        self.touch(SetAnswer("reason", "work"), SetAnswer("employer", "样本厂"), Next())
        self.touch(SetAnswer("phone", "13800000000"), Next(), ReuseLicence("permit", "L-1"), Next())
        return self

    # --- what she sees

    @property
    def view(self) -> View:
        return self.snapshots[-1].view

    @property
    def chrome(self) -> Chrome:
        return self.snapshots[-1].chrome

    def sees(self, kind: type[V]) -> V:
        """The page, which must be of this kind."""
        assert isinstance(self.view, kind), f"sees {self.view!r}"
        return self.view

    def notice(self) -> str:
        """The notice on the page, by its code."""
        told = getattr(self.view, "notice", None) or getattr(self.view, "reason", None)
        return told.code.value if told else ""

    def logged(self) -> list[str]:
        """Names of what was logged."""
        return [event.name.value for event in self.events]

    def all_shown(self, since: int = 0) -> str:
        """Every snapshot as text."""
        return repr([(one.view, one.chrome) for one in self.snapshots[since:]])


@pytest.fixture
def stage() -> Stage:
    """A terminal in good health, nobody there."""
    return Stage()


@pytest.fixture
def make_stage() -> Callable[..., Stage]:
    """For tests that need several."""
    return Stage


@pytest.fixture
def live_terminal(stage: Stage) -> Iterator[tuple[Terminal, Stage]]:
    """A terminal on real threads and the stage's ports; only the clock stands."""
    stage.snapshots.clear()
    terminal = stage.build(clock=stage.clock, on_crash=stage.crashes.append, delays=Delays(tick=0.01))
    yield terminal, stage
    terminal.stop()


@pytest.fixture
def xiu() -> IdCard:
    """A citizen."""
    return make_person(0)


@pytest.fixture
def bo() -> IdCard:
    """Another one."""
    return make_person(1)


@pytest.fixture
def person() -> Callable[[int], IdCard]:
    """As many as needed."""
    return make_person


@pytest.fixture
def social_card() -> Callable[..., SocialCard]:
    """Somebody's 社保卡."""
    return make_social_card


@pytest.fixture
def held_licence() -> Callable[..., LicenceSummary]:
    """A licence at the hall."""
    return licence


@pytest.fixture
def matters() -> Callable[..., Matters]:
    """What the hall holds of somebody."""
    return Matters


@pytest.fixture
def codes() -> dict[str, str]:
    """Item codes by nickname."""
    return {
        "permit": PERMIT["code"],
        "proof": PROOF["code"],
        "ask": ASK["code"],
        "shoot": SHOOT["code"],
        "social": SOCIAL["code"],
    }
