"""The unexpected: written down without a word of what was being worked on, then the process ends.

The supervisor has it back on the screen in under a second. Depends on nothing that may itself be broken.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType


def end_on_the_unexpected(folder: Path, name: str) -> None:
    """Write type and place of any uncaught exception, in any thread, to `folder`/`name`.crash and exit with 70."""
    folder.mkdir(parents=True, exist_ok=True)
    target = (folder / f"{name}.crash").open("a", encoding="utf-8")
    faulthandler.enable(target)

    def tell(kind: type[BaseException], where: TracebackType | None) -> None:
        # The message and the variables may hold a citizen's data: type and place only.
        print(kind.__name__, file=target)
        for frame in traceback.extract_tb(where):
            print(f"  {frame.filename}:{frame.lineno} {frame.name}", file=target)
        target.flush()

    def in_main(kind: type[BaseException], _value: BaseException, where: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(130)
        tell(kind, where)
        os._exit(70)

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        tell(arguments.exc_type, arguments.exc_traceback)
        os._exit(70)

    sys.excepthook = in_main
    threading.excepthook = in_thread
