"""The additional record of a card (追加地址): the newest address wins, the printed one is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.id_card import IdCard
from kiosk.core.id_card_text import (
    ADDRESS_BYTES,
    CardTextError,
    CardTextFault,
    encode_address_record,
    with_newest_address,
)
from kiosk.core.result import Err, Ok

MakeCard = Callable[..., IdCard]


def test_the_newest_address_wins(make_card: MakeCard) -> None:
    card = make_card()
    outcome = with_newest_address(card, encode_address_record("样本市新区\ue81e路2号"))
    assert isinstance(outcome, Ok)
    assert (outcome.value.address, outcome.value.printed_address) == ("样本市新区\u9fb4路2号", card.address)
    again = with_newest_address(outcome.value, encode_address_record("样本市第三路3号"))
    assert isinstance(again, Ok)
    assert (again.value.address, again.value.printed_address) == ("样本市第三路3号", card.address)


@pytest.mark.parametrize("record", [b" \0" * 35, b"\0" * 70, "\u3000".encode("utf-16-le") * 35])
def test_an_empty_record_changes_nothing(make_card: MakeCard, record: bytes) -> None:
    assert with_newest_address(make_card(), record) == Ok(make_card())


def test_the_printed_address_again_is_no_news(make_card: MakeCard) -> None:
    assert with_newest_address(make_card(), encode_address_record(make_card().address)) == Ok(make_card())


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (b"", CardTextFault.LENGTH),
        (b" \0" * 36, CardTextFault.LENGTH),
        (b"\x00\xd8" * 35, CardTextFault.TEXT),
        ("\u202e".encode("utf-16-le") * 35, CardTextFault.TEXT),
    ],
)
def test_records_that_are_none(make_card: MakeCard, record: bytes, fault: CardTextFault) -> None:
    assert with_newest_address(make_card(), record) == Err(CardTextError(fault, "address"))


def test_a_record_holds_thirty_five_units() -> None:
    assert len(encode_address_record("路" * 35)) == ADDRESS_BYTES
    with pytest.raises(ValueError, match="longer than 35"):
        encode_address_record("路" * 36)


@given(st.binary(max_size=80) | st.binary(min_size=70, max_size=70))
def test_any_record_gets_an_answer(record: bytes) -> None:
    from drivers.sim.specimens import specimen

    assert isinstance(with_newest_address(specimen(), record), Ok | Err)
