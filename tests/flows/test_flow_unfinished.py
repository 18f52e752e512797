"""What was begun and not filed waits for the same card, and for no other; what was filed is never offered again."""

from dataclasses import replace

import pytest

from kiosk.core.devices import DeviceKind, DeviceState, Fault
from kiosk.core.intents import (
    AcceptShot,
    Back,
    Begin,
    DropDraft,
    Finish,
    Home,
    Next,
    OpenCapture,
    OpenItem,
    OpenTile,
    ResumeDraft,
    ReuseLicence,
    SetAnswer,
    Shoot,
    Start,
    Submit,
)
from kiosk.core.ports import Link, StoreError, StoreFault
from kiosk.core.result import Err
from kiosk.core.views import (
    AttractView,
    CaptureView,
    CheckView,
    DoneView,
    HomeView,
    MaterialsView,
    PutCardView,
    QuestionView,
    SendingView,
)
from kiosk.services.effects import Lane


def half_way(stage, holder, codes):
    """She said that she moved, wrote where to, and stands before the reason."""
    stage.touch(Start()).put(holder)
    stage.touch(OpenTile(codes["permit"]), Begin(), Next(), SetAnswer("same", False), Next())
    return stage.touch(SetAnswer("address", "样本市第七号暗巷九单元"), Next())


def leave(stage):
    return stage.touch(Finish()).lift()


def back_again(stage, holder):
    return stage.touch(Start()).put(holder)


def test_her_answers_wait_for_her_card(stage, xiu, codes):
    leave(half_way(stage, xiu, codes))
    assert back_again(stage, xiu).sees(HomeView).unfinished == "居住证签注"
    assert stage.touch(ResumeDraft()).sees(QuestionView).page_id == "reason"
    assert stage.notice() == "resumed"
    assert stage.touch(Back()).view.fields[0].value == "样本市第七号暗巷九单元"
    assert stage.notice() == ""


def test_home_in_between_loses_nothing_either(stage, xiu, codes):
    half_way(stage, xiu, codes)
    assert stage.touch(Home()).sees(HomeView).unfinished == "居住证签注"
    assert stage.touch(OpenTile(codes["permit"]), Begin()).sees(QuestionView).page_id == "reason"
    assert stage.touch(Home(), ResumeDraft()).sees(QuestionView).page_id == "reason", "unchanged, and still there"
    assert stage.touch(Home(), DropDraft()).sees(HomeView).unfinished == ""
    assert stage.touch(OpenTile(codes["permit"]), Begin()).sees(QuestionView).page_id == "who"


def test_beginning_the_same_item_goes_on_with_it(stage, xiu, codes):
    leave(half_way(stage, xiu, codes))
    back_again(stage, xiu)
    assert stage.touch(OpenTile(codes["permit"]), Begin()).sees(QuestionView).page_id == "reason"


def test_a_card_that_comes_after_the_item_was_chosen_goes_on_too(stage, xiu, codes):
    leave(half_way(stage, xiu, codes))
    stage.touch(Start(), OpenTile(codes["permit"]), Begin()).put(xiu)
    assert stage.sees(QuestionView).page_id == "reason"


def test_nobody_else_hears_of_it(stage, xiu, bo, codes):
    leave(half_way(stage, xiu, codes))
    assert back_again(stage, bo).sees(HomeView).unfinished == ""
    stage.touch(OpenTile(codes["permit"]), Begin())
    assert stage.sees(QuestionView).page_id == "who"


def test_not_wanted_any_more_is_gone(stage, xiu, codes):
    leave(half_way(stage, xiu, codes))
    assert back_again(stage, xiu).touch(DropDraft()).sees(HomeView).unfinished == ""
    assert stage.drafts.kept == {}
    leave(stage)
    assert back_again(stage, xiu).sees(HomeView).unfinished == ""


def test_nothing_is_kept_of_who_only_looked(stage, xiu, codes):
    stage.touch(Start()).put(xiu).touch(OpenTile(codes["permit"]), Begin(), Next(), Home())
    leave(stage)
    assert stage.drafts.asked == 0


def test_a_screen_that_dies_in_the_middle_loses_nothing(stage, xiu, codes):
    half_way(stage, xiu, codes)
    stage.start()
    stage.lift()
    assert back_again(stage, xiu).sees(HomeView).unfinished == "居住证签注"


def test_pictures_are_kept_too(stage, xiu, codes):
    half_way(stage, xiu, codes)
    stage.touch(SetAnswer("reason", "work"), SetAnswer("employer", "样本厂"), Next())
    stage.touch(SetAnswer("phone", "13800000000"), Next())
    stage.sees(MaterialsView)
    stage.touch(OpenCapture("lease"), Shoot(), AcceptShot())
    leave(stage)
    back_again(stage, xiu).touch(ResumeDraft())
    states = {row.id: row.state for row in stage.sees(MaterialsView).rows}
    assert states == {"id_card": "from_card", "permit": "needed", "lease": "captured"}


