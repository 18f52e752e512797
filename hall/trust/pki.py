"""The hall's own small CA (X.509, RFC 5280): root, issuing CA, and what the issuing CA signs.

No server fits a hall that must run from one data directory, so it is done here with `cryptography`. Revocation needs
no list: the hall is the only relying party and looks up each serial in its own table.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey
Public = ec.EllipticCurvePublicKey
_SKEW = timedelta(minutes=10)
"""Clocks of terminals may be slow by this much."""
_YEAR = timedelta(days=365)
TERMINAL_DAYS = 90
_TERMINAL_URN = "urn:shimin:terminal:"


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA certificate and its key."""

    key: Key
    certificate: x509.Certificate

    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def new_key() -> Key:
    """P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    """Unencrypted PKCS#8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_key(pem: bytes) -> Key:
    """ValueError if it is no P-256 key."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an EC key")
    return key


def public_info(certificate: x509.Certificate) -> bytes:
    """DER SubjectPublicKeyInfo, what a ticket pins."""
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def serial_text(serial: int) -> str:
    """Hexadecimal, as stored and compared."""
    return f"{serial:x}"


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, sign: bool = False, ca: bool = False, commit: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=commit,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: Public,
    issuer_public: Public,
    now: datetime,
    life: timedelta = timedelta(days=TERMINAL_DAYS),
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - min(_SKEW, life / 9))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def make_root(organisation: str, *, now: datetime) -> Authority:
    """Self-signed, 20 years; its key hash is on every ticket."""
    key = new_key()
    name = _name("Citizens' Window Root", organisation)
    certificate = (
        _builder(name, name, key.public_key(), key.public_key(), now, 20 * _YEAR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def make_issuing(root: Authority, organisation: str, *, now: datetime) -> Authority:
    """The CA that works every day; 10 years."""
    key = new_key()
    certificate = (
        _builder(
            _name("Citizens' Window Issuing", organisation),
            root.certificate.subject,
            key.public_key(),
            root.key.public_key(),
            now,
            10 * _YEAR,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .sign(root.key, hashes.SHA256())
    )
    return Authority(key, certificate)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def issue_server(issuing: Authority, key: Key, names: Sequence[str], *, now: datetime) -> x509.Certificate:
    """TLS server certificate for these host names and addresses; one year, made anew at start when it gets old."""
    organisation = issuing.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    return (
        _builder(
            _name("hall", str(organisation)),
            issuing.certificate.subject,
            key.public_key(),
            issuing.key.public_key(),
            now,
            _YEAR,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .sign(issuing.key, hashes.SHA256())
    )


def issue_document_seal(issuing: Authority, key: Key, organisation: str, *, now: datetime) -> x509.Certificate:
    """The certificate under which licences are sealed (电子印章); content commitment only."""
    return (
        _builder(
            _name(f"{organisation}电子证照专用章", organisation),
            issuing.certificate.subject,
            key.public_key(),
            issuing.key.public_key(),
            now,
            5 * _YEAR,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True, commit=True), critical=True)
        .sign(issuing.key, hashes.SHA256())
    )


def issue_terminal(
    issuing: Authority,
    public: Public,
    terminal_id: str,
    *,
    now: datetime,
    life: timedelta = timedelta(days=TERMINAL_DAYS),
) -> x509.Certificate:
    """Client certificate of a terminal. Nothing of the request but its key is taken over."""
    return (
        _builder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, terminal_id)]),
            issuing.certificate.subject,
            public,
            issuing.key.public_key(),
            now,
            life,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(_TERMINAL_URN + terminal_id)]), critical=False
        )
        .sign(issuing.key, hashes.SHA256())
    )


def covers(certificate: x509.Certificate, names: Sequence[str], *, now: datetime) -> bool:
    """Is this server certificate good for these names for another month?"""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(extension.value) == {_alternative(name) for name in names} and (
        certificate.not_valid_after_utc > now + timedelta(days=30)
    )
