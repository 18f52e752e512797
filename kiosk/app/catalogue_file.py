"""The catalogue as it lies on the terminal's disk: verified each time, replaced by the sync process."""

from __future__ import annotations

import base64
from pathlib import Path

from kiosk.contract.bundle import Bundle, BundleError
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.signing import SignatureError, verify_bundle
from kiosk.core.profile import DataLayout


def hall_keys(layout: DataLayout) -> dict[str, bytes]:
    """The hall's signing keys, learnt at enrolment; OSError or ValueError when there was none."""
    enrolled = EnrolResponse.model_validate_json(Path(layout.terminal_json).read_bytes())
    return {key.id: base64.b64decode(key.public) for key in enrolled.keys if key.purpose == "sign"}


def load_catalogue_file(layout: DataLayout) -> Bundle | None:
    """The bundle, or None when there is none that verifies."""
    try:
        return verify_bundle(Path(layout.bundle_file).read_bytes(), hall_keys(layout))
    except (OSError, ValueError, BundleError, SignatureError):
        return None
