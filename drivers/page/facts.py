"""What a printer tells of itself (Get-Printer-Attributes), and what follows for a document; pure.

Attributes: RFC 8011 §5.4; media-ready and marker-… PWG 5100.3, 5100.9; printer-firmware-string-version PWG 5110.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from drivers.page.ipp import Group
from drivers.page.status import Condition, Toner
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.ports import Document
from kiosk.core.result import Err, Ok, Result

A4 = "iso_a4_210x297mm"
PDF = "application/pdf"
LONG_EDGE = "two-sided-long-edge"
ONE_SIDE = "one-sided"
WANTED = (
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "printer-make-and-model",
    "printer-firmware-string-version",
    "printer-impressions-completed",
    "printer-up-time",
    "document-format-supported",
    "media-supported",
    "media-ready",
    "sides-supported",
    "marker-names",
    "marker-types",
    "marker-levels",
    "marker-low-levels",
    "job-history-interval-configured",
    "cups-version",
    "device-uri",
)
_LONGEST = 120
"""Characters of a printer's own words that are passed on."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A printer in its own words. Empty: it did not say."""

    condition: Condition
    model: str = ""
    firmware: str = ""
    impressions: int | None = None
    """Page counter."""
    up_s: int | None = None
    """Since it was switched on."""
    history_s: int | None = None
    """How long it promises to remember a job that is over."""
    formats: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    """What it can print on."""
    ready: tuple[str, ...] = ()
    """What lies in its trays."""
    sides: tuple[str, ...] = ()
    device_uri: str | None = None
    """None: this is a printer. Else it is a queue of CUPS, and the printer is there."""

    @property
    def name(self) -> str:
        """Model and firmware."""
        return " ".join(part for part in (self.model, self.firmware) if part)


def read_facts(group: Group) -> Facts:
    """The printer's group of an answer."""
    queue = bool(group.values("cups-version"))
    ready = _words(group, "media-ready")
    return Facts(
        condition=Condition(
            group.integer("printer-state"),
            group.keywords("printer-state-reasons"),
            accepting=group.values("printer-is-accepting-jobs") != (False,),
            ready=ready,
            toners=_toners(group),
        ),
        model=_shown(group.text("printer-make-and-model")),
        firmware=_shown(group.text("printer-firmware-string-version")),
        impressions=group.integer("printer-impressions-completed"),
        up_s=group.integer("printer-up-time"),
        history_s=group.integer("job-history-interval-configured"),
        formats=_words(group, "document-format-supported"),
        media=_words(group, "media-supported"),
        ready=ready,
        sides=_words(group, "sides-supported"),
        device_uri=(group.text("device-uri") or "") if queue else None,
    )


def _words(group: Group, name: str) -> tuple[str, ...]:
    return tuple(word for word in group.keywords(name) if word)


def _shown(told: str | None) -> str:
    """In one line without control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in told or "")[:_LONGEST].strip()


def _toners(group: Group) -> tuple[Toner, ...]:
    """Markers that run empty; a box of waste toner runs full and is none."""
    columns = (group.values("marker-types"), group.values("marker-levels"), group.values("marker-low-levels"))
    names = group.keywords("marker-names")
    found: list[Toner] = []
    for number, (kind, level, low) in enumerate(zip_longest(*columns)):
        if isinstance(kind, str) and kind.startswith(("toner", "ink")) and type(level) is int:
            name = _shown(names[number] if number < len(names) else kind)
            found.append(Toner(name, level, low if type(low) is int else 0))
    return tuple(found)


# --- the document ------------------------------------------------------------------------------------------------

_SIZE = re.compile(r"_([0-9.]{1,8})x([0-9.]{1,8})(mm|in)$")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a job asks for."""

    media: str
    sides: str


def choose(document: Document, facts: Facts) -> Result[Sheet, DeviceError]:
    """How this printer prints this document, or why it cannot.

    Paper that the printer does not know or that does not lie in its trays: MEDIA_WRONG. No PDF: MISCONFIGURED. Both
    sides where it can print one only: one side is printed, for all pages come out all the same. What the printer does
    not tell is believed to be there.
    """
    if facts.formats and PDF not in facts.formats:
        return Err(DeviceError(Fault.MISCONFIGURED, "printer takes no PDF"))
    if facts.media and not holds(facts.media, document.media):
        return Err(DeviceError(Fault.MEDIA_WRONG, f"printer knows no {document.media[:_LONGEST]}"))
    if facts.ready and not holds(facts.ready, document.media):
        return Err(DeviceError(Fault.MEDIA_WRONG, f"no {document.media[:_LONGEST]} in the trays"))
    both = document.duplex and LONG_EDGE in facts.sides
    return Ok(Sheet(document.media, LONG_EDGE if both else ONE_SIDE))


def holds(there: tuple[str, ...], wanted: str) -> bool:
    """Is this paper among those? By name, or by size to the millimetre: names before the size differ by maker."""
    size = _size(wanted)
    return any(name == wanted or (size is not None and _alike(size, _size(name))) for name in there)


def _size(name: str) -> tuple[float, float] | None:
    """Width and height in mm of a self-describing name (PWG 5101.1 §5)."""
    found = _SIZE.search(name)
    if found is None:
        return None
    scale = 25.4 if found[3] == "in" else 1.0
    try:
        return float(found[1]) * scale, float(found[2]) * scale
    except ValueError:
        return None


def _alike(one: tuple[float, float], other: tuple[float, float] | None) -> bool:
    return other is not None and all(abs(a - b) <= 1.0 for a, b in zip(one, other, strict=True))
