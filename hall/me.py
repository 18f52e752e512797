"""我的空间: one citizen's applications, licences and papers, for as long as her card proves that she is there."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, insert, select

from hall.cases.corrections import correct_by, filing_of
from hall.cases.history import case_state, projection
from hall.catalogue.bundles import Catalogue
from hall.intake.examination import proven
from hall.licences.papers import RECORD_OF_TEMPLATE, paper_of
from hall.licences.people import NewLicence, People, licence_id, today_in_china
from hall.licences.press import Press
from hall.licences.print_jobs import NewPrintJob, insert_job, read_job
from hall.problem import Refused
from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import cases, print_jobs, viewings
from hall.store.vault import PersonToken, Vault, VaultError
from kiosk.contract.person import (
    ApplicationSummary,
    FormerAnswers,
    IssueRequest,
    LicenceSummary,
    PersonSession,
    PersonSessionRequest,
    PrintJob,
    PrintJobRequest,
)
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import SigningKey
from kiosk.core.clock import Clock
from kiosk.core.item import Item
from kiosk.core.print_ledger import PaperName

_FRESH = timedelta(minutes=15)
"""A card reading older than this, or this far in the future, proves nothing."""


class MySpace:
    """Everything under /v1/me, and print jobs."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        people: People,
        catalogue: Catalogue,
        press: Press,
        signing: SigningKey,
        session_s: int,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._people = people
        self._catalogue = catalogue
        self._press = press
        self._signing = signing
        self._session = timedelta(seconds=session_s)
        self._clock = clock

    # --- session -------------------------------------------------------------------------------------------------

    def open(self, request: PersonSessionRequest, *, terminal_id: str) -> PersonSession:
        """A token for the card that lies on the reader; Refused."""
        proof, now = request.proof, self._clock.now()
        if proof.terminal_id != terminal_id:
            raise Refused(ProblemCode.FORBIDDEN)
        if not proven(proof):
            raise Refused(ProblemCode.MALFORMED, "no card was read", status=422)
        if abs(now - proof.read_at) > _FRESH:
            raise Refused(ProblemCode.PERSON_SESSION_EXPIRED)
        expires = now + self._session
        token = PersonToken(self._vault.index(proof.id_number), terminal_id, int(expires.timestamp()))
        return PersonSession(token=self._vault.person_token(token), expires_at=expires)

    def person(self, token: str, *, terminal_id: str) -> str:
        """Who a token stands for; Refused if it is old, or was given to another terminal."""
        try:
            opened = self._vault.open_person_token(token, now=self._clock.now())
        except VaultError:
            raise Refused(ProblemCode.PERSON_SESSION_EXPIRED) from None
        if opened.terminal_id != terminal_id:
            raise Refused(ProblemCode.FORBIDDEN)
        return opened.person

    # --- what is there -------------------------------------------------------------------------------------------

    def applications(self, person: str) -> tuple[ApplicationSummary, ...]:
        """Newest first."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(cases).where(cases.c.person == person).order_by(cases.c.received_at.desc())
            ).all()
            until = {
                row.application_no: correct_by(connection, row.application_no)
                for row in rows
                if row.state == "correction_wanted"
            }
        return tuple(self._application(row, until.get(row.application_no)) for row in rows)

    def former_answers(self, application_no: str, *, person: str, terminal_id: str) -> FormerAnswers:
        """What she answered in a case of hers that wants a correction; written down as a reading. Refused."""
        at = to_ms(self._clock.now())
        with self._store.read() as connection:
            case = connection.execute(select(cases).where(cases.c.application_no == application_no)).one_or_none()
            if case is None or case.person != person or case.state != "correction_wanted":
                raise Refused(ProblemCode.NOT_FOUND)
            filing = filing_of(connection, case)
        submission = filing.opened(self._vault)
        self._store.write(
            lambda connection: connection.execute(
                insert(viewings).values(
                    application_no=application_no, actor=f"citizen:{terminal_id}", what="answers", at=at
                )
            )
        )
        return FormerAnswers(
            application_no=application_no,
            item_code=submission.item_code,
            item_version=submission.item_version,
            answers={name: record.value for name, record in submission.answers.items()},
        )

    def _application(self, row: Row[tuple[object, ...]], until: datetime | None) -> ApplicationSummary:
        now, data = projection(self._vault, row), row._mapping
        return ApplicationSummary(
            application_no=data["application_no"],
            item_code=data["item_code"],
            item_name=data["item_name"],
            state=case_state(now.state),
            received_at=from_ms(data["received_at"]),
            due_at=from_ms(data["due_at"]) if data["due_at"] is not None else None,
            message=now.message,
            licence_id=now.licence_id,
            correct_by=until,
        )

    def licences(self, person: str) -> tuple[LicenceSummary, ...]:
        """Newest first."""
        facts = self._people.facts(person)
        today = today_in_china(self._clock.now())
        return tuple(
            self._people.summary(
                licence, holder=facts.name if facts else "", today=today, paper=self._paper(licence.type_name)
            )
            for licence in self._people.licences(person)
        )

    # --- paper ---------------------------------------------------------------------------------------------------

    def issue(self, request: IssueRequest, *, person: str, terminal_id: str) -> PrintJob:
        """An at-once certificate; the same request again gives the same one. Refused."""
        if (known := self._job_of(request.request_id, person=person, terminal_id=terminal_id)) is not None:
            return known
        item = self._catalogue.item(request.item_code, request.item_version)
        if item is None or item.kind != "certificate":
            raise Refused(ProblemCode.ITEM_UNKNOWN)
        template, title = next(((result.template, result.name) for result in item.results if result.template), ("", ""))
        record = self._people.record(person, RECORD_OF_TEMPLATE.get(template, template))
        holder = self._people.facts(person)
        if holder is None or record is None or not template:
            raise Refused(ProblemCode.NOT_ELIGIBLE)
        now = self._clock.now()
        licence = self._certificate(item, record, now)
        paper = paper_of(item, template=template, title=title, licence=licence, holder=holder)
        document = self._press.make(paper, now=now)

        def write(connection: Connection) -> PrintJob:
            known = self._job_row(connection, request.request_id, person=person, terminal_id=terminal_id)
            if known is not None:
                return known
            self._people.grant(connection, person, licence, document=document, at=to_ms(now))
            job = NewPrintJob(
                request_id=request.request_id,
                person=person,
                terminal_id=terminal_id,
                licence_id=licence_id(person, licence.type_name, licence.number),
                licence_number=licence.number,
                title=licence.type_name,
                sha256=document.sha256,
                size=len(document.pdf),
                pages=document.pages,
            )
            return insert_job(connection, job, signing=self._signing, at=to_ms(now), paper=self._paper(job.title))

        return self._store.write(write)

    def print_licence(self, request: PrintJobRequest, *, person: str, terminal_id: str) -> PrintJob:
        """A held licence as a print job; the same request again gives the same job. Refused."""
        if (known := self._job_of(request.request_id, person=person, terminal_id=terminal_id)) is not None:
            return known
        licence = self._people.licence(request.licence_id)
        if licence is None or licence.person != person or licence.status != "valid":
            raise Refused(ProblemCode.NOT_FOUND)
        pdf = self._people.document(licence.id)
        if pdf is None:
            raise Refused(ProblemCode.NOT_FOUND, "this licence has no printable form")
        job = NewPrintJob(
            request_id=request.request_id,
            person=person,
            terminal_id=terminal_id,
            licence_id=licence.id,
            licence_number=licence.number,
            title=licence.type_name,
            sha256=licence.document_sha256,
            size=len(pdf),
            pages=licence.document_pages,
        )
        at = to_ms(self._clock.now())
        return self._store.write(
            lambda connection: (
                self._job_row(connection, request.request_id, person=person, terminal_id=terminal_id)
                or insert_job(connection, job, signing=self._signing, at=at, paper=self._paper(job.title))
            )
        )

    def document(self, job_id: str, *, terminal_id: str) -> bytes:
        """The PDF of a print job of this terminal; Refused."""
        job = self._own_job(job_id, terminal_id)
        pdf = self._people.document(job.licence_id)
        if pdf is None:
            raise Refused(ProblemCode.NOT_FOUND)
        return pdf

    def job(self, job_id: str, *, person: str, terminal_id: str) -> PrintJob:
        """An earlier print job of this person at this terminal; Refused."""
        with self._store.read() as connection:
            row = connection.execute(
                select(print_jobs).where(print_jobs.c.id == job_id, print_jobs.c.terminal_id == terminal_id)
            ).one_or_none()
        if row is None or row.person != person:
            raise Refused(ProblemCode.NOT_FOUND)
        return self._read(row)

    def _own_job(self, job_id: str, terminal_id: str) -> PrintJob:
        with self._store.read() as connection:
            row = connection.execute(
                select(print_jobs).where(print_jobs.c.id == job_id, print_jobs.c.terminal_id == terminal_id)
            ).one_or_none()
        if row is None:
            raise Refused(ProblemCode.NOT_FOUND)
        return self._read(row)

    def _read(self, row: Row[tuple[object, ...]]) -> PrintJob:
        return read_job(row, signing=self._signing, paper=self._paper(row._mapping["title"]))

    def _paper(self, type_name: str) -> PaperName:
        return self._catalogue.paper_of(type_name)

    def _certificate(self, item: Item, record: dict[str, str], now: datetime) -> NewLicence:
        today = today_in_china(now)
        prefix = f"CB{item.code[:6]}{today[:4]}"
        return NewLicence(
            type_name=item.name,
            number=self._store.write(lambda connection: self._people.next_number(connection, prefix)),
            issuer=item.department,
            valid_from=today,
            valid_to="",
            fields=record,
        )

    def _job_of(self, request_id: str, *, person: str, terminal_id: str) -> PrintJob | None:
        with self._store.read() as connection:
            return self._job_row(connection, request_id, person=person, terminal_id=terminal_id)

    def _job_row(self, connection: Connection, request_id: str, *, person: str, terminal_id: str) -> PrintJob | None:
        row = connection.execute(
            select(print_jobs).where(print_jobs.c.request_id == request_id, print_jobs.c.terminal_id == terminal_id)
        ).one_or_none()
        if row is None:
            return None
        if row.person != person:
            raise Refused(ProblemCode.CONFLICT)
        return self._read(row)
