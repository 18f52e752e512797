"""A simulated document camera (高拍仪): MJPEG over HTTP, as network and USB-bridge cameras serve it.

Wire: ``GET /stream.mjpg`` answers ``multipart/x-mixed-replace`` without end. Every frame carries a JPEG comment
(COM, ITU-T T.81 B.2.4.5) ``frame=N``, so that a test can tell a fresh picture from a stale one.

Verbs: `put` (tail: JPEG or PNG, or ``document`` naming a sample; placement arguments as in `desk.Placement`), `clear`,
`set` (``frozen`` false | true | "still", ``dark`` 0..1, ``garbage`` false | true | "bomb" | "tiny" | "torn" |
"endless"; ``gone``, ``shaking``, ``slow``, ``refusing``, ``mute``: bool), `status`.
"""

from __future__ import annotations

import io
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

from drivers.sim.control import Reply
from drivers.sim.desk import Corners, Placement, jpeg, lay, shoot
from drivers.sim.documents import SampleDocument, draw
from drivers.sim.spoilt_pictures import GARBAGE, Garbage, spoilt

FRAME_SIZE = (1200, 1600)
"""A portrait picture: the camera is mounted so that an A4 page fills it."""
FRAMES_PER_SECOND = 12.0
SLOW_FRAMES_PER_SECOND = 1.5
_LOOP = 6
"""Pictures made per scene; shown in a circle, they differ by noise as live ones do."""
_MAX_DOCUMENT_PIXELS = 40_000_000
_BOUNDARY = "frame"
_PATH = "/stream.mjpg"

Frozen = bool | Literal["still"]
_ENDLESS_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Conduct:
    """How the camera behaves, apart from what lies under it."""

    frozen: Frozen = False
    """True: no more frames on open streams and new ones. "still": the same frame again and again."""
    gone: bool = False
    """Unplugged: every connection ends, new ones are refused."""
    shaking: bool = False
    garbage: Garbage = False
    """True: bytes that are no picture. Or pictures that are huge, tiny or cut short, or one that never ends."""
    refusing: bool = False
    """Answers every viewer with an error: its own program has crashed."""
    mute: bool = False
    """Accepts a viewer and says nothing."""
    dark: float = 0.0
    slow: bool = False


