"""What the state machine wants done outside. Pure data; `kiosk.services.hands` does it on the lane named here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kiosk.contract.submission import IdentityProof, Submission
from kiosk.core.devices import Lamp, LampState
from kiosk.core.id_card import IdCard
from kiosk.core.item import Item
from kiosk.core.ports import Document, SealedSubmission
from kiosk.core.print_ledger import PaperKind, PrintOrder, Settled, VoidReason
from kiosk.core.receipt import Receipt
from kiosk.core.slip import Place as SlipPlace
from kiosk.services.draft import Draft


class Lane(StrEnum):
    """One worker thread each: what is on one lane happens in order, what is on two does not wait for the other."""

    ID_CARD = "id_card"
    RECEIPT = "receipt"
    PAGE = "page"
    CAMERA = "camera"
    SOCIAL_CARD = "social_card"
    QUEUE = "queue"
    STATUS = "status"
    """The queue again, for questions that must not wait behind a filing."""
    SEAL = "seal"
    HALL = "hall"
    SITE = "site"


@dataclass(frozen=True, slots=True)
class ReadCard:
    """Read the card on the reader; `epoch` tells this lying-there from every other."""

    generation: int
    epoch: int


@dataclass(frozen=True, slots=True)
class ReadSocialCard:
    """Read the card in the contact slot."""

    generation: int
    epoch: int


@dataclass(frozen=True, slots=True)
class CheckCode:
    """What does this code say, and who signed it?"""

    generation: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskOwed:
    """What is filed under this card without a proven receipt?"""

    generation: int
    card: IdCard


@dataclass(frozen=True, slots=True)
class AskDrafts:
    """What did she begin here and not file?"""

    generation: int
    card: IdCard = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """Keep what she has begun, for the same card."""

    generation: int
    card: IdCard = field(repr=False)
    draft: Draft = field(repr=False)


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Filed, or not wanted any more."""

    card: IdCard = field(repr=False)
    matter: str


@dataclass(frozen=True, slots=True)
class FetchLicences:
    """The citizen's licences from the hall."""

    generation: int
    proof: IdentityProof = field(repr=False)


@dataclass(frozen=True, slots=True)
class FetchApplications:
    """The citizen's applications from the hall."""

    generation: int
    proof: IdentityProof = field(repr=False)


@dataclass(frozen=True, slots=True)
class FetchFormerAnswers:
    """What she answered in a case that she is to correct."""

    generation: int
    proof: IdentityProof = field(repr=False)
    application_no: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartPreview:
    """Live pictures, please."""

    generation: int


@dataclass(frozen=True, slots=True)
class StopPreview:
    """No more pictures."""


@dataclass(frozen=True, slots=True)
class TakeShot:
    """Take the page under the camera."""

    generation: int
    material: str


@dataclass(frozen=True, slots=True)
class ReserveNumber:
    """A fresh application number (受理号) for a filing."""

    generation: int
    filing: str


@dataclass(frozen=True, slots=True)
class Capture:
    """The picture of one material, in the memory of one session."""

    material: str
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seal:
    """Seal a submission with its pictures and make its receipt."""

    generation: int
    submission: Submission = field(repr=False)
    captures: tuple[Capture, ...]
    card: IdCard | None
    item: Item
    place: SlipPlace


@dataclass(frozen=True, slots=True)
class Put:
    """Write the sealed filing down; the same bytes at every try."""

    sealed: SealedSubmission = field(repr=False)
    card_tag: bytes = field(repr=False)
    slip: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settle:
    """Write the printer's word into the print ledger."""

    job: str
    outcome: Settled
    fault: str = ""
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Write a person's word into the print ledger: it came out, or it did not."""

    job: str
    came_out: bool


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """Print the receipt of a filing; it is in the ledger as sent before the printer hears of it."""

    generation: int
    filing: str
    receipt: Receipt = field(repr=False)
    denied: bool = False
    """A person says that the try before did not come out."""


