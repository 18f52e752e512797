"""The cabinet, the contact slot, the scanner: what they change on the screen, and what they never touch."""

from dataclasses import replace

import pytest

from kiosk.contract.person import ApplicationSummary
from kiosk.core.devices import DeviceKind, DeviceState, Fault, Lamp, LampState
from kiosk.core.intents import (
    AcceptShot,
    Begin,
    Finish,
    Home,
    Next,
    OpenCapture,
    OpenItem,
    OpenMySpace,
    OpenTile,
    SetAnswer,
    Shoot,
    Start,
    Submit,
)
from kiosk.core.print_ledger import PaperKind
from kiosk.core.views import (
    AttractView,
    CheckView,
    CodeView,
    DoneView,
    GuideView,
    HomeView,
    MySpaceView,
    OutOfServiceView,
    PutCardView,
    QuestionView,
)
from kiosk.services.effects import Lane


def to_social(stage, holder, codes):
    """The page that asks for the number of the 社保卡."""
    stage.touch(Start()).put(holder)
    return stage.touch(OpenTile("theme:more"), OpenItem(codes["social"]), Begin())


# --- lamps -------------------------------------------------------------------------------------------------------


def test_lamps_lead_the_hand(stage, xiu, codes):
    lamps = stage.board.lamps
    assert (lamps[Lamp.STATUS], lamps[Lamp.CARD]) == (LampState.ON, LampState.OFF)
    stage.touch(Start(), OpenTile(codes["permit"]), Begin())
    assert lamps[Lamp.CARD] is LampState.BLINK
    stage.put(xiu)
    assert lamps[Lamp.CARD] is LampState.ON
    stage.touch(Finish()).lift().to_check(xiu)
    stage.touch(Submit()).wait(5)
    assert isinstance(stage.view, DoneView)
    assert lamps[Lamp.RECEIPT] is LampState.BLINK
    stage.touch(Finish())
    assert lamps[Lamp.RECEIPT] is LampState.OFF
    assert lamps[Lamp.CARD] is LampState.BLINK, "her card still lies there"
    stage.lift()
    assert lamps[Lamp.CARD] is LampState.OFF


def test_the_camera_is_lit_only_while_it_is_used(stage, xiu, codes):
    stage.touch(Start()).put(xiu)
    stage.touch(OpenTile("theme:more"), OpenItem(codes["shoot"]), Begin())
    while not hasattr(stage.view, "rows"):
        stage.touch(Next())
    material = stage.view.rows[-1].id
    stage.touch(OpenCapture(material))
    assert stage.board.lamps[Lamp.CAMERA] is LampState.ON
    stage.touch(Shoot(), AcceptShot())
    assert stage.board.lamps[Lamp.CAMERA] is LampState.OFF


def test_a_board_that_was_away_is_lit_anew(stage):
    stage.board.lamps.clear()
    stage.feel(cabinet_open=True)
    stage.device(DeviceKind.SITE_IO, state=DeviceState.OFFLINE, fault=Fault.UNREACHABLE)
    assert isinstance(stage.view, AttractView), "what a lost board felt is not known any more"
    stage.board.lamps.clear()
    stage.device(DeviceKind.SITE_IO, state=DeviceState.ONLINE, fault=None)
    assert stage.board.lamps[Lamp.STATUS] is LampState.ON


# --- cabinet and power -------------------------------------------------------------------------------------------


def test_an_open_cabinet_lets_nobody_begin_and_nobody_end(stage, xiu):
    stage.feel(cabinet_open=True)
    assert isinstance(stage.view, OutOfServiceView)
    assert any(chip.kind is DeviceKind.SITE_IO for chip in stage.view.reasons)
    assert isinstance(stage.touch(Start()).view, OutOfServiceView)
    stage.feel(cabinet_open=False).touch(Start())
    assert isinstance(stage.view, HomeView)
    assert isinstance(stage.feel(cabinet_open=True).view, HomeView), "who is here may go on"


