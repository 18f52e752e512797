"""A city comes back at once (Q10): thousands of terminals, the real `Pacer` and `BatchSize` in each, one real `Leases`.

A discrete-event simulation on a clock of its own; nothing sleeps. Simulated are only the line (a delay) and the hall's
speed (a queue that is served at a fixed rate). ``python -m tests.net.fleet`` prints the figures.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hall.terminals.leases import Leases
from kiosk.contract.problems import ProblemCode
from offline_queue.uplink.batching import BatchSize
from offline_queue.uplink.pacing import Lane, Pacer, StepOver
from offline_queue.uplink.policy import CallError, SyncDelays, Trouble
from offline_queue.uplink.submissions import BULK_LINES
from offline_queue.uplink.sync_state import SyncState

START = datetime(2026, 11, 22, tzinfo=UTC)
ITEMS_A_BATCH = 64


class SimulatedClock:
    """Time as the simulation has it."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at


@dataclass(frozen=True)
class City:
    """What comes back."""

    terminals: int = 20_000
    batches: int = 20
    """Full ones, that wait at each terminal."""
    hall_batches_s: float = 2000.0
    """What the hall can take."""
    rtt_s: float = 0.2
    send_s: float = 0.25
    """A full batch over a village line."""
    outage_s: float = 12 * 3600.0

    @property
    def ideal_s(self) -> float:
        """The hall never idle, nobody put off."""
        return self.terminals * self.batches / self.hall_batches_s


@dataclass
class Told:
    """What came of it."""

    seconds: float = 0.0
    requests: int = 0
    put_off: int = 0
    peak: float = 0.0
    """Requests in the busiest second."""
    items: int = 0
    left: int = 0
    last_first: float = 0.0
    """When the last terminal had its first word with the hall."""
    by_second: Counter[int] = field(default_factory=Counter)


class Terminal:
    """One terminal's scheduling: real classes, no threads."""

    def __init__(self, name: str, city: City, clock: SimulatedClock, chance: random.Random) -> None:
        self.name = name
        self.state = SyncState(monotonic=clock.monotonic)
        self.pacer = Pacer(state=self.state, clock=clock, random=chance.random, delays=SyncDelays())
        self.size = BatchSize()
        self.left = city.batches * ITEMS_A_BATCH
        self.flying = 0
        self.met = False
        # It has been trying for hours: deep in its backoff when the hall returns.
        self.pacer.returning(away_s=city.outage_s)
        for _ in range(10):
            try:
                self.pacer.failed(Lane.HEARTBEAT, CallError(Trouble.UNREACHABLE))
            except StepOver:
                continue

    def batch(self) -> int:
        """How many the next batch holds; 0: nothing may go now. As `SubmissionRound` decides it."""
        if self.pacer.paused() > 0 or self.pacer.away_for_long() or self.pacer.wait(Lane.BACKLOG) > 0:
            return 0
        if self.flying >= BULK_LINES or (self.flying and not self.pacer.taking()):
            return 0
        if not self.pacer.taking():
            self.size.restart()
        return min(self.size.items, self.left)


def come_back(city: City, *, seed: int = 1, leases: Callable[[SimulatedClock], Leases] | None = None) -> Told:
    """Run it to the end."""
    clock, told = SimulatedClock(), Told()
    chance = random.Random(seed)
    rate = city.hall_batches_s * ITEMS_A_BATCH
    turns = leases(clock) if leases is not None else Leases(items_per_s=rate, monotonic=clock.monotonic)
    served_at = 0.0
    events: list[tuple[float, int, Callable[[], None]]] = []
    number = 0

    def later(seconds: float, what: Callable[[], None]) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (clock.at + seconds, number, what))

    def look(terminal: Terminal) -> None:
        if not terminal.met:
            if (paused := terminal.pacer.paused()) > 0:
                later(paused, lambda: look(terminal))
                return
            # The heartbeat that tried the line all the time is answered.
            terminal.met = True
            told.last_first = clock.at
            terminal.pacer.went_well(Lane.HEARTBEAT, again=3600.0)
        while terminal.left and (items := terminal.batch()):
            terminal.left -= items
            terminal.flying += 1
            later(city.rtt_s / 2 + city.send_s * items / ITEMS_A_BATCH, lambda items=items: arrive(terminal, items))  # type: ignore[misc]
        if terminal.left and not terminal.flying:
            later(max(0.001, terminal.pacer.paused(), terminal.pacer.wait(Lane.BACKLOG)), lambda: look(terminal))

    def arrive(terminal: Terminal, items: int) -> None:
        nonlocal served_at
        told.requests += 1
        told.by_second[int(clock.at)] += 1
        wait = turns.wait(terminal.name, pending=terminal.left + items)
        if wait > 0:
            told.put_off += 1
            later(city.rtt_s / 2, lambda: put_off(terminal, items, wait))
            return
        served_at = max(served_at, clock.at) + items / rate
        later(served_at - clock.at + city.rtt_s / 2, lambda: taken(terminal, items))

    def put_off(terminal: Terminal, items: int, wait: float) -> None:
        terminal.flying -= 1
        terminal.left += items
        error = CallError(Trouble.PROBLEM, 503, ProblemCode.BUSY, retry_after_s=int(wait) + 1, slot_s=wait, sent=True)
        terminal.pacer.failed(Lane.BACKLOG, error)
        look(terminal)

    def taken(terminal: Terminal, items: int) -> None:
        terminal.flying -= 1
        told.items += items
        terminal.pacer.went_well(Lane.BACKLOG)
        terminal.size.grow()
        told.seconds = clock.at
        look(terminal)

    fleet = [Terminal(f"{n:04d}", city, clock, chance) for n in range(city.terminals)]
    for terminal in fleet:
        look(terminal)
    while events:
        clock.at, _, what = heapq.heappop(events)
        what()
    told.left = sum(terminal.left for terminal in fleet)
    told.peak = max(told.by_second.values())
    return told


def figures(city: City, told: Told) -> dict[str, float]:
    """The three of Q10, and what they come from."""
    return {
        "terminals": city.terminals,
        "seconds": round(told.seconds, 1),
        "of_ideal": round(told.seconds / city.ideal_s, 3),
        "peak_of_capacity": round(told.peak / city.hall_batches_s, 3),
        "put_off": round(told.put_off / told.requests, 4),
        "requests": told.requests,
        "last_first_s": round(told.last_first, 1),
    }


def main() -> None:
    """The whole city."""
    city = City(terminals=int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
    sys.stdout.write(json.dumps(figures(city, come_back(city))) + "\n")


if __name__ == "__main__":
    main()
