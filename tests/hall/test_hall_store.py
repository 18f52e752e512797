"""The database: durable, one writer, groups in which one failure is nobody else's."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from hall.store.database import Store, StoreBusy, StoreError
from hall.store.jobs import MAX_ATTEMPTS, Job, JobRunner, NotYet, backoff_ms, enqueue
from hall.store.moments import due, from_ms, to_ms
from hall.store.schema import jobs, used_links
from kiosk.contract.bundle import Calendar
from kiosk.core.clock import CHINA
from kiosk.core.item import Span
from tests.hall.conftest import eventually


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "hall.db")
    yield opened
    opened.close()


def link(digest: str) -> object:
    return insert(used_links).values(digest=digest, at=1)


def count(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(used_links)).scalar_one())


def test_it_is_durable_and_says_so(store: Store) -> None:
    found = store.write(
        lambda connection: [
            connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")
        ]
    )
    assert found == ["wal", 2]


def test_one_failure_in_a_group_is_nobody_elses(store: Store) -> None:
    held = threading.Event()
    first: Future[object] = store.submit(lambda connection: held.wait(10))
    group = [store.submit(lambda connection, n=n: connection.execute(link(str(n % 4)))) for n in range(8)]
    broken = store.submit(lambda connection: 1 // 0)
    held.set()
    first.result()
    failed = [isinstance(work.exception(), IntegrityError) for work in group]
    assert failed == [False] * 4 + [True] * 4
    assert isinstance(broken.exception(), ZeroDivisionError)
    assert count(store) == 4


def test_half_done_work_leaves_nothing(store: Store) -> None:
    def half(connection: Connection) -> None:
        connection.execute(link("a"))
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        store.write(half)
    assert count(store) == 0


def test_nothing_is_acknowledged_before_the_commit(store: Store) -> None:
    held, seen = threading.Event(), []
    store.submit(lambda connection: held.wait(10))
    work = store.submit(lambda connection: connection.execute(link("a")))
    work.add_done_callback(lambda _: seen.append(count(store)))
    held.set()
    work.result()
    store.write(lambda connection: None)
    assert seen == [1]


def test_readers_cannot_write(store: Store) -> None:
    with store.read() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(link("a"))


def test_errors_do_not_quote_what_was_written(store: Store) -> None:
    store.write(lambda connection: connection.execute(link("440699")))
    with pytest.raises(IntegrityError) as failed:
        store.write(lambda connection: connection.execute(link("440699")))
    assert "440699" not in str(failed.value)


def test_a_full_disk_is_heard_by_every_caller_and_passes(store: Store) -> None:
    pages = store.write(lambda connection: connection.execute(text("PRAGMA page_count")).scalar_one())
    store.write(lambda connection: connection.execute(text(f"PRAGMA max_page_count={pages + 2}")))
    held = threading.Event()
    first = store.submit(lambda connection: held.wait(10))
    group = [store.submit(lambda connection, n=n: connection.execute(link(f"{n}" * 5000))) for n in range(6)]
    held.set()
    first.exception()
    assert all(isinstance(work.exception(), StoreBusy) for work in group)
    assert count(store) == 0
    store.write(lambda connection: connection.execute(text("PRAGMA max_page_count=1073741823")))
    store.write(lambda connection: connection.execute(link("a")))
    assert count(store) == 1


def test_a_database_of_another_schema_is_not_touched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "hall.db") as raw:
        raw.execute("PRAGMA user_version=99")
    raw.close()
    with pytest.raises(StoreError, match="schema 99"):
        Store(tmp_path / "hall.db")


# --- jobs ------------------------------------------------------------------------------------------------------------


class FakeClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Handler:
    def __init__(self, *troubles: Exception | None) -> None:
        self.troubles = list(troubles)
        self.done: list[str] = []

    def __call__(self, job: Job) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        self.done.append(job.subject)


def runner(store: Store, handler: Handler, clock: FakeClock) -> JobRunner:
    return JobRunner(store=store, handlers={"k": handler}, clock=clock, random=random.Random(7))


def test_jobs_wait_until_due_and_are_done_once(store: Store) -> None:
    clock, handler = FakeClock(), Handler()
    jobs_runner = runner(store, handler, clock)
    for _ in range(2):
        store.write(lambda connection: enqueue(connection, "k", "a", due_at=to_ms(clock.at) + 1000))
    assert jobs_runner.run_due() == 0
    clock.at += timedelta(seconds=1)
    assert (jobs_runner.run_due(), handler.done) == (1, ["a"])
    assert jobs_runner.run_due() == 0


def test_a_failing_job_comes_again_later_and_later_and_then_rests(store: Store) -> None:
    clock, handler = FakeClock(), Handler(*[RuntimeError("x")] * 20)
    jobs_runner = runner(store, handler, clock)
    store.write(lambda connection: enqueue(connection, "k", "a", due_at=0))
    store.write(lambda connection: enqueue(connection, "k", "b", due_at=to_ms(clock.at) + 3_600_000))
    for _ in range(MAX_ATTEMPTS):
        assert jobs_runner.run_due() == 1
        assert jobs_runner.run_due() == 0, "not at once"
        clock.at += timedelta(minutes=2)
    assert jobs_runner.run_due() == 0
    with store.read() as connection:
        row = connection.execute(select(jobs).where(jobs.c.subject == "a")).one()
    assert (row.attempts, row.last_error, row.done_at) == (MAX_ATTEMPTS, "RuntimeError", None)
    handler.troubles.clear()
    clock.at += timedelta(hours=1)
    assert (jobs_runner.run_due(), handler.done) == (1, ["b"])


def test_not_yet_is_no_failure(store: Store) -> None:
    clock, handler = FakeClock(), Handler(NotYet(500))
    jobs_runner = runner(store, handler, clock)
    store.write(lambda connection: enqueue(connection, "k", "a", due_at=0))
    jobs_runner.run_due()
    clock.at += timedelta(seconds=1)
    jobs_runner.run_due()
    with store.read() as connection:
        assert connection.execute(select(jobs.c.attempts)).scalar_one() == 0
    assert handler.done == ["a"]


def test_a_lease_of_the_dead_ends(store: Store) -> None:
    clock, dead = FakeClock(), Handler(SystemExit())  # type: ignore[arg-type]
    store.write(lambda connection: enqueue(connection, "k", "a", due_at=0))
    with pytest.raises(SystemExit):
        runner(store, dead, clock).run_due()
    alive = Handler()
    jobs_runner = runner(store, alive, clock)
    assert jobs_runner.run_due() == 0
    clock.at += timedelta(seconds=31)
    assert (jobs_runner.run_due(), alive.done) == (1, ["a"])


@pytest.mark.parametrize("trouble", [SystemExit(), RuntimeError()])
def test_what_a_clock_put_off_that_was_ahead_is_not_held_up(store: Store, trouble: Exception) -> None:
    clock, first = FakeClock(), Handler(trouble)
    store.write(lambda connection: enqueue(connection, "k", "a"))
    clock.at += timedelta(days=365)
    with suppress(SystemExit):
        runner(store, first, clock).run_due()
    clock.at -= timedelta(days=365)
    alive = Handler()
    assert (runner(store, alive, clock).run_due(), alive.done) == (1, ["a"])


def test_work_goes_on_after_a_database_that_could_not_be_opened(
    store: Store, tmp_path: Path, expected_logs: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A reader without descriptors, or of a disk with errors: for a while."""
    expected_logs.add("hall")
    store.write(lambda connection: enqueue(connection, "k", "a", due_at=0))
    database, aside, handler = tmp_path / "hall.db", tmp_path / "aside", Handler()
    jobs_runner = runner(store, handler, FakeClock())
    database.rename(aside)
    database.mkdir()
    jobs_runner.start()
    eventually(lambda: caplog.records)
    time.sleep(0.6)
    assert [record.getMessage() for record in caplog.records] == ["jobs are held up: OperationalError"], "said once"
    database.rmdir()
    aside.rename(database)
    eventually(lambda: handler.done == ["a"])
    jobs_runner.stop()


