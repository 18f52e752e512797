"""Messages between the host and a driver's worker process, as frames of `kiosk.contract.frames`; pure.

Worker → host: Hello first, Heartbeat four times a second, Event at any time, Replied once a Command.
Host → worker: Command, one at a time. End of the stream means: stop in good order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from drivers.host.adapter import Args, Reply
from drivers.host.codec import CodecError, dump_error, dump_event, load_error, load_event, take, take_enum
from kiosk.contract.frames import Frame, encode_frame
from kiosk.core.devices import DeviceError, DeviceEvent, DeviceKind
from kiosk.core.result import Err, Ok, Result

VERSION = 1
SELF_TEST = "self_test"
"""The one verb that every driver knows: ``{"deep": bool}`` → ``{"found": words for technicians}``."""


class Nonsense(StrEnum):
    """Why a frame is no message."""

    UNKNOWN_TYPE = "unknown_type"
    MALFORMED = "malformed"


class ProtocolError(ValueError):
    """The other side does not speak this protocol; it is of no more use."""

    def __init__(self, why: Nonsense, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Hello:
    """The worker is up: what it is and what it can do."""

    version: int
    kind: DeviceKind
    identity: str
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The worker's interpreter runs."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened at the device."""

    event: DeviceEvent


@dataclass(frozen=True, slots=True)
class Replied:
    """The end of one command."""

    id: int
    result: Result[Reply, DeviceError]


@dataclass(frozen=True, slots=True)
class Command:
    """Do this."""

    id: int
    verb: str
    args: Args = field(default_factory=dict, repr=False)
    blob: bytes = field(default=b"", repr=False)


FromWorker = Hello | Heartbeat | Event | Replied


def encode_from_worker(message: FromWorker) -> bytes:
    """The bytes of one message to the host; FrameError if it is over the limits."""
    match message:
        case Hello(version, kind, identity, capabilities):
            return encode_frame(
                {
                    "type": "hello",
                    "version": version,
                    "kind": kind.value,
                    "identity": identity,
                    "capabilities": sorted(capabilities),
                }
            )
        case Heartbeat():
            return encode_frame({"type": "heartbeat"})
        case Event(event):
            head, tail = dump_event(event)
            return encode_frame({"type": "event", **head}, tail)
        case Replied(number, Ok(reply)):
            return encode_frame({"type": "reply", "id": number, "values": reply.values}, reply.blob)
        case Replied(number, Err(error)):
            return encode_frame({"type": "reply", "id": number, "error": dump_error(error)})
        case _:
            assert_never(message)  # type: ignore[arg-type]  # mypy does not narrow Replied by its Result


def decode_from_worker(frame: Frame) -> FromWorker:
    """What a worker says; ProtocolError."""
    head = frame.head
    try:
        match head.get("type"):
            case "hello":
                return Hello(
                    version=take(head, "version", int),
                    kind=take_enum(head, "kind", DeviceKind),
                    identity=take(head, "identity", str),
                    capabilities=frozenset(str(name) for name in take(head, "capabilities", list)),
                )
            case "heartbeat":
                return Heartbeat()
            case "event":
                return Event(load_event(head, frame.tail))
            case "reply" if "error" in head:
                return Replied(take(head, "id", int), Err(load_error(take(head, "error", dict))))
            case "reply":
                return Replied(take(head, "id", int), Ok(Reply(take(head, "values", dict), frame.tail)))
            case _:
                raise ProtocolError(Nonsense.UNKNOWN_TYPE)
    except CodecError as error:
        raise ProtocolError(Nonsense.MALFORMED, str(error)) from None


def encode_command(command: Command) -> bytes:
    """The bytes of one command; FrameError if it is over the limits."""
    head = {"type": "command", "id": command.id, "verb": command.verb, "args": command.args}
    return encode_frame(head, command.blob)


def decode_command(frame: Frame) -> Command:
    """What the host wants; ProtocolError."""
    head = frame.head
    if head.get("type") != "command":
        raise ProtocolError(Nonsense.UNKNOWN_TYPE)
    try:
        return Command(take(head, "id", int), take(head, "verb", str), take(head, "args", dict), frame.tail)
    except CodecError as error:
        raise ProtocolError(Nonsense.MALFORMED, str(error)) from None
