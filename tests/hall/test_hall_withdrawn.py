"""注销与停用: a licence that is withdrawn is said to be so in the next bundle, and by a terminal without network."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hall.admin import AdminError
from kiosk.contract.bundle import Bundle, licence_mark, parse_bundle
from kiosk.contract.signing import QrClaim, SigningKey, sign_qr
from offline_queue.keys.codes import TerminalCodes
from tests.hall.conftest import MAY, HallProcess, TestTerminal


def number_of_a_licence(hall: HallProcess) -> str:
    with sqlite3.connect(hall.data / "hall.db") as db:
        return str(db.execute("select number from licences").fetchone()[0])


def newest(terminal: TestTerminal) -> tuple[bytes, Bundle]:
    number = terminal.get("/v1/bundle/manifest").json()["number"]
    raw = terminal.get(f"/v1/bundle/{number}").content
    return raw, parse_bundle(raw).bundle


def test_every_terminal_knows_it_with_the_next_bundle(hall: HallProcess, terminal: TestTerminal) -> None:
    number = number_of_a_licence(hall)
    raw, before = newest(terminal)
    assert before.withdrawn == ()
    layout = terminal.machine.layout
    Path(layout.bundle_file).parent.mkdir(parents=True, exist_ok=True)
    Path(layout.bundle_file).write_bytes(raw)
    codes = TerminalCodes.of(terminal.machine.data)
    paper = sign_qr({QrClaim.TYPE: "L", QrClaim.NUMBER: number}, SigningKey.generate())
    assert [(seen := codes.read(paper)) and seen.withdrawn] == [False]

    told = hall.do("licence_status", number=number, status="revoked")
    raw, bundle = newest(terminal)
    assert (bundle.number, bundle.withdrawn) == (told["bundle"], (licence_mark(number),))
    assert number.encode() not in raw
    assert (bundle.items, bundle.keys, bundle.calendar) == (before.items, before.keys, before.calendar)
    Path(layout.bundle_file).write_bytes(raw)
    assert [(seen := codes.read(paper)) and seen.withdrawn] == [True]

    assert hall.do("licence_status", number=number, status="valid")["bundle"] == told["bundle"] + 1
    assert newest(terminal)[1].withdrawn == ()


def test_publishing_a_catalogue_forgets_no_withdrawn_licence(hall: HallProcess, terminal: TestTerminal) -> None:
    number = number_of_a_licence(hall)
    hall.do("licence_status", number=number, status="suspended")
    again = hall.do("publish")
    assert newest(terminal)[1].withdrawn == (licence_mark(number),)
    assert hall.do("publish")["number"] == again["number"], "the same once more is nothing new"
    hall.do("licence_status", number=number, status="valid")


@pytest.mark.parametrize("wrong", [{"number": "none of ours", "status": "revoked"}, {"status": "lost"}])
def test_what_cannot_be_withdrawn_is_refused_and_publishes_nothing(
    hall: HallProcess, terminal: TestTerminal, wrong: dict[str, str]
) -> None:
    before = newest(terminal)[1].number
    with pytest.raises(AdminError):
        hall.do("licence_status", **({"number": number_of_a_licence(hall)} | wrong))
    assert newest(terminal)[1].number == before


def test_a_licence_is_named_by_its_holder_too(hall: HallProcess, terminal: TestTerminal) -> None:
    def usable() -> list[bool]:
        held = terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"]
        return [row["usable"] for row in held if row["type_name"] == "居住证"]

    hall.do("licence_status", holder=MAY[1], type="居住证", status="suspended")
    assert usable() == [False]
    hall.do("licence_status", holder=MAY[1], type="居住证", status="valid")
    assert usable() == [True]
    with pytest.raises(AdminError, match="no 不动产权证书 of this holder"):
        hall.do("licence_status", holder=MAY[1], type="不动产权证书", status="revoked")
