"""The journey (办事流程): which pages are shown, recomputed from (item, answers) each time, never stored.

A page may ask only about answers given before it, so one walk from the front decides everything. Answers on pages
that are no longer shown are stale and never count; they come back if the citizen changes her mind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kiosk.contract.submission import AnswerValue, MaterialUse
from kiosk.core.answers import Answers, validate
from kiosk.core.condition import holds
from kiosk.core.item import Item, Material, Page, Question
from kiosk.core.result import Ok


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page with the fields that are asked on it now."""

    page: Page
    fields: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """Pages shown in order; with an exit page the journey ends there, at a window."""

    pages: tuple[ShownPage, ...]
    exit: Page | None = None

    def page(self, page_id: str) -> ShownPage | None:
        """The shown page of this id."""
        return next((shown for shown in self.pages if shown.page.id == page_id), None)

    @property
    def fields(self) -> tuple[Question, ...]:
        """Every question that is asked, in order."""
        return tuple(question for shown in self.pages for question in shown.fields)


@dataclass(frozen=True, slots=True)
class ToPage:
    """Show this question page."""

    page: str


@dataclass(frozen=True, slots=True)
class ToExit:
    """Show this exit page: it goes on at a window."""

    page: str


@dataclass(frozen=True, slots=True)
class BeforePages:
    """Back before the first page: the guide."""


@dataclass(frozen=True, slots=True)
class AfterPages:
    """All questions are behind: materials, then check-answers."""


def path(item: Item, answers: Answers) -> Path:
    """Walk the item once from the front. Pages without a visible field are skipped."""
    known: dict[str, AnswerValue] = {}
    shown: list[ShownPage] = []
    for page in item.pages:
        if not holds(page.show, known):
            continue
        if page.exit:
            return Path(tuple(shown), page)
        visible: list[Question] = []
        for question in page.fields:
            if holds(question.show, known):
                visible.append(question)
                if question.id in answers:
                    known[question.id] = answers[question.id].value
        if visible:
            shown.append(ShownPage(page, tuple(visible)))
    return Path(tuple(shown))


def effective(item: Item, answers: Answers) -> Answers:
    """Only the answers that count: those to questions on the path, in the order of the path."""
    return answers.only(question.id for question in path(item, answers).fields)


def first_unanswered(item: Item, answers: Answers) -> str | None:
    """Id of the first shown page with a missing or invalid answer."""
    return next((shown.page.id for shown in path(item, answers).pages if not _answered(shown, answers)), None)


def next_page(item: Item, answers: Answers, current: str | None) -> ToPage | ToExit | AfterPages:
    """Where 下一步 leads from a page of the item; from the guide if `current` is None."""
    walk = path(item, answers)
    place = -1 if current is None else _places(item)[current]
    return _from(item, walk, place)


def prev_page(item: Item, answers: Answers, current: str | None) -> ToPage | BeforePages:
    """Where 上一步 leads from a question or exit page; from materials or check if `current` is None."""
    places = _places(item)
    place = len(item.pages) if current is None else places[current]
    before = [shown.page.id for shown in path(item, answers).pages if places[shown.page.id] < place]
    return ToPage(before[-1]) if before else BeforePages()


def after_change(item: Item, before: Answers, after: Answers, current: str) -> ToPage | ToExit | AfterPages:
    """Where 下一步 leads after `current` was changed from check-answers.

    `before` are the answers as they were on check-answers. A page that the change opened is visited even if
    all on it is optional; a page that lacks an answer is visited wherever it stands; otherwise back to check.
    """
    walk = path(item, after)
    if walk.exit is not None:
        return ToExit(walk.exit.id)
    places = _places(item)
    known = {shown.page.id for shown in path(item, before).pages}
    for shown in walk.pages:
        opened = shown.page.id not in known and places[shown.page.id] > places[current]
        if not _answered(shown, after) or (opened and not any(field.id in after for field in shown.fields)):
            return ToPage(shown.page.id)
    return AfterPages()


def visible_materials(item: Item, answers: Answers) -> tuple[Material, ...]:
    """The materials that this case needs."""
    values = effective(item, answers).plain()
    return tuple(material for material in item.materials if holds(material.show, values))


def missing_materials(item: Item, answers: Answers, uses: Iterable[MaterialUse]) -> tuple[Material, ...]:
    """Needed and not yet there from a source that the item allows."""
    have = {(use.id, use.source) for use in uses}
    return tuple(
        material
        for material in visible_materials(item, answers)
        if not any((material.id, source) in have for source in material.sources)
    )


def complete(item: Item, answers: Answers, uses: Iterable[MaterialUse]) -> bool:
    """May it be filed: no exit page, every question answered, every material there."""
    return (
        path(item, answers).exit is None
        and first_unanswered(item, answers) is None
        and not missing_materials(item, answers, uses)
    )


def _answered(shown: ShownPage, answers: Answers) -> bool:
    return all(
        isinstance(validate(question, answers[question.id].value if question.id in answers else None), Ok)
        for question in shown.fields
    )


def _places(item: Item) -> dict[str, int]:
    return {page.id: place for place, page in enumerate(item.pages)}


def _from(item: Item, walk: Path, place: int) -> ToPage | ToExit | AfterPages:
    places = _places(item)
    for shown in walk.pages:
        if places[shown.page.id] > place:
            return ToPage(shown.page.id)
    return AfterPages() if walk.exit is None else ToExit(walk.exit.id)
