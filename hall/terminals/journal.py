"""The terminals' journals (流水监督): taken in order, verified record by record, and remembered.

The hall holds the head of every epoch that it was told. Whoever cuts, changes, doubles or replaces a terminal's journal
cannot make it follow that head again; what does not fit raises a flag that a clerk must take note of.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, Row, RowMapping, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.problem import Refused
from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import (
    heartbeats,
    journal_chains,
    journal_flags,
    journal_records,
    submissions,
    terminals,
)
from hall.terminals.registry import Terminals
from kiosk.contract.journal import (
    Begin,
    Head,
    JournalBatch,
    JournalError,
    JournalKind,
    JournalMark,
    Record,
    follow,
    verify_checkpoint,
)
from kiosk.contract.problems import ProblemCode
from kiosk.core.clock import Clock

SILENT = timedelta(hours=24)
"""A terminal that is heard of but has signed for nothing in so long keeps something back."""

FlagKind = Literal["forked", "truncated", "restarted", "gap", "broken", "bad_signature", "wrong_receipt", "silent"]


@dataclass(frozen=True, slots=True)
class JournalFlag:
    """Something about a terminal's journal that people must look into.

    forked: other records under the same numbers (a copied or restored disk). truncated: the end was cut off.
    restarted: it could not go on and began anew. gap: records in between are gone. broken, bad_signature: what came
    does not verify. wrong_receipt: it claims a receipt that this hall never gave. silent: no checkpoint for a day.
    """

    id: int
    """0 for `silent`, which ends by itself."""
    terminal_id: str
    kind: FlagKind
    seq: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class JournalStanding:
    """How far one terminal's journal has come."""

    terminal_id: str
    seq: int
    signed_seq: int
    heard_at: datetime
    flags: tuple[JournalFlag, ...]


