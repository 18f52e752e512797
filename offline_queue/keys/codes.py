"""Codes on papers (扫码): whose they are, with the keys that this terminal believes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.contract.bundle import licence_mark
from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.signing import PublicKeys, QrClaim, QrClaims, SignatureError, SignedCode, key_id, read_qr
from kiosk.core.ports import KnownCode
from kiosk.core.profile import DataLayout
from offline_queue.keys.identity import Identity, current_keys, load_identity, read_bundle


@dataclass(frozen=True, slots=True)
class HallWord:
    """What the hall says of its papers."""

    signing: PublicKeys
    withdrawn: frozenset[str] = frozenset()
    """Licences that are no longer good, by `licence_mark`."""


def hall_word(identity: Identity, data: Path) -> HallWord:
    """By the newest bundle on this disk."""
    signing = current_keys(identity, data).signing
    bundle = read_bundle(Path(DataLayout(data).bundle_file), signing)
    return HallWord(signing, frozenset(bundle.withdrawn) if bundle else frozenset())


class TerminalCodes:
    """Reads receipts and licences."""

    def __init__(self, own: PublicKeys, *, hall: Callable[[], HallWord]) -> None:
        """`own`: this terminal's signing keys, former ones too; `hall` gives what the hall says now."""
        self._own = own
        self._hall = hall

    @classmethod
    def of(cls, data: Path) -> TerminalCodes:
        """From a terminal's data directory; raises NotEnrolled."""
        identity = load_identity(data)
        return cls(own_keys(identity, data), hall=lambda: hall_word(identity, data))

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
                    number, hall = _text(code.claims, QrClaim.NUMBER), self._hall()
                    return KnownCode(
                        "licence",
                        number,
                        self._signed_by(code, hall.signing),
                        title=_text(code.claims, QrClaim.TITLE),
                        holder=_text(code.claims, QrClaim.HOLDER),
                        valid_to=_text(code.claims, QrClaim.VALID_TO),
                        withdrawn=licence_mark(number) in hall.withdrawn,
                    )
                case _:
                    return None
        except SignatureError:
            return None

    def _ours(self, code: SignedCode) -> bool | None:
        """Receipts carry the key of the terminal that printed them; another terminal's only the hall can tell."""
        return self._signed_by(code, self._own) if code.signer in self._own else None

    @staticmethod
    def _signed_by(code: SignedCode, keys: PublicKeys) -> bool:
        try:
            code.verify(keys)
        except SignatureError:
            return False
        return True


def own_keys(identity: Identity, data: Path) -> PublicKeys:
    """The key that this terminal signs with and those that it signed with before a renewal (证书续期)."""
    former = Path(DataLayout(data).identity / "former.keys")
    raw = former.read_bytes() if former.is_file() else b""
    keys = [raw[at : at + 32] for at in range(0, len(raw) - 31, 32)]
    return {key_id(public): public for public in (*keys, identity.signing.public)}


def _application_number(text: str) -> str:
    """In its plain form; empty if it is none."""
    try:
        return str(ApplicationNumber.parse(text.strip()))
    except ValueError:
        return ""


def _text(claims: QrClaims, name: QrClaim) -> str:
    value = claims.get(name, "")
    return value if isinstance(value, str) else ""
