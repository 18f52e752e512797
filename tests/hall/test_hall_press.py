"""Licences: sealed over the entire file, signed code on the paper, no empty boxes, no full number."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from hall.hall import Hall, open_hall
from hall.licences.press import TEMPLATES, GlyphMissing, Paper, chinese_date
from hall.store.moments import years_later
from kiosk.contract.signing import QrClaim, SignatureError, verify_qr

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    opened = open_hall(tmp_path_factory.mktemp("press") / "hall")
    yield opened
    opened.close()


def paper(template: str = "residence_permit", *, holder: str = "陈秀䶮") -> Paper:
    return Paper(
        template=template,
        title="居住证",
        type_name="居住证",
        number="JZ4406042026000123",
        holder=holder,
        id_number="44069919480308002X",
        issuer="公安局",
        valid_from="2026-11-22",
        valid_to="2027-11-21",
        rows=(("居住地址", "样本市样本路1号"),),
        basis="《居住证暂行条例》第十条",
    )


@pytest.fixture(scope="module")
def pdf(hall: Hall) -> bytes:
    return hall.press.make(paper(), now=NOW).pdf


def seal_of(hall: Hall, pdf: bytes) -> tuple[bool, SignatureCoverageLevel]:
    trust = ValidationContext(
        trust_roots=[load_cert_from_pemder(str(hall.layout.root_certificate))], allow_fetching=False
    )
    [signature] = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    status = validate_pdf_signature(signature, signer_validation_context=trust)
    return bool(status.bottom_line), status.coverage


def test_sealed_over_the_entire_file_under_the_halls_root(hall: Hall, pdf: bytes) -> None:
    assert seal_of(hall, pdf) == (True, SignatureCoverageLevel.ENTIRE_FILE)


def test_one_changed_byte_breaks_the_seal(hall: Hall, pdf: bytes) -> None:
    changed = bytearray(pdf)
    changed[changed.index(b"stream") + 20] ^= 1
    assert seal_of(hall, bytes(changed))[0] is False


def test_the_code_on_the_paper_verifies(hall: Hall, pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "licence.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-r", "150", "-png", "-singlefile", "licence.pdf", "page"]
    subprocess.run(command, cwd=tmp_path, check=True)
    [code] = zxingcpp.read_barcodes(Image.open(tmp_path / "page.png"))
    claims = verify_qr(code.text, {hall.keys.signing.id: hall.keys.signing.public})
    assert claims[QrClaim.TYPE] == "L"
    assert claims[QrClaim.NUMBER] == "JZ4406042026000123"
    assert claims[QrClaim.HOLDER] == "陈秀䶮"
    assert claims[QrClaim.MASKED_ID] == "440699********002X"
    with pytest.raises(SignatureError):
        verify_qr(code.text[:-1] + ("A" if code.text[-1] != "A" else "B"), {hall.keys.signing.id: bytes(32)})


def test_what_stands_on_it(pdf: bytes) -> None:
    [page] = PdfReader(io.BytesIO(pdf)).pages
    text = page.extract_text().replace("\n", "")
    for words in ("居住证", "陈秀䶮", "440699********002X", "2026年11月22日", "2027年11月21日", "样本路1号", "公安局"):
        assert words.replace(" ", "") in text.replace(" ", "")
    assert b"44069919480308002X" not in pdf
    assert "44069919480308002X" not in text
    assert b"pdfaid" in pdf, "archival PDF"


@pytest.mark.parametrize("template", sorted(path.stem for path in TEMPLATES.glob("*.typ") if path.stem != "common"))
def test_every_template_fills_one_page(hall: Hall, template: str) -> None:
    made = hall.press.make(paper(template, holder="买买提江·吐尔逊阿卜杜拉"), now=NOW)
    assert len(PdfReader(io.BytesIO(made.pdf)).pages) == made.pages == 1


def test_rare_characters_are_printed_and_unknown_ones_refused(hall: Hall) -> None:
    assert hall.press.make(paper(holder="䶮𬱖㭎𠅤㛃𨭎𣲗"), now=NOW).pages == 1
    with pytest.raises(GlyphMissing) as refused:
        hall.press.make(paper(holder="陈\U000e0fff"), now=NOW)
    assert "陈" not in str(refused.value)


def test_dates() -> None:
    assert chinese_date("2026-01-05") == "2026年1月5日"
    assert chinese_date("长期") == "长期"
    assert years_later(datetime(2024, 2, 29, tzinfo=UTC).date(), 1).isoformat() == "2025-02-28"
    assert years_later(NOW.date(), 1).isoformat() == "2027-11-21"
