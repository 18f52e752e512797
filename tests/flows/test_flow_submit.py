"""Submit, write down, receipt: nothing lost, nothing doubled, and honest words in between."""

from collections import deque
from dataclasses import replace
from datetime import date

import pytest

from kiosk.core.devices import DeviceKind, DeviceState, Fault, Level
from kiosk.core.intents import (
    Back,
    Begin,
    ChangeAnswer,
    Finish,
    Home,
    Next,
    OpenItem,
    OpenTile,
    PaperTaken,
    PrintAgain,
    SetAnswer,
    Start,
    Submit,
)
from kiosk.core.ports import Link, StoreFault
from kiosk.core.print_ledger import PrintState
from kiosk.core.receipt import Line
from kiosk.core.views import AttractView, CheckView, DoneView, GuideView, HomeView, QuestionView, SendingView
from kiosk.services.effects import Lane


def receipt_state(stage):
    (kept,) = stage.outbox.kept.values()
    return stage.ledger.state(kept.sealed.id)


def put_back(stage, state):
    """The ledger as it stood when the screen died."""
    (paper,) = stage.ledger.papers.values()
    paper.entry = replace(paper.entry, state=state)


def test_the_queue_away_for_a_moment_is_not_noticed(stage, xiu):
    stage.to_check(xiu)
    stage.outbox.faults = deque([StoreFault.STORE_DOWN] * 3)
    stage.touch(Submit()).sees(SendingView)
    stage.wait(3).sees(DoneView)
    assert len(stage.outbox.kept) == 1


def test_the_queue_away_for_long_is_said_and_again_means_the_same_bytes(stage, xiu):
    stage.to_check(xiu)
    stage.outbox.lose_answers = 100
    stage.touch(Submit()).wait(9).sees(CheckView)
    assert stage.notice() == "store_down"
    assert all(row.change == "" for row in stage.view.rows)
    # It may be on the disk already: nothing may change any more.
    stage.touch(ChangeAnswer("contact"), Back()).sees(CheckView)
    stage.outbox.lose_answers = 0
    stage.touch(Submit()).sees(DoneView)
    assert len(stage.outbox.kept) == 1
    assert len(set(stage.outbox.tried)) == 1


def test_no_number_to_be_had_is_said_too_and_answers_stay(stage, xiu):
    stage.to_check(xiu)
    stage.outbox.faults = deque([StoreFault.STORE_DOWN] * 100)
    stage.touch(Submit()).wait(9).sees(CheckView)
    assert stage.notice() == "store_down"
    stage.outbox.faults.clear()
    stage.touch(ChangeAnswer("contact")).sees(QuestionView)
    stage.touch(Back(), Submit()).sees(DoneView)
    assert len(stage.outbox.kept) == 1


def test_a_full_disk_is_said_and_answers_stay(stage, xiu):
    stage.to_check(xiu)
    stage.outbox.faults = deque([StoreFault.DISK_FULL])
    stage.touch(Submit()).sees(CheckView)
    assert stage.notice() == "disk_full"
    stage.touch(Submit()).sees(DoneView)
    stage.touch(Finish())
    assert "store_refused" in stage.logged()


def test_a_full_disk_refuses_before_the_work_begins(stage, codes):
    stage.outbox.accepting = False
    stage.wait(1.25).touch(Start(), OpenTile(codes["permit"]), Begin()).sees(GuideView)
    assert stage.notice() == "disk_full"


def test_a_queue_that_does_not_answer_is_not_called_full(stage, codes):
    stage.outbox.accepting = False
    stage.network(Link.UNKNOWN).touch(Start(), OpenTile(codes["permit"]), Begin())
    assert stage.notice() == ""


def test_a_disk_that_fills_between_number_and_bytes_leaves_the_answers_changeable(stage, xiu):
    stage.to_check(xiu).hold(Lane.SEAL).touch(Submit())
    stage.outbox.faults = deque([StoreFault.DISK_FULL])
    stage.release().sees(CheckView)
    assert stage.notice() == "disk_full"
    stage.touch(ChangeAnswer("contact"), SetAnswer("phone", "13900000000"))
    assert stage.sees(QuestionView).changing


