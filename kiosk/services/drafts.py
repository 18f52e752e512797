"""From a flow to its draft (草稿) and back. No consent is kept: that is given anew."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from pydantic import ValidationError

from kiosk.contract.wire import canonical_json
from kiosk.core.answers import CITIZEN, ID_CARD, SOCIAL_CARD, Answer, Answers
from kiosk.core.catalogue import Catalogue
from kiosk.core.ports import Shot
from kiosk.services.draft import Draft, StoredCapture
from kiosk.services.places import CapturedPage, Flow


def slot_of(tag: bytes, matter: str) -> str:
    """Name of a draft among those of one card; tells nobody else what it is about."""
    return hashlib.sha256(tag + matter.encode()).hexdigest()[:16]


def worth_keeping(flow: Flow) -> bool:
    """Did she write or photograph anything herself, that is not filed yet?"""
    if flow.item.kind == "certificate":
        return False  # made while she waits, and asked for again in a minute
    wrote = any(answer.source == CITIZEN and answer.given for answer in flow.answers.values())
    return flow.sealed is None and (wrote or any(isinstance(held, CapturedPage) for held in flow.held.values()))


def make_draft(flow: Flow, *, at: datetime, filing: str = "") -> Draft:
    """What is kept of this flow."""
    return Draft(
        item_code=flow.item.code,
        item_version=flow.item.version,
        at=at,
        answers={
            name: one for name, one in flow.answers.records().items() if one.source not in (ID_CARD, SOCIAL_CARD)
        },  # what a card says, it says anew
        captures={name: _store(held) for name, held in flow.held.items() if isinstance(held, CapturedPage)},
        filing=filing,
        corrects=flow.corrects,
        wanted=flow.wanted,
    )


def draft_bytes(draft: Draft) -> bytes:
    """Canonical JSON, to be sealed."""
    return canonical_json(draft)


def parse_draft(raw: bytes) -> Draft | None:
    """What `draft_bytes` made; None if these bytes are something else (an older or newer version)."""
    try:
        return Draft.model_validate_json(raw)
    except ValidationError:
        return None


def resumed(draft: Draft, catalogue: Catalogue) -> Flow | None:
    """The flow to go on with; None when the item is gone or was changed: old answers may mean something else now."""
    item = catalogue.newest.get(draft.item_code)
    if item is None or item.version != draft.item_version:
        return None
    fields = {question.id for page in item.pages for question in page.fields}
    materials = {material.id for material in item.materials}
    return Flow(
        item,
        catalogue.number,
        Answers({name: Answer(one.value, one.source, one.at) for name, one in draft.answers.items() if name in fields}),
        {name: _load(one) for name, one in draft.captures.items() if name in materials},
        corrects=draft.corrects,
        wanted=draft.wanted,
    )


def _store(held: CapturedPage) -> StoredCapture:
    shot = held.shot
    return StoredCapture(
        original=base64.b64encode(shot.original_jpeg),
        page=base64.b64encode(shot.page_jpeg),
        width=shot.width,
        height=shot.height,
        advice=shot.advice,
        at=held.at,
    )


def _load(stored: StoredCapture) -> CapturedPage:
    return CapturedPage(Shot(stored.original, stored.page, stored.width, stored.height, stored.advice), stored.at)
