"""Ports: what the services need from the outside. Adapters live in drivers, offline_queue and provisioning.

Every method returns a `Result`; none blocks longer than its deadline. Adapters call event listeners from their own
threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Protocol

from kiosk.core.devices import DeviceError, DeviceEvent, DeviceKind, DeviceStatus, Lamp, LampState, SiteInputs
from kiosk.core.id_card import IdCard
from kiosk.core.print_ledger import (
    PaperKind,
    PaperName,
    PrintEntry,
    PrintOrder,
    PrintState,
    Settled,
    Sheet,
    SheetCount,
    VoidReason,
)
from kiosk.core.receipt import Receipt
from kiosk.core.result import Result
from kiosk.core.social_card import SocialCard

if TYPE_CHECKING:  # driver processes import this module and must start fast: no pydantic for annotations
    from kiosk.contract.person import ApplicationSummary, FormerAnswers, LicenceSummary
    from kiosk.contract.submission import IdentityProof, Submission

Listener = Callable[[DeviceEvent], None]


class Device(Protocol):
    """What every device can do."""

    @property
    def kind(self) -> DeviceKind:
        """Which device."""
        ...

    def status(self) -> DeviceStatus:
        """As last seen; never blocks."""
        ...

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every event, from an adapter thread."""
        ...


class IdCardReader(Device, Protocol):
    """身份证阅读器."""

    def read(self) -> Result[IdCard, DeviceError]:
        """Read the card that lies on the reader."""
        ...


@dataclass(frozen=True, slots=True)
class PrintProof:
    """The printer itself said that this job is on paper."""

    job: str
    pages: int


class ReceiptPrinter(Device, Protocol):
    """热敏打印机."""

    def print(self, receipt: Receipt) -> Result[PrintProof, DeviceError]:
        """Print one slip; Ok only on the printer's proof.

        `Fault.UNPROVEN` means it may be on paper; every other fault means that no complete slip came out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF to be printed under our own job name."""

    job: str
    pdf: bytes
    pages: int
    media: str = "iso_a4_210x297mm"
    """PWG 5101.1 self-describing name."""
    duplex: bool = False
    """双面, long edge."""


class JobFate(StrEnum):
    """What a printer knows of a job when it is asked later."""

    PRINTED = "printed"
    NOT_PRINTED = "not_printed"
    """It never came, or it was given up before the last page."""
    PRINTING = "printing"
    UNKNOWN = "unknown"
    """The printer has forgotten it, or contradicts itself: only a person can look."""


