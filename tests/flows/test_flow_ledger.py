"""The print ledger in the flows: nothing printed before it is written down, nothing printed twice without a word."""

from __future__ import annotations

from collections import deque

import pytest

from kiosk.core.devices import DeviceKind, Fault, MediaState, SiteChanged, SiteInputs
from kiosk.core.intents import (
    Begin,
    Finish,
    Home,
    Next,
    OpenMySpace,
    OpenTile,
    PaperSpoiled,
    PapersSeen,
    PaperTaken,
    PrintAgain,
    PrintLicence,
    SetAnswer,
    Start,
    Submit,
)
from kiosk.core.ports import JobFate, Link, StoreError, StoreFault
from kiosk.core.print_ledger import PaperKind, PrintState
from kiosk.core.result import Err
from kiosk.core.views import AttractView, DoneView, GuideView, HomeView, MySpaceView, PrintView, QuestionView
from kiosk.services.effects import Lane

PROVEN, FAILED, SENT, UNKNOWN = PrintState.PROVEN, PrintState.FAILED, PrintState.SENT, PrintState.UNKNOWN


def to_print(stage, xiu, codes):
    return stage.touch(Start()).put(xiu).touch(OpenTile(codes["proof"]), Begin(), Submit())


# --- written down first ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusals", [1, 2])
def test_no_printer_hears_of_a_page_that_is_not_written_down(stage, xiu, codes, refusals):
    """Neither when it cannot be intended nor when it cannot be called sent."""
    stage.touch(Start()).put(xiu).touch(OpenTile(codes["proof"]), Begin()).hold(Lane.QUEUE, Lane.PAGE).touch(Submit())
    if refusals == 2:
        stage.lanes.one(Lane.QUEUE)
    stage.ledger.faults = 1
    stage.release()
    assert (stage.sees(PrintView).phase, stage.notice()) == ("failed", "page_not_started")
    assert stage.page.pages == []
    stage.touch(PrintAgain())
    assert (stage.sees(PrintView).phase, len(stage.page.pages)) == ("done", 1)
    assert stage.ledger.pages() == {"job-1": PROVEN}


def test_who_has_gone_before_it_was_written_down_gets_no_page(stage, xiu, codes):
    to_print(stage.hold(Lane.QUEUE), xiu, codes)
    stage.lift().wait(16).sees(AttractView)
    stage.release()
    assert stage.page.pages == []
    assert set(stage.ledger.pages().values()) <= {FAILED}


# --- the screen died -------------------------------------------------------------------------------------------------


def die_while_printing(stage, xiu, codes, *, on_paper):
    """kill -9 of the screen while the page is at the printer."""
    to_print(stage.hold(Lane.PAGE), xiu, codes)
    if on_paper is not None:
        (job,) = stage.ledger.pages()
        assert stage.ledger.sent(job, attempt="before")
        if on_paper:
            stage.page.print(stage.terminal._model.visit.place.document)
    stage.lift()
    stage.start()


@pytest.mark.parametrize(("on_paper", "end"), [(None, FAILED), (False, FAILED), (True, PROVEN)])
def test_after_a_death_the_printer_tells_and_nothing_is_printed_again(stage, xiu, codes, on_paper, end):
    die_while_printing(stage, xiu, codes, on_paper=on_paper)
    stage.wait(2)
    assert stage.ledger.pages() == {"job-1": end}
    assert stage.ledger.outcomes == [("job-1", end.value, "")]
    assert len(stage.page.asked) == (0 if on_paper is None else 1), "what was never sent need not be asked for"
    stage.put(xiu).sees(HomeView)
    assert len(stage.page.pages) == bool(on_paper)


def test_the_printer_is_told_how_long_ago(stage, xiu, codes):
    die_while_printing(stage, xiu, codes, on_paper=True)
    ((job, age),) = stage.page.asked
    assert (job, age) == ("job-1", 0.0)


def test_a_printer_that_works_on_it_is_waited_for_and_nobody_asked(stage, xiu, codes):
    stage.page.fates = deque([JobFate.PRINTING] * 4)
    die_while_printing(stage, xiu, codes, on_paper=True)
    stage.put(xiu).wait(2).sees(HomeView)
    assert stage.ledger.pages() == {"job-1": SENT}
    stage.wait(4).sees(HomeView)
    assert stage.ledger.pages() == {"job-1": PROVEN}


