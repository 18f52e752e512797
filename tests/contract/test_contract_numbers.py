"""Numbers minted on the terminal: unique, readable, and a slip of the pen is found."""

from __future__ import annotations

import os
import uuid
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.numbers import ALPHABET, ApplicationNumber, mint_query_code, mint_submission_id

numbers = st.builds(
    ApplicationNumber,
    region=st.from_regex(r"[0-9]{6}", fullmatch=True),
    day=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    terminal=st.from_regex(r"[0-9A-Z]{4}", fullmatch=True),
    serial=st.integers(0, 9999),
)


@given(numbers)
def test_a_number_is_read_back_from_any_way_of_writing_it(number: ApplicationNumber) -> None:
    assert ApplicationNumber.parse(str(number)) == number
    assert ApplicationNumber.parse(number.printed()) == number
    assert ApplicationNumber.parse(number.printed().lower().replace("-", " ")) == number


@given(numbers, st.integers(0, 19), st.data())
def test_one_wrong_digit_is_found(number: ApplicationNumber, place: int, data: st.DataObject) -> None:
    text = str(number)
    if text[place].isdigit():
        other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[place]]))
        with pytest.raises(ValueError, match="application number"):
            ApplicationNumber.parse(text[:place] + other + text[place + 1 :])


@given(st.text(max_size=40))
def test_nonsense_is_refused_with_a_reason(text: str) -> None:
    try:
        number = ApplicationNumber.parse(text)
    except ValueError:
        return
    assert str(number) == text.replace("-", "").replace(" ", "").upper()


@given(st.integers(0, 2**48 - 1))
def test_submission_ids_are_uuid_version_7_in_order_of_time(unix_ms: int) -> None:
    minted = uuid.UUID(mint_submission_id(unix_ms=unix_ms, random_bytes=os.urandom))
    assert minted.version == 7
    assert minted.variant == uuid.RFC_4122
    assert int.from_bytes(minted.bytes[:6], "big") == unix_ms


def test_query_codes_have_no_look_alikes_and_use_the_whole_alphabet() -> None:
    codes = [mint_query_code(os.urandom) for _ in range(400)]
    assert all(len(code) == 8 for code in codes)
    assert set("".join(codes)) == set(ALPHABET)
    assert not set(ALPHABET) & set("01IOQ")


def test_a_poor_source_of_randomness_is_rejected_not_folded() -> None:
    bytes_left = iter([b"\xff" * 16, b"\xfa" * 16, bytes(range(16))])
    assert mint_query_code(lambda size: next(bytes_left)) == ALPHABET[:8]
