"""What the terminal shows: one frozen snapshot per screen. Services make them, screens draw them, nobody else decides.

Words that belong to an item come from its document; every other sentence is chosen in `screens/locale` by the codes
here (Notice.code, enum values), so that a snapshot is free of any language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from kiosk.contract.bundle import Window
from kiosk.contract.person import ApplicationSummary, LicenceSummary
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.print_ledger import PaperKind


class NoticeCode(StrEnum):
    """Trouble and news the citizen must hear; each has a sentence for what happened and what to do next."""

    CARD_READ_FAILED = "card_read_failed"
    CARD_FOREIGN = "card_foreign"
    SOCIAL_CARD_FAILED = "social_card_failed"
    SOCIAL_CARD_OTHER = "social_card_other"
    CODE_UNKNOWN = "code_unknown"
    CARD_REJECTED = "card_rejected"
    CARD_EXPIRED = "card_expired"
    CARD_NOT_YET_VALID = "card_not_yet_valid"
    CARD_REMOVED = "card_removed"
    READER_DOWN = "reader_down"
    CAMERA_DOWN = "camera_down"
    CAPTURE_POOR = "capture_poor"
    HALL_UNREACHABLE = "hall_unreachable"
    HALL_REFUSED = "hall_refused"
    NOT_ELIGIBLE = "not_eligible"
    STORE_DOWN = "store_down"
    DISK_FULL = "disk_full"
    RECEIPT_FAILED = "receipt_failed"
    RECEIPT_UNPROVEN = "receipt_unproven"
    RECEIPT_PAPER_OUT = "receipt_paper_out"
    PAGE_FAILED = "page_failed"
    PAGE_PAPER_OUT = "page_paper_out"
    PAGE_UNPROVEN = "page_unproven"
    PAGE_ASKED = "page_asked"
    PAGE_NOT_STARTED = "page_not_started"
    SHEETS_OUT = "sheets_out"
    REPRINT_LIMIT = "reprint_limit"
    PAPER_WAITING = "paper_waiting"
    PAPER_LEFT = "paper_left"
    DEVICE_DOWN = "device_down"
    ANSWER_MISSING = "answer_missing"
    ANSWER_INVALID = "answer_invalid"
    RESUMED = "resumed"
    SAVED_OFFLINE = "saved_offline"
    DELIVERED = "delivered"
    WINDOW_SLIP_PRINTED = "window_slip_printed"
    WINDOW_SLIP_FAILED = "window_slip_failed"
    EXIT_PAGE = "exit_page"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence by code, with words to fill in (never personal data)."""

    code: NoticeCode
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceChip:
    """One honest entry of the device strip."""

    kind: DeviceKind | Literal["network", "power"]
    state: Literal["ok", "low", "down", "unknown", "starting"]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """Can the item be done here now?"""

    ok: bool
    device: DeviceKind | Literal["network", "power", "sheets"] | None = None
    """`power`: the cabinet runs on its battery, which no page printer can. `sheets`: numbered licence paper."""
    elsewhere: str = ""
    """Name of the nearest other terminal that has what is missing."""
    starting: bool = False
    """What is missing is only just starting: it will be here in a moment."""


