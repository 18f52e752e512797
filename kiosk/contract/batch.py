"""Many envelopes in one request (CWS/1): ``CWS1`` then, for each, ``u32 length | envelope``, integers big-endian.

What is in an envelope is nobody's business here. The answer is `kiosk.contract.sync.BatchVerdicts`: one verdict an
envelope, in the same order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from kiosk.contract.envelope import MAX_ENVELOPE_BYTES

MAGIC = b"CWS1"
MEDIA_TYPE = "application/vnd.cws-batch"
MAX_BATCH_ITEMS = 64
BATCH_BYTES = 64 * 1024
"""What a terminal puts together; one envelope that is larger goes alone."""
MAX_BATCH_BYTES = MAX_ENVELOPE_BYTES + 8
"""What a hall takes: one envelope of the largest size."""
PENDING_HEADER = "CWS-Pending"
"""On a batch from a backlog: how many submissions wait at this terminal, this batch included. A batch of what was just
filed carries none: a citizen waits for it, and no hall puts it off."""
SLOT_HEADER = "CWS-Start-Slot"
"""On a 503: seconds until this terminal's turn to hand its backlog in; also in Retry-After, in whole seconds."""
_LENGTH = struct.Struct(">I")


class BatchError(ValueError):
    """These bytes are no batch; the message says why and quotes nothing of the content."""


def framed_size(envelope_bytes: int) -> int:
    """How much an envelope adds to a batch."""
    return _LENGTH.size + envelope_bytes


def join_batch(envelopes: Iterable[bytes]) -> bytes:
    """The body of a request."""
    parts = [MAGIC]
    for envelope in envelopes:
        parts += (_LENGTH.pack(len(envelope)), envelope)
    return b"".join(parts)


def split_batch(raw: bytes) -> tuple[bytes, ...]:
    """The envelopes, at least one and at most `MAX_BATCH_ITEMS`; BatchError."""
    if raw[: len(MAGIC)] != MAGIC:
        raise BatchError("not a batch")
    envelopes: list[bytes] = []
    at = len(MAGIC)
    while at < len(raw):
        if len(envelopes) == MAX_BATCH_ITEMS:
            raise BatchError("too many envelopes")
        if at + _LENGTH.size > len(raw):
            raise BatchError("batch is torn")
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if length > MAX_ENVELOPE_BYTES or at + length > len(raw):
            raise BatchError("batch is torn")
        envelopes.append(raw[at : at + length])
        at += length
    if not envelopes:
        raise BatchError("batch is empty")
    return tuple(envelopes)
