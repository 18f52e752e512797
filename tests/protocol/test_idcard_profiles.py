"""Reader profiles as data: what the shipped file says, and what a wrong file is told. Cards that must be asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.idcard.address import Transport
from drivers.idcard.profiles import FAULT_OF, CardClass, Plan, ProfilesError, Question, load_profiles, parse_profiles
from drivers.idcard.recognise import get_response, select, verdict
from drivers.sim.card_deck import CardKind, SimCard
from kiosk.core.devices import Fault

PROFILES = load_profiles()
SOCIAL, PPSE = PROFILES.questions[:2]


@pytest.mark.parametrize(
    ("transport", "name", "plan"),
    [
        (Transport.PCSC, "Kiosk IC Reader 00 00", Plan.READ_BINARY),
        (Transport.PCSC, "ACS ACR122U PICC Interface 00 00", Plan.NONE),
        (Transport.PCSC, "ACS ACR1252 1S CL Reader PICC 0", Plan.NONE),
        (Transport.PCSC, "HID Global OMNIKEY 5022 Smart Card Reader 00 00", Plan.NONE),
        (Transport.PCSC_ESCAPE, "anything", Plan.SAM_V),
        (Transport.LINE, "", Plan.SAM_V),
    ],
)
def test_each_reader_has_its_plan(transport: Transport, name: str, plan: Plan) -> None:
    profile = PROFILES.reader(transport, name)
    assert profile is not None
    assert profile.plan is plan


def test_every_card_but_a_readable_one_has_a_fault_of_its_own() -> None:
    assert set(FAULT_OF) == set(CardClass) - {CardClass.RESIDENT}
    assert len(set(FAULT_OF.values())) == len(FAULT_OF)
    assert FAULT_OF[CardClass.RESIDENT_PLAIN] is Fault.READER_UNSUITED


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "schema"),
        ("schema = 2", "schema"),
        ("schema = 1\n[[card]", "line 2"),
        ("schema = 1\n[[cards]]\n", "schema"),
        ('schema = 1\ncard = ["x"]', "card: table"),
        ('schema = 1\n[[card]]\nis = "gold"\natr = ["3B"]', "card: is"),
        ('schema = 1\n[[card]]\nis = "bank"', "card: atr"),
        ('schema = 1\n[[card]]\nis = "bank"\natr = []', "card: atr"),
        ('schema = 1\n[[card]]\nis = "bank"\natr = ["3b"]', "no pattern"),
        ('schema = 1\n[[card]]\nis = "bank"\natr = ["3B(*"]', "no pattern"),
        ('schema = 1\n[[card]]\nis = "bank"\natr = ["3B[9-0]"]', "no pattern"),
        ('schema = 1\n[[card]]\nis = "bank"\natr = ["3B"]\nname = "x"', "nobody knows name"),
        ('schema = 1\n[[ask]]\nis = "bank"\nselect = "ABC"', "ask: bytes"),
        ('schema = 1\n[[application]]\nis = "bank"\nprefix = ["A0000"]', "application: bytes"),
        ('schema = 1\n[[reader]]\nid = "a"\ntransport = "usb"\nplan = "none"\nnames = [""]', "reader: transport"),
        ('schema = 1\n[[reader]]\nid = "a"\ntransport = "line"\nplan = "read_binary"\nnames = [""]', "cannot do"),
        ('schema = 1\n[[reader]]\nid = "a"\ntransport = "pcsc"\nplan = "sam_v"\nnames = [""]', "cannot do"),
        ('schema = 1\n[[reader]]\nid = "a"\ntransport = "line"\nplan = "sam_v"\nnames = [""]\nescape = true', "escape"),
        ('schema = 1\n[[reader]]\nid = "a"\ntransport = "pcsc"\nplan = "none"\nnames = [""]\n' * 2, "."),
    ],
)
def test_a_wrong_file_is_told_where(text: str, complaint: str) -> None:
    with pytest.raises(ProfilesError, match=complaint):
        parse_profiles(text)


def test_reader_ids_are_unique() -> None:
    row = '[[reader]]\nid = "a"\ntransport = "pcsc"\nplan = "none"\nnames = [""]\n'
    with pytest.raises(ProfilesError, match="not unique"):
        parse_profiles("schema = 1\n" + row * 2)


# --- cards that must be asked --------------------------------------------------------------------------------------


def ask(card: SimCard) -> CardClass:
    for question in PROFILES.questions:
        answer = card.transmit(select(question, byte_wise=False)).data
        if (known := verdict(PROFILES, question, answer)) is not None:
            return known
    return CardClass.FOREIGN


@pytest.mark.parametrize(
    ("kind", "card"),
    [
        (CardKind.BANK_ASKED, CardClass.BANK),
        (CardKind.TRANSIT_ASKED, CardClass.TRANSIT),
        (CardKind.SOCIAL, CardClass.SOCIAL),  # although it is a bank card too
        (CardKind.UNKNOWN, CardClass.FOREIGN),
    ],
)
def test_cards_by_what_they_have(kind: CardKind, card: CardClass) -> None:
    assert PROFILES.card(SimCard(kind).power_up()) is None
    assert ask(SimCard(kind)) is card


def test_commands_byte_by_byte() -> None:
    assert select(PPSE, byte_wise=False).hex().upper() == "00A404000E325041592E5359532E444446303100"
    assert select(PPSE, byte_wise=True).hex().upper() == "00A404000E325041592E5359532E4444463031"
    assert select(SOCIAL, byte_wise=True).hex().upper() == "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
    assert get_response(b"\x61\x17") == bytes.fromhex("00C0000017")
    assert get_response(b"\x90\x00") is None
    assert get_response(b"x\x61\x17") is None


@pytest.mark.parametrize(
    ("answer", "card"),
    [
        ("9000", CardClass.BANK),
        ("6283", CardClass.BANK),
        ("6A82", None),
        ("6D00", None),
        ("", None),
        ("90", None),
        ("4F08A0000006320101059000", CardClass.TRANSIT),
        ("4F07A00000033301019000", CardClass.BANK),
        ("610A4F08A0000006320101059000", CardClass.TRANSIT),
        ("4FFF9000", CardClass.BANK),
        ("6F8540", None),
        ("6F85FFFFFFFFFF9000", CardClass.BANK),
        ("BF9000", CardClass.BANK),
    ],
)
def test_answers_of_a_directory(answer: str, card: CardClass | None) -> None:
    assert verdict(PROFILES, PPSE, bytes.fromhex(answer)) is card


@given(st.binary(max_size=260), st.sampled_from(["", "9000", "6110"]))
def test_no_answer_upsets_the_question(answer: bytes, status: str) -> None:
    assert verdict(PROFILES, PPSE, answer + bytes.fromhex(status)) in (None, *CardClass)


@given(st.binary(min_size=1, max_size=16))
def test_every_question_is_a_command(name: bytes) -> None:
    command = select(Question(CardClass.BANK, name), byte_wise=False)
    assert command[5 : 5 + command[4]] == name
    assert len(command) == 6 + len(name)
