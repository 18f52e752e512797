"""From a finished journey to a sealed filing (申办): what is written into the envelope and onto the receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from kiosk.contract.submission import Consent, MaterialUse, Submission
from kiosk.core.journey import effective, visible_materials
from kiosk.core.ports import CardKeys, Sealer, SealSession
from kiosk.core.session import Session
from kiosk.core.slip import receipt_for
from kiosk.services.effects import Capture, Seal
from kiosk.services.messages import SealedFiling
from kiosk.services.places import CapturedPage, Flow, ReusedLicence
from kiosk.services.slips import StoredSlip, slip_bytes, store_blocks


def material_uses(flow: Flow, session: Session) -> tuple[MaterialUse, ...]:
    """The materials that are there, in the item's order; pictures without the hashes that sealing gives them."""
    return tuple(_uses(flow, session))


def _uses(flow: Flow, session: Session) -> Iterator[MaterialUse]:
    for material in visible_materials(flow.item, flow.answers):
        match flow.held.get(material.id):
            case ReusedLicence(licence):
                yield MaterialUse(id=material.id, source="licence_library", name=material.name, licence_id=licence.id)
            case CapturedPage(shot, at):
                yield MaterialUse(
                    id=material.id,
                    source="camera",
                    name=material.name,
                    media_type="image/jpeg",
                    size=len(shot.page_jpeg),
                    captured_at=at,
                )
            case None if "card_reader" in material.sources and session.card is not None:
                yield MaterialUse(id=material.id, source="card_reader", name=material.name)


def captures(flow: Flow) -> tuple[Capture, ...]:
    """The pictures that this case needs; what was taken for a material that is no longer asked stays behind."""
    return tuple(
        Capture(material.id, held.shot.page_jpeg)
        for material in visible_materials(flow.item, flow.answers)
        if isinstance(held := flow.held.get(material.id), CapturedPage)
    )


def consents(flow: Flow) -> tuple[Consent, ...]:
    """Her yes to every reuse that counts (证照复用授权)."""
    return tuple(
        held.consent
        for material in visible_materials(flow.item, flow.answers)
        if isinstance(held := flow.held.get(material.id), ReusedLicence)
    )


def build_submission(
    *,
    flow: Flow,
    session: Session,
    filing: str,
    application_no: str,
    query_code: str,
    terminal_id: str,
    at: datetime,
) -> Submission:
    """What the hall will read, but for the hashes of the pictures."""
    return Submission(
        id=filing,
        application_no=application_no,
        query_code=query_code,
        item_code=flow.item.code,
        item_version=flow.item.version,
        bundle=flow.bundle,
        terminal_id=terminal_id,
        created_at=at,
        applicant=session.proof,
        answers=effective(flow.item, flow.answers).records(),
        materials=material_uses(flow, session),
        consents=consents(flow),
        corrects=flow.corrects,
    )


def seal_filing(order: Seal, *, session: SealSession, sealer: Sealer, card_keys: CardKeys) -> SealedFiling:
    """Seal pictures and submission, write both versions of the receipt, seal them to the card.

    Nothing in here touches the disk. Without a card the receipt cannot be given back after a crash: it has no owner.
    """
    submission, blobs = _seal_captures(order.submission, order.captures, session)
    sealed = session.seal(submission, blobs)
    qr = sealer.sign_receipt(
        submission.application_no, hashlib.sha256(sealed.envelope).hexdigest(), submission.created_at
    )
    papers = {
        delivered: receipt_for(
            job=submission.id, item=order.item, submission=submission, place=order.place, delivered=delivered, qr=qr
        )
        for delivered in (False, True)
    }
    limits = order.item.limits
    slip = StoredSlip(
        job=submission.id,
        item_name=order.item.name,
        kind="consultation" if order.item.kind == "consultation" else "application",
        application_no=submission.application_no,
        query_code=submission.query_code,
        query_place=order.place.query_place,
        limit_days=limits.promised.days if limits else None,
        limit_unit=limits.promised.unit if limits else "",
        corrects=submission.corrects,
        saved=store_blocks(papers[False]),
        delivered=store_blocks(papers[True]),
    )
    if order.card is None:
        return SealedFiling(sealed=sealed, card_tag=b"", sealed_slip=b"", slip=slip)
    return SealedFiling(
        sealed=sealed,
        card_tag=card_keys.tag(order.card),
        sealed_slip=card_keys.seal(order.card, slip_bytes(slip)),
        slip=slip,
    )


def _seal_captures(
    submission: Submission, pictures: Sequence[Capture], session: SealSession
) -> tuple[Submission, tuple[bytes, ...]]:
    """One sealed blob a picture; the material names it by its sealed and by its open hash."""
    blobs: list[bytes] = []
    hashes: dict[str, dict[str, str]] = {}
    for picture in pictures:
        blob = session.seal_blob(submission.id, picture.jpeg)
        blobs.append(blob)
        hashes[picture.material] = {
            "blob": hashlib.sha256(blob).hexdigest(),
            "original_sha256": hashlib.sha256(picture.jpeg).hexdigest(),
        }
    materials = tuple(use.model_copy(update=hashes.get(use.id, {})) for use in submission.materials)
    return submission.model_copy(update={"materials": materials}), tuple(blobs)