class PagePrinter(Device, Protocol):
    """A4 激光打印机."""

    def print(self, document: Document) -> Result[PrintProof, DeviceError]:
        """Print; Ok only when the printer reports the job completed.

        The same job name again never prints twice: the printer is asked for the job first.
        """
        ...

    def fate(self, job: str, *, age_s: float | None = None) -> Result[JobFate, DeviceError]:
        """What became of an earlier job of ours; nothing is printed.

        `age_s`: seconds since it was sent at the earliest. Printers forget, so only with it can a job that left no
        trace be NOT_PRINTED, where the printer remembers longer than that; else it is UNKNOWN.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shot:
    """One captured document page."""

    original_jpeg: bytes
    """As the camera saw it (双套制: the original is kept)."""
    page_jpeg: bytes
    """Found, flattened, enhanced."""
    width: int
    height: int
    advice: str
    """`ok` or why a person should look again; see PreviewFrame.advice."""


class DocumentCamera(Device, Protocol):
    """高拍仪."""

    def start_preview(self) -> Result[None, DeviceError]:
        """PreviewFrame events follow, about ten a second."""
        ...

    def stop_preview(self) -> Result[None, DeviceError]:
        """No more frames."""
        ...

    def capture(self) -> Result[Shot, DeviceError]:
        """Take the page that lies there now."""
        ...


class SocialCardReader(Device, Protocol):
    """社保卡读卡器: the contact slot."""

    def read(self) -> Result[SocialCard, DeviceError]:
        """What may be read without a key: files EF05 and EF06. Other cards are named by their fault."""
        ...


class CodeScanner(Device, Protocol):
    """扫码器. Always listening: CodeScanned events come by themselves."""


class SiteIo(Device, Protocol):
    """机柜 I/O 板. SiteChanged events come by themselves."""

    def inputs(self) -> SiteInputs:
        """As last felt; never blocks."""
        ...

    def light(self, lamp: Lamp, state: LampState) -> Result[None, DeviceError]:
        """Switch a lamp; it stays so until it is switched again or the terminal ends, when all go dark."""
        ...


# --- the queue ---------------------------------------------------------------------------------------------------


class StoreFault(StrEnum):
    """Why the queue did not take something."""

    DISK_FULL = "disk_full"
    STORE_DOWN = "store_down"
    CONFLICT = "conflict"
    BROKEN = "broken"
    NO_SHEET = "no_sheet"
    """No numbered sheet may be printed on: none left, or one is in doubt."""
    LIMIT = "limit"
    """This paper was made again often enough; now a person must look."""


@dataclass(frozen=True, slots=True)
class StoreError:
    """The queue refused; nothing was acknowledged."""

    fault: StoreFault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SealedSubmission:
    """Ready for the disk: only the hall can open it."""

    id: str
    application_no: str
    envelope: bytes
    blobs: tuple[bytes, ...]
    corrects: str = ""
    """The number of the case that it corrects (补正), which it must not overtake; empty for a first filing."""


class SealSession(Protocol):
    """The sealing key of one citizen session; ends with it."""

    def seal_blob(self, submission_id: str, data: bytes) -> bytes:
        """A material, sealed under the session key; its SHA-256 names it."""
        ...

    def seal(self, submission: Submission, blobs: tuple[bytes, ...]) -> SealedSubmission:
        """A submission, compressed, sealed and signed, with its sealed blobs."""
        ...

    def close(self) -> None:
        """Forget the key."""
        ...


class Sealer(Protocol):
    """Seals to the hall and signs for the terminal."""

    def open_session(self) -> SealSession:
        """A new session key, encapsulated once to the hall and once to the recovery key."""
        ...

    def sign_receipt(self, application_no: str, submission_sha256: str, at: datetime) -> str:
        """Text of the receipt's QR: signed by the terminal, verifiable offline, no personal data."""
        ...


class CardKeys(Protocol):
    """Keys bound to one identity card: finds and opens again what was filed under it, on this terminal only.

    Pure computation on a terminal secret and the card's identity number; call it off the screen's thread.
    """

    def tag(self, card: IdCard) -> bytes:
        """32 bytes that find this card's filings again and tell nothing about the card."""
        ...

    def seal(self, card: IdCard, data: bytes) -> bytes:
        """`data` (a receipt as JSON), readable again with the same card only."""
        ...

    def open(self, card: IdCard, sealed: bytes) -> Result[bytes, StoreError]:
        """What `seal` was given; `StoreFault.BROKEN` when it was sealed for another card or is damaged."""
        ...


@dataclass(frozen=True, slots=True)
class KnownCode:
    """What a code on one of our papers says (扫码)."""

    kind: Literal["receipt", "licence"]
    number: str
    """受理号 or licence number."""
    genuine: bool | None
    """Signed by the hall or by this terminal; None: nobody here can tell, ask the hall."""
    title: str = ""
    holder: str = field(default="", repr=False)
    """As the paper shows it."""
    valid_to: str = ""
    """ISO date; empty: without end or not said."""
    withdrawn: bool = False
    """The paper is genuine, but the licence was revoked or suspended since."""


class CodeReader(Protocol):
    """Reads codes from papers; pure computation on the keys that the terminal believes."""

    def read(self, text: str) -> KnownCode | None:
        """None: none of our codes, or a damaged one."""
        ...


@dataclass(frozen=True, slots=True)
class Owed:
    """A submission that is filed but whose holder may not know it: the screen died in between."""

    id: str
    application_no: str
    paper: PrintState
    """Of its receipt."""
    receipt: bytes
    """The sealed slip, opened with the same card only; empty if it cannot be opened."""