def test_a_dead_camera_is_a_way_out_that_keeps_the_answers(stage, xiu, codes):
    half_way(stage, xiu, codes)
    stage.touch(SetAnswer("reason", "work"), SetAnswer("employer", "样本厂"), Next())
    stage.touch(SetAnswer("phone", "13800000000"), Next(), OpenCapture("lease"))
    stage.device(DeviceKind.CAMERA, state=DeviceState.OFFLINE, fault=Fault.NO_CAMERA)
    assert stage.sees(CaptureView).phase == "down"
    assert dict(stage.view.notice.params) == {"elsewhere": "二号", "kept": "yes"}
    leave(stage)
    stage.device(DeviceKind.CAMERA, state=DeviceState.ONLINE, fault=None)
    assert back_again(stage, xiu).touch(ResumeDraft()).sees(MaterialsView)


@pytest.mark.parametrize("left_early", [False, True])
def test_what_was_filed_is_not_offered_again(stage, xiu, left_early):
    stage.to_check(xiu).touch(Submit())
    if not left_early:
        stage.wait(5).sees(DoneView)
    leave(stage)
    stage.wait(5)
    assert len(stage.outbox.kept) == 1
    leave(back_again(stage, xiu).wait(5))
    assert back_again(stage, xiu).sees(HomeView).unfinished == ""


def test_a_screen_that_dies_between_filing_and_forgetting_files_once(stage, xiu):
    drafts: list[dict] = []
    keep = stage.drafts.keep
    stage.drafts.keep = lambda *draft: (keep(*draft), drafts.append(dict(stage.drafts.kept)))[0]
    stage.to_check(xiu).touch(Submit()).wait(5).sees(DoneView)
    assert stage.drafts.kept == {}
    stage.drafts.kept.update(drafts[-1])  # as if the screen had died before the draft was dropped
    stage.start()
    leave(stage)
    assert back_again(stage, xiu).sees(HomeView).unfinished == ""
    assert stage.drafts.kept == {}
    assert len(stage.outbox.kept) == 1


def test_refused_by_a_full_disk_the_answers_are_a_draft_again(stage, xiu):
    stage.to_check(xiu)
    stage.outbox.faults.extend([StoreFault.DISK_FULL] * 3)
    stage.touch(Submit()).wait(2).sees(CheckView)
    stage.outbox.faults.clear()
    leave(stage)
    assert back_again(stage, xiu).sees(HomeView).unfinished == "居住证签注"
    stage.touch(ResumeDraft())
    assert len(stage.outbox.kept) == 0


def test_a_draft_that_cannot_be_kept_is_no_trouble_of_hers(stage, xiu, codes):
    stage.drafts.fault = StoreFault.DISK_FULL
    half_way(stage, xiu, codes)
    assert stage.sees(QuestionView).notice is None
    assert "draft_refused" in stage.logged()


def test_an_item_that_was_changed_since_is_begun_anew(stage, xiu, codes):
    leave(half_way(stage, xiu, codes))
    newer = {**stage.bundle.items[0], "version": stage.bundle.items[0]["version"] + 1}
    stage.bundle = stage.bundle.model_copy(update={"number": 8, "items": (newer, *stage.bundle.items[1:])})
    stage.wait(1)
    assert back_again(stage, xiu).sees(HomeView).unfinished == ""


def test_a_filing_without_an_answer_is_no_draft_on_her_home_page(stage, xiu):
    stage.to_check(xiu)
    stage.outbox.lose_answers = 100
    stage.touch(Submit()).wait(9).sees(CheckView)
    assert (stage.notice(), len(stage.outbox.kept)) == ("store_down", 1), "written down, only the answer was lost"
    stage.outbox.lose_answers = 0
    stage.touch(Home(), ResumeDraft(), ReuseLicence("permit", "L-1"), Next(), Submit()).wait(5)
    assert len(stage.outbox.kept) == 1


def test_a_filing_that_was_not_written_down_is_a_draft_on_her_home_page(stage, xiu):
    stage.to_check(xiu)
    put = stage.outbox.put
    stage.outbox.put = lambda *a, **k: Err(StoreError(StoreFault.STORE_DOWN))
    stage.touch(Submit()).wait(9).sees(CheckView)
    stage.outbox.put = put
    assert stage.touch(Home()).sees(HomeView).unfinished == "居住证签注"
    stage.touch(ResumeDraft(), ReuseLicence("permit", "L-1"), Next(), Submit()).wait(5).sees(DoneView)
    assert len(stage.outbox.kept) == 1


