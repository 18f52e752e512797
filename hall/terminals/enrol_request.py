"""What an enrolment request proves: two keys, and that the sender holds them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hall.problem import Refused
from kiosk.contract.enrolment import EnrolRequest
from kiosk.contract.problems import ProblemCode


@dataclass(frozen=True, slots=True)
class TerminalKeys:
    """What an enrolment request proved to hold."""

    tls: ec.EllipticCurvePublicKey
    csr_der: bytes
    signing_public: bytes

    def fingerprint(self) -> str:
        """Names this pair of keys, however the request was encoded."""
        info = self.tls.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(info + self.signing_public).hexdigest()


def read_keys(request: EnrolRequest) -> TerminalKeys:
    """Check an enrolment request's keys: P-256 with proof of possession, Ed25519; Refused."""
    try:
        csr = x509.load_pem_x509_csr(request.csr.encode())
        public = csr.public_key()
        signing_public = base64.b64decode(request.signing_public, validate=True)
        Ed25519PublicKey.from_public_bytes(signing_public)
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
            raise Refused(ProblemCode.MALFORMED, "the key is not P-256")
        if not csr.is_signature_valid:
            raise Refused(ProblemCode.MALFORMED, "the request is not signed by its key")
    except Refused:
        raise
    except Exception as error:  # noqa: BLE001 - the X.509 parser fails in many ways on hostile bytes
        raise Refused(ProblemCode.MALFORMED, f"no certificate request ({type(error).__name__})") from None
    return TerminalKeys(public, csr.public_bytes(serialization.Encoding.DER), signing_public)
