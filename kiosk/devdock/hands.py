"""What a citizen's hands do at a terminal: put a card, lay a paper under the camera, take what came out."""

from __future__ import annotations

import io
from typing import Any

from drivers.host.codec import dump_card
from drivers.sim.documents import Holder, SampleDocument, draw
from kiosk.devdock.persons import SyntheticPerson
from kiosk.devdock.street import Terminal

_PAGE_DPI = 150
"""Enough for the smallest code on a licence to be read back."""

DOCUMENT_LABELS = {
    SampleDocument.LEASE: "租赁合同（样本）",
    SampleDocument.RESIDENCE_PERMIT: "居住证（样本）",
    SampleDocument.FORM: "手填的表（样本）",
}


def put_card(terminal: Terminal, person: SyntheticPerson, **options: Any) -> None:
    """Lay the person's card on the reader; `options` are the simulator's faults."""
    head, photo = dump_card(person.card)
    terminal.hardware.do("card.put", card=head, photo=photo.hex(), **options)


def lift_card(terminal: Terminal) -> None:
    """Take the card away."""
    terminal.hardware.do("card.lift")


def put_document(terminal: Terminal, document: SampleDocument, holder: SyntheticPerson, **options: Any) -> None:
    """Lay a synthetic paper of this person under the camera."""
    card = holder.card
    owner = Holder(name=card.name, id_number=card.id_number, address=card.address)
    buffer = io.BytesIO()
    draw(document, holder=owner).save(buffer, "JPEG", quality=90)
    terminal.hardware.do("camera.put", buffer.getvalue(), **options)


def clear_document(terminal: Terminal) -> None:
    """Take the paper away."""
    terminal.hardware.do("camera.clear")


def look_at(terminal: Terminal, kind: str, number: int, *, as_png: bool) -> bytes:
    """A paper that came out of the `receipt` or `page` printer: a picture, or for a page also its PDF."""
    arguments: dict[str, Any] = {"n": number}
    if kind == "page" and as_png:
        arguments |= {"as": "png", "dpi": _PAGE_DPI}
    _, data = terminal.hardware.do(f"{kind}.get", b"", **arguments)
    return data