@dataclass(frozen=True, slots=True)
class PrintSlip:
    """Print a window slip; nothing is written down for it."""

    generation: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class IssueCertificate:
    """Have the hall make an at-once certificate; the same request id gives the same one."""

    generation: int
    request_id: str
    proof: IdentityProof = field(repr=False)
    item_code: str
    item_version: int
    answers: tuple[tuple[str, str | bool | int | None], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FetchLicencePages:
    """A licence as a document to print; the same request id gives the same job."""

    generation: int
    request_id: str
    proof: IdentityProof = field(repr=False)
    licence_id: str


@dataclass(frozen=True, slots=True)
class ReopenJob:
    """The document of an earlier job, whose paper did not come out."""

    generation: int
    request_id: str
    proof: IdentityProof = field(repr=False)
    hall_job: str


@dataclass(frozen=True, slots=True)
class IntendPages:
    """Write a page down before it is printed; the card, if there is one, finds it again."""

    generation: int
    order: PrintOrder
    card: IdCard | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReplacePages:
    """A page that came out does not count: write another one down in its place."""

    generation: int
    job: str
    reason: VoidReason


@dataclass(frozen=True, slots=True)
class PrintPages:
    """Print a document on A4 under its number; it is in the ledger as sent before the printer hears of it."""

    generation: int
    document: Document = field(repr=False)


@dataclass(frozen=True, slots=True)
class AskOpenPages:
    """Which pages did the terminal not see the end of, before it was started again?"""


@dataclass(frozen=True, slots=True)
class AskFate:
    """Ask the printer what became of a page."""

    job: str
    sent_at: datetime | None
    """Wall clock; None: not known."""


@dataclass(frozen=True, slots=True)
class TellPapersLeft:
    """Have the hall hear of papers that nobody took."""

    papers: frozenset[PaperKind]


@dataclass(frozen=True, slots=True)
class AskDelivered:
    """Has the hall got this filing?"""

    generation: int
    filing: str


@dataclass(frozen=True, slots=True)
class AskQueue:
    """The queue in numbers, and the link to the hall."""


@dataclass(frozen=True, slots=True)
class CallHelp:
    """Have somebody come; the same instant again is the same call."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Light:
    """Switch a lamp of the cabinet."""

    lamp: Lamp
    state: LampState


@dataclass(frozen=True, slots=True)
class ForgetSealing:
    """The session is over: its sealing key goes."""

    generation: int


@dataclass(frozen=True, slots=True)
class ForgetPerson:
    """The session is over: the hall's token goes."""

    generation: int


Note = Settle | Answer
"""A word for the print ledger; repeated until the queue has it."""

Effect = (
    ReadCard
    | ReadSocialCard
    | CheckCode
    | AskDrafts
    | KeepDraft
    | DropDraft
    | AskOwed
    | FetchLicences
    | FetchApplications
    | FetchFormerAnswers
    | StartPreview
    | StopPreview
    | TakeShot
    | ReserveNumber
    | Seal
    | Put
    | Settle
    | Answer
    | PrintReceipt
    | PrintSlip
    | IssueCertificate
    | FetchLicencePages
    | ReopenJob
    | IntendPages
    | ReplacePages
    | PrintPages
    | AskOpenPages
    | AskFate
    | TellPapersLeft
    | AskDelivered
    | AskQueue
    | CallHelp
    | Light
    | ForgetSealing
    | ForgetPerson
)

ENDS_WITH_SESSION = (
    ReadCard,
    ReadSocialCard,
    CheckCode,
    AskDrafts,
    AskOwed,
    FetchLicences,
    FetchApplications,
    FetchFormerAnswers,
    StartPreview,
    TakeShot,
    ReserveNumber,
    PrintSlip,
    IssueCertificate,
    FetchLicencePages,
    ReopenJob,
    IntendPages,
    AskDelivered,
)
"""Not begun any more once their session is over. What is sealed or printing goes on."""
