"""Whom the hall believes: keys of terminals and its own, tickets, links, pages; and how much of what they say."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from hall.admin import OPERATIONS, perform
from hall.hall import Hall, open_hall
from hall.problem import Refused
from hall.store.vault import VaultError
from hall.terminals.leases import Leases
from hall.terminals.registry import TerminalPlan
from hall.trust import pki
from hall.web.sign_in import enter, staff_link
from kiosk.contract.bundle import parse_bundle
from kiosk.contract.signing import SigningKey
from kiosk.contract.sync import Heartbeat
from provisioning.enrol import Identity, make_request
from tests.hall.conftest import HallProcess, TestTerminal

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ALIKE = {"T101": b"collide34745", "T102": b"collide48171"}
"""Seeds of two keys whose ids are both 51ce3ed8."""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Hall]:
    perform(tmp_path / "hall", "publish")
    hall = open_hall(tmp_path / "hall")
    yield hall
    hall.close()


def enrol(hall: Hall, terminal_id: str, signing: SigningKey) -> None:
    ticket = hall.terminals.new_ticket(TerminalPlan(terminal_id, "1号机", "样本站"))
    hall.terminals.enrol(make_request(Identity(pki.new_key(), signing), ticket, terminal_id))


def test_a_machine_that_becomes_another_terminal_with_its_old_keys_is_heard(opened: Hall) -> None:
    key = SigningKey.generate()
    for terminal_id in ("T001", "T009"):
        enrol(opened, terminal_id, key)
        assert opened.terminals.signing_keys(terminal_id) == {key.id: key.public}


def test_two_terminals_whose_keys_have_the_same_short_id_are_both_heard(opened: Hall) -> None:
    for terminal_id, seed in ALIKE.items():
        key = SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest()))
        enrol(opened, terminal_id, key)
        assert opened.terminals.signing_keys(terminal_id) == {"51ce3ed8": key.public}


def test_one_terminal_with_two_keys_of_one_id_is_told_to_make_another(opened: Hall) -> None:
    first, second = (
        SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())) for seed in ALIKE.values()
    )
    enrol(opened, "T101", first)
    with pytest.raises(Refused):
        enrol(opened, "T101", second)
    assert opened.terminals.signing_keys("T101") == {"51ce3ed8": first.public}


def test_keys_that_an_older_hall_kept_still_count(tmp_path: Path) -> None:
    perform(tmp_path / "hall", "publish")
    hall, key = open_hall(tmp_path / "hall"), SigningKey.generate()
    enrol(hall, "T001", key)
    hall.store.write(
        lambda connection: [
            connection.execute(text(statement))
            for statement in (
                "create table terminal_keys (id varchar primary key, terminal_id varchar, public blob, at integer)",
                "insert into terminal_keys select id, terminal_id, public, at from terminal_signing_keys",
                "delete from terminal_signing_keys",
            )
        ]
    )
    hall.close()
    again = open_hall(tmp_path / "hall")
    assert again.terminals.signing_keys("T001") == {key.id: key.public}
    again.close()


def test_a_ticket_from_before_the_revocation_is_void(opened: Hall) -> None:
    enrol(opened, "T001", SigningKey.generate())
    ticket = opened.terminals.new_ticket(TerminalPlan("T001", "1号机", "样本站"))
    opened.terminals.revoke("T001")
    with pytest.raises(Refused):
        opened.terminals.enrol(make_request(Identity(pki.new_key(), SigningKey.generate()), ticket, "T001"))


def test_a_catalogue_published_after_a_rotation_does_not_take_the_new_keys_back(opened: Hall) -> None:
    done = OPERATIONS["rotate_keys"](opened, {})
    OPERATIONS["publish"](opened, {})
    manifest = opened.catalogue.manifest()
    assert manifest is not None
    raw = opened.catalogue.raw(manifest.number)
    assert raw is not None
    keys = {(key.purpose, key.id) for key in parse_bundle(raw).bundle.keys}
    assert {("seal", done["seal"]), ("sign", done["sign"])} <= keys


@pytest.mark.parametrize(
    "spelt",
    [
        lambda token: token[:-1] + ALPHABET[ALPHABET.index(token[-1]) ^ 1],
        lambda token: token + "=" * (-len(token) % 4 or 4),
        lambda token: token.replace("-", "+").replace("_", "/"),
    ],
)
def test_a_sign_in_link_is_good_once_however_it_is_spelt(opened: Hall, spelt: Callable[[str], str]) -> None:
    for _ in range(50):
        token = staff_link(opened, "值班员").rsplit("/", 1)[1]
        enter(opened, token)
        with pytest.raises(VaultError):
            enter(opened, spelt(token))


def test_what_one_terminal_says_of_its_backlog_does_not_shut_the_others_out() -> None:
    leases = Leases(items_per_s=500.0, monotonic=lambda: 0.0)
    leases.wait("T001", pending=999_999_999)
    assert leases.wait("T002", pending=100) < 3600


def test_nobodys_upload_is_refused_before_it_is_read(hall: HallProcess) -> None:
    head = (
        f"POST /staff/media HTTP/1.1\r\nHost: 127.0.0.1:{hall.staff_port}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {1 << 30}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", hall.staff_port), timeout=5) as line:
        line.sendall(head.encode())
        assert b" 401 " in line.recv(100)


def test_a_page_on_another_port_cannot_act_for_a_clerk(
    hall: HallProcess, terminal: TestTerminal, staff: requests.Session
) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    beat = Heartbeat(
        terminal_id=terminal.id,
        at=at,
        software="1",
        bundle=1,
        pending=0,
        parked=0,
        oldest_unsent_s=0,
        help_called_at=at,
    )
    assert terminal.post("/v1/heartbeat", beat).status_code == 200
    call = f"{hall.staff_url}/staff/terminals/{terminal.id}/help/{int(at.timestamp() * 1000)}"
    for origin, status in (("http://127.0.0.1:9", 403), ("null", 403), (hall.staff_url, 303)):
        answer = staff.post(call, headers={"Origin": origin}, allow_redirects=False, timeout=10)
        assert answer.status_code == status, origin