def test_on_battery_nothing_is_begun_that_needs_the_page_printer(stage, xiu, codes):
    stage.touch(Start()).put(xiu)
    stage.feel(on_battery=True)
    assert "power" in [chip.kind for chip in stage.chrome.devices]
    stage.touch(OpenTile(codes["proof"]), Begin())
    assert isinstance(stage.view, GuideView)
    assert stage.view.notice.code == "device_down"
    assert dict(stage.view.notice.params)["device"] == "power"
    stage.touch(Home(), OpenTile(codes["permit"]), Begin())
    assert isinstance(stage.view, QuestionView), "an application only needs the receipt"


def test_a_battery_that_is_nearly_empty_ends_the_day(stage):
    stage.feel(on_battery=True, battery_percent=8)
    stage.device(DeviceKind.SITE_IO, fault=Fault.BATTERY_LOW)
    assert isinstance(stage.view, OutOfServiceView)
    stage.device(DeviceKind.SITE_IO, fault=None).feel(on_battery=False)
    assert isinstance(stage.view, AttractView)


# --- 社保卡 ------------------------------------------------------------------------------------------------------


def test_her_social_card_fills_in_its_number(stage, xiu, codes, social_card):
    to_social(stage, xiu, codes)
    assert stage.view.slot == "ready"
    stage.insert(social_card(xiu))
    assert stage.view.slot == "done"
    (field,) = stage.view.fields
    assert (field.value, field.source, field.locked) == ("AB1234567", "social_card", True)
    stage.pull()
    stage.touch(Next(), SetAnswer("phone", "13800000000"), Next())
    assert isinstance(stage.view, CheckView)
    stage.touch(Submit()).wait(5)
    assert stage.outbox.submission().answers["number"].source == "social_card"


def test_a_social_card_that_waits_in_the_slot_is_read_when_it_is_of_use(stage, xiu, codes, social_card):
    stage.insert(social_card(xiu))
    to_social(stage, xiu, codes)
    assert stage.view.slot == "done"


def test_a_strangers_social_card_fills_in_nothing(stage, xiu, bo, codes, social_card):
    to_social(stage, xiu, codes).insert(social_card(bo))
    assert stage.view.notice.code == "social_card_other"
    assert stage.view.fields[0].value is None
    stage.pull()
    assert stage.view.notice is None
    assert stage.insert(social_card(xiu)).view.slot == "done"


@pytest.mark.parametrize("fault", [Fault.CARD_BANK, Fault.CARD_MUTE, Fault.DRIVER_LOST])
def test_a_card_that_is_none_is_named_and_typing_goes_on(stage, xiu, codes, fault):
    to_social(stage, xiu, codes).insert(fault)
    assert stage.view.notice.code == "social_card_failed"
    assert dict(stage.view.notice.params)["fault"] == fault.value
    stage.touch(SetAnswer("number", "AB1234567"), Next())
    assert stage.view.page_id == "contact"


def test_the_slot_is_not_offered_while_it_is_down(stage, xiu, codes):
    stage.device(DeviceKind.SOCIAL_CARD, state=DeviceState.OFFLINE, fault=Fault.NO_READER)
    assert to_social(stage, xiu, codes).view.slot == "none"


def test_a_social_card_is_no_identity_card(stage, xiu, codes, social_card):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin()).insert(social_card(xiu))
    assert isinstance(stage.view, PutCardView)
    assert stage.view.notice.code == "card_foreign"
    assert dict(stage.view.notice.params)["card"] == "card_social"


def test_a_social_card_left_behind_is_called_after(stage, xiu, codes, social_card):
    to_social(stage, xiu, codes).insert(social_card(xiu)).touch(Finish()).lift()
    assert stage.chrome.social_left
    assert not stage.pull().chrome.social_left


def test_a_social_card_before_any_session_is_nobodys_leftover(stage, xiu, social_card):
    assert not stage.insert(social_card(xiu)).chrome.social_left


def test_nothing_of_the_social_card_outlives_the_session(stage, xiu, bo, codes, social_card):
    to_social(stage, xiu, codes).insert(social_card(xiu)).touch(Finish()).lift()
    to_social(stage, bo, codes)
    assert stage.view.notice.code == "social_card_other", "hers is still in the slot"
    assert stage.view.fields[0].value is None


# --- 扫码 --------------------------------------------------------------------------------------------------------

NUMBER = "440604261122T0010007K"


