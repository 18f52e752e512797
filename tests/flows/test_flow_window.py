"""到窗口办理, exit pages, help, and what is offered when things are broken."""

from collections import deque

from kiosk.core.devices import DeviceKind, DeviceState, Fault
from kiosk.core.intents import (
    Back,
    Begin,
    Finish,
    Home,
    Next,
    OpenItem,
    OpenTile,
    PrintAgain,
    Search,
    SetAnswer,
    Start,
    Submit,
    WindowSlip,
)
from kiosk.core.ports import Link
from kiosk.core.views import (
    AttractView,
    CheckView,
    DoneView,
    GuideView,
    HomeView,
    OutOfServiceView,
    PutCardView,
    QuestionView,
    SearchView,
    SendingView,
    WindowSlipView,
)
from kiosk.services.effects import Lane


def to_reason(stage, xiu, codes):
    stage.touch(Start()).put(xiu).touch(OpenTile(codes["permit"]), Begin(), Next(), SetAnswer("same", True), Next())
    return stage


def test_an_exit_page_leads_to_a_window_with_a_slip(stage, xiu, codes):
    to_reason(stage, xiu, codes).touch(SetAnswer("reason", "other"), Next())
    page = stage.sees(QuestionView)
    assert (page.page_id, page.fields, stage.notice()) == ("window", (), "exit_page")
    stage.touch(Next()).sees(QuestionView)
    slip = stage.touch(WindowSlip()).sees(WindowSlipView)
    assert (slip.phase, stage.notice(), slip.windows[0][0]) == ("done", "window_slip_printed", "东区综合窗口")
    text = repr(stage.receipt.slips[0].blocks)
    assert xiu.name not in text
    assert xiu.id_number not in text
    assert "2 个问题" in text
    stage.touch(Back()).sees(QuestionView)
    stage.touch(Back(), SetAnswer("reason", "work")).sees(QuestionView)


def test_a_slip_that_cannot_be_printed_is_at_least_on_the_screen(stage, xiu, codes):
    stage.receipt.faults = deque([Fault.PAPER_OUT])
    to_reason(stage, xiu, codes).touch(WindowSlip())
    assert (stage.sees(WindowSlipView).phase, stage.notice()) == ("failed", "window_slip_failed")
    stage.touch(PrintAgain())
    assert stage.sees(WindowSlipView).phase == "done"
    stage.touch(Finish()).sees(AttractView)


def test_missing_and_wrong_answers_are_said_beside_the_field(stage, xiu, codes):
    to_reason(stage, xiu, codes).touch(SetAnswer("reason", "work"), Next())
    errors = {field.id: field.error for field in stage.sees(QuestionView).fields}
    assert errors["reason"] is None
    assert errors["employer"].code == "answer_missing"
    stage.touch(SetAnswer("employer", "样本厂"), Next(), SetAnswer("phone", "12"), Next())
    (field,) = stage.sees(QuestionView).fields
    assert field.error.code == "answer_invalid"
    assert dict(field.error.params) == {"fault": "not_a_phone"}
    stage.touch(SetAnswer("phone", "13800000000"))
    assert stage.sees(QuestionView).fields[0].error is None


def test_what_the_card_says_of_her_is_not_hers_to_change(stage, xiu, codes):
    stage.put(xiu).touch(OpenTile(codes["permit"]), Begin(), SetAnswer("name", "别人"), SetAnswer("home", "新地址九号"))
    fields = {field.id: field for field in stage.sees(QuestionView).fields}
    assert fields["name"].value == xiu.name
    assert "*" in fields["number"].value
    assert (fields["home"].value, fields["home"].source) == ("新地址九号", "citizen")


def test_back_to_the_guide_and_on_keeps_what_she_said(stage, xiu, codes):
    stage.put(xiu).touch(OpenTile(codes["permit"]), Begin(), SetAnswer("home", "新地址九号"), Back()).sees(GuideView)
    stage.touch(Begin())
    assert {field.id: field.value for field in stage.sees(QuestionView).fields}["home"] == "新地址九号"


def test_licences_that_come_late_still_fill_in(stage, xiu, codes, matters, held_licence):
    proof = held_licence(id="S-1", type_name="社会保险参保证明", fields={"employer": "样本纺织厂"})
    stage.hall.matters[xiu.id_number] = matters(licences=(proof,))
    to_reason(stage.hold(Lane.HALL), xiu, codes).touch(SetAnswer("reason", "work"))
    stage.release()
    field = stage.sees(QuestionView).fields[1]
    assert (field.value, field.source) == ("样本纺织厂", "licence")


