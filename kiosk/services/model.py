"""The state of the terminal: frozen, without words and without anything but data.

`Model` is the machine as a whole and outlives every citizen. `Visit` is one citizen's session: ending it means that
this one object is dropped, and with it everything personal. Work that must not be lost when she leaves (a sealed
filing on its way to the disk, a page in the printer) stands in the model and holds nothing readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from kiosk.contract.person import ApplicationSummary, LicenceSummary
from kiosk.contract.submission import Consent
from kiosk.core.answers import Answers
from kiosk.core.devices import DeviceKind, DeviceStatus
from kiosk.core.item import Item
from kiosk.core.ports import Document, Link, QueueStatus, ReceiptState, Shot
from kiosk.core.receipt import Receipt
from kiosk.core.session import Session
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.effects import FetchLicencePages, IssueCertificate, Put
from kiosk.services.messages import OwedSlip, SealedFiling
from kiosk.services.slips import StoredSlip

# --- one item being done -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReusedLicence:
    """A held licence stands for this material; her yes to this one use."""

    licence: LicenceSummary
    consent: Consent


@dataclass(frozen=True, slots=True)
class CapturedPage:
    """A page taken with the document camera."""

    shot: Shot = field(repr=False)
    at: datetime


HeldMaterial = ReusedLicence | CapturedPage


@dataclass(frozen=True, slots=True)
class Flow:
    """One item on its way (办理): answers and materials so far."""

    item: Item
    bundle: int
    answers: Answers = field(default_factory=Answers)
    held: Mapping[str, HeldMaterial] = field(default_factory=dict, repr=False)
    """By material id."""
    checked: Answers | None = field(default=None, repr=False)
    """The answers as they were on check-answers, while one of them is being changed."""
    sealed: SealedFiling | None = field(default=None, repr=False)
    """It was submitted and sealed: from now on every try must write down exactly these bytes."""


# --- where the citizen is ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtHome:
    """What would you like to do today?"""


@dataclass(frozen=True, slots=True)
class AtSearch:
    """Looking for an item: by words, or through a theme (主题)."""

    query: str
    theme: str = ""


@dataclass(frozen=True, slots=True)
class AtGuide:
    """办事指南."""

    code: str
    origin: AtHome | AtSearch
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class ToItem:
    """The card is wanted for this item."""

    guide: AtGuide


@dataclass(frozen=True, slots=True)
class ToSpace:
    """The card is wanted for 我的空间."""

    tab: Literal["applications", "licences"]


@dataclass(frozen=True, slots=True)
class ToHome:
    """She began with her card, and it was not read."""


@dataclass(frozen=True, slots=True)
class AtPutCard:
    """Put your card on the reader."""

    goal: ToItem | ToSpace | ToHome


@dataclass(frozen=True, slots=True)
class AtQuestion:
    """One thing a page."""

    page: str
    errors: tuple[tuple[str, Notice], ...] = ()
    """By field id."""


@dataclass(frozen=True, slots=True)
class AtExit:
    """An exit page: it goes on at a window."""

    page: str


@dataclass(frozen=True, slots=True)
class AtMaterials:
    """Which papers."""

    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class AtCapture:
    """Under the camera."""

    material: str
    phase: Literal["live", "shooting", "review", "down"]
    shot: Shot | None = field(default=None, repr=False)
    advice: str = ""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class AtCheck:
    """核对确认."""

    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class AtSending:
    """Submit was pressed; `filing` is the id minted for it."""

    filing: str
    deadline: float
    """Monotonic: no number by then, and she is told."""
    retry_at: float | None = None
    """Monotonic: asks for a number again then. None: it is on its way."""


ReceiptPhase = Literal["printing", "printed", "failed", "unproven", "waiting_paper"]


@dataclass(frozen=True, slots=True)
class AtDone:
    """It is filed."""

    filing: str
    application_no: str
    slip: StoredSlip | None = field(repr=False)
    """None: the stored slip of a recovered filing could not be opened."""
    phase: ReceiptPhase
    poll_at: float = 0.0
    """Monotonic: ask then whether the hall has it."""
    print_at: float | None = None
    """Monotonic: the receipt waits a moment to be able to say that the hall has it. None: it waits no more."""
    retry_at: float | None = None
    """Monotonic: paper is awaited, and from then on tried for even if nobody told of the refill."""
    delivered: bool = False
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class AtSpace:
    """我的空间."""

    tab: Literal["applications", "licences"]
    notice: Notice | None = None


PagePhase = Literal["fetching", "printing", "done", "failed", "unproven", "waiting_paper"]


@dataclass(frozen=True, slots=True)
class AtPrint:
    """A page on its way to the tray. `order` fetches it; the same order again fetches the same document."""

    title: str
    order: IssueCertificate | FetchLicencePages = field(repr=False)
    origin: AtSpace | AtCheck
    phase: PagePhase
    document: Document | None = field(default=None, repr=False)
    pages: int = 0
    retry_at: float | None = None
    """See `AtDone.retry_at`."""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class AtSlip:
    """到窗口办理."""

    item_name: str
    receipt: Receipt
    origin: Place
    phase: Literal["printing", "done", "failed"]
    reason: Notice | None = None


Place = (
    AtHome
    | AtSearch
    | AtGuide
    | AtPutCard
    | AtQuestion
    | AtExit
    | AtMaterials
    | AtCapture
    | AtCheck
    | AtSending
    | AtDone
    | AtSpace
    | AtPrint
    | AtSlip
)


# --- the citizen's session ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """Something asked of the hall. Not asked: neither value nor fault."""

    loading: bool = False
    fault: NoticeCode | None = None
    known: bool = False


@dataclass(frozen=True, slots=True)
class CardGone:
    """The card was lifted in the middle of something: the screen is locked until it is back, or this is over."""

    since: float
    """Monotonic."""
    notice: Notice


@dataclass(frozen=True, slots=True)
class Visit:
    """One citizen's session."""

    generation: int
    session: Session = field(repr=False)
    last_touch: float
    """Monotonic."""
    place: Place = field(default_factory=AtHome)
    reading: bool = False
    """A card lies there and is being read."""
    card_notice: Notice | None = None
    """Why the card that was put down cannot be used."""
    gone: CardGone | None = None
    flow: Flow | None = field(default=None, repr=False)
    licences: tuple[LicenceSummary, ...] = field(default=(), repr=False)
    licences_asked: Fetched = Fetched()
    applications: tuple[ApplicationSummary, ...] = field(default=(), repr=False)
    applications_asked: Fetched = Fetched()
    owed: tuple[OwedSlip, ...] = field(default=(), repr=False)
    """Still to be shown."""


