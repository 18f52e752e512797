"""A terminal's profile (终端档案): where its devices, its data and its hall are. Addresses, never mocks."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from kiosk.contract.wire import Short, TerminalId
from kiosk.core.devices import DeviceKind


class Section(BaseModel):
    """A table of the TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeviceAddresses(Section):
    """Device addresses; an empty one means that the terminal has no such device.

    id_card: ``pcsc:/path/of/pcscd.comm?reader=NAME`` (NAME may be a prefix; no path: the system's pcscd);
    receipt: ``tcp://host:port``, ``serial:/dev/…?baud=115200`` or ``file:/dev/usb/lp0``;
    page: ``ipp://host:port/path`` or ``ipps://host:port/path?ca=FILE&name=NAME``, a printer or a queue of CUPS, which
    wants ``?proof=queue`` where its printer speaks no IPP itself (USB); camera: a URL, a device path, or ``index:0``;
    id_card also ``sam:/dev/…?baud=115200`` and ``sam://host:port`` (SAM_V on a serial line) and ``pcsc-escape:…`` like
    ``pcsc:``; social_card: ``pcsc:…``; scanner: ``serial:/dev/…?baud=9600``,
    ``scanner://host:port`` or ``wedge:``;
    site_io: ``modbus:/dev/…?baud=9600&unit=1&board=NAME`` and ``modbus://host:port?unit=1&board=NAME`` (RTU frames
    through a serial server), NAME as in the driver's table of boards.
    """

    id_card: str = ""
    receipt: str = ""
    page: str = ""
    camera: str = ""
    social_card: str = ""
    scanner: str = ""
    site_io: str = ""

    def of(self, kind: DeviceKind) -> str:
        """Its address; empty: no such device."""
        return str(getattr(self, kind.value))


class Hall(Section):
    """Where the hall answers."""

    url: Annotated[str, StringConstraints(pattern=r"^https://")]
    """Terminals (mTLS)."""


class Screen(Section):
    """The panel."""

    width: int = Field(default=1080, ge=640)
    height: int = Field(default=1920, ge=480)
    motion: bool = True


class Profile(Section):
    """One terminal. Data directory layout: identity/ queue/ drafts/ bundle/ run/ logs/."""

    schema_version: int = Field(default=1, alias="schema")
    terminal_id: TerminalId
    region: Short
    site_name: Short
    terminal_name: Short
    data: Short
    """Data directory; relative to the profile file."""
    hall: Hall
    devices: DeviceAddresses = DeviceAddresses()
    screen: Screen = Screen()

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class DataLayout:
    """Names inside a terminal's data directory; pure path arithmetic."""

    def __init__(self, root: PurePath) -> None:
        self.root = root
        self.identity = root / "identity"
        self.terminal_json = self.identity / "terminal.json"
        """The EnrolResponse, as received."""
        self.tls_key = self.identity / "tls.key"
        self.tls_certificate = self.identity / "tls.pem"
        self.ca = self.identity / "ca.pem"
        self.signing_key = self.identity / "signing.key"
        self.queue = root / "queue"
        self.queue_db = self.queue / "queue.db"
        self.queue_blobs = self.queue / "blobs"
        self.drafts = root / "drafts"
        self.bundle = root / "bundle"
        self.bundle_file = self.bundle / "current.cwb"
        self.run = root / "run"
        self.queue_socket = self.run / "queue.sock"
        self.desk_socket = self.run / "devices.sock"
        """The technician's desk (设备台) of the terminal that serves."""
        self.logs = root / "logs"