def test_find_by_everyday_name_theme_and_everything(stage, codes):
    found = stage.touch(Start(), Search("暂住证")).sees(SearchView)
    assert (found.results[0].code, found.results[0].why) == (codes["permit"], "暂住证年审")
    assert len(stage.touch(Search("")).sees(SearchView).results) == 5
    assert stage.touch(OpenItem("NO-SUCH")).sees(SearchView)
    stage.touch(OpenItem(codes["ask"])).sees(GuideView)
    assert stage.touch(Back()).sees(SearchView).query == ""
    stage.touch(Back())
    assert len(stage.touch(OpenTile("theme:more")).sees(SearchView).results) == 3


def test_items_are_greyed_one_by_one_with_the_nearest_that_can(stage, codes):
    stage.device(DeviceKind.PAGE, state=DeviceState.OFFLINE, fault=Fault.UNREACHABLE)
    tiles = {tile.target: tile.available for tile in stage.touch(Start()).sees(HomeView).tiles}
    assert tiles[codes["permit"]].ok
    assert (tiles[codes["proof"]].ok, tiles[codes["proof"]].elsewhere) == (False, "二号")
    stage.network(Link.DOWN)
    tiles = {tile.target: tile.available for tile in stage.sees(HomeView).tiles}
    assert tiles["my_licences"].device == "network"


def test_out_of_service_only_when_nothing_is_left(make_stage, stage):
    assert stage.device(DeviceKind.ID_CARD, state=DeviceState.OFFLINE, fault=Fault.NO_READER).sees(AttractView)
    items = tuple(item for item in stage.bundle.items if item["identity"]["level"] == "card")
    stage.bundle = stage.bundle.model_copy(update={"items": items, "number": 8})
    view = stage.wait(1).sees(OutOfServiceView)
    assert view.elsewhere == "二号"
    assert {chip.kind for chip in view.reasons} == {DeviceKind.ID_CARD}
    stage.touch(Start()).sees(OutOfServiceView)
    assert stage.put(Fault.NO_READER).sees(OutOfServiceView)
    stage.lift().device(DeviceKind.ID_CARD, state=DeviceState.STARTING, fault=None).sees(AttractView)


def test_before_the_first_catalogue_nobody_is_invited(make_stage):
    stage = make_stage()
    published, stage.bundle = stage.bundle, None
    stage.start()
    assert isinstance(stage.view, OutOfServiceView)
    stage.touch(Start()).sees(OutOfServiceView)
    stage.bundle = published
    stage.wait(1).sees(AttractView)


def test_a_new_bundle_waits_until_she_has_gone(stage, codes):
    stage.touch(Start(), OpenTile(codes["permit"])).sees(GuideView)
    stage.bundle = stage.bundle.model_copy(update={"items": (), "themes": (), "number": 8})
    stage.touch(Begin(), Back()).sees(GuideView)
    stage.touch(Finish(), Start())
    assert [tile.target for tile in stage.sees(HomeView).tiles] == ["my_applications", "my_licences", "all_items"]


def test_a_card_put_down_behind_the_window_slip_is_not_asked_for_again(stage, xiu, codes):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin()).sees(PutCardView)
    stage.touch(WindowSlip()).sees(WindowSlipView)
    stage.put(xiu).touch(Back()).sees(QuestionView)


def test_home_is_not_the_way_out_while_it_is_sent(stage, xiu, codes):
    stage.touch(Start(), OpenTile("theme:more"), OpenItem(codes["ask"]), Begin())
    stage.touch(SetAnswer("question", "什么时候开门？"), Next()).sees(CheckView)
    stage.hold(Lane.QUEUE, Lane.ID_CARD).touch(Submit()).sees(SendingView)
    stage.lanes.one(Lane.QUEUE)
    stage.settle().put(xiu).touch(Home()).release()
    assert len(stage.outbox.kept) == 1
    stage.sees(DoneView)


def test_the_news_of_one_slip_is_not_the_next_ones(stage, codes):
    stage.touch(Start(), OpenTile(codes["permit"])).hold(Lane.RECEIPT).touch(WindowSlip()).sees(WindowSlipView)
    stage.touch(Back(), WindowSlip())
    stage.receipt.faults = deque([Fault.JAM])
    stage.lanes.one(Lane.RECEIPT)  # the first one jams; the second is still to be printed
    stage.settle()
    assert stage.sees(WindowSlipView).phase == "printing"