@dataclass(frozen=True, slots=True)
class ItemCard:
    """An item in a list."""

    code: str
    name: str
    department: str
    summary: str
    why: str = ""
    """The alias that matched, if it was not the name."""
    available: Availability = Availability(True)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of the home screen. `target` is an item code, or `my_applications`, `my_licences`, `all_items`."""

    target: str
    title: str
    subtitle: str
    icon: str
    available: Availability = Availability(True)


@dataclass(frozen=True, slots=True)
class Person:
    """The citizen as she may be shown: masked."""

    name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class AttractView:
    """Nobody is here."""

    name: Literal["attract"] = "attract"


@dataclass(frozen=True, slots=True)
class HomeView:
    """What would you like to do today?"""

    tiles: tuple[Tile, ...]
    person: Person | None = None
    notice: Notice | None = None
    """A card that lies there and cannot be used."""
    unfinished: str = ""
    """Item that she began here before and did not file."""
    name: Literal["home"] = "home"


@dataclass(frozen=True, slots=True)
class SearchView:
    """Find an item by everyday words, pinyin or initials."""

    query: str
    results: tuple[ItemCard, ...]
    name: Literal["search"] = "search"


@dataclass(frozen=True, slots=True)
class GuidePaper:
    """A paper (材料) on the guide, and what the citizen has to do about it before she comes."""

    title: str
    hint: str
    need: Literal["bring", "maybe", "held"]
    """Bring it; only some cases need it; already held (已有，不用带)."""


@dataclass(frozen=True, slots=True)
class GuideView:
    """办事指南: what you need, what it costs, how long it takes, what you get."""

    item: ItemCard
    materials: tuple[str, ...]
    fee: str
    limit_days: int | None
    limit_unit: str
    result: str
    visits: int
    offline_ok: bool
    needs_card: bool
    primary: Literal["begin", "print", "ask"]
    notice: Notice | None = None
    papers: tuple[GuidePaper, ...] = ()
    """The materials without those that the card itself settles."""
    card_read: bool = False
    """Her card lies there already."""
    name: Literal["guide"] = "guide"


Step = Literal["card", "fill", "materials", "check", "receipt", "paper"]
"""A station of a journey; `paper` is the certificate on A4 where others end with a receipt."""
ALL_STEPS: tuple[Step, ...] = ("card", "fill", "materials", "check", "receipt")


@dataclass(frozen=True, slots=True)
class PutCardView:
    """Put your card on the reader."""

    purpose: str
    """Item name, or `my_applications`, `my_licences`, `start`."""
    reading: bool = False
    notice: Notice | None = None
    steps: tuple[Step, ...] = ()
    """Of the item that the card is for; none if it is for no item."""
    name: Literal["put_card"] = "put_card"


@dataclass(frozen=True, slots=True)
class FieldView:
    """One question as shown."""

    id: str
    type: str
    label: str
    hint: str
    value: str | bool | int | None
    source: str
    """`citizen`, `id_card`, `licence`, or empty when unanswered."""
    locked: bool
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True
    max_length: int = 200
    error: Notice | None = None


@dataclass(frozen=True, slots=True)
class QuestionView:
    """One thing a page."""

    item_name: str
    page_id: str
    title: str
    text: str
    fields: tuple[FieldView, ...]
    step: Step
    index: int
    """This question page, from 1."""
    total: int
    changing: bool
    """Came from check-answers; Next goes back there."""
    next_step: Step
    person: Person | None = None
    notice: Notice | None = None
    steps: tuple[Step, ...] = ALL_STEPS
    """Those that this journey has, as far as is known now; so in every view of a journey."""
    slot: Literal["none", "ready", "reading", "done"] = "none"
    """The 社保卡 can fill something in here: put it into the slot; it is being read; it was read."""
    name: Literal["question"] = "question"


@dataclass(frozen=True, slots=True)
class MaterialRow:
    """One material on the list."""

    id: str
    title: str
    hint: str
    state: Literal["needed", "reused", "captured", "from_card"]
    reusable: LicenceSummary | None
    """A held licence that satisfies it."""
    can_capture: bool


@dataclass(frozen=True, slots=True)
class MaterialsView:
    """Which papers, and what is already held (已有，不用再交)."""

    item_name: str
    rows: tuple[MaterialRow, ...]
    complete: bool
    step: Step = "materials"
    notice: Notice | None = None
    steps: tuple[Step, ...] = ALL_STEPS
    wanted: str = field(default="", repr=False)
    """补正: what the department wants of this case, in its own words."""
    name: Literal["materials"] = "materials"


@dataclass(frozen=True, slots=True)
class CaptureView:
    """Document camera with live preview, or the shot to be looked at."""

    item_name: str
    material_id: str
    title: str
    hint: str
    phase: Literal["live", "shooting", "review", "down"]
    shot_jpeg: bytes = field(default=b"", repr=False)
    advice: str = ""
    step: Step = "materials"
    notice: Notice | None = None
    steps: tuple[Step, ...] = ALL_STEPS
    name: Literal["capture"] = "capture"


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of check-answers."""

    label: str
    value: str
    source: str
    change: str
    """Page id to change it on, `materials`, or empty when it cannot be changed here."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """核对确认: everything once more, before anything is filed."""

    item_name: str
    rows: tuple[CheckRow, ...]
    kind: Literal["application", "certificate", "consultation"]
    step: Step = "check"
    notice: Notice | None = None
    steps: tuple[Step, ...] = ALL_STEPS
    name: Literal["check"] = "check"


@dataclass(frozen=True, slots=True)
class SendingView:
    """Being written down; takes a blink."""

    item_name: str
    step: Step = "receipt"
    steps: tuple[Step, ...] = ALL_STEPS
    name: Literal["sending"] = "sending"


@dataclass(frozen=True, slots=True)
class DoneView:
    """It is filed. Number, code, what happens next, where to ask."""

    item_name: str
    kind: Literal["application", "consultation"]
    application_no: str
    query_code: str
    query_place: str
    delivered: bool
    """The hall has it (signed receipt verified); otherwise it is safe here and goes by itself."""
    receipt: Literal["printing", "printed", "failed", "unproven", "waiting_paper"]
    limit_days: int | None
    limit_unit: str
    limit_by: date | None = None
    """The last day of it, once the hall has the filing: its time begins there."""
    corrects: str = ""
    """补正: the number of the case that it corrects."""
    recovered: bool = False
    """The screen had died after filing; this is the same filing, not a second one."""
    notice: Notice | None = None
    step: Step = "receipt"
    steps: tuple[Step, ...] = ALL_STEPS
    name: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class MySpaceView:
    """我的办件 / 我的证照."""

    tab: Literal["applications", "licences"]
    person: Person
    loading: bool
    applications: tuple[ApplicationSummary, ...] = ()
    licences: tuple[LicenceSummary, ...] = ()
    notice: Notice | None = None
    correctable: tuple[str, ...] = ()
    """受理号 of those that can be corrected here and now (现在补交)."""
    name: Literal["my_space"] = "my_space"


@dataclass(frozen=True, slots=True)
class PrintView:
    """A page on its way to the tray."""

    title: str
    """Empty: the page of an earlier visit, which is asked about."""
    phase: Literal["fetching", "printing", "done", "failed", "unproven", "waiting_paper"]
    pages: int = 0
    notice: Notice | None = None
    steps: tuple[Step, ...] = ()
    """Of the certificate that it ends; none for a licence out of 我的证照."""
    name: Literal["print"] = "print"


@dataclass(frozen=True, slots=True)
class CodeView:
    """扫码: what the code on a paper says."""

    kind: Literal["receipt", "licence"]
    genuine: bool | None
    number: str
    title: str = ""
    holder: str = ""
    valid_to: str = ""
    expired: bool = False
    withdrawn: bool = False
    progress: bool = False
    """The way on to 我的办件 is open."""
    name: Literal["code"] = "code"


@dataclass(frozen=True, slots=True)
class WindowSlipView:
    """到窗口办理: a slip with the checklist, so that nobody is stranded."""

    item_name: str
    phase: Literal["printing", "done", "failed"]
    windows: tuple[tuple[str, str, str, str], ...]
    """Name, address, opening hours, phone."""
    reason: Notice | None = None
    name: Literal["window_slip"] = "window_slip"


@dataclass(frozen=True, slots=True)
class OutOfServiceView:
    """Nothing can be offered here now; where else."""

    reasons: tuple[DeviceChip, ...]
    elsewhere: str
    name: Literal["out_of_service"] = "out_of_service"


View = (
    AttractView
    | HomeView
    | SearchView
    | GuideView
    | PutCardView
    | QuestionView
    | MaterialsView
    | CaptureView
    | CheckView
    | SendingView
    | DoneView
    | MySpaceView
    | PrintView
    | CodeView
    | WindowSlipView
    | OutOfServiceView
)


@dataclass(frozen=True, slots=True)
class Chrome:
    """What surrounds every page."""

    site_name: str
    terminal_name: str
    devices: tuple[DeviceChip, ...]
    in_session: bool
    card_present: bool
    seconds_left: int | None
    """Until the session ends by itself; None when no clock runs."""
    warning: bool
    """The idle dialog is up: "are you still there?"."""
    card_left: bool = False
    """The session is over and the card still lies there: take your card."""
    social_left: bool = False
    """The session is over and a 社保卡 is still in the slot."""
    session: int = 0
    """Tells one citizen's session from the next, also when one card takes another's place in one go."""
    papers_waiting: tuple[PaperKind, ...] = ()
    """Papers that she has not taken yet, for too long."""
    papers_left: tuple[PaperKind, ...] = ()
    """Papers of somebody who has gone; covers every page until it is acknowledged or they are taken."""
    help: Literal["none", "waiting", "sent", "seen"] = "none"
    """呼叫帮助: not called; called, but the hall has not heard; the hall has it; staff know."""
    help_window: Window | None = None
    """The nearest window with a telephone, for who cannot wait."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything on the screen."""

    sequence: int
    view: View
    chrome: Chrome
