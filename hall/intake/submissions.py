"""收件: what terminals hand in. One transaction makes a submission and its effect, once; or nothing happened.

The same id with the same bytes gets the same receipt, byte for byte, for ever; the same id with other bytes is refused
and nothing is overwritten. Until everything a submission needs is here and can be read, it is not accepted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, insert

from hall.cases.corrections import Corrections
from hall.cases.filings import Opened, Refusal, conflict, known, note_licence_uses, number_is_used, refuse, sign_for
from hall.cases.history import first_event, insert_event
from hall.catalogue.bundles import Catalogue
from hall.intake.examination import examine
from hall.licences.people import People, PersonFacts
from hall.problem import Refused
from hall.store.blobs import Blobs
from hall.store.database import Store
from hall.store.jobs import enqueue
from hall.store.moments import believed, due, to_ms
from hall.store.schema import cases
from hall.store.vault import Vault
from hall.terminals.registry import Terminals
from hall.terminals.successions import Successions
from hall.trust.keys import HallKeys
from kiosk.contract.bundle import Calendar
from kiosk.contract.envelope import MAX_ENVELOPE_BYTES, Envelope, EnvelopeError, parse_envelope
from kiosk.contract.problems import ProblemCode
from kiosk.contract.sealing import SealingError, UnknownSealingKey, open_blob, open_envelope, open_session_key
from kiosk.contract.signing import SignatureError, verify_envelope
from kiosk.contract.submission import Submission
from kiosk.contract.sync import AnnounceItem, Verdict
from kiosk.contract.wire import canonical_json
from kiosk.core.clock import Clock

MAX_ANNOUNCED = 64


# Made once: building a statement costs more than running it.
_INSERT_CASE = insert(cases)


class _Rejected(Exception):
    """Final; the terminal parks it."""

    def __init__(self, code: ProblemCode) -> None:
        super().__init__(code.value)
        self.code = code


class Intake:
    """The hall's letter box."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        keys: HallKeys,
        blobs: Blobs,
        catalogue: Catalogue,
        terminals: Terminals,
        people: People,
        corrections: Corrections,
        region: str,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._keys = keys
        self._blobs = blobs
        self._catalogue = catalogue
        self._terminals = terminals
        self._successions = Successions(store)
        self._people = people
        self._corrections = corrections
        self._region = region
        self._clock = clock

    def announce(self, items: Iterable[AnnounceItem]) -> tuple[Verdict, ...]:
        """One verdict an item, same order."""
        with self._store.read() as connection:
            return tuple(
                known(connection, item.id, item.sha256)
                or Verdict(id=item.id, status="wanted", missing=self._blobs.missing(item.blobs))
                for item in items
            )

    def submit(self, raw: bytes, *, terminal_id: str) -> Verdict:
        """Take one envelope; Refused if these bytes are no envelope at all, StoreBusy if it cannot be kept now."""
        try:
            envelope = parse_envelope(raw)
        except EnvelopeError as error:
            code = ProblemCode.TOO_LARGE if len(raw) > MAX_ENVELOPE_BYTES else ProblemCode.MALFORMED
            raise Refused(code, str(error), status=422 if code is ProblemCode.MALFORMED else None) from None
        sha256 = hashlib.sha256(raw).hexdigest()
        with self._store.read() as connection:
            if (before := known(connection, envelope.header.id, sha256)) is not None:
                return before
        looked = self._look_into(envelope, raw, sha256, terminal_id, self._terminals.signing_keys(terminal_id))
        if isinstance(looked, Verdict):
            return looked
        now, calendar = self._clock.now(), self._catalogue.calendar()
        return self._store.write(lambda connection: self._settle(connection, looked, terminal_id, now, calendar))

    def submit_batch(self, raws: Sequence[bytes], *, terminal_id: str) -> tuple[Verdict | None, ...]:
        """Take many envelopes in one commit, one verdict each in the same order; StoreBusy: nothing was kept.

        None: no envelope. What goes wrong with one is nobody else's: only the unforeseen refuses the batch as a whole,
        and then the terminal halves it until the bad one stands alone.
        """
        parsed = [_parsed(raw) for raw in raws]
        with self._store.read() as connection:
            settled: list[Verdict | None] = [
                None if found is None else known(connection, found.header.id, found.sha256) for found in parsed
            ]
        keys = self._terminals.signing_keys(terminal_id)
        may_bring = self._may_bring_its_own(parsed, terminal_id)
        looked: dict[int, Opened | Refusal] = {}
        for place, (envelope, raw) in enumerate(zip(parsed, raws, strict=True)):
            if envelope is None or settled[place] is not None:
                continue
            match self._look_into(envelope, raw, envelope.sha256, terminal_id, keys, may_bring_its_own=may_bring):
                case Verdict() as verdict:
                    settled[place] = verdict
                case found:
                    looked[place] = found
        now, calendar = self._clock.now(), self._catalogue.calendar()

        def write(connection: Connection) -> dict[int, Verdict]:
            return {
                place: self._settle(connection, found, terminal_id, now, calendar) for place, found in looked.items()
            }

        for place, verdict in (self._store.write(write) if looked else {}).items():
            settled[place] = verdict
        return tuple(settled)

    def _may_bring_its_own(self, envelopes: Iterable[Envelope | None], terminal_id: str) -> bool:
        """Asked once a batch: if the newest one counts, all of this terminal's own do."""
        made = [one.header.created_at for one in envelopes if one is not None and one.header.terminal_id == terminal_id]
        if not made:
            return False
        return self._successions.counts(signed_for=terminal_id, brought_by=terminal_id, created_at=max(made))

    def _look_into(
        self,
        envelope: Envelope,
        raw: bytes,
        sha256: str,
        terminal_id: str,
        keys: dict[str, bytes],
        *,
        may_bring_its_own: bool = False,
    ) -> Opened | Refusal | Verdict:
        """Everything that can be said of an envelope before the writer gets it."""
        try:
            if not (may_bring_its_own and envelope.header.terminal_id == terminal_id):
                self._check_succession(envelope, terminal_id)
            self._authenticate(envelope, terminal_id, keys)
            if missing := self._blobs.missing(envelope.header.blobs):
                return Verdict(id=envelope.header.id, status="wanted", missing=missing)
            return self._open(envelope, raw, sha256)
        except _Rejected as rejected:
            return Refusal(envelope.header.id, sha256, rejected.code)

    def _settle(
        self, connection: Connection, looked: Opened | Refusal, terminal_id: str, now: datetime, calendar: Calendar
    ) -> Verdict:
        """On the writer: accepted, or the refusal noted."""
        match looked:
            case Refusal():
                return refuse(connection, looked, terminal_id=terminal_id, at=to_ms(now))
            case Opened(submission=submission):
                if (before := known(connection, submission.id, looked.sha256)) is not None:
                    return before
                if submission.corrects:
                    return self._correct(connection, looked, terminal_id, now, calendar)
                return self._accept(connection, looked, terminal_id, now, calendar)

    def _check_succession(self, envelope: Envelope, terminal_id: str) -> None:
        header = envelope.header
        if not self._successions.counts(
            signed_for=header.terminal_id, brought_by=terminal_id, created_at=header.created_at
        ):
            raise _Rejected(ProblemCode.FORBIDDEN)

    def _authenticate(self, envelope: Envelope, terminal_id: str, keys: dict[str, bytes]) -> None:
        signed_for = envelope.header.terminal_id
        if signed_for != terminal_id:  # the queue of the terminal that this one replaces
            keys = self._terminals.signing_keys(signed_for)
        if envelope.header.signing_key not in keys:
            raise _Rejected(ProblemCode.UNKNOWN_KEY)
        try:
            verify_envelope(envelope, keys)
        except SignatureError:
            raise _Rejected(ProblemCode.BAD_SIGNATURE) from None

    def _open(self, envelope: Envelope, raw: bytes, sha256: str) -> Opened:
        """Everything is opened before it is accepted: after the receipt the terminal forgets its copy."""
        try:
            session_key = open_session_key(envelope.header, self._keys.opening)
            submission = open_envelope(envelope, session_key)
            self._open_materials(envelope, submission, session_key)
        except UnknownSealingKey:
            raise _Rejected(ProblemCode.UNKNOWN_KEY) from None
        except SealingError:
            raise _Rejected(ProblemCode.CANNOT_OPEN) from None
        item = self._catalogue.item(submission.item_code, submission.item_version)
        if item is None:
            raise _Rejected(ProblemCode.ITEM_UNKNOWN)
        if (fault := examine(item, submission, region=self._region)) is not None:
            raise _Rejected(fault)
        return Opened(envelope, raw, sha256, submission, item)

    def _open_materials(self, envelope: Envelope, submission: Submission, session_key: bytes) -> None:
        used = {material.blob: material for material in submission.materials if material.blob is not None}
        if set(used) != {blob.sha256 for blob in envelope.header.blobs}:
            raise _Rejected(ProblemCode.ANSWERS_INVALID)
        for sha256, material in used.items():
            plain = open_blob(session_key, submission_id=submission.id, sealed=self._blobs.read(sha256))
            if hashlib.sha256(plain).hexdigest() != material.original_sha256:
                raise _Rejected(ProblemCode.HASH_MISMATCH)

    def _correct(
        self, connection: Connection, opened: Opened, terminal_id: str, now: datetime, calendar: Calendar
    ) -> Verdict:
        person = self._vault.index(opened.submission.applicant.id_number)
        return self._corrections.take(
            connection, opened, person=person, terminal_id=terminal_id, now=now, calendar=calendar
        )

    def _accept(
        self, connection: Connection, opened: Opened, terminal_id: str, now: datetime, calendar: Calendar
    ) -> Verdict:
        """On the writer: the submission, its case, its first event and the work that follows, all or nothing."""
        submission, item, at = opened.submission, opened.item, to_ms(now)
        number = submission.application_no
        if number_is_used(connection, number):
            return conflict(connection, opened, terminal_id=terminal_id, at=at)
        verdict = sign_for(connection, opened, keys=self._keys, now=now)
        event = first_event(
            self._vault, number, sha256=opened.sha256, at=at, actor=f"terminal:{submission.terminal_id}"
        )
        sealed = self._vault.seal(canonical_json(submission), purpose=f"submission:{submission.id}")
        connection.execute(
            _INSERT_CASE,
            {
                "application_no": number,
                "submission_id": submission.id,
                "kind": item.kind,
                "item_code": item.code,
                "item_version": item.version,
                "item_name": item.name,
                "terminal_id": submission.terminal_id,
                "person": self._person(connection, submission, at),
                "sealed_submission": sealed,
                "filed_at": believed(submission.created_at, now),
                "received_at": at,
                "due_at": to_ms(due(now, item.limits.promised, calendar)) if item.limits else None,
                "state": event.type.value,
                "events": 1,
                "head": event.hash,
            },
        )
        insert_event(connection, self._vault, number, event, state=event.type.value)
        note_licence_uses(connection, submission, case_no=number)
        enqueue(connection, "department.accept", number)
        return verdict

    def _person(self, connection: Connection, submission: Submission, at: int) -> str | None:
        who = submission.applicant
        if who.method != "id_card":
            return None
        return self._people.keep(connection, PersonFacts(name=who.name, id_number=who.id_number), at=at)


def _parsed(raw: bytes) -> Envelope | None:
    try:
        return parse_envelope(raw)
    except EnvelopeError:
        return None
