"""Records and licences of synthetic persons, so that a street without real departments has something to show."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from hall.hall import Hall
from hall.licences.people import NewLicence, PersonFacts
from hall.store.moments import to_ms, years_later
from kiosk.core.clock import CHINA

_EMPLOYERS = ("样本市样本精密制造有限公司", "样本市测试陶瓷有限公司", "样本市示例物流有限公司")


class SeedError(ValueError):
    """The persons file cannot be used; the message names the table, never the person."""


def seed_persons(hall: Hall, table: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of `name`, `id_number`, `address` and `records`; running it again changes nothing."""
    rows = [(key, _facts(key, row), row) for key, row in table.items()]
    now = hall.clock.now()

    def write(connection: Connection) -> None:
        for _, facts, row in rows:
            person = hall.people.keep(connection, facts, at=to_ms(now))
            for record in row["records"]:
                _RECORDS[record](hall, connection, person, row)

    hall.store.write(write)
    return {"persons": len(rows)}


def _facts(key: str, row: Any) -> PersonFacts:
    if not isinstance(row, dict) or not {"name", "id_number", "records"} <= set(row):
        raise SeedError(f"{key}: needs name, id_number and records")
    if unknown := set(row["records"]) - set(_RECORDS):
        raise SeedError(f"{key}: unknown records: {', '.join(sorted(map(str, unknown)))}")
    return PersonFacts(name=str(row["name"]), id_number=str(row["id_number"]))


def _pick(person: str, among: int) -> int:
    """A stable choice for each person."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:4], "big") % among


def _employer(person: str) -> str:
    return _EMPLOYERS[_pick(person, len(_EMPLOYERS))]


def _social_insurance(hall: Hall, connection: Connection, person: str, row: Mapping[str, Any]) -> None:
    last_month = hall.clock.now().astimezone(CHINA).date().replace(day=1) - timedelta(days=1)
    since = last_month.year - 3 - _pick(person, 9)
    hall.people.keep_record(
        connection,
        person,
        "social_insurance",
        {
            "employer": _employer(person),
            "kinds": "养老、医疗、失业、工伤、生育",
            "insured_since": f"{since}年3月",
            "months": f"{(last_month.year - since) * 12 + last_month.month - 2}个月",
            "paid_until": f"{last_month.year}年{last_month.month}月",
            "state": "参保缴费",
        },
    )


def _residence_permit(hall: Hall, connection: Connection, person: str, row: Mapping[str, Any]) -> None:
    today = hall.clock.now().astimezone(CHINA).date()
    begun = today - timedelta(days=365 - 20)
    licence = NewLicence(
        type_name="居住证",
        number=f"JZ{hall.settings.region}{begun.year}9{_pick(person, 100000):05d}",
        issuer="公安局",
        valid_from=begun.isoformat(),
        valid_to=years_later(begun, 1).isoformat(),
        fields={"address": str(row.get("address", "")), "first_issued": years_later(begun, -2).isoformat()},
    )
    hall.people.grant(connection, person, licence, document=None, at=to_ms(hall.clock.now()))


def _lease(hall: Hall, connection: Connection, person: str, row: Mapping[str, Any]) -> None:
    today = hall.clock.now().astimezone(CHINA).date()
    begun = today.replace(month=1, day=1)
    licence = NewLicence(
        type_name="房屋租赁登记备案证明",
        number=f"ZL{hall.settings.region}{begun.year}9{_pick(person, 100000):05d}",
        issuer="住房和城乡建设局",
        valid_from=begun.isoformat(),
        valid_to=years_later(begun, 3).isoformat(),
        fields={"address": str(row.get("address", "")), "landlord": "样本房东"},
    )
    hall.people.grant(connection, person, licence, document=None, at=to_ms(hall.clock.now()))


def _insured_certificate(hall: Hall, connection: Connection, person: str, row: Mapping[str, Any]) -> None:
    """Issued some time ago at a window; what prefills the employer."""
    today = hall.clock.now().astimezone(CHINA).date()
    begun = today - timedelta(days=40)
    licence = NewLicence(
        type_name="社保参保证明",
        number=f"CB{hall.settings.region}{begun.year}9{_pick(person, 100000):05d}",
        issuer="人力资源和社会保障局",
        valid_from=begun.isoformat(),
        valid_to=years_later(begun, 1).isoformat(),
        fields={"employer": _employer(person)},
    )
    hall.people.grant(connection, person, licence, document=None, at=to_ms(hall.clock.now()))


_RECORDS = {
    "social_insurance": _social_insurance,
    "residence_permit": _residence_permit,
    "lease": _lease,
    "insured_certificate": _insured_certificate,
}
