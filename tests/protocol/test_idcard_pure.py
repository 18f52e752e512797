"""The ID card reader's pure halves: addresses, the FF B0 stream, PC/SC codes, cards by ATR, events."""

from __future__ import annotations

import pytest
import smartcard.scard as pcsc
from hypothesis import given
from hypothesis import strategies as st

from drivers.idcard.address import (
    EscapeAddress,
    ReaderAddress,
    SerialAddress,
    SocketAddress,
    Transport,
)
from drivers.idcard.address import parse_address as parse_reader
from drivers.idcard.profiles import CardClass, load_profiles
from drivers.idcard.protocol import (
    PLAN,
    STREAM_BYTES,
    AskAgain,
    Block,
    CardBytes,
    ReadError,
    Unreadable,
    parse_answer,
    split_stream,
)
from drivers.pcsc.address import PcscAddress, parse_address
from drivers.pcsc.status import (
    Code,
    Flag,
    Sight,
    events_between,
    fault_of,
    name_of,
    status_of,
)
from drivers.sim.card_deck import ATRS, CardKind
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    Fault,
    MediaState,
    StatusChanged,
)
from kiosk.core.result import Err, Ok

# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("pcsc:/run/x/pcscd.comm?reader=Kiosk%20IC", PcscAddress("/run/x/pcscd.comm", "Kiosk IC")),
        ("pcsc:?reader=ACS ACR1252", PcscAddress("", "ACS ACR1252")),
        ("pcsc:", PcscAddress("", "")),
        ("pcsc:/tmp/%E6%9F%9C/s", PcscAddress("/tmp/柜/s", "")),
    ],
)
def test_addresses(text: str, address: PcscAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "/run/s", "tcp://h:1", "pcsc://host/s", "pcsc:/s?card=1", "pcsc:/s?reader", "pcsc:/s#f"]
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|query"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pcsc:/run/s?reader=A%20B", PcscAddress("/run/s", "A B")),
        ("pcsc-escape:/run/s?reader=A", EscapeAddress(PcscAddress("/run/s", "A"))),
        ("pcsc-escape:", EscapeAddress(PcscAddress("", ""))),
        ("sam:/dev/ttyUSB0", SerialAddress("/dev/ttyUSB0", 115200)),
        ("sam:/dev/%E8%AF%BB?baud=9600", SerialAddress("/dev/读", 9600)),
        ("sam://10.0.0.7:4001", SocketAddress("10.0.0.7", 4001)),
        ("sam://[::1]:4001", SocketAddress("::1", 4001)),
    ],
)
def test_addresses_of_readers(text: str, place: object) -> None:
    assert parse_reader(text) == ReaderAddress(place)  # type: ignore[arg-type]
    joint = "&" if "?" in text else "?"
    assert parse_reader(f"{text}{joint}decoder=/opt/a%20b.so") == ReaderAddress(place, "/opt/a b.so")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sam:",
        "sam:ttyS0",
        "sam:/dev/a?baud=300",
        "sam:/dev/a?baud=x",
        "sam:/dev/a?speed=9600",
        "sam://host",
        "sam://:7",
        "sam://host:7/x",
        "sam://host:7?baud=9600",
        "sam://host:70000",
        "sam:/dev/a?baud=9600&baud=9600",
        "sam:/dev/a#x",
        "pcsc-escape://host/s",
        "pcsc:/s?reader=A&card=1",
        "usb:/dev/a",
    ],
)
def test_no_addresses_of_readers(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|literal|range"):
        parse_reader(text)


@given(st.text(max_size=40) | st.from_regex(r"(sam|pcsc)(-escape)?:(//)?[a-z/:0-9?=&%\[\]]*", fullmatch=True))
def test_any_text_is_an_address_or_none(text: str) -> None:
    try:
        address = parse_reader(text)
    except ValueError:
        return
    assert address.transport in Transport


def test_the_first_reader_with_the_prefix_is_meant() -> None:
    names = ["Other 01 00", "Kiosk IC Reader 01 00", "Kiosk IC Reader 00 00"]
    assert PcscAddress("", "Kiosk IC").choose(names) == "Kiosk IC Reader 00 00"
    assert PcscAddress("", "").choose(["b", "a"]) == "a"
    assert PcscAddress("", "Kiosk").choose(["Other"]) == ""
    assert PcscAddress("", "").choose([]) == ""


# --- the stream ----------------------------------------------------------------------------------------------------


def test_the_plan_covers_the_stream_once() -> None:
    assert [block.command().hex().upper() for block in PLAN] == [f"FFB00{at}0000" for at in range(6)]
    assert [block.length for block in PLAN] == [256] * 5 + [4]
    assert sum(block.length for block in PLAN) == STREAM_BYTES == 1284


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"1234\x90\x00", Ok(b"1234")),
        (b"\x6c\x04", Ok(AskAgain(4))),
        (b"", Err(ReadError(Unreadable.TORN, "no status word"))),
        (b"\x90", Err(ReadError(Unreadable.TORN, "no status word"))),
        (b"\x90\x00", Err(ReadError(Unreadable.TORN, "0 bytes at 1280"))),
        (b"12345\x90\x00", Err(ReadError(Unreadable.TORN, "5 bytes at 1280"))),
        (b"\x69\x82", Err(ReadError(Unreadable.STATUS_WORD, "SW 6982 at 1280"))),
        (b"1234\x63\x00", Err(ReadError(Unreadable.STATUS_WORD, "SW 6300 at 1280"))),
    ],
)
def test_answers(answer: bytes, result: object) -> None:
    assert parse_answer(Block(1280, 4), answer) == result


