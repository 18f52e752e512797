"""A printer that says anything at all: the driver comes to an end in time, and believes only what proves something."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.receipt.conversation import Conversation, NoAnswer
from drivers.receipt.delivery import Delivery, Ending
from drivers.receipt.introduction import introduce
from drivers.receipt.models import Model, Proving, by_id, catalogue
from drivers.receipt.protocol import ASK_SENSOR, ask_proof, slip
from drivers.receipt.status import starting, summarize
from drivers.receipt.timings import Timings
from kiosk.core.devices import DeviceStatus

TOKEN = b"noon"
TIMINGS = Timings()
WITHIN_S = 25.0


@dataclass
class Babble:
    """The far end of a line: takes everything, says what it was told to say, and time passes by it."""

    says: list[bytes]
    now: float = 0.0
    heard: bytes = b""
    said: bytearray = field(default_factory=bytearray)

    def exchange(self, data: bytes, *, timeout_s: float) -> tuple[int, bytes]:
        self.now += max(0.001, timeout_s)
        self.heard += data
        piece = self.says.pop() if self.says else b""
        self.said += piece
        return len(data), piece


pieces = st.one_of(
    st.binary(max_size=8),
    st.sampled_from(
        (b"\x12", b"\x12" * 4, b"\x1a\x32\x12\x7e", b"\x10\x00\x00\x0f", b"\x18\x00\x0f\x0f", b"\x00", b"\x00" * 3)
    ),
    st.sampled_from((b'7"noon\x00', b'7"moon\x00', b"7%\x00", b"\x13", b"\x11", b"_TM-T88V\x00")),
    st.sampled_from((b"\x10\x0f\x20\x00\x00\x00", b"")),
)
models = st.sampled_from([model for model in catalogue() if model.proving is not Proving.FOUND_OUT])


def conversation(wire: Babble, model: Model) -> Conversation:
    return Conversation(
        wire,  # type: ignore[arg-type]  # a line is what can exchange bytes
        model=model,
        answer_s=TIMINGS.answer,
        obeys_flow=True,
        monotonic=lambda: wire.now,
    )


def deliver(wire: Babble, model: Model) -> tuple[Ending, Conversation]:
    line = conversation(wire, model)
    image = Image.new("1", (model.dots, 100), 0)

    def look() -> DeviceStatus:
        return summarize(line.heard, identity="") if line.heard else starting("")

    delivery = Delivery(line, TOKEN, timings=TIMINGS, monotonic=lambda: wire.now, look=look)
    return delivery.run(slip(image, TOKEN, model=model, after_break=True), until=WITHIN_S), line


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=60), models)
def test_a_delivery_ends_in_time_and_believes_only_proof(says: list[bytes], model: Model) -> None:
    wire = Babble(list(says))
    ending, line = deliver(wire, model)
    assert wire.now <= WITHIN_S + TIMINGS.step
    if ending is Ending.PROVEN:
        assert line.drained
        if model.proving is Proving.PROCESS_ID:
            assert bytes(TOKEN) in wire.said.translate(None, b"\x11\x13\x12\x16\x1a\x1e") or line.proven(TOKEN)
            assert ask_proof(TOKEN) in wire.heard, "the proof was asked for before it was believed"
        else:
            assert model.proving is Proving.DRAINED
            assert wire.heard.count(ASK_SENSOR) <= sum(wire.said.count(bit) for bit in b"\x00\x03\x0c\x0f")
            assert not line.doubtful
    assert (ending is Ending.UNPROVABLE) <= (model.proving is Proving.NONE)


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=40), st.sampled_from([None, *catalogue()]))
def test_an_introduction_ends_in_time(says: list[bytes], wanted: Model | None) -> None:
    wire = Babble(list(says))
    line = conversation(wire, wanted or catalogue()[0])
    try:
        acquaintance = introduce(line, wanted=wanted, token=TOKEN, quiet_s=TIMINGS.quiet)
    except NoAnswer:
        assert wanted is None or wanted.sensor
    else:
        assert acquaintance.model.proving is not Proving.FOUND_OUT
        assert acquaintance.name.isprintable()
    assert wire.now <= 5 * TIMINGS.answer + 41 * TIMINGS.quiet + 0.1


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=40), models)
def test_a_status_round_ends_in_time(says: list[bytes], model: Model) -> None:
    wire = Babble(list(says))
    line = conversation(wire, model)
    try:
        line.condition()
    except NoAnswer:
        pass
    else:
        assert line.heard is not None
    assert wire.now <= 6 * TIMINGS.answer


@pytest.mark.parametrize(
    ("model", "says", "ending"),
    [
        ("epson-576", b'7"moon\x00', Ending.SILENT),
        ("clone-80", b"", Ending.SILENT),
    ],
)
def test_silence_is_noticed_soon(model: str, says: bytes, ending: Ending) -> None:
    wire = Babble([says])
    assert deliver(wire, by_id(model))[0] is ending
    assert wire.now <= TIMINGS.poll + TIMINGS.silence + 3 * TIMINGS.step


def test_never_more_ahead_than_the_buffer_holds() -> None:
    """A printer that takes everything and works nothing off gets one buffer's worth, and questions."""
    for model in catalogue():
        if model.sensor:
            wire = Babble([b"\x12"] * 400)
            deliver(wire, model)
            assert len(wire.heard) <= model.buffer
