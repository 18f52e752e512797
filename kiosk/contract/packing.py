"""What is inside an envelope's ciphertext: a submission written small, compressed, and padded because lengths talk.

``u32 length | compressed | zeros`` up to a multiple of 64 bytes. Compressed with

- ``zstd-1``: a Zstandard frame (RFC 8878, without its magic number) over the short form below, with the dictionary
  ``data/submission-1.dict``, which belongs to the format like a table: it never changes, a better one is ``zstd-2``.
- ``zlib`` (RFC 1950): canonical JSON of the submission; read, no longer written.

The short form is CBOR (RFC 8949) of the submission's JSON with names, but for

- what the envelope's header says: id, terminal, instant of filing; what stands there all the same is taken;
- what is the default of ``submission/1``;
- instants: microseconds after the filing's; they come back in UTC;
- hashes of pictures: 32 bytes; a sealed picture's own hash: its place in the header.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import cbor2
import zstandard
from pydantic import ValidationError

from kiosk.contract.envelope import BUCKET, BlobRef, Compression, EnvelopeHeader
from kiosk.contract.submission import Submission

MAX_SUBMISSION_BYTES = 8 * 1024 * 1024
"""A decompressed submission is never larger; what claims to be is hostile."""
DICTIONARY_SHA256 = "bff54933c658751e1e8a562cd271b793f84f1e3dfc82560aefb9837a65511cb8"
"""Of ``data/submission-1.dict``, made by scripts/train_dictionary.py."""
_LEVEL = 4
"""Greedy: one per cent more on the wire than level 6 for less than half of its time."""
_TABLES = {"hash_log": 12, "chain_log": 12, "search_log": 3}
"""16 KiB each, as much as the dictionary fills: between two filings they fall out of the processor's caches."""
_MICROSECOND = timedelta(microseconds=1)
_LENGTH = struct.Struct(">I")
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS
_PART_BYTES = 16
"""What a value weighs, be it ever so short."""
_OFTEN_BYTES = 1500
"""How large a short form often is: zstd sizes its tables by it."""


class PackingError(ValueError):
    """Torn, hostile, or not a submission. Quotes nothing of the content."""


class DictionaryError(RuntimeError):
    """The dictionary on this disk is not the one that belongs to the format; nothing can be packed with it."""


def pack(submission: Submission, blobs: Sequence[BlobRef]) -> bytes:
    """What is to be sealed under a header that says the submission's id, terminal, instant and `blobs`."""
    packed = _packer().compress(short_form(submission, blobs))
    framed = _LENGTH.pack(len(packed)) + packed
    return framed + bytes(-len(framed) % BUCKET)


def unpack(framed: bytes, header: EnvelopeHeader) -> Submission:
    """The submission; PackingError."""
    if len(framed) < _LENGTH.size:
        raise PackingError("submission is torn")
    (length,) = _LENGTH.unpack_from(framed)
    packed = framed[_LENGTH.size : _LENGTH.size + length]
    if len(packed) < length:
        raise PackingError("submission is torn")
    plain = _decompress(packed, header.compression)
    document = plain if header.compression == "zlib" else _long_form(plain, header)
    try:
        return Submission.model_validate_json(document)
    except ValidationError as error:
        raise PackingError(f"submission has {error.error_count()} faults") from None


# --- compression -----------------------------------------------------------------------------------------------------


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    raw = (files("kiosk.contract") / "data" / "submission-1.dict").read_bytes()
    if hashlib.sha256(raw).hexdigest() != DICTIONARY_SHA256:
        raise DictionaryError("submission-1.dict is not the one of this format")
    dictionary = zstandard.ZstdCompressionDict(raw, dict_type=zstandard.DICT_TYPE_FULLDICT)
    dictionary.precompute_compress(compression_params=_parameters(len(raw)))
    return dictionary


def _parameters(dictionary_bytes: int) -> zstandard.ZstdCompressionParameters:
    return zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, format=_FORMAT, write_dict_id=False, source_size=_OFTEN_BYTES, dict_size=dictionary_bytes, **_TABLES
    )


