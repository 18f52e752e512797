"""Which submissions go together: pure decisions, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kiosk.contract.batch import BATCH_BYTES, MAX_BATCH_ITEMS, framed_size
from offline_queue.disk.rows import Waiting

FIRST_ITEMS = 8
"""A first word to a hall that may be crowded or a line that may be poor."""
LAST_ITEMS = 16
"""Of the last batches: enough of these on all lines for what a line holds on its way."""
_GROWTH = 4


@dataclass(slots=True)
class BatchSize:
    """Grows while all goes well, halves when the time was too short or the hall said too large."""

    items: int = FIRST_ITEMS
    bytes: int = BATCH_BYTES

    def restart(self) -> None:
        """Nobody knows what the line bears now, nor whether the hall wants any of it."""
        self.items = FIRST_ITEMS

    def grow(self) -> None:
        """The last one went well."""
        self.items = min(MAX_BATCH_ITEMS, self.items * _GROWTH)
        self.bytes = min(BATCH_BYTES, self.bytes * _GROWTH)

    def shrink(self, items: int, bytes_: int) -> None:
        """One of this size did not."""
        self.items = max(1, min(self.items, items // 2))
        self.bytes = max(1024, min(self.bytes, bytes_ // 2))


def share(items: int, *, waiting: int, lines: int) -> int:
    """How many of the `waiting` ones a batch of at most `items` may take when so many lines are in use, this included.

    Towards the end batches become small: the last ones end together, and the hall has not all of them at once.
    """
    return min(items, max(LAST_ITEMS, -(-waiting // lines)))


@dataclass(slots=True)
class Suspects:
    """Batches that were refused as a whole are halved until the bad one stands alone; the good ones go on together."""

    _limits: dict[str, int] = field(default_factory=dict)

    def refused(self, items: Sequence[Waiting]) -> None:
        """One of these may have spoilt it for all."""
        for item in items:
            self._limits[item.id] = max(1, len(items) // 2)

    def cleared(self, items: Iterable[Waiting]) -> None:
        """The hall had a word for each of these."""
        for item in items:
            self._limits.pop(item.id, None)

    @property
    def limits(self) -> Mapping[str, int]:
        """How many a batch with this one may hold at most."""
        return self._limits


def next_batch(due: Sequence[Waiting], *, size: BatchSize, limits: Mapping[str, int]) -> list[Waiting]:
    """The first ones that may go together, in their order; a large one alone. Suspects never among others."""
    if not due:
        return []
    suspect = due[0].id in limits
    batch: list[Waiting] = []
    most, room = size.items, size.bytes
    for item in due:
        if (item.id in limits) is not suspect:
            continue
        most = min(most, limits.get(item.id, most))
        room -= framed_size(item.size)
        if len(batch) >= most or (batch and room < 0):
            break
        batch.append(item)
    return batch


def first_of_each_case(items: Iterable[Waiting], *, may_go: Iterable[str]) -> list[Waiting]:
    """Those of `may_go` (ids) that no earlier unsent one of the same case (办件) stands before; `items` in order."""
    allowed = frozenset(may_go)
    cases: set[str] = set()
    ready: list[Waiting] = []
    for item in items:
        if item.id in allowed and item.case not in cases:
            ready.append(item)
        cases.add(item.case)
    return ready
