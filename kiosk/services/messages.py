"""What comes into the actor's inbox: touches, device events, time, and the results of background work."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.contract.person import ApplicationSummary, FormerAnswers, LicenceSummary
from kiosk.core.devices import DeviceError, DeviceEvent
from kiosk.core.id_card import IdCard
from kiosk.core.intents import Intent
from kiosk.core.ports import (
    HallError,
    JobFate,
    KnownCode,
    Owed,
    PrintableDocument,
    PrintProof,
    QueueStatus,
    SealedSubmission,
    Shot,
    StoreError,
    SubmissionState,
)
from kiosk.core.print_ledger import PrintEntry
from kiosk.core.result import Result
from kiosk.core.social_card import SocialCard
from kiosk.services.draft import Draft
from kiosk.services.effects import Note
from kiosk.services.slips import StoredSlip


@dataclass(frozen=True, slots=True)
class FromCitizen:
    """A touch."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class FromDevice:
    """A device event."""

    event: DeviceEvent


@dataclass(frozen=True, slots=True)
class Tick:
    """Look at the clock."""


@dataclass(frozen=True, slots=True)
class CardCame:
    """A card was read, or not."""

    generation: int
    epoch: int
    result: Result[IdCard, DeviceError] = field(repr=False)
    millis: int = 0


@dataclass(frozen=True, slots=True)
class SocialCardCame:
    """Answer to ReadSocialCard."""

    generation: int
    epoch: int
    result: Result[SocialCard, DeviceError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class CodeChecked:
    """Answer to CheckCode; None: no code that we know."""

    generation: int
    code: KnownCode | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class DraftsCame:
    """Answer to AskDrafts, newest first."""

    generation: int
    drafts: tuple[Draft, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DraftKept:
    """Answer to KeepDraft."""

    generation: int
    result: Result[None, StoreError]


@dataclass(frozen=True, slots=True)
class OwedSlip:
    """A filing whose receipt is not proven, and its slip if it opens with this card."""

    owed: Owed
    slip: StoredSlip | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwedCame:
    """Answer to AskOwed."""

    generation: int
    result: Result[tuple[OwedSlip, ...], StoreError] = field(repr=False)
    pages: tuple[PrintEntry, ...] = ()
    """Pages under this card whose end is not known."""


@dataclass(frozen=True, slots=True)
class LicencesCame:
    """Answer to FetchLicences."""

    generation: int
    result: Result[tuple[LicenceSummary, ...], HallError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApplicationsCame:
    """Answer to FetchApplications."""

    generation: int
    result: Result[tuple[ApplicationSummary, ...], HallError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FormerAnswersCame:
    """Answer to FetchFormerAnswers."""

    generation: int
    application_no: str = field(repr=False)
    result: Result[FormerAnswers, HallError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PreviewStarted:
    """Answer to StartPreview."""

    generation: int
    result: Result[None, DeviceError]


@dataclass(frozen=True, slots=True)
class ShotCame:
    """Answer to TakeShot."""

    generation: int
    material: str
    result: Result[Shot, DeviceError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NumberCame:
    """Answer to ReserveNumber."""

    generation: int
    filing: str
    result: Result[str, StoreError]


@dataclass(frozen=True, slots=True)
class SealedFiling:
    """A filing ready for the disk, with everything that a receipt needs."""

    sealed: SealedSubmission = field(repr=False)
    card_tag: bytes = field(repr=False)
    sealed_slip: bytes = field(repr=False)
    slip: StoredSlip = field(repr=False)


@dataclass(frozen=True, slots=True)
class FilingSealed:
    """Answer to Seal."""

    generation: int
    filing: SealedFiling = field(repr=False)


@dataclass(frozen=True, slots=True)
class PutCame:
    """Answer to Put."""

    filing: str
    result: Result[None, StoreError]
    millis: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """Answer to Settle and Answer."""

    note: Note
    result: Result[None, StoreError]


@dataclass(frozen=True, slots=True)
class ReceiptPrinted:
    """Answer to PrintReceipt."""

    generation: int
    filing: str
    result: Result[PrintProof, DeviceError | StoreError]
    """A StoreError: it could not be written down, and no printer has heard of it."""
    millis: int = 0


@dataclass(frozen=True, slots=True)
class SlipPrinted:
    """Answer to PrintSlip."""

    generation: int
    job: str
    result: Result[PrintProof, DeviceError]
    millis: int = 0


@dataclass(frozen=True, slots=True)
class DocumentCame:
    """Answer to IssueCertificate, FetchLicencePages and ReopenJob."""

    generation: int
    request_id: str
    result: Result[PrintableDocument, HallError] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PagesPrinted:
    """Answer to PrintPages."""

    generation: int
    job: str
    result: Result[PrintProof, DeviceError | StoreError]
    """See ReceiptPrinted."""
    millis: int = 0


@dataclass(frozen=True, slots=True)
class PagesIntended:
    """Answer to IntendPages and ReplacePages."""

    generation: int
    job: str
    """That was to be printed, or replaced."""
    result: Result[PrintEntry, StoreError]


@dataclass(frozen=True, slots=True)
class OpenPagesCame:
    """Answer to AskOpenPages."""

    result: Result[tuple[PrintEntry, ...], StoreError]


@dataclass(frozen=True, slots=True)
class FateCame:
    """Answer to AskFate."""

    job: str
    result: Result[JobFate, DeviceError]


@dataclass(frozen=True, slots=True)
class DeliveredCame:
    """Answer to AskDelivered."""

    generation: int
    filing: str
    result: Result[SubmissionState, StoreError]


@dataclass(frozen=True, slots=True)
class QueueCame:
    """Answer to AskQueue."""

    status: QueueStatus


Message = (
    FromCitizen
    | FromDevice
    | Tick
    | CardCame
    | SocialCardCame
    | CodeChecked
    | DraftsCame
    | DraftKept
    | OwedCame
    | LicencesCame
    | ApplicationsCame
    | FormerAnswersCame
    | PreviewStarted
    | ShotCame
    | NumberCame
    | FilingSealed
    | PutCame
    | Noted
    | ReceiptPrinted
    | SlipPrinted
    | DocumentCame
    | PagesPrinted
    | PagesIntended
    | OpenPagesCame
    | FateCame
    | DeliveredCame
    | QueueCame
)
