"""The peer of our PC/SC monitor: pyscard's CardMonitor, which tells on stdout what it sees and when (monotonic)."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from smartcard.CardMonitoring import CardMonitor, CardObserver


class Teller(CardObserver):  # type: ignore[misc]  # pyscard has no types
    """Writes ``present|absent SECONDS`` a line."""

    def update(self, _observable: Any, handlers: Any) -> None:
        """Called by pyscard's thread with the cards that came and those that went."""
        now = time.monotonic()
        came, went = handlers
        for word, cards in (("present", came), ("absent", went)):
            if cards:
                sys.stdout.write(f"{word} {now}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    monitor = CardMonitor()
    monitor.addObserver(Teller())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()
