"""All keys of a hall, made once when its data directory is new."""

from __future__ import annotations

import base64
import os
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hall.layout import HallLayout
from hall.settings import HallSettings
from hall.store.files import private_directory, sync_directory, write_private
from hall.trust import pki
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
    opening: dict[str, SealingKey] = field(default_factory=dict, repr=False)
    """Every key that envelopes may be sealed to, by id: the present one, former ones, and one that comes next."""
    former_signing: tuple[bytes, ...] = ()
    """Raw public keys whose signatures stay good."""
    rotated: list[tuple[HallKey, ...]] = field(default_factory=list, repr=False)
    """What rotations have published since this hall began; the last one counts."""

    def published(self) -> tuple[HallKey, ...]:
        """The key list of bundles and enrolments."""
        if self.rotated:
            return self.rotated[-1]
        signing = (*self.former_signing, self.signing.public)
        keys = [("seal", self.sealing.public), *(("sign", public) for public in signing)]
        keys.append(("recovery", self.recovery_public))
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
    renew_server(layout, settings, now=now)


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


def renew_server(layout: HallLayout, settings: HallSettings, *, now: datetime) -> bool:
    """Make the TLS certificate anew if there is none, it has a month left or other names; True if it was made."""
    if layout.server_certificate.exists():
        current = x509.load_pem_x509_certificate(layout.server_certificate.read_bytes())
        if pki.covers(current, settings.tls_names, now=now):
            return False
    issuing = _issuing(layout)
    key = pki.new_key()
    certificate = pki.issue_server(issuing, key, settings.tls_names, now=now)
    private_directory(layout.server)
    write_private(layout.server_key, pki.key_pem(key))
    chain = certificate.public_bytes(Encoding.PEM) + issuing.pem()
    write_private(layout.server_certificate, pki.key_pem(key) + chain)
    return True


def _issuing(layout: HallLayout) -> pki.Authority:
    return pki.Authority(
        pki.load_key(layout.issuing_key.read_bytes()),
        x509.load_pem_x509_certificate(layout.issuing_certificate.read_bytes()),
    )


def rotate(layout: HallLayout) -> HallKeys:
    """换钥: new sealing and signing keys on the disk, the old ones beside them. What is on the disk afterwards.

    A crash anywhere leaves keys with which everything that was ever sealed opens; rotating again is harmless.
    """
    private_directory(layout.former_keys)
    sealing, signing = layout.sealing_key.read_bytes(), SigningKey.from_pem(layout.signing_key.read_bytes())
    write_private(layout.former_keys / f"{SealingKey.from_pem(sealing).id}.seal.key", sealing)
    write_private(layout.former_keys / f"{signing.id}.sign.pub", base64.b64encode(signing.public))
    write_private(layout.sealing_key, SealingKey.generate().pem())
    write_private(layout.signing_key, SigningKey.generate().pem())
    return load_keys(layout)


def load_keys(layout: HallLayout) -> HallKeys:
    """Read them; ValueError or OSError if one is missing or damaged."""
    sealing = SealingKey.from_pem(layout.sealing_key.read_bytes())
    former = sorted(layout.former_keys.glob("*.seal.key"))
    opening = [SealingKey.from_pem(path.read_bytes()) for path in former]
    signed = sorted(layout.former_keys.glob("*.sign.pub"))
    return HallKeys(
        root=x509.load_pem_x509_certificate(layout.root_certificate.read_bytes()),
        issuing=_issuing(layout),
        signing=SigningKey.from_pem(layout.signing_key.read_bytes()),
        sealing=sealing,
        opening={key.id: key for key in (*opening, sealing)},
        former_signing=tuple(base64.b64decode(path.read_bytes(), validate=True) for path in signed),
        recovery_public=base64.b64decode(layout.recovery_public.read_bytes(), validate=True),
        data_key=layout.data_key.read_bytes(),
    )
