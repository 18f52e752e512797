"""Where the citizen is, and the item she is doing there. Frozen, without words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from kiosk.contract.person import LicenceSummary
from kiosk.contract.submission import Consent
from kiosk.core.answers import Answers
from kiosk.core.item import Item
from kiosk.core.ports import Document, KnownCode, Shot
from kiosk.core.print_ledger import VoidReason
from kiosk.core.receipt import Receipt
from kiosk.core.views import Notice, Step
from kiosk.services.effects import FetchLicencePages, IssueCertificate, ReopenJob
from kiosk.services.messages import SealedFiling
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
    corrects: str = ""
    """补正: the number of the case that this corrects; empty for a first filing."""
    wanted: str = field(default="", repr=False)
    """What the department wants of it, in its own words."""
    sealed: SealedFiling | None = field(default=None, repr=False)
    """It was submitted and sealed: from now on every try must write down exactly these bytes."""

    @property
    def matter(self) -> str:
        """What a draft of it is found by, see `kiosk.services.draft.Draft`."""
        return self.corrects or self.item.code


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
    number: str = field(default="", repr=False)
    """受理号 that she wants to see first."""


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
    delivered_on: date | None = None
    """The day on which the hall was heard to have it; None: not yet."""
    denied: bool = False
    """She has said that the try before did not come out; the ledger hears it with the next one."""
    recovered: bool = False
    steps: tuple[Step, ...] = ()
    """Of the journey that ended here; none when recovered."""

    @property
    def delivered(self) -> bool:
        """The hall has it."""
        return self.delivered_on is not None


@dataclass(frozen=True, slots=True)
class AtSpace:
    """我的空间."""

    tab: Literal["applications", "licences"]
    notice: Notice | None = None
    number: str = field(default="", repr=False)
    """受理号 that stands first."""
    correcting: str = field(default="", repr=False)
    """受理号 of the case whose former answers are being asked for."""


@dataclass(frozen=True, slots=True)
class AtCode:
    """A code was held under the scanner."""

    code: KnownCode = field(repr=False)


PagePhase = Literal["fetching", "printing", "done", "failed", "unproven", "waiting_paper"]


@dataclass(frozen=True, slots=True)
class AtPrint:
    """A page on its way to the tray. `order` fetches it; the same order again fetches the same document."""

    title: str
    """Empty: a page of before, which is asked about."""
    order: IssueCertificate | FetchLicencePages | ReopenJob = field(repr=False)
    origin: AtSpace | AtCheck | AtHome
    phase: PagePhase
    document: Document | None = field(default=None, repr=False)
    job: str = ""
    """Its number in the print ledger, and the document's name at the printer."""
    hall_job: str = ""
    numbered: bool = False
    pages: int = 0
    retry_at: float | None = None
    """See `AtDone.retry_at`."""
    notice: Notice | None = None
    spoiled: VoidReason | None = None
    """It came out and is of no use, and the ledger has not taken that yet."""


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
    | AtCode
    | AtPrint
    | AtSlip
)
