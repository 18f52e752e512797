"""Tables. Instants are whole milliseconds since 1970 UTC; `sealed_*` columns open with `hall.store.vault` only."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

metadata = MetaData()
SCHEMA_VERSION = 1

submissions = Table(
    "submissions",
    metadata,
    Column("id", String, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("terminal_id", String, nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
)
"""What the hall signed for: the exact bytes, for ever."""

rejections = Table(
    "rejections",
    metadata,
    Column("id", String, primary_key=True),
    Column("sha256", String, primary_key=True),
    Column("terminal_id", String, nullable=False),
    Column("code", String, nullable=False),
    Column("at", Integer, nullable=False),
)
"""What the hall refused; the terminal has parked it and a clerk should look."""

cases = Table(
    "cases",
    metadata,
    Column("application_no", String, primary_key=True),
    Column("submission_id", String, ForeignKey("submissions.id"), nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("item_code", String, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("item_name", String, nullable=False),
    Column("terminal_id", String, nullable=False),
    Column("person", String),
    Column("sealed_submission", LargeBinary, nullable=False),
    Column("filed_at", Integer, nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("due_at", Integer),
    Column("state", String, nullable=False),
    Column("sealed_message", LargeBinary),
    Column("licence_id", String),
    Column("events", Integer, nullable=False),
    Column("head", String, nullable=False),
    Index("cases_by_person", "person", "received_at"),
    Index("cases_by_arrival", "received_at"),
)
"""办件 and 12345 tickets. `state`, `sealed_message` and `licence_id` repeat the fold of the events for reading."""

events = Table(
    "events",
    metadata,
    Column("application_no", String, ForeignKey("cases.application_no"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("actor", String, nullable=False),
    Column("type", String, nullable=False),
    Column("state", String, nullable=False),
    Column("sealed_data", LargeBinary, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)
"""Append-only history of each case, a hash chain."""

corrections = Table(
    "corrections",
    metadata,
    Column("submission_id", String, ForeignKey("submissions.id"), primary_key=True),
    Column("application_no", String, nullable=False, unique=True),
    Column("case_no", String, ForeignKey("cases.application_no"), nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("sealed_submission", LargeBinary, nullable=False),
    Column("terminal_id", String, nullable=False),
    Column("filed_at", Integer, nullable=False),
    Column("received_at", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("counts", Integer, nullable=False),
    Index("corrections_by_case", "case_no", "seq"),
)
"""补正材料 that came for a case, with the number of the event that says so. `counts`: 1 if the case waited for it, 0 if
it only lies with the case."""

correction_calls = Table(
    "correction_calls",
    metadata,
    Column("case_no", String, ForeignKey("cases.application_no"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("due_at", Integer, nullable=False),
)
"""补正告知: until when, for each event that asks for a correction."""

awaited_cases = Table(
    "awaited_cases",
    metadata,
    Column("submission_id", String, primary_key=True),
    Column("since", Integer, nullable=False),
)
"""Corrections that overtook what they correct, with the instant at which the hall first saw them."""

returns = Table(
    "returns",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("case_no", String, ForeignKey("cases.application_no"), nullable=False),
    Column("submission_id", String, ForeignKey("submissions.id"), nullable=False),
    Column("terminal_id", String, nullable=False),
    Column("code", String, nullable=False),
    Index("returns_by_terminal", "terminal_id", "seq"),
    Index("returns_by_case", "case_no", "seq"),
)
"""What a terminal is to know of filings that it brought: `code` says what came back for correction, an empty one that
this is over. Numbers only grow: a terminal that knows one knows all before it."""

persons = Table(
    "persons",
    metadata,
    Column("id", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Integer, nullable=False),
)
"""`id` is the blind index of the identity number."""

records = Table(
    "records",
    metadata,
    Column("person", String, ForeignKey("persons.id"), primary_key=True),
    Column("type", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
"""What departments know of a person: one record a type, such as `social_insurance`."""

licences = Table(
    "licences",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, ForeignKey("persons.id"), nullable=False),
    Column("type_name", String, nullable=False),
    Column("number", String, nullable=False, unique=True),
    Column("issuer", String, nullable=False),
    Column("valid_from", String, nullable=False),
    Column("valid_to", String, nullable=False),
    Column("status", String, nullable=False),
    Column("sealed_fields", LargeBinary, nullable=False),
    Column("application_no", String),
    Column("sealed_document", LargeBinary),
    Column("document_sha256", String),
    Column("document_pages", Integer),
    Column("created_at", Integer, nullable=False),
    Index("licences_by_person", "person", "created_at"),
)
"""证照. `status`: valid, suspended, revoked."""

licence_uses = Table(
    "licence_uses",
    metadata,
    Column("licence_id", String, primary_key=True),
    Column("application_no", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("at", Integer, nullable=False),
)
"""The citizen's yes to each reuse."""

