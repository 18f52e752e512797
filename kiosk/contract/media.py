"""Submissions on a stick: what a terminal without network hands to its hall, and what the hall gives back.

Media file (``.cwx``): ``CWX1 | bodies | manifest | 64-byte signature | u32 manifest length | CWXE``. Bodies are the
envelopes and sealed materials as they lie in the queue, one after the other in the manifest's order: each item's
envelope, then its materials. The manifest is canonical JSON of `MediaManifest` and comes last, so that it lists exactly
what could be read; the terminal signs ``CWX1`` + SHA-256(manifest). A file without its end is no media file.

Receipts file (``.cwr``): ``CWR1 | u32 length | canonical JSON of MediaReceipts | 64-byte signature`` by the hall over
``CWR1`` + SHA-256(JSON). Every receipt in it is signed by itself too (`kiosk.contract.signing.HallReceipt`).
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, BinaryIO, Literal

from pydantic import Field, StringConstraints, ValidationError

from kiosk.contract.envelope import BlobRef
from kiosk.contract.signing import PublicKeys, SignatureError, SigningKey, key_id, verify
from kiosk.contract.sync import Verdict
from kiosk.contract.wire import Instant, KeyId, Sha256, Short, Size, SubmissionId, TerminalId, Wire, canonical_json

MAGIC = b"CWX1"
END = b"CWXE"
RECEIPTS_MAGIC = b"CWR1"
SIGNATURE_BYTES = 64
MAX_ITEMS = 20_000
MAX_MANIFEST_BYTES = 32 * 1024 * 1024
MAX_RECEIPTS_BYTES = 64 * 1024 * 1024
FAT32_BYTES = 4_000_000_000
"""No file on FAT32 reaches 4 GiB."""
_LENGTH = struct.Struct(">I")
_TAIL = struct.Struct(">I4s")
_NAME = re.compile(r"^CW-EXPORT-([0-9A-Z]{4})-([0-9a-f]{8})-([0-9]{1,9})\.cwx$")
_KEY_BYTES = 32

Epoch = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
"""Which queue directory of that terminal: made once, at random."""


class MediaFault(StrEnum):
    """Why a file was not taken; nothing of it was."""

    NOT_MEDIA = "not_media"
    """Neither a media file nor a receipts file, or of a version that is not known here."""
    TORN = "torn"
    """It ends too early: copied half, or the stick was pulled."""
    TAMPERED = "tampered"
    """Changed after it was signed, or signed by a key that is not believed."""
    OTHER_TERMINAL = "other_terminal"
    """It is right and belongs to another terminal."""
    UNREADABLE = "unreadable"
    """The stick or the disk does not give it."""
    MEDIA_FULL = "media_full"
    """The stick or the disk has no room."""


class MediaError(Exception):
    """A typed refusal; the text is for technicians and quotes nothing of the content."""

    def __init__(self, fault: MediaFault, detail: str = "") -> None:
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault
        self.detail = detail


class MediaItem(Wire):
    """One submission (办件) on the stick."""

    id: SubmissionId
    application_no: Short
    sha256: Sha256
    """Of the envelope."""
    size: Size
    blobs: tuple[BlobRef, ...] = ()
    parked: Short = ""
    """The code under which the terminal had set it aside; empty: simply not delivered yet."""


class MediaManifest(Wire):
    """What is on the stick, signed by the terminal whose queue it was."""

    format: Literal["cwx/1"] = "cwx/1"
    terminal_id: TerminalId
    epoch: Epoch
    number: Annotated[int, Field(ge=1)]
    made_at: Instant
    signing_key: KeyId
    public: Short
    """Base64 of the raw signing key: whoever copies a queue can check it; the hall believes its own list only."""
    others: dict[KeyId, Short] = Field(default_factory=dict)
    """The same of terminals whose place this one took: what they signed may be among the items."""
    counters: dict[str, int] = Field(default_factory=dict)
    """Last serial of an application number given on each of the latest days."""
    items: Annotated[tuple[MediaItem, ...], Field(max_length=MAX_ITEMS)]


class MediaResult(Wire):
    """The hall's word on one item."""

    sha256: Sha256
    verdict: Verdict


class MediaReceipts(Wire):
    """What the hall gives back for one media file."""

    format: Literal["cwr/1"] = "cwr/1"
    terminal_id: TerminalId
    epoch: Epoch
    number: Annotated[int, Field(ge=1)]
    made_at: Instant
    signing_key: KeyId
    results: Annotated[tuple[MediaResult, ...], Field(max_length=MAX_ITEMS)]


def media_name(terminal_id: str, epoch: str, number: int) -> str:
    """CW-EXPORT-T001-0a1b2c3d-1.cwx."""
    return f"CW-EXPORT-{terminal_id}-{epoch}-{number}.cwx"


def read_media_name(name: str) -> tuple[str, str, int] | None:
    """Terminal, epoch and number; None: another file."""
    match = _NAME.match(name)
    return None if match is None else (match[1], match[2], int(match[3]))


def manifest_sha256(manifest: MediaManifest) -> str:
    """Names a media file, whatever became of its bodies."""
    return hashlib.sha256(canonical_json(manifest)).hexdigest()


def end_of_media(manifest: MediaManifest, key: SigningKey) -> bytes:
    """What follows the bodies."""
    body = canonical_json(manifest)
    return body + key.sign(_signed(MAGIC, body)) + _TAIL.pack(len(body), END)


