"""The ID card reader through its process, a real pcscd and our own IFD handler: every fault, and every recovery."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from drivers.host.codec import dump_card
from drivers.host.host import DriverHost, Notice
from drivers.host.process import Patience
from drivers.host.proxies import IdCardReaderProxy
from drivers.sim.card_deck import CardKind, SimCard
from drivers.sim.id_card import CardReaderSim
from drivers.sim.ifd.build import build_driver
from drivers.sim.ifd.reader import VirtualReader
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.result import Err, Ok

LONG_S = 20.0
PHOTO = bytes(range(256)) * 4
CARD = IdCard(
    type=CardType.RESIDENT,
    name="测试甲",
    id_number="440699199001010014",
    sex="1",
    nation="汉",
    birth=date(1990, 1, 1),
    address="测试市测试路一号",
    issuer="测试市公安局",
    valid_from=date(2020, 1, 1),
    valid_to=date(2040, 1, 1),
    photo=PHOTO,
)
OTHER = replace(CARD, name="测试乙𠮷", id_number="440699195506080028", sex="2", birth=date(1955, 6, 8), valid_to=None)


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.002)


class Desk:
    """A reader, the hand that lays cards on it, and the terminal that listens."""

    def __init__(self, sim: CardReaderSim, address: str) -> None:
        self.sim = sim
        self.heard: list[DeviceEvent] = []
        self.notices: list[Notice] = []
        self.host = DriverHost(
            [sys.executable, "-m", "drivers.idcard", "--address", address],
            DeviceKind.ID_CARD,
            notice=self.notices.append,
            patience=Patience(hello_s=LONG_S, silence_s=LONG_S),
        )
        self.reader = IdCardReaderProxy(self.host)
        self.host.listen(self.heard.append)

    def do(self, verb: str, **args: Any) -> dict[str, Any]:
        return self.sim.handle(verb, args, b"")[0]

    def put(self, card: IdCard = CARD, **trouble: Any) -> None:
        """Lay it down and wait until the terminal knows."""
        head, photo = dump_card(card)
        known = len(self.heard)
        self.do("put", card=head, photo=photo.hex(), **trouble)
        self.wait(lambda: CardPresented() in self.heard[known:])

    def lift(self) -> None:
        known = len(self.heard)
        self.do("lift")
        self.wait(lambda: CardLifted() in self.heard[known:])

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(condition)

    def wait_well(self) -> None:
        self.wait(lambda: self.host.status().well)

    def wait_fault(self, fault: Fault) -> None:
        self.wait(lambda: self.host.status().fault is fault)

    def fault_of_reading(self) -> Fault:
        outcome = self.reader.read()
        assert isinstance(outcome, Err), "expected to fail"
        return outcome.error.fault


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[tuple[CardReaderSim, str]]:
    simulator = CardReaderSim(dir=tmp_path)
    try:
        yield simulator, simulator.start()
    finally:
        simulator.stop()


@pytest.fixture
def desk(sim: tuple[CardReaderSim, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(Path(__file__).parents[2])
    desk = Desk(*sim)
    desk.host.start()
    try:
        desk.wait_well()
        desk.wait(lambda: desk.host.record().self_test is not None)  # the host greets a driver with one
        yield desk
    finally:
        desk.host.stop()


# --- cards ---------------------------------------------------------------------------------------------------------


def test_a_card_is_read_wholly(desk: Desk) -> None:
    assert desk.host.status().identity == "Kiosk IC Reader 00 00"
    assert desk.host.status().media is MediaState.ABSENT
    assert CardLifted() in desk.heard
    desk.put()
    assert desk.host.status().media is MediaState.PRESENT
    assert desk.reader.read() == Ok(CARD)
    assert desk.reader.read() == Ok(CARD)
    desk.lift()
    assert desk.host.status().media is MediaState.ABSENT
    assert desk.reader.read() == Err(DeviceError(Fault.NO_CARD, "PC/SC NO_SMARTCARD (0x8010000C)"))


@pytest.mark.parametrize(
    "card",
    [
        OTHER,
        replace(CARD, type=CardType.HMT, nation="", id_number="810000199001010019", pass_number="H00000000"),
        replace(
            CARD,
            type=CardType.PERMANENT_2017,
            nation="",
            id_number="ABC440690010101",
            issuer="",
            english_name="TEST, A",
        ),
    ],
)
def test_other_layouts(desk: Desk, card: IdCard) -> None:
    desk.put(card)
    outcome = desk.reader.read()
    assert isinstance(outcome, Ok), outcome
    assert outcome.value.name == card.name
    assert outcome.value.type is card.type


def test_a_raw_text_block_is_served_as_it_is(desk: Desk) -> None:
    desk.do("put", text_block=(b"\x41\0" * 128).hex())
    desk.wait(lambda: CardPresented() in desk.heard)
    assert desk.fault_of_reading() is Fault.CARD_UNREADABLE


def test_a_card_swapped_in_a_moment_is_another_card(desk: Desk) -> None:
    for card in (CARD, OTHER) * 10:
        known = len(desk.heard)
        desk.put(card)
        assert desk.reader.read() == Ok(card)
        cards = [event for event in desk.heard[known:] if not isinstance(event, StatusChanged)]
        assert cards in ([CardLifted(), CardPresented()], [CardPresented()])
    assert [event for event in desk.heard if not isinstance(event, StatusChanged)] == [
        CardLifted(),
        CardPresented(),
    ] * 20


@pytest.mark.parametrize(
    ("kind", "fault", "detail"),
    [
        ("foreign_bank", Fault.CARD_BANK, "bank"),
        ("plain_type_b", Fault.READER_UNSUITED, "resident_plain"),
        ("mute", Fault.CARD_MUTE, "PC/SC UNPOWERED_CARD (0x80100067)"),
    ],
)
def test_cards_that_cannot_be_read_here(desk: Desk, kind: str, fault: Fault, detail: str) -> None:
    desk.do("put", kind=kind)
    desk.wait(lambda: CardPresented() in desk.heard)
    assert desk.reader.read() == Err(DeviceError(fault, detail))
    assert desk.host.status().well, "the reader is not ill because of a card"
    desk.lift()
    desk.put()
    assert desk.reader.read() == Ok(CARD)


@pytest.mark.parametrize(
    ("trouble", "fault", "detail"),
    [
        ({"fault": "torn"}, Fault.CARD_UNREADABLE, "torn 128 bytes at 0"),
        ({"fault": "bad_header"}, Fault.CARD_UNREADABLE, "header"),
        ({"fault": "garbage_text"}, Fault.CARD_UNREADABLE, "text: type type"),
        ({"fault": "sw_error"}, Fault.CARD_UNREADABLE, "status_word SW 6982 at 0"),
        ({"fault": "sw_error", "sw": "6C10"}, Fault.CARD_UNREADABLE, "length named twice"),
        ({"fault": "pulled_mid_read"}, Fault.CARD_REMOVED, ""),
        ({"fault": "pulled_mid_read", "after": 0}, Fault.CARD_REMOVED, ""),
        ({"fault": "pulled_mid_read", "after": 1280}, Fault.CARD_REMOVED, ""),
    ],
)
def test_cards_that_fail(desk: Desk, trouble: dict[str, Any], fault: Fault, detail: str) -> None:
    desk.put(**trouble)
    outcome = desk.reader.read()
    assert isinstance(outcome, Err)
    assert outcome.error.fault is fault
    assert outcome.error.detail == detail or detail == ""
    desk.do("lift")
    desk.put()
    assert desk.reader.read() == Ok(CARD)
    assert desk.notices == []


def test_a_reading_that_fails_once_is_repeated(desk: Desk) -> None:
    desk.put(fault="torn", times=2)
    assert desk.reader.read() == Ok(CARD)


def test_a_slow_card_is_read(desk: Desk) -> None:
    desk.put(fault="slow", delay_s=0.05)
    assert desk.reader.read() == Ok(CARD)


# --- the reader and its service --------------------------------------------------------------------------------------


def test_the_reader_is_unplugged_and_comes_back(desk: Desk) -> None:
    desk.put()
    desk.do("unplug")
    desk.wait_fault(Fault.NO_READER)
    assert desk.fault_of_reading() is Fault.NO_READER
    assert desk.host.status().media is MediaState.UNKNOWN
    known = len(desk.heard)
    desk.do("plug")
    desk.wait_well()
    desk.wait(lambda: CardPresented() in desk.heard[known:])
    assert desk.reader.read() == Ok(CARD)
    assert desk.notices == []


def test_pcscd_dies_and_comes_back(desk: Desk) -> None:
    assert desk.do("kill_daemon")["daemon"] is False
    desk.wait_fault(Fault.SERVICE_DOWN)
    assert desk.fault_of_reading() is Fault.SERVICE_DOWN
    desk.do("restart_daemon")
    desk.wait_well()
    desk.put()
    assert desk.reader.read() == Ok(CARD)
    assert desk.notices == []


def test_pcscd_dies_under_a_reading(desk: Desk, tmp_path: Path) -> None:
    desk.put(fault="slow", delay_s=1.0)
    (daemon,) = _daemons(tmp_path)
    timer = threading.Timer(0.3, os.kill, (daemon, signal.SIGKILL))
    timer.start()
    assert desk.fault_of_reading() is Fault.SERVICE_DOWN
    timer.join()
    desk.do("restart_daemon")
    desk.put()
    assert desk.reader.read() == Ok(CARD)
    assert desk.notices == []


def test_pcscd_hangs_and_the_reading_costs_the_driver_its_life(desk: Desk) -> None:
    desk.put()
    known = len(desk.heard)
    desk.do("freeze_daemon")
    hurried = IdCardReaderProxy(desk.host, deadline_s=0.3)
    assert hurried.read() == Err(DeviceError(Fault.TIMEOUT, "read took longer than 0.3 s"))
    desk.wait(lambda: any(_fault(event) is Fault.DRIVER_LOST for event in desk.heard[known:]))
    desk.do("thaw_daemon")
    desk.wait(lambda: CardPresented() in desk.heard[known:])
    assert desk.host.status().well
    assert desk.reader.read() == Ok(CARD)


def test_the_driver_is_killed_and_the_card_still_lies_there(desk: Desk) -> None:
    desk.put()
    known = len(desk.heard)
    pid = desk.host.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    desk.wait(lambda: CardPresented() in desk.heard[known:])
    assert _fault(desk.heard[known]) is Fault.DRIVER_LOST
    assert desk.reader.read() == Ok(CARD)


def test_a_reader_that_is_not_there_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    simulator = CardReaderSim(dir=tmp_path)
    desk = Desk(simulator, f"pcsc:{tmp_path}/pcscd.comm?reader=Kiosk")
    desk.host.start()
    try:
        desk.wait_fault(Fault.SERVICE_DOWN)
        simulator.start()
        desk.wait_well()
    finally:
        desk.host.stop()
        simulator.stop()


def test_another_reader_is_not_ours(sim: tuple[CardReaderSim, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    desk = Desk(sim[0], sim[1].replace("Kiosk", "Other"))
    desk.host.start()
    try:
        desk.wait_fault(Fault.NO_READER)
        assert desk.host.status().state is DeviceState.OFFLINE
    finally:
        desk.host.stop()


def _fault(event: DeviceEvent) -> Fault | None:
    return event.status.fault if isinstance(event, StatusChanged) else None


# --- the simulator itself --------------------------------------------------------------------------------------------


def test_no_pcscd_is_left_when_its_simulator_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drivers.sim", "--dir", str(tmp_path), "--only", "id_card"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "pcsc:" in process.stdout.readline()
            wait_until(lambda: _daemons(tmp_path / "id_card") != [])
        finally:
            process.kill()
    wait_until(lambda: _daemons(tmp_path / "id_card") == [])


def _daemons(folder: Path) -> list[int]:
    """pcscd processes that were started for this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"/usr/sbin/pcscd" in words and str(folder / "reader.conf.d").encode() in words:
            found.append(int(entry.name))
    return found


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("dance", {}),
        ("put", {"kind": "paper"}),
        ("put", {"text_block": "00"}),
        ("put", {"text_block": "xyz"}),
        ("put", {"kind": "mute", "fault": "gravity"}),
        ("put", {"card": {}}),
    ],
)
def test_senseless_verbs_are_refused(sim: tuple[CardReaderSim, str], verb: str, args: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        sim[0].handle(verb, args, b"")
    assert sim[0].handle("status", {}, b"")[0] == {
        "card": "",
        "fault": "",
        "plugged": True,
        "daemon": True,
        "address": sim[1],
    }


def test_the_handler_is_compiled_once(tmp_path: Path) -> None:
    first = build_driver(tmp_path / "ifd")
    stamp = first.stat().st_mtime_ns
    assert build_driver(tmp_path / "ifd") == first
    assert first.stat().st_mtime_ns == stamp
    assert list((tmp_path / "ifd").iterdir()) == [first]


def test_the_virtual_reader_survives_visitors_that_talk_nonsense(tmp_path: Path) -> None:
    reader = VirtualReader(tmp_path / "card.sock")
    reader.start()
    try:
        for nonsense in (b"", b"X", b"C", b"CT\xff\xff", b"C???", b"P"):
            with socket.socket(socket.AF_UNIX) as visitor:
                visitor.connect(str(reader.path))
                visitor.sendall(nonsense)
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(str(reader.path))
            visitor.sendall(b"CU\0\0")
            assert visitor.recv(3) == b"\x03\0\0"  # no card
            reader.insert(SimCard(CardKind.MUTE))
            visitor.sendall(b"U\0\0")
            assert visitor.recv(3) == b"\x04\0\0"
    finally:
        reader.stop()