# --- the machine -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filing:
    """A sealed filing on its way to the disk. Goes on when the citizen leaves; nobody here can read it."""

    put: Put
    deadline: float
    """Monotonic: after it the citizen is told, and decides; with nobody there it is given up."""
    in_flight: bool = True
    retry_at: float | None = None
    """Monotonic. Neither this nor in flight: it waits for the citizen to say "again"."""


@dataclass(frozen=True, slots=True)
class PendingMark:
    """A mark in the print ledger that the queue has not confirmed yet."""

    filing: str
    state: ReceiptState
    deadline: float
    retry_at: float | None = None
    """None while it is being written."""


@dataclass(frozen=True, slots=True)
class PageJob:
    """A page in the printer, to be reported to the hall whoever stands in front."""

    generation: int
    job_id: str
    pages: int
    in_flight: bool
    """False: the printer has answered and the citizen is asked, or paper is awaited."""
    outcome: str = "unknown"
    fault: str = ""


UNKNOWN_QUEUE = QueueStatus(link=Link.UNKNOWN, pending=0, parked=0, oldest_unsent_s=0, accepting=True)


@dataclass(frozen=True, slots=True)
class Model:
    """The terminal."""

    devices: Mapping[DeviceKind, DeviceStatus] = field(default_factory=dict)
    queue: QueueStatus = UNKNOWN_QUEUE
    queue_asked_at: float | None = None
    card_present: bool = False
    card_epoch: int = 0
    """Grows with every put and lift."""
    card_left: bool = False
    """The card that lies there belongs to a session that is over."""
    generation: int = 0
    """Of the current session, or the last one."""
    visit: Visit | None = None
    filings: tuple[Filing, ...] = ()
    marks: tuple[PendingMark, ...] = ()
    page_jobs: tuple[PageJob, ...] = ()
    help_until: float | None = None
