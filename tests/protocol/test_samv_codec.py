"""SAM_V on the wire: known frames, every status, noise, torn frames; whether a card lies there, as pure decisions."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import pairwise
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.idcard.presence import KEEPERS, MISSES, Change, Presence, is_here
from drivers.idcard.protocol import CardBytes, ReadError, Unreadable
from drivers.idcard.sam_talk import Refused, introduce, read_selected
from drivers.idcard.sam_v import (
    FIND,
    FOUND,
    GOOD,
    MEANINGS,
    NO_SUCH_ITEM,
    NOT_FOUND,
    PREAMBLE,
    READ,
    READ_NEWEST_ADDRESS,
    SAM_ID,
    SELECT,
    STATUS,
    Answer,
    Command,
    Damage,
    FrameSearch,
    describe_sam,
    encode,
    fault_of,
    parse_base_record,
)
from drivers.idcard.wire import Wire, WireFailure, ask
from drivers.sim.card_deck import CardKind, SimCard
from drivers.sim.sam_v import Faults, SamFault, SamModule
from kiosk.core.devices import Fault
from kiosk.core.result import Err, Ok

TEXT, PHOTO = b"T" * 256, b"P" * 1024

# --- frames ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "frame"),
    [
        (STATUS, "AAAAAA9669000311FFED"),
        (SAM_ID, "AAAAAA9669000312FFEE"),
        (FIND, "AAAAAA96690003200122"),
        (SELECT, "AAAAAA96690003200221"),
        (READ, "AAAAAA96690003300132"),
        (READ_NEWEST_ADDRESS, "AAAAAA96690003300330"),
    ],
)
def test_requests_as_published(command: Command, frame: str) -> None:
    assert command.frame().hex().upper() == frame


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("AAAAAA9669000400009094", Answer(GOOD)),
        ("AAAAAA96690008" + "00009F" + "00000000" + "97", Answer(FOUND, bytes(4))),
        ("AAAAAA9669000400008084", Answer(NOT_FOUND)),
        ("AAAAAA9669000C" + "000090" + "00" * 8 + "9C", Answer(GOOD, bytes(8))),
    ],
)
def test_answers_as_published(frame: str, answer: Answer) -> None:
    assert list(FrameSearch().feed(bytes.fromhex(frame))) == [answer]


@pytest.mark.parametrize(("fingerprint", "size"), [(None, 1295), (0, 1297), (512, 1809), (1024, 2321)])
def test_base_records_of_every_length(fingerprint: int | None, size: int) -> None:
    lengths = [256, 1024] + ([] if fingerprint is None else [fingerprint])
    data = struct.pack(f">{len(lengths)}H", *lengths) + TEXT + PHOTO + b"F" * (fingerprint or 0)
    frame = encode(bytes.fromhex("000090") + data)
    assert len(frame) == size
    (answer,) = FrameSearch().feed(frame)
    assert isinstance(answer, Answer)
    assert parse_base_record(answer.data) == Ok(CardBytes(TEXT, PHOTO))
    assert "T" * 9 not in repr(answer)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ReadError(Unreadable.HEADER)),
        (b"\x01\x00\x04\x00", ReadError(Unreadable.TORN, "4 bytes in all")),
        (b"\x01\x00\x04\x00" + TEXT + PHOTO[1:], ReadError(Unreadable.TORN, "1283 bytes in all")),
        (b"\x01\x01\x04\x00" + TEXT + b"x" + PHOTO, ReadError(Unreadable.HEADER)),
        (b"\x01\x00\x04\x00\x01\x00" + TEXT + PHOTO, ReadError(Unreadable.TORN, "1286 bytes in all")),
    ],
)
def test_base_records_that_are_none(data: bytes, error: ReadError) -> None:
    assert parse_base_record(data) == Err(error)


def test_the_module_s_number() -> None:
    number = struct.pack("<HHIII", 5, 3, 20120601, 12345678, 987654321)
    assert describe_sam(number) == Ok("05.03-20120601-0012345678-0987654321")
    assert describe_sam(number[1:]) == Err(ReadError(Unreadable.TORN, "15 bytes of module number"))


FAULTS = {
    0x10: Fault.PROTOCOL,
    0x11: Fault.PROTOCOL,
    0x21: Fault.PROTOCOL,
    0x23: Fault.PROTOCOL,
    0x24: Fault.HARDWARE,
    0x31: Fault.CARD_REJECTED,
    0x32: Fault.CARD_REJECTED,
    0x33: Fault.CARD_REJECTED,
    0x37: Fault.CARD_REJECTED,
    0x3F: Fault.CARD_UNREADABLE,
    0x40: Fault.CARD_FOREIGN,
    0x41: Fault.CARD_UNREADABLE,
    0x47: Fault.SAM_FAULT,
    0x60: Fault.SAM_FAULT,
    0x66: Fault.SAM_FAULT,
    0x80: Fault.NO_CARD,
    0x81: Fault.NO_CARD,
    0x91: Fault.CARD_UNREADABLE,
}


def test_every_status_has_its_fault() -> None:
    assert {status: meaning.fault for status, meaning in MEANINGS.items()} == FAULTS
    assert fault_of(0x60) == (Fault.SAM_FAULT, "SAM_V 60 self-test failed")
    assert fault_of(0x0100FF) == (Fault.PROTOCOL, "SAM_V 100FF unknown status")


FRAMES = st.binary(max_size=90).map(lambda data: encode(b"\0\0\x90" + data))
NOISE = st.binary(max_size=30) | st.sampled_from([b"\xaa", b"\xaa" * 4, PREAMBLE[:-1], PREAMBLE[:3]])


def feed_in_pieces(data: bytes, cuts: list[int]) -> Iterator[Answer | Damage]:
    search = FrameSearch()
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        yield from search.feed(data[start:end])


@given(st.lists(st.tuples(NOISE, FRAMES), min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
def test_frames_are_found_in_noise_and_in_pieces(parts: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    whole = b"".join(noise + frame for noise, frame in parts)
    if any(PREAMBLE in noise + frame[:4] for noise, frame in parts):
        return
    found = list(feed_in_pieces(whole, cuts))
    assert found == [Answer(GOOD, frame[10:-1]) for _noise, frame in parts]


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=8))
def test_no_bytes_upset_the_search(data: bytes, cuts: list[int]) -> None:
    for found in feed_in_pieces(PREAMBLE + data + PREAMBLE, cuts):
        assert isinstance(found, Answer | Damage)


@given(FRAMES, st.integers(5, 200), st.integers(1, 255))
def test_a_changed_byte_is_never_an_answer(frame: bytes, place: int, change: int) -> None:
    place = 5 + (place - 5) % (len(frame) - 5)
    spoilt = bytearray(frame)
    spoilt[place] ^= change
    assert not any(isinstance(found, Answer) for found in FrameSearch().feed(bytes(spoilt)))


@given(FRAMES, st.integers(0, 100))
def test_after_a_torn_frame_the_next_one_is_found(frame: bytes, kept: int) -> None:
    """It may cost one more frame: a torn frame eats what it says is its own."""
    torn = frame[: min(kept, len(frame) - 1)]
    found = list(FrameSearch().feed(torn + frame + b"\0" * 4200))
    assert Answer(GOOD, frame[10:-1]) in found


def test_a_frame_that_says_too_much_or_too_little() -> None:
    for length in (0, 3, 4097, 0xFFFF):
        data = PREAMBLE + length.to_bytes(2, "big") + encode(b"\0\0\x90")
        assert list(FrameSearch().feed(data)) == [Damage.LENGTH, Answer(GOOD)]


def test_what_the_simulated_module_says_is_understood() -> None:
    """Two codecs, written apart, agree."""
    card = SimCard(CardKind.RESIDENT, text_block=TEXT, photo=PHOTO)
    module = SamModule(lambda: card)
    statuses = []
    for command in (STATUS, SAM_ID, FIND, SELECT, READ, READ_NEWEST_ADDRESS, FIND):
        (answer,) = FrameSearch().feed(module.feed(command.frame()))
        assert isinstance(answer, Answer)
        statuses.append(answer.status)
    assert statuses == [GOOD, GOOD, FOUND, GOOD, GOOD, NO_SUCH_ITEM, NOT_FOUND]


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_the_simulated_module_survives_anything(pieces: list[bytes]) -> None:
    module = SamModule(lambda: None)
    for piece in pieces:
        assert not any(isinstance(found, Damage) for found in FrameSearch().feed(module.feed(PREAMBLE + piece)))


# --- one exchange ----------------------------------------------------------------------------------------------------


class PipeWire:
    """A module without a line between."""

    def __init__(self, module: SamModule) -> None:
        self.module = module
        self.sent = 0
        self._held = b""

    def forget(self) -> None:
        self._held = b""

    def send(self, data: bytes) -> None:
        self.sent += 1
        self._held += self.module.feed(data)

    def receive(self, wait_s: float) -> bytes:
        data, self._held = self._held[:7], self._held[7:]
        return data

    def close(self) -> None:
        pass


QUICK = Command(STATUS.code, 0.02)


@pytest.mark.parametrize(
    ("faults", "fault", "detail"),
    [
        (Faults(fault=SamFault.MUTE), Fault.TIMEOUT, "module does not answer"),
        (Faults(fault=SamFault.HALF_FRAME), Fault.PROTOCOL, "half an answer"),
        (Faults(fault=SamFault.BAD_CHECKSUM), Fault.PROTOCOL, "answer with a bad checksum"),
        (Faults(fault=SamFault.WRONG_LENGTH), Fault.PROTOCOL, "half an answer"),
        (Faults(fault=SamFault.HUGE_LENGTH), Fault.PROTOCOL, "answer with a bad length"),
        (Faults(fault=SamFault.BABBLE), Fault.PROTOCOL, "noise"),
        (Faults(fault=SamFault.STATUS, sw=0x10), Fault.PROTOCOL, "module got a damaged frame"),
    ],
)
def test_exchanges_that_fail(faults: Faults, fault: Fault, detail: str) -> None:
    wire = PipeWire(SamModule(lambda: None, faults=faults))
    with pytest.raises(WireFailure) as failed:
        ask(wire, QUICK)
    assert (failed.value.error.fault, failed.value.error.detail) == (fault, detail)


@pytest.mark.parametrize("fault", [SamFault.HALF_FRAME, SamFault.BAD_CHECKSUM, SamFault.WRONG_LENGTH])
def test_damage_on_the_way_is_asked_again(fault: SamFault) -> None:
    wire = PipeWire(SamModule(lambda: None, faults=Faults(fault=fault, times=2)))
    assert ask(wire, QUICK) == Answer(GOOD)
    assert wire.sent == 3


def test_noise_before_an_answer_does_no_harm() -> None:
    wire = PipeWire(SamModule(lambda: None, faults=Faults(fault=SamFault.NOISE)))
    assert ask(wire, QUICK) == Answer(GOOD)
    assert wire.sent == 1


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_whatever_a_line_brings_an_exchange_ends(pieces: list[bytes]) -> None:
    class Hostile(PipeWire):
        def receive(self, wait_s: float) -> bytes:
            return pieces.pop() if pieces else b""

        def send(self, data: bytes) -> None:
            pass

    try:
        answer = ask(Hostile(SamModule(lambda: None)), Command(STATUS.code, 0.002))
    except WireFailure as failed:
        assert failed.error.fault in (Fault.TIMEOUT, Fault.PROTOCOL)
    else:
        assert isinstance(answer, Answer)


# --- presence --------------------------------------------------------------------------------------------------------


def after(presence: Presence, *statuses: int) -> tuple[Presence, list[Change]]:
    changes = []
    for status in statuses:
        presence, change = presence.after(presence.question, status)
        changes.append(change)
    return presence, [change for change in changes if change is not Change.NOTHING]


READ_CARD = Presence(here=True, was_read=True, keeper=READ_NEWEST_ADDRESS)
BLIND = Presence(here=True, was_read=True, keeper=None)


def test_a_card_comes_and_goes_before_it_is_read() -> None:
    presence, changes = after(Presence(), NOT_FOUND, NOT_FOUND, FOUND, FOUND, NOT_FOUND, FOUND)
    assert changes == [Change.LIFTED, Change.LAID]
    presence, changes = after(presence, NOT_FOUND, NOT_FOUND)
    assert changes == [Change.LIFTED]
    assert presence == Presence(here=False)


def test_a_card_that_was_read_is_kept_in_sight_by_its_keeper() -> None:
    assert READ_CARD.question is READ_NEWEST_ADDRESS
    presence, changes = after(READ_CARD, NO_SUCH_ITEM, GOOD, NO_SUCH_ITEM)
    assert (presence, changes) == (READ_CARD, [])


def test_one_bad_answer_is_not_the_end_of_a_session() -> None:
    """The module does not find the card, as it was read; its keeper has the last word."""
    presence, changes = after(READ_CARD, 0x41, NOT_FOUND, NO_SUCH_ITEM)
    assert changes == []
    assert presence == READ_CARD


def test_two_bad_answers_and_nothing_found_is_a_lifted_card() -> None:
    presence, changes = after(READ_CARD, 0x41, NOT_FOUND, 0x41, NOT_FOUND)
    assert changes == [Change.LIFTED]
    assert presence == Presence(here=False)


def test_a_card_found_anew_may_be_another_one() -> None:
    _presence, changes = after(READ_CARD, 0x41, FOUND)
    assert changes == [Change.MAYBE_ANOTHER]


def test_a_blind_module_never_says_lifted() -> None:
    presence, changes = after(BLIND, *[NOT_FOUND] * 50)
    assert (presence.here, changes) == (True, [])
    assert after(BLIND, FOUND) == (Presence(here=True), [Change.LAID_ANEW])


STATUSES = st.lists(st.sampled_from([GOOD, FOUND, NO_SUCH_ITEM, NOT_FOUND, 0x81, 0x41, 0x66]), max_size=30)


@given(st.sampled_from([Presence(), READ_CARD, BLIND, Presence(here=True)]), STATUSES)
def test_events_alternate_and_a_read_card_is_lifted_only_after_its_keeper_failed(
    presence: Presence, statuses: list[int]
) -> None:
    missed = 0
    for status in statuses:
        question, before = presence.question, presence
        presence, change = presence.after(question, status)
        if question in KEEPERS and before.was_read:
            missed = 0 if is_here(question, status) else missed + 1
        match change:
            case Change.LAID:
                assert before.here is not True
                assert presence.here
            case Change.LIFTED:
                assert before.here is not False
                assert presence.here is False
                assert not before.was_read or missed >= MISSES
            case Change.LAID_ANEW:
                assert before == BLIND
                assert presence == Presence(here=True)
            case Change.MAYBE_ANOTHER:
                assert before.was_read
                return  # the reader reads it now
            case Change.NOTHING:
                assert presence.here == before.here


def test_check_bytes_are_xor() -> None:
    frame = encode(b"\0\0\x90abc")
    assert reduce(xor, frame[5:], 0) == 0


# --- a module that says anything -------------------------------------------------------------------------------------


class Talker(PipeWire):
    """Whole frames, of any status and content."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        super().__init__(SamModule(lambda: None))
        self._answers = answers

    def send(self, data: bytes) -> None:
        status, content = self._answers.pop() if self._answers else (0x24, b"")
        self._held = encode(bytes((0, 0, status)) + content)


ANSWERS = st.tuples(
    st.sampled_from([GOOD, FOUND, NO_SUCH_ITEM, NOT_FOUND, *MEANINGS]) | st.integers(0, 255),
    st.binary(max_size=80) | st.just(struct.pack(">HH", 256, 1024) + TEXT + PHOTO),
)


@given(st.lists(ANSWERS, max_size=8), st.sampled_from([introduce, read_selected]))
def test_no_answer_upsets_a_conversation(answers: list[tuple[int, bytes]], talk: Callable[[Wire], object]) -> None:
    try:
        said = talk(Talker(answers))
    except (Refused, WireFailure) as failed:
        assert failed.error.fault in Fault
    else:
        assert isinstance(said, str | CardBytes)
