"""Persons (自然人), what departments know of them, and the licences they hold (证照)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.store.database import Store
from hall.store.schema import licences, persons, records, serials
from hall.store.vault import Vault
from kiosk.contract.person import LicenceSummary
from kiosk.contract.wire import canonical_json
from kiosk.core.clock import CHINA
from kiosk.core.masking import mask_name
from kiosk.core.print_ledger import PaperName

LicenceStatus = Literal["valid", "suspended", "revoked"]


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Who somebody is."""

    name: str = field(repr=False)
    id_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewLicence:
    """A licence about to be written; dates are ISO, `valid_to` may be empty or 长期."""

    type_name: str
    number: str
    issuer: str
    valid_from: str
    valid_to: str
    fields: Mapping[str, str] = field(repr=False)
    application_no: str | None = None


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as kept."""

    id: str
    person: str
    type_name: str
    number: str
    issuer: str
    valid_from: str
    valid_to: str
    status: str
    fields: Mapping[str, str] = field(repr=False)
    application_no: str = ""
    document_sha256: str = ""
    document_pages: int = 0

    def usable(self, today: str) -> bool:
        """Valid, begun, not expired. `today` is an ISO date."""
        return self.status == "valid" and self.valid_from <= today and not is_over(self.valid_to, today)


def is_over(valid_to: str, today: str) -> bool:
    """Has its last day passed? Both are ISO dates; `valid_to` may be empty or 长期."""
    return valid_to not in ("", "长期") and valid_to < today


def today_in_china(now: datetime) -> str:
    """ISO date."""
    return now.astimezone(CHINA).date().isoformat()


def licence_id(person: str, type_name: str, number: str) -> str:
    """Type, holder and number name a licence (UUIDv5), so that issuing it twice is not possible."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{person}/{type_name}/{number}"))


_MEET = upsert(persons).on_conflict_do_nothing()


