"""Home, search, guide, put-card, my space, window slip, out of service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from kiosk.contract.person import ApplicationSummary, LicenceSummary
from kiosk.core.clock import CHINA
from kiosk.core.devices import DeviceKind
from kiosk.core.item import Item
from kiosk.core.masking import mask_id_number, mask_name
from kiosk.core.session import Session
from kiosk.core.views import (
    CodeView,
    GuidePaper,
    GuideView,
    HomeView,
    ItemCard,
    MySpaceView,
    Notice,
    NoticeCode,
    OutOfServiceView,
    Person,
    PutCardView,
    SearchView,
    Step,
    Tile,
    WindowSlipView,
)
from kiosk.services.corrections import wants_correction
from kiosk.services.flow.home import THEME
from kiosk.services.flow.unfinished import offered
from kiosk.services.model import Model, Visit
from kiosk.services.places import AtCode, AtGuide, AtPutCard, AtSearch, AtSlip, AtSpace, ToHome, ToItem, ToSpace
from kiosk.services.readiness import any_available, chips, device_well, item_available, space_available
from kiosk.services.settings import TerminalSettings
from kiosk.services.steps import journey_steps
from kiosk.services.turn import Shelf, Surroundings

_LIST_AT_MOST = 60
_PRIMARY: dict[str, Literal["begin", "print", "ask"]] = {
    "application": "begin",
    "certificate": "print",
    "consultation": "ask",
}


def person(session: Session) -> Person | None:
    """Who is here, masked."""
    card = session.card
    return None if card is None else Person(mask_name(card.name), mask_id_number(card.id_number))


def home_view(model: Model, visit: Visit, shelf: Shelf, settings: TerminalSettings) -> HomeView:
    """A tile for each theme that has items, then her own matters, then everything."""
    tiles: list[Tile] = []
    for theme in shelf.catalogue.themes:
        items = shelf.catalogue.theme_items(theme.id)
        if items:
            available = any_available(item_available(model, shelf.catalogue, settings, item) for item in items)
            target = items[0].code if len(items) == 1 else THEME + theme.id
            tiles.append(Tile(target, theme.title, theme.subtitle, theme.icon, available))
    space = space_available(model, shelf.catalogue, settings)
    tiles.append(Tile("my_applications", "我的办件", "看看办到了哪一步", "progress-check", space))
    tiles.append(Tile("my_licences", "我的证照", "查看、打印已有证照", "id", space))
    tiles.append(Tile("all_items", "全部事项", "按通俗名称查找", "list-search"))
    draft = offered(model)
    unfinished = shelf.catalogue.newest[draft.item_code].name if draft is not None else ""
    return HomeView(tuple(tiles), person(visit.session), visit.card_notice, unfinished)


def search_view(model: Model, place: AtSearch, shelf: Shelf, settings: TerminalSettings) -> SearchView:
    """What the words find; without words the theme's items, or all."""
    if place.query.strip():
        found: Iterable[tuple[str, str]] = ((hit.code, hit.why) for hit in shelf.search.find(place.query))
    else:
        items = shelf.catalogue.theme_items(place.theme) if place.theme else shelf.catalogue.items
        found = ((item.code, "") for item in items[:_LIST_AT_MOST])
    cards = [
        item_card(model, shelf, settings, shelf.catalogue.newest[code], why)
        for code, why in found
        if code in shelf.catalogue.newest
    ]
    return SearchView(place.query, tuple(cards))


def item_card(model: Model, shelf: Shelf, settings: TerminalSettings, item: Item, why: str = "") -> ItemCard:
    """An item in a list."""
    available = item_available(model, shelf.catalogue, settings, item)
    return ItemCard(item.code, item.name, item.department, item.summary, why, available)


