"""补正: a case that came back is corrected from 我的办件, with what she said before, and is a case of its own never."""

from datetime import UTC, date, datetime

import pytest

from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.person import ApplicationSummary, FormerAnswers
from kiosk.core.intents import (
    AcceptShot,
    Back,
    Begin,
    ChangeAnswer,
    Correct,
    Finish,
    Home,
    Next,
    OpenCapture,
    OpenMySpace,
    OpenTile,
    ReuseLicence,
    SetAnswer,
    Shoot,
    Start,
    Submit,
)
from kiosk.core.ports import HallFault, Link
from kiosk.core.receipt import Line
from kiosk.core.views import (
    CheckView,
    DoneView,
    GuideView,
    HomeView,
    MaterialsView,
    MySpaceView,
    QuestionView,
)
from kiosk.services.effects import Lane

NUMBER, OTHER = (str(ApplicationNumber("440699", date(2026, 11, 20), "T002", serial)) for serial in (7, 8))
WANTED = "您的居住证已经失效，请补交有效的。"
ANSWERS = {"same": True, "reason": "work", "employer": "样本厂", "phone": "13800000000", "name": "别人"}


def returned(*, number=NUMBER, code="440699-GA-0031", state="correction_wanted", message=WANTED):
    return ApplicationSummary(
        application_no=number,
        item_code=code,
        item_name="居住证签注",
        state=state,
        received_at=datetime(2026, 11, 20, 2, 0, tzinfo=UTC),
        message=message,
        correct_by=datetime(2026, 11, 27, 15, 59, 59, tzinfo=UTC),
    )


def former(**changes):
    return FormerAnswers(
        application_no=NUMBER, item_code="440699-GA-0031", item_version=2, answers={**ANSWERS, **changes}
    )


@pytest.fixture
def at_space(stage, xiu, matters, held_licence):
    """She looks at a case of hers that wants a correction."""
    stage.hall.matters[xiu.id_number] = matters(
        applications=(returned(),), licences=(held_licence(),), former={NUMBER: former()}
    )
    stage.touch(Start()).put(xiu).touch(OpenMySpace("applications")).sees(MySpaceView)
    return stage


def photograph(stage):
    return stage.touch(OpenCapture("permit"), Shoot(), AcceptShot())


def test_one_touch_leads_to_what_is_wanted(at_space):
    assert at_space.view.correctable == (NUMBER,)
    view = at_space.touch(Correct(NUMBER)).sees(MaterialsView)
    assert (view.wanted, view.item_name, view.notice) == (WANTED, "补正：居住证签注", None)
    assert [row.id for row in view.rows if row.state == "needed"] == ["permit"]


def test_it_is_filed_with_its_case_and_said_on_page_and_paper(at_space, xiu):
    photograph(at_space.touch(Correct(NUMBER))).touch(Next())
    rows = {row.label: row.value for row in at_space.sees(CheckView).rows}
    assert (rows["单位"], rows["电话"], rows["一样吗"]) == ("样本厂", "13800000000", "是")
    assert "别人" not in rows["姓名"], "who she is, her card says anew"
    done = at_space.touch(Submit()).sees(DoneView)
    assert (done.corrects, done.item_name) == (NUMBER, "居住证签注")
    assert done.application_no != NUMBER, "a number of its own"
    filed = at_space.outbox.submission()
    assert (filed.corrects, filed.applicant.name) == (NUMBER, xiu.name)
    (kept,) = at_space.outbox.kept.values()
    assert kept.sealed.corrects == NUMBER, "the queue must know what it must not overtake"
    (paper,) = at_space.wait(5).receipt.slips
    assert Line("补正回执", "title") in paper.blocks
    assert Line(ApplicationNumber.parse(NUMBER).printed(), "strong") in paper.blocks
    at_space.touch(Finish())


def test_an_answer_can_be_changed_on_the_way(at_space):
    photograph(at_space.touch(Correct(NUMBER))).touch(Next(), ChangeAnswer("contact"))
    at_space.touch(SetAnswer("phone", "13900000000"), Next()).sees(CheckView)
    assert at_space.touch(Submit()).sees(DoneView).corrects == NUMBER
    assert at_space.outbox.submission().answers["phone"].value == "13900000000"


