"""The store's schema, step by step; each migration is one transaction, and `user_version` counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from offline_queue.disk.contents import PLACES

if TYPE_CHECKING:
    from sqlite_utils import Database


def _first(db: Database) -> None:
    """Submissions, the blobs that they need, and the day's counters. Instants are Unix seconds, UTC."""
    db.table("submissions").create(
        {
            "seq": int,
            "id": str,
            "application_no": str,
            "sha256": str,
            "envelope": bytes,
            "size": int,
            "state": str,
            "attempts": int,
            "next_at": int,
            "last_code": str,
            "created_at": int,
            "accepted_at": int,
            "receipt": bytes,
            "card_tag": bytes,
            "slip": bytes,
            "receipt_state": str,
        },
        pk="seq",
        not_null={"id", "application_no", "sha256", "size", "state", "attempts", "created_at", "receipt_state"},
        strict=True,
    )
    db.table("submissions").create_index(["id"], unique=True)
    db.table("submissions").create_index(["application_no"], unique=True)
    # Partial indexes: finding work stays quick when a long history of accepted rows lies in the table.
    db.execute("create index submissions_unsent on submissions (seq) where state = 'sealed'")
    db.execute("create index submissions_parked on submissions (seq) where state = 'parked'")
    db.execute("create index submissions_tag on submissions (card_tag) where card_tag is not null")
    db.table("blobs").create(
        {"seq": int, "position": int, "sha256": str, "size": int},
        pk=("seq", "position"),
        not_null={"sha256", "size"},
        foreign_keys=[("seq", "submissions", "seq")],
        strict=True,
    )
    db.table("blobs").create_index(["sha256"])
    db.table("counters").create({"day": str, "serial": int}, pk="day", not_null={"serial"}, strict=True)


def _second(db: Database) -> None:
    """The print ledger: what was known of receipts moves into it, pages and numbered sheets come new."""
    db.table("prints").create(
        {
            "job": str,
            "kind": str,
            "pages": int,
            "hall_job": str,
            "card_tag": bytes,
            "state": str,
            "attempt": str,
            "numbered": int,
            "serial": str,
            "fault": str,
            "reason": str,
            "denied": int,
            "replaces": str,
            "tries": int,
            "created_at": int,
            "changed_at": int,
            "sent_at": int,
        },
        pk="job",
        not_null={"kind", "pages", "hall_job", "state", "numbered", "denied", "tries", "created_at", "changed_at"},
        strict=True,
    )
    db.execute("create index prints_tag on prints (card_tag) where card_tag is not null")
    db.execute("create index prints_hall on prints (hall_job) where hall_job != ''")
    open_pages = "kind = 'page' and state in ('intended', 'sent', 'unknown')"
    db.execute(f"create index prints_open on prints (created_at) where {open_pages}")
    db.execute(
        "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries, created_at,"
        " changed_at) select id, 'receipt', 1, '', nullif(card_tag, x''), case receipt_state when 'started' then 'sent'"
        " when 'proven' then 'proven' else 'intended' end, 0, 0, 1, created_at, created_at from submissions"
    )
    db.execute("drop index submissions_tag")
    db.execute("alter table submissions drop column receipt_state")
    db.execute("alter table submissions drop column card_tag")
    db.table("sheets").create(
        {"position": int, "serial": str, "state": str, "job": str, "reason": str, "changed_at": int},
        pk="position",
        not_null={"serial", "state", "changed_at"},
        strict=True,
    )
    db.table("sheets").create_index(["serial"], unique=True)
    db.execute("create index sheets_stock on sheets (position) where state in ('stock', 'taken')")
    # What the hall must hear, in the order in which it happened; a row goes when the hall has confirmed it.
    db.table("outcomes").create(
        {
            "seq": int,
            "hall_job": str,
            "job": str,
            "try": int,
            "outcome": str,
            "pages": int,
            "fault": str,
            "serial": str,
            "reason": str,
            "at": int,
            "refused": str,
        },
        pk="seq",
        not_null={"hall_job", "job", "try", "outcome", "pages", "fault", "serial", "reason", "at"},
        strict=True,
    )


