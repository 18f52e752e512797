"""社保卡 on paper: T=0 turns, items of EF05 and EF06, whose card it is; then hostile bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from drivers.sim.ifd.reader import Code
from drivers.sim.social_deck import ContactCard, Reads, SlotCard, SlotFault, Trouble, social_card, social_card_of
from drivers.sim.specimens import specimen
from drivers.social_card.protocol import (
    MOST_TURNS,
    SSSE,
    BrokenAnswer,
    Flaw,
    Response,
    exchange,
    read_by_number,
    read_by_tag,
    select_application,
    select_file,
)
from drivers.social_card.reading import OTHERS, read_card
from drivers.social_card.records import (
    EF05,
    EF06,
    OPTIONAL,
    WANTED,
    ItemError,
    Tag,
    decode_card,
    encode_card,
    parse_item,
)
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.result import Err, Ok
from kiosk.core.social_card import SocialCard

CARD = social_card_of(specimen())
ITEMS = {tag: value for items in encode_card(CARD).values() for tag, value in items.items()}


def answers(*hexadecimal: str) -> tuple[Callable[[bytes], bytes], list[bytes]]:
    """A card that gives these answers, and what it was asked."""
    rest: Iterator[bytes] = iter(bytes.fromhex(text) for text in hexadecimal)
    asked: list[bytes] = []

    def transmit(command: bytes) -> bytes:
        asked.append(command)
        return next(rest)

    return transmit, asked


# --- T=0 ---------------------------------------------------------------------------------------------------------


def test_commands_as_published() -> None:
    # 人社信息函〔2012〕37号 as told by public programs
    assert select_application(SSSE).hex().upper() == "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"
    assert select_file(EF05).hex().upper() == "00A4020002EF05"
    assert select_file(EF06, p1=0).hex().upper() == "00A4000002EF06"
    assert read_by_number(1).hex().upper() == "00B2010400"
    assert read_by_tag(0x08).hex().upper() == "00B2080000"


@pytest.mark.parametrize(
    ("told", "asked", "found"),
    [
        (("9000",), ("00B2010400",), Response(b"", 0x9000)),
        (("01029000",), ("00B2010400",), Response(b"\x01\x02", 0x9000)),
        (("6C03", "0101AA9000"), ("00B2010400", "00B2010403"), Response(b"\x01\x01\xaa", 0x9000)),
        (("6103", "0101AA9000"), ("00B2010400", "00C0000003"), Response(b"\x01\x01\xaa", 0x9000)),
        (("6103", "6C02", "01009000"), ("00B2010400", "00C0000003", "00C0000002"), Response(b"\x01\0", 0x9000)),
        (("016101", "AA9000"), ("00B2010400", "00C0000001"), Response(b"\x01\xaa", 0x9000)),
        (("6A83",), ("00B2010400",), Response(b"", 0x6A83)),
        (("01026281",), ("00B2010400",), Response(b"\x01\x02", 0x6281)),
    ],
)
def test_turns(told: tuple[str, ...], asked: tuple[str, ...], found: Response) -> None:
    transmit, questions = answers(*told)
    assert exchange(transmit, read_by_number(1)) == found
    assert [question.hex().upper() for question in questions] == list(asked)


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [(b"", Flaw.NO_STATUS), (b"\x90", Flaw.NO_STATUS), (b"\x61\x10", Flaw.ENDLESS), (b"\x6c\x10", Flaw.ENDLESS)],
)
def test_answers_that_no_card_gives(answer: bytes, flaw: Flaw) -> None:
    count = 0

    def transmit(_command: bytes) -> bytes:
        nonlocal count
        count += 1
        return answer

    with pytest.raises(BrokenAnswer) as caught:
        exchange(transmit, read_by_number(1))
    assert caught.value.flaw is flaw
    assert count <= MOST_TURNS


def test_a_card_that_floods_is_stopped() -> None:
    with pytest.raises(BrokenAnswer) as caught:
        exchange(lambda _command: bytes(250) + b"\x61\xff", read_by_number(1))
    assert caught.value.flaw is Flaw.TOO_LONG


def test_a_selection_is_not_sent_again_with_a_length() -> None:
    """6Cxx answers only a command that names a length."""
    transmit, asked = answers("6C10")
    assert exchange(transmit, select_application(SSSE)).sw == 0x6C10
    assert len(asked) == 1


# --- items -------------------------------------------------------------------------------------------------------


def test_a_card_from_published_bytes() -> None:
    items = {
        0x01: bytes.fromhex("330300D15600000599110145FFFFFFFF"),  # as published, of nobody
        0x03: b"3.00",
        0x05: bytes.fromhex("20140301"),
        0x06: bytes.fromhex("20240301"),
        0x07: b"B00000001",
        0x08: b"44069919480312002X",
        0x09: "陈样本".encode("gbk").ljust(30, b"\0"),
        0x4E: b"\0" * 20,
        0x0A: b"2",
        0x0B: b"\x01",
        0x0D: bytes.fromhex("19480312"),
    }
    match decode_card({**items, 0x08: CARD.id_number.encode()}):
        case Ok(card):
            assert card == SocialCard(
                name="陈样本",
                id_number=CARD.id_number,
                card_number="B00000001",
                sex="2",
                nation="汉",
                birth=date(1948, 3, 12),
                region="330300",
                issued=date(2014, 3, 1),
                valid_to=date(2024, 3, 1),
                standard="3.00",
            )
        case Err(wrong):
            pytest.fail(wrong.item)


@pytest.mark.parametrize(
    ("tag", "value", "field", "wanted"),
    [
        (Tag.SEX, b"\x01", "sex", "1"),
        (Tag.SEX, b"9", "sex", "9"),
        (Tag.NATION, b"\x08", "nation", "壮"),
        (Tag.NATION, b"\x97", "nation", "其他"),
        (Tag.NATION, b"\x00", "nation", ""),
        (Tag.VALID_TO, b"\xff" * 4, "valid_to", None),
        (Tag.VALID_TO, bytes(4), "valid_to", None),
        (Tag.VALID_TO, None, "valid_to", None),
        (Tag.CARD_NUMBER, b"A12345678XX", "card_number", "A12345678"),
        (Tag.CARD_NUMBER, b"12345678\0", "card_number", "12345678"),
        (Tag.STANDARD, b"1.0\0", "standard", "1.0"),
        (Tag.PERSON_NUMBER, b"USA000123456789000", "id_number", "USA000123456789000"),
        (Tag.NAME, "阿·卜　".encode("gbk").ljust(30), "name", "阿·卜"),
        (Tag.NAME, "陈秀䶮".encode("gb18030").ljust(30, b"\0"), "name", "陈秀䶮"),
        (Tag.NAME, "㙍𠮷".encode("gb18030").ljust(30, b"\xff"), "name", "㙍𠮷"),
        # written before Unicode had it (GBK's private use), and since GB 18030-2022 under its own code point
        (Tag.NAME, b"\xb2\xe2\xfe\x59".ljust(30, b"\0"), "name", "测\u9fb4"),
    ],
)
def test_what_real_cards_say(tag: Tag, value: bytes | None, field: str, wanted: object) -> None:
    items = {key: item for key, item in ITEMS.items() if key != tag} | ({tag: value} if value is not None else {})
    match decode_card(items):
        case Ok(card):
            assert getattr(card, field) == wanted
        case Err(wrong):
            pytest.fail(wrong.item)


def test_a_character_may_lie_across_both_parts_of_a_name() -> None:
    name = "一二三四五六七八九十百千万亿𠮷"
    encoded = name.encode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        encoded[:30].decode("gb18030")
    parts = {Tag.NAME: encoded[:30], Tag.NAME_MORE: encoded[30:].ljust(20, b"\0")}
    match decode_card(ITEMS | parts):
        case Ok(card):
            assert card.name == name
        case Err(wrong):
            pytest.fail(wrong.item)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Tag.NAME, b""),
        (Tag.NAME, b"\0" * 30),
        (Tag.NAME, b"\xb3"),
        (Tag.NAME, "甲\n".encode("gbk")),
        (Tag.NAME, "甲\u202e".encode("gb18030")),
        (Tag.PERSON_NUMBER, b"440699194803120021"),
        (Tag.PERSON_NUMBER, b"1234"),
        (Tag.PERSON_NUMBER, "４４".encode("gbk")),
        (Tag.CARD_NUMBER, b""),
        (Tag.CARD_NUMBER, b"\x01\x02"),
        (Tag.SEX, b""),
        (Tag.SEX, b"7"),
        (Tag.SEX, b"11"),
        (Tag.NATION, b"\xaa"),
        (Tag.NATION, b""),
        (Tag.BIRTH, bytes.fromhex("19480231")),
        (Tag.BIRTH, bytes.fromhex("194803")),
        (Tag.BIRTH, b"\xff" * 4),
        (Tag.ISSUED, bytes.fromhex("2014AB01")),
        (Tag.VALID_TO, bytes.fromhex("99991301")),
        (Tag.CARD_ID, b"\x44\x06"),
        (Tag.CARD_ID, b"\xff" * 16),
        (Tag.STANDARD, b"three"),
    ],
)
def test_items_that_make_no_sense_are_named(tag: Tag, value: bytes) -> None:
    assert decode_card(ITEMS | {tag: value}) == Err(ItemError(tag.name))


@pytest.mark.parametrize("tag", sorted({tag for tags in WANTED.values() for tag in tags} - OPTIONAL))
def test_items_that_are_missing_are_named(tag: Tag) -> None:
    assert decode_card({key: value for key, value in ITEMS.items() if key != tag}) == Err(ItemError(tag.name))


@pytest.mark.parametrize("record", [b"", b"\x01", b"\x01\x02\xaa", b"\x01\x00\xaa"])
def test_records_are_exactly_as_long_as_they_say(record: bytes) -> None:
    assert parse_item(record) == Err(ItemError("length"))


def test_a_name_that_is_too_long_for_a_card() -> None:
    with pytest.raises(ValueError, match="longer"):
        encode_card(replace(CARD, name="长" * 26))


# --- whose card --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "name"), OTHERS)
def test_cards_of_others_are_known_by_their_names(fault: Fault, name: bytes) -> None:
    def transmit(command: bytes) -> bytes:
        return b"\x90\x00" if command == select_application(name) else b"\x6a\x82"

    assert read_card(transmit) == Err(DeviceError(fault, "no social security environment"))


def test_a_slow_card_is_given_up_in_time() -> None:
    now = 0.0

    def transmit(_command: bytes) -> bytes:
        nonlocal now
        now += 0.5
        return b"\x90\x00"

    outcome = read_card(transmit, within_s=0.9, monotonic=lambda: now)
    assert outcome == Err(DeviceError(Fault.TIMEOUT, "card is too slow"))
    assert now == 1.0


@pytest.mark.parametrize("reads", Reads)
def test_the_simulated_card_is_read_by_the_driver(reads: Reads) -> None:
    card = social_card(CARD, reads=reads, trouble=None, pull=lambda: None)
    assert read_card(lambda command: card.transmit(command).data) == Ok(CARD)


def test_a_card_that_wants_another_selection() -> None:
    """Some cards find a file only with P1 00."""
    card = social_card(CARD, reads=Reads.BOTH, trouble=None, pull=lambda: None)

    def transmit(command: bytes) -> bytes:
        return b"\x6a\x86" if command[1:3] == b"\xa4\x02" else card.transmit(command).data

    assert read_card(transmit) == Ok(CARD)


# --- hostile bytes -----------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=40), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([b"\x61\x00"], None)
def test_any_answers_end_in_a_card_or_a_fault(told: list[bytes], _data: object) -> None:
    count = 0

    def transmit(_command: bytes) -> bytes:
        nonlocal count
        count += 1
        return told[count % len(told)]

    match read_card(transmit):
        case Err(DeviceError(fault)):
            assert fault in (Fault.CARD_UNREADABLE, Fault.CARD_BANK, Fault.CARD_TRANSIT, Fault.CARD_FOREIGN)
        case Ok(card):
            assert card.name
    assert count < 1000


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_one_spoiled_answer_is_named_or_harmless(data: st.DataObject) -> None:
    """Bits flipped, cut short or lengthened: the same card comes out, or another good one, or an error."""
    card = social_card(CARD, reads=data.draw(st.sampled_from(Reads)), trouble=None, pull=lambda: None)
    victim = data.draw(st.integers(0, 40))
    count = 0

    def transmit(command: bytes) -> bytes:
        nonlocal count
        answer = card.transmit(command).data
        count += 1
        if count - 1 != victim:
            return answer
        match data.draw(st.sampled_from(("flip", "cut", "grow"))):
            case "flip":
                place = data.draw(st.integers(0, len(answer) * 8 - 1))
                return bytes(byte ^ (1 << place % 8 if at == place // 8 else 0) for at, byte in enumerate(answer))
            case "cut":
                return answer[: data.draw(st.integers(0, len(answer) - 1))]
            case _:
                return answer + data.draw(st.binary(min_size=1, max_size=8))

    match read_card(transmit):
        case Ok(read):
            assert all(getattr(read, item.name) != "" for item in fields(SocialCard) if item.name != "nation")
        case Err(DeviceError(fault, detail)):
            assert fault in (Fault.CARD_UNREADABLE, Fault.CARD_BANK, Fault.CARD_FOREIGN, Fault.CARD_TRANSIT)
            assert not any(text in detail for text in (CARD.name, CARD.id_number, CARD.card_number))


@given(st.dictionaries(st.sampled_from(sorted(Tag)), st.binary(max_size=60)))
@settings(max_examples=300, deadline=None)
def test_any_items_are_a_card_or_name_one_of_them(items: dict[int, bytes]) -> None:
    match decode_card(ITEMS | items):
        case Err(wrong):
            assert wrong.item in Tag.__members__
        case Ok(card):
            assert "\ufffd" not in card.name


@given(st.text(st.characters(codec="gb18030", exclude_categories=("C", "Z")), min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_name_comes_out_as_it_went_in(name: str) -> None:
    card = replace(CARD, name=name)
    match decode_card({tag: value for items in encode_card(card).values() for tag, value in items.items()}):
        case Ok(read):
            assert read.name == name
        case Err(wrong):
            pytest.fail(wrong.item)


@given(st.binary(max_size=64))
@settings(max_examples=300, deadline=None)
def test_the_simulated_card_answers_anything(apdu: bytes) -> None:
    for kind in SlotCard:
        card = ContactCard(kind, encode_card(CARD))
        answer = card.transmit(apdu)
        assert answer.code is Code.DONE and len(answer.data) >= 2


@pytest.mark.parametrize("fault", SlotFault)
def test_every_fault_of_the_simulated_card_is_a_fault_of_the_reading(fault: SlotFault) -> None:
    card = social_card(CARD, reads=Reads.BOTH, trouble=Trouble(fault, delay_s=0.0), pull=lambda: None)
    outcome = read_card(lambda command: card.transmit(command).data)
    assert isinstance(outcome, Ok) is (fault is SlotFault.SLOW), outcome
