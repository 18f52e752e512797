"""Worker lanes: one thread a device or port, so that a slow one never holds up the screen or another one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from kiosk.services.effects import Lane

Job = Callable[[], None]


class Lanes(Protocol):
    """Somewhere to run jobs, in order on each lane."""

    def run(self, lane: Lane, job: Job) -> None:
        """Queue a job; returns at once."""
        ...

    def stop(self) -> None:
        """Finish what has begun and what is queued, then stop."""
        ...


class ThreadLanes:
    """A daemon thread a lane: a port that outlives its deadline must not keep the process alive."""

    def __init__(self, *, stop_within: float = 3.0) -> None:
        self._stop_within = stop_within
        self._queues: dict[Lane, queue.SimpleQueue[Job | None]] = {lane: queue.SimpleQueue() for lane in Lane}
        self._threads = [
            threading.Thread(target=self._work, args=(lane,), name=f"lane-{lane.value}", daemon=True) for lane in Lane
        ]
        for thread in self._threads:
            thread.start()

    def run(self, lane: Lane, job: Job) -> None:
        """Queue a job; returns at once. A job that raises ends its thread: see `Terminal` for what follows."""
        self._queues[lane].put(job)

    def stop(self) -> None:
        """Finish what is queued, but wait no longer than a few seconds for each lane."""
        for waiting in self._queues.values():
            waiting.put(None)
        for thread in self._threads:
            thread.join(self._stop_within)

    def _work(self, lane: Lane) -> None:
        while (job := self._queues[lane].get()) is not None:
            job()