def test_the_stream_falls_into_text_and_photo() -> None:
    stream = bytes.fromhex("01000400") + b"t" * 256 + b"p" * 1024
    assert split_stream(stream) == Ok(CardBytes(b"t" * 256, b"p" * 1024))
    assert split_stream(stream[:-1]) == Err(ReadError(Unreadable.TORN, "1283 bytes in all"))
    assert split_stream(b"\x01" + stream[:-1]) == Err(ReadError(Unreadable.HEADER))
    assert "t" * 9 not in repr(split_stream(stream))


@given(st.sampled_from(PLAN), st.binary(max_size=300))
def test_no_answer_upsets_the_parser(block: Block, answer: bytes) -> None:
    match parse_answer(block, answer):
        case Ok(AskAgain(le)):
            assert answer == bytes((0x6C, le))
        case Ok(data):
            assert data == answer[:-2]
            assert len(answer) == block.length + 2
        case Err(error):
            assert error.why in Unreadable


@given(st.binary(max_size=STREAM_BYTES + 4))
def test_no_stream_upsets_the_splitter(stream: bytes) -> None:
    assert isinstance(split_stream(stream), Err)


# --- PC/SC codes ---------------------------------------------------------------------------------------------------

FAULTS = {
    "SCARD_E_NO_SERVICE": Fault.SERVICE_DOWN,
    "SCARD_E_SERVICE_STOPPED": Fault.SERVICE_DOWN,
    "SCARD_F_COMM_ERROR": Fault.SERVICE_DOWN,
    "SCARD_E_INVALID_HANDLE": Fault.SERVICE_DOWN,
    "SCARD_E_UNKNOWN_READER": Fault.NO_READER,
    "SCARD_E_READER_UNAVAILABLE": Fault.NO_READER,
    "SCARD_E_NO_READERS_AVAILABLE": Fault.NO_READER,
    "SCARD_W_REMOVED_CARD": Fault.CARD_REMOVED,
    "SCARD_E_NO_SMARTCARD": Fault.CARD_REMOVED,
    "SCARD_E_NOT_TRANSACTED": Fault.CARD_REMOVED,
    "SCARD_W_UNRESPONSIVE_CARD": Fault.CARD_MUTE,
    "SCARD_W_UNPOWERED_CARD": Fault.CARD_MUTE,
    "SCARD_E_INVALID_ATR": Fault.CARD_MUTE,
    "SCARD_W_UNSUPPORTED_CARD": Fault.CARD_FOREIGN,
    "SCARD_E_UNKNOWN_CARD": Fault.CARD_FOREIGN,
    "SCARD_E_PROTO_MISMATCH": Fault.CARD_FOREIGN,
    "SCARD_W_RESET_CARD": Fault.CARD_UNREADABLE,
    "SCARD_E_NOT_READY": Fault.CARD_UNREADABLE,
    "SCARD_E_TIMEOUT": Fault.TIMEOUT,
    "SCARD_E_SHARING_VIOLATION": Fault.IN_USE,
    "SCARD_F_INTERNAL_ERROR": Fault.UNREACHABLE,
}


