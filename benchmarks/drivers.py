"""Drivers in their own processes against simulated hardware: restart, events of cards, slips and pages until proven."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.report import Figure
from benchmarks.workbench import WAIT_S, BenchError, Heard, Workbench, hardware, workbench
from drivers.host.proxies import PagePrinterProxy, ReceiptPrinterProxy
from drivers.page.proof_sheet import proof_sheet
from drivers.pcsc.address import parse_address
from drivers.receipt.fonts import FontBook
from drivers.receipt.layout import Layout
from drivers.receipt.models import Proving, catalogue
from drivers.receipt.protocol import slip
from drivers.receipt.render import render
from kiosk.app.processes import spawn, stop
from kiosk.core.devices import CardLifted, CardPresented, DeviceKind, StatusChanged
from kiosk.core.ports import Document
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule
from kiosk.core.result import Ok

EVENT_LIMIT_MS = 50.0
_RESTARTS = 3
_CARDS = 20
_SLIPS = 7
_PAGES = 5
_BETWEEN_S = 0.3
_TOKEN = b"BNCH"

Progress = Callable[[str], None]


def measure(root: Path, on_progress: Progress) -> list[Figure]:
    """All of it."""
    figures: list[Figure] = []
    with workbench(root / "a") as bench:
        on_progress("drivers are killed")
        figures += restarts(bench)
        on_progress("cards come and go")
        figures += card_events(bench)
        on_progress("slips")
        figures += slips(bench, root / "b")
        on_progress("pages")
        figures += pages(bench, root / "p")
    return figures


def restarts(bench: Workbench) -> list[Figure]:
    """From kill -9 until the device is well again."""
    return [
        Figure(
            name=f"restart_{kind.value}",
            about=f"driver of {kind.value}: from kill -9 until the device is well again, through a new process",
            unit="ms",
            values=tuple(_restart(heard) for _ in range(_RESTARTS)),
        )
        for kind, heard in bench.heard.items()
    ]


def _restart(heard: Heard) -> float:
    heard.well()
    time.sleep(_BETWEEN_S)
    pid = heard.host.pid
    if pid is None:
        raise BenchError(f"{heard.host.kind} has no driver")
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    lost = heard.wait_for(lambda event: isinstance(event, StatusChanged) and not event.status.well, since=began)
    back = heard.wait_for(lambda event: isinstance(event, StatusChanged) and event.status.well, since=lost)
    return (back - began) * 1000


# --- cards -----------------------------------------------------------------------------------------------------------


def card_events(bench: Workbench) -> list[Figure]:
    """From the hand that lays a card down or lifts it until the host hears it; pyscard hears the very same cards."""
    heard = bench.heard[DeviceKind.ID_CARD]
    ours: list[float] = []
    theirs: list[float] = []
    with _card_monitor(bench.addresses[DeviceKind.ID_CARD.value]) as seen:
        for index in range(2 * _CARDS):
            present = index % 2 == 0
            time.sleep(_BETWEEN_S)
            began = time.monotonic()
            if present:
                bench.hands.do("card.put")
                ours.append(heard.wait_for(lambda event: isinstance(event, CardPresented), since=began) - began)
            else:
                bench.hands.do("card.lift")
                ours.append(heard.wait_for(lambda event: isinstance(event, CardLifted), since=began) - began)
            theirs.append(seen(present, began) - began)
    peer = "card_event_pyscard"
    return [
        Figure(
            name="card_event",
            about="a card is laid down or lifted, until the driver's host hears of it (own PC/SC monitor)",
            unit="ms",
            values=tuple(seconds * 1000 for seconds in ours),
            limit=EVENT_LIMIT_MS,
            peer=peer,
        ),
        Figure(
            name=peer,
            about="the same cards at the same moments, until pyscard's CardMonitor tells its observer",
            unit="ms",
            values=tuple(seconds * 1000 for seconds in theirs),
        ),
    ]


@contextmanager
def _card_monitor(address: str) -> Iterator[Callable[[bool, float], float]]:
    """pyscard's own monitor in a process of its own, on the same pcscd; gives a function that waits for its word."""
    command = [sys.executable, "-m", "benchmarks.card_monitor"]
    process = spawn(command, env={"PCSCLITE_CSOCK_NAME": parse_address(address).socket}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout
    if output.readline() != b"ready\n":
        raise BenchError("pyscard's monitor does not start")

    def wait(present: bool, since: float) -> float:
        while line := output.readline():
            word, at = line.split()
            if (word == b"present") is present and float(at) >= since:
                return float(at)
        raise BenchError("pyscard's monitor has ended")

    try:
        yield wait
    finally:
        stop(process, grace_s=1.0)
        output.close()


# --- paper -----------------------------------------------------------------------------------------------------------


def slips(bench: Workbench, folder: Path) -> list[Figure]:
    """A receipt by the driver, and in turn with it the same bytes by a plain socket on a second printer."""
    proxy = ReceiptPrinterProxy(bench.heard[DeviceKind.RECEIPT].host)
    ours: list[float] = []
    raw: list[float] = []
    with hardware(folder, DeviceKind.RECEIPT) as addresses:
        for index in range(_SLIPS):
            receipt = _receipt(index)
            began = time.monotonic()
            printed = proxy.print(receipt)
            ours.append((time.monotonic() - began) * 1000)
            if not isinstance(printed, Ok):
                raise BenchError(f"receipt: {printed.error}")
            raw.append(_raw_slip(addresses[DeviceKind.RECEIPT.value], _slip_bytes(receipt)))
    peer = "receipt_raw_bytes"
    return [
        Figure(
            name="receipt_to_proven",
            about="a receipt with its code, until the printer itself has said that it is printed",
            unit="ms",
            values=tuple(ours),
            peer=peer,
        ),
        Figure(
            name=peer,
            about="the same bytes, rendered before, on a plain socket, until the same answer",
            unit="ms",
            values=tuple(raw),
        ),
    ]


def _receipt(index: int) -> Receipt:
    pairs = (("受理编号", f"440604-261122-T001-{index:04d}-7"), ("查询码", "246824"), ("事项", "流动人口居住证签注"))
    blocks: tuple[Block, ...] = (
        Line("受理回执", "title"),
        Rule(),
        *(Pair(label, value) for label, value in pairs),
        Pair("受理时间", "2026-11-22 09:00"),
        Pair("查询方式", "拨打 12345，或到任一终端"),
        Code("https://example.invalid/q?n=440604261122", "扫码查询"),
    )
    return Receipt(f"bench-{index}", blocks)


def _slip_bytes(receipt: Receipt) -> bytes:
    model = replace(catalogue()[0], proving=Proving.PROCESS_ID)
    picture = render(receipt, FontBook(), Layout.of(model.dots))
    if not isinstance(picture, Ok):
        raise BenchError(f"receipt: {picture.error}")
    return b"".join(slip(picture.value, _TOKEN, model=model, after_break=False))


def _raw_slip(address: str, data: bytes) -> float:
    where = urlsplit(address)
    began = time.monotonic()
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=WAIT_S) as line:
        line.sendall(data)
        answer = b""
        while _TOKEN not in answer:
            if not (more := line.recv(4096)):
                raise BenchError("the second printer hung up")
            answer += more
    return (time.monotonic() - began) * 1000


