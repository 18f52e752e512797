"""The state of the terminal: frozen, without words and without anything but data.

`Model` is the machine as a whole and outlives every citizen. `Visit` is one citizen's session: ending it means that
this one object is dropped, and with it everything personal. Work that must not be lost when she leaves (a sealed
filing on its way to the disk, a page in the printer) stands in the model and holds nothing readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kiosk.contract.person import ApplicationSummary, LicenceSummary
from kiosk.contract.promise import PromiseLevel
from kiosk.core.devices import DeviceKind, DeviceStatus, Lamp, LampState, SiteInputs
from kiosk.core.ports import HelpCall, Link, QueueStatus
from kiosk.core.print_ledger import PaperKind, PrintEntry
from kiosk.core.session import Session
from kiosk.core.social_card import SocialCard
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.draft import Draft
from kiosk.services.effects import Note, Put
from kiosk.services.messages import OwedSlip
from kiosk.services.places import AtHome, Flow, Place

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
    other: bool = False
    """Another card lay there since, as far as anybody can tell: only hers brings her page back."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What came of the card in the contact slot."""

    epoch: int = 0
    """The card that was tried last."""
    reading: bool = False
    notice: Notice | None = None


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
    drafts: tuple[Draft, ...] = field(default=(), repr=False)
    """Begun here before and not filed, newest first."""
    declined: bool = False
    """She said 不要了 to one of them: the others wait where their items begin."""
    corrected: frozenset[str] = field(default=frozenset(), repr=False)
    """Cases that she has sent a correction for in this visit."""
    kept: Flow | None = field(default=None, repr=False)
    """The flow as its draft was kept last, or as a correction was opened: there is nothing new in it."""
    resumed: Place | None = field(default=None, repr=False)
    """Where she went on with a draft: it is said there."""
    social_card: SocialCard | None = field(default=None, repr=False)
    """Hers, read from the contact slot."""
    social: Slot = Slot()
    owed: tuple[OwedSlip, ...] = field(default=(), repr=False)
    """Still to be shown."""
    open_pages: tuple[PrintEntry, ...] = ()
    """Still to be asked about: did they come out?"""


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
class PendingNote:
    """A word for the print ledger that the queue has not confirmed yet."""

    note: Note
    patient_until: float
    """Monotonic: later tries are rarer, and the first of them is logged."""
    retry_at: float | None = None
    """None while it is being written."""
    late: bool = False


@dataclass(frozen=True, slots=True)
class LostPage:
    """A page of before this program was started; the printer is asked for it, and a person if that does not help."""

    job: str
    pages: int
    sent_at: datetime | None
    ask_at: float | None
    """Monotonic; None while it is being asked."""
    deadline: float
    """Monotonic: without a word of the printer by then, its end counts as unknown. The printer is asked on."""
    untold: bool = False
    """That it counts as unknown has been said."""


@dataclass(frozen=True, slots=True)
class InMouth:
    """A paper that came out and was not taken yet, as far as there is a sensor."""

    since: float
    """Monotonic."""
    seen: bool = False
    """The sensor has felt it."""
    alarmed: bool = False
    """It lies there too long."""
    left: bool = False
    """Whoever it belongs to has gone."""
    noted: bool = False
    """The next one has said that she knows."""


UNKNOWN_QUEUE = QueueStatus(link=Link.UNKNOWN, pending=0, parked=0, oldest_unsent_s=0, accepting=True)


@dataclass(frozen=True, slots=True)
class Model:
    """The terminal."""

    devices: Mapping[DeviceKind, DeviceStatus] = field(default_factory=dict)
    queue: QueueStatus = UNKNOWN_QUEUE
    promise: PromiseLevel = PromiseLevel.NONE
    """How near the twelve hours the oldest unsent submission is, as last told."""
    queue_asked_at: float | None = None
    card_present: bool = False
    card_epoch: int = 0
    """Grows with every put and lift."""
    social_present: bool = False
    social_left: bool = False
    """The card in the slot was there when a session ended."""
    social_epoch: int = 0
    """Grows with every card put into the contact slot."""
    card_left: bool = False
    """The card that lies there belongs to a session that is over."""
    generation: int = 0
    """Of the current session, or the last one."""
    visit: Visit | None = None
    filings: tuple[Filing, ...] = ()
    notes: tuple[PendingNote, ...] = ()
    printing: frozenset[str] = frozenset()
    """Numbers of the pages that this program has handed to the printer and waits for."""
    lost_pages: tuple[LostPage, ...] | None = None
    """None: the ledger has not told yet."""
    lost_asked_at: float | None = None
    """Monotonic; when the ledger was asked last."""
    mouths: Mapping[PaperKind, InMouth] = field(default_factory=dict)
    """Papers that wait to be taken."""
    papers_told: tuple[frozenset[PaperKind], float] = (frozenset(), 0.0)
    """Papers left behind as the hall was told last, and when (monotonic)."""
    help: HelpCall | None = None
    """Somebody here wants help, whoever she is; stays when she leaves, for somebody is on the way."""
    help_until: float | None = None
    """Monotonic: staff know, and it has been said long enough."""
    site: SiteInputs = field(default_factory=SiteInputs)
    """What the cabinet feels; nothing is known of a cabinet without an I/O board."""
    lamps: Mapping[Lamp, LampState] = field(default_factory=dict)
    """As they were switched last; none is known of a board that was away."""
    large_text: bool = False
    """大字版: whoever needs it gets more time."""
