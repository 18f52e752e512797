"""Local message frames between the processes of one terminal: a JSON head and an optional binary tail.

Bytes: ``u32 head length | u32 tail length | head | tail``, big-endian. Used by driver hosts, the queue's socket and
the simulators' control sockets.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any

PREFIX = struct.Struct(">II")
MAX_HEAD = 1024 * 1024
MAX_TAIL = 64 * 1024 * 1024


class FrameError(ValueError):
    """The peer sent something that is no frame; the connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    head: dict[str, Any]
    tail: bytes = b""


def encode_frame(head: dict[str, Any], tail: bytes = b"") -> bytes:
    """The bytes of one frame; FrameError if it is over the limits or holds what JSON cannot say."""
    try:
        raw = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:  # not a number, or half a character
        raise FrameError("frame head has no JSON form") from None
    if len(raw) > MAX_HEAD or len(tail) > MAX_TAIL:
        raise FrameError("frame is too large")
    return PREFIX.pack(len(raw), len(tail)) + raw + tail


@dataclass(slots=True)
class FrameReader:
    """Collects bytes in any pieces and gives whole frames."""

    _buffer: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Frame]:
        """Frames completed by `data`; raises FrameError on nonsense."""
        self._buffer += data
        frames: list[Frame] = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if len(self._buffer) < PREFIX.size:
            return None
        head_length, tail_length = PREFIX.unpack_from(self._buffer)
        if head_length > MAX_HEAD or tail_length > MAX_TAIL:
            raise FrameError("frame is too large")
        end = PREFIX.size + head_length + tail_length
        if len(self._buffer) < end:
            return None
        raw_head = bytes(self._buffer[PREFIX.size : PREFIX.size + head_length])
        tail = bytes(self._buffer[PREFIX.size + head_length : end])
        del self._buffer[:end]
        try:
            head = json.loads(raw_head)
        except (ValueError, RecursionError):  # brackets by the thousand are no message either
            raise FrameError("frame head is not JSON") from None
        if not isinstance(head, dict):
            raise FrameError("frame head is not an object")
        return Frame(head, tail)
