"""The next generation of a terminal's keys (证书续期): made here, proven to the hall, its answer checked."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from kiosk.contract.enrolment import EnrolResponse, RenewRequest, renewal_signed_bytes
from kiosk.contract.signing import SigningKey
from kiosk.core.profile import DataLayout
from offline_queue.keys.trust_clock import BUILT

_CERTIFICATES = 2
"""Terminal, then issuing CA."""


class BadGeneration(ValueError):
    """Keys or certificates that do not belong together; the message holds no secret."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate is good."""

    begins: datetime
    ends: datetime


def new_tls_key() -> bytes:
    """A fresh P-256 key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def validity(certificate: Path) -> Validity:
    """Of a terminal's certificate on disk; BadGeneration or OSError."""
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
    except ValueError:
        raise BadGeneration(f"{certificate.name} holds no certificate") from None
    return Validity(leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def floor_of(data: Path) -> datetime:
    """It cannot be earlier than this: software built, certificate begun."""
    try:
        return max(BUILT, validity(Path(DataLayout(data).tls_certificate)).begins)
    except (BadGeneration, OSError):
        return BUILT


def renew_request(*, terminal_id: str, tls_key: bytes, signing_key: bytes) -> RenewRequest:
    """The request for these keys; BadGeneration."""
    try:
        tls, signing = _tls(tls_key), SigningKey.from_pem(signing_key)
    except ValueError:
        raise BadGeneration("the new keys are damaged") from None
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terminal_id)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls, hashes.SHA256())
    proof = signing.sign(renewal_signed_bytes(terminal_id, csr.public_bytes(Encoding.DER)))
    return RenewRequest(
        csr=csr.public_bytes(Encoding.PEM).decode(),
        signing_public=base64.b64encode(signing.public).decode(),
        proof=base64.b64encode(proof).decode(),
    )


def check_answer(answer: EnrolResponse, *, terminal_id: str, tls_key: bytes, root: bytes) -> None:
    """BadGeneration unless it is a certificate for our key and our terminal under the root that we know (PEM)."""
    try:
        chain = x509.load_pem_x509_certificates(answer.certificate.encode())
        known, named = x509.load_pem_x509_certificate(root), x509.load_pem_x509_certificate(answer.ca.encode())
        if len(chain) != _CERTIFICATES or _public(known) != _public(named):
            raise BadGeneration("the certificate is of another hall")
        leaf, issuing = chain
        leaf.verify_directly_issued_by(issuing)
        issuing.verify_directly_issued_by(known)
        own = _tls(tls_key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except BadGeneration:
        raise
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise BadGeneration("the certificate chain does not hold") from None
    if _public(leaf) != own:
        raise BadGeneration("the certificate is for another key")
    if answer.terminal_id != terminal_id:
        raise BadGeneration("the certificate is for another terminal")


def _tls(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadGeneration("not an EC key")
    return key


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