@dataclass(frozen=True, slots=True)
class _Flag:
    kind: FlagKind
    seq: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A batch that verifies in itself."""

    batch: JournalBatch
    steps: tuple[tuple[Head, Record], ...]
    signed_seq: int
    signed_at: int
    flags: tuple[_Flag, ...]

    @property
    def end(self) -> Head:
        return self.steps[-1][0]


class _Faulty(Exception):
    """Nothing of this batch is taken."""

    def __init__(self, code: ProblemCode, flag: _Flag) -> None:
        super().__init__(code.value)
        self.code = code
        self.flag = flag


class Journals:
    """Takes journals in, and tells what is wrong with them."""

    def __init__(self, *, store: Store, terminals: Terminals, clock: Clock) -> None:
        self._store = store
        self._terminals = terminals
        self._clock = clock

    def heard(self, raw: bytes, *, terminal_id: str) -> JournalMark:
        """Take a batch; how far we have come. Refused if it is none, or does not verify."""
        try:
            batch = JournalBatch.parse(raw)
        except JournalError:
            raise Refused(ProblemCode.MALFORMED) from None
        now = to_ms(self._clock.now())
        try:
            checked = self._check(batch, terminal_id)
        except _Faulty as fault:
            flag, epoch = fault.flag, batch.before.epoch.hex()
            self._store.write(lambda connection: _raise(connection, terminal_id, epoch, [flag], now))
            raise Refused(fault.code, status=422) from None
        return self._store.write(lambda connection: _take(connection, checked, terminal_id, now))

    def standings(self) -> Mapping[str, JournalStanding]:
        """By terminal: the newest epoch, and every flag that nobody has taken note of."""
        with self._store.read() as connection:
            chains = connection.execute(select(journal_chains).order_by(journal_chains.c.begun_at)).all()
            open_ = connection.execute(
                select(journal_flags).where(journal_flags.c.acknowledged_at.is_(None)).order_by(journal_flags.c.id)
            ).all()
            beats = {
                row.terminal_id: row.received_at
                for row in connection.execute(select(heartbeats.c.terminal_id, heartbeats.c.received_at))
            }
        flags: dict[str, list[JournalFlag]] = {}
        for row in open_:
            flags.setdefault(row.terminal_id, []).append(_flag(row))
        newest = {row.terminal_id: row for row in chains}
        found: dict[str, JournalStanding] = {}
        for terminal_id in newest.keys() | flags.keys():
            chain = newest.get(terminal_id)
            mine = flags.get(terminal_id, [])
            if chain is not None and (silent := _silent(chain, beats.get(terminal_id))) is not None:
                mine = [*mine, silent]
            found[terminal_id] = JournalStanding(
                terminal_id=terminal_id,
                seq=chain.seq if chain is not None else 0,
                signed_seq=chain.signed_seq if chain is not None else 0,
                heard_at=from_ms(chain.heard_at) if chain is not None else mine[0].at,
                flags=tuple(mine),
            )
        return found

    def acknowledge(self, flag_id: int, *, terminal_id: str, actor: str) -> bool:
        """A clerk has taken note; False if there is no such open flag."""
        at = to_ms(self._clock.now())

        def write(connection: Connection) -> bool:
            done = connection.execute(
                update(journal_flags)
                .where(
                    journal_flags.c.id == flag_id,
                    journal_flags.c.terminal_id == terminal_id,
                    journal_flags.c.acknowledged_at.is_(None),
                )
                .values(acknowledged_at=at, acknowledged_by=actor)
            )
            return done.rowcount == 1

        return self._store.write(write)

    def _check(self, batch: JournalBatch, terminal_id: str) -> _Checked:
        """Everything that needs no look at what came before; outside the writer."""
        keys = self._terminals.signing_keys(terminal_id)
        head, steps = batch.before, []
        signed_seq = signed_at = 0
        for body in batch.bodies:
            before = head
            try:
                head, record = follow(head, body)
                if head.epoch != batch.before.epoch:
                    raise JournalError("begin", record.seq)
                if record.kind == JournalKind.CHECKPOINT:
                    verify_checkpoint(before, record, terminal_id=terminal_id, keys=keys)
                    signed_seq, signed_at = record.seq, record.at_ms
            except JournalError as error:
                if error.code == "signature":
                    raise _Faulty(ProblemCode.BAD_SIGNATURE, _Flag("bad_signature", error.seq)) from None
                raise _Faulty(ProblemCode.HASH_MISMATCH, _Flag("broken", before.seq + 1, error.code)) from None
            steps.append((head, record))
        return _Checked(batch, tuple(steps), signed_seq, signed_at, tuple(self._receipts(steps)))

    def _receipts(self, steps: Iterable[tuple[Head, Record]]) -> Iterable[_Flag]:
        """Did we give every receipt that it says it has?"""
        with self._store.read() as connection:
            for _, record in steps:
                if record.kind != JournalKind.ACCEPTED:
                    continue
                said = record.named()
                id_, receipt = said["id"], said["receipt"]
                assert isinstance(id_, bytes)
                given = connection.execute(
                    select(submissions.c.receipt).where(submissions.c.id == str(uuid.UUID(bytes=id_)))
                ).scalar_one_or_none()
                if given is None or hashlib.sha256(given).digest() != receipt:
                    yield _Flag("wrong_receipt", record.seq)


def _take(connection: Connection, checked: _Checked, terminal_id: str, now: int) -> JournalMark:
    """On the writer: what is new in this batch, if it follows what we hold."""
    before, epoch = checked.batch.before, checked.batch.before.epoch.hex()
    chain = connection.execute(
        select(journal_chains).where(journal_chains.c.terminal_id == terminal_id, journal_chains.c.epoch == epoch)
    ).one_or_none()
    if chain is None:
        return _begin(connection, checked, terminal_id, now)
    if _contradicts(connection, chain, checked) or (
        checked.end.seq > chain.seq and _superseded(connection, chain, terminal_id)
    ):
        _raise(connection, terminal_id, epoch, [_Flag("forked", min(before.seq + 1, chain.seq))], now)
        return _mark(chain, "forked")
    if before.seq > chain.seq:
        if checked.batch.oldest != before.seq + 1:
            return _mark(chain, "known")
        _raise(connection, terminal_id, epoch, [_Flag("gap", chain.seq + 1)], now)
    fresh = [step for step in checked.steps if step[0].seq > chain.seq]
    if not fresh:
        return _mark(chain, "known")
    _keep(connection, terminal_id, epoch, fresh)
    fresh_flags = [flag for flag in checked.flags if flag.seq > chain.seq]
    _raise(connection, terminal_id, epoch, fresh_flags, now)
    values = {"seq": checked.end.seq, "head": checked.end.hash.hex(), "heard_at": now}
    if checked.signed_seq:
        values |= {"signed_seq": checked.signed_seq, "signed_at": checked.signed_at, "signed_heard_at": now}
    connection.execute(
        update(journal_chains)
        .where(journal_chains.c.terminal_id == terminal_id, journal_chains.c.epoch == epoch)
        .values(**values)
    )
    return JournalMark(epoch=epoch, seq=checked.end.seq, head=checked.end.hash.hex(), state="known")


def _behind_all(connection: Connection, terminal_id: str, now: int) -> int:
    """An epoch that begins is the latest of its terminal, whatever this hall's clock showed before."""
    begun = select(func.max(journal_chains.c.begun_at)).where(journal_chains.c.terminal_id == terminal_id)
    return max(now, (connection.execute(begun).scalar() or 0) + 1)


