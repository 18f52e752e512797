"""The stream of a receipt printer's answers, told apart: tables, any mixture, any bytes, anything in the middle."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.receipt.answers import (
    TOKEN_BYTES,
    Answer,
    Demultiplexer,
    Flow,
    FullStatus,
    Info,
    Noise,
    Proof,
    RealTimeStatus,
    Recalled,
    Sensor,
    StatusBack,
)

REAL_TIME = [byte for byte in range(256) if byte & 0x93 == 0x12]
BACK_HEADS = [byte for byte in range(256) if byte & 0x93 == 0x10]
BACK_TAILS = [byte for byte in range(256) if not byte & 0x90]
XON, XOFF = Flow(True), Flow(False)


@pytest.mark.parametrize(
    ("data", "answers"),
    [
        (b"", []),
        (b"\x12", [RealTimeStatus(0x12)]),
        (b"\x1a\x32\x12\x7e", [RealTimeStatus(byte) for byte in b"\x1a\x32\x12\x7e"]),
        (b"\x10\x00\x00\x0f", [StatusBack(b"\x10\x00\x00\x0f")]),
        (b"\x18\x00\x0f\x0f\x12", [StatusBack(b"\x18\x00\x0f\x0f"), RealTimeStatus(0x12)]),
        (b'7"abcd\x00', [Proof(b"abcd")]),
        (b"7%\x00", [Recalled()]),
        (b"\x00\x03\x0c\x0f", [Sensor(byte) for byte in b"\x00\x03\x0c\x0f"]),
        (b"_TM-T88V\x00", [Info("TM-T88V")]),
        (b"_ 2.10 ESC/POS\x00", [Info("2.10 ESC/POS")]),
        (b"\x13\x11\x12", [XOFF, XON, RealTimeStatus(0x12)]),
        # broken into
        (b'7"a\x10\x00\x03\x0fbcd\x00', [StatusBack(b"\x10\x00\x03\x0f"), Proof(b"abcd")]),
        (b'7"ab\x38\x00\x00\x0fcd\x00', [StatusBack(b"\x38\x00\x00\x0f"), Proof(b"abcd")]),
        (b'7\x12"a\x32bc\x7ed\x00', [*map(RealTimeStatus, b"\x12\x32\x7e"), Proof(b"abcd")]),
        (b'7"\x13ab\x11cd\x00', [XOFF, XON, Proof(b"abcd")]),
        (b"\x10\x13\x00\x11\x00\x0f", [XOFF, XON, StatusBack(b"\x10\x00\x00\x0f")]),
        (b"_TM\x10\x00\x00\x0f-T88V\x00", [StatusBack(b"\x10\x00\x00\x0f"), Info("TM-T88V")]),
        # nonsense
        (b"\xff\x12", [Noise(b"\xff"), RealTimeStatus(0x12)]),
        (b"\x10\x00\x92\x12", [Noise(b"\x10\x00"), Noise(b"\x92"), RealTimeStatus(0x12)]),
        (b'7"ab', []),
        (b'7"ab\x01\x12', [Noise(b'7"ab'), Noise(b"\x01"), RealTimeStatus(0x12)]),
        (b"7%\x01\x12", [Noise(b"7%"), Noise(b"\x01"), RealTimeStatus(0x12)]),
        (b'7"a7"abcd\x00', [Noise(b'7"a'), Proof(b"abcd")]),
        (b"\x10\x00" + b'7"abcd\x00', [Noise(b"\x10\x00"), Proof(b"abcd")]),
        (b"_" + b"a" * 90 + b"\x12", [Noise(b"_" + b"a" * 81), *[Noise(b"a")] * 9, RealTimeStatus(0x12)]),
    ],
)
def test_answers_are_told_apart(data: bytes, answers: list[Answer]) -> None:
    assert Demultiplexer(info_asked=True).feed(data) == answers


def test_full_status_only_of_printers_that_have_it() -> None:
    data = b"\x10\x0f\x20\xff\x13\x11\x12"
    assert Demultiplexer(full_status=True).feed(data) == [FullStatus(b"\x20\xff\x13\x11"), RealTimeStatus(0x12)]
    assert FullStatus(b"\x20\x00\x00\x00").in_mouth
    assert not FullStatus(b"\x5f\xff\xff\xff").in_mouth
    assert Demultiplexer().feed(b"\x10\x0f\x20\x00") == [StatusBack(b"\x10\x0f\x20\x00")]
    assert Demultiplexer(full_status=True).feed(b"\x10\x00\x00\x0f") == [StatusBack(b"\x10\x00\x00\x0f")]


def test_information_only_when_it_was_asked_for() -> None:
    """Otherwise a stray header would swallow real-time answers that look like letters."""
    assert Demultiplexer().feed(b"_\x32\x12") == [Noise(b"_"), RealTimeStatus(0x32), RealTimeStatus(0x12)]
    asked = Demultiplexer(info_asked=True)
    assert asked.feed(b"_a\x00_") == [Info("a"), Noise(b"_")]


@given(st.lists(st.binary(max_size=12), max_size=12), st.booleans(), st.booleans())
def test_any_bytes_in_any_pieces(pieces: list[bytes], full_status: bool, info_asked: bool) -> None:
    whole = Demultiplexer(full_status=full_status, info_asked=info_asked)
    in_pieces = Demultiplexer(full_status=full_status, info_asked=info_asked)
    assert list(itertools.chain.from_iterable(map(in_pieces.feed, pieces))) == whole.feed(b"".join(pieces))


Said = tuple[bytes, Answer]
real_time = st.sampled_from(REAL_TIME).map(lambda byte: (bytes((byte,)), RealTimeStatus(byte)))
status_back = st.tuples(st.sampled_from(BACK_HEADS), *[st.sampled_from(BACK_TAILS)] * 3).map(
    lambda four: (bytes(four), StatusBack(bytes(four)))
)
sensor = st.sampled_from([0, 3, 12, 15]).map(lambda byte: (bytes((byte,)), Sensor(byte)))
flow = st.booleans().map(lambda go: (b"\x11" if go else b"\x13", Flow(go)))
proof = st.lists(st.sampled_from(sorted(TOKEN_BYTES)), min_size=4, max_size=4).map(
    lambda token: (b'7"' + bytes(token) + b"\x00", Proof(bytes(token)))
)
recalled = st.just((b"7%\x00", Recalled()))
whole_answers = st.one_of(real_time, status_back, sensor, flow, proof, recalled)


@given(st.lists(whole_answers, max_size=20))
def test_every_mixture_of_answers_is_read(said: list[Said]) -> None:
    assert Demultiplexer().feed(b"".join(data for data, _ in said)) == [answer for _, answer in said]


@given(st.one_of(proof, recalled), st.lists(st.one_of(real_time, status_back, flow), max_size=6), st.data())
def test_whatever_breaks_into_a_block_both_are_read(block: Said, breaking: list[Said], data: st.DataObject) -> None:
    """Between any two bytes of a block; a status back is never itself broken into but by flow control."""
    cuts = sorted(data.draw(st.integers(1, len(block[0]) - 1)) for _ in breaking)
    stream, at = b"", 0
    for cut, (raw, _) in zip(cuts, breaking, strict=True):
        stream, at = stream + block[0][at:cut] + raw, cut
    stream += block[0][at:]
    assert Demultiplexer().feed(stream) == [*(answer for _, answer in breaking), block[1]]


@given(status_back, st.lists(flow, max_size=4), st.data())
def test_flow_control_breaks_into_a_status_back(back: Said, breaking: list[Said], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.integers(1, 3)) for _ in breaking)
    stream, at = b"", 0
    for cut, (raw, _) in zip(cuts, breaking, strict=True):
        stream, at = stream + back[0][at:cut] + raw, cut
    stream += back[0][at:]
    assert Demultiplexer().feed(stream) == [*(answer for _, answer in breaking), back[1]]


@given(st.binary(max_size=40), st.lists(whole_answers, min_size=4, max_size=8))
def test_after_noise_the_last_answers_are_read(noise: bytes, said: list[Said]) -> None:
    """Noise can end like the head of an answer; one byte that is of no kind ends that."""
    heard = Demultiplexer().feed(noise + b"\xff" + b"".join(data for data, _ in said))
    assert heard[-len(said) :] == [answer for _, answer in said]


@given(st.binary(max_size=200))
def test_nothing_is_lost_and_nothing_is_invented(data: bytes) -> None:
    """Every byte belongs to one answer, or to the one that has begun."""
    demultiplexer = Demultiplexer()
    spoken = sum(_length(answer) for answer in demultiplexer.feed(data))
    assert 0 <= len(data) - spoken <= 6 + 3


def _length(answer: Answer) -> int:
    match answer:
        case StatusBack():
            return 4
        case Proof():
            return 7
        case Recalled():
            return 3
        case Noise(data):
            return len(data)
        case Info(text):
            return len(text) + 2
        case FullStatus():
            return 6
        case RealTimeStatus() | Sensor() | Flow():
            return 1