class People:
    """Reads and writes of persons, records and licences. Methods with a connection run inside a write."""

    def __init__(self, *, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    # --- persons and records -------------------------------------------------------------------------------------

    def keep(self, connection: Connection, facts: PersonFacts, *, at: int) -> str:
        """The person's id; known from now on."""
        person = self._vault.index(facts.id_number)
        sealed = self._vault.seal(
            canonical_json({"name": facts.name, "id_number": facts.id_number}), purpose=f"person:{person}"
        )
        connection.execute(_MEET, {"id": person, "sealed": sealed, "created_at": at})
        return person

    def facts(self, person: str) -> PersonFacts | None:
        """Name and number; None for a stranger."""
        with self._store.read() as connection:
            sealed = connection.execute(select(persons.c.sealed).where(persons.c.id == person)).scalar_one_or_none()
        if sealed is None:
            return None
        return PersonFacts(**json.loads(self._vault.open(sealed, purpose=f"person:{person}")))

    def keep_record(self, connection: Connection, person: str, type_: str, data: Mapping[str, str]) -> None:
        """What a department knows of a person."""
        sealed = self._vault.seal(canonical_json(dict(data)), purpose=f"record:{person}:{type_}")
        connection.execute(
            upsert(records)
            .values(person=person, type=type_, sealed=sealed)
            .on_conflict_do_update(index_elements=["person", "type"], set_={"sealed": sealed})
        )

    def record(self, person: str, type_: str) -> dict[str, str] | None:
        """None if the department knows nothing."""
        with self._store.read() as connection:
            sealed = connection.execute(
                select(records.c.sealed).where(records.c.person == person, records.c.type == type_)
            ).scalar_one_or_none()
        if sealed is None:
            return None
        found: dict[str, str] = json.loads(self._vault.open(sealed, purpose=f"record:{person}:{type_}"))
        return found

    # --- licences ------------------------------------------------------------------------------------------------

    @staticmethod
    def next_number(connection: Connection, prefix: str) -> str:
        """A licence number that nobody has: whatever is printed alike counts together; gaps are fine."""
        statement = (
            upsert(serials)
            .values(name=prefix, last=1)
            .on_conflict_do_update(index_elements=["name"], set_={"last": serials.c.last + 1})
            .returning(serials.c.last)
        )
        while True:
            number = f"{prefix}{connection.execute(statement).scalar_one():06d}"
            if connection.execute(select(licences.c.id).where(licences.c.number == number)).first() is None:
                return number

    def grant(self, connection: Connection, person: str, new: NewLicence, *, document: Document | None, at: int) -> str:
        """Write a licence, with its sealed PDF if it was made already; the same again is the same licence."""
        id_ = licence_id(person, new.type_name, new.number)
        connection.execute(
            upsert(licences)
            .values(
                id=id_,
                person=person,
                type_name=new.type_name,
                number=new.number,
                issuer=new.issuer,
                valid_from=new.valid_from,
                valid_to=new.valid_to,
                status="valid",
                sealed_fields=self._vault.seal(canonical_json(dict(new.fields)), purpose=f"licence:{id_}"),
                application_no=new.application_no,
                sealed_document=self._vault.seal(document.pdf, purpose=f"document:{id_}") if document else None,
                document_sha256=document.sha256 if document else None,
                document_pages=document.pages if document else None,
                created_at=at,
            )
            .on_conflict_do_nothing(index_elements=["id"])
        )
        return id_

    @staticmethod
    def set_status(connection: Connection, number: str, status: LicenceStatus) -> bool:
        """Revoke, suspend or give back a licence; False if there is none of this number."""
        change = update(licences).where(licences.c.number == number).values(status=status)
        return connection.execute(change).rowcount > 0

    def licence(self, licence_id_: str) -> Licence | None:
        """One licence."""
        with self._store.read() as connection:
            row = connection.execute(select(licences).where(licences.c.id == licence_id_)).one_or_none()
        return None if row is None else self._licence(row._mapping)

    def licences(self, person: str) -> tuple[Licence, ...]:
        """Newest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(licences).where(licences.c.person == person).order_by(licences.c.created_at.desc())
            ).all()
        return tuple(self._licence(row._mapping) for row in rows)

    def document(self, licence_id_: str) -> bytes | None:
        """The sealed PDF of a licence, opened from the vault; None if it has none."""
        with self._store.read() as connection:
            sealed = connection.execute(
                select(licences.c.sealed_document).where(licences.c.id == licence_id_)
            ).scalar_one_or_none()
        return None if sealed is None else self._vault.open(sealed, purpose=f"document:{licence_id_}")

    def summary(self, licence: Licence, *, holder: str, today: str, paper: PaperName = "plain") -> LicenceSummary:
        """As the terminal sees it: the holder masked."""
        return LicenceSummary(
            id=licence.id,
            type_name=licence.type_name,
            number=licence.number,
            issuer=licence.issuer,
            holder=mask_name(holder),
            valid_from=licence.valid_from,
            valid_to=licence.valid_to,
            printable=bool(licence.document_sha256) and licence.status == "valid",
            usable=licence.usable(today),
            paper=paper,
            fields=dict(licence.fields),
        )

    def _licence(self, row: RowMapping) -> Licence:
        id_ = str(row["id"])
        sealed = row["sealed_fields"]
        assert isinstance(sealed, bytes)
        pages = row["document_pages"]
        return Licence(
            id=id_,
            person=str(row["person"]),
            type_name=str(row["type_name"]),
            number=str(row["number"]),
            issuer=str(row["issuer"]),
            valid_from=str(row["valid_from"]),
            valid_to=str(row["valid_to"]),
            status=str(row["status"]),
            fields=json.loads(self._vault.open(sealed, purpose=f"licence:{id_}")),
            application_no=str(row["application_no"] or ""),
            document_sha256=str(row["document_sha256"] or ""),
            document_pages=pages if isinstance(pages, int) else 0,
        )


@dataclass(frozen=True, slots=True)
class Document:
    """A finished, sealed PDF."""

    pdf: bytes = field(repr=False)
    sha256: str
    pages: int
