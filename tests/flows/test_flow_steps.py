"""The stations a journey has, and the papers of its guide, as the screen is told them."""

from kiosk.core.intents import Begin, Finish, Next, OpenTile, SetAnswer, Start, Submit
from kiosk.core.views import ALL_STEPS, CheckView, GuideView, PrintView, QuestionView


def test_a_certificate_has_neither_questions_nor_papers(stage, xiu, codes):
    stage.touch(Start()).put(xiu).touch(OpenTile(codes["proof"]), Begin())
    assert stage.sees(CheckView).steps == ("card", "check", "paper")
    stage.touch(Submit())
    assert stage.sees(PrintView).steps == ("card", "check", "paper")


def test_an_application_has_all_five(stage, xiu, codes):
    stage.touch(Start()).put(xiu).touch(OpenTile(codes["permit"]), Begin())
    assert stage.sees(QuestionView).steps == ALL_STEPS
    stage.touch(Next(), SetAnswer("same", True))
    assert stage.sees(QuestionView).steps == ALL_STEPS
    stage.touch(Finish())


def test_the_guide_asks_for_no_paper_that_the_card_settles(stage, xiu, codes):
    stage.touch(Start(), OpenTile(codes["permit"]))
    guide = stage.sees(GuideView)
    assert [(paper.title, paper.need) for paper in guide.papers] == [("居住证", "bring"), ("租赁合同", "maybe")]
    assert (guide.needs_card, guide.card_read) == (True, False)
    stage.put(xiu)
    assert stage.sees(GuideView).card_read
