"""呼叫帮助: the screen says only how far the call has really come; and 大字版 gives more time."""

import pytest

from kiosk.core.intents import CallHelp, DisplayChanged, Finish, Home, Start, Touched
from kiosk.core.ports import HelpCall, HelpState, Link
from kiosk.core.views import AttractView, CheckView, HomeView


def test_the_call_goes_to_the_queue_and_the_answer_to_the_screen(stage):
    stage.touch(Start())
    assert (stage.chrome.help, stage.chrome.help_window) == ("none", None)
    stage.touch(CallHelp())
    assert stage.chrome.help == "waiting"
    assert stage.chrome.help_window.phone == "0757-12345"
    assert stage.outbox.calls == [stage.outbox.help.at]
    assert "help_called" in stage.logged()
    stage.outbox.staff(HelpState.SENT)
    assert stage.wait(1.25).chrome.help == "sent"
    stage.outbox.staff(HelpState.SEEN)
    assert stage.wait(1.25).chrome.help == "seen"
    assert stage.touch(Touched()).wait(58).chrome.help == "seen"
    assert stage.touch(Touched()).wait(3).chrome.help == "none"
    assert stage.outbox.calls == [stage.outbox.help.at], "one touch is one call"


def test_touching_again_while_nobody_knows_is_the_same_call(stage):
    stage.touch(Start(), CallHelp()).wait(2).touch(CallHelp()).wait(2)
    assert len(set(stage.outbox.calls)) == 1
    stage.outbox.staff(HelpState.SEEN)
    first = stage.wait(2).outbox.help.at
    assert stage.touch(CallHelp()).chrome.help == "waiting"
    stage.wait(2)
    assert stage.outbox.help.at > first
    assert stage.chrome.help == "waiting", "the answer to the first call is none to the second"


def test_without_network_the_call_waits_and_says_so(stage):
    stage.network(Link.DOWN).touch(Start(), CallHelp()).wait(20)
    assert stage.chrome.help == "waiting"
    stage.network(Link.UP).outbox.staff(HelpState.SENT)
    assert stage.wait(1.25).chrome.help == "sent"


def test_a_queue_that_is_away_or_restarted_is_told_again(stage):
    stage.outbox.deaf = True
    stage.touch(Start(), CallHelp()).wait(3)
    assert stage.chrome.help == "waiting"
    assert stage.outbox.help is None
    stage.outbox.deaf = False
    stage.wait(1.25)
    call = stage.outbox.help
    stage.outbox.staff(HelpState.SENT)
    stage.wait(1.25)
    stage.outbox.help = None  # killed, and back
    stage.wait(1.25)
    assert stage.outbox.help.at == call.at
    assert set(stage.outbox.calls) == {call.at}
    assert stage.wait(1.25).chrome.help == "waiting", "what a fresh queue has not told the hall is not told"


def test_the_call_outlives_session_and_screen(stage):
    stage.touch(Start(), CallHelp())
    stage.outbox.staff(HelpState.SENT)
    stage.wait(1.25).touch(Finish()).sees(AttractView)
    assert stage.chrome.help == "sent"
    stage.start()
    assert stage.wait(1.25).chrome.help == "sent"
    assert len(stage.outbox.calls) == 1


def test_old_news_is_no_news_to_a_new_screen(stage):
    stage.outbox.help = HelpCall(stage.clock.now(), HelpState.SEEN)
    assert stage.wait(2).chrome.help == "none"


def test_a_call_that_nobody_hears_lapses_and_can_be_made_anew(stage):
    stage.touch(Start(), CallHelp()).wait(2)
    stage.clock.passed += 30 * 60
    assert stage.wait(3).chrome.help == "none"
    stage.touch(Start(), CallHelp()).wait(2)
    assert stage.chrome.help == "waiting"
    assert len(set(stage.outbox.calls)) == 2


@pytest.mark.parametrize(("large", "seconds"), [(False, 90), (True, 270)])
def test_large_type_gives_three_times_as_long(stage, xiu, large, seconds):
    stage.to_check(xiu).touch(DisplayChanged(large))
    assert stage.chrome.seconds_left == seconds
    stage.wait(seconds - 1).sees(CheckView)
    assert stage.chrome.warning
    stage.wait(2).sees(AttractView)


def test_large_type_is_for_this_citizen(stage, xiu, bo):
    stage.touch(DisplayChanged(True), Start())
    assert stage.chrome.seconds_left == 270, "chosen on the first page already"
    stage.touch(DisplayChanged(False))
    assert stage.chrome.seconds_left == 90
    stage.touch(DisplayChanged(True)).put(xiu).touch(Home()).sees(HomeView)
    session = stage.chrome.session
    stage.lift().put(bo)
    assert stage.chrome.in_session
    assert stage.chrome.session == session + 1
    assert stage.chrome.seconds_left == 90
