"""The unexpected: written down without a word of what was being worked on, then the process ends.

The supervisor has it back on the screen in under a second. Depends on nothing that may itself be broken.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from kiosk import __version__

EXIT_UNEXPECTED = 70
"""sysexits(3) EX_SOFTWARE."""
EXIT_INTERRUPTED = 130
_LARGEST = 1024 * 1024


def places(trace: TracebackType | None) -> list[str]:
    """Where it happened, outermost call first. Never the message or the variables: they may hold a citizen's data."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def end_on_the_unexpected(folder: Path, name: str) -> None:
    """Write type and place of any uncaught exception, in any thread, to `folder`/`name`.crash and exit with 70.

    Crashes of C libraries are written there too. What Python can only ignore (an exception in a destructor) is
    written and survived. A file that has grown large is set aside as ``.crash.1``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.crash"
    if path.exists() and path.stat().st_size > _LARGEST:
        path.replace(path.with_name(f"{name}.crash.1"))
    target = path.open("a", encoding="utf-8")
    faulthandler.enable(target)

    def tell(kind: type[BaseException], trace: TracebackType | None, *, ending: bool) -> None:
        what = "ended by" if ending else "ignored"
        head = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {name} {__version__} {what} {kind.__name__}"
        print(head, *(f"  {place}" for place in places(trace)), sep="\n", file=target, flush=True)

    def in_main(kind: type[BaseException], _value: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            os._exit(EXIT_INTERRUPTED)
        tell(kind, trace, ending=True)
        os._exit(EXIT_UNEXPECTED)

    def in_thread(failure: threading.ExceptHookArgs) -> None:
        tell(failure.exc_type, failure.exc_traceback, ending=True)
        os._exit(EXIT_UNEXPECTED)

    def in_destructor(failure: sys.UnraisableHookArgs) -> None:
        tell(failure.exc_type, failure.exc_traceback, ending=False)

    sys.excepthook = in_main
    threading.excepthook = in_thread
    sys.unraisablehook = in_destructor
