"""Calls for help from terminals (呼叫帮助): who calls, since when, and which clerk knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import help_calls, terminals
from kiosk.contract.sync import Heartbeat
from kiosk.core.clock import Clock

LONGEST_MS = 24 * 3600 * 1000
"""A call that is said to be older when we hear of it comes from a wrong clock: terminals drop theirs much earlier."""


@dataclass(frozen=True, slots=True)
class HelpCall:
    """One call, with the place where somebody waits."""

    terminal_id: str
    site: str
    name: str
    address: str
    called_ms: int
    """By the terminal's clock; names the call."""
    since: datetime
    """It may have been offline then; when its clock talks nonsense, since we heard of it."""
    acknowledged_at: datetime | None
    acknowledged_by: str

    @property
    def open(self) -> bool:
        """Nobody has taken note yet."""
        return self.acknowledged_at is None


class HelpDesk:
    """Open calls, and the latest one of each terminal."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def heard(self, heartbeat: Heartbeat) -> datetime | None:
        """Note the call in a heartbeat, if there is one; when a clerk took note of it."""
        if heartbeat.help_called_at is None:
            return None
        terminal_id, called_ms = heartbeat.terminal_id, to_ms(heartbeat.help_called_at)
        heard_ms = to_ms(self._clock.now())

        def write(connection: Connection) -> int | None:
            connection.execute(
                upsert(help_calls)
                .values(terminal_id=terminal_id, called_at=called_ms, heard_at=heard_ms)
                .on_conflict_do_nothing()
            )
            found: int | None = connection.execute(
                select(help_calls.c.acknowledged_at).where(
                    help_calls.c.terminal_id == terminal_id, help_calls.c.called_at == called_ms
                )
            ).scalar_one()
            return found

        acknowledged = self._store.write(write)
        return None if acknowledged is None else from_ms(acknowledged)

    def acknowledge(self, terminal_id: str, *, called_ms: int, actor: str) -> bool:
        """Take note of this call and of those heard before it; the first clerk counts. False: no such call."""
        at = to_ms(self._clock.now())
        mine = help_calls.c.terminal_id == terminal_id

        def write(connection: Connection) -> bool:
            heard_ms = connection.execute(
                select(help_calls.c.heard_at).where(mine, help_calls.c.called_at == called_ms)
            ).scalar_one_or_none()
            if heard_ms is None:
                return False
            connection.execute(
                update(help_calls)
                .where(mine, help_calls.c.heard_at <= heard_ms, help_calls.c.acknowledged_at.is_(None))
                .values(acknowledged_at=at, acknowledged_by=actor)
            )
            return True

        return self._store.write(write)

    def latest(self) -> Mapping[str, HelpCall]:
        """The latest call of each terminal."""
        with self._store.read() as connection:
            rows = connection.execute(_LATEST).mappings().all()
        return {row["terminal_id"]: _call(row) for row in rows}

    def open(self) -> tuple[HelpCall, ...]:
        """One a terminal, who has waited longest first."""
        return tuple(sorted((call for call in self.latest().values() if call.open), key=lambda call: call.since))


_newest = (
    select(help_calls.c.terminal_id, func.max(help_calls.c.heard_at).label("heard_at"))
    .group_by(help_calls.c.terminal_id)
    .subquery()
)
_LATEST = (
    select(help_calls, terminals.c.site, terminals.c.name, terminals.c.address)
    .join(terminals, terminals.c.id == help_calls.c.terminal_id)
    .join(
        _newest,
        and_(_newest.c.terminal_id == help_calls.c.terminal_id, _newest.c.heard_at == help_calls.c.heard_at),
    )
)


def _call(row: RowMapping) -> HelpCall:
    at, called_ms, heard_ms = row["acknowledged_at"], row["called_at"], row["heard_at"]
    believable = heard_ms - LONGEST_MS <= called_ms <= heard_ms
    return HelpCall(
        row["terminal_id"],
        row["site"],
        row["name"],
        row["address"],
        called_ms,
        from_ms(called_ms if believable else heard_ms),
        None if at is None else from_ms(at),
        row["acknowledged_by"] or "",
    )
