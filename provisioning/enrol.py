"""Enrolment (终端登记): keys made on this terminal, a certificate from the hall that the ticket pins.

Can be repeated at any point: keys are made once and kept, and the hall gives the same certificate to the same keys and
ticket. `terminal.json` is written last; a terminal that has it is enrolled.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from kiosk.contract.enrolment import EnrolRequest, EnrolResponse
from kiosk.contract.signing import SigningKey
from kiosk.contract.tickets import EnrolTicket, enrol_mac, key_pin
from kiosk.core.result import Err, Ok, Result
from provisioning.files import private_directory, write_private
from provisioning.https import HttpAnswer, Unreachable, ask, trusting, unverified
from provisioning.profile import Machine

DEADLINE_S = 20.0
_CERTIFICATES = 2
"""Terminal, then issuing CA."""


class EnrolFault(StrEnum):
    """Why a terminal was not enrolled; each has its words and its exit code in `provisioning.words`."""

    KEYS_DAMAGED = "keys_damaged"
    CANNOT_WRITE = "cannot_write"
    HALL_UNREACHABLE = "hall_unreachable"
    WRONG_HALL = "wrong_hall"
    """Its root key is not the one that the ticket pins: a stranger, or a hall that was set up anew."""
    TICKET_REFUSED = "ticket_refused"
    TICKET_USED = "ticket_used"
    """By other keys: another machine, or this one before its disk was wiped."""
    HALL_BUSY = "hall_busy"
    GARBAGE = "garbage"
    """The answer is none, or does not fit what was asked."""
    OTHER_TERMINAL = "other_terminal"
    """The ticket is for another terminal than the profile's."""


@dataclass(frozen=True, slots=True)
class EnrolError:
    """What went wrong; `detail` is for the technician and holds no secret."""

    fault: EnrolFault
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """The terminal's keys."""

    tls: ec.EllipticCurvePrivateKey
    signing: SigningKey


class _Stop(Exception):
    def __init__(self, fault: EnrolFault, detail: str = "") -> None:
        super().__init__(fault.value)
        self.error = EnrolError(fault, detail)


def enrol(
    machine: Machine, ticket: EnrolTicket, *, deadline_s: float = DEADLINE_S
) -> Result[EnrolResponse, EnrolError]:
    """Spend a ticket; on Ok the identity folder is complete."""
    try:
        identity = ensure_identity(machine)
        root_pem = _pinned_root(machine, ticket, deadline_s)
        request = make_request(identity, ticket, machine.profile.terminal_id)
        answer = _post(machine, root_pem, request, deadline_s)
        response = _check(answer, identity, ticket, machine.profile.terminal_id)
        _keep(machine, response, answer)
    except _Stop as stop:
        return Err(stop.error)
    except OSError as error:
        return Err(EnrolError(EnrolFault.CANNOT_WRITE, error.strerror or str(error)))
    return Ok(response)


def ensure_identity(machine: Machine) -> Identity:
    """Make the two keys, or read them if they are there; they never leave this terminal."""
    layout = machine.layout
    private_directory(Path(layout.root))
    private_directory(Path(layout.identity))
    tls_path, signing_path = Path(layout.tls_key), Path(layout.signing_key)
    if not tls_path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(tls_path, pem)
    if not signing_path.exists():
        write_private(signing_path, SigningKey.generate().pem())
    try:
        tls = serialization.load_pem_private_key(tls_path.read_bytes(), password=None)
        signing = SigningKey.from_pem(signing_path.read_bytes())
    except ValueError:
        raise _Stop(EnrolFault.KEYS_DAMAGED, str(layout.identity)) from None
    if not isinstance(tls, ec.EllipticCurvePrivateKey):
        raise _Stop(EnrolFault.KEYS_DAMAGED, str(layout.tls_key))
    return Identity(tls, signing)


