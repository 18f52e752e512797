"""Bundles from a real hall in ranges, and as a delta to the one that a terminal has."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hall.catalogue.bundles import Catalogue, load_draft, own_catalogue
from hall.hall import open_hall
from kiosk.contract.bundle_delta import HAVE_HEADER, SINCE_HEADER, apply_delta
from tests.hall.conftest import TestTerminal


def test_ranges_make_the_file(terminal: TestTerminal) -> None:
    manifest = terminal.get("/v1/bundle/manifest").json()
    path = f"/v1/bundle/{manifest['number']}"
    whole = terminal.get(path).content
    assert hashlib.sha256(whole).hexdigest() == manifest["sha256"]
    parts, at = b"", 0
    while at < len(whole):
        answer = terminal.get(path, headers={"Range": f"bytes={at}-{at + 4999}"})
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {at}-{at + len(answer.content) - 1}/{len(whole)}"
        parts += answer.content
        at = len(parts)
    assert parts == whole
    assert terminal.get(path, headers={"Range": f"bytes={len(whole)}-{len(whole) + 1}"}).status_code == 416


@pytest.mark.parametrize("have", ["0", "77", "x", "1" * 12])
def test_without_the_older_one_the_file_itself_comes(terminal: TestTerminal, have: str) -> None:
    number = terminal.get("/v1/bundle/manifest").json()["number"]
    answer = terminal.get(f"/v1/bundle/{number}", headers={HAVE_HEADER: have})
    assert answer.status_code == 200
    assert SINCE_HEADER not in answer.headers
    assert answer.content.startswith(b"CWB1")


def test_a_delta_makes_the_newer_bundle_of_the_older(tmp_path: Path) -> None:
    hall = open_hall(tmp_path / "hall")
    try:
        catalogue: Catalogue = hall.catalogue
        draft = load_draft(own_catalogue())
        first = catalogue.publish(draft)
        second = catalogue.publish(type(draft)(**{**_fields(draft), "query_place": "任一终端，或拨打电话"}))
        old, new = catalogue.raw(first.number), catalogue.raw(second.number)
        delta = catalogue.delta(first.number, second.number)
        assert old is not None and new is not None and delta is not None
        assert len(delta) < len(new) / 20
        assert apply_delta(old, delta, size=second.size) == new
        assert catalogue.delta(first.number, second.number) is delta
        assert catalogue.delta(second.number, first.number) is None
        assert catalogue.delta(99, second.number) is None
    finally:
        hall.close()


def _fields(draft: object) -> dict[str, object]:
    return {name: getattr(draft, name) for name in draft.__slots__}  # type: ignore[attr-defined]
