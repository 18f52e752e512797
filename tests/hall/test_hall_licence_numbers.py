"""证照编号: what is printed alike counts together, and every licence that was promised is there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from hall.catalogue.bundles import load_draft, own_catalogue
from hall.hall import Hall, open_hall
from hall.licences.people import NewLicence, PersonFacts
from hall.seed import seed_persons
from kiosk.contract.person import IssueRequest
from tests.hall.conftest import INSURED, LEE, MAY

OTHER = "440604-RS-0103"
PREFIX = "JZ4406042026"


@pytest.fixture
def hall(tmp_path: Path, persons: Path) -> Iterator[Hall]:
    opened = open_hall(tmp_path / "hall")
    seed_persons(opened, tomllib.loads(persons.read_text("utf-8")))
    yield opened
    opened.close()


def permit(number: str, type_name: str = "居住证") -> NewLicence:
    return NewLicence(
        type_name=type_name, number=number, issuer="公安局", valid_from="2026-11-22", valid_to="2027-11-21", fields={}
    )


def grant(hall: Hall, licence: NewLicence, person: tuple[str, str] = MAY) -> str:
    facts = PersonFacts(*person)
    return hall.store.write(
        lambda connection: hall.people.grant(
            connection, hall.people.keep(connection, facts, at=1), licence, document=None, at=1
        )
    )


def number(hall: Hall) -> str:
    return hall.store.write(lambda connection: hall.people.next_number(connection, PREFIX))


def test_two_items_of_one_region_give_certificates_of_their_own(hall: Hall) -> None:
    draft = load_draft(own_catalogue())
    insured = next(item for item in draft.items if item.code == INSURED)
    other = insured.model_copy(update={"code": OTHER, "name": "社保缴费明细"})
    hall.catalogue.publish(replace(draft, items=(*draft.items, other)))
    person = hall.vault.index(MAY[1])
    jobs = []
    for code in (INSURED, OTHER):
        wanted = IssueRequest(request_id=f"request-{code}", item_code=code, item_version=1)
        jobs.append(hall.me.issue(wanted, person=person, terminal_id="T001"))
    assert len({job.licence_number for job in jobs}) == 2
    assert {job.licence_id for job in jobs} <= {held.id for held in hall.me.licences(person)}


def test_a_number_that_somebody_has_is_not_given_again(hall: Hall) -> None:
    """A database from before numbers counted together holds some that its series does not know."""
    for serial in (1, 2, 4):
        grant(hall, permit(f"{PREFIX}{serial:06d}"))
    assert [number(hall) for _ in range(3)] == [f"{PREFIX}{serial:06d}" for serial in (3, 5, 6)]


def test_a_licence_whose_number_is_another_s_is_no_licence(hall: Hall) -> None:
    licence = permit(number(hall))
    assert grant(hall, licence) == grant(hall, licence), "the same again is the same licence"
    with pytest.raises(IntegrityError):
        grant(hall, licence, LEE)
    with pytest.raises(IntegrityError):
        grant(hall, permit(licence.number, "居住证副本"))
