"""The static checker of items: what types cannot say. The hall publishes no item with a finding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kiosk.contract.bundle import Theme
from kiosk.core.condition import leaves
from kiosk.core.item import (
    AnswerScalar,
    Condition,
    FieldGte,
    FieldIn,
    FieldIs,
    FieldLte,
    Item,
    Material,
    Page,
    Question,
)
from kiosk.core.item_walk import reach
from kiosk.core.prefill import known_source
from kiosk.core.routing import Route, RouteError, routes

CARD_LICENCE = "居民身份证"
"""The one licence that the card reader itself is proof of."""


class FindingCode(StrEnum):
    """What is wrong; each has its sentence in the hall."""

    DUPLICATE_ID = "duplicate_id"
    """Two pages, two fields, two materials or two results of one id, or two options of one value."""
    CONDITION_UNKNOWN_FIELD = "condition_unknown_field"
    CONDITION_LATER_FIELD = "condition_later_field"
    """Asks about an answer that is given later, so it would change under the citizen's feet."""
    CONDITION_IMPOSSIBLE_VALUE = "condition_impossible_value"
    """Compares with a value that this field can never have."""
    CHOICE_WITHOUT_OPTIONS = "choice_without_options"
    """Fewer than two: there is nothing to choose."""
    OPTIONS_WITHOUT_CHOICE = "options_without_choice"
    YESNO_WORDS = "yesno_words"
    """Own words for a yes/no question that are not one for `yes`, then one for `no`."""
    BOUNDS = "bounds"
    """Limits that no value meets, or limits on a type that has none."""
    PREFILL_UNKNOWN = "prefill_unknown"
    PREFILL_TYPE = "prefill_type"
    """Cards and licences hold texts, dates and phone numbers; no yes/no."""
    EXIT_WITH_FIELDS = "exit_with_fields"
    EXIT_ALWAYS = "exit_always"
    """Every way through ends at a window: the item cannot be done here."""
    PAGE_WITHOUT_FIELDS = "page_without_fields"
    UNREACHABLE = "unreachable"
    """No combination of answers ever shows it."""
    TOO_TANGLED = "too_tangled"
    """Conditions depend on too many answers to be checked, or to be understood."""
    MATERIAL_SOURCE = "material_source"
    """A source that cannot give this material, or is named twice."""
    CERTIFICATE_WITHOUT_TEMPLATE = "certificate_without_template"
    CERTIFICATE_QUEUED = "certificate_queued"
    """What is printed at once cannot wait for the network."""
    CERTIFICATE_WITHOUT_CARD = "certificate_without_card"
    CONSULTATION_WITH_MATERIALS = "consultation_with_materials"
    RESULT_KIND = "result_kind"
    """The result does not fit the kind of the item, or there is none."""
    ROUTE_MALFORMED = "route_malformed"
    ROUTE_LAST_CONDITIONAL = "route_last_conditional"
    """Some case would have no owner."""
    ROUTE_UNREACHABLE = "route_unreachable"
    """Stands after a rule that always fits."""
    THEME_UNKNOWN_ITEM = "theme_unknown_item"
    LIMITS = "limits"
    """No promised time, a time below one day, or a promise longer than the law allows."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One fault and its place, as ``pages.<id>``, ``fields.<id>``, ``materials.<id>``, ``routing.<n>``, ``item``."""

    code: FindingCode
    where: str


@dataclass(frozen=True, slots=True, order=True)
class CatalogueFinding:
    """A finding and whose it is: an item's code, or ``themes.<id>``."""

    of: str
    finding: Finding

    def __str__(self) -> str:
        return f"{self.of}: {self.finding.where}: {self.finding.code.value}"


