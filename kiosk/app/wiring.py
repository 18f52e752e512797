"""Puts a terminal together from its profile: driver processes, queue client, hall client, sealer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import assert_never

from drivers.host.host import DriverHost, News, Notice
from drivers.host.proxies import (
    CodeScannerProxy,
    DocumentCameraProxy,
    IdCardReaderProxy,
    PagePrinterProxy,
    ReceiptPrinterProxy,
    SiteIoProxy,
    SocialCardReaderProxy,
)
from kiosk.app.logs import log_event
from kiosk.app.processes import own_command
from kiosk.contract.bundle import Bundle
from kiosk.core.clock import SystemClock
from kiosk.core.devices import DeviceKind
from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.profile import Profile
from kiosk.core.scanned_code import WEDGE
from kiosk.services.settings import Ports, TerminalSettings
from offline_queue.client import QueueClient
from offline_queue.drafts import DraftFiles
from offline_queue.gateway import DirectHall
from offline_queue.keys.codes import TerminalCodes
from offline_queue.keys.identity import Identity, current_keys, load_identity, read_bundle
from offline_queue.paper.ledger_client import LedgerClient
from offline_queue.seal import TerminalCardKeys, TerminalSealer
from provisioning.profile import Machine

_log = logging.getLogger("kiosk.devices")

DRIVER_NAMES = {
    DeviceKind.ID_CARD: "idcard",
    DeviceKind.RECEIPT: "receipt",
    DeviceKind.PAGE: "page",
    DeviceKind.CAMERA: "camera",
    DeviceKind.SOCIAL_CARD: "social_card",
    DeviceKind.SCANNER: "scanner",
    DeviceKind.SITE_IO: "site_io",
}
"""Folder of each device's driver."""


def event_of(notice: Notice) -> Event:
    """What the log is told of a driver's process."""
    reason = notice.end.reason.name.lower() if notice.end else None
    code = notice.end.exit_status if notice.end else None
    match notice.news:
        case News.LOST:
            return Event.of(EventName.DRIVER_LOST, device=notice.kind, reason=reason, code=code)
        case News.BROKEN:
            return Event.of(EventName.DRIVER_BROKEN, device=notice.kind, fault=notice.fault, reason=reason, code=code)
        case News.BACK:
            return Event.of(EventName.DRIVER_BACK, device=notice.kind)
        case _:
            assert_never(notice.news)


def _log_notice(notice: Notice) -> None:
    log_event(_log, event_of(notice))


def device_hosts(profile: Profile, *, notice: Callable[[Notice], None] = _log_notice) -> dict[DeviceKind, DriverHost]:
    """A host, not yet started, for each device that the profile names and that has a driver."""
    return {
        kind: DriverHost(
            own_command("driver", DRIVER_NAMES[kind], "--address", address),
            kind,
            notice=notice,
            say=partial(_log.warning, "%s driver says: %s", kind.value),
        )
        for kind in DeviceKind
        if (address := profile.devices.of(kind)) and address != WEDGE
    }


def build_ports(machine: Machine, hosts: dict[DeviceKind, DriverHost]) -> Ports:
    """Every port of the services; NotEnrolled when the terminal has no identity."""
    data = machine.data
    id_card, receipt = hosts.get(DeviceKind.ID_CARD), hosts.get(DeviceKind.RECEIPT)
    page, camera = hosts.get(DeviceKind.PAGE), hosts.get(DeviceKind.CAMERA)
    social_card, scanner = hosts.get(DeviceKind.SOCIAL_CARD), hosts.get(DeviceKind.SCANNER)
    site_io = hosts.get(DeviceKind.SITE_IO)
    queue = QueueClient(Path(machine.layout.queue_socket))
    return Ports(
        outbox=queue,
        ledger=LedgerClient(Path(machine.layout.queue_socket)),
        sealer=TerminalSealer.of(data),
        card_keys=TerminalCardKeys.of(data),
        hall=DirectHall.of(data, hall_url=machine.profile.hall.url, asking=queue.asking),
        assistance=queue,
        codes=TerminalCodes.of(data),
        drafts=DraftFiles(Path(machine.layout.drafts)),
        id_card=IdCardReaderProxy(id_card) if id_card else None,
        receipt=ReceiptPrinterProxy(receipt) if receipt else None,
        page=PagePrinterProxy(page) if page else None,
        camera=DocumentCameraProxy(camera) if camera else None,
        social_card=SocialCardReaderProxy(social_card) if social_card else None,
        scanner=CodeScannerProxy(scanner) if scanner else None,
        site_io=SiteIoProxy(site_io) if site_io else None,
    )


def terminal_settings(profile: Profile) -> TerminalSettings:
    """What the services are told of this terminal."""
    return TerminalSettings(
        terminal_id=profile.terminal_id,
        region=profile.region,
        site_name=profile.site_name,
        terminal_name=profile.terminal_name,
    )


class BundleSource:
    """The catalogue on disk, verified anew whenever the sync process has replaced the file."""

    def __init__(self, machine: Machine) -> None:
        self._data = machine.data
        self._file = Path(machine.layout.bundle_file)
        self._identity: Identity = load_identity(self._data)
        self._stamp: tuple[int, int] | None = None
        self._bundle: Bundle | None = None

    def __call__(self) -> Bundle | None:
        """The newest bundle that verifies; None before the first one arrived."""
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            return self._bundle
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self._stamp:
            keys = current_keys(self._identity, self._data)
            self._bundle = read_bundle(self._file, keys.signing) or self._bundle
            self._stamp = stamp
        return self._bundle


def clock() -> SystemClock:
    """The machine's clocks."""
    return SystemClock()