class CameraSim:
    """One camera on a loopback port; it keeps no files, so its folder stays empty."""

    def __init__(
        self,
        *,
        dir: Path,  # noqa: A002 - every simulator is made alike
        port: int = 0,
        size: tuple[int, int] = FRAME_SIZE,
        fps: float = FRAMES_PER_SECOND,
    ) -> None:
        self._port = port
        self._size = size
        self._fps = fps
        self._document: Image.Image | None = None
        self._placement = Placement()
        self._conduct = _Conduct()
        self._corners: Corners | None = None
        self._frames: tuple[bytes, ...] = ()
        self._frames_sent = 0
        self._streams = 0
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def start(self) -> str:
        """Show the empty tray; the URL of the stream."""
        self._render()
        self._plug_in()
        return f"http://127.0.0.1:{self._port}{_PATH}"

    def stop(self) -> None:
        """Unplug."""
        self._unplug()

    def handle(self, verb: str, args: dict[str, Any], tail: bytes) -> Reply:
        """See the module."""
        match verb:
            case "put":
                self._put(args, tail)
            case "clear":
                self._clear()
            case "set":
                self._set(args)
            case "status":
                pass
            case _:
                raise ValueError(f"the camera has no verb {verb!r}")
        return self._status(), b""

    def _put(self, args: dict[str, Any], tail: bytes) -> None:
        sample = args.get("document")
        placement = Placement.of({name: value for name, value in args.items() if name != "document"})
        if tail:
            document = _open_picture(tail)
        elif sample is not None:
            document = draw(SampleDocument(sample))
        else:
            raise ValueError("put needs a picture or the name of a sample document")
        self._document, self._placement = document, placement
        self._render()

    def _clear(self) -> None:
        if self._document is not None:
            self._document, self._placement = None, Placement()
            self._render()

    def _set(self, args: dict[str, Any]) -> None:
        conduct = replace(self._conduct, **args)
        if conduct.frozen not in (False, True, "still") or not 0 <= conduct.dark <= 1:
            raise ValueError("frozen is false, true or still; dark is 0..1")
        if conduct.garbage not in GARBAGE:
            raise ValueError(f"garbage is one of {GARBAGE}")
        before, self._conduct = self._conduct, conduct
        if (conduct.shaking, conduct.dark) != (before.shaking, before.dark):
            self._render()
        if conduct.gone and not before.gone:
            self._unplug()
        elif before.gone and not conduct.gone:
            self._plug_in()
        elif not conduct.gone and (conduct.refusing, conduct.mute) > (before.refusing, before.mute):
            self._unplug()  # who looks now is thrown out; who comes finds it so
            self._plug_in()

    def _status(self) -> dict[str, Any]:
        width, height = self._size
        corners = [[x / width, y / height] for x, y in self._corners or ()]
        with self._lock:
            streams, frames_sent = self._streams, self._frames_sent
        conduct = self._conduct
        return {
            "document": self._document is not None,
            "quad": corners,
            "frozen": conduct.frozen,
            "gone": conduct.gone,
            "dark": conduct.dark,
            "slow": conduct.slow,
            "shaking": conduct.shaking,
            "garbage": conduct.garbage,
            "refusing": conduct.refusing,
            "mute": conduct.mute,
            "streams": streams,
            "frames_sent": frames_sent,
            "width": width,
            "height": height,
        }

    def _render(self) -> None:
        placement = self._placement
        placement = replace(placement, dark=max(placement.dark, self._conduct.dark))
        scene = lay(self._document, placement, size=self._size)
        shake = self._size[0] // 30 if self._conduct.shaking else 0
        frames = tuple(jpeg(still) for still in shoot(scene, count=_LOOP, shake_px=shake))
        with self._lock:
            self._corners, self._frames = scene.corners, frames

    def _plug_in(self) -> None:
        server = _Server(("127.0.0.1", self._port), self)
        self._port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), name="camera", daemon=True).start()

    def _unplug(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()  # first nobody can come in, then those inside go: as when a plug is pulled
            server.ended.set()

    # --- called by the server's threads ------------------------------------------------------------------------------

    def stream(self, server: _Server, out: io.BufferedIOBase) -> None:
        """Write frames until the peer or the camera goes; OSError when the peer does."""
        with self._lock:
            self._streams += 1
        try:
            due = time.monotonic()
            while not server.ended.is_set():
                if self._conduct.frozen is not True:
                    out.write(self._part())
                rate = SLOW_FRAMES_PER_SECOND if self._conduct.slow else self._fps
                due = max(due + 1 / rate, time.monotonic())
                server.ended.wait(due - time.monotonic())
        finally:
            with self._lock:
                self._streams -= 1

    @property
    def refusing(self) -> bool:
        """Is every viewer answered with an error?"""
        return self._conduct.refusing

    def keep_waiting(self, server: _Server) -> None:
        """As long as the camera is mute, and there."""
        while self._conduct.mute and not server.ended.wait(0.05):
            pass

    def _part(self) -> bytes:
        conduct = self._conduct
        if conduct.garbage == "endless":
            return bytes(_ENDLESS_BYTES)
        with self._lock:
            if conduct.frozen != "still":
                self._frames_sent += 1
            number = self._frames_sent
            frame = self._frames[number % _LOOP]
        body = spoilt(_number(frame, number), conduct.garbage, number)
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body + b"\r\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], camera: CameraSim) -> None:
        self.camera = camera
        self.ended = threading.Event()
        super().__init__(address, _Request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that hangs up is nothing to report."""


class _Request(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

    def do_GET(self) -> None:
        """The stream, or 404."""
        if self.path != _PATH:
            self.send_error(404)
            return
        self.server.camera.keep_waiting(self.server)
        if self.server.camera.refusing:
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):  # the viewer closed the stream
            self.server.camera.stream(self.server, self.wfile)

    def log_message(self, *_: Any) -> None:
        """A camera keeps no log."""


def frame_number(frame: bytes) -> int | None:
    """The number that this camera wrote into a frame, or None."""
    start = frame.find(b"\xff\xfe", 0, 64)
    if start < 0:
        return None
    length = int.from_bytes(frame[start + 2 : start + 4], "big")
    name, _, number = frame[start + 4 : start + 2 + length].decode("ascii", "replace").partition("=")
    return int(number) if name == "frame" and number.isdigit() else None


def _number(frame: bytes, number: int) -> bytes:
    """The frame with a comment segment right after its start-of-image marker."""
    comment = f"frame={number}".encode()
    return frame[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + frame[2:]


def _open_picture(raw: bytes) -> Image.Image:
    """A person's own photo or a prepared document; ValueError if it is none or far too large."""
    try:
        with Image.open(io.BytesIO(raw), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > _MAX_DOCUMENT_PIXELS or min(picture.size) < 16:
                raise ValueError("picture is too large or too small")
            return picture.convert("RGBA" if "A" in picture.getbands() else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not a JPEG or PNG picture") from error
