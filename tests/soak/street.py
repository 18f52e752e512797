"""The soak: days in seconds, three terminals and a hall as real processes, and everything that goes wrong with them.

The oracle is what citizens were told: every acknowledged filing is at the hall once, and nothing else is.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.core.result import Ok
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.seal import TerminalSealer
from tests.hall.conftest import HallProcess, TestTerminal, enrolled
from tests.soak.link import Link
from tests.soak.report import Report, rows, size

ROOT = Path(__file__).resolve().parents[2]
DAY_S = 86400
YEAR_S = 365 * DAY_S
FIRST = 0
"""Number of a case's first event."""
TERMINALS = ("T001", "T002", "T003")
_PAPER_BYTES = 150_000
"""Of a photograph: a line that breaks every few seconds breaks in the middle of one."""
_PAPERS = 1 / 32
"""So many filings have one: files go behind all else, and here somebody files several times a second."""


class Wall:
    """The wall clock of one program, moved while it runs."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(mmap.PAGESIZE))
        self.path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.extra = 0

    def set(self, seconds: int) -> None:
        """Days that have passed; what is wrong with this one clock comes on top."""
        self._map[:8] = struct.pack("l", seconds + self.extra)


@dataclass
class Machine:
    """One terminal: its queue process, its line, its citizens."""

    terminal: TestTerminal
    link: Link
    wall: Wall
    program: subprocess.Popen[str]
    told: dict[str, str] = field(default_factory=dict)
    """Acknowledged: id → SHA-256."""
    doubtful: set[str] = field(default_factory=set)
    """No answer, or an error: may be there or not."""
    papers: set[str] = field(default_factory=set)
    """SHA-256 of the sealed papers of what was acknowledged."""
    pid: int = 0
    rss: list[int] = field(default_factory=list)

    @property
    def client(self) -> QueueClient:
        return QueueClient(Path(self.terminal.machine.layout.queue_socket), delays=ClientDelays(call_s=10, status_s=2))

    def start(self) -> None:
        assert self.program.stdin is not None and self.program.stdout is not None
        self.program.stdin.write("start\n")
        self.program.stdin.flush()
        self.pid = int(self.program.stdout.readline())

    def alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        if self.pid > 1:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def room(self, size: int) -> None:
        """No file may grow beyond this any more (every write fails at 0), or all of them again."""
        with suppress(ProcessLookupError):
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def file(self, *, with_paper: bool) -> None:
        """One citizen; what she was told is what counts."""
        number = self.client.reserve_number()
        if not isinstance(number, Ok):
            return
        if with_paper:
            paper = os.urandom(_PAPER_BYTES)
            sealed = self.terminal.sealed_renewal(application_no=number.value, licence_id="none", picture=paper)
        else:
            session = TerminalSealer.of(self.terminal.machine.data).open_session()
            sealed = session.seal(self.terminal.question(application_no=number.value), ())
            session.close()
        if self.client.put(sealed, card_tag=b"", slip=b"") == Ok(None):
            self.told[sealed.id] = hashlib.sha256(sealed.envelope).hexdigest()
            self.papers.update(hashlib.sha256(blob).hexdigest() for blob in sealed.blobs)
        else:
            self.doubtful.add(sealed.id)

    def sample(self) -> None:
        """Memory in KiB."""
        with suppress(OSError, IndexError, ValueError):
            status = Path(f"/proc/{self.pid}/status").read_text()
            self.rss.append(int(status.split("VmRSS:")[1].split()[0]))


@dataclass(frozen=True, slots=True)
class Bustle:
    """How much goes on."""

    citizens_a_second: float = 6.0
    """At each terminal, while it takes no time to file."""
    between_faults_s: tuple[float, float] = (0.2, 1.5)
    """On the whole street."""


BUSY = Bustle()


class Street:
    """Three terminals and a hall on one line of time."""

    def __init__(self, root: Path, *, seed: int, days_a_second: float, bustle: Bustle = BUSY) -> None:
        self._pace, self._bustle = days_a_second, bustle
        self.seed, self.dice, self.root = seed, random.Random(seed), root
        self.faults: Counter[str] = Counter()
        self._starting = threading.Lock()
        self._library = root / "wall.so"
        source = Path(__file__).with_name("wall.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self._library, source, "-ldl"], check=True)
        self.hall_wall = Wall(root / "hall.wall")
        self.hall = HallProcess(root / "hall")
        self.hall.do("publish")
        self._start_hall()
        self.machines = [self._machine(name) for name in TERMINALS]
        self.days = 0.0
        self._mend: list[tuple[float, Callable[[], None]]] = []

    def run(self, seconds: float, *, patience_s: float = 600.0) -> Report:
        """So long with faults, then peace until everything has arrived."""
        began = time.monotonic()
        ends, stop = began + seconds, threading.Event()
        citizens = [threading.Thread(target=self._citizens, args=(machine, stop)) for machine in self.machines]
        for machine in self.machines:
            machine.start()
        for thread in citizens:
            thread.start()
        next_fault = began + 1.0
        while (now := time.monotonic()) < ends:
            self._pass_time((now - began) * self._pace)
            if now >= next_fault:
                self._go_wrong(now)
                next_fault = now + self.dice.uniform(*self._bustle.between_faults_s)
            for at, mend in [entry for entry in self._mend if entry[0] <= now]:
                self._mend.remove((at, mend))
                mend()
            self._keep_up()
            time.sleep(0.02)
        stop.set()
        for thread in citizens:
            thread.join()
        self._peace()
        self._wait(lambda: all(self._empty(machine) for machine in self.machines), patience_s)
        return self.count(time.monotonic() - began)

    def close(self) -> None:
        for machine in self.machines:
            machine.kill()
            machine.program.communicate(timeout=30)
            machine.link.close()
            machine.terminal.http.close()
        if self.hall.running():
            self.hall.kill()

    # --- what goes wrong ----------------------------------------------------------------------------------------

    def _go_wrong(self, now: float) -> None:
        machine = self.dice.choice(self.machines)
        later = now + self.dice.uniform(0.3, 3.0)
        match self.dice.choice(("kill", "kill", "cut", "cut", "hall killed", "hall restarted", "clock", "disk full")):
            case "kill":
                self._count("terminal killed")
                machine.kill()
            case "cut":
                self._count("link cut")
                machine.link.cut()
                self._mend.append((later, machine.link.mend))
            case "hall killed":
                self._count("hall killed")
                self.hall.kill()
                self._start_hall()
            case "hall restarted":
                self._count("hall restarted")
                self.hall.stop()
                self._start_hall()
            case "clock":
                self._count("clock jumped")
                machine.wall.extra = self.dice.choice((YEAR_S, -YEAR_S, -int(time.time()), 3 * DAY_S, -3600))
                self._mend.append((later, lambda: setattr(machine.wall, "extra", 0)))
            case _:
                self._count("disk full")
                machine.room(0)
                self._mend.append((later, lambda: machine.room(resource.RLIM_INFINITY)))

    def _count(self, fault: str) -> None:
        self.faults[fault] += 1

    def _keep_up(self) -> None:
        """What a supervisor does: whoever is gone is started again."""
        for machine in self.machines:
            if not machine.alive():
                machine.start()
            machine.sample()

    def _peace(self) -> None:
        for machine in self.machines:
            machine.wall.extra = 0
            machine.link.mend()
            machine.room(resource.RLIM_INFINITY)
        self._mend.clear()
        self._pass_time(self.days)

    def _pass_time(self, days: float) -> None:
        self.days = days
        for wall in (self.hall_wall, *(machine.wall for machine in self.machines)):
            wall.set(round(days * DAY_S))

    # --- parts ----------------------------------------------------------------------------------------------------

    def _citizens(self, machine: Machine, stop: threading.Event) -> None:
        dice = random.Random(f"{self.seed} {machine.terminal.id}")
        while not stop.wait(dice.expovariate(self._bustle.citizens_a_second)):
            machine.file(with_paper=dice.random() < _PAPERS)

    def _start_hall(self) -> None:
        with self._starting:
            os.environ.update(LD_PRELOAD=str(self._library), WALL_FILE=str(self.hall_wall.path))
            try:
                self.hall.start()
            finally:
                del os.environ["LD_PRELOAD"], os.environ["WALL_FILE"]
        for machine in getattr(self, "machines", ()):
            machine.link.hall_port = self.hall.port

    def _machine(self, name: str) -> Machine:
        terminal = enrolled(self.hall, self.root / name, name)
        data = terminal.machine.data
        link, wall = Link(self.hall.port), Wall(self.root / f"{name}.wall")
        profile = terminal.machine.profile
        hall = profile.hall.model_copy(update={"url": f"https://127.0.0.1:{link.port}"})
        (data / "profile.json").write_text(profile.model_copy(update={"hall": hall}).model_dump_json(by_alias=True))
        program = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.child", str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "LD_PRELOAD": str(self._library),
                "WALL_FILE": str(wall.path),
            },
            text=True,
        )
        return Machine(terminal, link, wall, program)

    def _empty(self, machine: Machine) -> bool:
        if not machine.alive():
            machine.start()
        status = machine.client.status()
        return status.accepting and status.pending == 0

    def _has_paper(self, sha256: str) -> bool:
        place = self.root / "hall" / "blobs" / sha256[:2] / sha256[2:4] / sha256
        return place.is_file() and hashlib.sha256(place.read_bytes()).hexdigest() == sha256

    @staticmethod
    def _wait(condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.2)

    def count(self, seconds: float) -> Report:
        """What is where now, against what citizens were told."""
        database = self.root / "hall" / "hall.db"
        held = rows(database, "select id, sha256 from submissions")
        cases = rows(database, "select submission_id, count(*) from cases group by 1")
        # Each case's history begins with its filing and has no gap: what belongs to one case came in its order.
        chains = rows(database, "select application_no, min(seq), max(seq), count(*) from events group by 1")
        at_hall = dict(held)
        told = {id_: sha256 for machine in self.machines for id_, sha256 in machine.told.items()}
        papers = set().union(*(machine.papers for machine in self.machines))
        doubtful = set().union(*(machine.doubtful for machine in self.machines))
        here = {
            id_: state
            for machine in self.machines
            for id_, state in rows(Path(machine.terminal.machine.layout.queue_db), "select id, state from submissions")
        }
        known = rows(database, "select count(*) from renewals where confirmed_at is not null")
        samples = [machine.rss for machine in self.machines if len(machine.rss) >= 8]
        early = max((max(rss[: len(rss) // 4]) for rss in samples), default=0)
        late = max((max(rss[-len(rss) // 4 :]) for rss in samples), default=0)
        return Report(
            seed=self.seed,
            seconds=seconds,
            days=self.days,
            told=len(told),
            at_hall=len(at_hall),
            doubtful=len(doubtful),
            papers=len(papers),
            lost=[id_ for id_, sha256 in told.items() if at_hall.get(id_) != sha256]
            + [sha256 for sha256 in papers if not self._has_paper(sha256)],
            doubled=[id_ for id_, count in cases if count != 1]
            + [number for number, first, last, count in chains if (first, last) != (FIRST, FIRST + count - 1)],
            unasked=[id_ for id_ in at_hall if id_ not in told and id_ not in doubtful],
            # What was accepted long ago is forgotten at the terminal, and is at the hall or counted as lost.
            not_accepted=[id_ for id_, state in here.items() if (state == "accepted") is not (id_ in at_hall)],
            forgotten=sum(id_ not in here for id_ in told),
            faults=self.faults,
            rss_mib=(early // 1024, late // 1024),
            disk_kib=max(size(Path(machine.terminal.machine.layout.queue)) for machine in self.machines) // 1024,
            renewals=known[0][0],
        )
