"""Which end of a driver means what, how often it is tried again, and how much of its noise is kept; all pure."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.host.backoff import Backoff
from drivers.host.chatter import Ration
from drivers.host.lives import EXIT_MEMORY, EXIT_UNEXPECTED, EXIT_USAGE, End, Lives, Reason, exited
from drivers.host.needs import NEEDS
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.faults import is_permanent

LIVES = Lives(Backoff(first_s=0.1, cap_s=5.0), broken_after=5, permanent_s=60.0)


@pytest.mark.parametrize(
    ("end", "fault"),
    [
        (exited(End(Reason.ENDED), EXIT_USAGE), Fault.MISCONFIGURED),
        (exited(End(Reason.ENDED), EXIT_MEMORY), Fault.DRIVER_LOST),
        (exited(End(Reason.ENDED), EXIT_UNEXPECTED), Fault.DRIVER_LOST),
        (exited(End(Reason.ENDED), -9), Fault.DRIVER_LOST),
        (exited(End(Reason.SILENT), -9), Fault.DRIVER_LOST),
        (exited(End(Reason.NO_HELLO), -9), Fault.DRIVER_LOST),
        (exited(End(Reason.PROTOCOL, "malformed"), -9), Fault.DRIVER_LOST),
        (exited(End(Reason.MEMORY, "300 MiB, 200 allowed"), -9), Fault.DRIVER_LOST),
        (exited(End(Reason.COMMAND, "read: deadline"), -9), Fault.DRIVER_LOST),
        (exited(End(Reason.MISFIT, "version 2, wanted 1"), -9), Fault.DRIVER_BROKEN),
        (End(Reason.NO_START, "No such file or directory", error_number=errno.ENOENT), Fault.DRIVER_BROKEN),
        (End(Reason.NO_START, "Permission denied", error_number=errno.EACCES), Fault.DRIVER_BROKEN),
        (End(Reason.NO_START, "Exec format error", error_number=errno.ENOEXEC), Fault.DRIVER_BROKEN),
        (End(Reason.NO_START, "Cannot allocate memory", error_number=errno.ENOMEM), Fault.DRIVER_LOST),
        (End(Reason.NO_START, "Resource temporarily unavailable", error_number=errno.EAGAIN), Fault.DRIVER_LOST),
    ],
)
def test_what_an_end_means(end: End, fault: Fault) -> None:
    judgement, _ = LIVES.after(end, lived_s=1.0, useful=False)
    assert judgement.fault is fault
    assert judgement.wait_s == (0.1 if fault is Fault.DRIVER_LOST else 60.0)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (exited(End(Reason.ENDED), -9), "process ended (exit -9)"),
        (exited(End(Reason.COMMAND, "read: deadline"), -9), "read: deadline (exit -9)"),
        (exited(End(Reason.PROTOCOL, "frame is too large"), -9), "protocol: frame is too large (exit -9)"),
        (End(Reason.NO_START, "No such file or directory"), "cannot start: No such file or directory"),
    ],
)
def test_an_end_in_words(end: End, words: str) -> None:
    assert str(end) == words


ENDED = exited(End(Reason.ENDED), 1)


def test_a_driver_is_broken_after_five_vain_lives_and_no_use_before_counts_again() -> None:
    lives = LIVES
    faults = []
    for useful in (False, False, False, False, True, False, False, False, False, False, False, True, False):
        judgement, lives = lives.after(ENDED, lived_s=0.1, useful=useful)
        faults.append((judgement.fault, judgement.wait_s))
    lost, broken = Fault.DRIVER_LOST, (Fault.DRIVER_BROKEN, 60.0)
    assert faults == [
        *((lost, wait) for wait in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0)),
        *(broken, broken),
        *((lost, wait) for wait in (0.1, 0.2)),  # mended: as fast as ever
    ]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(Reason), st.integers(-15, 80), st.floats(0, 100))))
def test_it_never_waits_longer_than_a_minute_nor_not_at_all(ends: list[tuple[bool, Reason, int, float]]) -> None:
    lives = LIVES
    for useful, reason, status, lived_s in ends:
        judgement, lives = lives.after(exited(End(reason), status), lived_s=lived_s, useful=useful)
        assert 0.1 <= judgement.wait_s <= 60.0
        assert (judgement.wait_s == 60.0) == (judgement.fault is not Fault.DRIVER_LOST)


@given(st.lists(st.floats(0, 30), max_size=200))
def test_noise_is_rationed_and_what_is_dropped_is_counted(pauses: list[float]) -> None:
    ration = Ration(lines=3, window_s=60.0)
    now, told = 0.0, 0
    said: list[float] = []
    for pause in pauses:
        now += pause
        may, dropped = ration.take(now)
        told += dropped
        said += [now] * may
    assert len(said) + told + ration.rest() == len(pauses)
    assert all(last - first >= 60.0 for first, last in zip(said, said[6:], strict=False)), "two windows side by side"


@pytest.mark.parametrize("kind", DeviceKind)
def test_every_device_has_its_ceilings(kind: DeviceKind) -> None:
    needs = NEEDS[kind]
    assert 100 * 2**20 <= needs.memory <= 2**30
    assert needs.data_limit > needs.memory
    assert needs.quick_test_s <= needs.deep_test_s


@pytest.mark.parametrize("fault", [Fault.DRIVER_LOST, Fault.DRIVER_BROKEN, Fault.MISCONFIGURED])
def test_the_fault_table_agrees_on_what_is_permanent(fault: Fault) -> None:
    assert is_permanent(fault) == (fault is not Fault.DRIVER_LOST)
