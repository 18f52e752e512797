"""Who this terminal is, and which keys of the hall it believes: files that enrolment left in ``identity/``.

The hall's keys come from enrolment; a verified bundle may add signing keys and replace the sealing keys.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from kiosk.contract.bundle import Bundle, BundleError, HallKey
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.signing import PublicKeys, SignatureError, SigningKey, key_id, verify_bundle
from kiosk.core.profile import DataLayout

_RAW_KEY_BYTES = 32
LINKS = "links/[0-9]*.cwb"
"""Beside the current bundle: those that brought a signing key."""


class NotEnrolled(RuntimeError):
    """The identity is missing or unusable; `provision enrol` makes one. The message names the file."""


@dataclass(frozen=True, slots=True)
class HallKeys:
    """Raw public keys of the hall."""

    signing: PublicKeys
    """Receipts, bundles and print jobs, by key id."""
    sealing: bytes
    recovery: bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled terminal."""

    terminal_id: str
    signing: SigningKey = field(repr=False)
    enrolled_keys: tuple[HallKey, ...]
    tls_certificate: Path
    tls_key: Path
    ca: Path


def load_enrolment(data: Path) -> EnrolResponse:
    """What the hall said of this terminal; raises NotEnrolled."""
    try:
        return EnrolResponse.model_validate_json(Path(DataLayout(data).terminal_json).read_bytes())
    except FileNotFoundError as error:
        raise NotEnrolled(f"{Path(error.filename).name} is missing") from None
    except ValidationError as error:
        raise NotEnrolled(f"terminal.json has {error.error_count()} faults") from None


def load_identity(data: Path) -> Identity:
    """Read ``identity/`` below a data directory; raises NotEnrolled."""
    layout = DataLayout(data)
    enrolment = load_enrolment(data)
    try:
        signing = SigningKey.from_pem(Path(layout.signing_key).read_bytes())
    except FileNotFoundError as error:
        raise NotEnrolled(f"{Path(error.filename).name} is missing") from None
    except ValueError:
        raise NotEnrolled("signing.key holds no key") from None
    for path in (layout.tls_certificate, layout.tls_key, layout.ca):
        if not Path(path).is_file():
            raise NotEnrolled(f"{path.name} is missing")
    return Identity(
        terminal_id=enrolment.terminal_id,
        signing=signing,
        enrolled_keys=enrolment.keys,
        tls_certificate=Path(layout.tls_certificate),
        tls_key=Path(layout.tls_key),
        ca=Path(layout.ca),
    )


def current_keys(identity: Identity, data: Path) -> HallKeys:
    """The keys to believe now: those of enrolment, and those of the bundle on disk if it verifies; NotEnrolled."""
    file = Path(DataLayout(data).bundle_file)
    known = linked_keys(identity.enrolled_keys, file)
    bundle = read_bundle(file, hall_keys(known).signing)
    return hall_keys(known if bundle is None else (*known, *bundle.keys))


def believed_keys(data: Path) -> PublicKeys:
    """The hall's signing keys to believe now; none on a terminal that is not enrolled."""
    try:
        return current_keys(load_identity(data), data).signing
    except NotEnrolled:
        return {}


def linked_keys(enrolled: tuple[HallKey, ...], bundle_file: Path) -> tuple[HallKey, ...]:
    """Those of enrolment, and the signing keys that came later (换钥): each in a bundle that a key before it signed."""
    known = enrolled
    links = (path for path in bundle_file.parent.glob(LINKS) if path.stem.isdecimal())
    for link in sorted(links, key=lambda path: int(path.stem)):
        if (bundle := read_bundle(link, hall_keys(known).signing)) is not None:
            known = (*known, *(key for key in bundle.keys if key.purpose == "sign"))
    return known


def read_bundle(path: Path, signing: PublicKeys) -> Bundle | None:
    """The bundle on disk, or None if there is none that can be read and that a believed key signed."""
    try:
        return verify_bundle(path.read_bytes(), signing)
    except (OSError, BundleError, SignatureError):
        return None


def hall_keys(keys: tuple[HallKey, ...]) -> HallKeys:
    """Sorted by purpose, later ones win; NotEnrolled if one is missing or is no key."""
    signing: dict[str, bytes] = {}
    single: dict[str, bytes] = {}
    for key in keys:
        raw = _raw(key)
        if key.purpose == "sign":
            signing[key.id] = raw
        else:
            single[key.purpose] = raw
    missing = [purpose for purpose in ("seal", "recovery") if purpose not in single]
    if missing or not signing:
        raise NotEnrolled("the hall gave no key for: " + ", ".join(missing or ["sign"]))
    return HallKeys(signing=signing, sealing=single["seal"], recovery=single["recovery"])


def _raw(key: HallKey) -> bytes:
    try:
        raw = base64.b64decode(key.public, validate=True)
    except (binascii.Error, ValueError):
        raise NotEnrolled(f"hall key {key.id} is not base64") from None
    if len(raw) != _RAW_KEY_BYTES or key_id(raw) != key.id:
        raise NotEnrolled(f"hall key {key.id} does not match its id")
    return raw
