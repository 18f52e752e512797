"""Files on a stick (U 盘): whole or not at all, read back, and what is written down here about them.

A stick may be any file system: a directory that cannot be synced is not an error, a full one is.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from kiosk.contract.media import Epoch, MediaError, MediaFault
from kiosk.contract.wire import SubmissionId
from offline_queue.disk.files import make_directory, write_durably

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})
PART = ".part"


class Mark(BaseModel):
    """An item that lies on a stick; it stays in the queue until the hall has signed for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at: int
    """Unix seconds."""
    file: str


class ExportBook(BaseModel):
    """``exports/book.json``: which directory this is, how many files were made, what is on them."""

    model_config = ConfigDict(extra="forbid")
    epoch: Epoch
    number: int = 0
    marks: dict[SubmissionId, Mark] = {}
    foreign_keys: dict[str, str] = {}
    """Base64 of signing keys of terminals whose queues came here, by key id; to check envelopes with, not to believe
    them: that is the hall's business."""


def load_book(data: Path) -> ExportBook:
    """What was written down, or a new book; OSError. A damaged one is begun anew: it is a help, not a promise."""
    try:
        return ExportBook.model_validate_json(_book(data).read_bytes())
    except (FileNotFoundError, ValidationError):
        return ExportBook(epoch=secrets.token_hex(4))


def save_book(data: Path, book: ExportBook) -> None:
    """Durable; OSError."""
    path = _book(data)
    make_directory(path.parent)
    write_durably(path, book.model_dump_json().encode(), temporary=path.with_suffix(".tmp"))


def _book(data: Path) -> Path:
    return data / "exports" / "book.json"


def media_fault(error: OSError) -> MediaError:
    """A full stick, or one that does not work."""
    fault = MediaFault.MEDIA_FULL if error.errno in _NO_ROOM else MediaFault.UNREADABLE
    return MediaError(fault, error.strerror or type(error).__name__)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that has this name only when all of it is on the stick; MediaError. Nothing is left of a half one."""
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb+") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # Read back from the stick, not from memory: some sticks take everything and keep nothing.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        part.rename(path)
        sync_names(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise media_fault(error) from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sync_names(directory: Path) -> None:
    """Make the names durable where the file system can."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)