def test_a_printer_that_is_away_is_asked_again_then_the_hall_hears_a_doubt(stage, xiu, codes):
    stage.page.fates = deque([Fault.UNREACHABLE] * 200)
    die_while_printing(stage, xiu, codes, on_paper=True)
    stage.put(xiu).wait(30).touch(Home()).sees(HomeView)
    assert stage.ledger.pages() == {"job-1": SENT}
    stage.touch(Home()).wait(32)
    assert stage.ledger.outcomes == [("job-1", "unknown", "unreachable")]
    assert (stage.sees(PrintView).phase, stage.notice()) == ("unproven", "page_asked")
    stage.page.fates.clear()
    stage.wait(31)
    assert stage.ledger.outcomes[-1] == ("job-1", "proven", ""), "it was only switched off"


def test_the_ledger_away_at_the_start_is_asked_until_it_answers(stage, xiu, codes):
    to_print(stage.hold(Lane.PAGE), xiu, codes).lift()
    stage.ledger.faults = 3
    stage.start()
    stage.wait(5)
    assert stage.ledger.pages() == {"job-1": FAILED}


# --- 上次的证照打印出来了吗？ -----------------------------------------------------------------------------------------


@pytest.fixture
def asked(stage, xiu, codes):
    """Her page may have come out, and the printer has forgotten."""
    stage.page.fates = deque([JobFate.UNKNOWN] * 9)
    die_while_printing(stage, xiu, codes, on_paper=False)
    stage.wait(1)
    assert stage.ledger.outcomes == [("job-1", "unknown", "")]
    return stage


def test_the_next_one_with_the_same_card_is_asked(asked, xiu, bo):
    asked.put(bo).sees(HomeView)
    asked.lift()
    view = asked.put(xiu).sees(PrintView)
    assert (view.phase, view.title, asked.notice()) == ("unproven", "", "page_asked")
    asked.touch(PaperTaken())
    assert asked.sees(PrintView).phase == "done"
    assert asked.ledger.outcomes[-1] == ("job-1", "proven", "")
    asked.touch(Finish()).lift().put(xiu).sees(HomeView)
    assert asked.page.pages == []


def test_no_is_a_word_and_the_same_document_comes_under_the_same_number(asked, xiu):
    asked.put(xiu).touch(PrintAgain())
    assert (asked.sees(PrintView).phase, asked.view.title) == ("done", "证明")
    assert [page.job for page in asked.page.pages] == ["job-1"]
    assert asked.ledger.outcomes[-2:] == [("job-1", "failed", ""), ("job-1", "proven", "")]
    asked.touch(Home()).sees(HomeView)
    assert len(asked.hall.jobs) == 1


def test_without_an_answer_she_is_asked_again_next_time(asked, xiu):
    asked.put(xiu).touch(Home()).sees(HomeView)
    asked.lift().put(xiu).sees(PrintView)
    assert asked.notice() == "page_asked"
    assert asked.page.pages == []


def test_with_the_network_down_she_can_still_say_yes(asked, xiu):
    asked.network(Link.DOWN).put(xiu).touch(PrintAgain())
    assert (asked.sees(PrintView).phase, asked.notice()) == ("failed", "hall_unreachable")
    assert asked.ledger.pages() == {"job-1": FAILED}
    asked.network(Link.UP).touch(PrintAgain())
    assert (asked.sees(PrintView).phase, len(asked.page.pages)) == ("done", 1)


def test_her_page_that_still_prints_is_not_asked_about(stage, xiu, codes):
    to_print(stage.hold(Lane.PAGE), xiu, codes)
    stage.lift().wait(16).sees(AttractView)
    stage.put(xiu).sees(HomeView)
    stage.release()
    assert stage.ledger.pages() == {"job-1": PROVEN}


def test_a_receipt_and_a_page_in_doubt_come_one_after_the_other(asked, xiu, matters, held_licence):
    asked.hall.matters[xiu.id_number] = matters(licences=(held_licence(),))
    asked.put(xiu).touch(Home()).to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    asked.start()
    asked.lift().put(xiu).wait(4)
    assert asked.sees(DoneView).recovered
    asked.touch(Home()).sees(PrintView)
    assert asked.notice() == "page_asked"
    asked.touch(PaperTaken(), Home()).sees(HomeView)
    assert (len(asked.receipt.slips), asked.page.pages) == (1, [])


# --- of no use -------------------------------------------------------------------------------------------------------


def test_a_spoiled_page_is_void_and_another_comes_twice_at_most(stage, xiu, codes):
    to_print(stage, xiu, codes).touch(PaperSpoiled("nonsense"), PaperSpoiled("missing"))
    assert len(stage.page.pages) == 1
    for number in (2, 3):
        stage.touch(PaperSpoiled("unreadable"))
        assert (stage.sees(PrintView).phase, stage.page.pages[-1].job) == ("done", f"job-1-{number}")
    stage.touch(PaperSpoiled("damaged"))
    assert (stage.sees(PrintView).phase, stage.notice()) == ("failed", "reprint_limit")
    stage.touch(PrintAgain(), PaperTaken())
    assert (stage.sees(PrintView).phase, len(stage.page.pages)) == ("failed", 3)
    assert [outcome for _, outcome, _ in stage.ledger.outcomes] == ["proven", "void", "proven", "void", "proven"]
    assert stage.logged().count("print_voided") == 3


