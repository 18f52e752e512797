"""The PC/SC monitor where the service is at its worst: hung, taken by another program, run twice beside itself."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.host.proxies import IdCardReaderProxy
from drivers.pcsc.reader import attributes
from drivers.pcsc.watchdog import Watchdog
from drivers.sim.id_card import CardReaderSim, Transport
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceError,
    DeviceKind,
    DeviceState,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.result import Err, Ok

LONG_S = 20.0
SEED = 440699
PROGRAM = Path(__file__).parent / "programs" / "card_reader_program.py"


@pytest.fixture(scope="module")
def shared_rig(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_rig(CardReaderSim(dir=tmp_path_factory.mktemp("card")), DeviceKind.ID_CARD, "drivers.idcard")


@pytest.fixture
def rig(shared_rig: Any) -> Iterator[Any]:
    shared_rig.do("lift")
    shared_rig.wait_status(lambda status: status.well and status.media is MediaState.ABSENT)
    # the host greets a driver with a self-test; a call that has begun when pcscd hangs lasts as long as that
    shared_rig.wait_status(lambda _status: shared_rig.host.record().self_test is not None)
    yield shared_rig


def put(rig: Any, **args: Any) -> None:
    known = len(rig.events)
    rig.do("put", **args)
    rig.wait_event(lambda event: event == CardPresented(), after=known)


# --- the watchdog ----------------------------------------------------------------------------------------------------


class Service:
    """Answers, or does not."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.told: list[bool] = []
        self.heard = threading.Condition()

    def ask(self) -> None:
        assert self.answers.wait(LONG_S)

    def tell(self, hung: bool) -> None:
        with self.heard:
            self.told.append(hung)
            self.heard.notify_all()

    def wait_told(self, *wanted: bool) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: self.told == list(wanted), LONG_S), self.told


def test_a_service_that_hangs_is_told_once_and_once_when_it_is_back() -> None:
    service = Service()
    dog = Watchdog(service.ask, service.tell, interval_s=0.005, patience_s=0.1)
    dog.start()
    try:
        for rounds in range(1, 3):
            service.answers.clear()
            service.wait_told(*[True, False] * (rounds - 1), True)
            service.answers.set()
            service.wait_told(*[True, False] * rounds)
    finally:
        dog.stop()
        service.answers.set()


def test_a_service_that_answers_is_no_news() -> None:
    service = Service()
    asked = threading.Semaphore(0)
    dog = Watchdog(asked.release, service.tell, interval_s=0.001, patience_s=LONG_S)
    dog.start()
    for _ in range(50):
        assert asked.acquire(timeout=LONG_S)
    dog.stop()
    assert service.told == []


# --- a real service --------------------------------------------------------------------------------------------------


def test_a_hung_service_is_seen_by_a_reader_that_does_nothing(rig: Any) -> None:
    put(rig)
    pid, known = rig.host.pid, len(rig.events)
    rig.do("freeze_daemon")
    try:
        status = rig.wait_status(lambda status: status.fault is Fault.SERVICE_DOWN)
        assert (status.state, status.media) == (DeviceState.OFFLINE, MediaState.UNKNOWN)
        began = time.monotonic()
        expected = DeviceError(Fault.SERVICE_DOWN, "pcscd does not answer")
        assert IdCardReaderProxy(rig.host).read() == Err(expected)
        assert rig.host.self_test(deep=False).fault is Fault.SERVICE_DOWN
        assert time.monotonic() - began < LONG_S / 4, "nobody waits for a service that is known to hang"
    finally:
        rig.do("thaw_daemon")
    rig.wait_event(lambda event: event == CardPresented(), after=known)
    assert rig.host.pid == pid, "nobody had to be killed"
    assert isinstance(IdCardReaderProxy(rig.host).read(), Ok)
    assert CardLifted() not in rig.events[known:]


