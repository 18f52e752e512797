"""From the schema before the print ledger: what was known of receipts is known still, and nothing else is touched."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from kiosk.core.ports import Owed
from kiosk.core.print_ledger import PrintState
from kiosk.core.result import Ok
from offline_queue.disk import schema
from offline_queue.disk.schema import connect
from offline_queue.drain import Drain
from offline_queue.outbox import Intake
from offline_queue.paper.ledger import Ledger
from offline_queue.store import Store
from tests.queue.conftest import NOW, FakeClock, Terminal

TAG = b"t" * 32
OLD_STATES = {"owed": PrintState.INTENDED, "started": PrintState.SENT, "proven": PrintState.PROVEN}


def old_store(queue: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A store as the program before left it: one filing a state, and one without a card."""
    queue.mkdir(mode=0o700)
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    connection = connect(queue / "queue.db")
    monkeypatch.undo()
    ids: list[str] = []
    for serial, state in enumerate([*OLD_STATES, "owed"], 1):
        sealed = terminal.filing(serial)
        tag, slip = (TAG, b"slip") if serial <= len(OLD_STATES) else (b"", b"")
        with connection:
            connection.execute(
                "insert into submissions (id, application_no, sha256, envelope, size, state, attempts, created_at,"
                " card_tag, slip, receipt_state) values (?, ?, ?, ?, ?, 'sealed', 0, ?, ?, ?, ?)",
                (
                    sealed.id,
                    sealed.application_no,
                    hashlib.sha256(sealed.envelope).hexdigest(),
                    sealed.envelope,
                    len(sealed.envelope),
                    int(NOW.timestamp()),
                    tag,
                    slip,
                    state,
                ),
            )
        ids.append(sealed.id)
    assert connection.execute("pragma user_version").fetchone() == (1,)
    connection.close()
    return ids


def test_an_old_store_opens_with_its_receipts_in_the_ledger(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = tmp_path / "queue"
    ids = old_store(queue, terminal, monkeypatch)
    store = Store(queue, clock=clock)
    intake = Intake(store, clock=clock, region="440699", terminal_id="T001")
    entries = store.entries()
    assert isinstance(entries, Ok)
    assert {entry.id: entry.receipt for entry in entries.value} == dict(
        zip(ids, [*OLD_STATES.values(), PrintState.INTENDED], strict=True)
    )
    owed = intake.owed(TAG)
    assert isinstance(owed, Ok)
    assert [(one.id, one.paper, one.receipt) for one in owed.value] == [
        (ids[0], PrintState.INTENDED, b"slip"),
        (ids[1], PrintState.SENT, b"slip"),
    ]
    assert isinstance(owed.value[0], Owed)
    assert intake.owed(b"") == Ok(())
    waiting = Drain(store).waiting()
    assert isinstance(waiting, Ok)
    assert [item.id for item in waiting.value] == ids, "nothing unsent is lost on the way"
    ledger = Ledger(store, wake=lambda: None)
    assert ledger.answer(ids[1], came_out=True) == Ok(None)
    assert ledger.sent(ids[0], attempt="a") == Ok(None)
    store.close()


def test_it_is_migrated_once(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = tmp_path / "queue"
    old_store(queue, terminal, monkeypatch)
    for _ in range(3):
        Store(queue, clock=clock).close()
    connection = sqlite3.connect(queue / "queue.db")
    assert connection.execute("pragma user_version").fetchone() == (len(schema.MIGRATIONS),)
    assert connection.execute("select count(*) from prints").fetchone() == (4,)
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


def test_an_old_store_and_a_new_one_are_the_same(
    tmp_path: Path, clock: FakeClock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_store(tmp_path / "old", terminal, monkeypatch)
    schemas = []
    for name in ("old", "new"):
        Store(tmp_path / name, clock=clock).close()
        connection = sqlite3.connect(tmp_path / name / "queue.db")
        schemas.append(connection.execute("select type, name, sql from sqlite_master order by name").fetchall())
        connection.close()
    assert schemas[0] == schemas[1]
