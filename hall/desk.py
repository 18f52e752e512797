"""What clerks read: cases as they arrive, one case with its papers, terminals. Reading papers is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import RowMapping, func, insert, select

from hall.cases.corrections import correct_by
from hall.cases.history import Event, history, projection, verify_chain
from hall.catalogue.bundles import Catalogue
from hall.store.blobs import Blobs
from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import cases, corrections, rejections, submissions, terminals, viewings
from hall.store.vault import Vault
from hall.trust.keys import HallKeys
from kiosk.contract.envelope import parse_envelope
from kiosk.contract.sealing import open_blob, open_session_key
from kiosk.contract.submission import AnswerRecord, MaterialUse, Submission
from kiosk.core.clock import Clock
from kiosk.core.item import Item, Question
from kiosk.core.masking import mask_id_number, mask_name

PAGE = 200
VIEWABLE = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
"""Media types that are shown, with the bytes such a file must begin with."""


class NotThere(LookupError):
    """No such case or paper."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list."""

    application_no: str
    kind: str
    item_code: str
    item_name: str
    holder: str
    """Masked."""
    state: str
    terminal_id: str
    terminal_name: str
    filed_at: datetime
    received_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer with where it came from."""

    label: str
    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One material."""

    id: str
    name: str
    source: str
    licence_id: str
    viewable: bool
    size: int


@dataclass(frozen=True, slots=True)
class CorrectionDetail:
    """补正: what came later for a case."""

    submission_id: str
    application_no: str
    sha256: str
    terminal_id: str
    filed_at: datetime
    received_at: datetime
    counts: bool
    """The case waited for it; else it only lies with it."""
    answers: tuple[AnswerLine, ...]
    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """Everything about a case."""

    row: CaseRow
    submission_id: str
    sha256: str
    id_number: str
    """Masked."""
    card: str
    message: str = field(repr=False)
    answers: tuple[AnswerLine, ...]
    papers: tuple[Paper, ...]
    events: tuple[Event, ...]
    chain_fault: str
    corrections: tuple[CorrectionDetail, ...]
    """Newest first."""
    correct_by: datetime | None
    """While a correction is wanted."""


