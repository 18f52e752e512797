"""One opening of the camera: a thread that always reads, so that whoever asks gets the newest picture.

A stream that is not read for two seconds is two seconds behind; hence nobody but this thread reads it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivers.camera.jpeg import dimensions, encode, whole
from drivers.camera.source import Patience, Source
from kiosk.core.devices import Fault

_FALLBACK_QUALITY = 92
"""For cameras that give pixels instead of JPEG."""


@dataclass(frozen=True, slots=True)
class Picture:
    """As the camera made it."""

    jpeg: bytes
    number: int
    at: float
    """Monotonic seconds of arrival."""


@dataclass(frozen=True, slots=True)
class Ended:
    """No more pictures will come from this opening."""

    fault: Fault
    detail: str


class Grabber:
    """Opened by `start`, closed by `stop`; never reopened."""

    def __init__(self, source: Source, *, patience: Patience, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._patience = patience
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._newest: Picture | None = None
        self._ended: Ended | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="camera-grabber", daemon=True)

    def start(self) -> None:
        """Begin to open; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Close the camera and wait for it; as long as one read lasts, at most its time limit."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def newer(self, than: int, *, since: float = float("-inf"), within_s: float) -> Picture | Ended | None:
        """The newest picture with a higher number that arrived after `since`; None if none comes in time."""

        def there() -> bool:
            fresh = self._newest is not None and self._newest.number > than and self._newest.at >= since
            return fresh or self._ended is not None

        with self._changed:
            if not self._changed.wait_for(there, timeout=within_s):
                return None
            if self._ended is not None:
                return self._ended
            return self._newest

    def _run(self) -> None:
        began = self._monotonic()
        capture = self._source.open(self._patience)
        try:
            if capture.isOpened():
                ended = self._read(capture)
            else:
                silent = self._monotonic() - began >= 0.8 * min(self._patience.open_s, self._patience.read_s)
                ended = self._why(silent=silent, detail="cannot be opened")
        finally:
            capture.release()
        with self._changed:
            self._ended = ended
            self._changed.notify_all()

    def _read(self, capture: Any) -> Ended:
        """Publish pictures until there are no more."""
        number = 0
        last_good = self._monotonic()
        while not self._stopping:
            asked = self._monotonic()
            got, data = capture.read()
            now = self._monotonic()
            if not got:
                return self._why(silent=now - asked >= 0.8 * self._patience.read_s, detail="stream ended")
            jpeg = _as_jpeg(data)
            if jpeg is None:
                if now - last_good > self._patience.read_s:
                    return self._why(silent=False, detail="sends no pictures")
                continue
            last_good = now
            number += 1
            if number > self._source.settling:
                with self._changed:
                    self._newest = Picture(jpeg, number, now)
                    self._changed.notify_all()
        return Ended(Fault.NO_CAMERA, "closed")

    def _why(self, *, silent: bool, detail: str) -> Ended:
        return Ended(fault_of(present=self._source.present(self._patience), silent=silent), detail)


def fault_of(*, present: bool, silent: bool) -> Fault:
    """Away, mute, or something that is no camera."""
    if not present:
        return Fault.NO_CAMERA
    return Fault.FROZEN if silent else Fault.PROTOCOL


def _as_jpeg(data: Any) -> bytes | None:
    """Bytes of a JPEG from what OpenCV read: a row of raw bytes, or pixels; None if neither is a picture."""
    array = np.asarray(data)
    if array.dtype != np.uint8 or array.size == 0:
        return None
    if array.ndim == 3:
        return encode(array, quality=_FALLBACK_QUALITY)
    raw = array.tobytes()
    return raw if dimensions(raw) is not None and whole(raw) else None
