"""What the print ledger forgets, and when. Numbered sheets are never forgotten: their audit must add up."""

from __future__ import annotations

import sqlite3


def forget_prints(db: sqlite3.Connection, *, tags_before: int, before: int) -> None:
    """Card tags of printings older than `tags_before`, and printings at their end for longer than `before` (Unix
    seconds); inside the caller's transaction.

    A receipt's goes with its submission. The pages of one job of the hall go together, for their number limits how
    often it may be printed again; not while one is open, or while the hall has not heard of one.
    """
    db.execute("update prints set card_tag = null where card_tag is not null and created_at < ?", (tags_before,))
    db.execute("delete from prints where kind = 'receipt' and job not in (select id from submissions)")
    db.execute(
        "delete from prints where kind = 'page' and hall_job not in (select hall_job from prints where kind = 'page'"
        " and (state not in ('proven', 'failed', 'void') or changed_at >= ?)) and hall_job not in"
        " (select hall_job from outcomes)",
        (before,),
    )
