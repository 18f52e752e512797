"""One vocabulary for every device: state, media and supplies apart; unknown is a value and never counts as good.

Anchors: XFS4IoT common status, CUSS 2 component state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class DeviceKind(StrEnum):
    """Devices of a terminal."""

    ID_CARD = "id_card"
    RECEIPT = "receipt"
    PAGE = "page"
    CAMERA = "camera"


class DeviceState(StrEnum):
    """Can the device be talked to, and does it do what it is told?"""

    ONLINE = "online"
    OFFLINE = "offline"
    STARTING = "starting"
    ERROR = "error"
    UNKNOWN = "unknown"


class MediaState(StrEnum):
    """What lies in the device's mouth: a card, a page, a slip."""

    PRESENT = "present"
    ABSENT = "absent"
    JAMMED = "jammed"
    UNKNOWN = "unknown"
    NONE = "none"
    """The device has no such thing."""


class Level(StrEnum):
    """How much of a supply is left."""

    FULL = "full"
    LOW = "low"
    OUT = "out"
    UNKNOWN = "unknown"
    NONE = "none"


class Fault(StrEnum):
    """Stable fault codes: one fault table = emulator script = citizen's sentence = technician's sentence."""

    # any device
    DRIVER_LOST = "driver_lost"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    # ID card reader
    SERVICE_DOWN = "service_down"
    NO_READER = "no_reader"
    CARD_REMOVED = "card_removed"
    CARD_MUTE = "card_mute"
    CARD_UNREADABLE = "card_unreadable"
    CARD_FOREIGN = "card_foreign"
    NO_CARD = "no_card"
    # printers
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"
    OVERHEATED = "overheated"
    JAM = "jam"
    DOOR_OPEN = "door_open"
    TONER_OUT = "toner_out"
    ABORTED = "aborted"
    GLYPH_MISSING = "glyph_missing"
    UNPROVEN = "unproven"
    """Sent, but the printer did not say that it printed."""
    # camera
    FROZEN = "frozen"
    NO_CAMERA = "no_camera"
    NO_DOCUMENT = "no_document"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """A device as last seen. `detail` is for technicians, never personal data."""

    kind: DeviceKind
    state: DeviceState
    media: MediaState = MediaState.NONE
    paper: Level = Level.NONE
    toner: Level = Level.NONE
    fault: Fault | None = None
    identity: str = ""
    detail: str = ""

    @property
    def well(self) -> bool:
        """Online, without fault, supplies not out and known."""
        return (
            self.state is DeviceState.ONLINE
            and self.fault is None
            and self.media is not MediaState.JAMMED
            and self.paper not in (Level.OUT, Level.UNKNOWN)
            and self.toner not in (Level.OUT, Level.UNKNOWN)
        )

    def lost(self, fault: Fault, detail: str = "") -> DeviceStatus:
        """The same device after contact broke: nothing is known of its supplies."""
        return replace(
            self,
            state=DeviceState.OFFLINE,
            media=self.media if self.media is MediaState.NONE else MediaState.UNKNOWN,
            paper=self.paper if self.paper is Level.NONE else Level.UNKNOWN,
            toner=self.toner if self.toner is Level.NONE else Level.UNKNOWN,
            fault=fault,
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class DeviceError:
    """Why a command to a device did not succeed."""

    fault: Fault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A device's status is now this."""

    status: DeviceStatus


@dataclass(frozen=True, slots=True)
class CardPresented:
    """A card lies on the reader."""


@dataclass(frozen=True, slots=True)
class CardLifted:
    """The card is gone."""


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """One live picture of the document camera."""

    sequence: int
    jpeg: bytes
    quad: tuple[tuple[float, float], ...]
    """Corners of the page found, clockwise from top left, in 0..1 of width and height; empty if none."""
    advice: str
    """`ok`, `no_document`, `cut_off`, `blurred`, `dark`, `glare`, `hold_still`."""


DeviceEvent = StatusChanged | CardPresented | CardLifted | PreviewFrame