def test_with_the_network_up_the_paper_says_that_the_hall_has_it(stage, xiu):
    stage.to_check(xiu).hold(Lane.STATUS).touch(Submit())
    assert stage.sees(DoneView).receipt == "printing"
    assert stage.receipt.slips == []
    stage.outbox.deliver()
    stage.release()
    assert stage.notice() == "delivered"
    # Three working days from Sunday the 22nd; the catalogue of these tests makes the 24th a day off.
    assert stage.sees(DoneView).limit_by == date(2026, 11, 26)
    (slip,) = stage.receipt.slips
    assert Line("已经送到", "strong") in slip.blocks


def test_without_word_from_the_hall_the_paper_says_that_it_is_safe_here(stage, xiu):
    stage.to_check(xiu).touch(Submit()).wait(3.5)
    (slip,) = stage.receipt.slips
    assert Line("已经送到", "strong") not in slip.blocks
    assert stage.sees(DoneView).receipt == "printed"
    assert stage.sees(DoneView).limit_by is None, "its time begins when the hall has it"


def test_paper_out_waits_and_comes_by_itself(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN)
    stage.receipt.faults = deque([Fault.PAPER_OUT])
    stage.touch(Submit())
    assert stage.sees(DoneView).receipt == "waiting_paper"
    assert stage.notice() == "receipt_paper_out"
    assert receipt_state(stage) is PrintState.FAILED
    stage.device(DeviceKind.RECEIPT, paper=Level.OUT)
    assert stage.receipt.slips == []
    stage.device(DeviceKind.RECEIPT, paper=Level.LOW)
    assert stage.sees(DoneView).receipt == "printed"
    assert len(stage.receipt.slips) == 1
    assert receipt_state(stage) is PrintState.PROVEN


