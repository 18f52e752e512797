"""Q10 in short: what holds for 20,000 terminals (`python -m tests.net.fleet`) holds for 1,000 at a smaller hall."""

from __future__ import annotations

import pytest

from hall.terminals.leases import SOON_S, Leases
from tests.net.fleet import City, SimulatedClock, come_back, figures

TOWN = City(terminals=1000, hall_batches_s=100.0)


def test_a_town_that_comes_back_at_once_is_served_evenly() -> None:
    told = come_back(TOWN)
    assert (told.left, told.items) == (0, 1000 * 20 * 64)
    found = figures(TOWN, told)
    assert found["of_ideal"] <= 1.15
    assert found["peak_of_capacity"] <= 2.0
    assert found["put_off"] <= 0.06


def test_without_turns_the_same_town_overruns_the_hall() -> None:
    told = come_back(TOWN, leases=lambda clock: Leases(items_per_s=1e12, monotonic=clock.monotonic))
    assert told.put_off == 0
    assert figures(TOWN, told)["peak_of_capacity"] > 2.0


def test_turns_do_not_overlap_and_are_kept() -> None:
    clock = SimulatedClock()
    leases = Leases(items_per_s=100.0, monotonic=clock.monotonic)
    assert leases.wait("T001", pending=1000) == 0
    assert leases.wait("T002", pending=500) == pytest.approx(10.0)
    assert leases.wait("T003", pending=500) == pytest.approx(15.0)
    clock.at = 5.0
    assert leases.wait("T002", pending=500) == pytest.approx(5.0)  # asked again, not booked again
    assert leases.wait("T004", pending=500) == pytest.approx(15.0)
    clock.at = 10.0 - SOON_S
    assert leases.wait("T002", pending=500) == 0
    clock.at = 60.0
    assert leases.wait("T002", pending=400) == 0  # it comes again and again: still its turn
    assert leases.wait("T001", pending=10) == 0


def test_small_backlogs_need_no_turn_and_a_turn_that_nobody_takes_is_gone() -> None:
    clock = SimulatedClock()
    leases = Leases(items_per_s=1.0, monotonic=clock.monotonic)
    assert leases.wait("T001", pending=1000) == 0
    assert leases.wait("T002", pending=64) == 0
    assert leases.wait("T002", pending=65) == pytest.approx(1000.0)
    clock.at = 1000.0 + 70.0
    assert leases.wait("T002", pending=65) == 0  # booked anew, and the hall is idle
    assert leases.wait("T003", pending=65) == pytest.approx(65.0)