def check_catalogue(items: Sequence[Item], themes: Sequence[Theme]) -> tuple[CatalogueFinding, ...]:
    """Every item by itself, and what only the whole can show: versions given twice, themes that point nowhere."""
    found = {CatalogueFinding(item.code, finding) for item in items for finding in check_item(item)}
    for (code, version), times in Counter((item.code, item.version) for item in items).items():
        if times > 1:
            found.add(CatalogueFinding(code, Finding(FindingCode.DUPLICATE_ID, f"version.{version}")))
    codes = {item.code for item in items}
    for theme in themes:
        found |= {
            CatalogueFinding(f"themes.{theme.id}", Finding(FindingCode.THEME_UNKNOWN_ITEM, f"items.{place}"))
            for place, code in enumerate(theme.items)
            if code not in codes
        }
    for name, times in Counter(theme.id for theme in themes).items():
        if times > 1:
            found.add(CatalogueFinding(f"themes.{name}", Finding(FindingCode.DUPLICATE_ID, "id")))
    return tuple(sorted(found))


def check_item(item: Item) -> tuple[Finding, ...]:
    """Every finding, in a stable order; empty for an item that may be published."""
    found = {*_duplicates(item), *_pages(item), *_materials(item), *_kind(item), *_routing(item)}
    if not found:
        # Walking makes sense only where ids and conditions do.
        found.update(_reachable(item))
    return tuple(sorted(found))


def _duplicates(item: Item) -> Iterator[Finding]:
    kinds: Mapping[str, Iterable[str]] = {
        "pages": (page.id for page in item.pages),
        "fields": (question.id for page in item.pages for question in page.fields),
        "materials": (material.id for material in item.materials),
        "results": (result.id for result in item.results),
    }
    for kind, ids in kinds.items():
        for name, times in Counter(ids).items():
            if times > 1:
                yield Finding(FindingCode.DUPLICATE_ID, f"{kind}.{name}")


def _pages(item: Item) -> Iterator[Finding]:
    every = {question.id: question for page in item.pages for question in page.fields}
    asked: dict[str, Question] = {}
    for page in item.pages:
        where = f"pages.{page.id}"
        yield from _condition(page.show, where, asked, every)
        yield from _page(page, where)
        for question in page.fields:
            yield from _condition(question.show, f"fields.{question.id}", asked, every)
            yield from _question(question, f"fields.{question.id}")
            asked[question.id] = question


def _page(page: Page, where: str) -> Iterator[Finding]:
    if page.exit and page.fields:
        yield Finding(FindingCode.EXIT_WITH_FIELDS, where)
    if not page.exit and not page.fields:
        yield Finding(FindingCode.PAGE_WITHOUT_FIELDS, where)


def _question(question: Question, where: str) -> Iterator[Finding]:
    if question.type == "choice":
        if len(question.options) < 2:
            yield Finding(FindingCode.CHOICE_WITHOUT_OPTIONS, where)
        if len({option.v for option in question.options}) < len(question.options):
            yield Finding(FindingCode.DUPLICATE_ID, where)
    elif question.type == "yesno":
        if question.options and tuple(option.v for option in question.options) != ("yes", "no"):
            yield Finding(FindingCode.YESNO_WORDS, where)
    elif question.options:
        yield Finding(FindingCode.OPTIONS_WITHOUT_CHOICE, where)
    if not _bounds_make_sense(question):
        yield Finding(FindingCode.BOUNDS, where)
    if question.prefill is not None:
        if not known_source(question.prefill):
            yield Finding(FindingCode.PREFILL_UNKNOWN, where)
        if question.type in ("yesno", "choice"):
            yield Finding(FindingCode.PREFILL_TYPE, where)


def _bounds_make_sense(question: Question) -> bool:
    low, high = question.min, question.max
    match question.type:
        case "number":
            return low is None or high is None or low <= high
        case "text" | "long_text" | "address":
            # An answer travels in at most 2,000 characters (kiosk.contract.submission).
            return high is None and 1 <= question.max_length <= 2000 and 0 <= (low or 0) <= question.max_length
        case _:
            return low is None and high is None


def _condition(
    condition: Condition | None, where: str, asked: Mapping[str, Question], every: Mapping[str, Question]
) -> Iterator[Finding]:
    """`asked` are the questions before this place, `every` all of the item."""
    for leaf in leaves(condition):
        if leaf.field not in every:
            yield Finding(FindingCode.CONDITION_UNKNOWN_FIELD, where)
        elif leaf.field not in asked:
            yield Finding(FindingCode.CONDITION_LATER_FIELD, where)
        else:
            question = asked[leaf.field]
            match leaf:
                case FieldIs():
                    possible = _possible(question, leaf.is_)
                case FieldIn():
                    possible = all(_possible(question, value) for value in leaf.in_)
                case FieldGte() | FieldLte():
                    possible = question.type == "number"
            if not possible:
                yield Finding(FindingCode.CONDITION_IMPOSSIBLE_VALUE, where)


