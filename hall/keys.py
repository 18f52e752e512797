"""All keys of a hall, made once when its data directory is new."""

from __future__ import annotations

import base64
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hall import pki
from hall.files import private_directory, sync_directory, write_private
from hall.layout import HallLayout
from hall.settings import HallSettings
from kiosk.contract.bundle import HallKey
from kiosk.contract.sealing import SealingKey
from kiosk.contract.signing import SigningKey, key_id


@dataclass(frozen=True, slots=True)
class HallKeys:
    """Private keys in use, and the public ones that every terminal gets."""

    root: x509.Certificate
    issuing: pki.Authority
    signing: SigningKey
    sealing: SealingKey
    recovery_public: bytes
    data_key: bytes
    terminal_life: timedelta = timedelta(days=90)
    """Of a terminal's certificate."""

    def published(self) -> tuple[HallKey, ...]:
        """The key list of bundles and enrolments."""
        keys = (("seal", self.sealing.public), ("sign", self.signing.public), ("recovery", self.recovery_public))
        return tuple(
            HallKey(id=key_id(public), purpose=purpose, public=base64.b64encode(public).decode())
            for purpose, public in keys
        )

    def root_pem(self) -> bytes:
        """What terminals verify the hall with."""
        return self.root.public_bytes(Encoding.PEM)


def ensure_keys(layout: HallLayout, settings: HallSettings, *, now: datetime) -> None:
    """Make what is missing. All keys appear in one rename, so a crash leaves either none or all of them."""
    if not layout.keys.exists():
        fresh = HallLayout(layout.root / "keys.new")
        _make(fresh, settings, now=now)
        fresh.keys.rename(layout.keys)
        fresh.root.rmdir()
        sync_directory(layout.root)
    _renew_server(layout, settings, now=now)


def _make(fresh: HallLayout, settings: HallSettings, *, now: datetime) -> None:
    shutil.rmtree(fresh.root, ignore_errors=True)
    private_directory(fresh.keys)
    authority = pki.make_root(settings.name, now=now)
    issuing = pki.make_issuing(authority, settings.name, now=now)
    document = pki.new_key()
    recovery = SealingKey.generate()
    files = {
        fresh.root_key: pki.key_pem(authority.key),
        fresh.root_certificate: authority.pem(),
        fresh.issuing_key: pki.key_pem(issuing.key),
        fresh.issuing_certificate: issuing.pem(),
        fresh.document_key: pki.key_pem(document),
        fresh.document_certificate: pki.issue_document_seal(issuing, document, settings.name, now=now).public_bytes(
            Encoding.PEM
        ),
        fresh.signing_key: SigningKey.generate().pem(),
        fresh.sealing_key: SealingKey.generate().pem(),
        fresh.recovery_key: recovery.pem(),
        fresh.recovery_public: base64.b64encode(recovery.public),
        fresh.data_key: os.urandom(32),
    }
    for path, data in files.items():
        write_private(path, data)


def _renew_server(layout: HallLayout, settings: HallSettings, *, now: datetime) -> None:
    if layout.server_certificate.exists():
        current = x509.load_pem_x509_certificate(layout.server_certificate.read_bytes())
        if pki.covers(current, settings.tls_names, now=now):
            return
    issuing = _issuing(layout)
    key = pki.new_key()
    certificate = pki.issue_server(issuing, key, settings.tls_names, now=now)
    private_directory(layout.server)
    write_private(layout.server_key, pki.key_pem(key))
    chain = certificate.public_bytes(Encoding.PEM) + issuing.pem()
    write_private(layout.server_certificate, pki.key_pem(key) + chain)


def _issuing(layout: HallLayout) -> pki.Authority:
    return pki.Authority(
        pki.load_key(layout.issuing_key.read_bytes()),
        x509.load_pem_x509_certificate(layout.issuing_certificate.read_bytes()),
    )


def load_keys(layout: HallLayout) -> HallKeys:
    """Read them; ValueError or OSError if one is missing or damaged."""
    return HallKeys(
        root=x509.load_pem_x509_certificate(layout.root_certificate.read_bytes()),
        issuing=_issuing(layout),
        signing=SigningKey.from_pem(layout.signing_key.read_bytes()),
        sealing=SealingKey.from_pem(layout.sealing_key.read_bytes()),
        recovery_public=base64.b64decode(layout.recovery_public.read_bytes(), validate=True),
        data_key=layout.data_key.read_bytes(),
    )
