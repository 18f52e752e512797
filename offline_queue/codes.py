"""Codes on papers (扫码): whose they are, with the keys that this terminal believes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.signing import PublicKeys, QrClaim, QrClaims, SignatureError, SignedCode, read_qr
from kiosk.core.ports import KnownCode
from offline_queue.identity import Identity, current_keys, load_identity


class TerminalCodes:
    """Reads receipts and licences."""

    def __init__(self, identity: Identity, *, hall: Callable[[], PublicKeys]) -> None:
        """`hall` gives the hall's signing keys of now: a new bundle may bring another."""
        self._identity = identity
        self._hall = hall

    @classmethod
    def of(cls, data: Path) -> TerminalCodes:
        """From a terminal's data directory; raises NotEnrolled."""
        identity = load_identity(data)
        return cls(identity, hall=lambda: current_keys(identity, data).signing)

    def read(self, text: str) -> KnownCode | None:
        """None: none of our codes, or a damaged one. A bare application number counts as a receipt's."""
        number = _application_number(text)
        if number:
            return KnownCode("receipt", number, genuine=None)
        try:
            code = read_qr(text.strip())
            match code.claims.get(QrClaim.TYPE):
                case "R":
                    number = _application_number(_text(code.claims, QrClaim.NUMBER))
                    return KnownCode("receipt", number, self._ours(code)) if number else None
                case "L":
                    return KnownCode(
                        "licence",
                        _text(code.claims, QrClaim.NUMBER),
                        self._signed_by(code, self._hall()),
                        title=_text(code.claims, QrClaim.TITLE),
                        holder=_text(code.claims, QrClaim.HOLDER),
                        valid_to=_text(code.claims, QrClaim.VALID_TO),
                    )
                case _:
                    return None
        except SignatureError:
            return None

    def _ours(self, code: SignedCode) -> bool | None:
        """Receipts carry the key of the terminal that printed them; another terminal's only the hall can tell."""
        key = self._identity.signing
        return self._signed_by(code, {key.id: key.public}) if code.signer == key.id else None

    @staticmethod
    def _signed_by(code: SignedCode, keys: PublicKeys) -> bool:
        try:
            code.verify(keys)
        except SignatureError:
            return False
        return True


def _application_number(text: str) -> str:
    """In its plain form; empty if it is none."""
    try:
        return str(ApplicationNumber.parse(text.strip()))
    except ValueError:
        return ""


def _text(claims: QrClaims, name: QrClaim) -> str:
    value = claims.get(name, "")
    return value if isinstance(value, str) else ""
