"""USB export: everything that the hall has not signed for, sealed as it is, onto a stick.

Items stay in the queue; they go only on the hall's receipt, by network or by stick, whichever comes first. Safe to do
twice: what lies whole on this stick already is not written again. Safe while the network returns: what is delivered
meanwhile is left out.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from kiosk.contract.media import (
    FAT32_BYTES,
    MAGIC,
    MAX_ITEMS,
    MediaError,
    MediaFault,
    MediaManifest,
    end_of_media,
    manifest_sha256,
    media_name,
    read_manifest,
    read_media_name,
    read_parts,
)
from kiosk.contract.signing import SigningKey
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.access import Held, QueueAccess
from offline_queue.media.files import PART, ExportBook, Mark, media_fault, new_file

_ITEM_TEXT, _BLOB_TEXT, _HEAD_TEXT = 600, 120, 4096
"""More than an item, a material and the rest add to a manifest, bytes."""


@dataclass(frozen=True, slots=True)
class ExportLimits:
    """Of one file."""

    file_bytes: int = FAT32_BYTES
    items: int = MAX_ITEMS


@dataclass(slots=True)
class Exported:
    """What came of it."""

    files: list[str] = field(default_factory=list)
    """Names of those written now."""
    written: int = 0
    already: int = 0
    """Lay whole on this stick before."""
    left_out: list[str] = field(default_factory=list)
    """Ids that could not be read: damaged on the disk, or delivered meanwhile."""


@dataclass(frozen=True, slots=True)
class Signer:
    """In whose name."""

    terminal_id: str
    key: SigningKey
    now: datetime


class Exporter:
    """Writes one queue onto one stick."""

    def __init__(
        self, queue: QueueAccess, *, signer: Signer, book: ExportBook, limits: ExportLimits | None = None
    ) -> None:
        """`book` is written in; the caller saves it, whatever becomes of the export."""
        self._queue = queue
        self._signer = signer
        self._book = book
        self._limits = limits or ExportLimits()
        self._done = Exported()

    def run(self, to: Path) -> Result[Exported, StoreError]:
        """Write what is not there yet. MediaError for the stick, Err for the store; files that are whole stay."""
        if not to.is_dir():
            raise MediaError(MediaFault.UNREADABLE, "no such directory")
        held: list[Held] = []
        for found in self._queue.held():
            if isinstance(found, Err):
                return found
            held.append(found.value)
        counters = self._queue.counters()
        if isinstance(counters, Err):
            return counters
        self._book.marks = {item.item.id: mark for item in held if (mark := self._book.marks.get(item.item.id))}
        try:
            there = self._there(to)
        except OSError as error:
            raise media_fault(error) from None
        wanted = [item for item in held if there.get(item.item.id) != item.item.sha256]
        self._done.already = len(held) - len(wanted)
        for load in plan(wanted, self._limits):
            done = self._write(to, load, counters.value)
            if isinstance(done, Err):
                return done
        return Ok(self._done)

    def _there(self, to: Path) -> dict[str, str]:
        """What lies on the stick already, every byte of it read; half files of an earlier try go."""
        there: dict[str, str] = {}
        for path in sorted(to.iterdir()):
            named = read_media_name(path.name.removesuffix(PART))
            if named is None or named[:2] != (self._signer.terminal_id, self._book.epoch):
                continue
            self._book.number = max(self._book.number, named[2])
            if path.name.endswith(PART):
                path.unlink()
            else:
                there |= self._whole_items(path)
        return there

    def _whole_items(self, path: Path) -> dict[str, str]:
        """Ids and hashes of the items that this file gives back undamaged; none if it is no file of ours."""
        try:
            with path.open("rb") as file:
                manifest = read_manifest(file, {self._signer.key.id: self._signer.key.public})
                damaged = {part.item.id for part in read_parts(file, manifest) if part.data is None}
        except MediaError:
            return {}
        return {item.id: item.sha256 for item in manifest.items if item.id not in damaged}

    def _write(self, to: Path, load: list[Held], counters: dict[str, int]) -> Result[None, StoreError]:
        """One file; none if nothing of `load` can be read any more."""
        while (path := to / media_name(self._signer.terminal_id, self._book.epoch, self._book.number + 1)).exists():
            self._book.number += 1
        written: list[Held] = []
        try:
            with new_file(path) as file:
                file.write(MAGIC)
                error = self._bodies(file, load, written)
                if error is not None or not written:
                    raise _Nothing
                manifest = self._manifest(written, counters)
                file.write(end_of_media(manifest, self._signer.key))
        except _Nothing:
            return Ok(None) if error is None else Err(error)
        self._book.number += 1
        if set(self._whole_items(path)) != {held.item.id for held in written}:
            raise MediaError(MediaFault.UNREADABLE, "the stick does not give back what was written: use another one")
        at = int(self._signer.now.timestamp())
        self._book.marks |= {held.item.id: Mark(at=at, file=path.name) for held in written}
        self._done.files.append(path.name)
        self._done.written += len(written)
        return self._queue.note_media("exported", sha256=manifest_sha256(manifest), count=len(written))

    def _bodies(self, file: BinaryIO, load: list[Held], written: list[Held]) -> StoreError | None:
        for held in load:
            start = file.tell()
            error = self._body(file, held)
            if error is None:
                written.append(held)
                continue
            file.seek(start)
            file.truncate()
            if error.fault is not StoreFault.BROKEN:
                return error
            self._done.left_out.append(held.item.id)
        return None

    def _body(self, file: BinaryIO, held: Held) -> StoreError | None:
        envelope = self._queue.envelope(held)
        if isinstance(envelope, Err):
            return envelope.error
        file.write(envelope.value)
        for blob in held.item.blobs:
            data = self._queue.blob(blob.sha256)
            if isinstance(data, Err):
                return data.error
            file.write(data.value)
        return None

    def _manifest(self, written: list[Held], counters: dict[str, int]) -> MediaManifest:
        signer = self._signer
        return MediaManifest(
            terminal_id=signer.terminal_id,
            epoch=self._book.epoch,
            number=self._book.number + 1,
            made_at=signer.now,
            signing_key=signer.key.id,
            public=base64.b64encode(signer.key.public).decode(),
            others=self._book.foreign_keys,
            counters=counters,
            items=tuple(held.item for held in written),
        )


class _Nothing(Exception):
    """There is nothing to keep of this file."""


def plan(wanted: list[Held], limits: ExportLimits) -> Iterator[list[Held]]:
    """Loads that fit into one file each; an item that is too large for any stands alone."""
    load: list[Held] = []
    size = 0
    for held in wanted:
        item = held.item
        more = item.size + sum(blob.size for blob in item.blobs) + _ITEM_TEXT + _BLOB_TEXT * len(item.blobs)
        if load and (size + more > limits.file_bytes - _HEAD_TEXT or len(load) == limits.items):
            yield load
            load, size = [], 0
        load.append(held)
        size += more
    if load:
        yield load