@pytest.mark.parametrize(("name", "fault"), FAULTS.items())
def test_every_code_has_its_fault(name: str, fault: Fault) -> None:
    assert fault_of(getattr(pcsc, name) & 0xFFFFFFFF) is fault


def test_our_numbers_are_those_of_pcsc_lite() -> None:
    for code in Code:
        spellings = (f"SCARD_{group}_{code.name}" for group in "EWFS")
        (number,) = {getattr(pcsc, name) & 0xFFFFFFFF for name in spellings if hasattr(pcsc, name)}
        assert number == code
    for flag in Flag:
        assert flag == getattr(pcsc, f"SCARD_STATE_{flag.name}")


def test_while_connecting_a_missing_card_was_never_there() -> None:
    assert fault_of(Code.NO_SMARTCARD, connecting=True) is Fault.NO_CARD
    assert fault_of(Code.REMOVED_CARD, connecting=True) is Fault.CARD_REMOVED


def test_codes_for_technicians() -> None:
    assert name_of(0x8010001D) == "PC/SC NO_SERVICE (0x8010001D)"
    assert name_of(0x80100099) == "PC/SC error (0x80100099)"


# --- cards ---------------------------------------------------------------------------------------------------------


PROFILES = load_profiles()


@pytest.mark.parametrize(
    ("atr", "card"),
    [
        (ATRS[CardKind.RESIDENT].hex(), CardClass.RESIDENT),
        ("3B8F8001804F0CA0000003060790000000000066", CardClass.RESIDENT),
        (ATRS[CardKind.PLAIN_TYPE_B].hex(), CardClass.RESIDENT_PLAIN),
        ("3B888001D103860C0080800051", CardClass.RESIDENT_PLAIN),
        ("3B868001804F03F001003A", CardClass.RESIDENT_PLAIN),
        (ATRS[CardKind.FOREIGN_BANK].hex(), CardClass.BANK),
        ("3B67000086602222278001", CardClass.BANK),
        ("3B89800186885550504849434B5A", CardClass.BANK),
        ("3B8D80010004D0842186640000000000009F", CardClass.BANK),
        # MIFARE Classic 1K, 4K, Ultralight, DESFire, FeliCa
        ("3B8F8001804F0CA000000306030001000000006A", CardClass.TRANSIT),
        ("3B8F8001804F0CA0000003060300020000000069", CardClass.TRANSIT),
        ("3B8F8001804F0CA0000003060300030000000068", CardClass.TRANSIT),
        ("3B8180018080", CardClass.TRANSIT),
        ("3B8F8001804F0CA00000030611003B0000000042", CardClass.TRANSIT),
        # 北京一卡通, 广州地铁
        ("3B8280014792D6", CardClass.TRANSIT),
        ("3B8F800186844354444E409F3EC40D682804007D", CardClass.TRANSIT),
        # chips of many: only asking tells
        (ATRS[CardKind.BANK_ASKED].hex(), None),
        ("3B8B80012090000000000008EE277F04", None),
        # historical bytes of contact cards often end in 90 00, here at the very place
        ("3B6F00000000000000000000009000000000", None),
        ("", None),
        ("3B", None),
    ],
)
def test_cards_by_atr(atr: str, card: CardClass | None) -> None:
    assert PROFILES.card(bytes.fromhex(atr)) is card


@given(st.binary(max_size=33))
def test_any_atr_gets_an_answer(atr: bytes) -> None:
    assert PROFILES.card(atr) in (None, *CardClass)


# --- sights --------------------------------------------------------------------------------------------------------

READER = "Kiosk IC Reader 00 00"
EMPTY = Sight(reader=READER, state=Flag.EMPTY | 4 << 16)
CARD = Sight(reader=READER, state=Flag.PRESENT | 5 << 16)
USED = Sight(reader=READER, state=Flag.PRESENT | 0x0100 | 5 << 16)
OTHER_CARD = Sight(reader=READER, state=Flag.PRESENT | 7 << 16)
MUTE = Sight(reader=READER, state=Flag.PRESENT | Flag.MUTE | 5 << 16)
HELD = Sight(reader=READER, state=Flag.PRESENT | Flag.EXCLUSIVE | 5 << 16)
HUNG = Sight(reader=READER, state=Flag.PRESENT | 5 << 16, hung=True)
ILL = Sight(reader=READER, state=Flag.UNAVAILABLE)
NO_READER = Sight()
NO_SERVICE = Sight(error=Code.NO_SERVICE)