def test_a_filing_without_an_answer_is_no_draft_at_its_guide(stage, xiu, codes):
    stage.to_check(xiu)
    stage.outbox.lose_answers = 100
    stage.touch(Submit()).wait(9).sees(CheckView)
    stage.outbox.lose_answers = 0
    stage.touch(Home(), OpenTile(codes["permit"]), Begin(), ReuseLicence("permit", "L-1"), Next(), Submit()).wait(5)
    assert len(stage.outbox.kept) == 1


def test_a_draft_whose_filing_is_on_its_way_is_not_offered(stage, xiu, bo):
    stage.to_check(xiu).hold(Lane.QUEUE).touch(Submit())
    stage.lanes.one(Lane.QUEUE)  # the number comes, then the queue hangs
    stage.settle().sees(SendingView)
    stage.put(bo).sees(HomeView)  # her session ends, her filing goes on
    stage.lift().put(xiu).sees(HomeView)
    stage.touch(ResumeDraft(), ReuseLicence("permit", "L-1"), Next(), Submit())
    stage.release().wait(5)
    assert len(stage.outbox.kept) == 1


def test_a_draft_that_could_not_be_marked_is_not_offered_after_its_filing(stage, xiu):
    stage.to_check(xiu)
    stage.drafts.fault = StoreFault.DISK_FULL  # drafts give way to filings
    stage.hold(Lane.QUEUE).touch(Submit())
    stage.lanes.one(Lane.QUEUE)
    stage.settle().sees(SendingView)
    stage.lift().wait(16).sees(AttractView)
    stage.release().wait(2)
    assert len(stage.outbox.kept) == 1
    stage.put(xiu).wait(4).sees(DoneView)
    assert stage.touch(Home()).sees(HomeView).unfinished == ""


def test_a_queue_that_is_away_costs_no_draft(stage, xiu):
    stage.to_check(xiu)
    there = stage.outbox.put, stage.outbox.state
    stage.outbox.put = lambda *a, **k: Err(StoreError(StoreFault.STORE_DOWN))
    stage.outbox.state = lambda *a: Err(StoreError(StoreFault.STORE_DOWN))
    stage.touch(Submit()).wait(9).sees(CheckView)
    stage.touch(Finish()).lift()
    stage.touch(Start()).put(xiu).touch(Finish()).lift()  # she looks in while it is still away
    stage.outbox.put, stage.outbox.state = there
    assert stage.touch(Start()).put(xiu).sees(HomeView).unfinished == "居住证签注"


def test_a_draft_of_pictures_alone_is_gone_on_with(stage, xiu, codes):
    stage.touch(Start()).put(xiu).touch(OpenTile("theme:more"), OpenItem(codes["shoot"]), Begin())
    stage.touch(OpenCapture("paper"), Shoot(), AcceptShot(), Finish()).lift()
    stage.touch(Start(), OpenTile("theme:more"), OpenItem(codes["shoot"]), Begin()).sees(PutCardView)
    stage.put(xiu)
    assert "draft_resumed" in stage.logged()
    stage.sees(CheckView)


def test_not_wanted_touched_twice_drops_one_draft(stage, xiu, codes):
    stage.touch(Start()).put(xiu)
    stage.touch(OpenTile(codes["permit"]), Begin(), Next(), SetAnswer("same", False), Next(), Home())
    stage.touch(OpenTile("theme:more"), OpenItem(codes["shoot"]), Begin())
    stage.touch(OpenCapture("paper"), Shoot(), AcceptShot(), Home())
    stage.touch(DropDraft(), DropDraft())
    assert len(stage.drafts.kept) == 1


def test_a_draft_is_not_gone_on_with_where_its_item_cannot_be_begun(stage, xiu, codes):
    items = list(stage.bundle.items)
    items[0] = {**items[0], "offline": "online_only"}
    stage.bundle = stage.bundle.model_copy(update={"number": 8, "items": tuple(items)})
    stage.wait(1).touch(Start()).put(xiu)
    stage.touch(OpenTile(codes["permit"]), Begin(), Next(), SetAnswer("same", True), Next(), Home())
    stage.network(Link.DOWN).touch(ResumeDraft())
    assert stage.notice() == "hall_unreachable"


def test_another_social_card_is_believed_after_a_draft(stage, xiu, codes, social_card):
    stage.touch(Start()).put(xiu).touch(OpenTile("theme:more"), OpenItem(codes["social"]), Begin())
    stage.insert(social_card(xiu))
    stage.touch(Next(), SetAnswer("phone", "13800000000"), Finish()).pull().lift()
    stage.touch(Start()).put(xiu).touch(ResumeDraft())
    while not (isinstance(stage.view, QuestionView) and stage.view.page_id == "card"):
        stage.touch(Back()).sees(QuestionView)
    stage.insert(replace(social_card(xiu), card_number="CD7654321"))
    assert {field.id: field.value for field in stage.view.fields}["number"] == "CD7654321"
