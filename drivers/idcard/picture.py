"""The photo on the chip (WLT) as a picture, by a library that the terminal's owner brings; nobody has an open one.

The library exports ``int unpack(const char *wlt, char *bmp, int size)``: 1,024 bytes in, a BMP of at most `size` bytes
out. What it returns means something else in each, so the picture is judged and not the number. It is closed code: it
runs in a child process for the time of one photo, which can write no file and dies with us. If it crashes or hangs,
the picture is missing and the reading is good.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import select
import signal
import struct
import time
from pathlib import Path

DEADLINE_S = 1.5
GIVE_UP_AFTER = 3
"""Failures in a row; from then on readings are not held up any more."""
_LONGEST = 64 * 1024
_HEADER = struct.Struct("<2sIIIIiiHHI")
"""BITMAPFILEHEADER, and of BITMAPINFOHEADER as far as biCompression."""
_FILE_HEADER_BYTES = 14
_PR_SET_PDEATHSIG = 1


def parse_picture(data: bytes) -> bytes:
    """The BMP at the beginning of `data`, cut to its length; empty if there is none such as a photo is: uncompressed,
    24 bits, passport sized."""
    if len(data) < _HEADER.size:
        return b""
    magic, size, _reserved, offset, head, width, height, _planes, bits, compression = _HEADER.unpack_from(data)
    rows = (width * 3 + 3) // 4 * 4 * abs(height)
    if (
        magic != b"BM"
        or head < 40
        or bits != 24
        or compression
        or not 32 <= width <= 400
        or not 32 <= abs(height) <= 500
    ):
        return b""
    if not (_FILE_HEADER_BYTES + head <= offset and offset + rows <= size <= len(data)):
        return b""
    return data[:size]


class PictureDecoder:
    """One library; `trouble` says why the last photo stayed without a picture."""

    def __init__(self, library: Path, *, deadline_s: float = DEADLINE_S) -> None:
        self._library = library
        self._deadline_s = deadline_s
        self._failures = 0
        self.trouble = ""

    def decode(self, wlt: bytes) -> bytes:
        """A BMP; empty when it cannot be had."""
        if self._failures >= GIVE_UP_AFTER:
            return b""
        data, self.trouble = self._run(wlt)
        picture = parse_picture(data)
        if not picture and not self.trouble:
            self.trouble = "decoder made no picture"
        self._failures = 0 if picture else self._failures + 1
        return picture

    def _run(self, wlt: bytes) -> tuple[bytes, str]:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _unpack_and_end(str(self._library), wlt, writing)
        os.close(writing)
        try:
            data, late = _receive(reading, time.monotonic() + self._deadline_s)
        finally:
            os.close(reading)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if late:
            return b"", "decoder hung"
        if data:
            return data, ""
        return b"", f"decoder crashed (signal {-status})" if status < 0 else "decoder cannot be loaded"


def _receive(reading: int, ends: float) -> tuple[bytes, bool]:
    """Everything until the other end is closed; True: it was too late."""
    data = b""
    while (left := ends - time.monotonic()) > 0:
        if not select.select([reading], [], [], left)[0]:
            break
        more = os.read(reading, _LONGEST)
        if not more:
            return data, False
        data += more
    return b"", True


def _unpack_and_end(library: str, wlt: bytes, writing: int) -> None:
    """The child. It was forked from a process with threads: nothing here takes a lock of Python's."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # such libraries leave photos in files
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        faulthandler.disable()
        silence = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(silence, number)
        picture = ctypes.create_string_buffer(_LONGEST)
        ctypes.CDLL(library).unpack(wlt, picture, _LONGEST)
        rest = memoryview(picture.raw)
        while rest:
            rest = rest[os.write(writing, rest) :]
    finally:
        os._exit(1)