print_jobs = Table(
    "print_jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("request_id", String, nullable=False),
    Column("person", String, nullable=False),
    Column("terminal_id", String, nullable=False),
    Column("licence_id", String, ForeignKey("licences.id"), nullable=False),
    Column("licence_number", String, nullable=False),
    Column("title", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("signature", String, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("outcome", String),
    Column("outcome_pages", Integer),
    Column("fault", String),
    Column("outcome_at", Integer),
    UniqueConstraint("terminal_id", "request_id"),
)

print_papers = Table(
    "print_papers",
    metadata,
    Column("job_id", String, ForeignKey("print_jobs.id"), primary_key=True),
    Column("number", String, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("outcome", String, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("fault", String, nullable=False),
    Column("serial", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("heard_at", Integer, nullable=False),
)
"""Every paper that a terminal printed, or tried to. `outcome`: proven, failed, unknown, void; `serial` of the numbered
sheet, `reason` why it does not count. The job's own `outcome` sums them up."""

terminals = Table(
    "terminals",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("site", String, nullable=False),
    Column("address", String, nullable=False),
    Column("open", String, nullable=False),
    Column("devices", String, nullable=False),
    Column("enrolled_at", Integer),
    Column("revoked_at", Integer),
)

certificates = Table(
    "certificates",
    metadata,
    Column("serial", String, primary_key=True),
    Column("terminal_id", String, ForeignKey("terminals.id"), nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("revoked_at", Integer),
)

terminal_keys = Table(
    "terminal_signing_keys",
    metadata,
    Column("terminal_id", String, ForeignKey("terminals.id"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("public", LargeBinary, nullable=False),
    Column("at", Integer, nullable=False),
)
"""Old ones stay: what was queued under them must still verify. Short ids of two terminals may be alike."""

enrol_tickets = Table(
    "enrol_tickets",
    metadata,
    Column("id", String, primary_key=True),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("terminal_id", String, ForeignKey("terminals.id"), nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("used_by", String),
    Column("response", LargeBinary),
)
"""`used_by`: SHA-256 over TLS key and signing key of the one terminal that spent it."""

replacements = Table(
    "replacements",
    metadata,
    Column("ticket_id", String, ForeignKey("enrol_tickets.id"), primary_key=True),
    Column("terminal_id", String, ForeignKey("terminals.id"), nullable=False),
    Column("successor", String, nullable=False),
    Column("at", Integer),
    Column("until", Integer),
    Index("replacements_by_terminal", "terminal_id"),
)
"""终端更换: planned with the ticket, `at` when it was spent. What `terminal_id` signed before `until`, or else before
it was revoked, still counts and its successor may bring it."""

media_imports = Table(
    "media_imports",
    metadata,
    Column("terminal_id", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Integer, nullable=False),
    Column("actor", String, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("known", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("left", Integer, nullable=False),
)
"""Sticks that were read here; the latest reading of each file counts."""

second_chances = Table(
    "second_chances",
    metadata,
    Column("submission_id", String, primary_key=True),
    Column("terminal_id", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("asked_at", Integer, nullable=False),
    Index("second_chances_by_terminal", "terminal_id", "asked_at"),
)
"""What was refused and is asked for again, and why."""

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("terminal_id", String, primary_key=True),
    Column("received_at", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

journal_chains = Table(
    "journal_chains",
    metadata,
    Column("terminal_id", String, ForeignKey("terminals.id"), primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("reason", String, nullable=False),
    Column("first_seq", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", String, nullable=False),
    Column("signed_seq", Integer, nullable=False),
    Column("signed_at", Integer, nullable=False),
    Column("signed_heard_at", Integer, nullable=False),
    Column("begun_at", Integer, nullable=False),
    Column("heard_at", Integer, nullable=False),
)
"""The terminals' journals (流水): every epoch with the last record that the hall holds. `signed_at` is the terminal's
own clock, all other instants the hall's."""

journal_records = Table(
    "journal_records",
    metadata,
    Column("terminal_id", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("hash", String, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

journal_flags = Table(
    "journal_flags",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("terminal_id", String, ForeignKey("terminals.id"), nullable=False),
    Column("epoch", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", Integer, nullable=False),
    Column("acknowledged_at", Integer),
    Column("acknowledged_by", String),
    Index("journal_flags_open", "terminal_id", "kind"),
)
"""What does not fit in a terminal's journal; open until a clerk takes note."""

help_calls = Table(
    "help_calls",
    metadata,
    Column("terminal_id", String, ForeignKey("terminals.id"), primary_key=True),
    Column("called_at", Integer, primary_key=True),
    Column("heard_at", Integer, nullable=False),
    Column("acknowledged_at", Integer),
    Column("acknowledged_by", String),
)
"""Calls for help (呼叫帮助); an open one stays open until a clerk takes note, whatever becomes of the terminal."""

bundles = Table(
    "bundles",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("published_at", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
)

item_versions = Table(
    "item_versions",
    metadata,
    Column("code", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("sha256", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
"""Every item version ever published, canonical JSON; a version never changes."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("due_at", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_until", Integer, nullable=False),
    Column("done_at", Integer),
    Column("last_error", String),
    UniqueConstraint("kind", "subject"),
    # What is done stays: without this each look for the next job would read all that ever were.
    Index("jobs_open", "due_at", sqlite_where=text("done_at is null")),
)
"""Work that must happen because of a change, written in the same transaction as the change."""

serials = Table(
    "serials",
    metadata,
    Column("name", String, primary_key=True),
    Column("last", Integer, nullable=False),
)

used_links = Table(
    "used_links",
    metadata,
    Column("digest", String, primary_key=True),
    Column("at", Integer, nullable=False),
)
"""Sign-in links of staff that have been spent."""

viewings = Table(
    "viewings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("application_no", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("what", String, nullable=False),
    Column("at", Integer, nullable=False),
)
"""Who looked at whose papers, and when."""

TAKEN_OVER = {
    "terminal_keys": (
        "INSERT OR IGNORE INTO terminal_signing_keys (terminal_id, id, public, at)"
        " SELECT terminal_id, id, public, at FROM terminal_keys"
    )
}
"""What goes on in another table, by the name of the one that an older program kept it in."""