def test_a_receipt_leads_to_its_case_once_her_card_says_who_she_is(stage, xiu, matters):
    def application(number):
        return ApplicationSummary(
            application_no=number,
            item_code="440699-GA-0031",
            item_name="居住证签注",
            state="received",
            received_at=stage.clock.now(),
        )

    other, hers = application("440604261122T0010001A"), application(NUMBER)
    stage.hall.matters[xiu.id_number] = matters(applications=(other, hers))
    stage.scan(kind="receipt", number=NUMBER, genuine=True)
    assert isinstance(stage.view, CodeView)
    assert stage.view.progress
    stage.touch(OpenMySpace("applications"))
    assert isinstance(stage.view, PutCardView)
    stage.put(xiu)
    assert isinstance(stage.view, MySpaceView)
    assert [one.application_no for one in stage.view.applications] == [hers.application_no, other.application_no]


@pytest.mark.parametrize("genuine", [True, False])
def test_a_licence_is_checked_on_the_spot(stage, genuine):
    stage.scan(kind="licence", number="粤0001", genuine=genuine, title="居住证", holder="欧***", valid_to="2026-01-01")
    assert isinstance(stage.view, CodeView)
    assert (stage.view.genuine, stage.view.expired, stage.view.progress) == (genuine, True, False)
    assert isinstance(stage.touch(Home()).view, HomeView)


def test_a_withdrawn_licence_is_said_to_be_one(stage):
    stage.scan(kind="licence", number="粤0001", genuine=True, withdrawn=True)
    assert (stage.sees(CodeView).genuine, stage.sees(CodeView).withdrawn) == (True, True)


def test_an_unknown_code_is_said_to_be_one(stage):
    stage.touch(Start()).scan(what="?")
    assert isinstance(stage.view, HomeView)
    assert stage.view.notice.code == "code_unknown"


def test_a_code_never_interrupts_a_form(stage, xiu):
    stage.to_check(xiu)
    before = stage.view
    stage.scan(kind="licence", number="粤0001", genuine=True)
    assert stage.view == before


def test_what_was_scanned_is_gone_with_the_session(stage):
    stage.scan(kind="licence", number="粤0001", genuine=True, holder="欧***")
    stage.touch(Finish())
    assert isinstance(stage.view, AttractView)
    assert "欧***" not in repr(stage.terminal._model)


def test_cards_of_other_kinds_are_named(stage, codes):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin())
    for fault in (Fault.CARD_BANK, Fault.CARD_TRANSIT, Fault.CARD_SOCIAL, Fault.CARD_FOREIGN):
        stage.put(fault)
        assert stage.view.notice == replace(stage.view.notice, code="card_foreign", params=(("card", fault.value),))
        stage.lift()
    assert stage.put(Fault.CARD_REJECTED).view.notice.code == "card_rejected"


def test_a_paper_that_is_felt_just_after_she_has_gone_is_not_the_next_ones(stage, xiu, bo):
    stage.feel(slip_waiting=False)
    stage.to_check(xiu).touch(Submit()).wait(4)
    assert stage.sees(DoneView).receipt == "printed"
    stage.lift().sees(AttractView)
    stage.feel(slip_waiting=True).wait(1)
    assert stage.chrome.papers_left == (PaperKind.RECEIPT,)
    stage.put(bo).wait(20)
    assert stage.chrome.papers_waiting == ()


def test_a_paper_printed_after_she_has_gone_is_not_the_next_ones(stage, xiu, bo):
    stage.feel(slip_waiting=False)
    stage.to_check(xiu).hold(Lane.RECEIPT).touch(Submit()).wait(4)
    stage.put(bo).sees(HomeView)
    stage.release().feel(slip_waiting=True).wait(16)
    assert (stage.chrome.papers_waiting, stage.chrome.papers_left) == ((), (PaperKind.RECEIPT,))


def test_a_paper_taken_before_it_was_felt_is_nobodys_trouble(stage, xiu, bo):
    stage.feel(slip_waiting=False)
    stage.to_check(xiu).touch(Submit()).wait(4).lift()
    assert stage.chrome.papers_left == ()
    stage.wait(6).put(bo).sees(HomeView)
    assert not {"paper_left", "paper_taken"} & set(stage.logged())
