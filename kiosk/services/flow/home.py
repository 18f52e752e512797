"""Home, search and the guide (办事指南)."""

from __future__ import annotations

from kiosk.core.item import Item
from kiosk.core.ports import Link, QueueStatus
from kiosk.core.views import Notice, NoticeCode
from kiosk.services.flow import unfinished
from kiosk.services.flow.item import begin_item, under_way
from kiosk.services.flow.receipt import show_owed
from kiosk.services.flow.space import open_space
from kiosk.services.flow.visit import notice
from kiosk.services.places import AtGuide, AtHome, AtPutCard, AtSearch, ToItem
from kiosk.services.readiness import item_available
from kiosk.services.turn import Turn

THEME = "theme:"
"""Prefix of a tile's target that stands for several items."""


def go_home(turn: Turn) -> None:
    """Back to the start of this session; what was begun is dropped. First what she is still owed."""
    turn.set_visit(flow=None)
    if not show_owed(turn):
        turn.go(AtHome())


def open_tile(turn: Turn, target: str) -> None:
    """A tile of the home screen."""
    match target:
        case "my_applications":
            open_space(turn, "applications")
        case "my_licences":
            open_space(turn, "licences")
        case "all_items":
            turn.go(AtSearch(""))
        case _ if target.startswith(THEME):
            turn.go(AtSearch("", theme=target.removeprefix(THEME)))
        case _:
            open_item(turn, target, origin=AtHome())


def open_item(turn: Turn, code: str, *, origin: AtHome | AtSearch) -> None:
    """The guide of an item; a code that the bundle does not know is nobody's touch."""
    if turn.catalogue.item(code) is not None:
        turn.go(AtGuide(code, origin))


def begin(turn: Turn, guide: AtGuide) -> None:
    """开始办理: only what can be finished is begun."""
    item = turn.catalogue.newest[guide.code]
    if (refusal := cannot_begin(turn, item)) is not None:
        turn.go(AtGuide(guide.code, guide.origin, refusal))
    elif item.identity.level == "card" and turn.visit.session.card is None:
        turn.go(AtPutCard(ToItem(AtGuide(guide.code, guide.origin))))
    elif under_way(turn, item) or not unfinished.resume(turn, unfinished.of(turn, item.code)):
        begin_item(turn, AtGuide(guide.code, guide.origin))


def resume(turn: Turn) -> None:
    """接着办, on her home page: likewise."""
    draft = unfinished.offered(turn.model)
    if draft is None:
        return
    if (refusal := cannot_begin(turn, turn.catalogue.newest[draft.item_code])) is not None:
        turn.go(AtGuide(draft.item_code, AtHome(), refusal))
    else:
        unfinished.resume(turn, draft)


def cannot_begin(turn: Turn, item: Item) -> Notice | None:
    """Why it could not be finished here and now; None: it can."""
    availability = item_available(turn.model, turn.catalogue, turn.around.settings, item)
    if not availability.ok:
        if availability.device == "network":
            return notice(NoticeCode.HALL_UNREACHABLE)
        return notice(NoticeCode.DEVICE_DOWN, device=str(availability.device), elsewhere=availability.elsewhere)
    if item.kind != "certificate" and _full(turn.model.queue):
        return notice(NoticeCode.DISK_FULL)
    return None


def _full(queue: QueueStatus) -> bool:
    """The queue says so itself. One that does not answer is on its way back, and is asked at 确认提交."""
    return queue.link is not Link.UNKNOWN and not queue.accepting
