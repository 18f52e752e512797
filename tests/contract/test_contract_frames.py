"""Frames arrive in any pieces; nonsense ends the connection with a reason."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.frames import MAX_HEAD, MAX_TAIL, FrameError, FrameReader, encode_frame

json_objects = st.dictionaries(
    st.text(max_size=8),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=12), st.lists, max_leaves=4),
)


@given(st.lists(st.tuples(json_objects, st.binary(max_size=300)), max_size=5), st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_whole_whatever_the_pieces(messages: list[tuple[dict, bytes]], sizes: list[int]) -> None:
    stream = b"".join(encode_frame(head, tail) for head, tail in messages)
    reader, seen, turn = FrameReader(), [], 0
    while stream:
        size = sizes[turn % len(sizes)]
        seen += reader.feed(stream[:size])
        stream, turn = stream[size:], turn + 1
    assert [(frame.head, frame.tail) for frame in seen] == messages


@given(st.binary(max_size=200))
def test_random_bytes_give_frames_or_a_frame_error(data: bytes) -> None:
    try:
        FrameReader().feed(data)
    except FrameError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (struct.pack(">II", MAX_HEAD + 1, 0), "too large"),
        (struct.pack(">II", 2, MAX_TAIL + 1), "too large"),
        (struct.pack(">II", 3, 0) + b"{,}", "not JSON"),
        (struct.pack(">II", 2, 0) + b"[]", "not an object"),
        (struct.pack(">II", 2, 0) + b"\xff\xfe", "not JSON"),
        (struct.pack(">II", 200_000, 0) + b"[" * 200_000, "not JSON"),
    ],
)
def test_each_kind_of_nonsense_is_named(raw: bytes, words: str) -> None:
    with pytest.raises(FrameError, match=words):
        FrameReader().feed(raw)


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(FrameError, match="too large"):
        encode_frame({"text": "x" * MAX_HEAD})


@pytest.mark.parametrize("head", [{"text": "\ud800"}, {"number": float("nan")}])
def test_what_json_cannot_say_is_not_sent(head: dict[str, object]) -> None:
    with pytest.raises(FrameError, match="no JSON form"):
        encode_frame(head)
