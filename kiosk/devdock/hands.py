"""What a citizen's hands do at a terminal: put a card, hold a code up, lay a paper down, take what came out."""

from __future__ import annotations

import io
from typing import Any

from drivers.host.codec import dump_card
from drivers.sim.documents import Holder, SampleDocument, draw
from drivers.sim.social_deck import SlotCard
from kiosk.devdock.cases.papers import PaperWrong, read_code
from kiosk.devdock.persons import SyntheticPerson
from kiosk.devdock.street import Terminal

_PAGE_DPI = 150
"""Enough for the smallest code on a licence to be read back."""

DOCUMENT_LABELS = {
    SampleDocument.LEASE: "租赁合同（样本）",
    SampleDocument.RESIDENCE_PERMIT: "居住证（样本）",
    SampleDocument.FORM: "手填的表（样本）",
}


OTHER_CARDS = {
    SlotCard.BANK: "银行卡 bank card",
    SlotCard.TRANSIT: "交通卡 transit card",
    SlotCard.MUTE: "插反了 wrong way",
}
"""Cards that people push into the slot by mistake."""


def put_card(terminal: Terminal, person: SyntheticPerson, **options: Any) -> None:
    """Lay the person's card on the reader; `options` are the simulator's faults."""
    head, photo = dump_card(person.card)
    terminal.hardware.do("card.put", card=head, photo=photo.hex(), **options)


def lift_card(terminal: Terminal) -> None:
    """Take the card away."""
    terminal.hardware.do("card.lift")


def push_social_card(terminal: Terminal, person: SyntheticPerson, **options: Any) -> None:
    """Push the person's social security card (社保卡) into the slot; `options` are the simulator's faults."""
    head, _photo = dump_card(person.card)
    terminal.hardware.do("social.put", holder=head, **options)


def push_other_card(terminal: Terminal, kind: SlotCard) -> None:
    """Push a card into the slot that does not belong there."""
    terminal.hardware.do("social.put", kind=kind.value)


def pull_social_card(terminal: Terminal) -> None:
    """Pull out whatever card is in the slot."""
    terminal.hardware.do("social.lift")


def show_code(terminal: Terminal, text: str) -> None:
    """Hold a code under the scanner."""
    terminal.hardware.do("scanner.scan", text=text)


def code_on_last(terminal: Terminal, kind: str) -> str | None:
    """What the code says on the last paper out of the `receipt` or `page` printer; None without paper or code."""
    papers = [paper for paper in terminal.hardware.do(f"{kind}.list")[0]["papers"] if paper["complete"]]
    if not papers:
        return None
    try:
        return read_code(look_at(terminal, kind, int(papers[-1]["n"]), as_png=True))
    except PaperWrong:
        return None


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