def test_three_times_no_is_for_a_person_to_look_at(asked, xiu):
    asked.put(xiu)
    asked.page.faults = deque([Fault.UNPROVEN] * 9)
    for _ in range(2):
        asked.touch(PrintAgain())
        assert asked.sees(PrintView).phase == "unproven"
    asked.touch(PrintAgain())
    assert (asked.sees(PrintView).phase, asked.notice()) == ("failed", "reprint_limit")
    assert asked.ledger.outcomes[-1] == ("job-1", "failed", "")


# --- numbered paper --------------------------------------------------------------------------------------------------


def test_a_licence_on_numbered_paper_takes_a_sheet(stage, xiu, matters, held_licence):
    stage.hall.paper, stage.ledger.sheets_left = "numbered", 1
    stage.hall.matters[xiu.id_number] = matters(licences=(held_licence(paper="numbered"),))
    stage.wait(1.25).put(xiu).touch(OpenMySpace("licences"), PrintLicence("L-1"))
    assert stage.sees(PrintView).phase == "done"
    assert stage.ledger.papers["job-1"].entry.serial
    stage.touch(Home()).wait(1.25).touch(OpenMySpace("licences"), PrintLicence("L-1")).sees(MySpaceView)
    assert stage.notice() == "sheets_out"
    assert len(stage.page.pages) == 1


def test_an_item_on_numbered_paper_is_greyed_while_there_is_none(stage, make_stage, xiu, codes):
    def numbered(item):
        if item["code"] != codes["proof"]:
            return item
        return {**item, "results": [{**result, "paper": "numbered"} for result in item["results"]]}

    other = make_stage(bundle=stage.bundle.model_copy(update={"items": tuple(map(numbered, stage.bundle.items))}))
    guide = other.touch(Start()).put(xiu).touch(OpenTile(codes["proof"])).sees(GuideView)
    assert (guide.item.available.ok, guide.item.available.device) == (False, "sheets")
    other.touch(Begin()).sees(GuideView)
    assert other.notice() == "device_down"
    other.ledger.sheets_left = 1
    assert other.wait(1.25).sees(GuideView).item.available.ok


def test_sheets_that_ran_out_meanwhile_are_said_before_anything_is_printed(stage, xiu, codes):
    stage.hall.paper = "numbered"
    to_print(stage, xiu, codes)
    assert (stage.sees(PrintView).phase, stage.notice(), stage.page.pages) == ("failed", "sheets_out", [])


# --- papers that nobody takes ----------------------------------------------------------------------------------------


def feel(stage, **inputs):
    stage.terminal.device_event(SiteChanged(SiteInputs(**inputs)))
    return stage.settle()


def test_without_a_sensor_nothing_is_said(stage, xiu, codes):
    to_print(stage, xiu, codes).wait(60)
    assert (stage.chrome.papers_waiting, stage.terminal._model.mouths) == ((), {})
    stage.touch(Finish())
    assert stage.chrome.papers_left == ()


def test_a_page_that_lies_there_is_spoken_of_until_it_is_taken(stage, xiu, codes):
    feel(stage, page_waiting=False)
    to_print(stage, xiu, codes)
    feel(stage, page_waiting=True).wait(10)
    assert stage.chrome.papers_waiting == ()
    stage.wait(6)
    assert stage.chrome.papers_waiting == (PaperKind.PAGE,)
    assert "paper_waiting" in stage.logged()
    feel(stage, page_waiting=False).wait(0.5)
    assert stage.chrome.papers_waiting == ()
    assert "paper_taken" in stage.logged()
    stage.touch(Finish()).touch(Start()).sees(HomeView)


def test_a_page_taken_at_once_is_nothing_to_speak_of(stage, xiu, codes):
    feel(stage, page_waiting=False)
    to_print(stage, xiu, codes)
    feel(stage, page_waiting=True).wait(3)
    feel(stage, page_waiting=False).wait(30)
    assert not {"paper_waiting", "paper_taken", "paper_left"} & set(stage.logged())


def test_the_printers_own_sensor_counts_too(stage, xiu):
    stage.device(DeviceKind.RECEIPT, media=MediaState.ABSENT)
    stage.to_check(xiu).network(Link.DOWN).touch(Submit()).sees(DoneView)
    stage.device(DeviceKind.RECEIPT, media=MediaState.PRESENT).wait(16)
    assert stage.chrome.papers_waiting == (PaperKind.RECEIPT,)


