"""居住证签注 from the first touch to the receipt."""

from kiosk.core.intents import Begin, Finish, Next, OpenTile, ReuseLicence, SetAnswer, Start, Submit
from kiosk.core.ports import Link
from kiosk.core.print_ledger import PrintState
from kiosk.core.views import (
    AttractView,
    CheckView,
    DoneView,
    GuideView,
    HomeView,
    MaterialsView,
    PutCardView,
    QuestionView,
)


def test_one_application_from_touch_to_receipt(stage, xiu, codes, matters, held_licence):
    stage.hall.matters[xiu.id_number] = matters(licences=(held_licence(),))
    stage.sees(AttractView)
    stage.touch(Start()).sees(HomeView)
    guide = stage.touch(OpenTile(codes["permit"])).sees(GuideView)
    assert (guide.limit_days, guide.needs_card, guide.primary) == (3, True, "begin")
    stage.touch(Begin()).sees(PutCardView)
    page = stage.put(xiu).sees(QuestionView)
    assert [(field.id, field.locked) for field in page.fields] == [("name", True), ("number", True), ("home", False)]
    page = stage.touch(Next()).sees(QuestionView)
    assert (page.page_id, page.index, page.total) == ("where", 2, 4)
    stage.touch(SetAnswer("same", True), Next(), SetAnswer("reason", "work"))
    stage.touch(SetAnswer("employer", "样本厂"), Next(), SetAnswer("phone", "138-0000-0000"), Next())
    rows = stage.sees(MaterialsView).rows
    assert [(row.id, row.state) for row in rows] == [("id_card", "from_card"), ("permit", "needed")]
    assert rows[1].reusable is not None
    assert stage.touch(ReuseLicence("permit", "L-1")).sees(MaterialsView).complete
    check = stage.touch(Next()).sees(CheckView)
    assert ("电话", "13800000000") in [(row.label, row.value) for row in check.rows]
    done = stage.network(Link.DOWN).touch(Submit()).sees(DoneView)
    assert (done.receipt, done.delivered, stage.notice()) == ("printed", False, "saved_offline")
    submission = stage.outbox.submission()
    assert submission.answers["phone"].value == "13800000000"
    assert submission.answers["name"].source == "id_card"
    assert submission.consents[0].subject == "L-1"
    assert len(stage.receipt.slips) == 1
    (kept,) = stage.outbox.kept.values()
    assert stage.ledger.state(kept.sealed.id) is PrintState.PROVEN
    stage.outbox.deliver()
    assert stage.network(Link.UP).sees(DoneView).delivered
    assert stage.notice() == "delivered"
    stage.touch(Finish()).sees(AttractView)
    assert stage.chrome.card_left
    assert not stage.lift().chrome.card_left
    assert all(seal.closed for seal in stage.sealer.sessions)
    assert all(person.closed for person in stage.hall.persons)
