"""The same terminal on its own threads: it starts, works, and stops in order."""

import threading
import time

import pytest

from kiosk.core.devices import CardPresented, StatusChanged
from kiosk.core.intents import Begin, OpenTile, Start, Submit
from kiosk.services.effects import Lane
from kiosk.services.lanes import ThreadLanes


def until(condition, *, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


def test_a_certificate_on_real_threads(live_terminal, xiu, codes):
    terminal, stage = live_terminal
    terminal.start()
    until(lambda: stage.snapshots and stage.view.name == "attract")
    terminal.dispatch(Start())
    stage.reader.card = xiu
    terminal.device_event(CardPresented())
    until(lambda: stage.view.name == "home" and stage.view.person is not None)
    until(lambda: stage.chrome.devices[-1].state == "ok")
    for intent in (OpenTile(codes["proof"]), Begin(), Submit()):
        terminal.dispatch(intent)
    until(lambda: stage.view.name == "print" and stage.view.phase == "done")
    terminal.stop()
    assert len(stage.page.pages) == 1
    assert stage.ledger.outcomes == [("job-1", "proven", "")]
    assert all(person.closed for person in stage.hall.persons)
    assert stage.logged()[-1] == "terminal_stopped"
    assert [one.sequence for one in stage.snapshots] == list(range(1, len(stage.snapshots) + 1))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("lane-", "terminal"))]


@pytest.mark.parametrize("where", ["lane", "actor"])
def test_the_unexpected_is_told_to_the_owner_of_the_process(live_terminal, where):
    terminal, stage = live_terminal
    if where == "lane":
        stage.outbox.status = lambda: 1 / 0
    terminal.start()
    if where == "actor":
        terminal.device_event("no event")
    until(lambda: stage.crashes)
    if where == "lane":
        assert isinstance(stage.crashes[0], ZeroDivisionError)
        terminal.stop()


def test_a_slow_lane_holds_up_nobody_else():
    lanes = ThreadLanes(stop_within=5)
    let_go, done = threading.Event(), []
    lanes.run(Lane.HALL, let_go.wait)
    lanes.run(Lane.HALL, lambda: done.append("hall"))
    lanes.run(Lane.PAGE, lambda: done.append("page"))
    until(lambda: done == ["page"])
    let_go.set()
    lanes.stop()
    assert done == ["page", "hall"]


def test_time_passes_though_the_inbox_is_never_empty(live_terminal):
    terminal, stage = live_terminal
    terminal.start()
    begun = len(stage.snapshots)
    terminal.dispatch(Start())
    until(lambda: stage.view.name == "home")
    stop = threading.Event()

    def chatter():
        while not stop.is_set():
            terminal.device_event(StatusChanged(stage.reader.seen))
            time.sleep(0.001)

    thread = threading.Thread(target=chatter)
    thread.start()
    stage.clock.passed += 1000
    try:
        until(lambda: stage.view.name == "attract")
    finally:
        stop.set()
        thread.join()
        terminal.stop()
    assert len(stage.snapshots) > begun
