"""Keeps the journal going: start and stop, jumps of the wall clock, admission, checkpoints, closing of files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from kiosk.contract.journal import JournalKind, Record
from kiosk.contract.signing import SigningKey
from kiosk.core.clock import Clock
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result, first_error
from offline_queue.journal import notes as journal_notes
from offline_queue.journal.leaps import ran_since_leap
from offline_queue.journal.notes import purged
from offline_queue.retention import delete, old_files
from offline_queue.store import Store

_SLICES = 16
"""Short transactions in one go: a citizen's put waits for no longer than one of them."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> bytes:
    """16 bytes that change with every boot of this machine (Linux random(4)): monotonic time counts from there."""
    return bytes.fromhex(_BOOT_ID.read_text("ascii").strip().replace("-", ""))


@dataclass(frozen=True, slots=True)
class WatchDelays:
    """Seconds, and records."""

    look: float = 5.0
    """Between two looks at the journal; the clock is looked at every time."""
    checkpoint: float = 300.0
    """The longest that something new stays unsigned."""
    checkpoint_records: int = 256
    quiet: float = 6 * 3600.0
    """Between checkpoints when nothing happens: the hall hears that nobody cut the end off."""
    jump: float = 2.0
    """A wall clock that moved so much against the monotonic one was set."""
    doubt: float = 24 * 3600.0
    """After a leap of more than an hour, nothing is deleted by age for so long."""
    leap: float = 3600.0


@dataclass(frozen=True, slots=True)
class Signer:
    """Who answers for the journal."""

    terminal_id: str
    key: SigningKey


