"""The bundle on disk (事项目录): only ever replaced by a newer one that the hall signed."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

from kiosk.contract.bundle import Bundle, BundleError, HallKey
from kiosk.contract.signing import SignatureError, verify_bundle
from kiosk.contract.sync import BundleManifest
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.files import make_directory, write_durably
from offline_queue.keys.identity import HallKeys, NotEnrolled, hall_keys, linked_keys, read_bundle


class BundleRefused(StrEnum):
    """Why a fetched bundle was not taken."""

    HASH = "bundle_hash"
    UNSIGNED = "bundle_unsigned"
    GARBAGE = "bundle_garbage"
    OTHER_NUMBER = "bundle_other_number"
    NOT_WRITTEN = "bundle_not_written"


class BundleKeeper:
    """Keeps ``bundle/current.cwb`` and the hall's keys that follow from it."""

    def __init__(self, path: Path, *, enrolled_keys: tuple[HallKey, ...]) -> None:
        """Raises NotEnrolled if enrolment left no usable keys."""
        self._path = path
        self._enrolled = linked_keys(enrolled_keys, path)
        self.keys = hall_keys(self._enrolled)
        """The keys to believe now."""
        self.number = 0
        """Of the bundle on disk; 0 when there is none that verifies."""
        if (bundle := read_bundle(path, self.keys.signing)) is not None:
            self.number = bundle.number
            self.keys = hall_keys((*self._enrolled, *bundle.keys))

    def held(self) -> bytes:
        """The file on disk; empty if it cannot be read."""
        try:
            return self._path.read_bytes()
        except OSError:
            return b""

    def wants(self, manifest: BundleManifest) -> bool:
        """Is a newer one published? An older number is never taken."""
        return manifest.number > self.number

    def learn(self, raw: bytes) -> bool:
        """An older bundle that a believed key signed, and that brings a signing key which is new here (换钥)."""
        try:
            bundle = verify_bundle(raw, self.keys.signing)
            return self._link(bundle, raw)
        except (SignatureError, BundleError, NotEnrolled, OSError):
            return False

    def _link(self, bundle: Bundle, raw: bytes) -> bool:
        """Keep what brought a key: without it the next bundle could not be verified after a restart."""
        fresh = tuple(key for key in bundle.keys if key.purpose == "sign" and key.id not in self.keys.signing)
        if not fresh:
            return False
        link = self._path.parent / "links" / f"{bundle.number}.cwb"
        make_directory(link.parent)
        write_durably(link, raw, temporary=link.with_suffix(".tmp"))
        self._enrolled = (*self._enrolled, *fresh)
        self.keys = HallKeys(
            {**self.keys.signing, **hall_keys(self._enrolled).signing}, self.keys.sealing, self.keys.recovery
        )
        return True

    def take(self, raw: bytes, manifest: BundleManifest) -> Result[None, BundleRefused]:
        """Verify and replace."""
        if hashlib.sha256(raw).hexdigest() != manifest.sha256:
            return Err(BundleRefused.HASH)
        try:
            bundle = verify_bundle(raw, self.keys.signing)
            keys = hall_keys((*self._enrolled, *bundle.keys))
        except SignatureError:
            return Err(BundleRefused.UNSIGNED)
        except (BundleError, NotEnrolled):
            return Err(BundleRefused.GARBAGE)
        if bundle.number != manifest.number:
            return Err(BundleRefused.OTHER_NUMBER)
        try:
            make_directory(self._path.parent)
            self._link(bundle, raw)
            write_durably(self._path, raw, temporary=self._path.with_suffix(".tmp"))
        except OSError:
            return Err(BundleRefused.NOT_WRITTEN)
        self.number, self.keys = bundle.number, keys
        return Ok(None)
