"""Each time that a device comes, it is asked to prove itself; from a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kiosk.core.devices import Fault, SelfTest

FATAL = (Fault.TIMEOUT, Fault.DRIVER_LOST)
"""What the driver does not survive."""


class Greeter:
    """Runs `test` after every `arrived`, once for many in a row."""

    def __init__(self, test: Callable[[], SelfTest], *, name: str) -> None:
        self._test = test
        self._come = threading.Event()
        self._stopping = False
        self._spare = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """After the driver has stopped: a test in work ends with it."""
        self._stopping = True
        self._come.set()
        if self._thread.ident is not None:
            self._thread.join()

    def arrived(self) -> None:
        """The device has come. Returns at once."""
        self._come.set()

    def _run(self) -> None:
        while True:
            self._come.wait()
            self._come.clear()
            if self._stopping:
                return
            # A test that cost the driver its life is not what its successor is greeted with: a device that serves but
            # hangs over the test would come and go for ever.
            self._spare = not self._spare and self._test().fault in FATAL
