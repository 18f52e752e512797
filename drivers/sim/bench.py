"""The bench: all simulated hardware of one terminal in one process, with one control socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from drivers.sim.control import ControlServer, SimDevice, route
from kiosk.core.devices import DeviceKind

CONTROL_SOCKET = "control.sock"
PREFIXES = {
    DeviceKind.ID_CARD: "card",
    DeviceKind.RECEIPT: "receipt",
    DeviceKind.PAGE: "page",
    DeviceKind.CAMERA: "camera",
    DeviceKind.SOCIAL_CARD: "social",
    DeviceKind.SCANNER: "scanner",
    DeviceKind.SITE_IO: "site",
}
"""First part of a control verb for each device."""

DEVICES = (
    DeviceKind.ID_CARD,
    DeviceKind.RECEIPT,
    DeviceKind.PAGE,
    DeviceKind.CAMERA,
    DeviceKind.SOCIAL_CARD,
    DeviceKind.SCANNER,
    DeviceKind.SITE_IO,
)
"""A whole terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What to simulate, and where."""

    dir: Path
    devices: tuple[DeviceKind, ...] = DEVICES
    ports: Mapping[DeviceKind, int] = field(default_factory=dict)
    """Loopback ports of those that have one; 0 or absent: any free one."""


class Bench:
    """Started: every device answers at its address. Each simulator keeps its files in its own folder."""

    def __init__(self, plan: BenchPlan) -> None:
        self._plan = plan
        self._devices: dict[DeviceKind, SimDevice] = {}
        self._control: ControlServer | None = None

    def start(self) -> dict[str, str]:
        """Addresses by device kind, as a terminal's profile wants them, and `control`."""
        addresses: dict[str, str] = {}
        for kind in self._plan.devices:
            folder = self._plan.dir / kind.value
            folder.mkdir(parents=True, exist_ok=True)
            device = _build(kind, folder, self._plan.ports.get(kind, 0))
            self._devices[kind] = device
            addresses[kind.value] = device.start()
        path = self._plan.dir / CONTROL_SOCKET
        self._control = ControlServer(path, route({PREFIXES[kind]: sim for kind, sim in self._devices.items()}))
        self._control.start()
        return {**addresses, "control": str(path)}

    def stop(self) -> None:
        """First the hands off, then the devices away; harmless when the start failed half-way."""
        if self._control is not None:
            self._control.stop()
        for device in reversed(self._devices.values()):
            device.stop()


def _build(kind: DeviceKind, folder: Path, port: int) -> SimDevice:
    # Imported on demand: each simulator brings its own libraries, and a bench may hold only one device.
    match kind:
        case DeviceKind.ID_CARD:
            from drivers.sim.id_card import CardReaderSim

            return CardReaderSim(dir=folder)
        case DeviceKind.RECEIPT:
            from drivers.sim.receipt import ReceiptPrinterSim

            return ReceiptPrinterSim(dir=folder, port=port)
        case DeviceKind.PAGE:
            from drivers.sim.page import PagePrinterSim

            return PagePrinterSim(dir=folder, port=port)
        case DeviceKind.CAMERA:
            from drivers.sim.camera import CameraSim

            return CameraSim(dir=folder, port=port)
        case DeviceKind.SOCIAL_CARD:
            from drivers.sim.social_card import SocialCardSim

            return SocialCardSim(dir=folder)
        case DeviceKind.SCANNER:
            from drivers.sim.scanner import CodeScannerSim

            return CodeScannerSim(dir=folder)
        case DeviceKind.SITE_IO:
            from drivers.sim.site_io import SiteIoSim

            return SiteIoSim(dir=folder)
        case _:
            assert_never(kind)
