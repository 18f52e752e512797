"""终端更换: who took the place of which terminal, and what of the old one's queue still counts.

A ticket may say that the terminal it makes replaces another. When it is spent, the old one's certificate is void from
that moment; what it had signed before may still be brought by its successor, or by that one's, and by no one else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import certificates, enrol_tickets, replacements, terminals

_LONGEST_CHAIN = 32


class Successions:
    """What the intake asks before it takes an envelope."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def counts(self, *, signed_for: str, brought_by: str, created_at: datetime) -> bool:
        """May this terminal bring an envelope that names that one, made at this instant?"""
        with self._store.read() as connection:
            until = self._valid_until(connection, signed_for)
            if until is not None and created_at >= until:
                return False
            return signed_for == brought_by or brought_by in _heirs(connection, signed_for)

    @staticmethod
    def _valid_until(connection: Connection, terminal_id: str) -> datetime | None:
        """None: it works, nothing ends what it signs."""
        row = connection.execute(
            select(terminals.c.revoked_at, replacements.c.until)
            .outerjoin(replacements, (replacements.c.terminal_id == terminals.c.id) & replacements.c.until.is_not(None))
            .where(terminals.c.id == terminal_id)
            .order_by(replacements.c.at.desc())
        ).first()
        if row is None or row.revoked_at is None:
            return None
        return from_ms(row.revoked_at if row.until is None else row.until)


def _heirs(connection: Connection, terminal_id: str) -> set[str]:
    """Its successor, that one's, and so on."""
    heirs: set[str] = set()
    here: str | None = terminal_id
    while here is not None and len(heirs) < _LONGEST_CHAIN:
        here = connection.execute(
            select(replacements.c.successor)
            .where(replacements.c.terminal_id == here, replacements.c.at.is_not(None))
            .order_by(replacements.c.at.desc())
        ).scalar()
        if here is None or here in heirs:
            break
        heirs.add(here)
    return heirs


def predecessors(connection: Connection, terminal_id: str) -> frozenset[str]:
    """Whose queue may lie in this terminal."""
    olds = connection.execute(select(replacements.c.terminal_id).where(replacements.c.at.is_not(None))).scalars()
    return frozenset(old for old in olds if terminal_id in _heirs(connection, old))


def plan_replacement(connection: Connection, ticket_id: str, *, old: str, new: str) -> None:
    """This ticket makes the successor; ValueError if there is nothing to replace."""
    if old == new:
        raise ValueError("a terminal cannot replace itself: give it a plain ticket")
    if connection.execute(select(terminals.c.id).where(terminals.c.id == old)).one_or_none() is None:
        raise ValueError(f"there is no terminal {old}")
    if new in _heirs(connection, old) or old in _heirs(connection, new):
        raise ValueError(f"{old} and {new} replaced each other before")
    connection.execute(insert(replacements).values(ticket_id=ticket_id, terminal_id=old, successor=new))


def apply_replacement(connection: Connection, ticket_id: str, *, at: int) -> None:
    """The ticket was spent: the old terminal is nobody from this moment, unless that was said before."""
    row: Row[Any] | None = connection.execute(
        select(replacements).where(replacements.c.ticket_id == ticket_id)
    ).one_or_none()
    if row is None:
        return
    old = row.terminal_id
    connection.execute(update(replacements).where(replacements.c.ticket_id == ticket_id).values(at=at))
    void_tickets(connection, old)
    connection.execute(
        update(certificates)
        .where(certificates.c.terminal_id == old, certificates.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    connection.execute(
        update(terminals).where(terminals.c.id == old, terminals.c.revoked_at.is_(None)).values(revoked_at=at)
    )


def void_tickets(connection: Connection, terminal_id: str) -> None:
    """Whoever has an unspent ticket (入网码) of this terminal cannot use it any more."""
    unspent = (enrol_tickets.c.terminal_id == terminal_id) & enrol_tickets.c.used_by.is_(None)
    connection.execute(update(enrol_tickets).where(unspent).values(expires_at=0))


def vouch(connection: Connection, terminal_id: str, *, until: datetime) -> bool:
    """Staff say until when what the old terminal signed counts: its clock was wrong. False: it has no successor."""
    done = connection.execute(
        update(replacements)
        .where(replacements.c.terminal_id == terminal_id, replacements.c.at.is_not(None))
        .values(until=to_ms(until))
    )
    return done.rowcount > 0


def successors(connection: Connection) -> Mapping[str, str]:
    """Old terminal → its successor, as far as tickets were spent."""
    rows = connection.execute(
        select(replacements.c.terminal_id, replacements.c.successor)
        .where(replacements.c.at.is_not(None))
        .order_by(replacements.c.at)
    )
    return {row.terminal_id: row.successor for row in rows}
