"""The page of a deep self-test (测试页), a PDF made by hand; pure.

One A4 sheet in Helvetica, one of the 14 fonts that every PDF reader has (ISO 32000-1 §9.6.2.2): lines of text, a frame
five millimetres from the edge that shows whether the paper lies straight, and a wedge of greys that shows the toner.
"""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT = 595, 842
_MARGIN = 14
_GREYS = 11


def proof_sheet(title: str, lines: Sequence[str]) -> bytes:
    """The PDF. Characters that the font lacks become question marks."""
    drawing = b"\n".join((_frame(), _wedge(), _text(title, lines)))
    return _file(
        (
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents 4 0 R"
            b" /Resources << /Font << /F 5 0 R >> >> >>" % (WIDTH, HEIGHT),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        )
    )


def _frame() -> bytes:
    return b"1 w %d %d %d %d re S" % (_MARGIN, _MARGIN, WIDTH - 2 * _MARGIN, HEIGHT - 2 * _MARGIN)


def _wedge() -> bytes:
    """Black to white in equal steps, each outlined."""
    return (
        b"\n".join(b"%.1f g %d 120 40 60 re B" % (step / (_GREYS - 1), 70 + 41 * step) for step in range(_GREYS))
        + b"\n0 g"
    )


def _text(title: str, lines: Sequence[str]) -> bytes:
    shown = [b"BT /F 22 Tf 70 740 Td (%s) Tj" % _escaped(title), b"/F 11 Tf 0 -20 Td 18 TL"]
    shown += [b"(%s) '" % _escaped(line) for line in lines]
    return b"\n".join((*shown, b"ET"))


def _escaped(text: str) -> bytes:
    """A literal string's inside (ISO 32000-1 §7.3.4.2)."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text).encode("cp1252", "replace")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _file(objects: Sequence[bytes]) -> bytes:
    """Objects numbered from 1 with the table of where they are; the first is the root."""
    out = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        out += b"%010d 00000 n \n" % place
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
