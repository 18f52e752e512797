"""Makes licences and certificates (打证): typst sets the page, a signed code goes on it, pyHanko seals the PDF.

Refuses to print a name with a missing glyph: nobody gets a certificate with an empty box in her name.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from hall.layout import HallLayout
from hall.licences.glyphs import missing_glyphs
from hall.licences.people import Document
from kiosk.contract.signing import QrClaim, SigningKey, sign_qr
from kiosk.core.clock import CHINA
from kiosk.core.masking import mask_id_number

TEMPLATES = Path(__file__).with_name("templates")


class GlyphMissing(ValueError):
    """No font on this machine has a character that must be printed."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on one certificate. Dates are ISO; `rows` are label and value."""

    template: str
    title: str
    type_name: str
    number: str
    holder: str = field(repr=False)
    id_number: str = field(repr=False)
    issuer: str
    valid_from: str
    valid_to: str
    rows: Sequence[tuple[str, str]] = field(repr=False)
    words: str = field(default="", repr=False)
    """A sentence under the rows."""
    basis: str = ""


class Press:
    """One typst compiler, kept warm; one page at a time. Heavy libraries are loaded at the first page."""

    def __init__(self, *, layout: HallLayout, signing: SigningKey, hall_name: str) -> None:
        self._layout = layout
        self._signing = signing
        self._hall_name = hall_name
        self._one = threading.Lock()

    def make(self, paper: Paper, *, now: datetime) -> Document:
        """A sealed PDF; GlyphMissing."""
        facts = self._facts(paper, now)
        if missing := missing_glyphs(json.dumps(facts, ensure_ascii=False)):
            raise GlyphMissing(f"{len(missing)} characters have no glyph")
        with self._one:
            facts["qr"] = self._code(paper)
            plain: bytes = self._compiler.compile(
                input=TEMPLATES / f"{paper.template}.typ",
                format="pdf",
                sys_inputs={"facts": json.dumps(facts, ensure_ascii=False)},
                pdf_standards=["a-2b"],
                timestamp=int(now.timestamp()),
            )
            pdf = asyncio.run(self._seal(plain, paper, now))
        return Document(pdf, hashlib.sha256(pdf).hexdigest(), pages=1)

    def _facts(self, paper: Paper, now: datetime) -> dict[str, Any]:
        return {
            "title": paper.title,
            "number": paper.number,
            "holder": paper.holder,
            "masked_id": mask_id_number(paper.id_number),
            "issuer": paper.issuer,
            "valid_from": chinese_date(paper.valid_from),
            "valid_to": chinese_date(paper.valid_to),
            "rows": [list(row) for row in paper.rows],
            "words": paper.words,
            "basis": paper.basis,
            "issued": chinese_date(now.astimezone(CHINA).date().isoformat()),
            "hall": self._hall_name,
        }

    def _code(self, paper: Paper) -> str:
        """The signed claims as an SVG code; the full identity number is never among them."""
        import segno

        claims: dict[int, str | int | bytes] = {
            QrClaim.TYPE: "L",
            QrClaim.NUMBER: paper.number,
            QrClaim.HOLDER: paper.holder,
            QrClaim.MASKED_ID: mask_id_number(paper.id_number),
            QrClaim.ISSUER: paper.issuer,
            QrClaim.VALID_FROM: paper.valid_from,
            QrClaim.VALID_TO: paper.valid_to,
            QrClaim.TITLE: paper.type_name,
        }
        out = io.BytesIO()
        code = segno.make(sign_qr(claims, self._signing), error="m", boost_error=False, micro=False)
        code.save(out, kind="svg", border=0, scale=4, dark="#10213A", xmldecl=False)
        return out.getvalue().decode()

    @cached_property
    def _compiler(self) -> Any:
        import typst

        return typst.Compiler(root=TEMPLATES)

    @cached_property
    def _signer(self) -> Any:
        from pyhanko.sign.signers import SimpleSigner

        return SimpleSigner.load(
            key_file=str(self._layout.document_key),
            cert_file=str(self._layout.document_certificate),
            ca_chain_files=(str(self._layout.issuing_certificate), str(self._layout.root_certificate)),
        )

    async def _seal(self, plain: bytes, paper: Paper, now: datetime) -> bytes:
        """PAdES baseline (ETSI EN 319 142-1), over the entire file."""
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign.fields import SigSeedSubFilter
        from pyhanko.sign.signers import PdfSignatureMetadata, async_sign_pdf

        metadata = PdfSignatureMetadata(
            field_name="DianziYinzhang",
            subfilter=SigSeedSubFilter.PADES,
            name=paper.issuer,
            reason="电子证照",
            md_algorithm="sha256",
        )
        sealed = await async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(plain)), metadata, signer=self._signer)
        return bytes(sealed.getbuffer())


def chinese_date(iso: str) -> str:
    """2026-11-22 → 2026年11月22日; other words, such as 长期, stay as they are."""
    parts = iso.split("-")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return iso
    year, month, day = map(int, parts)
    return f"{year}年{month}月{day}日"


def row_values(rows: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Label and value pairs, empty values left out."""
    return tuple((label, value) for label, value in rows.items() if value)
