"""Export and import as one act of a technician: identity, book and stick together."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kiosk.contract.media import MediaError, MediaFault
from kiosk.core.clock import SystemClock
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.access import NoQueue, QueueAccess, open_queue
from offline_queue.keys.identity import NotEnrolled, current_keys, load_identity
from offline_queue.media.export import Exported, Exporter, ExportLimits, Signer
from offline_queue.media.files import load_book, save_book
from offline_queue.media.sealed import Taken, kind_of, take_media, take_queue, take_receipts

SETTLED = frozenset({"accepted", "known", "absent"})
"""Nothing is left to do about these: the hall has them."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import."""

    kind: str
    count: Counter[str]
    left: int
    """What the hall did not take, or this queue did not."""


def export_to(
    queue: QueueAccess, data: Path, to: Path, *, limits: ExportLimits | None = None
) -> Result[Exported, StoreError]:
    """Write what is not on this stick yet; MediaError, NoQueue."""
    try:
        identity = load_identity(data)
    except NotEnrolled as error:
        raise NoQueue(f"no usable identity to sign with: {error}") from None
    try:
        book = load_book(data)
        signer = Signer(identity.terminal_id, identity.signing, SystemClock().now())
        try:
            return Exporter(queue, signer=signer, book=book, limits=limits).run(to)
        finally:
            save_book(data, book)
    except OSError as error:
        return Err(StoreError(StoreFault.STORE_DOWN, error.strerror or type(error).__name__))


def import_from(queue: QueueAccess, data: Path, path: Path) -> Result[Imported, StoreError]:
    """Whatever lies there; MediaError, NoQueue."""
    try:
        identity = load_identity(data)
        hall = current_keys(identity, data).signing
    except NotEnrolled as error:
        raise NoQueue(f"no usable identity: {error}") from None
    match kind_of(path):
        case "receipts":
            words = take_receipts(queue, path, hall=hall, terminal_id=identity.terminal_id)
            if isinstance(words, Err):
                return words
            left = sum(number for word, number in words.value.items() if word not in SETTLED)
            return Ok(Imported("receipts", words.value, left))
        case "queue":
            book = load_book(data)
            taken = take_media(queue, path, book=book, terminal_id=identity.terminal_id)
            save_book(data, book)
        case _:
            taken = _old_directory(queue, data, path, identity.terminal_id)
    if isinstance(taken, Err):
        return taken
    count = Counter({"taken": taken.value.taken, **Counter(taken.value.refused.values())})
    return Ok(Imported("queue", count, len(taken.value.refused)))


def _old_directory(queue: QueueAccess, data: Path, old: Path, terminal_id: str) -> Result[Taken, StoreError]:
    try:
        before = load_identity(old)
    except NotEnrolled as error:
        raise MediaError(MediaFault.NOT_MEDIA, f"the old identity is unusable: {error}") from None
    if before.signing.id == load_identity(data).signing.id:
        raise MediaError(MediaFault.NOT_MEDIA, "this is the same terminal's identity, copied")
    book, earlier = load_book(data), load_book(old).foreign_keys
    book.foreign_keys |= {**earlier, before.signing.id: base64.b64encode(before.signing.public).decode()}
    save_book(data, book)
    keys = {id_: base64.b64decode(public) for id_, public in book.foreign_keys.items()}
    same = before.terminal_id == terminal_id
    with open_queue(old) as source:
        return take_queue(queue, source, keys=keys, terminal_id=before.terminal_id, same=same)
