"""What can be done here now (设备就绪): devices and network against what an item needs. Pure.

Unknown never counts as good. Items are greyed one by one; the terminal closes only when nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from kiosk.core.catalogue import Catalogue
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level
from kiosk.core.item import Item
from kiosk.core.ports import Link
from kiosk.core.views import Availability, DeviceChip
from kiosk.services.faults import PAPER_WANTED
from kiosk.services.model import Model
from kiosk.services.settings import TerminalSettings

_ALWAYS = frozenset({DeviceKind.ID_CARD, DeviceKind.RECEIPT, DeviceKind.PAGE, DeviceKind.CAMERA})
SPACE_DEVICES = frozenset({DeviceKind.ID_CARD})
"""What 我的空间 needs besides the network."""


def wants_paper(model: Model, kind: DeviceKind) -> bool:
    """Is a printer waiting for somebody's hand in the middle of its work? It goes on by itself."""
    status = model.devices.get(kind)
    return status is not None and (status.paper is Level.OUT or status.fault in PAPER_WANTED)


def device_well(model: Model, kind: DeviceKind) -> bool:
    """There is such a device and it does what it is told."""
    status = model.devices.get(kind)
    return status is not None and status.well


def item_available(model: Model, catalogue: Catalogue, settings: TerminalSettings, item: Item) -> Availability:
    """Can this item be done here now, and if not, why and where else?"""
    needed = item.required_devices()
    here = _availability(model, catalogue, settings, needed, online=item.offline == "online_only")
    if here.ok and item.needs_sheet() and sheets_missing(model):
        return Availability(False, "sheets", catalogue.nearest_elsewhere(needed, settings.terminal_id))
    return here


def sheets_missing(model: Model) -> bool:
    """No numbered licence sheet may be printed on now; a queue that does not answer knows of none."""
    return model.queue.sheets_ready == 0


def space_available(model: Model, catalogue: Catalogue, settings: TerminalSettings) -> Availability:
    """Can 我的空间 be opened?"""
    return _availability(model, catalogue, settings, SPACE_DEVICES, online=True)


def any_available(options: Iterable[Availability]) -> Availability:
    """A theme is open while one of its items is; otherwise it is closed for the first one's reason."""
    every = tuple(options)
    return next((one for one in every if one.ok), every[0] if every else Availability(False))


def serviceable(model: Model, catalogue: Catalogue, settings: TerminalSettings) -> bool:
    """May anybody begin here? A device that is still starting counts as hope; an open cabinet or a battery that is
    nearly empty lets nobody begin what could not be ended, and before the first catalogue there is nothing to begin."""
    if catalogue.number == 0 or maintenance(model) or battery_low(model):
        return False
    if any(status.state is DeviceState.STARTING for status in model.devices.values()):
        return True
    options = [item_available(model, catalogue, settings, item) for item in catalogue.items]
    options.append(space_available(model, catalogue, settings))
    return any(option.ok for option in options)


def maintenance(model: Model) -> bool:
    """A technician has the cabinet open (检修)."""
    return model.site.cabinet_open is True


def battery_low(model: Model) -> bool:
    """The mains are off and the battery is nearly empty."""
    board = model.devices.get(DeviceKind.SITE_IO)
    return board is not None and board.fault is Fault.BATTERY_LOW


def chips(model: Model) -> tuple[DeviceChip, ...]:
    """The device strip: what most people need, then the network; everything else only when there is something to
    say of it. The board itself is nobody's concern here: what it feels is."""
    strip = (DeviceChip(kind, chip_state(status), status.fault) for kind, status in model.devices.items())
    return (
        *(
            chip
            for chip in strip
            if chip.kind in _ALWAYS or (chip.state != "ok" and chip.kind is not DeviceKind.SITE_IO)
        ),
        DeviceChip("network", _link_state(model.queue.link)),
        *([DeviceChip("power", "down" if battery_low(model) else "low")] if model.site.on_battery else []),
        *([DeviceChip(DeviceKind.SITE_IO, "down", Fault.CABINET_OPEN)] if maintenance(model) else []),
    )


def chip_state(status: DeviceStatus) -> Literal["ok", "low", "down", "unknown", "starting"]:
    """One word for a status."""
    if status.state is DeviceState.STARTING:
        return "starting"
    if status.well:
        return "low" if Level.LOW in (status.paper, status.toner) else "ok"
    contact = status.state is DeviceState.ONLINE and status.fault is None
    if status.state is DeviceState.UNKNOWN or (contact and Level.OUT not in (status.paper, status.toner)):
        return "unknown"
    return "down"


def _link_state(link: Link) -> Literal["ok", "down", "unknown"]:
    match link:
        case Link.UP:
            return "ok"
        case Link.DOWN:
            return "down"
        case Link.UNKNOWN:
            return "unknown"


def _availability(
    model: Model,
    catalogue: Catalogue,
    settings: TerminalSettings,
    needed: frozenset[DeviceKind],
    *,
    online: bool,
) -> Availability:
    missing = [kind for kind in DeviceKind if kind in needed and not device_well(model, kind)]
    if missing and all(_starts(model, kind) for kind in missing):
        return Availability(False, missing[0], starting=True)
    if missing:
        return Availability(False, missing[0], catalogue.nearest_elsewhere(needed, settings.terminal_id))
    if DeviceKind.PAGE in needed and model.site.on_battery:
        return Availability(False, "power", catalogue.nearest_elsewhere(needed, settings.terminal_id))
    if online and model.queue.link is not Link.UP:
        return Availability(False, "network")
    return Availability(True)


def _starts(model: Model, kind: DeviceKind) -> bool:
    status = model.devices.get(kind)
    return status is not None and status.state is DeviceState.STARTING
