"""`make crash`: kill -9 of the queue process and of the hall, at random and at every operation on their files.

Two streets, each a real hall and a real terminal over mutual TLS, killed on and on while citizens file. Oracle: what
the citizens were told, and what the hall has signed. Nothing of it may be missing, nothing may have two effects.

    python -m tests.crash.kills [--kills N] [--seed S] [--careless hall_without_dedupe|queue_acks_first]
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import random
import select
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.core.ports import SubmissionState
from kiosk.core.profile import DataLayout, Profile
from kiosk.core.result import Ok
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.seal import TerminalSealer
from provisioning.profile import load_profile
from tests.crash import actors
from tests.crash.actors import Careless, Places, Told, fork
from tests.crash.filings import filings
from tests.crash.processes import scratch
from tests.crash.shim import Page, Shim, When, reexec

STREETS = 2
HALL_SHARE = 0.3
_LIVES = (0.3, 0.8, 2.0)
"""How long a process that is killed by the clock may live at most, in units of what a hall takes to start here."""
_PACE_S = (0.02, 0.12)
"""Bounds of that unit."""
_PATIENCE = 1.5
"""How long one may live that does not get as far as its operation."""
_AT_OPERATION = 0.75
"""The share of those that are killed at an operation."""
_PHASES = (("terminal",), ("terminal",), ("hall",), ("terminal", "hall"))
"""Who is killed: mostly one of them while the other has work for it."""
_PHASE_KILLS = 8
_SWEEP = 40
"""Operations 1 to this of a life are gone through one by one, on all three sides; the rest is chance."""
_NEXT = 12
"""Afterwards, and every second time before, a life goes on for a while and ends at one of so many next operations."""
_FAULTS = 20
"""When so much is wrong it need not go on."""
_SETTLE_S = 30.0
"""Without anything arriving."""
_WARM = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "cryptography.hazmat.backends.openssl.backend",
    "hall.web.app",
    "sqlite_utils",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.websockets.auto",
    "uvloop",
)


@dataclass
class Victim:
    """A process that is started again whenever it is dead."""

    name: str
    start: Callable[[Page | None], int]
    page: Page
    dice: random.Random
    pid: int = 0
    descriptor: int = -1
    deadline: float = 0.0
    patience: float = 0.0
    ambush: int = 0
    sweep: list[tuple[int, When]] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.sweep = [(number, when) for number in range(1, _SWEEP + 1) for when in When]
        self.dice.shuffle(self.sweep)

    def live(self) -> None:
        """Start; nothing will happen to it until it is doomed."""
        self.page.reset()
        self.ambush, self.deadline = 0, float("inf")
        self.pid = self.start(self.page)
        self.descriptor = os.pidfd_open(self.pid)

    def doom(self, pace: float, *, fresh: bool) -> None:
        """Decide how it will end; `fresh`: it has just started."""
        now = time.monotonic()
        if self.dice.random() >= _AT_OPERATION:
            self.deadline = now + pace * self.dice.uniform(0, self.dice.choice(_LIVES))
        elif fresh and self.sweep and self.dice.random() < 0.5:
            self.page.die_at, self.page.die_when = self.sweep.pop()
            self.deadline = now + pace * _PATIENCE
        else:
            self.deadline = now + pace * self.dice.uniform(0, max(_LIVES))
            self.ambush = self.dice.randint(1, _NEXT)
        self.patience = pace * _PATIENCE

    def strike(self) -> None:
        """Its time is up: lie in wait at one of its next operations, or kill it now."""
        if self.ambush:
            self.page.die_when = self.dice.choice(list(When))
            self.page.die_at = self.page.count + self.ambush
            self.ambush = 0
            self.deadline = time.monotonic() + self.patience
        else:
            self.deadline = float("inf")
            self.kill()

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)

    def bury(self) -> str | None:
        """Take note of its death; words if it did not die of us."""
        os.close(self.descriptor)
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            self.kills["by itself"] += 1
            return f"{self.name} ended by itself: {status}"
        self.kills[self.page.where() or "clock"] += 1
        return None


@dataclass
class Outcome:
    """What became of one street."""

    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    filed: int = 0
    signed: int = 0
    again: int = 0
    """Receipts given once more: the proof that filings came twice."""
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def good(self) -> bool:
        """Nothing lost, nothing doubled, nothing strange."""
        return not (self.lost or self.doubled or self.faults)


@dataclass
class Promises:
    """What was said to whom."""

    tried: dict[str, str] = field(default_factory=dict)
    """Envelope hash by id."""
    filed: set[str] = field(default_factory=set)
    signed: dict[str, Counter[str]] = field(default_factory=dict)
    """Hashes of the receipts by id, and how often each was given."""
    numbers: list[str] = field(default_factory=list)
    nothing_left: bool = False

    def hear(self, line: list[str]) -> None:
        """One line of a pipe."""
        match line:
            case ["trying", id_, sha256]:
                self.tried[id_] = sha256
            case ["filed", id_]:
                self.filed.add(id_)
            case ["signed", id_, receipt]:
                self.signed.setdefault(id_, Counter())[receipt] += 1
            case ["number", number]:
                self.numbers.append(number)
            case ["nothing_left"]:
                self.nothing_left = True
            case ["port", _]:
                pass
            case _:
                raise ValueError(line[0])


class Street:
    """One hall, one terminal, and what is done to them."""

    def __init__(self, places: Places, *, seed: int, careless: Careless) -> None:
        self._places = places
        self._dice = random.Random(seed)
        self._careless = careless
        self._told = Told.new()
        self._said = Promises()
        self._log = places.root / "log"
        self._port = 0
        self._pace = 0.0
        self._profile: Profile | None = None
        self.outcome = Outcome(seed)

    def run(self, kills: int) -> Outcome:
        """All of it."""
        began = time.monotonic()
        self._set_up()
        shim = Shim.here()
        victims = [
            Victim("terminal", self._start_queue, shim.page(), random.Random(self._dice.random())),
            Victim("hall", self._start_hall, shim.page(), random.Random(self._dice.random())),
        ]
        # Sealed in their own process as they come: whoever is forked from this one is not to copy them all.
        dice = random.Random(self._dice.random())

        def citizens_come() -> int:
            sealer, name = TerminalSealer.of(self._places.terminal), self._places.terminal_id
            work = filings(sealer, terminal_id=name, count=max(400, kills * 2), dice=dice)
            return actors.run_citizens(self._places, work, told=self._told)

        citizens = fork(citizens_come, log=self._log)
        self._storm(victims, kills)
        os.kill(citizens, signal.SIGTERM)
        for victim in victims:
            victim.live()
        _, status = os.waitpid(citizens, 0)
        if status != 0:
            self.outcome.faults.append(f"citizens ended with {status}")
        self._settle()
        for victim in victims:
            victim.kill()
            os.close(victim.descriptor)
            os.waitpid(victim.pid, 0)
        for victim in victims:
            self.outcome.kills[victim.name] = victim.kills.total()
            for point, count in victim.kills.items():
                self.outcome.points[f"{victim.name}: {point}"] = count
        self._listen()
        judge(self._places, self._said, self.outcome)
        if "Traceback" in (log := self._log.read_text(errors="replace")):
            self.outcome.faults.append("a traceback in the log: " + log[log.index("Traceback") :][:3000])
        if self._said.nothing_left:
            self.outcome.faults.append("there were too few filings to file all the time")
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _set_up(self) -> None:
        self._wait(fork(lambda: actors.publish(self._places), log=self._log))
        began = time.monotonic()
        pid = self._start_hall(None)
        self._port = self._wait_for_port()
        self._pace = min(_PACE_S[1], max(_PACE_S[0], (time.monotonic() - began) / 2))
        self._wait(fork(lambda: actors.enrol(self._places, port=self._port), log=self._log))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self._profile = load_profile(self._places.machine / "machine.toml").profile

    def _storm(self, victims: list[Victim], kills: int) -> None:
        poll = select.poll()
        by_descriptor: dict[int, Victim] = {}

        def live(victim: Victim) -> None:
            victim.live()
            poll.register(victim.descriptor, select.POLLIN)
            by_descriptor[victim.descriptor] = victim

        for victim in victims:
            live(victim)
        hall = victims[1]
        phase: tuple[str, ...] = ()
        total = turn = 0
        while total < kills or hall.kills.total() < HALL_SHARE * kills:
            if len(self.outcome.faults) > _FAULTS:
                break
            if total >= turn:
                turn = total + self._dice.randint(1, _PHASE_KILLS)
                phase = self._dice.choice(_PHASES)
                for victim in victims:
                    if victim.name in phase and victim.deadline == float("inf"):
                        victim.doom(self._pace, fresh=False)
            now = time.monotonic()
            for victim in victims:
                if victim.deadline <= now:
                    victim.strike()
            nearest = min(victim.deadline for victim in victims)
            for descriptor, _ in poll.poll(max(0.0, min(nearest - now, 1.0)) * 1000):
                victim = by_descriptor.pop(descriptor)
                poll.unregister(descriptor)
                if (strange := victim.bury()) is not None:
                    self.outcome.faults.append(strange)
                total += 1
                live(victim)
                if victim.name in phase:
                    victim.doom(self._pace, fresh=True)
            self._listen()
        for victim in victims:
            victim.kill()
            victim.bury()

    def _settle(self) -> None:
        """Let everything arrive that was acknowledged."""
        client = QueueClient(
            Path(DataLayout(self._places.terminal).queue_socket), delays=ClientDelays(call_s=30, status_s=5)
        )
        end, left = time.monotonic() + _SETTLE_S, None
        while True:
            status = client.status()
            self._listen()
            if status.accepting and not status.pending:
                break
            if status.pending != left:
                left, end = status.pending, time.monotonic() + _SETTLE_S
            if time.monotonic() > end:
                self.outcome.faults.append(f"not drained: {status.pending} left, {status.last_error}")
                return
            time.sleep(0.05)
        if status.parked and self._careless is Careless.NOT:
            self.outcome.faults.append(f"{status.parked} parked")
        for id_ in sorted(self._said.filed):
            state = client.state(id_)
            # Absent is forgotten after its time, which needs an acceptance before.
            if state not in (Ok(SubmissionState.ACCEPTED), Ok(SubmissionState.ABSENT)):
                self.outcome.faults.append(f"{id_} is {state}")

    # --- processes ---------------------------------------------------------------------------------------------

    def _terminal(self) -> Profile:
        assert self._profile is not None
        return self._profile

    def _start_queue(self, page: Page | None) -> int:
        return fork(
            lambda: actors.run_queue(self._places, self._terminal(), careless=self._careless, page=page),
            log=self._log,
        )

    def _start_hall(self, page: Page | None) -> int:
        return fork(
            lambda: actors.run_hall(self._places, port=self._port, told=self._told, careless=self._careless, page=page),
            log=self._log,
        )

    def _wait(self, pid: int) -> None:
        _, status = os.waitpid(pid, 0)
        if status != 0:
            raise RuntimeError(self._log.read_text())

    def _wait_for_port(self) -> int:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for line in self._told.lines():
                if line[0] == "port":
                    return int(line[1])
            time.sleep(0.01)
        raise RuntimeError(self._log.read_text())

    def _listen(self) -> None:
        for line in self._told.lines():
            self._said.hear(line)


def judge(places: Places, said: Promises, outcome: Outcome) -> None:
    """Compare what was promised with what lies on the disks."""
    hall = sqlite3.connect(f"file:{places.hall / 'hall.db'}?mode=ro", uri=True)
    try:
        effects = Counter(
            str(sha)
            for (sha,) in hall.execute("select s.sha256 from submissions s join cases c on c.submission_id = s.id")
        )
        rows = hall.execute("select count(*) from submissions").fetchone()[0]
        jobs = hall.execute("select count(*) from cases").fetchone()[0]
        if hall.execute("pragma integrity_check").fetchall() != [("ok",)]:
            outcome.faults.append("the hall's database is damaged")
        if rows != jobs:
            outcome.faults.append(f"{rows} submissions, {jobs} cases")
        torn = hall.execute(
            "select count(*) from cases c where events != (select count(*) from events e"
            " where e.application_no = c.application_no)"
        ).fetchone()[0]
        if torn:
            outcome.faults.append(f"{torn} cases whose events are torn")
    finally:
        hall.close()
    outcome.filed, outcome.signed, outcome.effects = len(said.filed), len(said.signed), effects.total()
    promised = {said.tried[id_] for id_ in said.filed} | {said.tried[id_] for id_ in said.signed if id_ in said.tried}
    outcome.again = sum(receipts.total() - 1 for receipts in said.signed.values())
    outcome.lost = len(promised - effects.keys())
    outcome.doubled = sum(1 for count in effects.values() if count > 1)
    outcome.doubled += sum(1 for receipts in said.signed.values() if len(receipts) > 1)
    if unknown := len(effects.keys() - set(said.tried.values())):
        outcome.faults.append(f"{unknown} effects of filings that nobody made")
    if len(said.numbers) != len(set(said.numbers)):
        outcome.faults.append("an application number was given twice")
    queue = sqlite3.connect(places.terminal / "queue" / "queue.db")
    try:
        if queue.execute("pragma integrity_check").fetchall() != [("ok",)]:
            outcome.faults.append("the queue's database is damaged")
    finally:
        queue.close()
    left = [path for path in (places.terminal / "queue" / "blobs").rglob("*") if path.is_file()]
    # What a killed process left half-way goes at the next start; nothing else may be there.
    if len(left) > 2 and not outcome.lost:
        outcome.faults.append(f"{len(left)} materials lie about")


def soak(kills: int, *, seed: int, careless: Careless = Careless.NOT, streets: int = STREETS) -> list[Outcome]:
    """Run the streets side by side; this process must have been started with the watcher inside."""
    # Whatever a child would import at its first step is imported here once.
    for module in _WARM:
        importlib.import_module(module)
    gc.freeze()
    outcomes: list[Outcome] = []
    with scratch("crash-", keep=bool(os.environ.get("CRASH_KEEP"))) as base:
        pids = {}
        for number in range(streets):
            places = Places(base / str(number), f"T{number + 1:03d}")
            places.root.mkdir()
            result = base / f"{number}.json"

            def work(places: Places = places, number: int = number, result: Path = result) -> int:
                outcome = Street(places, seed=seed + number, careless=careless).run(-(-kills // streets))
                result.write_text(json.dumps(outcome.__dict__))
                return 0

            pids[fork(work, log=base / f"{number}.log")] = result
        for pid, result in pids.items():
            os.waitpid(pid, 0)
            if result.exists():
                outcomes.append(Outcome(**json.loads(result.read_text())))
            else:
                outcomes.append(Outcome(seed, faults=["street failed: " + result.with_suffix(".log").read_text()]))
    return outcomes


def report(outcomes: list[Outcome], *, points: bool) -> str:
    """Figures for people."""
    total = {name: sum(outcome.kills.get(name, 0) for outcome in outcomes) for name in ("terminal", "hall")}
    kills = sum(total.values())
    share = total["hall"] / kills if kills else 0
    lines = [
        f"kills {kills} (terminal {total['terminal']}, hall {total['hall']} = {share:.0%})"
        f"  filed {sum(o.filed for o in outcomes)}  signed {sum(o.signed for o in outcomes)}"
        f" and {sum(o.again for o in outcomes)} again"
        f"  effects {sum(o.effects for o in outcomes)}  lost {sum(o.lost for o in outcomes)}"
        f"  doubled {sum(o.doubled for o in outcomes)}  in {max((o.seconds for o in outcomes), default=0):.0f} s"
    ]
    where: Counter[str] = Counter()
    for outcome in outcomes:
        where.update(outcome.points)
    if points:
        lines += [f"  {count:6} {point}" for point, count in sorted(where.items())]
    at = sum(count for point, count in where.items() if not point.endswith("clock"))
    lines.append(f"{at} of them at an operation on a file, {len(where)} kinds of moments")
    for outcome in outcomes:
        lines += [f"seed {outcome.seed}: {fault}" for fault in outcome.faults]
    return "\n".join(lines)


def verdict(outcomes: list[Outcome], kills: int) -> list[str]:
    """Why this run does not count; empty when it does."""
    done = sum(sum(outcome.kills.values()) for outcome in outcomes)
    halls = sum(outcome.kills.get("hall", 0) for outcome in outcomes)
    filed = sum(outcome.filed for outcome in outcomes)
    why = []
    if not all(outcome.good() for outcome in outcomes):
        why.append("something was lost, doubled or strange")
    if done < kills:
        why.append(f"only {done} kills")
    if halls < HALL_SHARE * kills:
        why.append(f"only {halls} halls killed")
    if filed < kills / 20:
        why.append(f"only {filed} filings: nothing was proven")
    return why


def main(arguments: Any = None) -> int:
    """Exit code 0 when nothing was lost or doubled."""
    words = argparse.ArgumentParser(description="kill -9 soak of terminal and hall")
    words.add_argument("--kills", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    words.add_argument("--careless", type=Careless, default=Careless.NOT, choices=list(Careless))
    words.add_argument("--json", action="store_true", help="only one line for machines")
    told = words.parse_args(arguments)
    if not told.json:
        sys.stdout.write(f"seed {told.seed}\n")
        sys.stdout.flush()
    outcomes = soak(told.kills, seed=told.seed, careless=told.careless)
    why = verdict(outcomes, told.kills)
    if told.json:
        sys.stdout.write(
            json.dumps({"seed": told.seed, "why": why, "streets": [outcome.__dict__ for outcome in outcomes]}) + "\n"
        )
    else:
        sys.stdout.write(report(outcomes, points=True) + "\n" + ("; ".join(why) or "nothing lost, nothing doubled"))
        sys.stdout.write("\n")
    return 1 if why else 0


if __name__ == "__main__":
    reexec("tests.crash.kills")
    sys.exit(main())