def _begin(connection: Connection, checked: _Checked, terminal_id: str, now: int) -> JournalMark:
    """An epoch that we do not know: how does it fit to what this terminal said before?"""
    before, epoch = checked.batch.before, checked.batch.before.epoch.hex()
    first = checked.steps[0][1]
    flags = list(checked.flags)
    if first.kind == JournalKind.BEGIN:
        begin = Begin.of(first)
        reason = begin.reason
        flags += _fits(connection, begin, terminal_id)
    elif checked.batch.oldest == before.seq + 1:
        reason = "gap"
        flags.append(_Flag("gap", before.seq + 1))
    else:
        return JournalMark(epoch=epoch, seq=0, head="", state="unknown")
    connection.execute(
        insert(journal_chains).values(
            terminal_id=terminal_id,
            epoch=epoch,
            reason=reason,
            first_seq=before.seq + 1,
            seq=checked.end.seq,
            head=checked.end.hash.hex(),
            signed_seq=checked.signed_seq,
            signed_at=checked.signed_at,
            signed_heard_at=now,
            begun_at=_behind_all(connection, terminal_id, now),
            heard_at=now,
        )
    )
    _keep(connection, terminal_id, epoch, checked.steps)
    _raise(connection, terminal_id, epoch, flags, now)
    return JournalMark(epoch=epoch, seq=checked.end.seq, head=checked.end.hash.hex(), state="known")


def _fits(connection: Connection, begin: Begin, terminal_id: str) -> list[_Flag]:
    """What is odd about an epoch that begins so."""
    last = connection.execute(
        select(journal_chains, terminals.c.enrolled_at)
        .join(terminals, terminals.c.id == journal_chains.c.terminal_id)
        .where(journal_chains.c.terminal_id == terminal_id)
        .order_by(journal_chains.c.begun_at.desc(), journal_chains.c.first_seq.desc())
    ).first()
    at = begin.before_seq + 1
    if last is None:
        return [] if begin.reason == "new" else [_Flag("restarted", at, begin.reason)]
    if begin.before_epoch.hex() == last.epoch and begin.before_seq < last.seq:
        return [_Flag("truncated", begin.before_seq + 1, begin.reason)]
    if begin.before_epoch.hex() == last.epoch and begin.before_seq == last.seq:
        if begin.before_head.hex() != last.head:
            return [_Flag("forked", begin.before_seq, begin.reason)]
        return [_Flag("restarted", at, begin.reason)]
    if begin.reason == "new" and (last.enrolled_at or 0) > last.heard_at:
        return []  # another machine took this one's place, with our ticket
    if begin.before_epoch.hex() != last.epoch:
        return [_Flag("truncated", last.seq, begin.reason)]
    return [_Flag("gap", last.seq + 1, begin.reason)]


