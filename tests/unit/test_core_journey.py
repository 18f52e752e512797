"""The journey engine: branches, stale answers, back, change from check, exit pages, materials."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.person import LicenceSummary
from kiosk.contract.submission import MaterialUse
from kiosk.core.answers import Answer, Answers, validate
from kiosk.core.condition import holds, leaves
from kiosk.core.id_card import IdCard
from kiosk.core.item import (
    All,
    Condition,
    FieldGte,
    FieldIn,
    FieldIs,
    FieldLte,
    Item,
    Not,
    Option,
    Page,
    Question,
)
from kiosk.core.item import Any as AnyOf
from kiosk.core.journey import (
    AfterPages,
    BeforePages,
    ToExit,
    ToPage,
    after_change,
    complete,
    effective,
    first_unanswered,
    missing_materials,
    next_page,
    path,
    prev_page,
    visible_materials,
)
from kiosk.core.prefill import known_source, prefills
from kiosk.core.result import Ok
from kiosk.core.routing import RouteError, route, routes

Make = Callable[..., Answers]
AT = datetime(2026, 11, 22, tzinfo=UTC)


def page_ids(item: Item, answers: Answers) -> list[str]:
    return [shown.page.id for shown in path(item, answers).pages]


# --- conditions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "values", "truth"),
    [
        (None, {}, True),
        (FieldIs(field="a", is_=True), {"a": True}, True),
        (FieldIs(field="a", is_=True), {"a": 1}, False),
        (FieldIs(field="a", is_=1), {"a": True}, False),
        (FieldIs(field="a", is_="x"), {}, False),
        (FieldIn(field="a", in_=("x", "y")), {"a": "y"}, True),
        (FieldIn(field="a", in_=("x", "y")), {"a": None}, False),
        (FieldGte(field="a", gte=3), {"a": 3}, True),
        (FieldGte(field="a", gte=3), {"a": 2}, False),
        (FieldGte(field="a", gte=0), {"a": True}, False),
        (FieldGte(field="a", gte=0), {"a": "5"}, False),
        (FieldLte(field="a", lte=3), {"a": 3}, True),
        (FieldLte(field="a", lte=3), {"a": 4}, False),
        (FieldLte(field="a", lte=3), {}, False),
        (All(all=(FieldIs(field="a", is_="x"), FieldIs(field="b", is_="y"))), {"a": "x"}, False),
        (AnyOf(any=(FieldIs(field="a", is_="x"), FieldIs(field="b", is_="y"))), {"a": "x"}, True),
        (Not(not_=FieldIs(field="a", is_="x")), {}, True),
    ],
)
def test_conditions(condition: Condition | None, values: dict[str, Any], truth: bool) -> None:
    assert holds(condition, values) is truth


SCALARS = st.booleans() | st.integers(-3, 3) | st.sampled_from(["x", "y"])
FIELDS = st.sampled_from(["a", "b", "c"])
LEAVES = st.one_of(
    st.builds(FieldIs, field=FIELDS, is_=SCALARS),
    st.builds(FieldIn, field=FIELDS, in_=st.lists(SCALARS, min_size=1, max_size=3).map(tuple)),
    st.builds(FieldGte, field=FIELDS, gte=st.integers(-3, 3)),
    st.builds(FieldLte, field=FIELDS, lte=st.integers(-3, 3)),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.builds(All, all=st.lists(part, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, any=st.lists(part, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, not_=part),
    ),
    max_leaves=6,
)


@given(CONDITIONS, st.dictionaries(FIELDS, SCALARS | st.none()))
def test_every_condition_has_a_truth_value_and_not_turns_it(condition: Condition, values: dict[str, Any]) -> None:
    assert holds(condition, values) is not holds(Not(not_=condition), values)
    assert {leaf.field for leaf in leaves(condition)} <= {"a", "b", "c"}
    assert list(leaves(None)) == []


# --- the renewal, walked by hand ----------------------------------------------------------------------------------


def test_a_straight_walk(renewal: Item, answered: Make) -> None:
    answers = answered(addr_same=True, reason="home", phone="13812345678")
    assert page_ids(renewal, answers) == ["where", "reason", "contact"]
    assert next_page(renewal, answers, None) == ToPage("where")
    assert next_page(renewal, answers, "where") == ToPage("reason")
    assert next_page(renewal, answers, "reason") == ToPage("contact")
    assert next_page(renewal, answers, "contact") == AfterPages()
    assert prev_page(renewal, answers, None) == ToPage("contact")
    assert prev_page(renewal, answers, "reason") == ToPage("where")
    assert prev_page(renewal, answers, "where") == BeforePages()
    assert first_unanswered(renewal, answers) is None


def test_a_branch_opens_and_its_answers_go_stale_when_it_closes(renewal: Item, answered: Make) -> None:
    moved = answered(
        addr_same=False, address="样本路1号2座301房", reason="work", employer="样本公司", phone="13812345678"
    )
    assert page_ids(renewal, moved) == ["where", "new_address", "reason", "contact"]
    stayed = moved.with_answer("addr_same", Answer(True, "citizen", AT)).with_answer(
        "reason", Answer("home", "citizen", AT)
    )
    assert list(effective(renewal, stayed)) == ["addr_same", "reason", "phone"]
    back = stayed.with_answer("addr_same", Answer(False, "citizen", AT))
    assert effective(renewal, back)["address"].value == "样本路1号2座301房"


def test_a_field_appears_on_its_own_page(renewal: Item, answered: Make) -> None:
    shown = path(renewal, answered(addr_same=True, reason="work")).page("reason")
    assert shown is not None
    assert [question.id for question in shown.fields] == ["reason", "employer"]
    assert path(renewal, answered()).page("new_address") is None


def test_the_exit_page_ends_the_journey(renewal: Item, answered: Make) -> None:
    answers = answered(addr_same=True, reason="other", phone="13812345678")
    walk = path(renewal, answers)
    assert walk.exit is not None
    assert page_ids(renewal, answers) == ["where", "reason"]
    assert next_page(renewal, answers, "reason") == ToExit("window")
    assert prev_page(renewal, answers, "window") == ToPage("reason")
    assert "phone" not in effective(renewal, answers)
    assert not complete(renewal, answers, [])


@pytest.mark.parametrize(
    ("answers", "page"),
    [
        ({}, "where"),
        ({"addr_same": False}, "new_address"),
        ({"addr_same": False, "address": "短"}, "new_address"),
        ({"addr_same": True, "reason": "work"}, "reason"),
        ({"addr_same": True, "reason": "fishing"}, "reason"),
        ({"addr_same": True, "reason": "home", "phone": "12"}, "contact"),
    ],
)
def test_first_unanswered_counts_invalid_as_unanswered(
    renewal: Item, answered: Make, answers: dict[str, Any], page: str
) -> None:
    assert first_unanswered(renewal, answered(**answers)) == page


def test_a_change_that_opens_nothing_goes_back_to_check(renewal: Item, answered: Make) -> None:
    before = answered(addr_same=True, reason="home", phone="13812345678")
    after = before.with_answer("phone", Answer("13912345678", "citizen", AT))
    assert after_change(renewal, before, after, "contact") == AfterPages()


def test_a_change_that_opens_a_branch_visits_it_and_then_goes_back(renewal: Item, answered: Make) -> None:
    before = answered(addr_same=True, reason="home", phone="13812345678")
    after = before.with_answer("addr_same", Answer(False, "citizen", AT))
    assert after_change(renewal, before, after, "where") == ToPage("new_address")
    done = after.with_answer("address", Answer("样本路1号2座301房", "citizen", AT))
    assert after_change(renewal, before, done, "new_address") == AfterPages()


def test_a_change_that_leads_to_the_window(renewal: Item, answered: Make) -> None:
    before = answered(addr_same=True, reason="home", phone="13812345678")
    after = before.with_answer("reason", Answer("other", "citizen", AT))
    assert after_change(renewal, before, after, "reason") == ToExit("window")


def test_an_opened_optional_page_is_visited_once(make_item: Callable[..., Item], answered: Make) -> None:
    item = make_item(
        pages=[
            {"id": "one", "title": "一", "fields": [{"id": "moved", "type": "yesno", "label": "搬家"}]},
            {
                "id": "two",
                "title": "二",
                "show": {"field": "moved", "is": True},
                "fields": [{"id": "why", "type": "text", "label": "为什么", "required": False}],
            },
        ]
    )
    before, after = answered(moved=False), answered(moved=True)
    assert after_change(item, before, after, "one") == ToPage("two")
    assert after_change(item, before, after, "two") == AfterPages()


def test_a_page_whose_fields_are_all_hidden_is_skipped(make_item: Callable[..., Item], answered: Make) -> None:
    item = make_item(
        pages=[
            {"id": "one", "title": "一", "fields": [{"id": "moved", "type": "yesno", "label": "搬家"}]},
            {
                "id": "two",
                "title": "二",
                "fields": [{"id": "why", "type": "text", "label": "为什么", "show": {"field": "moved", "is": True}}],
            },
        ]
    )
    assert page_ids(item, answered(moved=False)) == ["one"]
    assert page_ids(item, answered(moved=True)) == ["one", "two"]


# --- materials ----------------------------------------------------------------------------------------------------


def use(material: str, source: Any) -> MaterialUse:
    return MaterialUse(id=material, source=source, name="样本")


def test_materials_follow_the_answers(renewal: Item, answered: Make) -> None:
    study = answered(addr_same=True, reason="study")
    assert [material.id for material in visible_materials(renewal, study)] == ["id_card", "permit"]
    moved = study.with_answer("addr_same", Answer(False, "citizen", AT))
    assert [material.id for material in visible_materials(renewal, moved)] == ["id_card", "permit", "housing"]


def test_complete_wants_every_answer_and_every_material(renewal: Item, answered: Make) -> None:
    answers = answered(addr_same=True, reason="home", phone="13812345678")
    uses = [use("id_card", "card_reader"), use("permit", "licence_library"), use("housing", "camera")]
    assert complete(renewal, answers, uses)
    assert not complete(renewal, answers, uses[:2])
    assert not complete(renewal, answered(addr_same=True), uses)
    assert [material.id for material in missing_materials(renewal, answers, [])] == ["id_card", "permit", "housing"]


def test_a_material_from_a_source_that_is_not_allowed_does_not_count(renewal: Item, answered: Make) -> None:
    answers = answered(addr_same=True, reason="study", phone="13812345678")
    assert not complete(renewal, answers, [use("id_card", "camera"), use("permit", "camera")])


# --- prefill ------------------------------------------------------------------------------------------------------


def test_the_employer_comes_from_the_newest_usable_licence(
    renewal: Item, make_licence: Callable[..., LicenceSummary]
) -> None:
    licences = [
        make_licence(id="L0", usable=False),
        make_licence(id="L1", type_name="别的证"),
        make_licence(id="L2", fields={}),
        make_licence(id="L3", fields={"employer": "  "}),
        make_licence(id="L4", fields={"employer": "第四公司"}),
        make_licence(id="L5", fields={"employer": "第五公司"}),
    ]
    found = prefills(renewal, card=None, licences=licences, at=AT)
    assert found == {"employer": Answer("第四公司", "licence:L4", AT)}
    assert prefills(renewal, card=None, licences=[], at=AT) == {}


@pytest.mark.parametrize(
    ("source", "kind", "value"),
    [
        ("card.name", "text", "陈样本"),
        ("card.address", "address", "广东省佛山市样本区样本街道样本路1号"),
        ("card.nation", "text", "汉"),
        ("card.birth", "date", "1948-03-12"),
        ("card.photo", "text", None),
        ("card.birth", "phone", None),
        ("elsewhere", "text", None),
    ],
)
def test_card_fields(
    make_item: Callable[..., Item], make_card: Callable[..., IdCard], source: str, kind: str, value: str | None
) -> None:
    item = make_item(
        pages=[{"id": "p", "title": "一", "fields": [{"id": "f", "type": kind, "label": "问", "prefill": source}]}]
    )
    found = prefills(item, card=make_card(), licences=[], at=AT)
    assert found == ({} if value is None else {"f": Answer(value, "id_card", AT)})
    assert prefills(item, card=None, licences=[], at=AT) == {}


def test_the_number_of_the_card(make_item: Callable[..., Item], make_card: Callable[..., IdCard]) -> None:
    field = {"id": "f", "type": "text", "label": "问", "prefill": "card.id_number"}
    item = make_item(pages=[{"id": "p", "title": "一", "fields": [field]}])
    card = make_card()
    assert prefills(item, card=card, licences=[], at=AT)["f"].value == card.id_number


@pytest.mark.parametrize(
    ("source", "known"),
    [
        ("card.name", True),
        ("card.photo", False),
        ("name", False),
        ("licence.社保参保证明.employer", True),
        ("licence.employer", False),
        ("licence..employer", False),
        ("", False),
    ],
)
def test_known_sources(source: str, known: bool) -> None:
    assert known_source(source) is known


# --- routing ------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_fits_decides(renewal: Item, answered: Make) -> None:
    assert route(renewal, answered(addr_same=False)) == "新住址所在派出所"
    assert route(renewal, answered(addr_same=True)) == "居住证登记派出所"


def test_without_rules_the_department_gets_it(make_item: Callable[..., Item], answered: Make) -> None:
    assert route(make_item(), answered()) == "样本局"


def test_a_malformed_rule_is_named(make_item: Callable[..., Item]) -> None:
    with pytest.raises(RouteError, match=r"routing\.1"):
        routes(make_item(routing=[{"to": "甲"}, {"too": "乙"}]))


# --- any item, any answers ----------------------------------------------------------------------------------------


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Items of up to six pages whose conditions ask about anything, even later or unknown fields."""
    pages = []
    count = draw(st.integers(0, 6))
    for number in range(count):
        fields = []
        for letter in "ab"[: draw(st.integers(0, 2))]:
            kind: Any = draw(st.sampled_from(["yesno", "choice", "number", "text"]))
            fields.append(
                Question(
                    id=f"{letter}{number}",
                    type=kind,
                    label="问",
                    required=draw(st.booleans()),
                    show=draw(st.none() | conditions(count)),
                    options=(Option(v="x", t="甲"), Option(v="y", t="乙")) if kind == "choice" else (),
                )
            )
        pages.append(
            Page(
                id=f"p{number}",
                title="页",
                show=draw(st.none() | conditions(count)),
                exit=draw(st.sampled_from([False, False, False, True])),
                fields=tuple(fields),
            )
        )
    return Item.model_validate(
        {
            "format": "fuwu/1",
            "code": "440699-TE-0001",
            "version": 1,
            "name": "样本",
            "department": "样本局",
            "summary": "样本",
            "kind": "application",
            "identity": {"level": "card"},
            "offline": "queue",
            "pages": tuple(pages),
        }
    )


