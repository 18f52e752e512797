"""Core types over frames: JSON object plus bytes, both directions, pure.

``dump_x`` makes what `encode_frame` takes; ``load_x`` raises CodecError on anything else. CodecError never quotes a
value: these objects hold personal data.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from enum import Enum
from typing import Any, TypeVar, assert_never, get_args

from kiosk.core.devices import (
    CardLifted,
    CardPresented,
    CodeScanned,
    DeviceError,
    DeviceEvent,
    DeviceKind,
    DeviceState,
    DeviceStatus,
    Fault,
    Level,
    MediaState,
    PreviewFrame,
    SiteChanged,
    SiteInputs,
    SocialCardLifted,
    SocialCardPresented,
    StatusChanged,
)
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.ports import Document, PrintProof, Shot
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule, Style
from kiosk.core.social_card import SocialCard

Json = dict[str, Any]
Dumped = tuple[Json, bytes]
T = TypeVar("T")
EnumT = TypeVar("EnumT", bound=Enum)


class CodecError(ValueError):
    """Not what the other side promised; names the field, never its value."""


def take(raw: Json, name: str, kind: type[T]) -> T:
    """Field `name`, if it is exactly of that JSON type; CodecError."""
    value = raw.get(name)
    if type(value) is not kind:
        raise CodecError(f"{name}: {kind.__name__} expected")
    return value


def take_enum(raw: Json, name: str, kind: type[EnumT]) -> EnumT:
    """Field `name` as a member of an enumeration; CodecError."""
    try:
        return kind(take(raw, name, str))
    except ValueError:
        raise CodecError(f"{name}: no {kind.__name__}") from None


def take_date(raw: Json, name: str) -> date:
    """Field `name` as an ISO 8601 date; CodecError."""
    try:
        return date.fromisoformat(take(raw, name, str))
    except ValueError:
        raise CodecError(f"{name}: no date") from None


# --- status, errors, events --------------------------------------------------------------------------------------


def dump_status(status: DeviceStatus) -> Json:
    """DeviceStatus as JSON."""
    return {
        "kind": status.kind.value,
        "state": status.state.value,
        "media": status.media.value,
        "paper": status.paper.value,
        "toner": status.toner.value,
        "fault": status.fault.value if status.fault else "",
        "identity": status.identity,
        "detail": status.detail,
    }


def load_status(raw: Json) -> DeviceStatus:
    """JSON as DeviceStatus; CodecError."""
    return DeviceStatus(
        kind=take_enum(raw, "kind", DeviceKind),
        state=take_enum(raw, "state", DeviceState),
        media=take_enum(raw, "media", MediaState),
        paper=take_enum(raw, "paper", Level),
        toner=take_enum(raw, "toner", Level),
        fault=take_enum(raw, "fault", Fault) if raw.get("fault") != "" else None,
        identity=take(raw, "identity", str),
        detail=take(raw, "detail", str),
    )


def dump_error(error: DeviceError) -> Json:
    """DeviceError as JSON."""
    return {"fault": error.fault.value, "detail": error.detail}


def load_error(raw: Json) -> DeviceError:
    """JSON as DeviceError; CodecError."""
    return DeviceError(take_enum(raw, "fault", Fault), take(raw, "detail", str))


def dump_event(event: DeviceEvent) -> Dumped:
    """DeviceEvent as JSON and the preview's JPEG."""
    match event:
        case StatusChanged(status):
            return {"event": "status", "status": dump_status(status)}, b""
        case CardPresented():
            return {"event": "card_presented"}, b""
        case CardLifted():
            return {"event": "card_lifted"}, b""
        case PreviewFrame(sequence, jpeg, quad, advice):
            head = {"event": "preview", "sequence": sequence, "quad": [list(point) for point in quad], "advice": advice}
            return head, jpeg
        case SocialCardPresented():
            return {"event": "social_card_presented"}, b""
        case SocialCardLifted():
            return {"event": "social_card_lifted"}, b""
        case CodeScanned(text):
            return {"event": "code_scanned", "text": text}, b""
        case SiteChanged(inputs):
            return {"event": "site", "inputs": asdict(inputs)}, b""
        case _:
            assert_never(event)


def load_event(raw: Json, blob: bytes) -> DeviceEvent:
    """JSON and bytes as DeviceEvent; CodecError."""
    match raw.get("event"):
        case "status":
            return StatusChanged(load_status(take(raw, "status", dict)))
        case "card_presented":
            return CardPresented()
        case "card_lifted":
            return CardLifted()
        case "preview":
            return PreviewFrame(take(raw, "sequence", int), blob, _load_quad(raw), take(raw, "advice", str))
        case "social_card_presented":
            return SocialCardPresented()
        case "social_card_lifted":
            return SocialCardLifted()
        case "code_scanned":
            return CodeScanned(take(raw, "text", str))
        case "site":
            return SiteChanged(_load_inputs(take(raw, "inputs", dict)))
        case _:
            raise CodecError("event: unknown")


def _load_inputs(raw: Json) -> SiteInputs:
    senses = {
        name: take(raw, name, bool) if raw.get(name) is not None else None
        for name in ("cabinet_open", "person_near", "slip_waiting", "page_waiting", "on_battery")
    }
    percent = take(raw, "battery_percent", int) if raw.get("battery_percent") is not None else None
    return SiteInputs(**senses, battery_percent=percent)


def _load_quad(raw: Json) -> tuple[tuple[float, float], ...]:
    points: list[tuple[float, float]] = []
    for point in take(raw, "quad", list):
        match point:
            case [(int() | float()) as x, (int() | float()) as y]:
                points.append((float(x), float(y)))
            case _:
                raise CodecError("quad: points expected")
    return tuple(points)