def _contradicts(connection: Connection, chain: Row[tuple[object, ...]], checked: _Checked) -> bool:
    """Are there other records under the same numbers?"""
    data = chain._mapping
    heads = {checked.batch.before.seq: checked.batch.before, **{head.seq: head for head, _ in checked.steps}}
    if (mine := heads.get(data["seq"])) is not None:
        return bool(mine.hash.hex() != data["head"])
    overlap = [seq for seq in heads if data["first_seq"] <= seq < data["seq"]]
    if not overlap:
        return False
    last = max(overlap)
    held = connection.execute(
        select(journal_records.c.hash).where(
            journal_records.c.terminal_id == data["terminal_id"],
            journal_records.c.epoch == data["epoch"],
            journal_records.c.seq == last,
        )
    ).scalar_one_or_none()
    # One hash answers for everything before it.
    return held is not None and held != heads[last].hash.hex()


def _superseded(connection: Connection, chain: Row[tuple[object, ...]], terminal_id: str) -> bool:
    """Does an epoch grow that said itself that it had ended? Then two machines are one terminal."""
    newer = connection.execute(
        select(func.count())
        .select_from(journal_chains)
        .where(journal_chains.c.terminal_id == terminal_id, journal_chains.c.begun_at > chain._mapping["begun_at"])
    ).scalar_one()
    return bool(newer)


def _keep(connection: Connection, terminal_id: str, epoch: str, steps: Iterable[tuple[Head, Record]]) -> None:
    rows = [
        {
            "terminal_id": terminal_id,
            "epoch": epoch,
            "seq": record.seq,
            "hash": head.hash.hex(),
            "kind": record.kind,
            "at": record.at_ms,
            "body": record.body,
        }
        for head, record in steps
    ]
    connection.execute(insert(journal_records), rows)


def _raise(connection: Connection, terminal_id: str, epoch: str, flags: Iterable[_Flag], now: int) -> None:
    """One open flag of a kind a terminal: the same trouble again is no news until somebody has taken note."""
    for flag in flags:
        known = connection.execute(
            select(journal_flags.c.id).where(
                journal_flags.c.terminal_id == terminal_id,
                journal_flags.c.kind == flag.kind,
                journal_flags.c.acknowledged_at.is_(None),
            )
        ).first()
        if known is None:
            connection.execute(
                upsert(journal_flags).values(
                    terminal_id=terminal_id, epoch=epoch, kind=flag.kind, seq=flag.seq, reason=flag.reason, at=now
                )
            )


def _mark(chain: Row[tuple[object, ...]], state: Literal["known", "forked"]) -> JournalMark:
    data: RowMapping = chain._mapping
    return JournalMark(epoch=data["epoch"], seq=data["seq"], head=data["head"], state=state)


def _flag(row: Row[tuple[object, ...]]) -> JournalFlag:
    data = row._mapping
    return JournalFlag(data["id"], data["terminal_id"], data["kind"], data["seq"], data["reason"], from_ms(data["at"]))


def _silent(chain: Row[tuple[object, ...]], beat: int | None) -> JournalFlag | None:
    data = chain._mapping
    signed = data["signed_heard_at"]
    if beat is None or beat - signed < SILENT.total_seconds() * 1000:
        return None
    return JournalFlag(0, data["terminal_id"], "silent", data["signed_seq"], "", from_ms(signed))
