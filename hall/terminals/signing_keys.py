"""What a terminal signs with (签名公钥); former keys too, for what was queued under them must still verify."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert as upsert

from hall.problem import Refused
from hall.store.schema import terminal_keys
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import key_id


def keep_signing_key(connection: Connection, terminal_id: str, public: bytes, *, at: int) -> None:
    """Known from now on; Refused where another of its keys has the same id: the terminal makes a new one."""
    known = {"terminal_id": terminal_id, "id": key_id(public)}
    connection.execute(upsert(terminal_keys).values(**known, public=public, at=at).on_conflict_do_nothing())
    kept = connection.execute(select(terminal_keys.c.public).filter_by(**known)).scalar_one()
    if kept != public:
        raise Refused(ProblemCode.CONFLICT)
