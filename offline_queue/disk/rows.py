"""What the store says about its rows."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.contract.envelope import BlobRef
from kiosk.core.ports import SubmissionState
from kiosk.core.print_ledger import PrintState


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission that the hall has not signed for."""

    seq: int
    id: str
    sha256: str
    size: int
    """Bytes of the envelope."""
    attempts: int
    blobs: tuple[BlobRef, ...]
    case: str = ""
    """受理号, or that of the case which it corrects: what belongs to one case goes in the order of filing."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The queue in numbers."""

    pending: int
    parked: int
    oldest_unsent_s: int
    returned: int = 0
    """Accepted, and back for correction."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row for a technician: nothing here says who or what."""

    id: str
    application_no: str
    state: SubmissionState
    receipt: PrintState
    attempts: int
    last_code: str
    age_s: int
    size: int
    """Bytes of the envelope."""