def test_a_reader_that_another_program_holds(rig: Any) -> None:
    put(rig)
    rig.do("hold")
    rig.wait_status(lambda status: status.fault is Fault.IN_USE)
    expected = DeviceError(Fault.IN_USE, "PC/SC SHARING_VIOLATION (0x8010000B)")
    assert IdCardReaderProxy(rig.host).read() == Err(expected)
    rig.do("release")
    rig.well()
    assert isinstance(IdCardReaderProxy(rig.host).read(), Ok)


def test_a_card_taken_away_and_another_laid_down_while_nobody_looked(rig: Any) -> None:
    put(rig)
    known = len(rig.events)
    rig.do("freeze_daemon")
    rig.do("lift")
    rig.do("put", layout="hmt")
    rig.do("thaw_daemon")
    rig.wait_event(lambda event: event == CardPresented(), after=known)
    rig.well()
    cards = [event for event in rig.events[known:] if not isinstance(event, StatusChanged)]
    assert cards == [CardLifted(), CardPresented()]


def test_a_card_that_lies_there_is_no_news(rig: Any) -> None:
    put(rig)
    assert isinstance(IdCardReaderProxy(rig.host).read(), Ok)
    known = len(rig.events)
    time.sleep(1.2)  # the monitor has looked again at least twice
    assert rig.events[known:] == []


def test_hostile_cards_end_no_driver(rig: Any) -> None:
    """Content and status words of any kind; each reading ends in words."""
    put(rig)
    source, pid = random.Random(SEED), rig.host.pid
    for round_ in range(40):
        card: dict[str, Any] = {"text_block": source.randbytes(256).hex()}
        if round_ % 2:
            card = {"fault": "sw_error", "sw": source.randbytes(2).hex()}
        put(rig, **card)
        outcome = IdCardReaderProxy(rig.host).read()
        assert isinstance(outcome, Err), f"seed {SEED}, round {round_}"
        assert outcome.error.fault is Fault.CARD_UNREADABLE, f"seed {SEED}, round {round_}: {outcome.error}"
    assert rig.host.pid == pid


def test_who_the_reader_is(rig: Any) -> None:
    found = rig.host.self_test(deep=False)
    assert found.passed
    assert found.detail == "Kiosk IC Reader 00 00, Citizens Window, firmware 1.2.7; sam-v-storage-card"


@pytest.mark.parametrize(
    ("maker", "firmware", "words"),
    [
        (b"ACS\0", bytes((7, 0, 2, 1)), ("ACS", "firmware 1.2.7")),
        (b"", b"", ("", "")),
        (b"\xff\0\0", b"\1\2", ("\ufffd", "")),
    ],
)
def test_readers_in_words(maker: bytes, firmware: bytes, words: tuple[str, str]) -> None:
    assert attributes(maker, firmware) == words


def test_a_plain_reader_says_what_it_is(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    rig = make_rig(CardReaderSim(dir=tmp_path, transport=Transport.PLAIN), DeviceKind.ID_CARD, "drivers.idcard")
    status = rig.wait_status(lambda status: status.fault is Fault.READER_UNSUITED)
    assert (status.state, status.well) == (DeviceState.ERROR, False)
    for kind, fault in (("resident", Fault.READER_UNSUITED), ("bank_asked", Fault.CARD_BANK)):
        put(rig, kind=kind)
        outcome = IdCardReaderProxy(rig.host).read()
        assert isinstance(outcome, Err)
        assert outcome.error.fault is fault


def test_two_workers_with_a_service_each_at_the_same_time(tmp_path: Path) -> None:
    layouts = ("resident", "hmt")
    workers = [
        subprocess.Popen(
            [sys.executable, PROGRAM, tmp_path / layout, layout],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for layout in layouts
    ]
    try:
        assert [_line(worker) for worker in workers] == ["ready", "ready"]
        for worker in workers:
            _say(worker)
        assert [_line(worker) for worker in workers] == [f"{layout} 10" for layout in layouts]
        for worker in workers:
            _say(worker)
        assert [worker.wait(LONG_S) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            for stream in (worker.stdin, worker.stdout):
                assert stream is not None
                stream.close()


def _line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline().strip()


def _say(worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
