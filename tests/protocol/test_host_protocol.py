"""Messages and core types over frames: what goes in comes out, and nonsense is refused without quoting it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.host import codec
from drivers.host.adapter import Reply
from drivers.host.protocol import (
    VERSION,
    Command,
    Event,
    FromWorker,
    Heartbeat,
    Hello,
    Nonsense,
    ProtocolError,
    Replied,
    decode_command,
    decode_from_worker,
    encode_command,
    encode_from_worker,
)
from kiosk.contract.frames import Frame, FrameReader
from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    DeviceError,
    DeviceKind,
    DeviceStatus,
    Fault,
    PreviewFrame,
    StatusChanged,
)
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.ports import Document, PrintProof, Shot
from kiosk.core.receipt import Code, Line, Pair, Receipt, Rule
from kiosk.core.result import Err, Ok

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
BLOB = st.binary(max_size=50)
COUNT = st.integers(0, 10**6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
STATUS = st.builds(DeviceStatus)
CARD = st.builds(IdCard, birth=st.dates(), valid_from=st.dates(), valid_to=st.none() | st.dates())
POINT = st.tuples(st.floats(0, 1), st.floats(0, 1))
PREVIEW = st.builds(PreviewFrame, quad=st.lists(POINT, max_size=4).map(tuple))
EVENT = st.builds(StatusChanged, STATUS) | st.just(CardPresented()) | st.just(CardLifted()) | PREVIEW
MESSAGE: st.SearchStrategy[FromWorker] = (
    st.builds(Hello, capabilities=st.frozensets(TEXT, max_size=3))
    | st.just(Heartbeat())
    | st.builds(Event, EVENT)
    | st.builds(Replied, COUNT, st.builds(Ok, st.builds(Reply, OBJECT, BLOB)))
    | st.builds(Replied, COUNT, st.builds(Err, st.builds(DeviceError)))
)
RECEIPT = st.builds(
    Receipt, TEXT, st.lists(st.builds(Line) | st.builds(Pair) | st.builds(Rule) | st.builds(Code)).map(tuple)
)


def over_the_wire(dumped: codec.Dumped) -> codec.Dumped:
    head, tail = dumped
    return json.loads(json.dumps(head)), tail


@given(MESSAGE)
def test_what_a_worker_says_arrives(message: FromWorker) -> None:
    (frame,) = FrameReader().feed(encode_from_worker(message))
    assert decode_from_worker(frame) == message


@given(st.builds(Command, COUNT, TEXT, OBJECT, BLOB))
def test_commands_arrive(command: Command) -> None:
    (frame,) = FrameReader().feed(encode_command(command))
    assert decode_command(frame) == command


@given(CARD)
def test_cards_arrive(card: IdCard) -> None:
    assert codec.load_card(*over_the_wire(codec.dump_card(card))) == card


@given(RECEIPT)
def test_receipts_arrive(receipt: Receipt) -> None:
    assert codec.load_receipt(over_the_wire((codec.dump_receipt(receipt), b""))[0]) == receipt


@given(st.builds(Document), st.builds(PrintProof), st.builds(Shot))
def test_papers_and_pictures_arrive(document: Document, proof: PrintProof, shot: Shot) -> None:
    assert codec.load_document(*over_the_wire(codec.dump_document(document))) == document
    assert codec.load_proof(over_the_wire((codec.dump_proof(proof), b""))[0]) == proof
    assert codec.load_shot(*over_the_wire(codec.dump_shot(shot))) == shot


KNOWN = st.sampled_from(["hello", "heartbeat", "event", "reply", "command"])
NEARLY = st.fixed_dictionaries(
    {"type": KNOWN | JSON},
    optional={
        "id": JSON,
        "verb": JSON,
        "args": JSON,
        "values": JSON,
        "error": JSON | st.fixed_dictionaries({"fault": JSON, "detail": JSON}),
        "event": JSON | st.sampled_from(["status", "preview"]),
        "status": JSON | OBJECT,
        "quad": JSON | st.just([[0, "x"]]),
        "version": JSON,
        "kind": JSON | st.just("id_card"),
        "capabilities": JSON,
    },
)


@given(NEARLY | OBJECT, BLOB)
def test_nonsense_is_refused_with_its_own_error(head: dict[str, Any], tail: bytes) -> None:
    for decode in (decode_from_worker, decode_command):
        try:
            decode(Frame(head, tail))
        except ProtocolError as error:
            assert error.why in Nonsense


@given(OBJECT, BLOB)
def test_nonsense_is_no_core_type(head: dict[str, Any], blob: bytes) -> None:
    for load in (codec.load_card, codec.load_shot, codec.load_document, codec.load_event):
        with pytest.raises(codec.CodecError):
            load(head, blob)
    for load_head in (codec.load_receipt, codec.load_status, codec.load_error, codec.load_proof):
        with pytest.raises(codec.CodecError):
            load_head(head)


def test_errors_never_quote_what_was_on_the_card() -> None:
    card = IdCard(
        CardType.RESIDENT, "测试甲", "440699199001010014", "1", "汉", date(1990, 1, 1), "", "", date(2020, 1, 1), None
    )
    head, photo = codec.dump_card(card)
    for name in head:
        spoilt = {**head, name: ["440699199001010014"]}
        with pytest.raises(codec.CodecError) as refused:
            codec.load_card(spoilt, photo)
        assert "4406" not in str(refused.value)
        assert "测试" not in str(refused.value)
    with pytest.raises(codec.CodecError, match="birth: no date"):
        codec.load_card({**head, "birth": "1990-02-30"}, photo)


@pytest.mark.parametrize(
    ("block", "wrong"),
    [
        ({"block": "line", "text": "x", "style": "shouting"}, "style: unknown"),
        ({"block": "rule", "dashed": 1}, "dashed: bool expected"),
        ({"block": "poem"}, "block: unknown"),
        ("text", "block: object expected"),
    ],
)
def test_receipts_hold_known_blocks_only(block: object, wrong: str) -> None:
    with pytest.raises(codec.CodecError, match=wrong):
        codec.load_receipt({"job": "j", "blocks": [block]})


def test_pictures_are_split_inside_the_blob_only() -> None:
    head = {"original_bytes": 4, "width": 1, "height": 1, "advice": "ok"}
    assert codec.load_shot(head, b"1234").page_jpeg == b""
    with pytest.raises(codec.CodecError, match="out of range"):
        codec.load_shot({**head, "original_bytes": 5}, b"1234")


def test_the_first_message_names_version_and_verbs() -> None:
    (frame,) = FrameReader().feed(
        encode_from_worker(Hello(VERSION, DeviceKind.CAMERA, "x", frozenset({"shoot", "preview"})))
    )
    assert frame.head["version"] == 1
    assert frame.head["capabilities"] == ["preview", "shoot"]
    assert decode_from_worker(Frame({"type": "reply", "id": 1, "error": {"fault": "jam", "detail": ""}})) == Replied(
        1, Err(DeviceError(Fault.JAM))
    )