def make_request(identity: Identity, ticket: EnrolTicket, terminal_id: str) -> EnrolRequest:
    """Certificate request with proof of both the key and the ticket; the ticket's secret is not in it."""
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terminal_id)]))
        .sign(identity.tls, hashes.SHA256())
    )
    public = identity.signing.public
    return EnrolRequest(
        ticket_id=ticket.id,
        csr=csr.public_bytes(serialization.Encoding.PEM).decode(),
        signing_public=base64.b64encode(public).decode(),
        mac=enrol_mac(ticket.secret, csr_der=csr.public_bytes(serialization.Encoding.DER), signing_public=public),
    )


def _ask(url: str, **options: object) -> HttpAnswer:
    try:
        return ask(url, **options)  # type: ignore[arg-type]
    except Unreachable as error:
        raise _Stop(EnrolFault.HALL_UNREACHABLE, str(error)) from None


def _pinned_root(machine: Machine, ticket: EnrolTicket, deadline_s: float) -> str:
    """The hall's root, fetched from anybody and believed only because its key hash is on the ticket."""
    answer = _ask(machine.profile.hall.url.rstrip("/") + "/v1/ca", context=unverified(), deadline_s=deadline_s)
    if answer.status != 200:
        raise _Stop(EnrolFault.GARBAGE, f"status {answer.status}")
    try:
        root = x509.load_pem_x509_certificate(answer.body)
    except ValueError:
        raise _Stop(EnrolFault.GARBAGE, "no certificate") from None
    if _pin(root) != ticket.pin:
        raise _Stop(EnrolFault.WRONG_HALL)
    return root.public_bytes(serialization.Encoding.PEM).decode()


def _post(machine: Machine, root_pem: str, request: EnrolRequest, deadline_s: float) -> bytes:
    answer = _ask(
        machine.profile.hall.url.rstrip("/") + "/v1/enrol",
        context=trusting(root_pem),
        body=request.model_dump_json().encode(),
        deadline_s=deadline_s,
    )
    match answer.status:
        case 200:
            return answer.body
        case 403:
            raise _Stop(EnrolFault.TICKET_REFUSED)
        case 409:
            raise _Stop(EnrolFault.TICKET_USED)
        case 503:
            raise _Stop(EnrolFault.HALL_BUSY)
        case _:
            raise _Stop(EnrolFault.GARBAGE, f"status {answer.status}")


def _check(raw: bytes, identity: Identity, ticket: EnrolTicket, terminal_id: str) -> EnrolResponse:
    """Believe nothing: our key, our terminal, a chain that ends at the pinned root."""
    try:
        response = EnrolResponse.model_validate_json(raw)
        chain = x509.load_pem_x509_certificates(response.certificate.encode())
        root = x509.load_pem_x509_certificate(response.ca.encode())
        if len(chain) != _CERTIFICATES or _pin(root) != ticket.pin:
            raise _Stop(EnrolFault.GARBAGE, "certificate chain")
        leaf, issuing = chain
        leaf.verify_directly_issued_by(issuing)
        issuing.verify_directly_issued_by(root)
    except ValidationError as error:
        raise _Stop(EnrolFault.GARBAGE, f"{error.error_count()} faults") from None
    except (ValueError, TypeError, InvalidSignature):
        raise _Stop(EnrolFault.GARBAGE, "certificate chain") from None
    if leaf.public_key() != identity.tls.public_key():
        raise _Stop(EnrolFault.GARBAGE, "certificate for another key")
    if response.terminal_id != terminal_id:
        raise _Stop(EnrolFault.OTHER_TERMINAL, response.terminal_id)
    return response


def _keep(machine: Machine, response: EnrolResponse, raw: bytes) -> None:
    layout = machine.layout
    write_private(Path(layout.ca), response.ca.encode())
    write_private(Path(layout.tls_certificate), response.certificate.encode())
    write_private(Path(layout.terminal_json), raw)


def _pin(certificate: x509.Certificate) -> bytes:
    return key_pin(
        certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
