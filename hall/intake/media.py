"""U 盘收件: takes what a terminal without network wrote onto a stick, and gives receipts back for the way home.

The same intake as over the network, so it may be done twice, or while the network brings the same. What is damaged on
the stick is left for another time; what the hall cannot take now is too. Nothing here is taken because a file says so:
every envelope is signed by its terminal, every receipt by the hall.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, BinaryIO

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.intake.submissions import Intake
from hall.store.blobs import BlobRefused, Blobs
from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import media_imports
from hall.terminals.registry import Terminals
from hall.trust.keys import HallKeys
from kiosk.contract.media import (
    MediaError,
    MediaFault,
    MediaItem,
    MediaManifest,
    MediaPart,
    MediaReceipts,
    MediaResult,
    join_receipts,
    read_manifest,
    read_parts,
)
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sync import AnnounceItem, Verdict
from kiosk.core.clock import Clock

BATCH = 64
"""Envelopes of one commit."""
SHOWN = 100
_UPLOADER = "media"
"""Parts of uploads bear the uploader's name; this one cannot get into a terminal's way."""


@dataclass(frozen=True, slots=True)
class ImportDone:
    """What came of a file, and what the technician takes home."""

    terminal_id: str
    name: str
    counts: dict[str, int]
    """By verdict: accepted, duplicate, rejected, conflict, retry."""
    receipts: bytes


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A line of the staff's list."""

    terminal_id: str
    epoch: str
    number: int
    at: datetime
    actor: str
    accepted: int
    known: int
    refused: int
    left: int


class MediaDesk:
    """Where sticks are read."""

    def __init__(
        self, *, store: Store, intake: Intake, blobs: Blobs, terminals: Terminals, keys: HallKeys, clock: Clock
    ) -> None:
        self._store = store
        self._intake = intake
        self._blobs = blobs
        self._terminals = terminals
        self._keys = keys
        self._clock = clock

    def take(self, file: BinaryIO, *, actor: str) -> ImportDone:
        """Everything in it that can be taken; MediaError if the file is not one of a terminal of this hall.

        StoreBusy: what was taken before stays taken; the same file again goes on.
        """
        manifest = read_manifest(file)
        keys = self._terminals.signing_keys(manifest.terminal_id)
        if manifest.signing_key not in keys:
            raise MediaError(MediaFault.OTHER_TERMINAL, "no terminal of this hall has signed it")
        manifest = read_manifest(file, keys)
        verdicts = self._verdicts(file, manifest)
        results = tuple(MediaResult(sha256=item.sha256, verdict=verdicts[item.id]) for item in manifest.items)
        receipts = MediaReceipts(
            terminal_id=manifest.terminal_id,
            epoch=manifest.epoch,
            number=manifest.number,
            made_at=self._clock.now(),
            signing_key=self._keys.signing.id,
            results=results,
        )
        counts: Counter[str] = Counter(result.verdict.status for result in results)
        self._note(manifest, counts, actor)
        name = f"CW-RECEIPTS-{manifest.terminal_id}-{manifest.epoch}-{manifest.number}.cwr"
        return ImportDone(manifest.terminal_id, name, dict(counts), join_receipts(receipts, self._keys.signing))

    def _verdicts(self, file: BinaryIO, manifest: MediaManifest) -> dict[str, Verdict]:
        verdicts: dict[str, Verdict] = {}
        ready: list[tuple[MediaItem, bytes]] = []
        for item, parts in groupby(read_parts(file, manifest), key=lambda part: part.item):
            prepared = self._prepare(item, parts)
            if isinstance(prepared, Verdict):
                verdicts[item.id] = prepared
            else:
                ready.append((item, prepared))
            if len(ready) == BATCH:
                verdicts |= self._submit(ready, manifest.terminal_id)
                ready = []
        if ready:
            verdicts |= self._submit(ready, manifest.terminal_id)
        return verdicts

    def _prepare(self, item: MediaItem, parts: Iterator[MediaPart]) -> bytes | Verdict:
        """The envelope, its materials kept here; or what is to be said without it."""
        (known,) = self._intake.announce(
            (AnnounceItem(id=item.id, sha256=item.sha256, size=item.size, blobs=item.blobs),)
        )
        if known.status != "wanted":
            return known
        envelope = next(parts).data
        damaged = envelope is None
        for part in parts:
            if part.data is None:
                damaged = True
            elif part.blob is not None and part.blob.sha256 in known.missing:
                try:
                    self._keep(part.blob.sha256, part.data)
                except BlobRefused as refused:
                    return Verdict(id=item.id, status="retry", code=refused.code)
        if damaged or envelope is None:
            return Verdict(id=item.id, status="retry", code=ProblemCode.HASH_MISMATCH)
        return envelope

    def _submit(self, ready: list[tuple[MediaItem, bytes]], terminal_id: str) -> dict[str, Verdict]:
        """One commit. A verdict on another id than the manifest's is none on it."""
        told = self._intake.submit_batch([envelope for _, envelope in ready], terminal_id=terminal_id)
        verdicts: dict[str, Verdict] = {}
        for (item, _), verdict in zip(ready, told, strict=True):
            match verdict:
                case Verdict(status="wanted"):
                    verdicts[item.id] = Verdict(id=item.id, status="retry", code=ProblemCode.HASH_MISMATCH)
                case Verdict() if verdict.id == item.id:
                    verdicts[item.id] = verdict
                case _:
                    verdicts[item.id] = Verdict(id=item.id, status="rejected", code=ProblemCode.MALFORMED)
        return verdicts

    def _keep(self, sha256: str, data: bytes) -> None:
        """Durable under its hash; BlobRefused."""
        held = self._blobs.state(sha256, terminal_id=_UPLOADER)

        async def rest() -> AsyncIterator[bytes]:
            yield data[held.offset :]

        if not held.complete:
            asyncio.run(
                self._blobs.append(sha256, terminal_id=_UPLOADER, offset=held.offset, length=len(data), chunks=rest())
            )

    def _note(self, manifest: MediaManifest, counts: Counter[str], actor: str) -> None:
        values = {
            "at": to_ms(self._clock.now()),
            "actor": actor,
            "accepted": counts["accepted"],
            "known": counts["duplicate"],
            "refused": counts["rejected"] + counts["conflict"],
            "left": counts["retry"],
        }
        key = {"terminal_id": manifest.terminal_id, "epoch": manifest.epoch, "number": manifest.number}
        self._store.write(
            lambda connection: connection.execute(
                upsert(media_imports)
                .values(**key, **values)
                .on_conflict_do_update(index_elements=list(key), set_=values)
            )
        )

    def imports(self) -> tuple[ImportRow, ...]:
        """The latest, newest first."""
        with self._store.read() as connection:
            rows = connection.execute(select(media_imports).order_by(media_imports.c.at.desc()).limit(SHOWN)).all()
        return tuple(_row(row._mapping) for row in rows)


def _row(data: Any) -> ImportRow:
    return ImportRow(**{**data, "at": from_ms(data["at"])})
