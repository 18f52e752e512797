"""What a terminal is told when it is put together: its place, its ports, its delays."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.devices import DeviceKind
from kiosk.core.ports import (
    Assistance,
    CardKeys,
    CodeReader,
    CodeScanner,
    Device,
    DocumentCamera,
    Drafts,
    HallGateway,
    IdCardReader,
    Outbox,
    PagePrinter,
    PrintLedger,
    ReceiptPrinter,
    Sealer,
    SiteIo,
    SocialCardReader,
)


@dataclass(frozen=True, slots=True)
class TerminalSettings:
    """Where this terminal stands and what it is called."""

    terminal_id: str
    region: str
    site_name: str
    terminal_name: str


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside. A device that the profile does not name is None."""

    outbox: Outbox
    ledger: PrintLedger
    sealer: Sealer
    card_keys: CardKeys
    hall: HallGateway
    assistance: Assistance
    codes: CodeReader
    drafts: Drafts
    id_card: IdCardReader | None = None
    receipt: ReceiptPrinter | None = None
    page: PagePrinter | None = None
    camera: DocumentCamera | None = None
    social_card: SocialCardReader | None = None
    scanner: CodeScanner | None = None
    site_io: SiteIo | None = None

    def devices(self) -> dict[DeviceKind, Device]:
        """The devices that there are, in the order of the device strip."""
        every: dict[DeviceKind, Device | None] = {
            DeviceKind.ID_CARD: self.id_card,
            DeviceKind.RECEIPT: self.receipt,
            DeviceKind.PAGE: self.page,
            DeviceKind.CAMERA: self.camera,
            DeviceKind.SOCIAL_CARD: self.social_card,
            DeviceKind.SCANNER: self.scanner,
            DeviceKind.SITE_IO: self.site_io,
        }
        return {kind: device for kind, device in every.items() if device is not None}


@dataclass(frozen=True, slots=True)
class Delays:
    """Every delay of the services, in seconds. No standard sets them; the reasons stand beside them."""

    tick: float = 0.25
    """How often time is looked at."""
    put_retry: float = 0.5
    """Between two tries to write a filing down while the queue process is away."""
    put_deadline: float = 8.0
    """After this the citizen is told that it is not written down yet; one try of the queue's adapter takes 10 s."""
    mark_retry: float = 1.0
    mark_patience: float = 60.0
    """A queue that does not take a word for the print ledger for so long has trouble that the log should know."""
    mark_slow: float = 10.0
    """How often it is tried afterwards; a restart ends that: then the printer is asked, or she is."""
    fate_poll: float = 1.0
    """How often the printer is asked for a page of before, while it prints or while only its driver starts."""
    fate_deadline: float = 60.0
    """A printer that has not told the end of a page by then leaves it unknown: the hall hears so, and she is asked."""
    fate_slow: float = 30.0
    """How often it is asked afterwards: a printer that was switched off may still know."""
    collect: float = 15.0
    """A paper that lies in its mouth so long is spoken of."""
    feel: float = 5.0
    """A sensor that has not felt a new paper by then: somebody was quick."""
    papers_left_again: float = 60.0
    """How often the hall is told of papers that nobody took."""
    queue_poll: float = 1.0
    """How often the queue is asked for its state, and for the delivery of what is on the screen."""
    delivery_wait: float = 3.0
    """With the network up a receipt waits this long to be able to say that the hall has the filing."""
    delivery_poll: float = 0.25
    """How often the queue is asked meanwhile."""
    printer_start: float = 10.0
    """A receipt waits this long for a printer whose driver is just starting."""
    paper_retry: float = 5.0
    """Paper was out and the printer is well again, but its news came before its refusal: try after this."""
    help_seen: float = 60.0
    """How long 'staff know' stands on the screen."""