class _Packer:
    """A compressor is costly to make, and for one thread at a time."""

    def __init__(self) -> None:
        dictionary = _dictionary()
        parameters = _parameters(len(dictionary.as_bytes()))
        self._compressor = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters)
        self._lock = threading.Lock()

    def compress(self, plain: bytes) -> bytes:
        """One frame."""
        with self._lock:
            return self._compressor.compress(plain)


@cache
def _packer() -> _Packer:
    return _Packer()


def _decompress(packed: bytes, compression: Compression) -> bytes:
    return _decompress_zlib(packed) if compression == "zlib" else _decompress_zstd(packed)


def _decompress_zstd(packed: bytes) -> bytes:
    try:
        told = zstandard.get_frame_parameters(packed, format=_FORMAT)
        # Asked before the decoder makes room for what the frame claims.
        if told.content_size > MAX_SUBMISSION_BYTES:
            raise PackingError("submission is larger than 8 MiB, or does not say how large")
        unpacker = zstandard.ZstdDecompressor(dict_data=_dictionary(), format=_FORMAT)
        return unpacker.decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError:
        raise PackingError("submission does not decompress") from None


def _decompress_zlib(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MAX_SUBMISSION_BYTES)
    except zlib.error:
        raise PackingError("submission does not decompress") from None
    if not unpacker.eof:
        raise PackingError("submission is torn or larger than 8 MiB")
    return plain


# --- the short form --------------------------------------------------------------------------------------------------


def short_form(submission: Submission, blobs: Sequence[BlobRef]) -> bytes:
    """CBOR as described above."""
    form = submission.model_dump(exclude={"id", "terminal_id", "created_at"}, exclude_defaults=True)
    filed_at = submission.created_at
    for name, parts in _instants(form):
        for part in parts:
            part[name] = (part[name] - filed_at) // _MICROSECOND
    for material in form.get("materials", ()):
        if (sha256 := material.get("blob")) is not None:
            material["blob"] = next((place for place, ref in enumerate(blobs) if ref.sha256 == sha256), sha256)
        if (sha256 := material.get("original_sha256")) is not None:
            material["original_sha256"] = bytes.fromhex(sha256)
    return cbor2.dumps(form)


def _instants(form: dict[str, Any]) -> tuple[tuple[str, Iterable[dict[str, Any]]], ...]:
    """What a submission's instants are called, and the parts that have one of that name."""
    return (
        ("read_at", (form["applicant"],)),
        ("at", form.get("answers", {}).values()),
        ("captured_at", [material for material in form.get("materials", ()) if "captured_at" in material]),
        ("at", form.get("consents", ())),
    )


def _fits(form: object) -> bool:
    """Is it no larger when written out? CBOR can point at a part again and again (tags 25 and 29)."""
    left, waiting = MAX_SUBMISSION_BYTES, [form]
    while waiting:
        part = waiting.pop()
        left -= _PART_BYTES + (len(part) if isinstance(part, str | bytes | list | dict) else 0)
        if left < 0:
            return False
        if isinstance(part, dict):
            waiting += (*part.keys(), *part.values())
        elif isinstance(part, list):
            waiting += part
    return True


def _long_form(plain: bytes, header: EnvelopeHeader) -> bytes:
    try:
        form = cbor2.loads(plain)
        if not _fits(form):
            raise PackingError("submission is larger than 8 MiB")
        for name, parts in _instants(form):
            for part in parts:
                part[name] = (header.created_at + part[name] * _MICROSECOND).astimezone(UTC).isoformat()
        for material in form.get("materials", ()):
            if isinstance(place := material.get("blob"), int):
                material["blob"] = dict(enumerate(header.blobs))[place].sha256
            if "original_sha256" in material:
                material["original_sha256"] = material["original_sha256"].hex()
        known = {"id": header.id, "terminal_id": header.terminal_id, "created_at": header.created_at.isoformat()}
        return json.dumps(known | form, allow_nan=False).encode()
    except PackingError:
        raise
    except Exception as error:  # noqa: BLE001 - a decoder may fail in any way on bytes that a hostile terminal sealed
        raise PackingError(f"submission cannot be read ({type(error).__name__})") from None
