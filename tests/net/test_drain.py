"""Q6 in short: a real hall and a real queue process over a poor line, with real kernel TCP. Figures: `make bench`."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from tests.net.netemu import VILLAGE, Profile, why_not
from tests.net.village import FAST, Village, until, village

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "root")
BACKLOG = 80
OUTAGE = 300
POOR = dataclasses.replace(VILLAGE, rate_bps=384e3)
"""300 small ones take three seconds: time enough for a citizen to come."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Village]:
    with village(tmp_path) as made:
        yield made


def filed_while_cut_off(place: Village, line: Profile, count: int) -> list[SealedSubmission]:
    """A backlog; the queue process has ended since, so none of it counts as just filed."""
    place.line.become(FAST)
    place.start_queue()
    filings = place.seal(count)
    place.line.become(dataclasses.replace(line, blackout=True))
    place.file(filings)
    place.stop_queue()
    return filings


def test_an_outage_ends_and_everything_arrives_once_in_order_with_a_citizen_before_the_rest(place: Village) -> None:
    filings = filed_while_cut_off(place, POOR, OUTAGE)
    place.line.become(POOR)
    place.start_queue()
    (fresh,) = place.seal(1)
    until(lambda: place.pending() < OUTAGE, seconds=60)
    place.deliver_one(fresh)
    until(lambda: place.pending() == 0, seconds=120)
    arrived = place.arrivals()
    assert len(arrived) == len(set(arrived)) == OUTAGE + 1
    assert {sealed.id for sealed in (*filings, fresh)} == set(arrived)
    assert arrived.index(fresh.id) < OUTAGE - 32
    backlog = [name for name in arrived if name != fresh.id]
    order = {name: at for at, name in enumerate(backlog)}
    # Four batches are on the way at once. By chance it would be a hundred places.
    assert statistics.mean(abs(order[sealed.id] - at) for at, sealed in enumerate(filings)) <= 64
    assert place.line.counts()["up"]["lost"] > 0


@pytest.mark.long
def test_a_backlog_arrives_once_in_order_through_a_line_that_breaks(place: Village) -> None:
    filings = filed_while_cut_off(place, VILLAGE, BACKLOG)
    place.line.become(VILLAGE)
    place.start_queue()
    until(lambda: place.pending() < BACKLOG, seconds=60)
    place.line.become(dataclasses.replace(VILLAGE, blackout=True))
    time.sleep(0.5)
    place.line.become(dataclasses.replace(VILLAGE, duplicate=0.05))
    (fresh,) = place.seal(1)
    place.deliver_one(fresh)
    until(lambda: place.pending() == 0, seconds=60)
    arrived = place.arrivals()
    assert len(arrived) == len(set(arrived)) == BACKLOG + 1
    assert {sealed.id for sealed in (*filings, fresh)} == set(arrived)
    order = {name: at for at, name in enumerate(name for name in arrived if name != fresh.id)}
    assert max(abs(order[sealed.id] - at) for at, sealed in enumerate(filings)) <= 5 * 64


@pytest.mark.long
def test_batches_use_the_line_that_one_request_each_leaves_idle(place: Village) -> None:
    filings = filed_while_cut_off(place, VILLAGE, BACKLOG)
    place.line.become(VILLAGE)
    place.start_queue()
    until(lambda: place.queue.status().link.value == "up", seconds=60)
    began = time.monotonic()
    until(lambda: place.pending() == 0, seconds=60)
    batched = (time.monotonic() - began) / BACKLOG

    def one_each() -> float:
        client = place.client()
        client.manifest()
        began = time.monotonic()
        answers = [client.submit(sealed.envelope) for sealed in filings[:8]]
        seconds = (time.monotonic() - began) / len(answers)
        client.close()
        assert any(isinstance(answer, Ok) for answer in answers)
        return seconds

    assert batched * 4 < place.line.at("terminal", one_each)


@pytest.mark.long
def test_what_was_just_filed_overtakes_the_backlog(place: Village) -> None:
    slow = dataclasses.replace(VILLAGE, rate_bps=48e3, loss=0.0, queue_s=5.0)
    filed_while_cut_off(place, slow, BACKLOG)
    place.line.become(FAST)
    place.line.become(slow)
    place.start_queue()
    until(lambda: place.pending() < BACKLOG, seconds=60)
    (fresh,) = place.seal(1)
    place.deliver_one(fresh)
    assert place.pending() > 0
    until(lambda: place.pending() == 0, seconds=100)
