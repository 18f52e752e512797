"""The document camera in its worker process (高拍仪).

The camera is open only while somebody looks or a picture is taken; in between its presence is checked without
starting the sensor. While it is open a grabber holds the newest picture, and one thread examines ten a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from drivers.camera.geometry import normalised
from drivers.camera.grabber import Ended, Grabber, Picture
from drivers.camera.proof import focus_words, size_words, tiny_picture
from drivers.camera.shot import preview_jpeg, take
from drivers.camera.source import Patience, parse_address
from drivers.camera.status import Light, starting, troubled, well
from drivers.camera.viewer import View, Viewer
from drivers.host.adapter import Args, Emit, Reply
from drivers.host.codec import dump_shot
from kiosk.core.devices import DeviceError, DeviceKind, DeviceStatus, Fault, PreviewFrame, StatusChanged
from kiosk.core.result import Err, Ok, Result


@dataclass(frozen=True, slots=True)
class Timings:
    """Every wait of this driver, seconds."""

    camera: Patience = field(default_factory=Patience)
    frame: float = 0.1
    """Between two preview pictures."""
    probe: float = 3.0
    """Between two looks whether an idle camera is there."""
    first_retry: float = 0.3
    last_retry: float = 3.0
    start: float = 6.0
    """For the first picture of a preview: longer than opening may take, shorter than the host's deadline."""
    slack: float = 1.0
    close: float = 1.0
    test: Patience = field(default_factory=lambda: Patience(open_s=0.8, read_s=0.8))
    """A quick self-test has no time for a camera that takes its time."""
    light: Light = field(default_factory=Light)

    @property
    def first_picture(self) -> float:
        """From the start of opening; longer than the grabber's own limits, so that it says what is wrong."""
        return self.camera.open_s + self.camera.read_s + self.slack


_NO_PICTURE = Ended(Fault.FROZEN, "no picture comes")
_SAME_PICTURE = Ended(Fault.FROZEN, "the same picture again and again")
_SAME_AT_MOST = 3
"""Equal to the last byte so often in a row: no sensor is that calm. Once may happen to a stream read in leaps."""
_BROKEN_PICTURE = Ended(Fault.PROTOCOL, "pictures cannot be decoded")
_BLACK = "nothing can be seen"

Outcome = Result[None, DeviceError]


