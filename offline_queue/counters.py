"""How many application numbers (受理号) each day has had on this terminal. Counters only grow, whoever sets them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from kiosk.core.ports import StoreError
from kiosk.core.result import Result
from offline_queue.disk.database import transaction
from offline_queue.store import Store

_DAYS = 31


def counted(store: Store) -> Result[dict[str, int], StoreError]:
    """The highest serial of each of the last days, by ISO date."""

    def work(db: sqlite3.Connection) -> dict[str, int]:
        rows = db.execute("select day, serial from counters order by day desc limit ?", (_DAYS,))
        return {str(day): int(serial) for day, serial in rows}

    return store.db.run(work)


def count_on(store: Store, counters: Mapping[str, int]) -> Result[None, StoreError]:
    """Numbers up to these are somebody's already: a predecessor's, or of this terminal before its disk was lost."""

    def work(db: sqlite3.Connection) -> None:
        with transaction(db):
            db.executemany(
                "insert into counters (day, serial) values (?, ?)"
                " on conflict (day) do update set serial = max(serial, excluded.serial)",
                sorted(counters.items()),
            )

    return store.db.run(work)
