"""Is a device's address in the profile one that its driver understands? Asked of the driver's own pure parser."""

from __future__ import annotations

from typing import assert_never

from kiosk.core.devices import DeviceKind


def wrong_address(kind: DeviceKind, address: str) -> str:
    """What an address of this device must look like; empty if this one does."""
    try:
        _parse(kind, address)
    except ValueError as error:
        return str(error)
    return ""


def _parse(kind: DeviceKind, address: str) -> None:
    # Imported here: each brings its device's library, and a doctor asks for one device in one thread.
    match kind:
        case DeviceKind.ID_CARD:
            from drivers.idcard.address import parse_address as parse_reader

            parse_reader(address)
        case DeviceKind.SOCIAL_CARD:
            from drivers.pcsc.address import parse_address as parse_slot

            parse_slot(address)
        case DeviceKind.SCANNER:
            from drivers.scanner.address import parse_address as parse_scanner

            parse_scanner(address)
        case DeviceKind.SITE_IO:
            from drivers.site_io.address import parse_address as parse_board

            parse_board(address)
        case DeviceKind.RECEIPT:
            from drivers.receipt.link import parse_address as parse_printer

            parse_printer(address)
        case DeviceKind.PAGE:
            from drivers.page.address import parse as parse_queue

            parse_queue(address)
        case DeviceKind.CAMERA:
            from drivers.camera.source import parse_address as parse_camera

            parse_camera(address)
        case _:
            assert_never(kind)
