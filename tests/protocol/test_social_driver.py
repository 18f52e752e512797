"""The contact slot through its process, a real pcscd and our own IFD handler: every card, fault and recovery."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from drivers.host.codec import dump_card, dump_social_card
from drivers.host.proxies import SocialCardReaderProxy
from drivers.sim.fault_scripts import FOLDER, FaultScript, read_scripts
from drivers.sim.social_card import READER_NAME, SocialCardSim
from drivers.sim.social_deck import social_card_of
from kiosk.core.devices import (
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    Fault,
    MediaState,
    SocialCardLifted,
    SocialCardPresented,
    StatusChanged,
)
from kiosk.core.result import Err, Ok
from kiosk.core.social_card import SocialCard
from kiosk.devdock.persons import load_persons

SCRIPTS = read_scripts((FOLDER / "social_card.toml").read_text(encoding="utf-8"), group="social_card")
CARD = SocialCard(
    name="测试甲",
    id_number="440699199001010014",
    card_number="A12345678",
    sex="1",
    nation="汉",
    birth=date(1990, 1, 1),
    region="440699",
    issued=date(2019, 5, 6),
    valid_to=None,
    standard="2.00",
)


@pytest.fixture(scope="module")
def rig(make_rig: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(Path(__file__).parents[2])
        return make_rig(
            SocialCardSim(dir=tmp_path_factory.mktemp("social")), DeviceKind.SOCIAL_CARD, "drivers.social_card"
        )


@pytest.fixture(autouse=True)
def empty_slot(rig: Any) -> None:
    rig.do("lift")
    rig.wait_status(lambda status: status.well and status.media is MediaState.ABSENT)


def put(rig: Any, **how: Any) -> None:
    """Push it in and wait until the terminal knows."""
    known = len(rig.events)
    rig.do("put", **how)
    rig.wait_event(lambda event: event == SocialCardPresented(), after=known)


def read(rig: Any) -> Any:
    return SocialCardReaderProxy(rig.host).read()


def cards_of(events: list[DeviceEvent]) -> list[DeviceEvent]:
    return [event for event in events if not isinstance(event, StatusChanged)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_fault_script(rig: Any, script: FaultScript) -> None:
    rig.play(script)


def test_there_are_enough_scripts() -> None:
    assert len(SCRIPTS) >= 9


@pytest.mark.parametrize("reads", ["both", "tag", "number"])
@pytest.mark.parametrize("standard", ["1.00", "2.00", "3.00"])
def test_every_generation_is_read_wholly(rig: Any, reads: str, standard: str) -> None:
    card = replace(CARD, standard=standard)
    put(rig, card=dump_social_card(card), reads=reads)
    assert read(rig) == Ok(card)
    assert read(rig) == Ok(card)


@pytest.mark.parametrize("name", ["陈秀䶮", "佛山市㙍村𠮷", "买买提·吐尔逊·阿不都热依木·艾力", "㐀龘𠀀𪚥" * 3])
def test_rare_and_long_names(rig: Any, name: str) -> None:
    put(rig, card=dump_social_card(replace(CARD, name=name)))
    outcome = read(rig)
    assert isinstance(outcome, Ok), outcome
    assert outcome.value.name == name


def test_the_street_s_persons_have_cards(rig: Any) -> None:
    for person in load_persons().values():
        put(rig, holder=dump_card(person.card)[0])
        assert read(rig) == Ok(social_card_of(person.card))


def test_a_card_comes_and_goes(rig: Any) -> None:
    known = len(rig.events)
    put(rig)
    assert rig.host.status().media is MediaState.PRESENT
    assert rig.host.status().identity.startswith(READER_NAME)
    rig.do("lift")
    rig.wait_event(lambda event: event == SocialCardLifted(), after=known)
    assert cards_of(rig.events[known:]) == [SocialCardPresented(), SocialCardLifted()]
    assert read(rig) == Err(DeviceError(Fault.NO_CARD, "PC/SC NO_SMARTCARD (0x8010000C)"))


@pytest.mark.parametrize(
    ("how", "fault", "detail"),
    [
        ({"kind": "bank"}, Fault.CARD_BANK, "no social security environment"),
        ({"kind": "transit"}, Fault.CARD_TRANSIT, "no social security environment"),
        ({"kind": "resident"}, Fault.CARD_FOREIGN, "no known application: SW 6E00"),
        ({"kind": "unknown"}, Fault.CARD_FOREIGN, "no known application: SW 6A82"),
        ({"kind": "mute"}, Fault.CARD_MUTE, "PC/SC UNPOWERED_CARD (0x80100067)"),
        ({"fault": "blocked", "sw": "6283"}, Fault.CARD_UNREADABLE, "application blocked: SW 6283"),
        ({"fault": "blocked", "sw": "6A81"}, Fault.CARD_UNREADABLE, "application blocked: SW 6A81"),
        ({"fault": "blocked", "sw": "9303"}, Fault.CARD_UNREADABLE, "application blocked: SW 9303"),
        ({"fault": "torn"}, Fault.CARD_UNREADABLE, "EF05 tag 01: length"),
        ({"fault": "torn", "reads": "number"}, Fault.CARD_UNREADABLE, "EF05 item 1: length"),
        ({"fault": "wrong_length"}, Fault.CARD_UNREADABLE, "EF05 tag 01: length"),
        ({"fault": "wrong_tag"}, Fault.CARD_UNREADABLE, "EF05 tag 01: another item came"),
        ({"fault": "wrong_tag", "reads": "number"}, Fault.CARD_UNREADABLE, "item: NAME"),
        ({"fault": "garbage_name"}, Fault.CARD_UNREADABLE, "item: NAME"),
        ({"fault": "bad_date"}, Fault.CARD_UNREADABLE, "item: BIRTH"),
        ({"fault": "bad_number"}, Fault.CARD_UNREADABLE, "item: PERSON_NUMBER"),
        ({"fault": "sw", "sw": "6281"}, Fault.CARD_UNREADABLE, "EF05 tag 01: SW 6281"),
        ({"fault": "sw", "sw": "6983"}, Fault.CARD_UNREADABLE, "EF05 tag 01: SW 6983"),
        ({"fault": "sw", "sw": "6F00"}, Fault.CARD_UNREADABLE, "EF05 tag 01: SW 6F00"),
        ({"fault": "no_file"}, Fault.CARD_UNREADABLE, "EF06: SW 6A82"),
        ({"fault": "endless"}, Fault.CARD_UNREADABLE, "answer: endless"),
        ({"fault": "silent"}, Fault.CARD_UNREADABLE, "answer: no_status"),
        ({"fault": "pulled", "after": 0}, Fault.CARD_REMOVED, None),
        ({"fault": "pulled", "after": 8}, Fault.CARD_REMOVED, None),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_cards_that_cannot_be_read(rig: Any, how: dict[str, Any], fault: Fault, detail: str | None) -> None:
    put(rig, **how)
    outcome = read(rig)
    assert isinstance(outcome, Err), "expected to fail"
    assert outcome.error.fault is fault
    assert detail is None or outcome.error.detail == detail
    assert rig.host.status().well, "the reader is not ill because of a card"


def test_a_reading_that_fails_twice_is_repeated(rig: Any) -> None:
    put(rig, card=dump_social_card(CARD), fault="torn", times=2)
    assert read(rig) == Ok(CARD)


def test_a_card_that_takes_its_time_is_read(rig: Any) -> None:
    put(rig, card=dump_social_card(CARD), fault="slow", delay_s=0.02)
    assert read(rig) == Ok(CARD)


def test_pcscd_dies_under_a_reading(rig: Any) -> None:
    put(rig, fault="slow", delay_s=0.5)
    done: list[Any] = []
    reading = threading.Thread(target=lambda: done.append(read(rig)))
    reading.start()
    threading.Event().wait(0.4)
    rig.do("kill_daemon")
    reading.join(timeout=20)
    assert done and isinstance(done[0], Err)
    assert done[0].error.fault is Fault.SERVICE_DOWN
    rig.do("restart_daemon")
    rig.well()


def test_while_the_service_hangs_nobody_waits_for_it(rig: Any) -> None:
    rig.do("freeze_daemon")
    try:
        rig.wait_status(lambda status: status.fault is Fault.SERVICE_DOWN)
        assert read(rig) == Err(DeviceError(Fault.SERVICE_DOWN, "pcscd does not answer"))
        assert rig.host.self_test(deep=False).fault is Fault.SERVICE_DOWN
    finally:
        rig.do("thaw_daemon")


def test_the_driver_is_killed_and_the_card_is_still_there(rig: Any) -> None:
    put(rig, card=dump_social_card(CARD))
    known = len(rig.events)
    os.kill(rig.host.pid, signal.SIGKILL)
    rig.wait_event(lambda event: event == SocialCardPresented(), after=known)
    assert rig.host.status().state is DeviceState.ONLINE
    assert read(rig) == Ok(CARD)


def test_self_tests_tell_nothing_of_the_holder(rig: Any) -> None:
    quick = rig.host.self_test(deep=False)
    assert quick.passed and quick.seconds < 2
    assert quick.detail.startswith(READER_NAME)
    assert rig.host.self_test(deep=True).fault is Fault.NO_CARD
    put(rig, card=dump_social_card(CARD))
    deep = rig.host.self_test(deep=True)
    assert deep.passed
    assert deep.detail.startswith("card of region 440699, version 2.00, in ")
    assert not any(text in deep.detail for text in (CARD.name, CARD.id_number, CARD.card_number))


def test_another_verb_is_refused(rig: Any) -> None:
    outcome = rig.host.call("write", deadline_s=5.0)
    assert isinstance(outcome, Err)
    assert outcome.error.fault is Fault.PROTOCOL


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("dance", {}),
        ("put", {"kind": "paper"}),
        ("put", {"fault": "gravity"}),
        ("put", {"card": {}}),
        ("put", {"holder": {}}),
        ("put", {"reads": "aloud"}),
        ("put", {"fault": "sw", "sw": "many"}),
    ],
)
def test_senseless_verbs_are_refused(rig: Any, verb: str, args: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        rig.do(verb, **args)
    assert rig.do("status") == {"card": "", "fault": "", "plugged": True, "daemon": True}