# --- identity card -----------------------------------------------------------------------------------------------

_CARD_TEXTS = tuple(item.name for item in fields(IdCard) if item.type == "str")


def dump_card(card: IdCard) -> Dumped:
    """IdCard as JSON, and its WLT photo followed by its picture."""
    head: Json = {name: getattr(card, name) for name in _CARD_TEXTS}
    head["type"] = card.type.value
    head["birth"] = card.birth.isoformat()
    head["valid_from"] = card.valid_from.isoformat()
    head["valid_to"] = card.valid_to.isoformat() if card.valid_to else "长期"
    head["picture_bytes"] = len(card.picture)
    return head, card.photo + card.picture


def load_card(raw: Json, blob: bytes) -> IdCard:
    """JSON and pictures as IdCard; CodecError."""
    split = len(blob) - take(raw, "picture_bytes", int)
    if not 0 <= split <= len(blob):
        raise CodecError("picture_bytes: out of range")
    texts = {name: take(raw, name, str) for name in _CARD_TEXTS}
    return IdCard(
        type=take_enum(raw, "type", CardType),
        birth=take_date(raw, "birth"),
        valid_from=take_date(raw, "valid_from"),
        valid_to=None if raw.get("valid_to") == "长期" else take_date(raw, "valid_to"),
        photo=blob[:split],
        picture=blob[split:],
        **texts,
    )


# --- social security card ----------------------------------------------------------------------------------------

_SOCIAL_TEXTS = tuple(item.name for item in fields(SocialCard) if item.type == "str")


def dump_social_card(card: SocialCard) -> Json:
    """SocialCard as JSON."""
    head: Json = {name: getattr(card, name) for name in _SOCIAL_TEXTS}
    head["birth"] = card.birth.isoformat()
    head["issued"] = card.issued.isoformat()
    head["valid_to"] = card.valid_to.isoformat() if card.valid_to else ""
    return head


def load_social_card(raw: Json) -> SocialCard:
    """JSON as SocialCard; CodecError."""
    return SocialCard(
        birth=take_date(raw, "birth"),
        issued=take_date(raw, "issued"),
        valid_to=None if raw.get("valid_to") == "" else take_date(raw, "valid_to"),
        **{name: take(raw, name, str) for name in _SOCIAL_TEXTS},
    )


# --- printing ----------------------------------------------------------------------------------------------------


def dump_receipt(receipt: Receipt) -> Json:
    """Receipt as JSON, blocks tagged by kind."""
    return {"job": receipt.job, "blocks": [_dump_block(block) for block in receipt.blocks]}


def _dump_block(block: Block) -> Json:
    match block:
        case Line(text, style):
            return {"block": "line", "text": text, "style": style}
        case Pair(label, value):
            return {"block": "pair", "label": label, "value": value}
        case Rule(dashed):
            return {"block": "rule", "dashed": dashed}
        case Code(data, caption):
            return {"block": "code", "data": data, "caption": caption}
        case _:
            assert_never(block)


def load_receipt(raw: Json) -> Receipt:
    """JSON as Receipt; CodecError."""
    return Receipt(take(raw, "job", str), tuple(_load_block(block) for block in take(raw, "blocks", list)))


_STYLES: dict[str, Style] = {style: style for style in get_args(Style)}


def _load_block(raw: Any) -> Block:
    if not isinstance(raw, dict):
        raise CodecError("block: object expected")
    match raw.get("block"):
        case "line":
            style = _STYLES.get(take(raw, "style", str))
            if style is None:
                raise CodecError("style: unknown")
            return Line(take(raw, "text", str), style)
        case "pair":
            return Pair(take(raw, "label", str), take(raw, "value", str))
        case "rule":
            return Rule(take(raw, "dashed", bool))
        case "code":
            return Code(take(raw, "data", str), take(raw, "caption", str))
        case _:
            raise CodecError("block: unknown")


def dump_document(document: Document) -> Dumped:
    """Document as JSON and its PDF."""
    head = {"job": document.job, "pages": document.pages, "media": document.media, "duplex": document.duplex}
    return head, document.pdf


def load_document(raw: Json, pdf: bytes) -> Document:
    """JSON and PDF as Document; CodecError."""
    return Document(
        take(raw, "job", str), pdf, take(raw, "pages", int), take(raw, "media", str), take(raw, "duplex", bool)
    )


def dump_proof(proof: PrintProof) -> Json:
    """PrintProof as JSON."""
    return {"job": proof.job, "pages": proof.pages}


def load_proof(raw: Json) -> PrintProof:
    """JSON as PrintProof; CodecError."""
    return PrintProof(take(raw, "job", str), take(raw, "pages", int))


# --- camera ------------------------------------------------------------------------------------------------------


def dump_shot(shot: Shot) -> Dumped:
    """Shot as JSON and both pictures, original first."""
    head = {
        "original_bytes": len(shot.original_jpeg),
        "width": shot.width,
        "height": shot.height,
        "advice": shot.advice,
    }
    return head, shot.original_jpeg + shot.page_jpeg


def load_shot(raw: Json, blob: bytes) -> Shot:
    """JSON and pictures as Shot; CodecError."""
    split = take(raw, "original_bytes", int)
    if not 0 <= split <= len(blob):
        raise CodecError("original_bytes: out of range")
    return Shot(blob[:split], blob[split:], take(raw, "width", int), take(raw, "height", int), take(raw, "advice", str))
