"""The inside of the simulated A4 printer: tray, engine, jobs and finished sheets. No sockets; callers hold its lock."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PENDING, HELD, PROCESSING, STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)
Supply = Literal["full", "low", "out"]
INCOMING_TIMEOUT_S = 60.0
A4 = "iso_a4_210x297mm"
SIZES = (A4, "iso_a5_148x210mm", "na_letter_8.5x11in")
BLOCKS = {
    "jam": "media-jam-error",
    "door": "door-open-error",
    "cover": "cover-open-error",
    "tray_out": "input-tray-missing-error",
    "output_full": "output-area-full-error",
    "hot": "fuser-over-temp-error",
    "broken": "other-error",
    "paused": "paused",
}
"""What a hand or fate does to it, and the word it has for that. While one of them holds the engine stands still."""
TONER_PERCENT = {"full": 80, "low": 8, "out": 0}


@dataclass(slots=True)
class Job:
    """One print job."""

    id: int
    """At the IPP side; begins anew when it is switched on."""
    n: int
    """Never given twice."""
    name: str
    user: str
    media: str = A4
    sides: str = "one-sided"
    state: int = PENDING
    reasons: list[str] = field(default_factory=lambda: ["job-incoming"])
    pdf: Path | None = None
    pages: int = 0
    printed: int = 0
    torn: int = 0
    """Pages that were taken out."""
    at: float = 0.0
    created_s: int = 0
    ended_s: int | None = None
    """By printer-up-time."""

    @property
    def over(self) -> bool:
        """Ended."""
        return self.state in (CANCELED, ABORTED, COMPLETED)

    def describe(self) -> dict[str, int | str | bool]:
        """For `list`."""
        return {
            "n": self.n,
            "job": self.name,
            "pages": self.pages,
            "printed": self.printed,
            "complete": self.state == COMPLETED,
            "torn": self.printed > 0 and self.torn >= self.printed,
            "media": self.media,
            "sides": self.sides,
        }


class Engine:
    """Prints one page after another as long as nothing stops it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lock = threading.Condition()
        self.paper: Supply = "full"
        self.media = A4
        """What lies in the tray."""
        self.sheets_left: int | None = None
        self.toner: Supply = "full"
        self.toner_percent: int | None = None
        """None: as `toner` says."""
        self.blocks = dict.fromkeys(BLOCKS, False)
        self.says: list[str] = []
        """More printer-state-reasons; an error among them stops it."""
        self.abort_next = self.errors_next = False
        self.page_s = 0.0
        """Time for one page."""
        self.impressions = 0
        self.jobs: dict[int, Job] = {}
        """What it knows of."""
        self.papers: dict[int, Job] = {}
        """What was ever handed in, by `n`."""
        first = max((int(path.stem.rpartition("-")[2]) for path in folder.glob("page-*.pdf")), default=0) + 1
        self._numbers = itertools.count(first)
        self._ids = itertools.count(1)
        self._began = time.monotonic()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="page-sim", daemon=True)

    def start(self) -> None:
        """Warm up."""
        self._thread.start()

    def stop(self) -> None:
        """Switch off."""
        with self.lock:
            self._stopping = True
            self.lock.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def up_s(self) -> int:
        """printer-up-time: seconds, at least 1 (RFC 8011 §5.4.29)."""
        return int(time.monotonic() - self._began) + 1

    @property
    def reasons(self) -> list[str]:
        """printer-state-reasons."""
        found = [
            *(["media-empty-error", "media-needed"] if self.paper == "out" else []),
            *(["media-low-warning"] if self.paper == "low" else []),
            *(["media-needed-error"] if self._wants_other_paper else []),
            *(["toner-empty-error"] if self.toner == "out" else []),
            *(["toner-low-warning"] if self.toner == "low" else []),
            *(word for name, word in BLOCKS.items() if self.blocks[name]),
            *self.says,
        ]
        return found or ["none"]

    @property
    def _wants_other_paper(self) -> bool:
        job = self._next()
        return job is not None and job.media != self.media and self.paper != "out"

    @property
    def blocked(self) -> bool:
        """The engine stands still."""
        bad = any(word.endswith("-error") for word in self.says) or any(self.blocks.values())
        return bad or self.paper == "out" or self.toner == "out" or self._wants_other_paper

    @property
    def state(self) -> int:
        """printer-state: 3 idle, 4 processing, 5 stopped."""
        if self.blocked:
            return 5
        return 4 if any(job.state == PROCESSING for job in self.jobs.values()) else 3

    def create(self, name: str, user: str, *, media: str, sides: str) -> Job:
        """Create-Job."""
        job = Job(next(self._ids), next(self._numbers), name, user, media, sides)
        job.at, job.created_s = time.monotonic(), self.up_s
        self.jobs[job.id] = self.papers[job.n] = job
        return job

    def power_cycle(self) -> None:
        """Off and on again: every job is forgotten, also the one half printed."""
        for job in self.jobs.values():
            if not job.over:
                self.end(job, ABORTED, "aborted-by-system")
        self.jobs.clear()
        self._ids = itertools.count(1)
        self._began = time.monotonic()
        self.lock.notify_all()

    def receive(self, job: Job, document: bytes) -> None:
        """Send-Document: the last one of the job."""
        job.pdf = self.folder / f"page-{job.n:04d}.pdf"
        job.pdf.write_bytes(document)
        job.pages = _count_pages(job.pdf)
        if job.pages == 0:
            self.end(job, ABORTED, "document-format-error")
            return
        job.state, job.reasons = PENDING, ["none"]
        self.lock.notify_all()

    def end(self, job: Job, state: int, reason: str) -> None:
        """The job is over."""
        job.state, job.reasons, job.ended_s = state, [reason], self.up_s
        self.lock.notify_all()

    def tear(self) -> int:
        """The citizen takes the sheets out of the tray; how many."""
        taken = 0
        for job in self.papers.values():
            taken += job.printed - job.torn
            job.torn = job.printed
        return taken

    def _run(self) -> None:
        with self.lock:
            while not self._stopping:
                job = self._next()
                if job is None:
                    self.lock.wait(INCOMING_TIMEOUT_S / 4)
                elif self.abort_next:
                    self.abort_next = False
                    self.end(job, ABORTED, "aborted-by-system")
                elif self.blocked:
                    job.state, job.reasons = STOPPED, ["printer-stopped"]
                    self.lock.wait()
                else:
                    self._print_page(job)

    def _next(self) -> Job | None:
        now = time.monotonic()
        for job in self.jobs.values():
            if "job-incoming" in job.reasons and now - job.at > INCOMING_TIMEOUT_S:
                self.end(job, ABORTED, "aborted-by-system")
        ready = (job for job in self.jobs.values() if not job.over and job.pdf is not None)
        return next(ready, None)

    def _print_page(self, job: Job) -> None:
        job.state, job.reasons = PROCESSING, ["job-printing"]
        until = time.monotonic() + self.page_s
        while (left := until - time.monotonic()) > 0:
            self.lock.wait(left)
            if self._stopping or job.over or self.blocked or self.abort_next:
                return
        job.printed += 1
        self.impressions += 1
        whole_sheet = job.sides == "one-sided" or job.printed % 2 == 0 or job.printed == job.pages
        if self.sheets_left is not None and whole_sheet:
            self.sheets_left -= 1
            if self.sheets_left <= 0:
                self.paper, self.sheets_left = "out", None
        if job.printed == job.pages:
            with_errors, self.errors_next = self.errors_next, False
            self.end(job, COMPLETED, "job-completed-with-errors" if with_errors else "job-completed-successfully")


def _count_pages(pdf: Path) -> int:
    """0: not a PDF."""
    told = subprocess.run(["pdfinfo", pdf], capture_output=True, check=False)
    for line in told.stdout.splitlines():
        if line.startswith(b"Pages:"):
            return int(line.split(b":")[1])
    return 0


def preview_png(pdf: Path, *, page: int, dots_per_inch: int) -> bytes:
    """One page as a picture; ValueError if there is none."""
    command = ["pdftoppm", "-png", "-r", str(dots_per_inch), "-f", str(page), "-l", str(page), "-singlefile", str(pdf)]
    told = subprocess.run(command, capture_output=True, check=False)
    if not told.stdout.startswith(b"\x89PNG"):
        raise ValueError("no such page")
    return told.stdout
