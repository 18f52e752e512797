"""Queues that other people use, under the same power cuts: what of their acknowledged items is left.

Each is used as its documentation shows it. Nothing of them runs in `make test`.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.crash.actors import fork
from tests.crash.processes import scratch
from tests.crash.replay import Names, Untraceable, cuts, read_trace
from tests.crash.shim import Shim

_ITEMS = 60
_BYTES = 2048


def _raw(path: Path, journal: str, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path / "raw.db", isolation_level=None)
    connection.execute(f"pragma journal_mode = {journal}")
    connection.execute(f"pragma synchronous = {synchronous}")
    connection.execute("create table if not exists items (id integer primary key, body blob)")
    return connection


def _emptied(get: Callable[[], Any], ends: type[Exception]) -> list[Any]:
    found = []
    while True:
        try:
            item = get()
        except ends:
            return found
        if item is None:
            return found
        found.append(item)


@dataclass(frozen=True)
class Peer:
    """One queue: open it, put into it, see what is in it."""

    name: str
    open: Callable[[Path], Any]
    put: Callable[[Any, bytes], Any]
    contents: Callable[[Any], Iterable[bytes]]


def peers() -> tuple[Peer, ...]:
    """All of them; ImportError without the packages."""
    import diskcache
    import litequeue
    import persistqueue
    from huey.storage import SqliteStorage

    def sql(name: str, journal: str, synchronous: str) -> Peer:
        return Peer(
            name,
            lambda path: _raw(path, journal, synchronous),
            lambda db, body: db.execute("insert into items (body) values (?)", (body,)),
            lambda db: [row[0] for row in db.execute("select body from items")],
        )

    return (
        sql("raw sqlite3 WAL FULL", "wal", "full"),
        sql("raw sqlite3 DELETE FULL (default)", "delete", "full"),
        Peer(
            "persist-queue SQLiteAckQueue",
            lambda path: persistqueue.SQLiteAckQueue(str(path), auto_commit=True),
            lambda queue, body: queue.put(body),
            lambda queue: _emptied(lambda: queue.get(block=False), persistqueue.Empty),
        ),
        Peer(
            "persist-queue Queue (files)",
            lambda path: persistqueue.Queue(str(path)),
            lambda queue, body: queue.put(body),
            lambda queue: _emptied(lambda: queue.get(block=False), persistqueue.Empty),
        ),
        Peer(
            "litequeue",
            lambda path: litequeue.LiteQueue(path / "lite.db"),
            lambda queue, body: queue.put(body.hex()),
            lambda queue: [bytes.fromhex(item.data) for item in _emptied(queue.pop, LookupError)],
        ),
        Peer(
            "huey SqliteStorage",
            lambda path: SqliteStorage(filename=str(path / "huey.db")),
            lambda storage, body: storage.enqueue(body),
            lambda storage: [bytes(item) for item in storage.enqueued_items()],
        ),
        Peer(
            "diskcache Deque",
            lambda path: diskcache.Deque(directory=str(path / "deque")),
            lambda deque, body: deque.append(body),
            list,
        ),
    )


def _body(number: int) -> bytes:
    return random.Random(number).randbytes(_BYTES)


def _left(peer: Peer, image: Path) -> set[int] | None:
    """Numbers of the items that are there unspoilt; None when it does not open."""
    wanted = {_body(number): number for number in range(_ITEMS)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            queue = peer.open(image)
            return {wanted[item] for item in map(bytes, peer.contents(queue)) if item in wanted}
    except Exception:  # whatever a strange library says to a torn file: it cannot be read
        return None


@dataclass
class Score:
    """How one did."""

    cuts: int = 0
    losing: int = 0
    lost: int = 0
    unreadable: int = 0
    note: str = ""


def play(peer: Peer, base: Path, *, count: int, seed: int) -> Score:
    """Trace one, cut it; its own process, for some leave threads behind."""
    import json

    result = base / "score.json"

    def child() -> int:
        data = base / "data"
        data.mkdir()
        page = Shim.here().page()
        trace = base / "trace"

        def work() -> int:
            descriptor = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            Shim.here().arm(data, page, trace=descriptor)
            queue = peer.open(data)
            for number in range(_ITEMS):
                peer.put(queue, _body(number))
                Shim.here().mark(f"put {number}")
            return 0

        _, status = os.waitpid(fork(work, log=base / "log"), 0)
        if status != 0:
            raise RuntimeError((base / "log").read_text())
        score = Score()
        dice = random.Random(seed)
        try:
            records = read_trace(trace.read_bytes())
            for names in Names:
                image = base / "image"
                for marks in cuts(
                    records, root=data, start=None, names=names, count=count // 2, dice=dice, image=image
                ):
                    promised = {int(mark.split()[1]) for mark in marks}
                    left = _left(peer, image)
                    score.cuts += 1
                    score.unreadable += left is None and bool(promised)
                    missing = len(promised - (left or set()))
                    score.losing += missing > 0
                    score.lost += missing
        except Untraceable as error:
            score.note = f"writes past the tracer: {error}"
        result.write_text(json.dumps(score.__dict__))
        return 0

    _, status = os.waitpid(fork(child, log=base / "log"), 0)
    if status != 0:
        return Score(note=(base / "log").read_text()[-300:])
    return Score(**json.loads(result.read_text()))


def table(count: int, *, seed: int, say: Callable[[str], None]) -> None:
    """Print how the peers did."""
    try:
        all_of_them = peers()
    except ImportError as error:
        say(f"peers are not installed ({error.name}): pip install persist-queue litequeue huey diskcache")
        return
    say(f"the peers, {count} simulated power cuts each, {_ITEMS} items of {_BYTES} bytes:")
    say(f"  {'':36} {'cuts':>6} {'losing':>7} {'items lost':>11} {'unreadable':>11}")
    with scratch("peers-") as base:
        for number, peer in enumerate(all_of_them):
            place = base / str(number)
            place.mkdir()
            score = play(peer, place, count=count, seed=seed)
            line = f"  {peer.name:36} {score.cuts:6} {score.losing:7} {score.lost:11} {score.unreadable:11}"
            say(f"{line}  {score.note}".rstrip())
            shutil.rmtree(place, ignore_errors=True)
