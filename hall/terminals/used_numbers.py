"""Application numbers (受理号) that a terminal may have given before it is enrolled anew, as far as anybody can know.

A machine whose disk was lost has forgotten how far it had counted, and so has one that takes its place under the same
id. What it filed and never delivered is nowhere but on citizens' receipts; so the new one starts well above whatever
was heard of, and above where earlier ones were told to start.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from hall.store.schema import cases, corrections, enrol_tickets
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.numbers import ApplicationNumber
from kiosk.core.clock import CHINA

BLOCK = 1000
"""A terminal does not file so many in a day."""
_LAST_BLOCK = 9000
"""Serials have four digits."""


def used_numbers(connection: Connection, region: str, terminal_id: str, now: datetime) -> dict[str, int]:
    """By ISO date, for `EnrolResponse.counters`; empty for a terminal's first enrolment."""
    spent = select(enrol_tickets.c.response).where(
        enrol_tickets.c.terminal_id == terminal_id, enrol_tickets.c.response.is_not(None)
    )
    earlier = [EnrolResponse.model_validate_json(raw) for raw in connection.execute(spent).scalars()]
    if not earlier:
        return {}
    day = now.astimezone(CHINA).date()
    first = str(ApplicationNumber(region, day, terminal_id, 0))[:-5]
    heard = (
        connection.execute(select(func.max(given)).where(given.startswith(first, autoescape=True))).scalar_one()
        for given in (cases.c.application_no, corrections.c.application_no)
    )
    highest = max(
        *(0 if number is None else ApplicationNumber.parse(number).serial for number in heard),
        *(response.counters.get(day.isoformat(), 0) for response in earlier),
    )
    return {day.isoformat(): min((highest // BLOCK + 1) * BLOCK, _LAST_BLOCK)}
