"""Codes on papers: only what a believed key signed is genuine, and nothing that is scanned does any harm."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.bundle import licence_mark
from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.signing import QrClaim, SigningKey, sign_qr
from kiosk.core.ports import KnownCode
from offline_queue.keys.codes import HallWord, TerminalCodes

NUMBER = ApplicationNumber("440699", date(2026, 11, 22), "T001", 7)
HALL, OWN, OTHER = SigningKey.generate(), SigningKey.generate(), SigningKey.generate()
LICENCE = {
    QrClaim.TYPE: "L",
    QrClaim.NUMBER: "粤0001",
    QrClaim.HOLDER: "欧*",
    QrClaim.TITLE: "居住证",
    QrClaim.VALID_TO: "2027-03-31",
}
RECEIPT = {
    QrClaim.TYPE: "R",
    QrClaim.NUMBER: str(NUMBER),
    QrClaim.AT: int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()),
    QrClaim.SHA256_PREFIX: bytes(8),
}


CODES = TerminalCodes(
    {OWN.id: OWN.public}, hall=lambda: HallWord({HALL.id: HALL.public}, frozenset({licence_mark("粤0002")}))
)


def test_a_licence_of_the_hall_is_genuine() -> None:
    assert CODES.read(sign_qr(LICENCE, HALL)) == KnownCode(
        "licence", "粤0001", True, title="居住证", holder="欧*", valid_to="2027-03-31"
    )


def test_a_withdrawn_licence_is_genuine_and_not_good() -> None:
    seen = CODES.read(sign_qr({**LICENCE, QrClaim.NUMBER: "粤0002"}, HALL))
    assert seen is not None
    assert (seen.genuine, seen.withdrawn) == (True, True)


@pytest.mark.parametrize("signer", [OWN, OTHER])
def test_a_licence_that_somebody_else_signed_is_not(signer: SigningKey) -> None:
    seen = CODES.read(sign_qr(LICENCE, signer))
    assert seen is not None
    assert seen.genuine is False


@pytest.mark.parametrize(("signer", "genuine"), [(OWN, True), (OTHER, None), (HALL, None)])
def test_receipts_are_known_by_the_terminal_that_printed_them(signer: SigningKey, genuine: bool | None) -> None:
    assert CODES.read(sign_qr(RECEIPT, signer)) == KnownCode("receipt", str(NUMBER), genuine)


@pytest.mark.parametrize("text", [str(NUMBER), NUMBER.printed(), f"  {NUMBER.printed()}\r\n"])
def test_a_bare_number_leads_to_its_case(text: str) -> None:
    assert CODES.read(text) == KnownCode("receipt", str(NUMBER), None)


@pytest.mark.parametrize(
    "claims",
    [
        {QrClaim.TYPE: "X"},
        {},
        {QrClaim.TYPE: "R", QrClaim.NUMBER: "440699"},
        {QrClaim.TYPE: "R", QrClaim.NUMBER: 7},
        {QrClaim.TYPE: ["R"]},
    ],
)
def test_what_says_nothing_is_no_code_of_ours(claims: dict[int, object]) -> None:
    assert CODES.read(sign_qr(claims, OWN)) is None


@given(st.text() | st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:").map("ZZ1:".__add__))
def test_noise_is_no_code(text: str) -> None:
    assert CODES.read(text) is None


@given(st.integers(0, 10_000), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"))
def test_no_changed_licence_is_genuine(at: int, letter: str) -> None:
    text = sign_qr(LICENCE, HALL)
    at = 4 + at % (len(text) - 4)
    seen = CODES.read(text[:at] + letter + text[at + 1 :])
    assert text[at] == letter or seen is None or seen.genuine is not True or seen == CODES.read(text)
