"""Delivers one submission: the missing blobs piece by piece, then the envelope, then what the hall says to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from kiosk.contract.envelope import BlobRef
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import BlobState, Verdict
from kiosk.core.ports import StoreError, SubmissionState
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.rows import Waiting
from offline_queue.drain import Drain
from offline_queue.hall_client import HallClient
from offline_queue.uplink.policy import CallError, Trouble
from offline_queue.uplink.traffic import Rank, Traffic

CHUNK_BYTES = 64 * 1024
"""What goes before waits for at most one of these; durable at the hall one by one, so no more is ever sent twice."""
_PATIENCE_S = 60.0
"""A line that is never quiet still brings files up."""
_RESUMES = 3
"""The hall may correct our idea of the offset so often in one go."""

Undelivered = CallError | StoreError


@dataclass(frozen=True, slots=True)
class Delivery:
    """Sends what one submission consists of; resumable at any byte, gives way between two pieces."""

    drain: Drain
    traffic: Traffic
    rank: Rank
    stopped: Callable[[], bool]

    def deliver(self, client: HallClient, item: Waiting, missing: tuple[str, ...]) -> Result[Verdict, Undelivered]:
        """Upload those of `missing` that belong to the item, then post the envelope."""
        refs = {ref.sha256: ref for ref in item.blobs}
        if not set(missing) <= refs.keys():
            return Err(CallError(Trouble.GARBAGE))
        self.drain.progress(item, SubmissionState.UPLOADING)
        for ref in item.blobs:
            if ref.sha256 in missing:
                sent = self._upload(client, ref)
                if isinstance(sent, Err):
                    return sent
        envelope = self.drain.envelope(item)
        if isinstance(envelope, Err):
            return envelope
        return client.submit(envelope.value)

    def _upload(self, client: HallClient, ref: BlobRef) -> Result[None, Undelivered]:
        data = self.drain.blob(ref)
        if isinstance(data, Err):
            return data
        error = CallError(Trouble.PROBLEM, HTTPStatus.CONFLICT, ProblemCode.OFFSET_MISMATCH)
        for _ in range(_RESUMES):
            offset = client.blob_offset(ref.sha256)
            if isinstance(offset, Err):
                return offset
            if offset.value > ref.size:
                return Err(CallError(Trouble.GARBAGE))
            sent = self._send_from(client, ref, data.value, offset.value)
            if isinstance(sent, Ok) or sent.error.code is not ProblemCode.OFFSET_MISMATCH:
                return sent
            error = sent.error
        return Err(error)

    def _send_from(self, client: HallClient, ref: BlobRef, data: bytes, offset: int) -> Result[None, CallError]:
        # At least one piece, an empty one if need be: a hall that died with all bytes here has not looked at them.
        while True:
            sent = self._send_chunk(client, ref, data[offset : offset + CHUNK_BYTES], offset)
            if isinstance(sent, Err):
                return sent
            state = sent.value
            if state.sha256 != ref.sha256 or state.offset > ref.size or state.complete != (state.offset == ref.size):
                return Err(CallError(Trouble.GARBAGE))
            if state.complete:
                return Ok(None)
            if state.offset <= offset:
                # Going by an offset that does not grow would never end.
                return Err(CallError(Trouble.GARBAGE))
            offset = state.offset

    def _send_chunk(self, client: HallClient, ref: BlobRef, chunk: bytes, offset: int) -> Result[BlobState, CallError]:
        self.traffic.give_way(self.rank, seconds=_PATIENCE_S)
        if self.stopped():
            return Err(CallError(Trouble.UNREACHABLE))
        with self.traffic.sending(chunk, self.rank, over=client) as body:
            return client.put_chunk(ref.sha256, offset=offset, length=ref.size, chunk=body if chunk else chunk)