@given(st.integers(0, 40), st.integers())
def test_backoff_is_bounded(attempts: int, seed: int) -> None:
    assert 250 <= backoff_ms(attempts, random.Random(seed)) <= 60_000


# --- time limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "days", "unit", "expected"),
    [
        ("2026-11-20T09:00", 3, "workday", "2026-11-25"),  # Friday
        ("2026-11-22T09:00", 3, "workday", "2026-11-25"),  # Sunday
        ("2026-11-20T09:00", 3, "day", "2026-11-23"),
        ("2026-11-23T23:59", 1, "workday", "2026-11-24"),
    ],
)
def test_due_days(received: str, days: int, unit: str, expected: str) -> None:
    at = datetime.fromisoformat(received).replace(tzinfo=CHINA)
    limit = Span.model_validate({"days": days, "unit": unit})
    assert due(at, limit, Calendar()).astimezone(CHINA).date().isoformat() == expected
    off = Calendar(years=(2026,), days_off=(datetime.fromisoformat(expected).date(),))
    assert (due(at, limit, off) > due(at, limit, Calendar())) == (unit == "workday")


@given(st.integers(946684800, 4102444800), st.integers(0, 999_999))
def test_instants_keep_their_milliseconds(seconds: int, microseconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    assert abs(from_ms(to_ms(at)) - at) <= timedelta(milliseconds=1)