def _possible(question: Question, value: AnswerScalar) -> bool:
    match question.type:
        case "yesno":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "choice":
            return any(value == option.v for option in question.options)
        case _:
            return isinstance(value, str)


def _materials(item: Item) -> Iterator[Finding]:
    every = {question.id: question for page in item.pages for question in page.fields}
    for material in item.materials:
        where = f"materials.{material.id}"
        yield from _condition(material.show, where, every, every)
        if not _sources_possible(item, material):
            yield Finding(FindingCode.MATERIAL_SOURCE, where)


def _sources_possible(item: Item, material: Material) -> bool:
    from_card = "card_reader" in material.sources
    from_library = "licence_library" in material.sources
    return (
        len(set(material.sources)) == len(material.sources)
        and from_library == bool(material.licence)
        and (not from_card or CARD_LICENCE in (material.name, *material.licence))
        and (item.identity.level == "card" or not (from_card or from_library))
    )


def _kind(item: Item) -> Iterator[Finding]:
    fitting = {"application": {"licence", "certificate"}, "certificate": {"certificate"}, "consultation": {"answer"}}
    if not item.results or any(result.kind not in fitting[item.kind] for result in item.results):
        yield Finding(FindingCode.RESULT_KIND, "results")
    if item.kind == "certificate":
        if any(result.template is None or "a4" not in result.media for result in item.results):
            yield Finding(FindingCode.CERTIFICATE_WITHOUT_TEMPLATE, "results")
        if item.offline != "online_only":
            yield Finding(FindingCode.CERTIFICATE_QUEUED, "item")
        if item.identity.level != "card":
            yield Finding(FindingCode.CERTIFICATE_WITHOUT_CARD, "item")
    if item.kind == "consultation" and item.materials:
        yield Finding(FindingCode.CONSULTATION_WITH_MATERIALS, "item")
    if not _limits_make_sense(item):
        yield Finding(FindingCode.LIMITS, "item")


def _limits_make_sense(item: Item) -> bool:
    """Everything that is not printed at once promises a time, of a day at least, within the legal time."""
    if item.limits is None:
        return item.kind == "certificate"
    promised, legal = item.limits.promised, item.limits.legal
    if promised.days < 1:
        return False
    # A workday is never shorter than a day: only the mixed case of a promise in workdays cannot be compared.
    comparable = legal is not None and (promised.unit == legal.unit or promised.unit == "day")
    return legal is None or (legal.days >= 1 and (not comparable or promised.days <= legal.days))


def _routing(item: Item) -> Iterator[Finding]:
    try:
        rules: tuple[Route, ...] = routes(item)
    except RouteError:
        yield Finding(FindingCode.ROUTE_MALFORMED, "routing")
        return
    every = {question.id: question for page in item.pages for question in page.fields}
    for place, rule in enumerate(rules):
        yield from _condition(rule.when, f"routing.{place}", every, every)
        if rule.when is None and place < len(rules) - 1:
            yield Finding(FindingCode.ROUTE_UNREACHABLE, f"routing.{place + 1}")
    if rules and rules[-1].when is not None:
        yield Finding(FindingCode.ROUTE_LAST_CONDITIONAL, f"routing.{len(rules) - 1}")


def _reachable(item: Item) -> Iterator[Finding]:
    seen = reach(item)
    if seen is None:
        yield Finding(FindingCode.TOO_TANGLED, "item")
        return
    if not seen.ends:
        yield Finding(FindingCode.EXIT_ALWAYS, "item")
    ids = (
        ("pages", (page.id for page in item.pages), seen.pages),
        ("fields", (question.id for page in item.pages for question in page.fields), seen.fields),
        ("materials", (material.id for material in item.materials), seen.materials),
    )
    for kind, names, shown in ids:
        for name in names:
            if name not in shown:
                yield Finding(FindingCode.UNREACHABLE, f"{kind}.{name}")
