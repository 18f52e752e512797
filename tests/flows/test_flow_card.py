"""The card: read, refused, lifted, back, swapped, left behind."""

from dataclasses import replace
from datetime import date

import pytest

from kiosk.core.devices import CardPresented, DeviceKind, DeviceState, Fault, MediaState
from kiosk.core.intents import (
    Back,
    Begin,
    ExtendTime,
    Finish,
    Home,
    OpenMySpace,
    OpenTile,
    Start,
    Submit,
    Touched,
    WindowSlip,
)
from kiosk.core.views import (
    AttractView,
    CheckView,
    DoneView,
    GuideView,
    HomeView,
    MySpaceView,
    PrintView,
    PutCardView,
    QuestionView,
    WindowSlipView,
)
from kiosk.services.effects import Lane


def test_a_card_put_down_begins_the_session_and_greets_masked(stage, xiu):
    person = stage.put(xiu).sees(HomeView).person
    assert person.name == "欧**甲"
    assert person.id_number.startswith("440699****")
    assert xiu.id_number not in stage.all_shown()
    assert xiu.name not in stage.all_shown()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.CARD_UNREADABLE, "card_read_failed"),
        (Fault.CARD_MUTE, "card_read_failed"),
        (Fault.CARD_FOREIGN, "card_foreign"),
        (Fault.CARD_REMOVED, "card_read_failed"),
        (Fault.SERVICE_DOWN, "reader_down"),
        (Fault.DRIVER_LOST, "reader_down"),
    ],
)
def test_a_card_that_cannot_be_read_is_lifted_and_put_again(stage, xiu, codes, fault, code):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin()).put(fault).sees(PutCardView)
    assert stage.notice() == code
    stage.lift().sees(PutCardView)
    stage.put(xiu).sees(QuestionView)


def test_a_card_that_cannot_be_read_at_the_very_beginning_is_said_too(stage, xiu):
    assert stage.put(Fault.CARD_UNREADABLE).sees(PutCardView).purpose == "start"
    assert stage.notice() == "card_read_failed"
    stage.lift().put(Fault.CARD_FOREIGN).sees(PutCardView)
    assert stage.notice() == "card_foreign"
    assert stage.lift().put(xiu).sees(HomeView).person is not None
    stage.lift().sees(AttractView)
    stage.put(Fault.CARD_UNREADABLE).touch(Back()).sees(HomeView)


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"valid_to": date(2026, 11, 21)}, "card_expired"),
        ({"valid_from": date(2026, 11, 23)}, "card_not_yet_valid"),
    ],
)
def test_a_card_out_of_date_proves_nothing_but_a_window_is_offered(stage, xiu, codes, dates, code):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin()).put(replace(xiu, **dates)).sees(PutCardView)
    assert stage.notice() == code
    assert stage.hall.persons == []
    stage.touch(WindowSlip()).sees(WindowSlipView)
    assert stage.receipt.slips


def test_on_the_last_day_of_validity_a_card_is_good(stage, xiu):
    # 06:26 in London is still the 22nd in China, where the card ends with the day.
    assert stage.put(replace(xiu, valid_to=date(2026, 11, 22))).sees(HomeView).person is not None


def test_lifting_too_early_says_so(stage, xiu, codes):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin()).hold(Lane.ID_CARD).put(xiu)
    assert stage.sees(PutCardView).reading
    stage.lift()
    assert stage.notice() == "card_read_failed"
    stage.release().sees(PutCardView)
    assert "late_result_dropped" in stage.logged()


def test_a_reader_that_is_down_is_said_before_anything_is_tried(stage, codes):
    stage.touch(Start(), OpenTile(codes["permit"]))
    stage.device(DeviceKind.ID_CARD, state=DeviceState.OFFLINE, fault=Fault.DRIVER_LOST)
    stage.touch(Begin()).sees(GuideView)
    assert stage.notice() == "device_down"
    assert dict(stage.view.notice.params) == {"device": "id_card", "elsewhere": "二号"}
    stage.device(DeviceKind.ID_CARD, state=DeviceState.ONLINE, fault=None)
    stage.touch(Begin()).sees(PutCardView)
    stage.device(DeviceKind.ID_CARD, state=DeviceState.OFFLINE, fault=Fault.DRIVER_LOST)
    assert stage.notice() == "reader_down"


def test_a_card_lifted_in_the_middle_locks_and_comes_back(stage, xiu):
    stage.to_check(xiu).lift()
    assert stage.sees(PutCardView).purpose == "居住证签注"
    assert stage.notice() == "card_removed"
    assert stage.chrome.seconds_left == 15
    assert not stage.chrome.warning
    stage.wait(14).touch(Submit()).sees(PutCardView)
    stage.put(xiu).sees(CheckView)


def test_a_card_that_does_not_come_back_ends_it(stage, xiu):
    stage.to_check(xiu).lift().wait(15).sees(AttractView)
    stage.put(xiu).sees(HomeView)


