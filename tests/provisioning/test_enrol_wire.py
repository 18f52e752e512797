"""Enrolment against a real hall: once, again, by thieves, by strangers, at the wrong hall."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from hall.admin import perform
from kiosk.contract.enrolment import EnrolRequest, EnrolResponse
from kiosk.contract.tickets import EnrolTicket, enrol_mac
from kiosk.core.result import Err, Ok
from provisioning.enrol import EnrolError, EnrolFault, enrol, ensure_identity, make_request
from provisioning.https import ask, trusting
from provisioning.profile import Machine
from tests.hall.conftest import REPOSITORY, HallProcess, terminal_of

Bare = Callable[..., Machine]
Tickets = Callable[..., EnrolTicket]


def fault(machine: Machine, ticket: EnrolTicket) -> EnrolFault:
    result = enrol(machine, ticket, deadline_s=10)
    assert isinstance(result, Err), "was enrolled"
    error = result.error
    assert isinstance(error, EnrolError)
    return error.fault


def test_a_bare_machine_becomes_a_terminal(hall: HallProcess, bare: Bare, ticket: Tickets) -> None:
    machine = bare()
    result = enrol(machine, ticket())
    assert isinstance(result, Ok)
    layout = machine.layout
    identity = Path(layout.identity)
    assert identity.stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in identity.iterdir()}
    assert files == dict.fromkeys(("ca.pem", "signing.key", "terminal.json", "tls.key", "tls.pem"), 0o600)
    kept = EnrolResponse.model_validate_json(Path(layout.terminal_json).read_bytes())
    assert kept == result.value
    terminal = terminal_of(machine, hall)
    assert terminal.get("/v1/bundle/manifest").json()["code"] == "not_found", "let in; there is no catalogue"
    terminal.http.close()


def test_same_keys_and_ticket_again_get_the_same_certificate(bare: Bare, ticket: Tickets) -> None:
    machine, one = bare(), ticket()
    first = enrol(machine, one)
    Path(machine.layout.terminal_json).unlink()
    assert enrol(machine, one) == first


def test_a_spent_ticket_is_refused_to_other_keys(bare: Bare, ticket: Tickets) -> None:
    one = ticket()
    assert isinstance(enrol(bare("first"), one), Ok)
    assert fault(bare("thief"), one) is EnrolFault.TICKET_USED


def test_twenty_at_once_make_one_terminal(bare: Bare, ticket: Tickets) -> None:
    one = ticket()
    machines = [bare(f"m{number}") for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(lambda machine: enrol(machine, one, deadline_s=30), machines))
    assert sum(isinstance(result, Ok) for result in results) == 1
    refused = {result.error.fault for result in results if isinstance(result, Err)}
    assert refused == {EnrolFault.TICKET_USED}


def test_five_wrong_proofs_lock_a_ticket(bare: Bare, ticket: Tickets) -> None:
    one, machine = ticket(), bare()
    forged = replace(one, secret=bytes(10))
    for _ in range(5):
        assert fault(machine, forged) is EnrolFault.TICKET_REFUSED
    assert fault(machine, one) is EnrolFault.TICKET_REFUSED


def test_four_wrong_proofs_do_not(bare: Bare, ticket: Tickets) -> None:
    one, machine = ticket(), bare()
    for _ in range(4):
        assert fault(machine, replace(one, secret=bytes(10))) is EnrolFault.TICKET_REFUSED
    assert isinstance(enrol(machine, one), Ok)


def test_a_newer_ticket_voids_the_older(bare: Bare, ticket: Tickets) -> None:
    old, new = ticket(), ticket()
    assert fault(bare(), old) is EnrolFault.TICKET_REFUSED
    assert isinstance(enrol(bare(), new), Ok)


def test_the_wrong_hall_learns_nothing(bare: Bare, ticket: Tickets, tmp_path: Path) -> None:
    """Another hall at the same address: the pin on the ticket does not fit, and no request is sent."""
    other = tmp_path / "other-hall"
    perform(other, "init")
    stranger = HallProcess(other).start()
    try:
        one = ticket()
        assert fault(bare(url=stranger.url), one) is EnrolFault.WRONG_HALL
    finally:
        stranger.stop()
    assert isinstance(enrol(bare("home"), one), Ok), "the ticket is still good"


def test_a_swapped_request_is_refused(hall: HallProcess, bare: Bare, ticket: Tickets) -> None:
    """Somebody in between replaces the keys but cannot make the proof."""
    one = ticket()
    honest = make_request(ensure_identity(bare("honest")), one, "T001")
    thief = make_request(ensure_identity(bare("thief")), replace(one, secret=bytes(10)), "T001")
    for swapped in (
        honest.model_copy(update={"csr": thief.csr}),
        honest.model_copy(update={"signing_public": thief.signing_public}),
    ):
        assert _post(hall, swapped) == (403, "ticket_refused")


def _post(hall: HallProcess, request: EnrolRequest) -> tuple[int, str]:
    root = (hall.data / "keys" / "root.pem").read_text()
    answer = ask(f"{hall.url}/v1/enrol", context=trusting(root), body=request.model_dump_json().encode())
    return answer.status, str(json.loads(answer.body).get("code"))


def test_requests_must_be_for_p256_and_signed_by_their_key(hall: HallProcess, bare: Bare, ticket: Tickets) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    one = ticket()
    identity = ensure_identity(bare())
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA256())
    )
    der = csr.public_bytes(serialization.Encoding.DER)
    public = identity.signing.public
    request = EnrolRequest(
        ticket_id=one.id,
        csr=csr.public_bytes(serialization.Encoding.PEM).decode(),
        signing_public=base64.b64encode(public).decode(),
        mac=enrol_mac(one.secret, csr_der=der, signing_public=public),
    )
    assert _post(hall, request) == (400, "malformed")
    assert _post(hall, request.model_copy(update={"csr": "no request"})) == (400, "malformed")
    assert _post(hall, request.model_copy(update={"signing_public": "AAAA"})) == (400, "malformed")


def test_the_ticket_must_be_for_this_terminal(bare: Bare, ticket: Tickets) -> None:
    machine = bare(terminal_id="T007")
    assert fault(machine, ticket("T008")) is EnrolFault.OTHER_TERMINAL
    assert not Path(machine.layout.terminal_json).exists()


def test_revoked_terminals_are_nobody_at_once(hall: HallProcess, bare: Bare, ticket: Tickets) -> None:
    machine = bare(terminal_id="T009")
    assert isinstance(enrol(machine, ticket("T009")), Ok)
    terminal = terminal_of(machine, hall)
    assert terminal.get("/v1/bundle/manifest").status_code == 404
    hall.do("revoke", terminal="T009")
    answer = terminal.get("/v1/bundle/manifest")
    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")
    assert isinstance(enrol(machine, ticket("T009")), Ok), "a fresh ticket takes it back"
    terminal.http.close()
    again = terminal_of(machine, hall)
    assert again.get("/v1/bundle/manifest").status_code == 404
    again.http.close()


def test_a_replaced_terminals_old_certificate_is_void(hall: HallProcess, bare: Bare, ticket: Tickets) -> None:
    old, new = bare("old", terminal_id="T010"), bare("new", terminal_id="T010")
    assert isinstance(enrol(old, ticket("T010")), Ok)
    assert isinstance(enrol(new, ticket("T010")), Ok)
    terminal = terminal_of(old, hall)
    assert terminal.get("/v1/bundle/manifest").status_code == 403
    terminal.http.close()


def test_certificates_of_strangers_do_not_pass_tls(hall: HallProcess, bare: Bare, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from cryptography.hazmat.primitives import serialization

    from hall.trust import pki

    now = datetime.now(UTC)
    authority = pki.make_issuing(pki.make_root("别的大厅", now=now), "别的大厅", now=now)
    key = pki.new_key()
    leaf = pki.issue_terminal(authority, key.public_key(), "T001", now=now)
    pem = tmp_path / "stranger.pem"
    pem.write_bytes(pki.key_pem(key) + leaf.public_bytes(serialization.Encoding.PEM) + authority.pem())
    context = trusting((hall.data / "keys" / "root.pem").read_text())
    context.load_cert_chain(pem)
    with pytest.raises(OSError, match=r"(?i)unknown ca|reset|closed|eof|connection|alert"):
        ask(f"{hall.url}/v1/bundle/manifest", context=context, deadline_s=10)


def test_nobody_there(bare: Bare, ticket: Tickets) -> None:
    assert fault(bare(url="https://127.0.0.1:9"), ticket()) is EnrolFault.HALL_UNREACHABLE


def test_a_hall_that_drips_is_given_up(bare: Bare, ticket: Tickets) -> None:
    """One byte now and then keeps every socket timeout happy; the total deadline is not."""
    import socket
    import time

    listener = socket.create_server(("127.0.0.1", 0))
    ending = threading.Event()

    def drip() -> None:
        line, _ = listener.accept()
        with line:
            while not ending.wait(0.05):
                try:
                    line.send(b"\x16")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    begun = time.monotonic()
    try:
        result = enrol(bare(url=f"https://127.0.0.1:{listener.getsockname()[1]}"), ticket(), deadline_s=1)
    finally:
        ending.set()
        thread.join()
        listener.close()
    assert isinstance(result, Err)
    assert result.error.fault is EnrolFault.HALL_UNREACHABLE
    assert time.monotonic() - begun < 8


def test_a_full_disk_and_damaged_keys_have_names(bare: Bare, ticket: Tickets, tmp_path: Path) -> None:
    machine = bare()
    (machine.data.parent / "data").write_text("a file where the directory should be")
    assert fault(machine, ticket()) is EnrolFault.CANNOT_WRITE
    damaged = bare("damaged")
    ensure_identity(damaged)
    Path(damaged.layout.tls_key).write_text("rust")
    assert fault(damaged, ticket()) is EnrolFault.KEYS_DAMAGED


def _provision(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "provisioning", "enrol", *arguments],
        cwd=REPOSITORY,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "https_proxy": "http://127.0.0.1:9", "SSL_CERT_FILE": "/nonexistent"},
    )


def test_command_line(bare: Bare, ticket: Tickets) -> None:
    machine, one = bare(terminal_id="T011"), ticket("T011")
    profile = str(machine.data.parent / "machine.toml")
    done = _provision("--profile", profile, "--ticket", "-", "--json", stdin=one.text().lower() + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["terminal_id"] == "T011"
    plain = _provision("--profile", profile, "--ticket", one.text())
    assert (plain.returncode, "已登记：T011" in plain.stdout) == (0, True)

    thief = str(bare("thief", terminal_id="T011").data.parent / "machine.toml")
    used = _provision("--profile", thief, "--ticket", one.text(), "--json")
    assert (used.returncode, json.loads(used.stdout)["fault"]) == (8, "ticket_used")
    assert used.stderr.startswith("provision: 这个登记码已经被另一台机器用过")
    assert one.text() not in used.stdout + used.stderr
    mistyped = _provision("--profile", profile, "--ticket", one.text()[:-1])
    assert (mistyped.returncode, "登记码不对" in mistyped.stderr) == (4, True)
    missing = _provision("--profile", profile + "x", "--ticket", one.text())
    assert missing.returncode == 3


def test_tls_of_the_hall_is_1_3(hall: HallProcess) -> None:
    context = trusting((hall.data / "keys" / "root.pem").read_text())
    assert ask(f"{hall.url}/v1/ca", context=context, deadline_s=10)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.11.2's asyncio, which Debian 12 has, hangs up without sending the alert.
    with pytest.raises(OSError, match=r"(?i)protocol|alert|EOF"):
        ask(f"{hall.url}/v1/ca", context=context, deadline_s=10)