class Drafts(Protocol):
    """What was begun and not filed (草稿), sealed to the card: only the same card on the same terminal opens it."""

    def keep(self, tag: bytes, slot: str, sealed: bytes) -> Result[None, StoreError]:
        """Durable when Ok; replaces what was kept under this tag and slot. Both are names, of hexadecimal length."""
        ...

    def load(self, tag: bytes) -> tuple[bytes, ...]:
        """Everything kept under this card's tag, newest first; what is too old is gone."""
        ...

    def drop(self, tag: bytes, slot: str) -> None:
        """Forget it; harmless if it is not there."""
        ...


class Link(StrEnum):
    """Connection to the hall as last seen by the sync process."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class HelpState(StrEnum):
    """How far a call for help has come."""

    WAITING = "waiting"
    """Not at the hall yet: no network, or only just called."""
    SENT = "sent"
    """The hall has it."""
    SEEN = "seen"
    """Staff know."""


HELP_STANDS = timedelta(minutes=30)
"""After this nobody counts on finding the caller still there; whoever is there calls again."""


@dataclass(frozen=True, slots=True)
class HelpCall:
    """A call for help (呼叫帮助); its instant is its name."""

    at: datetime
    state: HelpState

    def stands(self, now: datetime) -> bool:
        """Is it still worth somebody's way?"""
        return now - self.at < HELP_STANDS


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The queue in numbers."""

    link: Link
    pending: int
    parked: int
    oldest_unsent_s: int
    accepting: bool
    """False when the disk is nearly full: new work is refused in words, draining goes on."""
    last_error: str = ""
    help: HelpCall | None = None
    """The latest call for help that the queue process knows of."""
    sheets_ready: int = 0
    """Numbered licence sheets that may be printed on now."""
    clock_skew_s: int | None = None
    """Seconds by which this machine's clock is behind the hall's (negative: ahead); None: not known."""
    returned: int = 0
    """Filings from here that came back for correction (退回补正), as far as they are remembered here."""


class SubmissionState(StrEnum):
    """Where a submission stands in the queue."""

    SEALED = "sealed"
    ANNOUNCED = "announced"
    UPLOADING = "uploading"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    """Accepted, and back for correction (退回补正): the citizen corrects it at any terminal."""
    PARKED = "parked"
    ABSENT = "absent"


class Outbox(Protocol):
    """The offline queue as the terminal sees it; the queue process owns the store."""

    def reserve_number(self) -> Result[str, StoreError]:
        """A fresh application number; never given twice, gaps are fine."""
        ...

    def put(self, sealed: SealedSubmission, *, card_tag: bytes, slip: bytes) -> Result[None, StoreError]:
        """Ok only when it is durable. The same id with the same bytes again is Ok.

        `card_tag` finds it again for the same card; `slip` is the sealed receipt. Its printing is in the ledger from
        here on, under the submission's id: filed is intended.
        """
        ...

    def owed(self, card_tag: bytes) -> Result[tuple[Owed, ...], StoreError]:
        """Filed in the last 24 h under this card, receipt not proven."""
        ...

    def state(self, submission_id: str) -> Result[SubmissionState, StoreError]:
        """Has the hall got it?"""
        ...

    def status(self) -> QueueStatus:
        """Never blocks for long; `Link.UNKNOWN` when the queue process does not answer."""
        ...


class PrintLedger(Protocol):
    """The print ledger (打印台账), kept by the queue process beside the filings: durable before it is Ok.

    Every call may be repeated: the same step twice is one step. `StoreFault.CONFLICT`: the ledger forbids this step,
    because paper could come out twice or a word would be taken back. `StoreFault.BROKEN`: no such printing or sheet.
    """

    def intend(self, order: PrintOrder, *, card_tag: bytes) -> Result[PrintEntry, StoreError]:
        """Write a printing down before any printer hears of it; a numbered one takes its sheet here.

        Again for one that failed: once more under the same number. `StoreFault.NO_SHEET`, `StoreFault.LIMIT`.
        """
        ...

    def sent(self, job: str, *, attempt: str) -> Result[None, StoreError]:
        """It is handed to the printer now. `attempt` is random and new for every printing: the same one again is Ok."""
        ...

    def settle(self, job: str, outcome: Settled, *, fault: str = "", pages: int = 0) -> Result[None, StoreError]:
        """The printer's word. The hall hears of it by itself; a stronger word stays."""
        ...

    def answer(self, job: str, *, came_out: bool) -> Result[None, StoreError]:
        """A person's word, where the printer's was missing."""
        ...

    def reprint(self, job: str, reason: VoidReason) -> Result[PrintEntry, StoreError]:
        """A page that is proven does not count: it is void, and another one is intended under a new number.

        One of `REPRINT_REASONS`; `StoreFault.LIMIT` after `REPRINT_LIMIT` papers more for one job of the hall. Again
        for a page that was replaced already: the one that replaces it, while that is not printed.
        """
        ...

    def open_pages(self, card_tag: bytes | None = None) -> Result[tuple[PrintEntry, ...], StoreError]:
        """Pages whose end is not known, oldest first: of this card, or all of them."""
        ...

    def load_sheets(self, first: str, count: int) -> Result[SheetCount, StoreError]:
        """Numbered sheets put into the tray, to be printed on in this order; CONFLICT if one of them is known."""
        ...

    def void_sheet(self, serial: str, reason: VoidReason) -> Result[None, StoreError]:
        """A sheet that will never be used. One that was used is void with its paper."""
        ...

    def return_sheet(self, serial: str) -> Result[None, StoreError]:
        """A sheet in doubt lies in the tray, unused: the next printing takes it."""
        ...

    def sheets(self) -> Result[tuple[Sheet, ...], StoreError]:
        """Every sheet that was ever loaded, in the order of loading."""
        ...

    def count_sheets(self) -> Result[SheetCount, StoreError]:
        """The audit in numbers."""
        ...


