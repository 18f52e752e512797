"""Where a camera is: a URL, a device path or an index; how to open it and how to see that it is there.

Looking whether it is there never starts the sensor: nobody is filmed, and no lamp lights, for a status.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from drivers.camera.opencv import cv2

_PORTS = {"http": 80, "https": 443, "rtsp": 554}
_MJPG = cv2.VideoWriter.fourcc(*"MJPG")


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits of an opened camera, seconds."""

    open_s: float = 2.0
    read_s: float = 2.0
    """Longer without a picture is frozen."""
    connect_s: float = 0.5


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A network or bridge camera. MJPEG is passed on as the camera made it; other streams are decoded."""

    url: str
    settling: int = 0

    @property
    def identity(self) -> str:
        """The URL without user name and password."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))

    def present(self, patience: Patience) -> bool:
        """Does anything listen there?"""
        parts = urlsplit(self.url)
        address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
        try:
            socket.create_connection(address, timeout=patience.connect_s).close()
        except OSError:
            return False
        return True

    def open(self, patience: Patience) -> cv2.VideoCapture:
        """Start the stream; not `isOpened()` when that fails."""
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            round(patience.open_s * 1000),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            round(patience.read_s * 1000),
        ]
        raw = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_FORMAT, -1])
        if not raw.isOpened() or int(raw.get(cv2.CAP_PROP_FOURCC)) == _MJPG:
            return raw
        raw.release()
        return cv2.VideoCapture(self.url, cv2.CAP_FFMPEG, limits)


@dataclass(frozen=True, slots=True)
class DeviceSource:
    """A USB camera by its stable path (/dev/v4l/by-id/…) or its number. Not yet seen with real hardware."""

    device: str
    settling: int = 4
    """Pictures after opening that still show the exposure being found."""

    names: Path = Path("/sys/class/video4linux")

    @property
    def identity(self) -> str:
        """Its model, as the kernel knows it, and its path; the path alone while it is away."""
        try:
            model = (self.names / Path(self.device).resolve().name / "name").read_text("utf-8", "replace").strip()
        except OSError:
            return self.device
        return f"{model} {self.device}"

    def present(self, patience: Patience) -> bool:
        """Is the device node there?"""
        return Path(self.device).exists()

    def open(self, patience: Patience) -> cv2.VideoCapture:
        """Start the sensor; MJPEG as the camera makes it where it can. V4L2 has its own time limit, see `opencv`."""
        capture = cv2.VideoCapture(self.device, cv2.CAP_V4L2)
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_FOURCC, _MJPG)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, 1600)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, 1200)
            if int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG:
                capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        return capture


Source = UrlSource | DeviceSource


def parse_address(address: str) -> Source:
    """A camera address of a terminal's profile; ValueError if it is none."""
    if address.startswith("/"):
        return DeviceSource(address)
    scheme, _, rest = address.partition(":")
    if scheme == "index" and rest.isascii() and rest.isdigit():
        return DeviceSource(f"/dev/video{int(rest)}")
    if scheme in _PORTS:
        parts = urlsplit(address)
        if parts.hostname and (parts.port is None or parts.port > 0):
            return UrlSource(address)
    raise ValueError("a camera address is http(s)://…, rtsp://…, a device path, or index:N")
