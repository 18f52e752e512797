"""退回补正: what terminals are told of filings that they brought and that came back, by id and code alone.

A row for each change, in an order that only grows. A terminal says with its heartbeat up to which it has heard, and is
told the next ones: nothing is lost with an answer that does not arrive, and nothing needs to be remembered for it here.
The order goes by the clock: a hall put back from a backup does not use numbers again that terminals have heard.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select

from hall.store.database import Store
from hall.store.schema import returns
from hall.terminals.successions import predecessors
from kiosk.contract.sync import MAX_RETURNED, Returned


def send_back(
    connection: Connection, case_no: str, *, submission_id: str, terminal_id: str, code: str, at: int
) -> None:
    """This filing came back; on the writer."""
    last = connection.execute(select(func.max(returns.c.seq))).scalar() or 0
    values = {"case_no": case_no, "submission_id": submission_id, "terminal_id": terminal_id, "code": code}
    connection.execute(insert(returns).values(seq=max(last + 1, at), **values))


def settle(connection: Connection, case_no: str, *, at: int) -> None:
    """Nothing is wanted of this case any more; on the writer."""
    last = connection.execute(
        select(returns).where(returns.c.case_no == case_no).order_by(returns.c.seq.desc()).limit(1)
    ).one_or_none()
    if last is not None and last.code:
        send_back(connection, case_no, submission_id=last.submission_id, terminal_id=last.terminal_id, code="", at=at)


class Returns:
    """What the heartbeat's answer says of them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def after(self, heard: int, *, terminal_id: str) -> tuple[Returned, ...]:
        """What this terminal, or one that it replaced, has not heard; the oldest first, `MAX_RETURNED` at most."""
        with self._store.read() as connection:
            brought = (terminal_id, *predecessors(connection, terminal_id))
            rows = connection.execute(
                select(returns)
                .where(returns.c.terminal_id.in_(brought), returns.c.seq > heard)
                .order_by(returns.c.seq)
                .limit(MAX_RETURNED)
            ).all()
        return tuple(Returned(id=row.submission_id, order=row.seq, code=row.code) for row in rows)