def test_a_page_left_behind_holds_the_next_one_and_the_hall_hears(stage, xiu, codes):
    feel(stage, page_waiting=False)
    to_print(stage, xiu, codes)
    feel(stage, page_waiting=True).touch(Finish()).lift().wait(1)
    assert stage.chrome.papers_left == (PaperKind.PAGE,)
    assert "paper_left" in stage.logged()
    assert stage.outbox.left == [frozenset({PaperKind.PAGE})]
    stage.touch(Start()).sees(AttractView)
    stage.wait(61)
    assert len(stage.outbox.left) == 2, "told again, for the queue may have been restarted"
    stage.touch(PapersSeen())
    assert stage.chrome.papers_left == ()
    stage.touch(Start()).sees(HomeView)
    feel(stage, page_waiting=False).wait(1)
    assert stage.outbox.left[-1] == frozenset()


def test_a_card_put_down_meanwhile_is_read_behind_the_warning(stage, xiu, bo, codes):
    feel(stage, page_waiting=False)
    to_print(stage, xiu, codes)
    feel(stage, page_waiting=True).touch(Finish()).lift()
    stage.put(bo).sees(HomeView)
    assert stage.chrome.papers_left == (PaperKind.PAGE,)
    feel(stage, page_waiting=False).wait(0.5)
    assert stage.chrome.papers_left == ()


def test_a_paper_of_before_the_restart_is_nobodys(stage):
    stage.device(DeviceKind.PAGE, media=MediaState.PRESENT)
    stage.start()
    stage.wait(1)
    assert stage.chrome.papers_left == (PaperKind.PAGE,)


def test_a_sensor_that_fails_ends_the_alarm(stage, xiu, codes):
    feel(stage, page_waiting=False)
    to_print(stage, xiu, codes)
    feel(stage, page_waiting=True).touch(Finish()).wait(1)
    feel(stage).wait(1)
    assert (stage.chrome.papers_left, stage.outbox.left[-1]) == ((), frozenset())


def test_a_receipt_that_is_printing_is_neither_asked_about_nor_printed_twice(stage, xiu):
    real, seen = stage.receipt.print, []

    def slow(receipt):
        stage.receipt.print = real
        stage.hold(Lane.RECEIPT)  # one printer, one job at a time
        stage.touch(Finish()).lift().put(xiu)
        seen.append(getattr(stage.view, "receipt", ""))
        stage.touch(PrintAgain())
        stage.lanes.held.clear()
        return real(receipt)

    stage.receipt.print = slow
    stage.to_check(xiu).touch(Submit()).wait(10)
    assert "unproven" not in seen
    assert len(stage.receipt.slips) == 1


def test_a_receipt_whose_proof_waits_for_the_queue_is_not_asked_about(stage, xiu):
    stage.to_check(xiu).hold(Lane.QUEUE)
    stage.lanes.held.clear()
    settle = stage.ledger.settle
    stage.ledger.settle = lambda *a, **k: Err(StoreError(StoreFault.STORE_DOWN))
    stage.touch(Submit()).wait(5)
    assert stage.sees(DoneView).receipt == "printed"
    stage.lift().put(xiu).sees(HomeView)
    stage.ledger.settle = settle


def test_a_spoiled_page_that_cannot_be_voided_at_once_is_voided_at_the_next_try(stage, xiu, codes):
    stage.touch(Start()).put(xiu).touch(OpenTile(codes["proof"]), Begin(), Submit())
    assert stage.sees(PrintView).phase == "done"
    stage.ledger.faults = 1
    stage.touch(PaperSpoiled("unreadable"))
    assert stage.sees(PrintView).phase == "failed"
    stage.touch(PrintAgain())
    assert (stage.sees(PrintView).phase, len(stage.page.pages)) == ("done", 2)


def test_a_printer_that_is_off_does_not_drag_her_from_her_form(stage, xiu, codes):
    stage.page.fates = deque([Fault.UNREACHABLE] * 500)
    stage.touch(Start()).put(xiu).hold(Lane.PAGE).touch(OpenTile(codes["proof"]), Begin(), Submit())
    (job,) = stage.ledger.pages()
    assert stage.ledger.sent(job, attempt="before")
    stage.lift().lanes.held.clear()
    stage.start()
    stage.wait(65).put(xiu).sees(PrintView)
    stage.touch(Home(), OpenTile(codes["permit"]), Begin(), Next(), SetAnswer("same", False), Next())
    for _ in range(5):
        stage.wait(8).touch(SetAnswer("address", "样本市第七号暗巷")).sees(QuestionView)