class Assistance(Protocol):
    """Brings somebody to this terminal (呼叫帮助)."""

    def papers_left(self, papers: frozenset[PaperKind]) -> Result[None, StoreError]:
        """Papers lie in the mouths and whoever they belong to has gone; the hall hears of it with the next heartbeat.

        Nothing is written down, see `call_help`: to be told again now and then.
        """
        ...

    def call_help(self, at: datetime) -> Result[None, StoreError]:
        """Ok: taken over, the hall hears of it at the next chance. `QueueStatus.help` tells how far it is.

        The same instant again is the same call. Nothing is written down: a queue process that is restarted knows
        no call, and is told again.
        """
        ...


# --- the hall, asked directly ------------------------------------------------------------------------------------


class HallFault(StrEnum):
    """Why an online question had no answer."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    NOT_ELIGIBLE = "not_eligible"
    GARBAGE = "garbage"
    """The answer made no sense or was not signed by the hall."""
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class HallError:
    """An online question that failed."""

    fault: HallFault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PrintableDocument:
    """A document whose hall signature was verified."""

    job_id: str
    title: str
    pdf: bytes
    pages: int
    licence_id: str
    licence_number: str
    paper: PaperName = "plain"


class PersonGateway(Protocol):
    """One citizen's matters at the hall, for the time the card lies on the reader."""

    def applications(self) -> Result[tuple[ApplicationSummary, ...], HallError]:
        """Newest first."""
        ...

    def former_answers(self, application_no: str) -> Result[FormerAnswers, HallError]:
        """What she answered in a case of hers that wants a correction (补正)."""
        ...

    def licences(self) -> Result[tuple[LicenceSummary, ...], HallError]:
        """Newest first."""
        ...

    def issue(
        self, *, request_id: str, item_code: str, item_version: int, answers: dict[str, str | bool | int | None]
    ) -> Result[PrintableDocument, HallError]:
        """An at-once certificate, made and sealed by the hall now."""
        ...

    def print_job(self, *, request_id: str, licence_id: str) -> Result[PrintableDocument, HallError]:
        """A licence as a printable document."""
        ...

    def reopen_job(self, *, job_id: str) -> Result[PrintableDocument, HallError]:
        """The document of an earlier print job of hers at this terminal."""
        ...

    def close(self) -> None:
        """Forget the token."""
        ...


class HallGateway(Protocol):
    """The hall, online."""

    def open_person(self, proof: IdentityProof) -> Result[PersonGateway, HallError]:
        """Prove who is there and get a short-lived session."""
        ...