def test_a_receipt_that_stops_for_paper_half_way_says_so(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    stage.device(DeviceKind.RECEIPT, paper=Level.OUT)
    assert (stage.sees(DoneView).receipt, stage.notice()) == ("waiting_paper", "receipt_paper_out")
    stage.device(DeviceKind.RECEIPT, paper=Level.FULL).release()
    assert (stage.sees(DoneView).receipt, len(stage.receipt.slips)) == ("printed", 1)


def test_a_refill_that_was_quicker_than_the_news_of_the_shortage(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN)
    stage.receipt.faults = deque([Fault.PAPER_OUT, Fault.PAPER_OUT])
    stage.touch(Submit()).wait(4)
    assert stage.sees(DoneView).receipt == "waiting_paper"
    stage.wait(7)
    assert (stage.sees(DoneView).receipt, len(stage.receipt.slips)) == ("printed", 1)


def test_in_doubt_she_is_asked(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN)
    stage.receipt.faults = deque([Fault.UNPROVEN, Fault.UNPROVEN])
    stage.touch(Submit())
    assert (stage.sees(DoneView).receipt, stage.notice()) == ("unproven", "receipt_unproven")
    assert receipt_state(stage) is PrintState.UNKNOWN
    stage.touch(PrintAgain())
    assert stage.sees(DoneView).receipt == "unproven"
    stage.touch(PaperTaken())
    assert (stage.sees(DoneView).receipt, receipt_state(stage)) == ("printed", PrintState.PROVEN)


def test_a_broken_printer_does_not_undo_the_filing(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN)
    stage.receipt.faults = deque([Fault.CUTTER])
    done = stage.touch(Submit()).sees(DoneView)
    assert (done.receipt, stage.notice()) == ("failed", "receipt_failed")
    assert done.application_no
    stage.touch(PrintAgain())
    assert stage.sees(DoneView).receipt == "printed"
    stage.touch(Home()).sees(HomeView)


def test_a_receipt_that_cannot_be_written_down_is_not_printed(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN)
    stage.ledger.faults = 1
    stage.touch(Submit())
    assert (stage.sees(DoneView).receipt, stage.receipt.slips) == ("failed", [])
    stage.touch(PrintAgain())
    assert (stage.sees(DoneView).receipt, len(stage.receipt.slips)) == ("printed", 1)


def test_a_proof_that_could_not_be_written_down_is_written_later(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    stage.lanes.one(Lane.RECEIPT)
    stage.ledger.faults = 3
    stage.release()
    assert receipt_state(stage) is PrintState.SENT
    stage.wait(5)
    assert receipt_state(stage) is PrintState.PROVEN


def test_a_proof_that_cannot_be_written_down_for_long_is_logged_once_and_tried_on(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    stage.lanes.one(Lane.RECEIPT)
    stage.ledger.faults = 75
    stage.release().wait(110)
    assert stage.logged().count("store_refused") == 1
    stage.wait(150)
    assert receipt_state(stage) is PrintState.PROVEN


def test_submit_twice_is_one_filing(stage, xiu):
    stage.to_check(xiu).hold(Lane.QUEUE).touch(Submit(), Submit(), Submit()).release()
    assert len(stage.outbox.kept) == 1


def test_leaving_while_it_is_sent_loses_nothing_and_the_receipt_is_owed(stage, xiu):
    stage.to_check(xiu).hold(Lane.QUEUE).touch(Submit())
    stage.lanes.one(Lane.QUEUE)  # the number comes, then the queue hangs
    stage.settle().touch(Finish()).sees(SendingView)
    stage.lift().wait(16).sees(AttractView)
    stage.release()
    (kept,) = stage.outbox.kept.values()
    assert stage.ledger.state(kept.sealed.id) is PrintState.INTENDED
    assert stage.receipt.slips == []
    done = stage.put(xiu).wait(4).sees(DoneView)
    assert done.recovered
    assert done.application_no == kept.sealed.application_no
    assert len(stage.receipt.slips) == 1


def test_a_put_that_hangs_beyond_its_session_is_tried_again_without_it(stage, xiu):
    stage.to_check(xiu).hold(Lane.QUEUE).touch(Submit())
    stage.lanes.one(Lane.QUEUE)
    stage.outbox.faults = deque([StoreFault.STORE_DOWN])
    stage.settle().lift()
    stage.release().wait(1)
    assert len(stage.outbox.kept) == 1


@pytest.mark.parametrize("state", [PrintState.INTENDED, PrintState.SENT])
def test_a_screen_that_died_after_filing_shows_the_same_filing(stage, xiu, bo, state):
    stage.to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    number = stage.sees(DoneView).application_no
    put_back(stage, state)
    stage.start()
    # Whoever comes next sees nothing of it.
    stage.put(bo).sees(HomeView)
    stage.lift()
    done = stage.put(xiu).wait(4).sees(DoneView)
    assert (done.recovered, done.application_no, done.item_name) == (True, number, "居住证签注")
    assert done.query_code == stage.outbox.submission().query_code
    if state is PrintState.SENT:
        assert done.receipt == "unproven"
        stage.touch(PrintAgain())
    assert stage.sees(DoneView).receipt == "printed"
    assert len(stage.receipt.slips) == 1
    assert len(stage.outbox.kept) == 1
    stage.touch(Home()).sees(HomeView)
    stage.lift().put(xiu).sees(HomeView)


def test_a_receipt_waits_for_a_printer_that_is_just_starting(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    put_back(stage, PrintState.INTENDED)
    stage.receipt.seen = replace(stage.receipt.seen, state=DeviceState.STARTING)
    stage.start()
    stage.outbox.deliver()
    stage.put(xiu).wait(5)
    assert (stage.sees(DoneView).receipt, stage.receipt.slips) == ("printing", [])
    stage.device(DeviceKind.RECEIPT, state=DeviceState.ONLINE).wait(1)
    assert (stage.sees(DoneView).receipt, len(stage.receipt.slips)) == ("printed", 1)


def test_a_slip_that_does_not_open_is_at_least_a_number(stage, xiu):
    stage.to_check(xiu).network(Link.DOWN).hold(Lane.RECEIPT).touch(Submit())
    (kept,) = stage.outbox.kept.values()
    kept.slip = b"torn"
    stage.start()
    done = stage.put(xiu).sees(DoneView)
    assert (done.receipt, done.application_no) == ("failed", kept.sealed.application_no)
    stage.touch(PrintAgain()).sees(DoneView)
    assert stage.receipt.slips == []


def test_a_queue_that_cannot_say_what_is_owed_stops_nobody(stage, xiu):
    stage.outbox.faults = deque([StoreFault.STORE_DOWN])
    stage.put(xiu).sees(HomeView)


def test_a_question_to_12345_needs_no_card_and_no_material(stage, codes):
    stage.network(Link.DOWN).touch(Start(), OpenTile("theme:more"))
    stage.touch(OpenItem(codes["ask"]), Begin(), SetAnswer("question", "路灯不亮了"), Next()).sees(CheckView)
    done = stage.touch(Submit()).sees(DoneView)
    assert (done.kind, done.receipt) == ("consultation", "printed")
    (kept,) = stage.outbox.kept.values()
    assert (kept.card_tag, kept.slip) == (b"", b"")
    assert stage.outbox.submission().applicant.method == "none"
