"""A new data directory without a hall: throw-away keys, so that technicians and tests can try the queue at once.

The keys of the hall that does not exist are forgotten, so nobody can ever open what is filed under them; unless a test
asks to keep them, and then it can be that hall.
"""

from __future__ import annotations

import base64
import fcntl
import ipaddress
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.contract.bundle import HallKey
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.sealing import SealingKey
from kiosk.contract.signing import SigningKey
from kiosk.contract.wire import canonical_json
from kiosk.core.profile import DataLayout
from offline_queue.disk.files import make_directory, sync_directory

TERMINAL_ID, REGION = "T000", "440699"
"""440699 is assigned to no place."""
_LIFE = timedelta(days=365)
_Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Ca:
    key: _Key
    name: x509.Name
    certificate: bytes


def ensure_identity(data: Path, *, hall_keys: Path | None = None, terminal_id: str = TERMINAL_ID) -> bool:
    """Make an identity where there is none; True if it was made now. OSError.

    It appears whole or not at all. `hall_keys`: where the keys of the hall that does not exist are kept, as
    ``signing.key``, ``sealing.key``, ``recovery.key``, ``server.key``, ``server.pem``, ``ca.pem``.
    """
    layout = DataLayout(data)
    identity = Path(layout.identity)
    if identity.exists():
        return False
    make_directory(data)
    lock = os.open(data / "identity.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if identity.exists():  # somebody else was quicker
            return False
        fresh = DataLayout(data / "identity.new")
        shutil.rmtree(fresh.root, ignore_errors=True)
        make_directory(Path(fresh.identity))
        _fill(fresh, hall_keys, terminal_id)
        Path(fresh.identity).rename(identity)
        sync_directory(data)
        Path(fresh.root).rmdir()
        return True
    finally:
        os.close(lock)


def _fill(layout: DataLayout, hall_keys: Path | None, terminal_id: str) -> None:
    signing, sealing, recovery = SigningKey.generate(), SealingKey.generate(), SealingKey.generate()
    ca = _make_ca()
    client, client_key = _leaf(ca, terminal_id)
    response = EnrolResponse(
        terminal_id=terminal_id,
        region=REGION,
        site_name="throw-away",
        certificate=client.decode(),
        ca=ca.certificate.decode(),
        keys=tuple(
            HallKey(id=key.id, purpose=purpose, public=base64.b64encode(key.public).decode())
            for purpose, key in (("sign", signing), ("seal", sealing), ("recovery", recovery))
        ),
        expires_at=datetime.now(UTC) + _LIFE,
    )
    files = {
        layout.signing_key: SigningKey.generate().pem(),
        layout.tls_key: client_key,
        layout.tls_certificate: client,
        layout.ca: ca.certificate,
        layout.terminal_json: canonical_json(response),
    }
    for path, content in files.items():
        _write(Path(path), content)
    sync_directory(Path(layout.identity))
    if hall_keys is None:
        return
    server, server_key = _leaf(ca, "127.0.0.1")
    make_directory(hall_keys)
    kept = {
        "signing.key": signing.pem(),
        "sealing.key": sealing.pem(),
        "recovery.key": recovery.pem(),
        "server.pem": server,
        "server.key": server_key,
        "ca.pem": ca.certificate,
    }
    for name, content in kept.items():
        _write(hall_keys / name, content)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _make_ca() -> _Ca:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away root")])
    certificate = _builder(name, name, key.public_key(), ca=True).sign(key, hashes.SHA256())
    return _Ca(key, name, certificate.public_bytes(serialization.Encoding.PEM))


def _leaf(ca: _Ca, common: str) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        _builder(name, ca.name, key.public_key(), ca=False)
        .add_extension(here, critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), pem


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer_name=issuer, subject_name=name, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
