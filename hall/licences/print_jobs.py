"""Print jobs: a document, for one person, on one terminal, signed so that nothing else gets printed (P49)."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select

from hall.store.schema import print_jobs
from kiosk.contract.person import PrintJob, print_job_signed_bytes
from kiosk.contract.signing import SigningKey
from kiosk.core.print_ledger import PaperName

_NAMESPACE = uuid.UUID("6d0b3f0a-3c0e-5d52-9a57-7a7f6a3f5c11")


@dataclass(frozen=True, slots=True)
class NewPrintJob:
    """A job about to be written."""

    request_id: str
    person: str
    terminal_id: str
    licence_id: str
    licence_number: str
    title: str
    sha256: str
    size: int
    pages: int


def insert_job(connection: Connection, job: NewPrintJob, *, signing: SigningKey, at: int, paper: PaperName) -> PrintJob:
    """Write it; its id follows from terminal and request."""
    job_id = str(uuid.uuid5(_NAMESPACE, f"{job.terminal_id}/{job.request_id}"))
    signature = base64.b64encode(signing.sign(print_job_signed_bytes(job_id, job.sha256))).decode()
    connection.execute(
        insert(print_jobs).values(
            id=job_id,
            request_id=job.request_id,
            person=job.person,
            terminal_id=job.terminal_id,
            licence_id=job.licence_id,
            licence_number=job.licence_number,
            title=job.title,
            sha256=job.sha256,
            size=job.size,
            pages=job.pages,
            signature=signature,
            created_at=at,
        )
    )
    row = connection.execute(select(print_jobs).where(print_jobs.c.id == job_id)).one()
    return read_job(row, signing=signing, paper=paper)


def read_job(row: Row[tuple[object, ...]], *, signing: SigningKey, paper: PaperName) -> PrintJob:
    """A stored job as the terminal gets it."""
    data = row._mapping
    return PrintJob(
        id=data["id"],
        title=data["title"],
        sha256=data["sha256"],
        size=data["size"],
        pages=data["pages"],
        licence_id=data["licence_id"],
        licence_number=data["licence_number"],
        paper=paper,
        key_id=signing.id,
        signature=data["signature"],
    )
