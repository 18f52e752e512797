"""Address of an ID card reader; pure. See `kiosk.core.profile.DeviceAddresses`."""

from __future__ import annotations

from drivers.pcsc.address import PcscAddress
from drivers.pcsc.address import parse_address as parse_pcsc


def parse_address(text: str) -> PcscAddress:
    """ValueError if it is no address of a reader."""
    return parse_pcsc(text)
