"""Numbers in groups for the eye."""

from __future__ import annotations

from kiosk.contract.numbers import ApplicationNumber


def grouped(number: str) -> str:
    """An application number as on the receipt, 440604-261122-T001-0007-K; what another hall minted, as it stands."""
    try:
        return ApplicationNumber.parse(number).printed()
    except ValueError:
        return number
