"""The driver's process is killed at any moment of a print: asked again, it prints once. And what else it is asked."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.host.backoff import Backoff
from drivers.host.proxies import PagePrinterProxy
from drivers.page.proof_sheet import proof_sheet
from drivers.sim.page import PagePrinterSim
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.ports import Document, JobFate, PrintProof
from kiosk.core.result import Err, Ok
from tests.protocol.conftest import Rig
from tests.protocol.print_server import wait_for

PROGRAM = Path(__file__).parent / "programs/page_program.py"
PDF = proof_sheet("A page", ["once"])


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, make_rig: Callable[..., Rig]) -> Rig:
    sim = PagePrinterSim(dir=tmp_path_factory.mktemp("page"))
    return make_rig(sim, DeviceKind.PAGE, PROGRAM, backoff=Backoff(first_s=0.05, cap_s=0.05))


@pytest.fixture(scope="module")
def printer(rig: Rig) -> PagePrinterProxy:
    return PagePrinterProxy(rig.host)


def papers(rig: Rig, name: str) -> list[dict[str, object]]:
    return [paper for paper in rig.do("list")["papers"] if paper["job"] == name]


@pytest.mark.parametrize("after_ms", [0, 60, 120, 200, 300, 420])
def test_killed_at_any_moment_it_prints_once(rig: Rig, printer: PagePrinterProxy, after_ms: int) -> None:
    """Every answer takes 30 ms and the page 150 ms, so that these moments lie in every step."""
    name = f"440699-{after_ms:04d}"
    rig.do("set", lag_ms=30, slow_ms=150)
    ended: list[object] = []
    thread = threading.Thread(target=lambda: ended.append(printer.print(Document(name, PDF, 1))))
    thread.start()
    time.sleep(after_ms / 1000)
    pid = rig.host.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    thread.join(30)
    (outcome,) = ended
    assert isinstance(outcome, Ok) or outcome.error.fault in (Fault.UNPROVEN, Fault.DRIVER_LOST)
    rig.do("set", lag_ms=0, slow_ms=0)
    wait_for(lambda: rig.host.pid not in (None, pid), "a new driver")
    rig.well()
    told = printer.fate(name, age_s=2.0)
    assert isinstance(told, Ok)
    assert told.value is not JobFate.PRINTED or len(papers(rig, name)) == 1
    assert printer.print(Document(name, PDF, 1)) == Ok(PrintProof(name, 1))
    assert [paper["complete"] for paper in papers(rig, name)] == [True]
    assert printer.fate(name) == Ok(JobFate.PRINTED)


def test_a_job_that_never_came_and_one_that_may_be_forgotten(rig: Rig, printer: PagePrinterProxy) -> None:
    rig.well()
    assert printer.fate("440699-9999") == Ok(JobFate.UNKNOWN)
    wait_for(lambda: printer.fate("440699-9999", age_s=0.5) == Ok(JobFate.NOT_PRINTED), "up for longer than that")
    assert printer.fate("440699-9999", age_s=86400.0) == Ok(JobFate.UNKNOWN)
    assert printer.print(Document("440699-8888", PDF, 1)) == Ok(PrintProof("440699-8888", 1))
    rig.do("power_cycle")
    assert printer.fate("440699-8888", age_s=5.0) == Ok(JobFate.UNKNOWN), "it was switched off in between"


def test_a_job_on_its_way(rig: Rig, printer: PagePrinterProxy) -> None:
    rig.do("set", slow_ms=600)
    thread = threading.Thread(target=printer.print, args=(Document("440699-7777", PDF, 1),))
    thread.start()
    wait_for(lambda: rig.do("status")["state"] == 4, "it prints")
    rig.do("set", jam=True)
    pid = rig.host.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    thread.join(30)
    wait_for(lambda: rig.host.pid not in (None, pid), "a new driver")
    rig.wait_status(lambda status: status.fault is Fault.JAM)
    assert printer.fate("440699-7777") == Ok(JobFate.PRINTING)
    rig.do("set", jam=False, slow_ms=0)
    wait_for(lambda: printer.fate("440699-7777") == Ok(JobFate.PRINTED), "out in the end")


def test_a_print_ends_before_its_driver_would_be_killed(rig: Rig) -> None:
    """Nobody puts paper in: the driver says so itself, in the time that the host gives it."""
    hasty = PagePrinterProxy(rig.host, deadline_s=3.0)
    rig.do("set", paper="out")
    rig.wait_status(lambda status: status.fault is Fault.PAPER_OUT)
    pid = rig.host.pid
    outcome = hasty.print(Document("440699-6666", PDF, 1))
    rig.do("set", paper="full")
    assert isinstance(outcome, Err)
    assert outcome.error.fault is Fault.PAPER_OUT
    assert rig.host.pid == pid


def test_the_self_test_prints_one_page_and_only_when_it_is_deep(rig: Rig) -> None:
    rig.well()
    before = len(rig.do("list")["papers"])
    quick = rig.host.self_test(deep=False)
    assert quick.passed, quick
    assert quick.detail.startswith("Street A4 1.4.2; paper iso_a4_210x297mm; supplies Black 80 %; both sides; ")
    assert len(rig.do("list")["papers"]) == before
    deep = rig.host.self_test(deep=True)
    assert deep.passed, deep
    assert deep.detail.endswith("test page printed, 1 counted")
    assert len(rig.do("list")["papers"]) == before + 1
    rig.do("set", door=True)
    rig.wait_status(lambda status: status.fault is Fault.DOOR_OPEN)
    assert rig.host.self_test(deep=True).fault is Fault.DOOR_OPEN
    rig.do("set", door=False)
