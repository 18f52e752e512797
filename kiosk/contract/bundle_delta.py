"""A newer bundle as what is new in it (增量): a Zstandard frame (RFC 8878) with the older file as its dictionary.

Nothing is believed because of a delta: what comes out is the bundle file, byte for byte, and its signature decides.
"""

from __future__ import annotations

import zstandard

HAVE_HEADER = "CWS-Have"
"""On GET /v1/bundle/{number}: the number of the bundle that the terminal holds."""
SINCE_HEADER = "CWS-Delta-Since"
"""On the answer: these bytes are a delta from that bundle; absent: they are the bundle file."""
MAX_BUNDLE_BYTES = 64 * 1024 * 1024
_LEVEL = 19
"""Made once for all terminals of a city."""


class DeltaError(ValueError):
    """These bytes do not make a bundle file of the older one."""


def make_delta(old: bytes, new: bytes) -> bytes:
    """What turns `old` into `new`."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, window_log=_window(len(old) + len(new)), write_content_size=True, write_checksum=True
    )
    return zstandard.ZstdCompressor(dict_data=_raw(old), compression_params=parameters).compress(new)


def apply_delta(old: bytes, delta: bytes, *, size: int) -> bytes:
    """The newer file of exactly `size` bytes; DeltaError."""
    if size > MAX_BUNDLE_BYTES:
        raise DeltaError("bundle is too large")
    try:
        if zstandard.frame_content_size(delta) != size:
            raise DeltaError("delta makes another size")
        return zstandard.ZstdDecompressor(dict_data=_raw(old), max_window_size=2**27).decompress(
            delta, max_output_size=size
        )
    except zstandard.ZstdError as error:
        raise DeltaError("delta does not fit") from error


def _raw(old: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _window(size: int) -> int:
    """Wide enough to reach back to the beginning of the older file."""
    return min(27, max(10, size.bit_length()))