def conditions(pages: int) -> st.SearchStrategy[Condition]:
    names = st.sampled_from([f"{letter}{number}" for letter in "ab" for number in range(pages + 1)])
    leaf = st.builds(FieldIs, field=names, is_=SCALARS) | st.builds(FieldGte, field=names, gte=st.integers(-3, 3))
    return leaf | st.builds(Not, not_=leaf) | st.builds(AnyOf, any=st.tuples(leaf, leaf))


def some_answers() -> st.SearchStrategy[Answers]:
    names = st.sampled_from([f"{letter}{number}" for letter in "ab" for number in range(6)])
    one = st.builds(Answer, SCALARS | st.none(), st.just("citizen"), st.just(AT))
    return st.dictionaries(names, one).map(Answers)


@given(items(), some_answers())
def test_the_path_never_loops_and_stale_answers_never_count(item: Item, answers: Answers) -> None:
    walk = path(item, answers)
    places = [item.pages.index(shown.page) for shown in walk.pages]
    assert places == sorted(set(places))
    kept = effective(item, answers)
    assert set(kept) == set(answers) & {question.id for question in walk.fields}
    assert path(item, kept) == walk
    assert effective(item, kept) == kept


@given(items(), some_answers())
def test_forward_and_back_visit_the_same_pages(item: Item, answers: Answers) -> None:
    forward: list[str] = []
    current: str | None = None
    end: ToPage | ToExit | AfterPages = next_page(item, answers, None)
    while isinstance(end, ToPage):
        forward.append(end.page)
        assert len(forward) <= len(item.pages)
        end = next_page(item, answers, end.page)
    assert forward == page_ids(item, answers)
    back: list[str] = []
    current = end.page if isinstance(end, ToExit) else None
    step = prev_page(item, answers, current)
    while isinstance(step, ToPage):
        back.append(step.page)
        step = prev_page(item, answers, step.page)
    assert back == forward[::-1]


