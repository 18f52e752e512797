"""证书续期: a terminal's next certificate, asked for with the one that it has.

The same keys get the same answer again, so a lost answer costs nothing. The old certificate is good until the terminal
has called with the new one; then it is revoked. Only one renewal of a terminal is open: a later one voids it.
"""

from __future__ import annotations

import base64
from datetime import datetime

from cryptography.hazmat.primitives import serialization
from sqlalchemy import Column, Connection, ForeignKey, Integer, LargeBinary, String, Table, insert, select, update

from hall.problem import Refused
from hall.store.database import Store
from hall.store.moments import to_ms
from hall.store.schema import certificates, metadata, terminals
from hall.terminals.enrol_request import TerminalKeys, read_keys
from hall.terminals.signing_keys import keep_signing_key
from hall.trust import pki
from hall.trust.keys import HallKeys
from kiosk.contract.enrolment import EnrolRequest, EnrolResponse, RenewRequest, renewal_signed_bytes
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import SignatureError, key_id, verify
from kiosk.core.clock import Clock

renewals = Table(
    "renewals",
    metadata,
    Column("fingerprint", String, primary_key=True),
    Column("terminal_id", String, ForeignKey("terminals.id"), nullable=False),
    Column("serial", String, ForeignKey("certificates.serial"), nullable=False),
    Column("response", LargeBinary, nullable=False),
    Column("at", Integer, nullable=False),
    Column("confirmed_at", Integer),
)
"""`fingerprint`: SHA-256 over the new TLS key and the new signing key."""


class Renewals:
    """Gives certificates to terminals that have one."""

    def __init__(self, *, store: Store, keys: HallKeys, region: str, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._region = region
        self._clock = clock

    def renew(self, request: RenewRequest, *, terminal_id: str, serial: str) -> bytes:
        """An EnrolResponse as JSON, the same bytes for the same keys; Refused. `serial`: the caller's certificate."""
        asked = _proven(request, terminal_id)
        now = self._clock.now()
        return self._store.write(lambda connection: self._renew(connection, asked, terminal_id, serial, now))

    def confirm(self, *, terminal_id: str, serial: str) -> None:
        """The terminal calls with this certificate: what it had before is void."""
        at = to_ms(self._clock.now())

        def write(connection: Connection) -> None:
            open_one = (renewals.c.serial == serial) & renewals.c.confirmed_at.is_(None)
            done = connection.execute(update(renewals).where(open_one).values(confirmed_at=at))
            if done.rowcount == 1:
                _revoke(connection, terminal_id, at, keep=(serial,))

        self._store.write(write)

    def _renew(
        self, connection: Connection, asked: TerminalKeys, terminal_id: str, serial: str, now: datetime
    ) -> bytes:
        known = connection.execute(
            select(renewals.c.terminal_id, renewals.c.response).where(renewals.c.fingerprint == asked.fingerprint())
        ).one_or_none()
        if known is not None:
            if known.terminal_id != terminal_id:
                raise Refused(ProblemCode.FORBIDDEN)
            return bytes(known.response)
        # An unconfirmed one before this is given up: the terminal lost its keys, or somebody else asked.
        _revoke(connection, terminal_id, to_ms(now), keep=(serial,))
        certificate = pki.issue_terminal(
            self._keys.issuing, asked.tls, terminal_id, now=now, life=self._keys.terminal_life
        )
        fresh = pki.serial_text(certificate.serial_number)
        connection.execute(
            insert(certificates).values(
                serial=fresh, terminal_id=terminal_id, expires_at=to_ms(certificate.not_valid_after_utc)
            )
        )
        keep_signing_key(connection, terminal_id, asked.signing_public, at=to_ms(now))
        site = connection.execute(select(terminals.c.site).where(terminals.c.id == terminal_id)).scalar_one()
        response = EnrolResponse(
            terminal_id=terminal_id,
            region=self._region,
            site_name=site,
            certificate=(certificate.public_bytes(serialization.Encoding.PEM) + self._keys.issuing.pem()).decode(),
            ca=self._keys.root_pem().decode(),
            keys=self._keys.published(),
            expires_at=certificate.not_valid_after_utc,
        )
        raw = response.model_dump_json().encode()
        connection.execute(
            insert(renewals).values(
                fingerprint=asked.fingerprint(), terminal_id=terminal_id, serial=fresh, response=raw, at=to_ms(now)
            )
        )
        return raw


def _proven(request: RenewRequest, terminal_id: str) -> TerminalKeys:
    """The keys, if the caller holds both; Refused."""
    keys = read_keys(EnrolRequest(ticket_id="", csr=request.csr, signing_public=request.signing_public, mac=""))
    signer = key_id(keys.signing_public)
    try:
        proof = base64.b64decode(request.proof, validate=True)
        verify({signer: keys.signing_public}, signer, renewal_signed_bytes(terminal_id, keys.csr_der), proof)
    except (SignatureError, ValueError):
        raise Refused(ProblemCode.BAD_SIGNATURE) from None
    return keys


def _revoke(connection: Connection, terminal_id: str, at: int, *, keep: tuple[str, ...]) -> None:
    connection.execute(
        update(certificates)
        .where(
            certificates.c.terminal_id == terminal_id,
            certificates.c.revoked_at.is_(None),
            certificates.c.serial.not_in(keep),
        )
        .values(revoked_at=at)
    )
