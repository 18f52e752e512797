"""Which cases can be corrected here (补正)."""

from __future__ import annotations

from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.person import ApplicationSummary
from kiosk.core.catalogue import Catalogue
from kiosk.core.item import Item


def wants_correction(case: ApplicationSummary, catalogue: Catalogue) -> Item | None:
    """The item to go through again; None: nothing is wanted of this case, or it cannot be brought from here."""
    if case.state != "correction_wanted" or not _is_number(case.application_no):
        return None
    item = catalogue.newest.get(case.item_code)
    return item if item is not None and item.kind == "application" else None


def _is_number(text: str) -> bool:
    """As terminals mint them: what was handed in at a window has another, and is corrected there."""
    try:
        return str(ApplicationNumber.parse(text)) == text
    except ValueError:
        return False