@given(items(), some_answers(), st.integers(0, 5))
def test_back_from_any_page_of_the_item_reaches_the_start(item: Item, answers: Answers, place: int) -> None:
    if place >= len(item.pages):
        return
    step = prev_page(item, answers, item.pages[place].id)
    for _ in item.pages:
        if isinstance(step, BeforePages):
            break
        step = prev_page(item, answers, step.page)
    assert step == BeforePages()


@given(items(), some_answers(), some_answers(), st.integers(0, 5))
def test_after_a_change_check_is_reached_only_when_nothing_is_missing(
    item: Item, before: Answers, after: Answers, place: int
) -> None:
    if place >= len(item.pages):
        return
    match after_change(item, before, after, item.pages[place].id):
        case ToPage(page):
            assert page in page_ids(item, after)
        case ToExit(page):
            walk = path(item, after)
            assert walk.exit is not None
            assert walk.exit.id == page
        case AfterPages():
            assert first_unanswered(item, after) is None
            assert complete(item, after, [])


@given(items(), some_answers())
def test_complete_means_that_every_question_on_the_path_validates(item: Item, answers: Answers) -> None:
    walk = path(item, answers)
    values = answers.plain()
    good = all(isinstance(validate(question, values.get(question.id)), Ok) for question in walk.fields)
    assert complete(item, answers, []) == (good and walk.exit is None)
