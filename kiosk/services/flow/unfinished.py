"""What was begun and not filed (草稿): kept for her card page by page, offered again, dropped when it is filed.

A dead printer, a lost camera, a bus that leaves, a screen that dies: her answers wait for her here.
"""

from __future__ import annotations

from kiosk.core.event_table import EventName
from kiosk.core.events import Event
from kiosk.core.result import Err
from kiosk.services.draft import Draft
from kiosk.services.drafts import make_draft, resumed, worth_keeping
from kiosk.services.effects import AskDrafts, DropDraft, KeepDraft
from kiosk.services.flow.item import to_what_is_missing
from kiosk.services.messages import DraftKept, DraftsCame
from kiosk.services.model import Model
from kiosk.services.places import AtMaterials, AtQuestion, Flow
from kiosk.services.turn import Turn


def ask(turn: Turn) -> None:
    """Her card was read: what did she leave here?"""
    card = turn.visit.session.card
    assert card is not None, "drafts belong to a card"
    turn.do(AskDrafts(turn.visit.generation, card))


def came(turn: Turn, message: DraftsCame) -> None:
    """Offered on her home page, and where she begins the same item."""
    if not turn.current(message.generation):
        turn.log(Event.of(EventName.LATE_RESULT_DROPPED))
        return
    since = {draft.matter for draft in turn.visit.drafts}
    in_hand = {filing.put.sealed.id for filing in turn.model.filings}
    earlier = (draft for draft in message.drafts if draft.matter not in since and draft.filing not in in_hand)
    good = (draft for draft in earlier if resumed(draft, turn.catalogue) is not None)
    turn.set_visit(drafts=(*turn.visit.drafts, *good))
    flow = turn.visit.flow
    if flow is not None and _only_begun(turn, flow):
        resume(turn, of(turn, flow.matter, wanted=flow.wanted))  # her card was read in the middle of beginning it anew


def _only_begun(turn: Turn, flow: Flow) -> bool:
    if flow.corrects:
        return flow is turn.visit.kept
    return isinstance(turn.visit.place, AtQuestion | AtMaterials) and not worth_keeping(flow) and not flow.held


def kept(turn: Turn, message: DraftKept) -> None:
    """A draft that could not be kept is no trouble of hers: her answers are here as long as she is."""
    if isinstance(message.result, Err):
        turn.log(Event.of(EventName.DRAFT_REFUSED, fault=message.result.error.fault))
        if turn.current(message.generation):
            turn.set_visit(kept=None)


def follow(turn: Turn, before: Model) -> None:
    """Keep what she has, whenever she goes on to another page, home, or away."""
    was, now = before.visit, turn.model.visit
    if was is None or was.flow is None or was.session.card is None:
        return
    here = now if now is not None and now.generation == was.generation else None
    flow = was.flow if here is None or here.flow is None else here.flow
    moved = here is None or here.place != was.place
    if not moved or flow is was.kept or not worth_keeping(flow):
        return
    draft = make_draft(flow, at=turn.now)
    turn.do(KeepDraft(was.generation, was.session.card, draft))
    if here is not None:
        others = (one for one in here.drafts if one.matter != draft.matter)
        turn.set_visit(kept=flow, drafts=(draft, *others))


def about_to_file(turn: Turn, filing: str) -> None:
    """Submit was pressed: should the screen die now, the draft knows which filing it became."""
    card, matter = turn.visit.session.card, turn.flow.matter
    others = tuple(one for one in turn.visit.drafts if one.matter != matter)
    if card is not None and (turn.visit.kept is not None or others != turn.visit.drafts):
        turn.do(KeepDraft(turn.visit.generation, card, make_draft(turn.flow, at=turn.now, filing=filing)))
        turn.set_visit(drafts=others)  # going on with it would be another filing


def filed(turn: Turn) -> None:
    """It is a filing now."""
    _drop(turn, turn.flow.matter)
    if turn.flow.corrects:
        turn.set_visit(corrected=turn.visit.corrected | {turn.flow.corrects})


def offered(model: Model) -> Draft | None:
    """The one to go on with from her home page; none while something is being done. A correction is gone on with from
    its case, which says whether it is still wanted."""
    visit = model.visit
    if visit is None or visit.flow is not None or visit.declined:
        return None
    return next((draft for draft in visit.drafts if not draft.corrects), None)


def of(turn: Turn, matter: str, *, wanted: str = "") -> Draft | None:
    """What she has begun of this item, or of the correction of this case, as long as the department wants the same."""
    return next((one for one in turn.visit.drafts if (one.matter, one.wanted) == (matter, wanted)), None)


def resume(turn: Turn, draft: Draft | None) -> bool:
    """接着办: with all that was kept, at the first thing that is missing. False if there is nothing to go on with."""
    flow = resumed(draft, turn.catalogue) if draft is not None else None
    if flow is None:
        return False
    turn.set_visit(flow=flow, kept=flow)
    turn.log(Event.of(EventName.DRAFT_RESUMED, item=flow.item.code, version=flow.item.version))
    to_what_is_missing(turn)
    turn.set_visit(resumed=turn.visit.place)
    return True


def discard(turn: Turn) -> None:
    """不要了. No other one is offered here after that: it would stand under her finger."""
    draft = offered(turn.model)
    if draft is not None:
        turn.set_visit(declined=True)
        _drop(turn, draft.matter)


def _drop(turn: Turn, matter: str) -> None:
    card = turn.visit.session.card
    if card is not None:
        turn.do(DropDraft(card, matter))
        turn.set_visit(drafts=tuple(one for one in turn.visit.drafts if one.matter != matter))