def read_manifest(file: BinaryIO, keys: PublicKeys | None = None) -> MediaManifest:
    """The manifest of a media file; MediaError.

    `keys`: only what one of these signed is believed. Without: whole and unchanged since whoever made it signed it.
    """
    try:
        return _read_manifest(file, keys)
    except OSError as error:
        raise MediaError(MediaFault.UNREADABLE, error.strerror or type(error).__name__) from None


def _read_manifest(file: BinaryIO, keys: PublicKeys | None) -> MediaManifest:
    end = file.seek(0, 2)
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise MediaError(MediaFault.NOT_MEDIA)
    least = len(MAGIC) + SIGNATURE_BYTES + _TAIL.size
    if end < least:
        raise MediaError(MediaFault.TORN)
    file.seek(end - _TAIL.size)
    length, mark = _TAIL.unpack(file.read(_TAIL.size))
    if mark != END:
        raise MediaError(MediaFault.TORN, "its end is missing")
    if length > min(end - least, MAX_MANIFEST_BYTES):
        raise MediaError(MediaFault.TAMPERED, "manifest length")
    start = end - _TAIL.size - SIGNATURE_BYTES - length
    file.seek(start)
    body, signature = file.read(length), file.read(SIGNATURE_BYTES)
    try:
        manifest = MediaManifest.model_validate_json(body)
        public = base64.b64decode(manifest.public, validate=True)
    except (ValidationError, ValueError):
        raise MediaError(MediaFault.TAMPERED, "manifest") from None
    if len(public) != _KEY_BYTES or key_id(public) != manifest.signing_key:
        raise MediaError(MediaFault.TAMPERED, "signing key")
    try:
        verify(
            {manifest.signing_key: public} if keys is None else keys,
            manifest.signing_key,
            _signed(MAGIC, body),
            signature,
        )
    except SignatureError as error:
        raise MediaError(MediaFault.TAMPERED, str(error)) from None
    if start - len(MAGIC) != sum(size for _, _, size in _parts(manifest)):
        raise MediaError(MediaFault.TAMPERED, "length")
    return manifest


@dataclass(frozen=True, slots=True)
class MediaPart:
    """One envelope or material; `data` is None where the stick gives other bytes than were written."""

    item: MediaItem
    blob: BlobRef | None
    """None: the envelope."""
    data: bytes | None


def signing_keys_of(manifest: MediaManifest) -> dict[str, bytes]:
    """Raw keys that the manifest names; what is none is left out."""
    keys: dict[str, bytes] = {}
    for id_, text in (*manifest.others.items(), (manifest.signing_key, manifest.public)):
        try:
            public = base64.b64decode(text, validate=True)
        except ValueError:
            continue
        if len(public) == _KEY_BYTES and key_id(public) == id_:
            keys[id_] = public
    return keys


def read_parts(file: BinaryIO, manifest: MediaManifest) -> Iterator[MediaPart]:
    """Every part in order, each checked by its hash: one bad sector costs one item only."""
    at = len(MAGIC)
    for item, blob, size in _parts(manifest):
        sha256 = item.sha256 if blob is None else blob.sha256
        try:
            file.seek(at)
            data: bytes | None = file.read(size)
        except OSError:
            data = None
        if data is not None and hashlib.sha256(data).hexdigest() != sha256:
            data = None
        yield MediaPart(item, blob, data)
        at += size


def _parts(manifest: MediaManifest) -> Iterator[tuple[MediaItem, BlobRef | None, int]]:
    for item in manifest.items:
        yield item, None, item.size
        for blob in item.blobs:
            yield item, blob, blob.size


def join_receipts(receipts: MediaReceipts, key: SigningKey) -> bytes:
    """The receipts file."""
    body = canonical_json(receipts)
    return RECEIPTS_MAGIC + _LENGTH.pack(len(body)) + body + key.sign(_signed(RECEIPTS_MAGIC, body))


def read_receipts(raw: bytes, keys: PublicKeys) -> MediaReceipts:
    """A receipts file that one of these keys of the hall signed; MediaError."""
    if raw[: len(RECEIPTS_MAGIC)] != RECEIPTS_MAGIC:
        raise MediaError(MediaFault.NOT_MEDIA)
    head = len(RECEIPTS_MAGIC) + _LENGTH.size
    if len(raw) < head:
        raise MediaError(MediaFault.TORN)
    (length,) = _LENGTH.unpack(raw[len(RECEIPTS_MAGIC) : head])
    if len(raw) < head + length + SIGNATURE_BYTES:
        raise MediaError(MediaFault.TORN)
    if len(raw) > head + length + SIGNATURE_BYTES:
        raise MediaError(MediaFault.TAMPERED, "length")
    body, signature = raw[head : head + length], raw[head + length :]
    try:
        receipts = MediaReceipts.model_validate_json(body)
        verify(keys, receipts.signing_key, _signed(RECEIPTS_MAGIC, body), signature)
    except ValidationError:
        raise MediaError(MediaFault.TAMPERED, "receipts") from None
    except SignatureError as error:
        raise MediaError(MediaFault.TAMPERED, str(error)) from None
    return receipts


def _signed(magic: bytes, body: bytes) -> bytes:
    return magic + hashlib.sha256(body).digest()
