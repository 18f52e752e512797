"""An ID card reader that speaks SAM_V, through its real worker: on a pty, behind TCP, in escape commands of a real
pcscd. Layouts, newest addresses, and the card that must not be taken for lifted in the middle of a session.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from drivers.host.proxies import IdCardReaderProxy
from drivers.sim.id_card import CardReaderSim, Transport
from drivers.sim.specimens import specimen
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.result import Err, Ok

NUMBER = "SAM_V 05.03-20120601-0012345678-0987654321"
QUIET_S = 1.0
"""Several times what a card takes to be missed."""
LINES = [Transport.SAM, Transport.SAM_TCP, Transport.ESCAPE]


class Desk:
    """A reader, the hand, and what the terminal hears of cards."""

    def __init__(self, rig: Any) -> None:
        self.rig = rig
        self.reader = IdCardReaderProxy(rig.host)
        self.known = 0

    def do(self, verb: str, **args: Any) -> dict[str, Any]:
        return self.rig.do(verb, **args)  # type: ignore[no-any-return]

    def put(self, **args: Any) -> None:
        self.known = len(self.rig.events)
        self.do("put", **args)
        self.rig.wait_event(lambda event: event == CardPresented(), after=self.known)

    def lift(self) -> None:
        known = len(self.rig.events)
        self.do("lift")
        self.rig.wait_event(lambda event: event == CardLifted(), after=known)

    def card_events(self) -> list[DeviceEvent]:
        return [event for event in self.rig.events[self.known :] if not isinstance(event, StatusChanged)]

    def read(self) -> IdCard:
        outcome = self.reader.read()
        assert isinstance(outcome, Ok), outcome
        return outcome.value

    def fault(self) -> Fault:
        outcome = self.reader.read()
        assert isinstance(outcome, Err)
        return outcome.error.fault


@pytest.fixture(scope="module")
def rigs(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[[Transport], Any]:
    made: dict[Transport, Any] = {}

    def get(transport: Transport) -> Any:
        if transport not in made:
            sim = CardReaderSim(dir=tmp_path_factory.mktemp("card"), transport=transport)
            made[transport] = make_rig(sim, DeviceKind.ID_CARD, "drivers.idcard")
        return made[transport]

    return get


@pytest.fixture(params=LINES)
def desk(request: pytest.FixtureRequest, rigs: Callable[[Transport], Any]) -> Iterator[Desk]:
    yield from clean(Desk(rigs(request.param)))


@pytest.fixture
def line(rigs: Callable[[Transport], Any]) -> Iterator[Desk]:
    yield from clean(Desk(rigs(Transport.SAM)))


def clean(desk: Desk) -> Iterator[Desk]:
    desk.rig.well()
    yield desk
    desk.do("sam", after_read="keeps")
    if desk.rig.host.status().detail:  # a module that does not tell when a card is lifted: another one tells it
        desk.put(layout="permanent_2017")
    desk.do("lift")
    desk.rig.wait_status(lambda status: status.well and status.media is MediaState.ABSENT)
    desk.known = 0
    desk.rig.wait_status(lambda _status: desk.card_events()[-1] == CardLifted())  # it follows the status


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_reader_tells_its_module(desk: Desk) -> None:
    assert desk.rig.host.status().identity == NUMBER
    found = desk.rig.host.self_test(deep=False)
    assert (found.passed, found.detail) == (True, NUMBER)


@pytest.mark.parametrize("layout", CardType)
def test_every_layout(desk: Desk, layout: CardType) -> None:
    desk.put(layout=layout.value, photo=(b"w" * 1024).hex())
    card = desk.read()
    expected = specimen(layout)
    assert (card.type, card.id_number, card.photo) == (layout, expected.id_number, b"w" * 1024)
    assert card.address == expected.address
    found = desk.rig.host.self_test(deep=True)
    assert found.passed
    assert found.detail.startswith(f"{layout.value} card in ")
    desk.lift()
    assert desk.fault() is Fault.NO_CARD
    assert desk.rig.host.self_test(deep=True).fault is Fault.NO_CARD


def test_a_new_address_wins_over_the_printed_one(desk: Desk) -> None:
    desk.put(newest_address="样本市新区新路2号")
    card = desk.read()
    assert (card.address, card.printed_address) == ("样本市新区新路2号", specimen().address)


def test_the_same_address_again_is_no_new_one(line: Desk) -> None:
    line.put(newest_address=specimen().address)
    assert (line.read().address, line.read().printed_address) == (specimen().address, "")


def test_records_with_a_fingerprint_behind_them(line: Desk) -> None:
    line.do("sam", fault="fingerprint", of="3001")
    line.put()
    assert line.read().id_number == specimen().id_number


def test_noise_before_every_answer(line: Desk) -> None:
    line.do("sam", fault="noise")
    line.put()
    assert line.read().id_number == specimen().id_number


def test_a_bad_moment_on_the_line_costs_nothing(line: Desk) -> None:
    line.put()
    line.do("sam", fault="bad_checksum", of="3001", times=2)
    assert line.read().id_number == specimen().id_number


def test_other_cards_are_not_seen_by_a_module(line: Desk) -> None:
    line.do("put", kind="foreign_bank")
    time.sleep(0.4)
    assert line.rig.host.status().media is MediaState.ABSENT


def test_as_slow_as_a_line_can_be(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    sim = CardReaderSim(dir=tmp_path, transport=Transport.SAM, baud=9600)
    desk = Desk(make_rig(sim, DeviceKind.ID_CARD, "drivers.idcard"))
    desk.rig.well()
    desk.put(newest_address="样本市新区新路2号")
    assert desk.read().address == "样本市新区新路2号"


# --- a card that lies there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_read", ["keeps", "lets_go", "finds"])
def test_a_card_that_was_read_is_not_taken_for_lifted(line: Desk, after_read: str) -> None:
    line.do("sam", after_read=after_read)
    line.put()
    line.read()
    time.sleep(QUIET_S)
    assert line.card_events() == [CardPresented()]
    assert line.rig.host.status().media is MediaState.PRESENT


@pytest.mark.parametrize("after_read", ["keeps", "finds"])
def test_a_card_that_was_read_is_missed_when_it_is_lifted(line: Desk, after_read: str) -> None:
    line.do("sam", after_read=after_read)
    line.put()
    line.read()
    line.lift()
    assert line.card_events() == [CardPresented(), CardLifted()]


def test_a_module_that_forgets_a_read_card_says_so(line: Desk) -> None:
    line.do("sam", after_read="lets_go")
    line.put()
    line.read()
    status = line.rig.wait_status(lambda status: status.detail != "")
    assert status.detail == "module does not tell when a card that was read is lifted"
    assert status.well
    assert line.fault() is Fault.CARD_UNREADABLE
    line.do("lift")
    line.put(layout="hmt")
    assert line.card_events() == [CardLifted(), CardPresented()]
    assert line.read().type is CardType.HMT


def test_a_jolted_card_is_the_same_card(line: Desk) -> None:
    line.put()
    line.read()
    for _ in range(3):
        line.do("put")  # the same card, found anew
        time.sleep(0.5)
    assert line.card_events() == [CardPresented()]
    assert line.read().id_number == specimen().id_number


@pytest.mark.parametrize("gone", [False, True])
def test_a_module_that_is_silent_for_a_while(line: Desk, gone: bool) -> None:
    """The card that was read may lie there all the time; afterwards the terminal hears whether it does."""
    line.put()
    line.read()
    line.do("sam", fault="mute")
    line.rig.wait_status(lambda status: status.fault is Fault.TIMEOUT)
    known = len(line.rig.events)
    if gone:
        line.do("lift")
    line.do("sam")
    line.rig.wait_event(lambda event: event in (CardPresented(), CardLifted()), after=known)
    line.rig.well()
    cards = [event for event in line.rig.events[known:] if not isinstance(event, StatusChanged)]
    assert cards == [CardLifted() if gone else CardPresented()]


def test_a_line_that_is_unplugged_under_a_card(line: Desk) -> None:
    line.put()
    card = line.read()
    line.do("unplug")
    line.rig.wait_status(lambda status: status.fault is Fault.UNREACHABLE)
    known = len(line.rig.events)
    line.do("plug")
    line.rig.wait_event(lambda event: event == CardPresented(), after=known)
    assert line.read() == card
    assert CardLifted() not in line.rig.events[known:]


def test_a_driver_that_is_killed_under_a_card(line: Desk) -> None:
    """The next one finds nothing, as the card was read; it lies there all the same."""
    line.put()
    card = line.read()
    known = len(line.rig.events)
    os.kill(line.rig.host.pid, signal.SIGKILL)
    line.rig.wait_event(lambda event: event == CardPresented(), after=known)
    assert line.read() == card
    assert CardLifted() not in line.rig.events[known:]


def test_a_swapped_card_is_another_card(desk: Desk) -> None:
    desk.put()
    desk.read()
    known = len(desk.rig.events)
    desk.do("put", layout="hmt")
    desk.rig.wait_event(lambda event: event == CardPresented(), after=known)
    assert desk.card_events() == [CardPresented(), CardLifted(), CardPresented()]
    assert desk.read().type is CardType.HMT


# --- the line --------------------------------------------------------------------------------------------------------


def test_the_network_breaks_once(rigs: Callable[[Transport], Any]) -> None:
    desk = Desk(rigs(Transport.SAM_TCP))
    desk.put()
    known = len(desk.rig.events)
    desk.do("hang_up")
    desk.rig.wait_event(
        lambda event: isinstance(event, StatusChanged) and event.status.fault is Fault.UNREACHABLE, after=known
    )
    desk.rig.well()
    assert desk.read().id_number == specimen().id_number


def test_another_program_holds_the_line(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    sim = CardReaderSim(dir=tmp_path, transport=Transport.SAM)
    address = sim.start()
    with serial.Serial(address.removeprefix("sam:"), exclusive=True):
        rig = make_rig(sim, DeviceKind.ID_CARD, "drivers.idcard")
        status = rig.wait_status(lambda status: status.fault is Fault.IN_USE)
        assert status.state is DeviceState.OFFLINE
        assert Desk(rig).fault() is Fault.IN_USE
    rig.well()


def test_pcscd_hangs_under_a_module(rigs: Callable[[Transport], Any]) -> None:
    desk = Desk(rigs(Transport.ESCAPE))
    desk.rig.wait_status(lambda status: status.well and desk.rig.host.record().self_test is not None)
    pid = desk.rig.host.pid
    desk.do("freeze_daemon")
    try:
        status = desk.rig.wait_status(lambda status: status.fault is Fault.SERVICE_DOWN)
        assert status.detail == "pcscd does not answer"
        assert desk.fault() is Fault.SERVICE_DOWN
    finally:
        desk.do("thaw_daemon")
    desk.rig.well()
    assert desk.rig.host.pid == pid, "nobody had to be killed"


def test_pcscd_dies_under_a_module(rigs: Callable[[Transport], Any]) -> None:
    desk = Desk(rigs(Transport.ESCAPE))
    desk.do("kill_daemon")
    desk.rig.wait_status(lambda status: status.fault is Fault.SERVICE_DOWN)
    desk.do("unplug")
    desk.rig.wait_status(lambda status: status.fault is Fault.NO_READER)
    desk.do("plug")
    desk.rig.well()
    desk.put()
    assert desk.read().id_number == specimen().id_number
