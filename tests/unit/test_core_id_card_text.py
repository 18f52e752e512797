"""The 256-byte text block: exact offsets, four layouts, and hostile bytes."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.core.id_card import CardType, IdCard
from kiosk.core.id_card_text import (
    LAYOUTS,
    CardTextError,
    CardTextFault,
    CardValidity,
    card_validity,
    decode_text_block,
    encode_text_block,
)
from kiosk.core.identity import person_check_character
from kiosk.core.nations import NATIONS
from kiosk.core.private_use import map_private_use, private_use
from kiosk.core.result import Err, Ok

MakeCard = Callable[..., IdCard]
DAYS = st.dates(date(1900, 1, 1), date(2090, 12, 31))
HANZI = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5) | st.sampled_from("䶮𬱖𠅤㛃𲎯·\U00031350")
ENGLISH = st.text(string.ascii_uppercase + " ,.-'", min_size=1, max_size=44).map(str.strip).filter(bool)


def hanzi(units: int) -> st.SearchStrategy[str]:
    """Text that fits a field of so many UTF-16 units."""
    return st.text(HANZI, min_size=1, max_size=units).filter(lambda text: len(text.encode("utf-16-le")) <= 2 * units)


def person_numbers(region: str) -> st.SearchStrategy[str]:
    days = st.dates(date(1900, 1, 1), date(2026, 1, 1)).map(lambda day: day.isoformat().replace("-", ""))
    bodies = st.tuples(days, st.integers(0, 999)).map(lambda part: f"{region}{part[0]}{part[1]:03}")
    return bodies.map(lambda body: body + person_check_character(body))


@st.composite
def cards(draw: st.DrawFn) -> IdCard:
    """Any card of any of the four kinds."""
    kind = draw(st.sampled_from(CardType))
    start = draw(DAYS)
    common: dict[str, Any] = {
        "type": kind,
        "name": draw(hanzi(15)),
        "sex": draw(st.sampled_from("0129")),
        "nation": "",
        "birth": draw(DAYS),
        "address": "",
        "issuer": "",
        "valid_from": start,
        "valid_to": draw(st.none() | st.integers(0, 9000).map(lambda days: start + timedelta(days=days))),
    }
    two_digits = st.integers(0, 99).map("{:02}".format)
    match kind:
        case CardType.RESIDENT:
            own = {
                "id_number": draw(person_numbers("440699")),
                "nation": draw(st.sampled_from(sorted(NATIONS.values()))),
                "address": draw(hanzi(35)),
                "issuer": draw(hanzi(15)),
            }
        case CardType.HMT:
            own = {
                "id_number": draw(person_numbers(draw(st.sampled_from(["810000", "820000", "830000"])))),
                "address": draw(hanzi(35)),
                "issuer": draw(hanzi(15)),
                "pass_number": draw(st.from_regex(r"\A[HM][0-9]{8}\Z")),
                "issue_count": draw(two_digits),
            }
        case CardType.PERMANENT_2017:
            own = {
                "id_number": draw(st.from_regex(r"\A[A-Z]{3}[0-9]{12}\Z")),
                "issuer": draw(st.from_regex(r"\A[0-9]{4}\Z")),
                "english_name": draw(ENGLISH),
                "country": draw(st.from_regex(r"\A[A-Z]{3}\Z")),
            }
        case CardType.PERMANENT_2023:
            own = {
                "id_number": draw(person_numbers("944840")),
                "english_name": draw(ENGLISH),
                "country": draw(st.from_regex(r"\A[A-Z]{3}\Z")),
                "issue_count": draw(two_digits),
            }
    card = IdCard(**{**common, **own})
    if card.english_name and draw(st.booleans()):
        return replace(card, name=card.english_name)
    return card


def put(block: bytes, offset: int, text: str, length: int = 0) -> bytes:
    """The block with this text at this byte, blanks up to the length."""
    raw = text.encode("utf-16-le", "surrogatepass")
    raw += b" \0" * ((length - len(raw)) // 2)
    return block[:offset] + raw + block[offset + len(raw) :]


def fault_of(block: bytes, photo: bytes = b"") -> CardTextError:
    match decode_text_block(block, photo):
        case Err(error):
            return error
        case Ok():
            pytest.fail("was decoded")


@given(cards())
def test_every_card_survives_the_block(card: IdCard) -> None:
    assert decode_text_block(encode_text_block(card)) == Ok(card)


@given(st.binary(min_size=256, max_size=256) | st.binary(max_size=300), st.binary(max_size=4))
@example(b"\0" * 256, b"")
@example(b" \0" * 128, b"")
@example(b"\xff" * 256, b"")
def test_any_bytes_get_an_answer(block: bytes, photo: bytes) -> None:
    assert isinstance(decode_text_block(block, photo), Ok | Err)


@given(cards(), st.integers(0, 255), st.integers(0, 255))
def test_one_changed_byte_never_raises(card: IdCard, place: int, byte: int) -> None:
    block = bytearray(encode_text_block(card))
    block[place] = byte
    assert isinstance(decode_text_block(bytes(block)), Ok | Err)


@given(cards(), st.integers(0, 255))
def test_a_torn_block_is_refused(card: IdCard, length: int) -> None:
    assert fault_of(encode_text_block(card)[:length]) == CardTextError(CardTextFault.LENGTH, "text")


def test_resident_layout_byte_by_byte(make_card: MakeCard) -> None:
    card = make_card(photo=bytes(1024))
    expected = b" \0" * 128
    for offset, text in [
        (0, "陈样本"),
        (30, "2"),
        (32, "01"),
        (36, "19480312"),
        (52, card.address),
        (122, card.id_number),
        (158, card.issuer),
        (188, "20100501"),
        (204, "长期"),
        (248, " "),
    ]:
        expected = put(expected, offset, text)
    assert encode_text_block(card) == expected
    assert decode_text_block(expected, bytes(1024)) == Ok(card)


def test_permit_layout_byte_by_byte() -> None:
    number = "81000019900101001" + person_check_character("81000019900101001")
    block = b" \0" * 128
    for offset, text in [
        (0, "样本港"),
        (30, "1"),
        (36, "19900101"),
        (52, "广东省佛山市样本路2号"),
        (122, number),
        (158, "佛山市公安局"),
        (188, "20240101"),
        (204, "20281231"),
        (220, "H12345678"),
        (238, "02"),
        (248, "J"),
    ]:
        block = put(block, offset, text)
    match decode_text_block(block):
        case Ok(card):
            assert (card.type, card.nation, card.pass_number) == (CardType.HMT, "", "H12345678")
            assert (card.issue_count, card.valid_to, card.id_number) == ("02", date(2028, 12, 31), number)
        case Err(error):
            pytest.fail(str(error))


def test_foreigner_2017_layout_byte_by_byte() -> None:
    block = b" \0" * 128
    for offset, text in [
        (0, "SAMPLE, ERIKA MARIA"),
        (120, "2"),
        (122, "DEU440699200101"),
        (152, "DEU"),
        (188, "20180101"),
        (204, "20280101"),
        (220, "19800203"),
        (236, "01"),
        (240, "4406"),
        (248, "I"),
    ]:
        block = put(block, offset, text)
    match decode_text_block(block):
        case Ok(card):
            assert (card.type, card.name) == (CardType.PERMANENT_2017, "SAMPLE, ERIKA MARIA")
            assert (card.country, card.issuer, card.birth) == ("DEU", "4406", date(1980, 2, 3))
        case Err(error):
            pytest.fail(str(error))


def test_foreigner_2023_layout_byte_by_byte() -> None:
    number = "94427619800203002" + person_check_character("94427619800203002")
    english = "SAMPLE-" * 6
    block = b" \0" * 128
    for offset, text in [
        (0, "样本"),
        (30, "2"),
        (32, "01"),
        (36, "19800203"),
        (52, english[:35]),
        (122, number),
        (188, "20240101"),
        (204, "20340101"),
        (220, english[35:]),
        (242, "DEU"),
        (248, "Y"),
        (250, "001"),
    ]:
        block = put(block, offset, text)
    match decode_text_block(block):
        case Ok(card):
            assert (card.type, card.name, card.english_name) == (CardType.PERMANENT_2023, "样本", english)
            assert (card.issue_count, card.country) == ("01", "DEU")
        case Err(error):
            pytest.fail(str(error))


def test_layouts_lie_inside_the_block_and_do_not_overlap() -> None:
    for layout in LAYOUTS.values():
        taken = [byte for offset, length in layout.values() for byte in range(offset, offset + length)]
        assert len(taken) == len(set(taken))
        assert max(taken) < 256


@pytest.mark.parametrize(
    ("offset", "text", "length", "fault", "field"),
    [
        (248, "K", 2, CardTextFault.TYPE, "type"),
        (248, "\ud800", 2, CardTextFault.TYPE, "type"),
        (0, "\ud842", 2, CardTextFault.TEXT, "name"),
        (0, "陈\u202e本", 30, CardTextFault.TEXT, "name"),
        (0, "陈\0本", 30, CardTextFault.TEXT, "name"),
        (0, "陈\ufdd0本", 30, CardTextFault.TEXT, "name"),
        (0, "陈\uffff本", 30, CardTextFault.TEXT, "name"),
        (52, "样本\n路", 70, CardTextFault.TEXT, "address"),
        (0, "", 30, CardTextFault.MISSING, "name"),
        (0, "\u3000\u3000", 30, CardTextFault.MISSING, "name"),
        (30, "3", 2, CardTextFault.SEX, "sex"),
        (30, "", 2, CardTextFault.SEX, "sex"),
        (32, "", 4, CardTextFault.NATION, "nation"),
        (32, "１２", 4, CardTextFault.NATION, "nation"),
        (36, "19481301", 16, CardTextFault.DATE, "birth"),
        (36, "1948", 16, CardTextFault.DATE, "birth"),
        (188, "长期", 16, CardTextFault.DATE, "from"),
        (204, "", 16, CardTextFault.DATE, "to"),
        (204, "20090501", 16, CardTextFault.PERIOD, "to"),
        (122, "440699194803120021", 36, CardTextFault.ID_NUMBER, "id"),
        (122, "", 36, CardTextFault.ID_NUMBER, "id"),
    ],
)
def test_each_fault_names_its_field(
    make_card: MakeCard, offset: int, text: str, length: int, fault: CardTextFault, field: str
) -> None:
    block = put(put(encode_text_block(make_card()), 204, "长期", 16), offset, text, length)
    assert fault_of(block) == CardTextError(fault, field)


def test_a_permit_number_on_a_resident_card_is_refused(make_card: MakeCard) -> None:
    number = "81000019900101001" + person_check_character("81000019900101001")
    assert fault_of(encode_text_block(make_card(id_number=number))).fault is CardTextFault.ID_NUMBER


def test_a_photo_of_another_size_is_refused(make_card: MakeCard) -> None:
    error = fault_of(encode_text_block(make_card()), bytes(1023))
    assert error == CardTextError(CardTextFault.LENGTH, "photo")


def test_a_nation_outside_the_standard_is_no_reason_to_refuse(make_card: MakeCard) -> None:
    decoded = decode_text_block(put(encode_text_block(make_card()), 32, "81"))
    assert isinstance(decoded, Ok)
    assert decoded.value.nation == ""


def test_zero_padding_is_forgiven(make_card: MakeCard) -> None:
    decoded = decode_text_block(put(encode_text_block(make_card()), 0, "陈样本" + "\0" * 12))
    assert isinstance(decoded, Ok)
    assert decoded.value.name == "陈样本"


def test_errors_hold_nothing_of_the_card(make_card: MakeCard) -> None:
    card = make_card(name="陈\u202e本")
    assert "陈" not in repr(fault_of(encode_text_block(card)))
    assert card.id_number not in repr(card)


def test_a_text_too_long_for_its_field_is_not_written(make_card: MakeCard) -> None:
    with pytest.raises(ValueError, match="name is longer than 15"):
        encode_text_block(make_card(name="陈" * 16))


@pytest.mark.parametrize(
    ("given_", "mapped"),
    [("\ue81e", "\u9fb4"), ("\ue816", "\U00020087"), ("\ue815", "⺁"), ("\ue864", "\u9fbb"), ("\ue796", "\ufe19")],
)
def test_standard_private_use_characters_become_real(make_card: MakeCard, given_: str, mapped: str) -> None:
    decoded = decode_text_block(encode_text_block(make_card(name=f"陈{given_}")))
    assert isinstance(decoded, Ok)
    assert decoded.value.name == f"陈{mapped}"
    assert private_use(decoded.value.name) == ()


@given(st.integers(0xE815, 0xE864) | st.integers(0xE78D, 0xE796))
def test_no_standard_private_use_character_stays(point: int) -> None:
    mapped = map_private_use(chr(point))
    assert len(mapped) == 1
    assert private_use(mapped) == ()


@given(st.text())
def test_mapping_keeps_every_other_character(text: str) -> None:
    assert len(map_private_use(text)) == len(text)
    assert map_private_use(map_private_use(text)) == map_private_use(text)


@pytest.mark.parametrize("unknown", ["\ue000", "\uf8ff", "\U000f0001", "\U00100001"])
def test_unknown_private_use_is_kept_and_reported(make_card: MakeCard, unknown: str) -> None:
    decoded = decode_text_block(encode_text_block(make_card(name=f"陈{unknown}{unknown}")))
    assert isinstance(decoded, Ok)
    assert decoded.value.name == f"陈{unknown}{unknown}"
    assert private_use(decoded.value.name) == (unknown,)


@pytest.mark.parametrize(
    ("today", "validity"),
    [
        (date(2010, 4, 30), CardValidity.NOT_YET_VALID),
        (date(2010, 5, 1), CardValidity.VALID),
        (date(2030, 5, 1), CardValidity.VALID),
        (date(2030, 5, 2), CardValidity.EXPIRED),
    ],
)
def test_validity(make_card: MakeCard, today: date, validity: CardValidity) -> None:
    assert card_validity(make_card(valid_to=date(2030, 5, 1)), today) is validity


def test_a_long_term_card_never_expires(make_card: MakeCard) -> None:
    assert card_validity(make_card(), date(2999, 1, 1)) is CardValidity.VALID


def test_fifty_six_nations_and_two_collective_entries() -> None:
    assert len(NATIONS) == 58
    assert (NATIONS["01"], NATIONS["29"], NATIONS["56"], NATIONS["98"]) == (
        "汉",
        "柯尔克孜",
        "基诺",
        "外国血统中国籍人士",
    )