def _journal(db: Database) -> None:
    """The end of the journal (流水); what is older lies in files. What is in the queue already is journalled anew."""
    db.table("journal").create(
        {"seq": int, "body": bytes, "hash": bytes}, pk="seq", not_null={"body", "hash"}, strict=True
    )
    db.table("journal_state").create(
        {
            "id": int,
            "epoch": bytes,
            "seq": int,
            "hash": bytes,
            "cut_epoch": bytes,
            "cut_seq": int,
            "cut_hash": bytes,
            "files": int,
            "checkpointed": int,
            "told": int,
            "puts": int,
        },
        pk="id",
        not_null={"epoch", "seq", "hash", "cut_epoch", "cut_seq", "cut_hash", "files", "checkpointed", "told", "puts"},
        strict=True,
    )
    # A submission is journalled after its row is durable, by its seq; numbers come back when the last row goes.
    db.execute(
        "create trigger journal_puts after delete on submissions"
        " when old.seq > (select coalesce(max(seq), 0) from submissions) begin"
        " update journal_state set puts = min(puts, (select coalesce(max(seq), 0) from submissions)); end"
    )


def _inbox(db: Database) -> None:
    """Where a filing comes to lie first; no index, no uniqueness: whoever adds has looked. Envelopes last, for they
    run over the page's end."""
    db.table("inbox").create(
        {
            "seq": int,
            "id": str,
            "application_no": str,
            "sha256": str,
            "created_at": int,
            "card_tag": bytes,
            "slip": bytes,
            "blobs": str,
            "envelope": bytes,
        },
        pk="seq",
        not_null={"id", "application_no", "sha256", "created_at", "envelope"},
        strict=True,
    )


def _contents(db: Database) -> None:
    """What is sealed lies in a table of its own, written once (`contents`); receipts and slips too, so that no row of
    `submissions` grows and what is forgotten frees whole pages."""
    db.table("contents").create(
        {
            "place": int,
            "taken": int,
            "seq": int,
            "id": str,
            "application_no": str,
            "sha256": str,
            "created_at": int,
            "card_tag": bytes,
            "slip": bytes,
            "blobs": str,
            "envelope": bytes,
            "spare": bytes,
        },
        pk="place",
        not_null={"taken", "seq"},
        strict=True,
    )
    db.table("receipts").create(
        {"seq": int, "accepted_at": int, "receipt": bytes}, pk="seq", not_null={"accepted_at"}, strict=True
    )
    db.table("slips").create(
        {"seq": int, "created_at": int, "slip": bytes}, pk="seq", not_null={"created_at", "slip"}, strict=True
    )
    db.execute("alter table submissions add column place integer")
    # What an older program left in its inbox is entered first, by that program's words.
    for statement in (
        "insert into submissions (id, application_no, sha256, envelope, size, state, attempts, created_at, slip)"
        " select id, application_no, sha256, envelope, length(envelope), 'sealed', 0, created_at, slip from inbox"
        " order by seq",
        "insert into prints (job, kind, pages, hall_job, card_tag, state, numbered, denied, tries, created_at,"
        " changed_at) select id, 'receipt', 1, '', card_tag, 'intended', 0, 0, 1, created_at, created_at from inbox"
        " order by seq",
        "insert into blobs (seq, position, sha256, size)"
        " select submissions.seq, ref.key, json_extract(ref.value, '$[0]'), json_extract(ref.value, '$[1]')"
        " from inbox join submissions on submissions.id = inbox.id join json_each(inbox.blobs) as ref"
        " where inbox.blobs is not null",
        "drop table inbox",
        f"update submissions set place = {PLACES} + seq where envelope is not null",  # noqa: S608
        "insert into contents (place, taken, seq, id, application_no, sha256, created_at, envelope)"
        " select place, 1, seq, id, application_no, sha256, created_at, envelope from submissions"
        " where envelope is not null order by seq",
        "insert into receipts (seq, accepted_at, receipt)"
        " select seq, coalesce(accepted_at, created_at), receipt from submissions where state = 'accepted'"
        " order by seq",
        "insert into slips (seq, created_at, slip)"
        " select seq, created_at, slip from submissions where length(slip) > 0 order by seq",
        *(f"alter table submissions drop column {name}" for name in ("envelope", "accepted_at", "receipt", "slip")),
        "create index prints_pages on prints (changed_at) where kind = 'page'",
    ):
        db.execute(statement)


def _corrections(db: Database) -> None:
    """补正: which case a filing corrects, and what came back. New columns come last, for older rows end before them."""
    db.execute("alter table submissions add column corrects text")
    db.execute("alter table contents add column corrects text")
    db.execute("create index submissions_corrects on submissions (corrects) where corrects is not null")
    db.table("returns").create(
        {"id": str, "seq": int, "code": str, "at": int}, pk="id", not_null={"seq", "code", "at"}, strict=True
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (_first, _second, _journal, _inbox, _contents, _corrections)
