"""Printers that answer with anything at all: typed errors, in time, in bounded memory, and never two papers."""

from __future__ import annotations

import itertools
import random
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.page.address import parse
from drivers.page.client import IppClient, Unclear
from drivers.page.driver import PageAdapter
from drivers.page.http import MAX_ANSWER
from drivers.page.ipp import IppError, decode
from drivers.page.proof_sheet import proof_sheet
from drivers.page.timings import Timings
from drivers.sim.page import PagePrinterSim
from kiosk.core.devices import Fault
from kiosk.core.ports import Document, JobFate
from kiosk.core.result import Ok
from tests.protocol.print_server import wait_for

TIMINGS = Timings(
    poll=0.05,
    follow=0.01,
    exchange=1.0,
    send=2.0,
    within=3.0,
    lost=0.15,
    settle=0.1,
    cancel=0.15,
    quick=1.0,
    first_retry=0.01,
    last_retry=0.05,
)
PDF = proof_sheet("A page", [])
SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class LyingPrinter(PagePrinterSim):
    """A printer whose answers are spoilt on the way; it understands everything that it is asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(dir=folder)
        self.spoil: Any = None
        """bytes → bytes; None: tells the truth."""

    def _answer(self, body: bytes, *, whole: bool) -> bytes:
        answer = super()._answer(body, whole=whole)
        return answer if self.spoil is None else self.spoil(answer)


@pytest.fixture(scope="module")
def printer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingPrinter]:
    sim = LyingPrinter(tmp_path_factory.mktemp("lies"))
    yield sim
    sim.stop()


@pytest.fixture(scope="module")
def driver(printer: LyingPrinter) -> PageAdapter:
    return PageAdapter(printer.start(), timings=TIMINGS)


def flipped(dice: random.Random, answer: bytes) -> bytes:
    """One bit."""
    raw = bytearray(answer)
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return bytes(raw)


def torn(dice: random.Random, answer: bytes) -> bytes:
    """Cut off."""
    return answer[: dice.randrange(len(answer))]


def swollen(dice: random.Random, answer: bytes) -> bytes:
    """Two bytes become a huge length."""
    at = dice.randrange(8, len(answer) - 1)
    return answer[:at] + b"\xff\xff" + answer[at + 2 :]


def shuffled(dice: random.Random, answer: bytes) -> bytes:
    """A piece comes twice, or not at all."""
    a, b = sorted(dice.randrange(8, len(answer)) for _ in range(2))
    return answer[:a] + answer[a:b] * dice.choice((0, 2)) + answer[b:]


def noise(dice: random.Random, answer: bytes) -> bytes:
    """Anything, behind a good head."""
    return answer[:8] + dice.randbytes(dice.randrange(200))


SPOILERS = (flipped, torn, swollen, shuffled, noise)
names = (f"job-{number}" for number in itertools.count(1))


@SETTINGS
@given(st.sampled_from(SPOILERS), st.integers(0, 2**32), st.floats(0.0, 1.0))
def test_spoilt_answers_end_in_time_and_never_in_two_papers(
    printer: LyingPrinter, driver: PageAdapter, spoil: Any, seed: int, often: float
) -> None:
    dice, name = random.Random(seed), next(names)
    lock = threading.Lock()

    def spoilt(answer: bytes) -> bytes:
        with lock:
            return spoil(dice, answer) if dice.random() < often else answer

    printer.spoil = spoilt
    began = time.monotonic()
    results = [driver.print(Document(name, PDF, 1)), driver.self_test(deep=False), driver.fate(name, age_s=1.0)]
    assert time.monotonic() - began < 30
    assert all(isinstance(one, Ok) or isinstance(one.error.fault, Fault) for one in results)
    printer.spoil = None
    wait_for(lambda: all(job.over or job.pdf is None for job in printer._engine.papers.values()), "what came is out")
    last = driver.print(Document(name, PDF, 1))
    papers = [paper for paper in printer.handle("list", {}, b"")[0]["papers"] if paper["job"] == name]
    assert len(papers) <= 1, "never twice"
    assert isinstance(last, Ok) == (len(papers) == 1), "and the truth is known in the end"
    if isinstance(last, Ok):
        assert driver.fate(name) == Ok(JobFate.PRINTED)
    else:
        assert last.error.fault is Fault.UNPROVEN


def heard(answer: bytes) -> IppClient:
    def post(url: str, body: bytes, *, within_s: float, tls: Any) -> bytes:
        return answer[:4] + body[4:8] + answer[8:]

    return IppClient(parse("ipp://printer/p"), post=post, exchange_s=1, send_s=1)


HEAD = b"\x01\x01\x00\x00\x00\x00\x00\x01"
LARGE = {
    "values": HEAD + b"\x04\x44\x00\x01a\x00\x00" + b"\x44\x00\x00\x00\x00" * (MAX_ANSWER // 5 - 10) + b"\x03",
    "attributes": HEAD + b"\x04" + b"\x44\x00\x01a\x00\x00" * (MAX_ANSWER // 6 - 10) + b"\x03",
    "groups": HEAD + b"\x04" * (MAX_ANSWER - 10) + b"\x03",
    "jobs": HEAD + b"\x02\x21\x00\x06job-id\x00\x04\x00\x00\x00\x01" * (MAX_ANSWER // 16 - 10) + b"\x03",
    "collections": HEAD + b"\x04\x34\x00\x01c\x00\x00" + b"\x34\x00\x00\x00\x00" * (MAX_ANSWER // 5 - 10) + b"\x03",
    "one value and no end": HEAD + b"\x04" + b"\x44\x00\x01a\xff\xff" + b"x" * 0xFFFF,
    "no end": HEAD + b"\x04" + b"\x44\x00\x01a\x00\x00" * (MAX_ANSWER // 6 - 10),
}


@pytest.mark.parametrize("kind", LARGE)
def test_large_answers_take_neither_long_nor_much(kind: str) -> None:
    answer = LARGE[kind]
    assert len(answer) <= MAX_ANSWER
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(IppError):
            decode(answer)
        spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert spent < 10
    assert peak < 32 * MAX_ANSWER
    for ask in (lambda c: c.facts(), lambda c: c.jobs(), lambda c: c.job(1)):
        with pytest.raises(Unclear) as caught:
            ask(heard(answer))
        assert caught.value.garbage