def pages(bench: Workbench, folder: Path) -> list[Figure]:
    """A page by the driver, and in turn with it by ipptool, CUPS's own client, on the same printer."""
    proxy = PagePrinterProxy(bench.heard[DeviceKind.PAGE].host)
    pdf = proof_sheet("BENCHMARK", ["one page"])
    folder.mkdir()
    file = folder / "page.pdf"
    file.write_bytes(pdf)
    ours: list[float] = []
    theirs: list[float] = []
    for index in range(_PAGES):
        began = time.monotonic()
        printed = proxy.print(Document(job=f"bench-{index}", pdf=pdf, pages=1))
        ours.append((time.monotonic() - began) * 1000)
        if not isinstance(printed, Ok):
            raise BenchError(f"page: {printed.error}")
        began = time.monotonic()
        told = subprocess.run(
            ["ipptool", "-q", "-t", "-f", str(file), bench.addresses[DeviceKind.PAGE.value], "print-job-and-wait.test"],
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S,
        )
        if told.returncode:
            raise BenchError(f"ipptool: {told.stdout[-300:]}{told.stderr[-300:]}")
        theirs.append((time.monotonic() - began) * 1000)
    peer = "page_ipptool"
    return [
        Figure(
            name="page_to_proven",
            about="a page, until the printer reports its job completed; it is asked first for an earlier one",
            unit="ms",
            values=tuple(ours),
            peer=peer,
        ),
        Figure(
            name=peer,
            about="the same file by ipptool print-job-and-wait, CUPS's own client",
            unit="ms",
            values=tuple(theirs),
        ),
    ]