@pytest.mark.parametrize(
    ("sight", "state", "media", "fault"),
    [
        (EMPTY, DeviceState.ONLINE, MediaState.ABSENT, None),
        (CARD, DeviceState.ONLINE, MediaState.PRESENT, None),
        (MUTE, DeviceState.ONLINE, MediaState.PRESENT, None),
        (HELD, DeviceState.ERROR, MediaState.PRESENT, Fault.IN_USE),
        (HUNG, DeviceState.OFFLINE, MediaState.UNKNOWN, Fault.SERVICE_DOWN),
        (ILL, DeviceState.ERROR, MediaState.UNKNOWN, Fault.UNREACHABLE),
        (Sight(reader=READER, state=Flag.UNKNOWN), DeviceState.ERROR, MediaState.UNKNOWN, Fault.UNREACHABLE),
        (NO_READER, DeviceState.OFFLINE, MediaState.UNKNOWN, Fault.NO_READER),
        (NO_SERVICE, DeviceState.OFFLINE, MediaState.UNKNOWN, Fault.SERVICE_DOWN),
        (Sight(error=0x80100001), DeviceState.OFFLINE, MediaState.UNKNOWN, Fault.UNREACHABLE),
    ],
)
def test_status(sight: Sight, state: DeviceState, media: MediaState, fault: Fault | None) -> None:
    status = status_of(sight, DeviceKind.ID_CARD)
    assert (status.state, status.media, status.fault) == (state, media, fault)
    assert status.well == (fault is None)


def changed(sight: Sight) -> DeviceEvent:
    return StatusChanged(status_of(sight, DeviceKind.ID_CARD))


@pytest.mark.parametrize(
    ("before", "now", "events"),
    [
        (None, EMPTY, (changed(EMPTY), CardLifted())),
        (None, CARD, (changed(CARD), CardPresented())),
        (None, NO_SERVICE, (changed(NO_SERVICE),)),
        (EMPTY, EMPTY, ()),
        (EMPTY, CARD, (changed(CARD), CardPresented())),
        (CARD, EMPTY, (changed(EMPTY), CardLifted())),
        (CARD, USED, ()),
        (CARD, OTHER_CARD, (CardLifted(), CardPresented())),
        (CARD, NO_SERVICE, (changed(NO_SERVICE),)),
        (NO_SERVICE, NO_READER, (changed(NO_READER),)),
        (NO_SERVICE, CARD, (changed(CARD), CardPresented())),
        (NO_READER, EMPTY, (changed(EMPTY), CardLifted())),
        (CARD, ILL, (changed(ILL),)),
        (CARD, HELD, (changed(HELD),)),
        (HELD, CARD, (changed(CARD),)),
        (CARD, HUNG, (changed(HUNG),)),
        (HUNG, CARD, (changed(CARD), CardPresented())),
    ],
)
def test_events(before: Sight | None, now: Sight, events: tuple[DeviceEvent, ...]) -> None:
    assert events_between(before, now, DeviceKind.ID_CARD) == events


SIGHTS = st.lists(st.sampled_from([EMPTY, CARD, OTHER_CARD, MUTE, ILL, HELD, HUNG, NO_READER, NO_SERVICE]), min_size=1)


@given(SIGHTS)
def test_whoever_listens_knows_what_lies_there(sights: list[Sight]) -> None:
    """The last card event agrees with the last sight that saw anything; the last status is the last sight's."""
    heard: list[DeviceEvent] = []
    before = None
    for sight in sights:
        heard += events_between(before, sight, DeviceKind.ID_CARD)
        before = sight
    cards = [event for event in heard if not isinstance(event, StatusChanged)]
    seen = [sight.present for sight in sights if sight.present is not None]
    assert [isinstance(event, CardPresented) for event in cards[-1:]] == seen[-1:]
    assert [event for event in heard if isinstance(event, StatusChanged)][-1] == changed(sights[-1])