def test_a_returned_card_that_cannot_be_read_gets_another_chance(stage, xiu):
    stage.to_check(xiu).lift().wait(10).put(Fault.CARD_UNREADABLE).sees(PutCardView)
    assert stage.notice() == "card_read_failed"
    stage.wait(10).lift().put(xiu).sees(CheckView)


def test_another_card_never_sees_the_first_ones_data(stage, xiu, bo):
    stage.to_check(xiu).lift().hold(Lane.ID_CARD).put(bo)
    assert stage.sees(PutCardView).reading
    since = len(stage.snapshots)
    stage.release()
    assert stage.sees(HomeView).person.name == "司**乙"
    assert "session_ended" in stage.logged()
    for secret in ("样本厂", "13800000000", "欧**甲"):
        assert secret not in stage.all_shown(since)


def test_a_reader_that_restarts_under_a_known_card_checks_who_it_is(stage, xiu, bo):
    stage.to_check(xiu).hold(Lane.ID_CARD)
    stage.reader.card = bo
    stage.terminal.device_event(CardPresented())
    stage.settle().sees(PutCardView)
    stage.release()
    assert stage.sees(HomeView).person.name == "司**乙"


def test_at_home_lifting_the_card_is_goodbye(stage, xiu):
    stage.put(xiu).lift().sees(AttractView)


def test_a_card_left_behind_belongs_to_nobody_after_it(stage, xiu):
    stage.put(xiu).touch(OpenMySpace("licences")).sees(MySpaceView)
    stage.touch(Finish()).sees(AttractView)
    assert stage.chrome.card_left
    stage.touch(Start())
    assert stage.sees(HomeView).person is None
    # A reader that restarts tells of the same card again: still nobody's.
    stage.terminal.device_event(CardPresented())
    assert stage.settle().sees(HomeView).person is None
    stage.touch(OpenMySpace("licences")).sees(PutCardView)
    stage.lift().put(xiu).sees(MySpaceView)


def test_done_and_paper_stay_while_they_are_wanted_though_the_card_is_gone(stage, xiu):
    stage.to_check(xiu).hold(Lane.RECEIPT).touch(Submit()).wait(4).lift()
    assert stage.sees(DoneView).receipt == "printing"
    assert stage.release().sees(DoneView).receipt == "printed"
    stage.touch(Home()).sees(AttractView)


def test_done_and_printed_the_card_may_go_and_the_page_with_it(stage, xiu):
    stage.outbox.deliver()
    stage.to_check(xiu).touch(Submit()).wait(4)
    assert stage.sees(DoneView).receipt == "printed"
    stage.lift().sees(AttractView)


def test_a_certificate_in_the_printer_comes_out_though_the_card_is_gone(stage, xiu, codes):
    stage.put(xiu).touch(OpenTile(codes["proof"]), Begin()).hold(Lane.PAGE).touch(Submit()).lift()
    assert stage.sees(PrintView).phase == "printing"
    stage.wait(16).sees(AttractView)
    assert stage.hall.persons[0].closed, "the ledger tells the hall, in the terminal's own name"
    stage.release()
    assert len(stage.page.pages) == 1
    assert stage.ledger.outcomes == [("job-1", "proven", "")]


def test_idle_warns_and_ends(stage, xiu):
    stage.to_check(xiu).wait(59)
    assert not stage.chrome.warning
    stage.wait(2)
    assert stage.chrome.warning
    stage.touch(ExtendTime())
    assert not stage.chrome.warning
    stage.wait(80).touch(Touched()).wait(80).sees(CheckView)
    stage.wait(11).sees(AttractView)
    assert stage.chrome.card_left


def test_nothing_ends_while_a_device_works_for_her(stage, xiu, codes):
    stage.put(xiu).touch(OpenTile(codes["proof"]), Begin()).hold(Lane.HALL).touch(Submit()).wait(200)
    assert stage.sees(PrintView).phase == "fetching"
    assert stage.chrome.seconds_left is None


def test_back_from_put_card_and_guide(stage, codes):
    stage.touch(Start(), OpenTile(codes["permit"]), Begin(), Back()).sees(GuideView)
    stage.touch(Back()).sees(HomeView)
    stage.touch(OpenMySpace("applications"), Back()).sees(HomeView)


def test_a_card_that_lies_there_when_the_screen_comes_up_is_read(stage, xiu):
    stage.put(xiu)
    stage.reader.seen = replace(stage.reader.seen, media=MediaState.PRESENT)
    stage.start()
    assert stage.sees(HomeView).person is not None


def test_after_a_card_that_is_nobodys_only_hers_brings_her_number_back(stage, xiu):
    stage.to_check(xiu).touch(Submit()).sees(DoneView)
    stage.lift().sees(DoneView)
    stage.put(Fault.CARD_FOREIGN).sees(PutCardView)
    stage.lift().sees(PutCardView)
    stage.put(xiu).sees(DoneView)