def guide_view(model: Model, visit: Visit, place: AtGuide, shelf: Shelf, settings: TerminalSettings) -> GuideView:
    """办事指南."""
    item = shelf.catalogue.newest[place.code]
    promised = item.limits.promised if item.limits else None
    return GuideView(
        item=item_card(model, shelf, settings, item),
        materials=tuple(material.name for material in item.materials),
        fee=item.fee_text,
        limit_days=promised.days if promised else None,
        limit_unit=promised.unit if promised else "",
        result=item.results[0].name if item.results else "",
        visits=item.visits,
        offline_ok=item.offline == "queue",
        needs_card=item.identity.level == "card",
        primary=_PRIMARY[item.kind],
        notice=place.notice,
        papers=tuple(_papers(item, visit.licences)),
        card_read=visit.session.card is not None,
    )


def _papers(item: Item, licences: tuple[LicenceSummary, ...]) -> Iterator[GuidePaper]:
    """What the card itself settles is not asked for a second time."""
    for material in item.materials:
        if "card_reader" in material.sources:
            continue
        held = "licence_library" in material.sources and any(
            one.usable and one.type_name in material.licence for one in licences
        )
        need: Literal["bring", "maybe", "held"] = "held" if held else "bring" if material.show is None else "maybe"
        yield GuidePaper(material.name, "" if held else material.hint, need)


def put_card_view(model: Model, visit: Visit, place: AtPutCard, shelf: Shelf) -> PutCardView:
    """Put your card on the reader; if the last one would not do, why."""
    steps: tuple[Step, ...] = ()
    match place.goal:
        case ToItem(guide):
            item = shelf.catalogue.newest[guide.code]
            purpose, steps = item.name, journey_steps(item)
        case ToSpace(tab=tab):
            purpose = f"my_{tab}"
        case ToHome():
            purpose = "start"
    notice = None if visit.reading else visit.card_notice
    if notice is None and not device_well(model, DeviceKind.ID_CARD):
        notice = Notice(NoticeCode.READER_DOWN)
    return PutCardView(purpose, visit.reading, notice, steps)


def space_view(visit: Visit, place: AtSpace, shelf: Shelf) -> MySpaceView:
    """我的空间; what is known stays while it is asked for anew."""
    masked = person(visit.session)
    assert masked is not None, "my space opens with a card only"
    asked = visit.applications_asked if place.tab == "applications" else visit.licences_asked
    fault = None if asked.fault is None else Notice(asked.fault)
    return MySpaceView(
        tab=place.tab,
        person=masked,
        loading=asked.loading or bool(place.correcting),
        applications=_first(visit.applications, place.number) if place.tab == "applications" else (),
        licences=visit.licences if place.tab == "licences" else (),
        notice=place.notice or fault,
        correctable=tuple(
            one.application_no
            for one in visit.applications
            if one.application_no not in visit.corrected and wants_correction(one, shelf.catalogue) is not None
        ),
    )


def _first(applications: tuple[ApplicationSummary, ...], number: str) -> tuple[ApplicationSummary, ...]:
    """The one that she came for stands first."""
    return tuple(sorted(applications, key=lambda one: one.application_no != number))


def code_view(model: Model, place: AtCode, shelf: Shelf, around: Surroundings) -> CodeView:
    """扫码."""
    code = place.code
    today = around.clock.now().astimezone(CHINA).date().isoformat()
    return CodeView(
        kind=code.kind,
        genuine=code.genuine,
        number=code.number,
        title=code.title,
        holder=code.holder,
        valid_to=code.valid_to,
        expired=bool(code.valid_to) and code.valid_to < today,
        withdrawn=code.withdrawn,
        progress=code.kind == "receipt" and space_available(model, shelf.catalogue, around.settings).ok,
    )


def slip_view(place: AtSlip, shelf: Shelf) -> WindowSlipView:
    """到窗口办理."""
    windows = tuple((window.name, window.address, window.open, window.phone) for window in shelf.catalogue.windows)
    return WindowSlipView(place.item_name, place.phase, windows, place.reason)


def out_of_service_view(model: Model, shelf: Shelf, settings: TerminalSettings) -> OutOfServiceView:
    """Nothing can be offered here now; where else."""
    reasons = tuple(chip for chip in chips(model) if chip.state != "ok")
    return OutOfServiceView(reasons, shelf.catalogue.nearest_elsewhere({DeviceKind.ID_CARD}, settings.terminal_id))