@pytest.mark.parametrize("fault", list(HallFault))
def test_without_her_former_answers_she_answers_again(at_space, fault):
    at_space.hall.fault = fault
    view = at_space.touch(Correct(NUMBER)).sees(QuestionView)
    assert (view.index, view.item_name) == (2, "补正：居住证签注"), "name and address come from the card"


def test_with_the_network_down_she_goes_on_if_the_case_was_known(at_space):
    at_space.network(Link.DOWN)
    assert at_space.view.correctable == (NUMBER,)
    at_space.touch(Correct(NUMBER)).sees(QuestionView)
    at_space.touch(SetAnswer("same", True), Next(), SetAnswer("reason", "work"), SetAnswer("employer", "样本厂"))
    photograph(at_space.touch(Next(), SetAnswer("phone", "13800000000"), Next())).touch(Next(), Submit())
    assert at_space.sees(DoneView).corrects == NUMBER
    assert not at_space.view.delivered


def test_answers_that_no_longer_fit_are_asked_again(stage, xiu, matters):
    stage.hall.matters[xiu.id_number] = matters(
        applications=(returned(),), former={NUMBER: former(phone="12", reason="never an option", gone="x")}
    )
    stage.put(xiu).touch(OpenMySpace("applications"), Correct(NUMBER))
    assert stage.sees(QuestionView).page_id == "reason"


def test_while_the_hall_is_asked_nothing_happens_twice(at_space):
    at_space.hold(Lane.HALL)
    at_space.touch(Correct(NUMBER))
    assert at_space.sees(MySpaceView).loading
    at_space.touch(Correct(NUMBER), Correct(NUMBER))
    at_space.release()
    at_space.sees(MaterialsView)


def test_an_answer_that_comes_after_she_has_gone_elsewhere_is_dropped(at_space):
    at_space.hold(Lane.HALL)
    at_space.touch(Correct(NUMBER), Home())
    at_space.release()
    at_space.sees(HomeView)


@pytest.mark.parametrize(
    "case",
    [
        returned(state="handling"),
        returned(state="expired"),
        returned(code="440699-XX-9999"),
        returned(code="440699-RS-0102"),
        returned(number="K0604-1-260901-000311"),
    ],
)
def test_what_cannot_be_corrected_here_is_not_offered(stage, xiu, matters, case):
    stage.hall.matters[xiu.id_number] = matters(applications=(case,))
    stage.put(xiu).touch(OpenMySpace("applications"))
    assert stage.sees(MySpaceView).correctable == ()
    stage.touch(Correct(case.application_no), Correct(OTHER)).sees(MySpaceView)


def test_what_could_not_be_finished_is_not_begun(at_space):
    at_space.outbox.accepting = False
    at_space.wait(3)
    at_space.touch(Correct(NUMBER)).sees(MySpaceView)
    assert at_space.notice() == "disk_full"


def test_back_from_the_first_question_leads_to_her_cases(at_space):
    at_space.hall.fault = HallFault.UNREACHABLE
    at_space.touch(Correct(NUMBER)).sees(QuestionView)
    at_space.touch(Back(), Back()).sees(MySpaceView)
    at_space.hall.fault = None
    at_space.touch(Home(), OpenTile("440699-GA-0031")).sees(GuideView)
    view = at_space.touch(Begin()).sees(QuestionView)
    assert view.item_name == "居住证签注", "what she begins there is a filing of its own"


def test_a_correction_and_what_she_begins_anew_are_two_drafts(at_space):
    at_space.touch(Home(), OpenTile("440699-GA-0031"), Begin(), Next())
    at_space.touch(SetAnswer("same", False), Next(), Home())
    begun = dict(at_space.drafts.kept)
    assert len(begun) == 1
    photograph(at_space.touch(OpenMySpace("applications"), Correct(NUMBER))).touch(Home())
    assert (len(at_space.drafts.kept), at_space.drafts.kept.items() >= begun.items()) == (2, True)
    assert at_space.sees(HomeView).unfinished == "居住证签注", "there she goes on with what she began anew"
    at_space.touch(OpenMySpace("applications"), Correct(NUMBER), Next(), Submit()).sees(DoneView)
    at_space.touch(Home())
    assert at_space.drafts.kept == begun, "the other one is filed"


