"""What a host knows of its driver: the process, the last error, self-tests; and what it does not endure."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.host.adapter import Reply
from drivers.host.backoff import Backoff
from drivers.host.codec import CodecError
from drivers.host.greeter import Greeter
from drivers.host.host import DriverHost, News, Notice
from drivers.host.lives import Lives
from drivers.host.needs import NEEDS, Needs
from drivers.host.process import Patience
from drivers.host.protocol import SELF_TEST, VERSION
from drivers.host.record_codec import dump_record, load_record
from kiosk.core.devices import DeviceKind, DeviceRecord, DeviceState, DriverProcess, Fault, LastError, SelfTest
from kiosk.core.result import Ok

PROGRAM = Path(__file__).with_name("programs") / "worker_program.py"
LONG_S = 20.0
"""How long a busy machine may take for what takes milliseconds."""
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIB = 1024 * 1024


class Hosted:
    """A host of an obedient worker, and all it said. Its clock goes one second a look."""

    def __init__(self, address: str, *, needs: Needs, lives: Lives) -> None:
        self.notices: queue.SimpleQueue[Notice] = queue.SimpleQueue()
        self.said: list[str] = []
        seconds = itertools.count()
        self.host = DriverHost(
            [sys.executable, str(PROGRAM), "--address", address],
            DeviceKind.ID_CARD,
            notice=self.notices.put,
            patience=Patience(hello_s=LONG_S, silence_s=LONG_S),
            lives=lives,
            needs=needs,
            say=self.said.append,
            now=lambda: NOON + timedelta(seconds=next(seconds)),
        )

    def until(self, true: Callable[[DeviceRecord], object]) -> DeviceRecord:
        ends = time.monotonic() + LONG_S
        while not true(record := self.host.record()):
            assert time.monotonic() < ends, record
            time.sleep(0.005)
        return record

    def until_well(self) -> DeviceRecord:
        return self.until(lambda record: record.status.state is DeviceState.ONLINE)

    def until_tested(self) -> DeviceRecord:
        return self.until(lambda record: record.self_test)

    def next_notice(self) -> Notice:
        return self.notices.get(timeout=LONG_S)


FAST = Lives(Backoff(first_s=0.01, cap_s=0.02))
ID_CARD = NEEDS[DeviceKind.ID_CARD]


@contextmanager
def hosted(address: str = "", *, needs: Needs = ID_CARD, lives: Lives = FAST) -> Iterator[Hosted]:
    made = Hosted(address, needs=needs, lives=lives)
    made.host.start()
    try:
        yield made
    finally:
        made.host.stop()
        assert made.host.record().driver.resident_bytes == 0


# --- record ------------------------------------------------------------------------------------------------------


def test_a_driver_that_serves_is_known_by_name_number_and_size() -> None:
    with hosted() as it:
        driver = it.until_tested().driver
        assert driver.pid == it.host.pid
        assert driver.version == VERSION
        assert {"read", "echo", SELF_TEST} <= driver.capabilities
        assert driver.restarts == 0
        assert 5 * MIB < driver.resident_bytes < ID_CARD.memory


def test_a_driver_that_is_killed_is_counted_and_its_end_remembered() -> None:
    with hosted() as it:
        pid = it.until_tested().driver.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        record = it.until(lambda record: record.driver.restarts == 1 and record.status.state is DeviceState.ONLINE)
        assert record.driver.pid != pid
        error = record.last_error
        assert error is not None
        assert (error.fault, error.during) == (Fault.DRIVER_LOST, "serve")
        assert error.detail == "process ended (exit -9)"
        assert error.at > NOON


@pytest.mark.parametrize(
    ("verb", "deadline_s", "if_unknown", "fault", "detail"),
    [
        ("refuse", LONG_S, None, Fault.NO_CARD, "nothing there"),
        ("crash_thread", LONG_S, None, Fault.DRIVER_LOST, "driver ended during crash_thread"),
        ("crash_thread", LONG_S, Fault.UNPROVEN, Fault.UNPROVEN, "driver ended during crash_thread"),
        ("sleep", 0.1, None, Fault.TIMEOUT, "sleep took longer than 0.1 s"),
        ("dance", LONG_S, None, Fault.PROTOCOL, "driver does not know dance"),
    ],
)
def test_the_last_error_names_the_command(
    verb: str, deadline_s: float, if_unknown: Fault | None, fault: Fault, detail: str
) -> None:
    with hosted() as it:
        it.until_tested()
        it.host.call(verb, {"s": 60}, deadline_s=deadline_s, if_unknown=if_unknown)
        starts = 2 if verb in ("crash_thread", "sleep") else 1
        record = it.until(lambda record: record.driver.restarts == starts - 1 and record.driver.pid)
        error = record.last_error
        assert error is not None
        assert (error.fault, error.during, error.detail) == (fault, verb, detail)
        it.until_well()
        assert it.host.record().last_error == error, "it stays when the device is well again"


# --- self-tests --------------------------------------------------------------------------------------------------


def test_a_device_that_comes_proves_itself_each_time() -> None:
    with hosted() as it:
        first = it.until_tested().self_test
        assert first is not None
        assert (first.passed, first.deep, first.fault, first.detail) == (True, False, None, "obedient 1.0")
        assert first.seconds < LONG_S
        for state in ("error", "online"):  # it never went away
            it.host.call("status", {"state": state}, deadline_s=LONG_S)
        it.host.call("echo", deadline_s=LONG_S)
        assert it.host.record().self_test == first
        for state in ("offline", "online"):
            it.host.call("status", {"state": state}, deadline_s=LONG_S)
        again = it.until(lambda record: record.self_test != first).self_test
        assert again is not None
        assert again.at > first.at
        os.kill(it.host.pid or 0, signal.SIGKILL)
        assert it.until(lambda record: record.self_test != again).self_test.passed


def test_a_deep_self_test_is_kept_with_its_fault_and_duration() -> None:
    with hosted() as it:
        it.until_tested()
        test = it.host.self_test(deep=True)
        assert (test.passed, test.deep, test.fault, test.detail) == (False, True, Fault.NO_CARD, "nothing to read")
        record = it.host.record()
        assert record.self_test == test
        assert record.last_error is None, "nobody's command failed"


def test_a_self_test_waits_for_its_turn_and_one_that_never_had_it_is_not_kept() -> None:
    with hosted(needs=replace(ID_CARD, deep_test_s=0.05)) as it:
        kept = it.until_tested().self_test
        with it.host._turn:
            test = it.host.self_test(deep=True)
        assert (test.passed, test.fault, test.detail) == (False, Fault.TIMEOUT, "busy with another command")
        assert it.host.record().self_test == kept


def test_a_device_that_hangs_over_its_self_test_serves_all_the_same() -> None:
    with hosted("endless-test", needs=replace(ID_CARD, quick_test_s=0.3)) as it:
        test = it.until_tested().self_test
        assert test is not None
        assert (test.passed, test.fault) == (False, Fault.TIMEOUT)
        assert it.next_notice().why == "self_test: deadline (exit -9)"
        assert it.next_notice().news is News.BACK
        pid = it.until_well().driver.pid
        assert it.host.call("echo", deadline_s=LONG_S) == Ok(Reply())
        assert it.host.pid == pid, "the successor is not asked again"


def test_after_a_test_that_the_driver_did_not_survive_one_arrival_is_spared() -> None:
    results = [Fault.TIMEOUT, Fault.DRIVER_LOST, Fault.PAPER_OUT, None]
    tested: list[Fault | None] = []

    def test() -> SelfTest:
        fault = results[len(tested)]
        tested.append(fault)
        return SelfTest(fault is None, False, 0.0, NOON, fault)

    greeter = Greeter(test, name="greeter")
    greeter.start()
    for _ in range(6):
        greeter.arrived()
        ends = time.monotonic() + LONG_S
        while greeter._come.is_set():
            assert time.monotonic() < ends
    greeter.stop()
    # tested, spared, tested, spared, tested, tested
    assert tested == [Fault.TIMEOUT, Fault.DRIVER_LOST, Fault.PAPER_OUT, None]


def test_without_a_driver_a_self_test_fails_at_once() -> None:
    with hosted("die") as it:
        it.next_notice()
        test = it.host.self_test(deep=True)
        assert (test.passed, test.fault) == (False, Fault.DRIVER_LOST)
        assert it.host.record().self_test == test


# --- what a host does not endure -----------------------------------------------------------------------------------


def test_a_driver_over_its_memory_is_replaced() -> None:
    # Above what the interpreter and the host's own modules take.
    with hosted(needs=replace(ID_CARD, memory=80 * MIB)) as it:
        it.until_tested()
        outcome = it.host.call("swallow", deadline_s=LONG_S)
        assert outcome.error.fault is Fault.DRIVER_LOST
        notice = it.next_notice()
        assert notice.news is News.LOST
        assert notice.why.startswith("memory: ")
        assert notice.why.endswith(" MiB, 80 allowed (exit -9)")
        assert it.next_notice().news is News.BACK


def test_one_huge_allocation_is_refused_before_it_is_made() -> None:
    with hosted() as it:
        it.until_tested()
        it.host.call("grab", deadline_s=LONG_S)
        assert it.next_notice().why == "memory: none left under its own limit (exit 71)"
        assert it.next_notice().news is News.BACK
        assert any("MemoryError" in line for line in it.said)


PERMANENT = [
    ("senseless", Fault.MISCONFIGURED, "does not understand its device's address (exit 64)"),
    ("other-version", Fault.DRIVER_BROKEN, f"not the driver that is wanted: version 99, wanted {VERSION} (exit -9)"),
    ("unable", Fault.DRIVER_BROKEN, "not the driver that is wanted: without read (exit -9)"),
    ("other-kind", Fault.DRIVER_BROKEN, "not the driver that is wanted: for camera, wanted for id_card (exit -9)"),
]


@pytest.mark.parametrize(("address", "fault", "why"), PERMANENT)
def test_what_stays_so_is_named_and_not_tried_for_ever(address: str, fault: Fault, why: str) -> None:
    with hosted(address) as it:
        notice = it.next_notice()
        assert (notice.news, notice.why) == (News.BROKEN, why)
        record = it.until(lambda record: record.status.fault is fault)
        assert record.status.state is DeviceState.OFFLINE
        assert record.last_error is not None
        assert (record.last_error.fault, record.last_error.detail) == (fault, why)
        assert record.driver.restarts == 0
        assert "secret" not in f"{it.said} {notice} {record}"


def test_a_driver_that_ends_in_vain_time_and_again_is_broken_and_tried_now_and_then(tmp_path: Path) -> None:
    lives = replace(FAST, broken_after=2, permanent_s=0.05)
    with hosted(f"die-times:{tmp_path / 'lives'}", lives=lives) as it:
        assert [it.next_notice().news for _ in range(3)] == [News.LOST, News.BROKEN, News.BACK]
        record = it.until_well()
        assert record.driver.restarts == 3
        assert record.status.fault is None


def test_what_a_worker_shouts_is_cut_to_size_and_never_stops_it() -> None:
    with hosted() as it:
        it.until_tested()
        assert it.host.call("shout", {"lines": 5000, "width": 1000}, deadline_s=LONG_S) == Ok(Reply())
        it.host.stop()
        lines = [line for line in it.said if line.endswith("x")]
        assert [line.split()[0] for line in lines] == [str(number) for number in range(20)]
        assert max(map(len, lines)) <= 400
        it.until(lambda _record: it.said[-1].endswith(" lines dropped"))
        assert it.said[-1] in ("… 4980 lines dropped", "… 4981 lines dropped"), "perhaps with its farewell"


# --- over the wire -----------------------------------------------------------------------------------------------

INSTANT = st.datetimes(timezones=st.just(UTC))
RECORD = st.builds(
    DeviceRecord,
    driver=st.builds(DriverProcess, capabilities=st.frozensets(st.text(max_size=5), max_size=3)),
    last_error=st.none() | st.builds(LastError, at=INSTANT),
    self_test=st.none()
    | st.builds(SelfTest, at=INSTANT, seconds=st.floats(0, 1e6, allow_nan=False) | st.integers(0, 9).map(float)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(RECORD)
def test_records_arrive(record: DeviceRecord) -> None:
    assert load_record(json.loads(json.dumps(dump_record(record)))) == record


@given(st.data(), RECORD)
def test_records_with_anything_wrong_in_them_are_refused(data: st.DataObject, record: DeviceRecord) -> None:
    raw = dump_record(record)
    where = data.draw(st.sampled_from([raw, *(part for part in raw.values() if isinstance(part, dict))]))
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(JSON)
    try:
        loaded = load_record(raw)
    except CodecError as error:
        assert "expected" in str(error) or ": no " in str(error)
    else:
        assert load_record(dump_record(loaded)) == loaded
