"""After a citizen has gone, no file of the terminal or the hall has her name, number or address in it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from kiosk.devdock.cases.model import load_case
from kiosk.devdock.cases.runner import CaseRunner
from kiosk.devdock.persons import SyntheticPerson
from kiosk.devdock.street import DEFAULT_TERMINALS, Street

CASES = Path(__file__).resolve().parents[1] / "cases"


def secrets_of(person: SyntheticPerson) -> dict[str, list[bytes]]:
    """What must not be found, in every encoding that our parts use."""
    card = person.card
    words = {"number": card.id_number, "name": card.name, "address": card.address}
    return {
        label: [text.encode(code) for code in ("utf-8", "utf-16-le", "gb18030")] + [_escaped(text)]
        for label, text in words.items()
        if len(text) > 2
    }


def _escaped(text: str) -> bytes:
    """As JSON or Python would write it in ASCII."""
    return text.encode("ascii", "backslashreplace")


def search(root: Path, secrets: dict[str, list[bytes]]) -> list[str]:
    """`label in file` for every hit; the secret itself is never printed."""
    hits = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            where = path.relative_to(root)
            hits += [f"{label} in {where}" for label, forms in secrets.items() if any(form in data for form in forms)]
    return hits


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.log").write_bytes("x王小样本y".encode("utf-16-le"))
    assert search(tmp_path, {"name": ["王小样本".encode("utf-16-le")]}) == ["name in a/b.log"]


@pytest.mark.street
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("street")
def test_nothing_personal_is_left_in_any_file(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        root = Path(name) / "s"
        with Street(root, terminals=DEFAULT_TERMINALS) as street:
            report = CaseRunner(load_case(CASES / "residence_renewal.yaml"), street, tmp_path).run()
            assert report.ok, report.error
            persons = list(street.persons.values())
            # While everything runs: write-ahead logs and temporary files are there too.
            found = _search_all(root, persons)
        found += _search_all(root, persons)
    assert not found, found


def _search_all(root: Path, persons: list[SyntheticPerson]) -> list[str]:
    """Everything but the simulated world outside: cards, papers and the paper under the camera."""
    hits = []
    terminals = [root / spec.id / part for spec in DEFAULT_TERMINALS for part in ("data", "logs")]
    for part in [root / "hall", root / "hall-logs", *terminals]:
        for person in persons:
            hits += [f"{person.key}'s {hit}" for hit in search(part, secrets_of(person))]
    return hits
