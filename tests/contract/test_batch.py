"""CWS/1: what is joined is split again, and nothing else is a batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.batch import MAGIC, MAX_BATCH_ITEMS, BatchError, framed_size, join_batch, split_batch

ENVELOPES = st.lists(st.binary(max_size=300), min_size=1, max_size=MAX_BATCH_ITEMS)


@given(ENVELOPES)
def test_what_is_joined_is_split_again(envelopes: list[bytes]) -> None:
    raw = join_batch(envelopes)
    assert list(split_batch(raw)) == envelopes
    assert len(raw) == len(MAGIC) + sum(framed_size(len(envelope)) for envelope in envelopes)


@given(ENVELOPES, st.data())
def test_a_torn_batch_is_refused_or_ends_at_an_envelope(envelopes: list[bytes], data: st.DataObject) -> None:
    raw = join_batch(envelopes)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        assert list(split_batch(cut)) == envelopes[: len(split_batch(cut))]
    except BatchError:
        return


@given(st.binary(max_size=500))
def test_any_bytes_are_a_batch_or_refused_in_words(raw: bytes) -> None:
    try:
        envelopes = split_batch(raw)
    except BatchError as error:
        assert str(error)
        return
    assert join_batch(envelopes) == raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not a batch"),
        (b"CWS2\0\0\0\1x", "not a batch"),
        (MAGIC, "batch is empty"),
        (MAGIC + b"\0\0\0", "batch is torn"),
        (MAGIC + b"\0\0\0\2x", "batch is torn"),
        (MAGIC + b"\xff\xff\xff\xff", "batch is torn"),
        (join_batch([b"x"] * (MAX_BATCH_ITEMS + 1)), "too many envelopes"),
    ],
)
def test_what_is_no_batch(raw: bytes, why: str) -> None:
    with pytest.raises(BatchError, match=why):
        split_batch(raw)
