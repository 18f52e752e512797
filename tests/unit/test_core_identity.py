"""GB 11643 and GB 32100: good numbers, each fault, and what the check characters promise to find."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.identity import (
    Holder,
    NumberFault,
    credit_check_character,
    is_permanent_2017_number,
    parse_credit_code,
    parse_person_number,
    person_check_character,
)
from kiosk.core.result import Err, Ok

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def numbers() -> st.SearchStrategy[str]:
    regions = st.sampled_from(["440699", "110101", "810000", "820000", "830000", "944156"])
    births = st.dates(date(1850, 1, 1), date(2026, 11, 22)).map(lambda day: day.isoformat().replace("-", ""))
    bodies = st.tuples(regions, births, st.integers(0, 999).map("{:03}".format)).map("".join)
    return bodies.map(lambda body: body + person_check_character(body))


def credit_codes() -> st.SearchStrategy[str]:
    letters = st.sampled_from(ALPHABET)
    region = st.text("0123456789", min_size=6, max_size=6)
    bodies = st.tuples(st.text(letters, min_size=2, max_size=2), region, st.text(letters, min_size=9, max_size=9))
    return bodies.map("".join).map(lambda body: body + credit_check_character(body))


def test_a_good_number_tells_birth_and_sex() -> None:
    body = "44069919480312002"
    number = parse_person_number(f" {body}{person_check_character(body)} ")
    assert isinstance(number, Ok)
    assert (number.value.holder, number.value.birth, number.value.male) == (Holder.CITIZEN, date(1948, 3, 12), False)
    assert number.value.text[:14] not in repr(number)


@pytest.mark.parametrize(
    ("region", "holder"),
    [
        ("440699", Holder.CITIZEN),
        ("810000", Holder.HONG_KONG),
        ("820000", Holder.MACAO),
        ("830000", Holder.TAIWAN),
        ("944840", Holder.FOREIGNER),
    ],
)
def test_whose_number(region: str, holder: Holder) -> None:
    body = f"{region}19900101001"
    match parse_person_number(body + person_check_character(body)):
        case Ok(number):
            assert (number.holder, number.region, number.male) == (holder, region, True)
        case Err(fault):
            pytest.fail(fault)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("4406991990010100", NumberFault.SHAPE),
        ("44069919900101A01", NumberFault.SHAPE),
        ("４４０６９９１９９００１０１００１", NumberFault.SHAPE),
        ("99", NumberFault.SHAPE),
        ("160000199001010010"[:17], NumberFault.REGION),
        ("81000119900101001", NumberFault.REGION),
        ("00000019900101001", NumberFault.REGION),
        ("44069919900230001", NumberFault.BIRTH),
        ("44069918491231001", NumberFault.BIRTH),
        ("44069900000101001", NumberFault.BIRTH),
    ],
)
def test_faults_before_the_check(body: str, fault: NumberFault) -> None:
    check = person_check_character(body) if len(body) == 17 and body.isascii() and body.isdigit() else "0"
    assert parse_person_number(body + check) == Err(fault)


def test_small_x_is_forgiven() -> None:
    body = next(body for n in range(1000) if person_check_character(body := f"44069919900101{n:03}") == "X")
    assert isinstance(parse_person_number(body + "x"), Ok)


@given(numbers())
def test_every_minted_number_is_good(number: str) -> None:
    assert isinstance(parse_person_number(number), Ok)


@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_every_changed_digit_is_found(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    assert (changed == number) == isinstance(parse_person_number(changed), Ok)


@given(numbers(), st.integers(0, 16))
def test_every_neighbour_swap_is_found(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (swapped == number) == isinstance(parse_person_number(swapped), Ok)


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert isinstance(parse_person_number(text), Ok | Err)
    assert isinstance(parse_credit_code(text), Ok | Err)


@pytest.mark.parametrize("code", ["12441500196720244T", "11100000000013338W"])
def test_published_credit_codes(code: str) -> None:
    parsed = parse_credit_code(f" {code.lower()} ")
    assert isinstance(parsed, Ok)
    assert (parsed.value.category, parsed.value.region, parsed.value.organisation) == (code[:2], code[2:8], code[8:17])


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("12441500196720244", NumberFault.SHAPE),
        ("1244150019672024IT", NumberFault.SHAPE),
        ("1244A500196720244T", NumberFault.SHAPE),
        ("12441500196720244U", NumberFault.CHECK),
    ],
)
def test_credit_code_faults(code: str, fault: NumberFault) -> None:
    assert parse_credit_code(code) == Err(fault)


@given(credit_codes(), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_every_changed_credit_character_is_found(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert (changed == code) == isinstance(parse_credit_code(changed), Ok)


@given(credit_codes(), st.integers(0, 16))
def test_every_credit_neighbour_swap_is_found(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (swapped == code) == isinstance(parse_credit_code(swapped), Ok)


def test_foreigners_number_of_2017() -> None:
    assert is_permanent_2017_number("DEU440699200101")
    assert not is_permanent_2017_number("DE4440699200101")
    assert not is_permanent_2017_number("DEU44069920010")
