"""A delta makes exactly the newer file of the older one, or nothing."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.bundle_delta import MAX_BUNDLE_BYTES, DeltaError, apply_delta, make_delta


@given(st.binary(max_size=3000), st.binary(min_size=1, max_size=3000))
def test_any_file_is_made_of_any_other(old: bytes, new: bytes) -> None:
    assert apply_delta(old, make_delta(old, new), size=len(new)) == new


def test_a_small_change_in_a_large_file_is_a_small_delta() -> None:
    old = os.urandom(300_000)
    new = old[:1000] + b"changed" + old[1000:299_000] + os.urandom(200)
    delta = make_delta(old, new)
    assert len(delta) < 2000
    assert apply_delta(old, delta, size=len(new)) == new


@given(st.integers(0, 10**6))
def test_a_damaged_delta_or_another_file_makes_nothing_or_the_same(seed: int) -> None:
    chance = random.Random(seed)
    old, new = chance.randbytes(2000), chance.randbytes(300)
    new = old[:1500] + new
    delta = bytearray(make_delta(old, new))
    delta[chance.randrange(len(delta))] ^= 1 << chance.randrange(8)
    try:
        made = apply_delta(old, bytes(delta), size=len(new))
    except DeltaError:
        return
    assert made == new


@pytest.mark.parametrize("size", [0, 1, 10**6, MAX_BUNDLE_BYTES + 1])
def test_a_delta_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(DeltaError):
        apply_delta(b"old", make_delta(b"old", b"new and longer"), size=size)


@pytest.mark.parametrize("garbage", [b"", b"x", bytes(100), b"\x28\xb5\x2f\xfd"])
def test_garbage_is_no_delta(garbage: bytes) -> None:
    with pytest.raises(DeltaError):
        apply_delta(b"old", garbage, size=10)
