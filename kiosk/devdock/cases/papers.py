"""Looks at printed papers with other eyes than ours: OCR for the words, zxing for the code, pyHanko for the seal."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kiosk.contract.signing import QrClaim, SignatureError, verify_qr


class PaperWrong(AssertionError):
    """A paper is not as it must be."""


def read_words(png: bytes) -> str:
    """Every text line on a picture, top to bottom (independent OCR engine with its own model)."""
    import numpy
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    found, _ = _reader()(numpy.asarray(picture), use_cls=False)  # papers lie the right way up
    return "\n".join(line[1] for line in found or [])


@cache
def _reader() -> Any:
    """Three models from files: made once."""
    # Asked when it is loaded: by itself it reports to its makers and leaves a session's number in the temporary folder.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from rapidocr_onnxruntime import RapidOCR

    # A second thread mostly waits, and does so at the cost of a whole core.
    return RapidOCR(intra_op_num_threads=1)


def read_code(png: bytes) -> str:
    """Text of the QR code on a picture; PaperWrong if there is none."""
    import zxingcpp
    from PIL import Image

    codes = zxingcpp.read_barcodes(Image.open(io.BytesIO(png)).convert("L"))
    texts = [str(code.text) for code in codes]
    if not texts:
        raise PaperWrong("no readable code on the paper")
    return texts[0]


def check_receipt(png: bytes, *, words: tuple[str, ...], keys: Mapping[str, bytes], number: str) -> dict[str, Any]:
    """A receipt: every wanted word readable, the code verifies with the terminal's key and names this number."""
    text = _squeeze(read_words(png))
    missing = [word for word in words if _squeeze(word) not in text]
    if missing:
        raise PaperWrong(f"receipt lacks {missing}; it says: {text[:400]}")
    claims = _claims(read_code(png), keys)
    if claims.get(QrClaim.TYPE) != "R" or claims.get(QrClaim.NUMBER) != number:
        raise PaperWrong("the receipt's code is about something else")
    return {"words": list(words), "code": "verified", "number_matches": True}


def check_page(
    pdf: bytes, png: bytes, *, words: tuple[str, ...], keys: Mapping[str, bytes], root: Path
) -> dict[str, Any]:
    """A licence: seal covers the whole file and chains to the hall's root, code verifies, words are there."""
    seal = _check_seal(pdf, root)
    claims = _claims(read_code(png), keys)
    if claims.get(QrClaim.TYPE) != "L":
        raise PaperWrong("the page's code is no licence code")
    text = _squeeze(read_words(png))
    missing = [word for word in words if _squeeze(word) not in text]
    if missing:
        raise PaperWrong(f"page lacks {missing}; it says: {text[:400]}")
    return {"seal": seal, "code": "verified", "words": list(words)}


def _check_seal(pdf: bytes, root: Path) -> str:
    from pyhanko.keys import load_cert_from_pemder
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if len(signatures) != 1:
        raise PaperWrong(f"{len(signatures)} seals on the page")
    context = ValidationContext(trust_roots=[load_cert_from_pemder(str(root))], allow_fetching=False)
    status = validate_pdf_signature(signatures[0], context)
    if not (status.intact and status.valid and status.trusted):
        raise PaperWrong("the seal does not verify")
    return f"valid, trusted, covers {status.coverage.name.lower()}"


def _claims(text: str, keys: Mapping[str, bytes]) -> dict[int, str | int | bytes]:
    try:
        return verify_qr(text, keys)
    except SignatureError as error:
        raise PaperWrong(f"code: {error}") from None


def _squeeze(text: str) -> str:
    """Without spaces and with one kind of punctuation: OCR does not tell full from half width."""
    table = str.maketrans("：，。（）；", ":,.();")
    return re.sub(r"\s+", "", text).translate(table)