class Desk:
    """The clerk's reading desk."""

    def __init__(
        self, *, store: Store, vault: Vault, keys: HallKeys, blobs: Blobs, catalogue: Catalogue, clock: Clock
    ) -> None:
        self._store = store
        self._vault = vault
        self._keys = keys
        self._blobs = blobs
        self._catalogue = catalogue
        self._clock = clock

    def cases(self, *, kind: str | None = None) -> tuple[CaseRow, ...]:
        """Newest first."""
        statement = (
            select(cases, terminals.c.name, terminals.c.site)
            .outerjoin(terminals, terminals.c.id == cases.c.terminal_id)
            .order_by(cases.c.received_at.desc(), cases.c.application_no.desc())
            .limit(PAGE)
        )
        if kind is not None:
            statement = statement.where(cases.c.kind == kind)
        with self._store.read() as connection:
            return tuple(self._row(row._mapping) for row in connection.execute(statement))

    def counts(self) -> dict[str, int]:
        """How many cases are in each state, and how many submissions were rejected."""
        with self._store.read() as connection:
            found = {
                row[0]: row[1]
                for row in connection.execute(select(cases.c.state, func.count()).group_by(cases.c.state))
            }
            found["rejected"] = connection.execute(select(func.count()).select_from(rejections)).scalar_one()
        return found

    def case(self, application_no: str, *, actor: str) -> CaseDetail:
        """One case; NotThere. The history is verified, and the reading is written down."""
        with self._store.read() as connection:
            row = connection.execute(
                select(cases, terminals.c.name, terminals.c.site, submissions.c.sha256)
                .join(submissions, submissions.c.id == cases.c.submission_id)
                .outerjoin(terminals, terminals.c.id == cases.c.terminal_id)
                .where(cases.c.application_no == application_no)
            ).one_or_none()
            if row is None:
                raise NotThere(application_no)
            fault = verify_chain(connection, self._vault, application_no)
            events = () if fault else history(connection, self._vault, application_no)
            until = correct_by(connection, application_no) if row.state == "correction_wanted" else None
            later = connection.execute(
                select(corrections, submissions.c.sha256)
                .join(submissions, submissions.c.id == corrections.c.submission_id)
                .where(corrections.c.case_no == application_no)
                .order_by(corrections.c.seq.desc())
            ).all()
        self._note_viewing(application_no, actor, "case")
        data = row._mapping
        submission = self._submission(data)
        item = self._catalogue.item(data["item_code"], data["item_version"])
        return CaseDetail(
            row=self._row(data),
            submission_id=data["submission_id"],
            sha256=data["sha256"],
            id_number=mask_id_number(submission.applicant.id_number),
            card=submission.applicant.card or "",
            message=projection(self._vault, row).message,
            answers=tuple(answer_lines(item, submission)),
            papers=tuple(map(_paper, submission.materials)),
            events=events,
            chain_fault=fault,
            corrections=tuple(self._correction(found._mapping) for found in later),
            correct_by=until,
        )

    def paper(self, application_no: str, material_id: str, *, actor: str, correction: str = "") -> tuple[bytes, str]:
        """The opened material and its media type; NotThere unless it is a picture that may be shown.

        `correction`: the submission id of the correction that it came with.
        """
        table = corrections if correction else cases
        wanted = [corrections.c.case_no == application_no, corrections.c.submission_id == correction]
        statement = (
            select(table, submissions.c.envelope)
            .join(submissions, submissions.c.id == table.c.submission_id)
            .where(*wanted if correction else [cases.c.application_no == application_no])
        )
        with self._store.read() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            raise NotThere(application_no)
        submission = self._submission(row._mapping)
        use = next((use for use in submission.materials if use.id == material_id), None)
        if use is None or use.blob is None or use.media_type not in VIEWABLE:
            raise NotThere(material_id)
        envelope = parse_envelope(row.envelope)
        key = open_session_key(envelope.header, self._keys.opening)
        data = open_blob(key, submission_id=submission.id, sealed=self._blobs.read(use.blob))
        if not data.startswith(VIEWABLE[use.media_type]):
            raise NotThere(material_id)
        self._note_viewing(application_no, actor, f"material:{material_id}{correction and f'@{correction}'}")
        return data, use.media_type

    def _correction(self, data: RowMapping) -> CorrectionDetail:
        submission = self._submission(data)
        item = self._catalogue.item(submission.item_code, submission.item_version)
        return CorrectionDetail(
            submission_id=data["submission_id"],
            application_no=data["application_no"],
            sha256=data["sha256"],
            terminal_id=data["terminal_id"],
            filed_at=from_ms(data["filed_at"]),
            received_at=from_ms(data["received_at"]),
            counts=bool(data["counts"]),
            answers=tuple(answer_lines(item, submission)),
            papers=tuple(map(_paper, submission.materials)),
        )

    def _row(self, data: RowMapping) -> CaseRow:
        return CaseRow(
            application_no=data["application_no"],
            kind=data["kind"],
            item_code=data["item_code"],
            item_name=data["item_name"],
            holder=mask_name(self._submission(data).applicant.name) or "未实名",
            state=data["state"],
            terminal_id=data["terminal_id"],
            terminal_name=f"{data['site']} {data['name']}" if data["site"] else "",
            filed_at=from_ms(data["filed_at"]),
            received_at=from_ms(data["received_at"]),
            due_at=from_ms(data["due_at"]) if data["due_at"] is not None else None,
        )

    def _submission(self, data: RowMapping) -> Submission:
        purpose = f"submission:{data['submission_id']}"
        return Submission.model_validate_json(self._vault.open(data["sealed_submission"], purpose=purpose))

    def _note_viewing(self, application_no: str, actor: str, what: str) -> None:
        at = to_ms(self._clock.now())
        self._store.write(
            lambda connection: connection.execute(
                insert(viewings).values(application_no=application_no, actor=actor, what=what, at=at)
            )
        )


def answer_lines(item: Item | None, submission: Submission) -> list[AnswerLine]:
    """Answers in the item's words and order."""
    questions = {} if item is None else {field.id: field for page in item.pages for field in page.fields}
    known = [name for name in questions if name in submission.answers]
    rest = [name for name in submission.answers if name not in questions]
    return [_answer_line(name, questions.get(name), submission.answers[name]) for name in known + rest]


def _answer_line(name: str, question: Question | None, record: AnswerRecord) -> AnswerLine:
    value: str
    said = {} if question is None else {option.v: option.t for option in question.options}
    match record.value:
        case bool():
            value = said.get("yes", "是") if record.value else said.get("no", "否")
        case None:
            value = ""
        case _:
            value = said.get(str(record.value), str(record.value))
    return AnswerLine(question.label if question else name, value, record.source)


def _paper(use: MaterialUse) -> Paper:
    return Paper(
        id=use.id,
        name=use.name,
        source=use.source,
        licence_id=use.licence_id,
        viewable=use.blob is not None and use.media_type in VIEWABLE,
        size=use.size,
    )
