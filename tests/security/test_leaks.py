"""The search for traces finds what is there. Where it searches: the streets of tests/e2e, while they run and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.devdock.persons import load_persons
from tests.security.traces import search, secrets_of


@pytest.mark.parametrize("code", ["utf-8", "utf-16-le", "gb18030"])
def test_the_search_finds_what_is_planted(tmp_path: Path, code: str) -> None:
    (tmp_path / "a").mkdir()
    persons = [person for person in load_persons().values() if person.card.address]
    for person in persons:
        (tmp_path / "a" / "b.log").write_bytes(b"x" + person.card.address.encode(code) + b"y")
        assert search(tmp_path, secrets_of(person)) == ["address in a/b.log"]
    assert persons
