"""Terminals: enrolment tickets, certificates, signing keys, heartbeats, revocation (终端管理)."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.problem import Refused
from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import certificates, enrol_tickets, heartbeats, terminal_keys, terminals
from hall.store.vault import Vault
from hall.terminals.enrol_request import TerminalKeys, read_keys
from hall.terminals.signing_keys import keep_signing_key
from hall.terminals.successions import apply_replacement, plan_replacement, successors, void_tickets
from hall.terminals.used_numbers import used_numbers
from hall.trust import pki
from hall.trust.keys import HallKeys
from kiosk.contract.enrolment import EnrolRequest, EnrolResponse
from kiosk.contract.problems import ProblemCode
from kiosk.contract.promise import PromiseLevel, promise_level
from kiosk.contract.sync import Heartbeat
from kiosk.contract.tickets import EnrolTicket, encode_base32, enrol_mac, key_pin
from kiosk.contract.wire import TerminalId
from kiosk.core.clock import Clock

TICKET_LIFE = timedelta(hours=48)
MAX_BAD_PROOFS = 5
_TERMINAL_ID: TypeAdapter[str] = TypeAdapter(TerminalId)


@dataclass(frozen=True, slots=True)
class TerminalPlan:
    """What a clerk says of a terminal before it exists."""

    id: str
    name: str
    site: str
    address: str = ""
    open: str = "24小时"
    devices: tuple[str, ...] = ("id_card", "receipt", "page", "camera")


@dataclass(frozen=True, slots=True)
class _Spent:
    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _No:
    status: int


class Terminals:
    """The hall's terminals."""

    def __init__(self, *, store: Store, vault: Vault, keys: HallKeys, region: str, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._keys = keys
        self._region = region
        self._clock = clock

    # --- enrolment -----------------------------------------------------------------------------------------------

    def new_ticket(self, plan: TerminalPlan, *, replaces: str = "") -> EnrolTicket:
        """A one-time ticket for this terminal, good for 48 hours; earlier unspent ones for it are void.

        `replaces`: when it is spent, that terminal is nobody any more and this one may bring its queue; ValueError.
        """
        _TERMINAL_ID.validate_python(plan.id)
        ticket = EnrolTicket(encode_base32(os.urandom(5)), os.urandom(10), key_pin(pki.public_info(self._keys.root)))
        now = self._clock.now()

        def write(connection: Connection) -> None:
            values = {
                "name": plan.name,
                "site": plan.site,
                "address": plan.address,
                "open": plan.open,
                "devices": ",".join(plan.devices),
            }
            connection.execute(
                upsert(terminals).values(id=plan.id, **values).on_conflict_do_update(index_elements=["id"], set_=values)
            )
            connection.execute(
                update(enrol_tickets)
                .where(enrol_tickets.c.terminal_id == plan.id, enrol_tickets.c.used_by.is_(None))
                .values(expires_at=0)
            )
            connection.execute(
                insert(enrol_tickets).values(
                    id=ticket.id,
                    sealed_secret=self._vault.seal(ticket.secret, purpose=f"ticket:{ticket.id}"),
                    terminal_id=plan.id,
                    expires_at=to_ms(now + TICKET_LIFE),
                    failures=0,
                )
            )
            if replaces:
                plan_replacement(connection, ticket.id, old=replaces, new=plan.id)

        self._store.write(write)
        return ticket

    def enrol(self, request: EnrolRequest) -> bytes:
        """An EnrolResponse as JSON, the same bytes for the same keys; Refused with `ticket_refused`."""
        keys = read_keys(request)
        now = self._clock.now()
        # Everything about a ticket happens on the one writer, so twenty thieves at once get one certificate.
        match self._store.write(lambda connection: self._spend(connection, request, keys, now)):
            case _Spent(response):
                return response
            case _No(status):
                raise Refused(ProblemCode.TICKET_REFUSED, status=status)

    def _spend(self, connection: Connection, request: EnrolRequest, keys: TerminalKeys, now: datetime) -> _Spent | _No:
        ticket = connection.execute(
            select(enrol_tickets).where(enrol_tickets.c.id == request.ticket_id.upper())
        ).one_or_none()
        if ticket is None or ticket.failures >= MAX_BAD_PROOFS or to_ms(now) >= ticket.expires_at:
            return _No(403)
        secret = self._vault.open(ticket.sealed_secret, purpose=f"ticket:{ticket.id}")
        expected = enrol_mac(secret, csr_der=keys.csr_der, signing_public=keys.signing_public)
        if not hmac.compare_digest(expected.encode(), request.mac.encode()):
            connection.execute(
                update(enrol_tickets).where(enrol_tickets.c.id == ticket.id).values(failures=ticket.failures + 1)
            )
            return _No(403)
        if ticket.used_by is not None:
            # A lost answer is no lost ticket; another key is another terminal.
            return _Spent(ticket.response) if ticket.used_by == keys.fingerprint() else _No(409)
        response = self._admit(connection, ticket.terminal_id, keys, now)
        connection.execute(
            update(enrol_tickets)
            .where(enrol_tickets.c.id == ticket.id)
            .values(used_by=keys.fingerprint(), response=response)
        )
        apply_replacement(connection, ticket.id, at=to_ms(now))
        return _Spent(response)

    def _admit(self, connection: Connection, terminal_id: str, keys: TerminalKeys, now: datetime) -> bytes:
        """Certificate and keys of a terminal; what it had before is void, for it was replaced."""
        certificate = pki.issue_terminal(
            self._keys.issuing, keys.tls, terminal_id, now=now, life=self._keys.terminal_life
        )
        at = to_ms(now)
        counters = used_numbers(connection, self._region, terminal_id, now)
        self._revoke_certificates(connection, terminal_id, at)
        connection.execute(
            insert(certificates).values(
                serial=pki.serial_text(certificate.serial_number),
                terminal_id=terminal_id,
                expires_at=to_ms(certificate.not_valid_after_utc),
            )
        )
        keep_signing_key(connection, terminal_id, keys.signing_public, at=at)
        connection.execute(
            update(terminals).where(terminals.c.id == terminal_id).values(enrolled_at=at, revoked_at=None)
        )
        terminal = connection.execute(select(terminals).where(terminals.c.id == terminal_id)).one()
        chain = certificate.public_bytes(serialization.Encoding.PEM) + self._keys.issuing.pem()
        response = EnrolResponse(
            terminal_id=terminal_id,
            region=self._region,
            site_name=terminal.site,
            certificate=chain.decode(),
            ca=self._keys.root_pem().decode(),
            keys=self._keys.published(),
            expires_at=certificate.not_valid_after_utc,
            counters=counters,
        )
        return response.model_dump_json().encode()

    # --- who is calling ------------------------------------------------------------------------------------------

    def authenticate(self, serial: str) -> str:
        """The terminal behind a certificate serial; Refused if this hall did not issue it or has revoked it.

        Revoked is told apart (`revoked`, 403): that terminal must not be waited for, somebody took its place.
        """
        with self._store.read() as connection:
            found = connection.execute(
                select(
                    certificates.c.terminal_id,
                    certificates.c.revoked_at,
                    terminals.c.revoked_at.label("terminal_revoked_at"),
                )
                .join(terminals, terminals.c.id == certificates.c.terminal_id)
                .where(certificates.c.serial == serial)
            ).one_or_none()
        if found is None:
            raise Refused(ProblemCode.UNAUTHENTICATED)
        if found.revoked_at is not None or found.terminal_revoked_at is not None:
            raise Refused(ProblemCode.REVOKED)
        return str(found.terminal_id)

    def signing_keys(self, terminal_id: str) -> dict[str, bytes]:
        """All signing keys this terminal has ever enrolled, by key id."""
        with self._store.read() as connection:
            rows = connection.execute(select(terminal_keys).where(terminal_keys.c.terminal_id == terminal_id))
            return {row.id: row.public for row in rows}

    def revoke(self, terminal_id: str) -> bool:
        """From now on it is nobody; False if there is no such terminal."""
        at = to_ms(self._clock.now())

        def write(connection: Connection) -> bool:
            self._revoke_certificates(connection, terminal_id, at)
            void_tickets(connection, terminal_id)
            done = connection.execute(update(terminals).where(terminals.c.id == terminal_id).values(revoked_at=at))
            return done.rowcount == 1

        return self._store.write(write)

    @staticmethod
    def _revoke_certificates(connection: Connection, terminal_id: str, at: int) -> None:
        connection.execute(
            update(certificates)
            .where(certificates.c.terminal_id == terminal_id, certificates.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )

    # --- health --------------------------------------------------------------------------------------------------

    def heard(self, heartbeat: Heartbeat) -> None:
        """Keep the latest heartbeat."""
        values = {"received_at": to_ms(self._clock.now()), "body": heartbeat.model_dump_json().encode()}
        self._store.write(
            lambda connection: connection.execute(
                upsert(heartbeats)
                .values(terminal_id=heartbeat.terminal_id, **values)
                .on_conflict_do_update(index_elements=["terminal_id"], set_=values)
            )
        )

    def board(self) -> tuple[TerminalHealth, ...]:
        """All terminals with their last heartbeat."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(terminals, heartbeats.c.received_at, heartbeats.c.body)
                .outerjoin(heartbeats, heartbeats.c.terminal_id == terminals.c.id)
                .order_by(terminals.c.id)
            ).all()
            heirs = successors(connection)
        return tuple(_health(row, heirs) for row in rows)


@dataclass(frozen=True, slots=True)
class TerminalHealth:
    """A terminal as the clerk sees it."""

    @property
    def clock_skew_s(self) -> int:
        """Seconds by which its clock was behind ours at the last heartbeat; negative: ahead."""
        if self.heartbeat is None or self.heard_at is None:
            return 0
        return round((self.heard_at - self.heartbeat.at).total_seconds())

    id: str
    name: str
    site: str
    address: str
    open: str
    devices: tuple[str, ...]
    state: str
    """`planned`, `enrolled`, `revoked`."""
    heard_at: datetime | None
    heartbeat: Heartbeat | None
    successor: str
    """Which terminal took its place; empty: none."""

    def oldest_unsent_s(self, now: datetime) -> int:
        """Age of what waits longest there (P53): as it said, and on from there while it is silent; 0: nothing waits."""
        if self.heartbeat is None or self.heard_at is None or not self.heartbeat.pending:
            return 0
        return self.heartbeat.oldest_unsent_s + max(0, int((now - self.heard_at).total_seconds()))

    def promise(self, now: datetime) -> PromiseLevel:
        """How near the twelve hours it is. What another terminal took over is that one's to deliver."""
        return PromiseLevel.NONE if self.successor else promise_level(self.oldest_unsent_s(now))


def _health(row: Row[tuple[object, ...]], heirs: Mapping[str, str]) -> TerminalHealth:
    data = row._mapping
    if data["revoked_at"] is not None:
        state = "revoked"
    else:
        state = "enrolled" if data["enrolled_at"] is not None else "planned"
    return TerminalHealth(
        data["id"],
        data["name"],
        data["site"],
        data["address"],
        data["open"],
        tuple(filter(None, data["devices"].split(","))),
        state,
        from_ms(data["received_at"]) if data["received_at"] is not None else None,
        Heartbeat.model_validate_json(data["body"]) if data["body"] is not None else None,
        heirs.get(data["id"], "") if state == "revoked" else "",
    )