class CameraAdapter:
    """Adapter for `drivers.host.worker`: verbs `start_preview`, `stop_preview`, `capture` → a dumped Shot."""

    kind = DeviceKind.CAMERA
    capabilities = frozenset({"start_preview", "stop_preview", "capture"})

    def __init__(
        self, address: str, *, timings: Timings | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = parse_address(address)
        self.identity = self._source.identity
        self._timings = timings or Timings()
        self._monotonic = monotonic
        self._emit: Emit = lambda _event: None
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._camera = threading.Lock()
        """Held while the camera is open: there is only one."""
        self._gate = threading.Lock()
        """Held while a preview picture goes out: after stop_preview none does."""
        self._changed = threading.Condition()
        """Guards what follows."""
        self._wanted = False
        self._closing = False
        self._outcome: Outcome | None = None
        """How the preview that is wanted is doing; None: not known yet."""
        self._previewing: Grabber | None = None
        self._status = starting(self.identity)
        self._light = self._timings.light
        self._sequence = 0

    def open(self, emit: Emit) -> None:
        """Start looking after the camera."""
        self._emit = emit
        self._thread.start()

    def status(self) -> DeviceStatus:
        """As last seen."""
        return self._status

    def close(self) -> None:
        """Close the camera."""
        with self._changed:
            self._closing, self._wanted = True, False
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(self._timings.close)  # a camera that hangs is left to the end of the process

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """One command."""
        match verb:
            case "start_preview":
                return self._start_preview()
            case "stop_preview":
                self._stop_preview()
                return Ok(Reply())
            case "capture":
                return self._capture()
            case _:
                return Err(DeviceError(Fault.PROTOCOL, "unknown verb"))

    # --- commands ----------------------------------------------------------------------------------------------------

    def _start_preview(self) -> Result[Reply, DeviceError]:
        """Ok once the first picture has come; a preview that cannot start is not left half on."""
        match self._await_preview():
            case Ok():
                return Ok(Reply())
            case Err(error):
                self._stop_preview()
                return Err(error)

    def _await_preview(self) -> Outcome:
        with self._changed:
            if not (self._wanted and isinstance(self._outcome, Ok)):
                self._wanted, self._outcome = True, None
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._outcome is not None, timeout=self._timings.start)
            return self._outcome or Err(DeviceError(self._status.fault or Fault.TIMEOUT, "no picture in time"))

    def _stop_preview(self) -> None:
        with self._gate, self._changed:
            self._wanted, self._outcome = False, None
            self._changed.notify_all()

    def _capture(self) -> Result[Reply, DeviceError]:
        """Two pictures made after the command: the newer is taken, both tell whether it was still."""
        asked = self._monotonic()
        with self._running_or_opened() as grabber:
            return self._shoot(grabber, asked)

    def _shoot(self, grabber: Grabber, asked: float) -> Result[Reply, DeviceError]:
        taken = self._two_pictures(grabber, since=asked)
        if isinstance(taken, Ended):
            self._become(troubled(self.identity, taken.fault, taken.detail))
            return Err(DeviceError(taken.fault, taken.detail))
        picture, view = taken
        if view.black:
            self._darken(picture.at)
            return Err(DeviceError(Fault.DARK, _BLACK))
        shot = take(picture.jpeg, view)
        if shot is None:
            return Err(DeviceError(Fault.NO_DOCUMENT, view.advice))
        return Ok(Reply(*dump_shot(shot)))

    def _two_pictures(self, grabber: Grabber, *, since: float = float("-inf")) -> tuple[Picture, View] | Ended:
        """The second of two: it takes two to see that the camera lives and that the page lies still."""
        viewer = Viewer(freeze_s=0.0, settle=1)
        number, patience, same = 0, self._timings.first_picture, 0
        while True:
            picture = grabber.newer(number, since=since, within_s=patience)
            if not isinstance(picture, Picture):
                return picture or _NO_PICTURE
            if (tiny := tiny_picture(picture.jpeg)) is not None:
                return tiny
            view = viewer.see(picture.jpeg, picture.at)
            if view is None:
                return _BROKEN_PICTURE
            if view.frozen:
                same += 1
                if same == _SAME_AT_MOST:
                    return _SAME_PICTURE
            elif number:
                return picture, view
            number, patience = picture.number, self._timings.camera.read_s

    # --- self-test ---------------------------------------------------------------------------------------------------

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Both look at two live pictures. Quick: what the camera says of itself. Deep: as for a capture, and how sharp.

        Pictures are looked at and forgotten. What is found changes no status: in the dark of the night the lamp over
        the camera may well be off.
        """
        known = self._status
        if not deep and known.fault not in (None, Fault.DARK):
            return Err(DeviceError(known.fault, known.detail))  # looked after a moment ago; there is no time to wait
        with self._running_or_opened(patience=self._timings.camera if deep else self._timings.test) as grabber:
            return self._prove(grabber, deep=deep)

    def _prove(self, grabber: Grabber, *, deep: bool) -> Result[str, DeviceError]:
        taken = self._two_pictures(grabber, since=self._monotonic())
        if isinstance(taken, Ended):
            return Err(DeviceError(taken.fault, taken.detail))
        picture, view = taken
        age_ms = round((self._monotonic() - picture.at) * 1000)
        found = f"{size_words(picture.jpeg)}, {age_ms} ms old, brightness {view.measures.frame_brightness:.0f} of 255"
        if view.black:
            return Err(DeviceError(Fault.DARK, found))
        return Ok(f"{found}, {focus_words(view)}" if deep else found)

    # --- the looking thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            if self._wanted:
                self._serve_preview()
            else:
                self._check()
                self._pause(self._timings.probe, wanted=False)

    def _serve_preview(self) -> None:
        """Keep a preview up, across faults, until nobody wants it."""
        viewer = Viewer(freeze_s=self._timings.camera.read_s)
        retry = self._timings.first_retry
        self._light = self._timings.light
        while self._wanted:
            shown = self._sequence
            ended = self._preview(viewer)
            if ended is None:
                return
            if self._sequence > shown:
                retry = self._timings.first_retry
            self._settle(Err(DeviceError(ended.fault, ended.detail)))
            self._become(troubled(self.identity, ended.fault, ended.detail))
            self._pause(retry, wanted=True)
            retry = min(2 * retry, self._timings.last_retry)

    def _preview(self, viewer: Viewer) -> Ended | None:
        """Show pictures until nobody wants them (None) or none come any more."""
        number, patience = 0, self._timings.first_picture
        last_good = due = self._monotonic()
        with self._opened(previewing=True) as grabber:
            while self._wanted:
                picture = grabber.newer(number, within_s=patience)
                if not isinstance(picture, Picture):
                    return picture or _NO_PICTURE
                number, patience = picture.number, self._timings.camera.read_s
                if (tiny := tiny_picture(picture.jpeg)) is not None:
                    return tiny
                view = viewer.see(picture.jpeg, picture.at)
                if view is not None:
                    last_good = picture.at
                    if view.frozen:
                        return _SAME_PICTURE
                    self._become(self._lit(view, picture.at))
                    self._settle(Ok(None))
                    self._show(view)
                elif picture.at - last_good > self._timings.camera.read_s:
                    return _BROKEN_PICTURE
                due = max(due + self._timings.frame, self._monotonic())
                self._pause(due - self._monotonic(), wanted=True)
        return None

    def _lit(self, view: View, at: float) -> DeviceStatus:
        """Well, unless nothing was to be seen for a while; once dark it stays so until there is light."""
        self._light = self._light.after(black=view.black, at=at)
        if view.black and (self._light.dark(at) or self._status.fault is Fault.DARK):
            return troubled(self.identity, Fault.DARK, _BLACK)
        return well(self.identity)

    def _darken(self, at: float) -> None:
        self._light = self._timings.light.after(black=True, at=at)
        self._become(troubled(self.identity, Fault.DARK, _BLACK))

    def _show(self, view: View) -> None:
        height, width = view.small.shape[:2]
        quad = view.finding.quad
        self._sequence += 1
        frame = PreviewFrame(
            sequence=self._sequence,
            jpeg=preview_jpeg(view.small),
            quad=() if quad is None else normalised(quad, width, height),
            advice=view.advice,
        )
        with self._gate:
            if self._wanted:
                self._emit(frame)

    def _check(self) -> None:
        """Is an idle camera there? One that was in trouble (or is new) must show two live pictures to be well again."""
        if not self._source.present(self._timings.camera):
            self._become(troubled(self.identity, Fault.NO_CAMERA))
            return
        if self._status.well:
            return
        self.identity = self._source.identity
        with self._opened() as grabber:
            seen = self._two_pictures(grabber)
        if isinstance(seen, Ended):
            self._become(troubled(self.identity, seen.fault, seen.detail))
            return
        picture, view = seen
        still_dark = view.black and self._status.fault is Fault.DARK and not self._light.forgotten(picture.at)
        if not still_dark:
            self._light = self._timings.light
            self._become(well(self.identity))

    # --- shared ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _running_or_opened(self, *, patience: Patience | None = None) -> Iterator[Grabber]:
        """The preview's camera while one is wanted, not while it is being closed; else opened for the purpose."""
        with self._changed:
            running = self._previewing if self._wanted else None
        if running is not None:
            yield running
            return
        with self._opened(patience=patience) as grabber:
            yield grabber

    @contextmanager
    def _opened(self, *, previewing: bool = False, patience: Patience | None = None) -> Iterator[Grabber]:
        """The camera, open; closed again before anybody else may open it."""
        with self._camera:
            grabber = Grabber(self._source, patience=patience or self._timings.camera, monotonic=self._monotonic)
            grabber.start()
            with self._changed:
                self._previewing = grabber if previewing else None
            try:
                yield grabber
            finally:
                with self._changed:
                    self._previewing = None
                grabber.stop()

    def _become(self, status: DeviceStatus) -> None:
        with self._changed:
            changed = status != self._status
            self._status = status
        if changed:
            self._emit(StatusChanged(status))

    def _settle(self, outcome: Outcome) -> None:
        with self._changed:
            if self._wanted:
                self._outcome = outcome
                self._changed.notify_all()

    def _pause(self, seconds: float, *, wanted: bool) -> None:
        """Wait, but not longer than until the preview is switched on or off."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wanted is not wanted, timeout=max(0.0, seconds))
