"""What the terminal seals with: identity files, citizen sessions, receipts' codes, card keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kiosk.contract.envelope import parse_envelope
from kiosk.contract.sealing import SealingKey, open_blob, open_envelope, open_session_key
from kiosk.contract.signing import QrClaim, SigningKey, sign_bundle, verify_bundle, verify_qr
from kiosk.core.id_card import CardType, IdCard
from kiosk.core.ports import CardKeys, Sealer, StoreFault
from kiosk.core.result import Err, Ok
from offline_queue.keys.identity import NotEnrolled, current_keys, hall_keys, load_identity
from offline_queue.seal import SessionClosed, TerminalCardKeys, TerminalSealer
from tests.queue.conftest import NOW, PLANTED, HallSecrets, Terminal, TestHall

CARD = IdCard(
    type=CardType.RESIDENT,
    name=PLANTED[0],
    id_number=PLANTED[1],
    sex="1",
    nation="汉",
    birth=date(1990, 1, 1),
    address=PLANTED[2],
    issuer="测试市公安局",
    valid_from=date(2020, 1, 1),
    valid_to=None,
    photo=bytes(range(256)) * 4,
)


def test_one_encapsulation_a_session_and_the_hall_opens_all_of_it(terminal: Terminal) -> None:
    sealer: Sealer = terminal.sealer()
    first, second = terminal.filing(1, blobs=1), terminal.filing(2)
    envelope = parse_envelope(first.envelope)
    key = open_session_key(envelope.header, {terminal.secrets.sealing.id: terminal.secrets.sealing})
    assert open_envelope(envelope, key).applicant.id_number == PLANTED[1]
    assert open_blob(key, submission_id=first.id, sealed=first.blobs[0]).startswith(PLANTED[0].encode())
    assert parse_envelope(second.envelope).header.session_key != envelope.header.session_key
    assert sealer.open_session() is not None


def test_a_closed_session_seals_nothing(terminal: Terminal) -> None:
    session = terminal.sealer().open_session()
    session.close()
    with pytest.raises(SessionClosed):
        session.seal_blob("x", b"data")


def test_the_receipts_code_is_signed_by_the_terminal_and_names_nobody(terminal: Terminal) -> None:
    text = terminal.sealer().sign_receipt("440699261122T00100014", "ab" * 32, NOW)
    claims = verify_qr(text, {terminal.signing.id: terminal.signing.public})
    assert claims == {
        QrClaim.TYPE: "R",
        QrClaim.NUMBER: "440699261122T00100014",
        QrClaim.AT: int(NOW.timestamp()),
        QrClaim.SHA256_PREFIX: bytes.fromhex("ab" * 8),
    }


@pytest.mark.parametrize("name", ["terminal.json", "signing.key", "tls.key", "tls.pem", "ca.pem"])
def test_a_missing_identity_file_is_named(terminal: Terminal, name: str) -> None:
    (Path(terminal.layout.identity) / name).unlink()
    with pytest.raises(NotEnrolled, match=name.replace(".", r"\.")):
        load_identity(terminal.data)


@pytest.mark.parametrize("name", ["terminal.json", "signing.key"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe"])
def test_a_broken_identity_file_is_not_enrolled(terminal: Terminal, name: str, content: bytes) -> None:
    (Path(terminal.layout.identity) / name).write_bytes(content)
    with pytest.raises(NotEnrolled):
        load_identity(terminal.data)


@pytest.mark.parametrize(
    "change", [{"public": "@@"}, {"public": "AAAA"}, {"public": "A" * 43 + "="}, {"id": "00000000"}]
)
def test_a_hall_key_that_is_none_is_not_believed(secrets: HallSecrets, change: dict[str, str]) -> None:
    sign, seal, recovery = secrets.public()
    with pytest.raises(NotEnrolled, match="hall key"):
        hall_keys((sign, seal.model_copy(update=change), recovery))


@pytest.mark.parametrize("purpose", ["sign", "seal", "recovery"])
def test_a_hall_without_a_key_is_not_believed(secrets: HallSecrets, purpose: str) -> None:
    with pytest.raises(NotEnrolled, match=purpose):
        hall_keys(tuple(key for key in secrets.public() if key.purpose != purpose))


def test_a_verified_bundle_brings_the_new_sealing_key(terminal: Terminal, hall: TestHall) -> None:
    new = HallSecrets(terminal.secrets.signing, SealingKey.generate(), terminal.secrets.recovery)
    hall.publish(2, keys=new.public())
    path = Path(terminal.layout.bundle_file)
    path.parent.mkdir()
    path.write_bytes(hall.bundle)
    assert parse_envelope(terminal.filing(1).envelope).header.hall_key == new.sealing.id

    stranger = SigningKey.generate()
    path.write_bytes(sign_bundle(verify_bundle(hall.bundle, current_keys_of(terminal)), stranger))
    assert parse_envelope(terminal.filing(1).envelope).header.hall_key == terminal.secrets.sealing.id


def current_keys_of(terminal: Terminal) -> dict[str, bytes]:
    return dict(current_keys(load_identity(terminal.data), terminal.data).signing)


def test_a_slip_opens_with_the_same_card_on_the_same_terminal_only(terminal: Terminal) -> None:
    keys: CardKeys = TerminalCardKeys.of(terminal.data)
    sealed = keys.seal(CARD, b"slip")
    assert keys.open(CARD, sealed) == Ok(b"slip")
    assert TerminalCardKeys.of(terminal.data).tag(CARD) == keys.tag(CARD)
    for other in (
        replace(CARD, id_number="440699199001011244"),
        replace(CARD, photo=bytes(1024)),
        replace(CARD, valid_from=date(2021, 1, 1)),
    ):
        refused = keys.open(other, sealed)
        assert isinstance(refused, Err)
        assert refused.error.fault is StoreFault.BROKEN
        assert keys.tag(other) != keys.tag(CARD)
    assert isinstance(TerminalCardKeys(b"another terminal's secret").open(CARD, sealed), Err)
    assert isinstance(keys.open(CARD, b""), Err)
    assert isinstance(keys.open(CARD, sealed[:-1]), Err)


def test_the_tag_tells_nothing_of_the_card(terminal: Terminal) -> None:
    tag = TerminalCardKeys.of(terminal.data).tag(CARD)
    assert len(tag) == 32
    assert CARD.id_number.encode() not in tag


def test_sealer_from_a_directory_that_is_not_enrolled(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled):
        TerminalSealer.of(tmp_path)