class JournalWatch:
    """Ticked by the sync worker."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        boot: bytes,
        signer: Signer | None = None,
        drafts: Path | None = None,
        logs: Path | None = None,
        delays: WatchDelays | None = None,
    ) -> None:
        """`drafts` and `logs`: folders whose old files are deleted on schedule."""
        self._store = store
        self._journal = store.journal
        self._clock = clock
        self._boot = boot
        self._signer = signer
        self._drafts = drafts
        self._logs = logs
        self._delays = delays or WatchDelays()
        self._look_at = self._signed_at = clock.monotonic()
        self._offset = self._wall() - clock.monotonic()
        self._accepting: bool | None = None
        self._doubt_until: float | None = None
        """Monotonic; None: the journal was not asked yet."""
        self._warn_at = clock.monotonic()
        self._looked_at = 0
        self._damaged: set[int] = set()
        self.large = False
        """Journal and logs take more room than they should: somebody must look before they eat the disk."""

    def answer_for(self, signer: Signer) -> None:
        """The terminal is enrolled: from now on checkpoints are signed."""
        self._signer = signer

    def start(self, *, software: str) -> Result[None, StoreError]:
        """The process is up; the clock may have been set while it was not."""
        mono = self._clock.monotonic()
        up = journal_notes.started(software=software, sqlite=sqlite3.sqlite_version, boot=self._boot, monotonic=mono)
        expected = self._expected()
        if isinstance(expected, Err):
            return expected
        if expected.value is None:
            return self._journal.write(up)
        self._leapt(self._wall() - expected.value)
        jump = journal_notes.clock_jump(
            expected_ms=round(expected.value * 1000), found_ms=round(self._wall() * 1000), monotonic=mono
        )
        return self._journal.write(jump, up)

    def stop(self) -> Result[None, StoreError]:
        """Ending in order, with everything signed for."""
        done = self._journal.write(journal_notes.stopped(self._clock.monotonic()))
        return done if isinstance(done, Err) else self._sign()

    def keep_house(self) -> Result[None, StoreError]:
        """Delete what is due, with proof. To be called about once a minute.

        After a leap of the wall clock nothing is deleted by age for a day: a wrong clock would throw away what is owed.
        What does not work holds up nothing else.
        """
        seen = self._look_at_clock()
        sure = self._is_sure() if isinstance(seen, Ok) else seen
        by_age = sure == Ok(True)
        done = (
            sure,
            self._store.keep_house(forget=by_age),
            *(self._forget(what, find, self._since(age, by_age)) for what, age, find in self._schedule()),
            self._journal.shorten(older_than=self._since(self._store.retention.logs, by_age)),
            self._look_at_a_file(),
            self._look_at_size(),
        )
        return first_error(done)

    def _is_sure(self) -> Result[bool, StoreError]:
        """Does the wall clock tell how old something is? After a restart too: the journal remembers its leaps."""
        now, delays = self._clock.monotonic(), self._delays
        if self._doubt_until is None:
            records = self._journal.backwards()
            if isinstance(records, Err):
                return records
            ran = ran_since_leap(records.value, leap=delays.leap, enough=delays.doubt, now=now)
            self._doubt_until = now if ran is None else now + delays.doubt - ran
        return Ok(now >= self._doubt_until)

    def _since(self, age: timedelta, by_age: bool) -> float:
        """What is from before this instant (Unix seconds) has had its time: while that is in doubt, nothing."""
        return self._wall() - age.total_seconds() if by_age else 0.0

    def _schedule(self) -> Iterator[tuple[str, timedelta, Callable[..., list[Path]]]]:
        """Which files are deleted: their name in the proof, their age, and what finds those from `before`."""
        retention = self._store.retention
        if self._drafts is not None:
            yield "draft", retention.drafts, partial(old_files, self._drafts, "*.draft")
        if self._logs is not None:
            yield "log", retention.logs, partial(old_files, self._logs, "*")
        yield "damaged_store", retention.damaged, self._store.old_evidence

    def _forget(self, what: str, find: Callable[..., list[Path]], before: float) -> Result[None, StoreError]:
        try:
            old = find(before=before)
            # The proof comes first: killed in between, they go with the next try and a proof of its own.
            proof = purged(what, ids=tuple(path.name for path in old), up_to=int(before))
            if old and isinstance(done := self._journal.write(proof), Err):
                return done
            delete(old)
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, type(error).__name__))
        return Ok(None)

    def _look_at_a_file(self) -> Result[None, StoreError]:
        """One closed file a time, round and round; what the disk or somebody did to it is written down once."""
        files = self._journal.files
        state = self._journal.state()
        if isinstance(state, Err):
            return state
        numbers = files.numbers()
        # Between the oldest that is there and the last that was closed none may lack.
        wanted = range(numbers[0], state.value.files + 1) if numbers else range(0)
        if not wanted:
            return Ok(None)
        self._looked_at = self._looked_at + 1 if self._looked_at in wanted[:-1] else wanted[0]
        number = self._looked_at
        if number in self._damaged:
            return Ok(None)
        try:
            fault = files.fault_of(number, last=state.value.cut if number == state.value.files else None)
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, type(error).__name__))
        if fault is None:
            return Ok(None)
        self._damaged.add(number)
        return self._journal.write(journal_notes.journal_damaged(number, seq=fault.seq, code=fault.code))

    def _look_at_size(self) -> Result[None, StoreError]:
        limit = self._journal.limits.bytes
        try:
            size = self._journal.files.size()
            if self._logs is not None and self._logs.is_dir():
                size += sum(path.stat().st_size for path in self._logs.iterdir() if path.is_file())
        except OSError as error:
            return Err(StoreError(StoreFault.STORE_DOWN, type(error).__name__))
        self.large = size > limit
        if not self.large or self._clock.monotonic() < self._warn_at:
            return Ok(None)
        self._warn_at = self._clock.monotonic() + self._delays.doubt
        return self._journal.write(journal_notes.journal_large(size, limit))

    def tick(self) -> Result[None, StoreError]:
        """What is due. What fails is due again."""
        if isinstance(done := self._look_at_clock(), Err):
            return done
        if self._clock.monotonic() < self._look_at:
            return Ok(None)
        self._look_at = self._clock.monotonic() + self._delays.look
        steps: tuple[Callable[[], Result[None, StoreError]], ...] = (self._look_at_space, self._catch_up, self._due)
        for step in steps:
            if isinstance(done := step(), Err):
                return done
        for _ in range(_SLICES):
            rotated = self._journal.rotate()
            if isinstance(rotated, Err):
                return rotated
            if not rotated.value:
                break
        return Ok(None)

    def _look_at_clock(self) -> Result[None, StoreError]:
        mono = self._clock.monotonic()
        expected, found = mono + self._offset, self._wall()
        if abs(found - expected) <= self._delays.jump:
            self._offset = found - mono
            return Ok(None)
        done = self._journal.write(
            journal_notes.clock_jump(expected_ms=round(expected * 1000), found_ms=round(found * 1000), monotonic=mono)
        )
        if isinstance(done, Ok):
            self._offset = found - mono
            self._leapt(found - expected)
        return done

    def _leapt(self, seconds: float) -> None:
        if abs(seconds) > self._delays.leap:
            self._doubt_until = self._clock.monotonic() + self._delays.doubt

    def _look_at_space(self) -> Result[None, StoreError]:
        accepting = self._store.space.accepting()
        if accepting == self._accepting or (self._accepting is None and accepting):
            self._accepting = accepting
            return Ok(None)
        done = self._journal.write(journal_notes.admission(open_=accepting))
        if isinstance(done, Ok):
            self._accepting = accepting
        return done

    def _catch_up(self) -> Result[None, StoreError]:
        for _ in range(_SLICES):
            behind = self._journal.behind()
            if isinstance(behind, Err):
                return behind
            if not behind.value:
                break
            if isinstance(done := self._journal.write(), Err):
                return done
        return Ok(None)

    def _due(self) -> Result[None, StoreError]:
        state = self._journal.state()
        if isinstance(state, Err):
            return state
        fresh = state.value.head.seq - state.value.checkpointed
        age = self._clock.monotonic() - self._signed_at
        delays = self._delays
        if fresh >= delays.checkpoint_records or age >= (delays.checkpoint if fresh else delays.quiet):
            return self._sign()
        return Ok(None)

    def _sign(self) -> Result[None, StoreError]:
        if self._signer is None:
            return Ok(None)
        done = self._journal.checkpoint(
            terminal_id=self._signer.terminal_id,
            key=self._signer.key,
            boot=self._boot,
            monotonic=self._clock.monotonic(),
        )
        if isinstance(done, Ok):
            self._signed_at = self._clock.monotonic()
        return done

    def _expected(self) -> Result[float | None, StoreError]:
        """What the wall clock should show by the journal's last record, if it shows something else."""
        records = self._journal.backwards()
        if isinstance(records, Err):
            return records
        if (last := _last_times(records.value)) is None:
            return Ok(None)
        at, signed = last
        if signed is not None and signed[0] == self._boot:
            expected = signed[1] + self._clock.monotonic() - signed[2]
            return Ok(expected if abs(self._wall() - expected) > self._delays.jump else None)
        # Another boot: how long the machine was off nobody knows, but time does not run backwards.
        return Ok(at if self._wall() < at - self._delays.jump else None)

    def _wall(self) -> float:
        return self._clock.now().timestamp()


def _last_times(records: Iterator[Record]) -> tuple[float, tuple[bytes, float, float] | None] | None:
    """Wall time of the last record; boot, wall and monotonic time of the last one that has them."""
    last: float | None = None
    for record in records:
        at = record.at_ms / 1000
        last = at if last is None else last
        if record.kind in (JournalKind.CHECKPOINT, JournalKind.STARTED):
            named = record.named()
            boot, mono = named["boot"], named["monotonic_ms"]
            assert isinstance(boot, bytes) and isinstance(mono, int)
            return last, (boot, at, mono / 1000)
    return None if last is None else (last, None)