def test_a_half_correction_waits_for_her_card_at_its_case(at_space, xiu, bo, matters):
    photograph(at_space.touch(Correct(NUMBER))).touch(Finish()).lift()
    at_space.hall.matters[bo.id_number] = matters(applications=(returned(),), former={NUMBER: former()})
    at_space.touch(Start()).put(bo).touch(OpenMySpace("applications"), Correct(NUMBER))
    assert [row.id for row in at_space.sees(MaterialsView).rows if row.state == "needed"] == ["permit"], "not Bo's"
    at_space.touch(Finish()).lift()

    at_space.touch(Start()).put(xiu)
    assert at_space.sees(HomeView).unfinished == "", "whether it is still wanted, only its case knows"
    view = at_space.touch(OpenMySpace("applications"), Correct(NUMBER)).sees(CheckView)
    assert (view.item_name, at_space.notice()) == ("补正：居住证签注", "resumed")
    assert at_space.touch(Submit()).sees(DoneView).corrects == NUMBER
    assert at_space.drafts.kept == {}


def test_it_goes_on_without_network_as_soon_as_her_cases_were_seen(at_space):
    photograph(at_space.touch(Correct(NUMBER))).touch(Home(), OpenMySpace("applications"))
    at_space.network(Link.DOWN)
    at_space.touch(Correct(NUMBER)).sees(CheckView)
    assert at_space.touch(Submit()).sees(DoneView).corrects == NUMBER


def test_when_something_else_is_wanted_she_begins_anew(at_space, xiu, matters):
    photograph(at_space.touch(Correct(NUMBER))).touch(Finish()).lift()
    other = returned(message="照片看不清，请重拍。")
    at_space.hall.matters[xiu.id_number] = matters(applications=(other,), former={NUMBER: former()})
    at_space.touch(Start()).put(xiu).touch(OpenMySpace("applications"), Correct(NUMBER))
    view = at_space.sees(MaterialsView)
    assert (view.wanted, [row.id for row in view.rows if row.state == "needed"]) == (other.message, ["permit"])
    photograph(at_space).touch(Finish()).lift()
    assert len(at_space.drafts.kept) == 1, "it took the place of the old one"


def test_who_only_looked_leaves_no_draft(at_space):
    at_space.touch(Correct(NUMBER)).sees(MaterialsView)
    at_space.touch(Finish()).lift()
    assert at_space.drafts.asked == 0


def test_a_draft_that_comes_late_is_gone_on_with(at_space, xiu):
    photograph(at_space.touch(Correct(NUMBER))).touch(Finish()).lift()
    at_space.touch(Start())
    at_space.hold(Lane.SEAL)
    at_space.put(xiu).touch(OpenMySpace("applications"), Correct(NUMBER)).sees(MaterialsView)
    at_space.release()
    at_space.sees(CheckView)


def test_a_licence_that_is_good_may_be_reused(at_space):
    at_space.touch(Correct(NUMBER), ReuseLicence("permit", "L-1"), Next(), Submit()).sees(DoneView)
    (use,) = [use for use in at_space.outbox.submission().materials if use.id == "permit"]
    assert (use.source, use.licence_id) == ("licence_library", "L-1")


def test_a_draft_that_comes_while_the_hall_is_asked_is_gone_on_with(stage, xiu, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(
        applications=(returned(),), licences=(held_licence(),), former={NUMBER: former()}
    )
    photograph(stage.touch(Start()).put(xiu).touch(OpenMySpace("applications"), Correct(NUMBER)))
    stage.touch(Finish()).lift()
    stage.touch(Start()).hold(Lane.SEAL).put(xiu).touch(OpenMySpace("applications"))
    stage.hold(Lane.HALL).touch(Correct(NUMBER))
    stage.lanes.held.discard(Lane.SEAL)
    stage.settle().release().sees(CheckView)


def test_what_was_corrected_in_this_visit_is_not_offered_again(stage, xiu, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(
        applications=(returned(),), licences=(held_licence(),), former={NUMBER: former()}
    )
    stage.put(xiu).touch(OpenMySpace("applications"), Correct(NUMBER), ReuseLicence("permit", "L-1"), Next())
    stage.network(Link.DOWN).touch(Submit()).sees(DoneView)
    stage.wait(5).touch(Home(), OpenMySpace("applications"))
    assert stage.view.correctable == ()
