"""The checker finds every seeded fault and nothing in good items."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.contract.bundle import Theme
from kiosk.core.item import Item, ItemError, load_item
from kiosk.core.item_check import Finding, FindingCode, check_catalogue, check_item

MakeItem = Callable[..., Item]


def page(name: str, *fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "title": "页", "fields": list(fields), **more}


def ask(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"id": name, "type": kind, "label": "问", **more}


YES_NO = ask("moved", "yesno")
CHOICE = ask("why", "choice", options=[{"v": "a", "t": "甲"}, {"v": "b", "t": "乙"}])
NUMBER = ask("age", "number", min=0, max=120)
PAPER = {"id": "paper", "name": "样本材料", "sources": ["camera"]}
CERTIFICATE = {"id": "result", "kind": "certificate", "name": "样本证明", "template": "sample", "media": ["a4"]}

BROKEN: list[tuple[str, dict[str, Any], FindingCode, str]] = [
    ("two pages of one id", {"pages": [page("p", YES_NO), page("p", CHOICE)]}, FindingCode.DUPLICATE_ID, "pages.p"),
    (
        "two fields of one id",
        {"pages": [page("p", YES_NO), page("q", YES_NO)]},
        FindingCode.DUPLICATE_ID,
        "fields.moved",
    ),
    ("two materials of one id", {"materials": [PAPER, PAPER]}, FindingCode.DUPLICATE_ID, "materials.paper"),
    (
        "two results of one id",
        {"results": [CERTIFICATE, CERTIFICATE]},
        FindingCode.DUPLICATE_ID,
        "results.result",
    ),
    (
        "two options of one value",
        {"pages": [page("p", ask("why", "choice", options=[{"v": "a", "t": "甲"}, {"v": "a", "t": "乙"}]))]},
        FindingCode.DUPLICATE_ID,
        "fields.why",
    ),
    (
        "a page asks about a field that is not there",
        {"pages": [page("p", YES_NO, show={"field": "gone", "is": True})]},
        FindingCode.CONDITION_UNKNOWN_FIELD,
        "pages.p",
    ),
    (
        "a material asks about a field that is not there",
        {"materials": [{**PAPER, "show": {"not": {"field": "gone", "is": True}}}]},
        FindingCode.CONDITION_UNKNOWN_FIELD,
        "materials.paper",
    ),
    (
        "a page asks about a later answer",
        {"pages": [page("p", CHOICE, show={"field": "moved", "is": True}), page("q", YES_NO)]},
        FindingCode.CONDITION_LATER_FIELD,
        "pages.p",
    ),
    (
        "a page asks about its own answer",
        {"pages": [page("p", YES_NO, show={"field": "moved", "is": True})]},
        FindingCode.CONDITION_LATER_FIELD,
        "pages.p",
    ),
    (
        "a field asks about itself",
        {"pages": [page("p", ask("x", show={"any": [{"field": "x", "is": "a"}]}))]},
        FindingCode.CONDITION_LATER_FIELD,
        "fields.x",
    ),
    (
        "an option that is not there",
        {"pages": [page("p", CHOICE), page("q", YES_NO, show={"field": "why", "in": ["a", "z"]})]},
        FindingCode.CONDITION_IMPOSSIBLE_VALUE,
        "pages.q",
    ),
    (
        "yes/no compared with text",
        {"pages": [page("p", YES_NO), page("q", CHOICE, show={"field": "moved", "is": "true"})]},
        FindingCode.CONDITION_IMPOSSIBLE_VALUE,
        "pages.q",
    ),
    (
        "a number compared with yes",
        {"pages": [page("p", NUMBER), page("q", CHOICE, show={"field": "age", "is": True})]},
        FindingCode.CONDITION_IMPOSSIBLE_VALUE,
        "pages.q",
    ),
    (
        "text compared with a number",
        {"pages": [page("p", ask("x")), page("q", CHOICE, show={"field": "x", "is": 5})]},
        FindingCode.CONDITION_IMPOSSIBLE_VALUE,
        "pages.q",
    ),
    (
        "greater than on a choice",
        {"pages": [page("p", CHOICE), page("q", YES_NO, show={"field": "why", "gte": 1})]},
        FindingCode.CONDITION_IMPOSSIBLE_VALUE,
        "pages.q",
    ),
    (
        "a choice without options",
        {"pages": [page("p", ask("x", "choice"))]},
        FindingCode.CHOICE_WITHOUT_OPTIONS,
        "fields.x",
    ),
    (
        "options on a text",
        {"pages": [page("p", ask("x", options=[{"v": "a", "t": "甲"}]))]},
        FindingCode.OPTIONS_WITHOUT_CHOICE,
        "fields.x",
    ),
    (
        "a yes/no question in words of its own without no",
        {"pages": [page("p", ask("x", "yesno", options=[{"v": "yes", "t": "一样"}, {"v": "other", "t": "不清楚"}]))]},
        FindingCode.YESNO_WORDS,
        "fields.x",
    ),
    (
        "a number that cannot be",
        {"pages": [page("p", ask("x", "number", min=2, max=1))]},
        FindingCode.BOUNDS,
        "fields.x",
    ),
    ("a text that cannot be", {"pages": [page("p", ask("x", min=9, max_length=8))]}, FindingCode.BOUNDS, "fields.x"),
    ("a text too long to send", {"pages": [page("p", ask("x", max_length=2001))]}, FindingCode.BOUNDS, "fields.x"),
    ("a text with a largest value", {"pages": [page("p", ask("x", max=5))]}, FindingCode.BOUNDS, "fields.x"),
    ("limits on yes/no", {"pages": [page("p", ask("x", "yesno", min=1))]}, FindingCode.BOUNDS, "fields.x"),
    (
        "prefill from nowhere",
        {"pages": [page("p", ask("x", prefill="card.photo"))]},
        FindingCode.PREFILL_UNKNOWN,
        "fields.x",
    ),
    (
        "prefill of yes/no",
        {"pages": [page("p", ask("x", "yesno", prefill="card.name"))]},
        FindingCode.PREFILL_TYPE,
        "fields.x",
    ),
    (
        "an exit page that asks",
        {"pages": [page("p", YES_NO), page("q", CHOICE, exit=True, show={"field": "moved", "is": True})]},
        FindingCode.EXIT_WITH_FIELDS,
        "pages.q",
    ),
    ("everybody is sent away", {"pages": [page("p", exit=True)]}, FindingCode.EXIT_ALWAYS, "item"),
    (
        "everybody is sent away by either answer",
        {
            "pages": [
                page("p", YES_NO),
                page("q", exit=True, show={"field": "moved", "is": True}),
                page("r", exit=True, show={"field": "moved", "is": False}),
            ]
        },
        FindingCode.EXIT_ALWAYS,
        "item",
    ),
    ("a page that asks nothing", {"pages": [page("p")]}, FindingCode.PAGE_WITHOUT_FIELDS, "pages.p"),
    (
        "a page that no choice opens",
        {
            "pages": [
                page("p", CHOICE),
                page("q", YES_NO, show={"all": [{"field": "why", "is": "a"}, {"field": "why", "is": "b"}]}),
            ]
        },
        FindingCode.UNREACHABLE,
        "pages.q",
    ),
    (
        "a page behind an exit for the same answer",
        {
            "pages": [
                page("p", YES_NO),
                page("q", exit=True, show={"field": "moved", "is": True}),
                page("r", CHOICE, show={"field": "moved", "is": True}),
            ]
        },
        FindingCode.UNREACHABLE,
        "pages.r",
    ),
    (
        "a field beyond the largest number",
        {"pages": [page("p", NUMBER, ask("x", show={"field": "age", "gte": 121}))]},
        FindingCode.UNREACHABLE,
        "fields.x",
    ),
    (
        "a field whose question is hidden when it would show",
        {
            "pages": [
                page("p", YES_NO, {**CHOICE, "show": {"field": "moved", "is": True}}),
                page(
                    "q",
                    ask("x", show={"all": [{"field": "moved", "is": False}, {"field": "why", "is": "a"}]}),
                    ask("y"),
                ),
            ]
        },
        FindingCode.UNREACHABLE,
        "fields.x",
    ),
    (
        "a material that no answer wants",
        {
            "pages": [page("p", YES_NO), page("q", exit=True, show={"field": "moved", "is": True})],
            "materials": [{**PAPER, "show": {"field": "moved", "is": True}}],
        },
        FindingCode.UNREACHABLE,
        "materials.paper",
    ),
    (
        "conditions nobody can survey",
        {
            "pages": [
                page("p", *(ask(f"x{number}", "yesno") for number in range(15))),
                page("q", CHOICE, show={"any": [{"field": f"x{number}", "is": True} for number in range(15)]}),
            ]
        },
        FindingCode.TOO_TANGLED,
        "item",
    ),
    (
        "a paper from the card reader",
        {"materials": [{**PAPER, "sources": ["card_reader"]}]},
        FindingCode.MATERIAL_SOURCE,
        "materials.paper",
    ),
    (
        "a library source without a licence",
        {"materials": [{**PAPER, "sources": ["licence_library", "camera"]}]},
        FindingCode.MATERIAL_SOURCE,
        "materials.paper",
    ),
    (
        "a licence without the library",
        {"materials": [{**PAPER, "licence": ["样本证"]}]},
        FindingCode.MATERIAL_SOURCE,
        "materials.paper",
    ),
    (
        "one source twice",
        {"materials": [{**PAPER, "sources": ["camera", "camera"]}]},
        FindingCode.MATERIAL_SOURCE,
        "materials.paper",
    ),
    (
        "licences of somebody unknown",
        {
            "identity": {"level": "none"},
            "materials": [{**PAPER, "licence": ["样本证"], "sources": ["licence_library", "camera"]}],
        },
        FindingCode.MATERIAL_SOURCE,
        "materials.paper",
    ),
    (
        "a certificate without template",
        {"kind": "certificate", "offline": "online_only", "results": [{**CERTIFICATE, "template": None}]},
        FindingCode.CERTIFICATE_WITHOUT_TEMPLATE,
        "results",
    ),
    (
        "a certificate that is not on paper",
        {"kind": "certificate", "offline": "online_only", "results": [{**CERTIFICATE, "media": ["e_licence"]}]},
        FindingCode.CERTIFICATE_WITHOUT_TEMPLATE,
        "results",
    ),
    (
        "a certificate for later",
        {"kind": "certificate", "results": [CERTIFICATE]},
        FindingCode.CERTIFICATE_QUEUED,
        "item",
    ),
    (
        "a certificate for anybody",
        {"kind": "certificate", "offline": "online_only", "identity": {"level": "none"}, "results": [CERTIFICATE]},
        FindingCode.CERTIFICATE_WITHOUT_CARD,
        "item",
    ),
    (
        "a question that wants papers",
        {"kind": "consultation", "materials": [PAPER], "results": [{"id": "a", "kind": "answer", "name": "答复"}]},
        FindingCode.CONSULTATION_WITH_MATERIALS,
        "item",
    ),
    ("a question that ends in a licence", {"kind": "consultation"}, FindingCode.RESULT_KIND, "results"),
    ("no result at all", {"results": []}, FindingCode.RESULT_KIND, "results"),
    (
        "a rule without target",
        {"routing": [{"when": {"field": "moved", "is": True}}]},
        FindingCode.ROUTE_MALFORMED,
        "routing",
    ),
    (
        "a last rule with a condition",
        {"routing": [{"to": "甲", "when": {"field": "moved", "is": True}}]},
        FindingCode.ROUTE_LAST_CONDITIONAL,
        "routing.0",
    ),
    (
        "a rule behind one that always fits",
        {"routing": [{"to": "甲"}, {"to": "乙"}]},
        FindingCode.ROUTE_UNREACHABLE,
        "routing.1",
    ),
    (
        "a rule about nothing",
        {"routing": [{"to": "甲", "when": {"field": "gone", "is": True}}, {"to": "乙"}]},
        FindingCode.CONDITION_UNKNOWN_FIELD,
        "routing.0",
    ),
    ("no promise", {"limits": None}, FindingCode.LIMITS, "item"),
    ("a promise of no day", {"limits": {"promised": {"days": 0}}}, FindingCode.LIMITS, "item"),
    (
        "a promise longer than the law allows",
        {"limits": {"legal": {"days": 5}, "promised": {"days": 6}}},
        FindingCode.LIMITS,
        "item",
    ),
    (
        "a legal limit of no day",
        {"limits": {"legal": {"days": 0, "unit": "day"}, "promised": {"days": 1}}},
        FindingCode.LIMITS,
        "item",
    ),
]


@pytest.mark.parametrize(("changes", "code", "where"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_each_seeded_fault_is_found(
    make_item: MakeItem, changes: dict[str, Any], code: FindingCode, where: str
) -> None:
    assert Finding(code, where) in check_item(make_item(**changes))


def test_every_code_has_a_seeded_fault() -> None:
    found_by_catalogue = {FindingCode.THEME_UNKNOWN_ITEM}
    assert {row[2] for row in BROKEN} | found_by_catalogue == set(FindingCode)


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("as it is", {}),
    ("no pages", {"pages": []}),
    ("a promise in workdays", {"limits": {"legal": {"days": 5, "unit": "day"}, "promised": {"days": 6}}}),
    ("a promise in days", {"limits": {"legal": {"days": 5}, "promised": {"days": 5, "unit": "day"}}}),
    ("a number branch", {"pages": [page("p", NUMBER), page("q", CHOICE, show={"field": "age", "lte": 17})]}),
    ("exactly", {"pages": [page("p", ask("n", "number")), page("q", CHOICE, show={"field": "n", "is": 7})]}),
    ("a text branch", {"pages": [page("p", ask("x")), page("q", CHOICE, show={"field": "x", "in": ["甲", "乙"]})]}),
    ("any other text", {"pages": [page("p", ask("x")), page("q", CHOICE, show={"not": {"field": "x", "is": "甲"}})]}),
    ("a card as material", {"materials": [{"id": "id_card", "name": "居民身份证", "sources": ["card_reader"]}]}),
    ("prefilled", {"pages": [page("p", ask("x", prefill="licence.样本证.employer"))]}),
]


@pytest.mark.parametrize("changes", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
def test_good_items_have_no_finding(make_item: MakeItem, changes: dict[str, Any]) -> None:
    assert check_item(make_item(**changes)) == ()


RENEWAL: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "hall" / "catalogue" / "data" / "items" / "jzz_qz.yaml").read_text("utf-8")
)
PIECES = st.sampled_from(
    [None, True, 0, -1, 10**9, "", "a", "reason", "work", [], {}, {"field": "reason", "is": "work"}, *RENEWAL["pages"]]
)


def places(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place inside a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*before, name)
        yield from places(part, (*before, name))


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(list(places(RENEWAL))), PIECES | st.just("delete")), min_size=1, max_size=3))
def test_a_spoiled_item_is_refused_or_checked_but_never_raises(
    changes: list[tuple[tuple[str | int, ...], Any]],
) -> None:
    document = copy.deepcopy(RENEWAL)
    for (*way, last), piece in changes:
        inner: Any = document
        for name in way:
            inner = inner[name] if isinstance(inner, dict | list) and name in list_names(inner) else None
        if isinstance(inner, dict | list) and last in list_names(inner):
            if piece == "delete":
                del inner[last]
            else:
                inner[last] = copy.deepcopy(piece)
    try:
        item = load_item(json.dumps(document).encode())
    except ItemError as error:
        assert error.faults
        return
    assert all(isinstance(found, Finding) for found in check_item(item))


def list_names(value: Any) -> Any:
    """Keys of a mapping, places of a list."""
    return value.keys() if isinstance(value, dict) else range(len(value))


def test_the_whole_catalogue(make_item: MakeItem) -> None:
    item, broken = make_item(), make_item(code="440699-TE-0002", limits=None)
    theme = Theme(id="t", title="题", subtitle="", icon="users", items=("440699-TE-0001", "440699-TE-0009"))
    assert [str(found) for found in check_catalogue([item, item, broken], [theme, theme])] == [
        "440699-TE-0001: version.1: duplicate_id",
        "440699-TE-0002: item: limits",
        "themes.t: id: duplicate_id",
        "themes.t: items.1: theme_unknown_item",
    ]
    assert check_catalogue([item], []) == ()
