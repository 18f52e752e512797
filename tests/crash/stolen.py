"""The stolen disk: no file of the terminal, at any moment, nor the queue process's memory, says who filed.

python -m tests.crash.stolen [--cuts N] [--persons N] [--seed S] [--careless]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kiosk.core.id_card import CardType, IdCard
from kiosk.core.ports import Link
from kiosk.core.profile import DataLayout
from kiosk.core.result import Ok
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.seal import TerminalCardKeys, TerminalSealer
from tests.crash.filings import BIRTH, SURNAME, filings, person, planted
from tests.crash.powercut import trace_of
from tests.crash.processes import WORKERS, scratch, side_by_side
from tests.crash.replay import Names, cuts
from tests.crash.shim import ROOT, Op, Shim, die_with_parent, reexec
from tests.crash.workloads import Work
from tests.queue.conftest import HallSecrets, Terminal, make_pki, make_terminal

_MAPS = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ \S+ *(.*)$")
_PIECE = 1 << 22
_FILINGS = 60
"""A day."""
_CUTS_A_DAY = 125
_STARTS = 9
"""Of the needles: what all others begin with."""


def needles(persons: int) -> tuple[bytes, ...]:
    """What every planted name and number begins with, in each coding; then all of them in full."""
    codings = ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
    starts = [text.encode(coding) for text in (SURNAME, BIRTH) for coding in codings]
    return (*starts, SURNAME.encode("ascii", "backslashreplace"), *planted(persons))


def found_in(raw: bytes, words: Iterable[bytes]) -> int:
    """How many of the words are in there."""
    return sum(word in raw for word in words)


@dataclass
class Outcome:
    """What was looked at, and what was found."""

    needles: int = 0
    cuts: int = 0
    files: int = 0
    bytes: int = 0
    written: int = 0
    """Bytes that were written to the disk at all."""
    memory: int = 0
    """Bytes of the queue process that were looked at."""
    on_disk: int = 0
    in_memory: int = 0
    control: int = 0
    """Found in the memory of the one who filed: the search works."""

    def add(self, day: Outcome) -> None:
        """What was found on the disk of another day."""
        self.cuts += day.cuts
        self.files += day.files
        self.bytes += day.bytes
        self.written += day.written
        self.on_disk += day.on_disk


@dataclass
class Day(Work):
    """A day of filings whose drafts are sealed as the terminal seals them."""

    keys: TerminalCardKeys | None = None
    careless_drafts: bool = False
    serial: int = 0

    def _draft(self) -> None:
        assert self.keys is not None
        self.serial += 1
        who = person(self.serial)
        content = f"{who.name} {who.number} {who.address}".encode() * 20
        card = card_of(who.name, who.number)
        sealed = content if self.careless_drafts else self.keys.seal(card, content)
        self.drafts.keep(self.keys.tag(card), "1", sealed)


def card_of(name: str, number: str) -> IdCard:
    """As a reader gives it."""
    return IdCard(
        type=CardType.RESIDENT,
        name=name,
        id_number=number,
        sex="1",
        nation="汉",
        birth=date(1955, 3, 17),
        address=f"{name}路",
        issuer="测试市公安局",
        valid_from=date(2020, 1, 1),
        valid_to=None,
        photo=bytes(range(256)) * 4,
    )


def disk(base: Path, terminal: Terminal, *, count: int, words: tuple[bytes, ...], seed: int, careless: bool) -> Outcome:
    """Trace one day, cut it `count` times, read every file."""
    outcome = Outcome()
    data, image = base / "data", base / "image"
    data.mkdir()
    dice = random.Random(seed)
    made = Day(
        data,
        list(filings(terminal.sealer(), terminal_id="T001", count=_FILINGS, dice=dice)),
        Shim.here().mark,
        random.Random(seed),
        _FILINGS,
        keys=TerminalCardKeys.of(terminal.data),
        careless_drafts=careless,
    )
    records = trace_of(made, trace=base / "trace")
    written = b"\0".join(record.data for record in records if record.op is Op.WRITE)
    outcome.written = len(written)
    outcome.on_disk = found_in(written, words)
    # What is nowhere in what was written can be in no file; the images prove the other way.
    for number, names in enumerate(Names):
        share = len(range(number, count, len(Names)))
        for _ in cuts(records, root=data, start=None, names=names, count=share, dice=dice, image=image):
            outcome.cuts += 1
            for path in image.rglob("*"):
                if path.is_file():
                    raw = path.read_bytes()
                    outcome.files += 1
                    outcome.bytes += len(raw)
                    outcome.on_disk += found_in(raw, words[:_STARTS])
                    outcome.on_disk += found_in(str(path).encode(), words[:_STARTS])
    shutil.rmtree(data)
    return outcome


def memory(outcome: Outcome, terminal: Terminal, *, words: tuple[bytes, ...], seed: int) -> None:
    """A real queue process, fed over its socket; afterwards all of its memory is searched."""
    (terminal.data / "profile.json").write_text(terminal.profile.model_dump_json(by_alias=True))
    program = (
        "import sys; from pathlib import Path; from kiosk.core.profile import Profile\n"
        "from offline_queue.process import main\n"
        "data = Path(sys.argv[1])\n"
        "main(Profile.model_validate_json((data / 'profile.json').read_bytes()), data=data, software='t')"
    )
    log = terminal.data / "sync.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(terminal.data)],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            stderr=file,
            preexec_fn=die_with_parent,
        )
    try:
        client = QueueClient(Path(DataLayout(terminal.data).queue_socket), delays=ClientDelays(call_s=60, status_s=10))
        sealer = TerminalSealer.of(terminal.data)
        keys = TerminalCardKeys.of(terminal.data)
        for serial, sealed in enumerate(filings(sealer, terminal_id="T001", count=20, dice=random.Random(seed))):
            who = person(serial)
            card = card_of(who.name, who.number)
            slip = keys.seal(card, f"{who.name} {who.number}".encode())
            assert client.put(sealed, card_tag=keys.tag(card), slip=slip) == Ok(None)
            assert isinstance(client.owed(keys.tag(card)), Ok)
        assert client.status().link is not Link.UP
        seen, hits = search_memory(process.pid, words)
        outcome.memory, outcome.in_memory = seen, hits
        outcome.control = search_memory(os.getpid(), words)[1]
        outcome.on_disk += sum(
            found_in(path.read_bytes(), words) for path in terminal.data.rglob("*") if path.is_file()
        )
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def search_memory(pid: int, words: tuple[bytes, ...]) -> tuple[int, int]:
    """Bytes looked at, and hits, in everything of a process that can be read."""
    overlap = max(map(len, words))
    seen = hits = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            match = _MAPS.match(line)
            if match is None or match[4].startswith(("[v", "/usr", "/lib")) or ".so" in match[4]:
                continue
            at, end = int(match[1], 16), int(match[2], 16)
            rest = b""
            while at < end:
                with suppress(OSError):
                    file.seek(at)
                    piece = rest + file.read(min(_PIECE, end - at))
                    seen += len(piece) - len(rest)
                    hits += found_in(piece, words[:_STARTS])
                    rest = piece[-overlap:]
                at += _PIECE
    return seen, hits


def run(*, cuts_: int, persons: int, seed: int, careless: bool = False) -> Outcome:
    """All of it."""
    words = needles(persons)
    outcome = Outcome(needles=len(words))
    days = -(-cuts_ // _CUTS_A_DAY)
    with scratch("stolen-") as base, tempfile.TemporaryDirectory() as own:
        terminal = make_terminal(Path(own) / "data", make_pki(), HallSecrets.generate())

        def share(worker: int, place: Path) -> dict[str, Any]:
            mine = Outcome()
            for day in range(worker, days, WORKERS):
                count = len(range(day, cuts_, days))
                mine.add(disk(place, terminal, count=count, words=words, seed=seed + day, careless=careless))
            return mine.__dict__

        made, faults = side_by_side(share, base=base)
        if faults:
            raise RuntimeError("\n".join(faults))
        for days_of_one in made:
            outcome.add(Outcome(**days_of_one))
        memory(outcome, terminal, words=words, seed=seed)
    return outcome


def main(arguments: Any = None) -> int:
    """Exit code 0 when nothing was found, and the search could find."""
    words = argparse.ArgumentParser(description="the stolen disk")
    words.add_argument("--cuts", type=int, default=1000)
    words.add_argument("--persons", type=int, default=40)
    words.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    words.add_argument("--careless", action="store_true", help="drafts are kept open: must be found")
    told = words.parse_args(arguments)
    began = time.monotonic()
    outcome = run(cuts_=told.cuts, persons=told.persons, seed=told.seed, careless=told.careless)
    sys.stdout.write(
        f"seed {told.seed}\n{outcome.needles} forms of {told.persons} persons' names, numbers and addresses:"
        f" {outcome.on_disk} found in {outcome.files} files ({outcome.bytes >> 20} MiB) of {outcome.cuts} stop points,"
        f" {outcome.written >> 20} MiB written to them; {outcome.in_memory} in {outcome.memory >> 20} MiB of memory"
        f" of the queue process ({outcome.control} in the searcher's own); {time.monotonic() - began:.0f} s\n"
    )
    return 0 if outcome.control and not outcome.on_disk and not outcome.in_memory else 1


if __name__ == "__main__":
    reexec("tests.crash.stolen")
    sys.exit(main())
