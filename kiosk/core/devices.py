"""One vocabulary for every device: state, media and supplies apart; unknown is a value and never counts as good.

Anchors: XFS4IoT common status, CUSS 2 component state.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class DeviceKind(StrEnum):
    """Devices of a terminal."""

    ID_CARD = "id_card"
    RECEIPT = "receipt"
    PAGE = "page"
    CAMERA = "camera"
    SOCIAL_CARD = "social_card"
    """社保卡: the contact slot."""
    SCANNER = "scanner"
    """扫码器: bar codes and QR codes."""
    SITE_IO = "site_io"
    """I/O board of the cabinet: doors, sensors, lamps, UPS."""


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
    IN_USE = "in_use"
    """Another program holds it."""
    PERMISSION = "permission"
    """The terminal's user may not open it."""
    MISCONFIGURED = "misconfigured"
    """The profile says something that the driver cannot work with; it stays so until somebody changes it."""
    DRIVER_BROKEN = "driver_broken"
    """The driver ended time and again before it was of any use; it is tried anew now and then."""
    HARDWARE = "hardware"
    """The device itself says that it is broken."""
    # ID card reader
    SERVICE_DOWN = "service_down"
    NO_READER = "no_reader"
    CARD_REMOVED = "card_removed"
    CARD_MUTE = "card_mute"
    CARD_UNREADABLE = "card_unreadable"
    CARD_FOREIGN = "card_foreign"
    """Some card that this slot is not for."""
    CARD_BANK = "card_bank"
    CARD_TRANSIT = "card_transit"
    CARD_SOCIAL = "card_social"
    """社保卡, where an identity card was expected."""
    CARD_REJECTED = "card_rejected"
    """Card and security module do not accept each other (SAM_V 31, 32, 33): perhaps a forgery."""
    NO_CARD = "no_card"
    READER_UNSUITED = "reader_unsuited"
    """An ordinary contactless reader, which can read no resident card."""
    SAM_FAULT = "sam_fault"
    """The security module failed its self-test or is not authorised (SAM_V 60, 66)."""
    # printers
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER = "cutter"
    OVERHEATED = "overheated"
    JAM = "jam"
    DOOR_OPEN = "door_open"
    TONER_OUT = "toner_out"
    OUTPUT_FULL = "output_full"
    MEDIA_WRONG = "media_wrong"
    """Other paper lies in the tray than the job needs."""
    STOPPED = "stopped"
    """Paused at its panel or by its queue."""
    ABORTED = "aborted"
    GLYPH_MISSING = "glyph_missing"
    UNPROVEN = "unproven"
    """Sent, but the printer did not say that it printed."""
    # camera
    FROZEN = "frozen"
    NO_CAMERA = "no_camera"
    NO_DOCUMENT = "no_document"
    DARK = "dark"
    """Pictures come, and they are black: a covered lens, a lamp that is off."""
    # code scanner
    GARBLED = "garbled"
    """Lines come that are no codes: wrong speed or setting."""
    # I/O board
    ON_BATTERY = "on_battery"
    BATTERY_LOW = "battery_low"
    CABINET_OPEN = "cabinet_open"


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
class LastError:
    """The last command that failed, or the last loss of the driver. It stays when the device is well again."""

    fault: Fault
    at: datetime
    during: str
    """Verb of the command; `serve` when the driver was lost between commands."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """The last time that the device was asked to prove itself (自检).

    A quick one disturbs nobody: identity, status, one exchange. A deep one does what the device is for: reads the card
    that lies there, prints a test slip or page, takes a picture.
    """

    passed: bool
    deep: bool
    seconds: float
    at: datetime
    fault: Fault | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DriverProcess:
    """The worker process behind a device."""

    pid: int | None
    version: int
    capabilities: frozenset[str]
    restarts: int
    """Since the terminal started."""
    resident_bytes: int
    """0 while it is down."""


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """Everything that is known of a device, for technicians and for the dock."""

    status: DeviceStatus
    driver: DriverProcess
    last_error: LastError | None = None
    self_test: SelfTest | None = None


class Lamp(StrEnum):
    """What the I/O board can light."""

    CARD = "card"
    RECEIPT = "receipt"
    PAGE = "page"
    CAMERA = "camera"
    """The light over the document camera (补光灯)."""
    STATUS = "status"
    """The cabinet's own: serving or not."""


class LampState(StrEnum):
    """Steady or not."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"


@dataclass(frozen=True, slots=True)
class SiteInputs:
    """What the cabinet feels. None: this cabinet has no such sensor, or it is not known now."""

    cabinet_open: bool | None = None
    person_near: bool | None = None
    slip_waiting: bool | None = None
    """A slip sticks out of the receipt printer's mouth."""
    page_waiting: bool | None = None
    """A page lies in the tray."""
    on_battery: bool | None = None
    battery_percent: int | None = None


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


@dataclass(frozen=True, slots=True)
class SocialCardPresented:
    """A card is in the contact slot."""


@dataclass(frozen=True, slots=True)
class SocialCardLifted:
    """The contact slot is empty."""


@dataclass(frozen=True, slots=True)
class CodeScanned:
    """A code was held under the scanner. What it says may be personal."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SiteChanged:
    """The cabinet feels something else than before."""

    inputs: SiteInputs


DeviceEvent = (
    StatusChanged
    | CardPresented
    | CardLifted
    | PreviewFrame
    | SocialCardPresented
    | SocialCardLifted
    | CodeScanned
    | SiteChanged
)
