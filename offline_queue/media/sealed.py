"""What comes on a stick: the hall's receipts, or the sealed queue of a terminal that this one replaces.

Both may be taken again and again: what is here is here, what is accepted stays accepted.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from kiosk.contract.envelope import EnvelopeError, parse_envelope
from kiosk.contract.media import (
    MAGIC,
    MAX_RECEIPTS_BYTES,
    RECEIPTS_MAGIC,
    MediaError,
    MediaFault,
    MediaItem,
    manifest_sha256,
    read_manifest,
    read_parts,
    read_receipts,
    signing_keys_of,
)
from kiosk.contract.signing import PublicKeys, SignatureError, verify_envelope
from kiosk.core.ports import SealedSubmission, StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.access import Held, QueueAccess
from offline_queue.media.files import ExportBook, media_fault

_MOST_SERIAL = 9000
"""Of a day's 9,999 numbers: no terminal has given as many."""
_MOST_KEYS = 64
"""Of terminals whose queues came here; what a manifest names may be without end."""


@dataclass(slots=True)
class Taken:
    """What came of a queue that was brought here."""

    terminal_id: str
    taken: int = 0
    """In the queue now: taken just now or at an earlier try."""
    refused: dict[str, str] = field(default_factory=dict)
    """Id → why: ``damaged`` on the way, or ``conflict`` with what is here."""


def kind_of(path: Path) -> str:
    """``receipts``, ``queue`` or ``directory``; MediaError."""
    if path.is_dir():
        return "directory"
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise media_fault(error) from None
    match magic:
        case _ if magic == RECEIPTS_MAGIC:
            return "receipts"
        case _ if magic == MAGIC:
            return "queue"
        case _:
            raise MediaError(MediaFault.NOT_MEDIA)


def take_receipts(
    queue: QueueAccess, path: Path, *, hall: PublicKeys, terminal_id: str
) -> Result[Counter[str], StoreError]:
    """How many results of each word, see `MediaDesk`; MediaError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_RECEIPTS_BYTES + 1)
    except OSError as error:
        raise media_fault(error) from None
    receipts = read_receipts(raw, hall)
    words = queue.settle(receipts.results)
    if isinstance(words, Err):
        return words
    count = Counter(words.value)
    if receipts.terminal_id != terminal_id and count["absent"] == len(receipts.results):
        raise MediaError(MediaFault.OTHER_TERMINAL, receipts.terminal_id)
    noted = queue.note_media("imported", sha256=hashlib.sha256(raw).hexdigest(), count=count["accepted"])
    return noted if isinstance(noted, Err) else Ok(count)


def take_media(queue: QueueAccess, path: Path, *, book: ExportBook, terminal_id: str) -> Result[Taken, StoreError]:
    """Put every undamaged item of a media file into this queue; MediaError. Ends where the store does not go on."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise media_fault(error) from None
    with file:
        manifest = read_manifest(file)
        keys = signing_keys_of(manifest)
        if manifest.terminal_id == terminal_id:
            raised = queue.raise_counters(_believable(manifest.counters))
            if isinstance(raised, Err):
                return raised
        taken = Taken(manifest.terminal_id)
        for item, parts in groupby(read_parts(file, manifest), key=lambda part: part.item):
            data = [part.data for part in parts]
            whole = [piece for piece in data if piece is not None]
            if len(whole) < len(data):
                taken.refused[item.id] = "damaged"
                continue
            done = take_item(queue, item, whole[0], tuple(whole[1:]), keys=keys)
            if isinstance(done, Err):
                return done
            _count(taken, item, done.value)
            if not done.value:
                _remember_signer(book, parse_envelope(whole[0]).header.signing_key, keys)
        noted = queue.note_media("imported", sha256=manifest_sha256(manifest), count=taken.taken)
        return noted if isinstance(noted, Err) else Ok(taken)


def _believable(counters: Mapping[str, int]) -> dict[str, int]:
    """Anybody can sign a manifest in our name: it must not use up the numbers of a day."""
    return {day: serial for day, serial in counters.items() if 0 <= serial <= _MOST_SERIAL}


def _remember_signer(book: ExportBook, signer: str, keys: PublicKeys) -> None:
    """To check with, should what was taken leave on a stick again; not every key that a manifest names."""
    if len(book.foreign_keys) < _MOST_KEYS:
        book.foreign_keys[signer] = base64.b64encode(keys[signer]).decode()


def take_queue(
    queue: QueueAccess, old: QueueAccess, *, keys: PublicKeys, terminal_id: str, same: bool
) -> Result[Taken, StoreError]:
    """Put everything of another queue directory into this one; the other stays as it is.

    `keys`: of the terminal whose queue it was; `same`: it was this terminal's, on a disk that is given up.
    """
    taken = Taken(terminal_id)
    if same:
        counters = old.counters()
        raised = counters if isinstance(counters, Err) else queue.raise_counters(counters.value)
        if isinstance(raised, Err):
            return raised
    for found in old.held():
        if isinstance(found, Err):
            return found
        read = _read(old, found.value)
        if isinstance(read, Err):
            if read.error.fault is not StoreFault.BROKEN:
                return read
            taken.refused[found.value.item.id] = "damaged"
            continue
        envelope, *blobs = read.value
        done = take_item(queue, found.value.item, envelope, tuple(blobs), keys=keys)
        if isinstance(done, Err):
            return done
        _count(taken, found.value.item, done.value)
    return Ok(taken)


def take_item(
    queue: QueueAccess, item: MediaItem, envelope: bytes, blobs: tuple[bytes, ...], *, keys: PublicKeys
) -> Result[str, StoreError]:
    """Durable in this queue: the empty word; or why this one was refused. Err: the store does not go on."""
    try:
        parsed = parse_envelope(envelope)
        verify_envelope(parsed, keys)
    except (EnvelopeError, SignatureError):
        return Ok("damaged")
    if parsed.header.id != item.id:
        return Ok("damaged")
    done = queue.put(SealedSubmission(item.id, item.application_no, envelope, blobs))
    if isinstance(done, Ok):
        return Ok("")
    if done.error.fault in (StoreFault.CONFLICT, StoreFault.BROKEN):
        return Ok(done.error.fault.value)
    return done


def _read(old: QueueAccess, held: Held) -> Result[list[bytes], StoreError]:
    pieces: list[bytes] = []
    envelope = old.envelope(held)
    if isinstance(envelope, Err):
        return envelope
    pieces.append(envelope.value)
    for blob in held.item.blobs:
        data = old.blob(blob.sha256)
        if isinstance(data, Err):
            return data
        pieces.append(data.value)
    return Ok(pieces)


def _count(taken: Taken, item: MediaItem, why: str) -> None:
    if why:
        taken.refused[item.id] = why
    else:
        taken.taken += 1
