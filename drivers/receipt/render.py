"""A receipt (回执) as a 1-bit picture 576 dots wide: 80 mm paper, 72 mm printable, 203 dots per inch (8 per mm).

Made for a reader of 78 years: body 30 dots (3.8 mm) high, the numbers she needs again in a frame of their own.
"""

from __future__ import annotations

import re
from typing import assert_never

import segno
from PIL import Image

from drivers.receipt.canvas import MARGIN, WIDTH, Canvas, Type
from drivers.receipt.fonts import FontBook
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule, Style
from kiosk.core.result import Err, Ok, Result

CONTENT = WIDTH - 2 * MARGIN
KEY_LABELS = frozenset({"受理编号", "查询码"})
"""What a citizen copies or reads out on the telephone: framed and big."""
MIN_MODULE = 3
"""Dots a QR module; below, cheap phones fail on thermal paper."""
_MAX_MODULE = 8
_QR_SIDE = 400
_QR_QUIET = 4
_LABEL_GAP = 20
_MAX_LABEL = 150

_STYLES: dict[Style, Type] = {
    "title": Type(52, 68, bold=True, centred=True, tracking=8),
    "subtitle": Type(30, 44, centred=True),
    "body": Type(30, 43),
    "strong": Type(32, 46, bold=True),
    "small": Type(25, 36),
    "number": Type(56, 72, bold=True, centred=True),
    "center": Type(30, 43, centred=True),
    "center_small": Type(25, 36, centred=True),
}
_LABEL = Type(28, 43)
_VALUE = Type(30, 43, bold=True)
_PROSE = Type(30, 43)
"""A value of three lines and more is read, not looked up: no bold."""
_KEY_LABEL = Type(26, 36, centred=True)
_SMALLEST_NUMBER = 44
_LIST_MARK = re.compile(r"(?:\d{1,2}[.、]|[□☐•·—-]) *")
"""Head of a list entry; its further lines are indented to the text."""


def render(receipt: Receipt, book: FontBook) -> Result[Image.Image, DeviceError]:
    """Mode "1", width 576, 0 is ink; GLYPH_MISSING if one character is in no font: never a box on paper."""
    unknown = frozenset().union(*(book.missing(text) for block in receipt.blocks for text in _texts(block)))
    if unknown:
        planes = ", ".join(sorted({f"plane {ord(character) >> 16}" for character in unknown}))
        return Err(DeviceError(Fault.GLYPH_MISSING, f"{len(unknown)} characters in no font ({planes})"))
    canvas = Canvas(book)
    column = _value_column(canvas, receipt.blocks)
    blocks = list(receipt.blocks)
    while blocks:
        keys = _leading_keys(blocks)
        if keys:
            _draw_keys(canvas, keys)
            del blocks[: len(keys)]
            continue
        try:
            _draw(canvas, blocks.pop(0), column)
        except segno.DataOverflowError:
            return Err(DeviceError(Fault.GLYPH_MISSING, "QR code cannot hold its text"))
    return Ok(canvas.finish())


def _texts(block: Block) -> tuple[str, ...]:
    """What of a block is set in type."""
    match block:
        case Line(text):
            return tuple(text.split("\n"))
        case Pair(label, value):
            return (label, *value.split("\n"))
        case Code(_, caption):
            return tuple(caption.split("\n"))
        case Rule():
            return ()
        case _:
            assert_never(block)


def _draw(canvas: Canvas, block: Block, column: int) -> None:
    match block:
        case Line(text, style):
            _draw_line(canvas, text, style)
        case Pair(label, value):
            _draw_pair(canvas, label, value, column)
        case Rule(dashed):
            canvas.room(40)
            canvas.y += 14
            canvas.rule(dashed=dashed)
            canvas.y += 18
        case Code(data, caption):
            _draw_code(canvas, data, caption)
        case _:
            assert_never(block)


def _draw_line(canvas: Canvas, text: str, style: Style) -> None:
    kind = _STYLES[style]
    if style == "number":
        _draw_number(canvas, text)
        return
    if style == "strong":
        canvas.y += 8
    for paragraph in text.split("\n"):
        mark = None if kind.centred else _LIST_MARK.match(paragraph)
        if mark is None:
            _draw_text(canvas, paragraph, kind)
            continue
        indent = MARGIN + round(canvas.width(mark[0], kind))
        canvas.room(kind.leading)
        canvas.text(MARGIN, _baseline(canvas.y, kind), mark[0], kind)
        _draw_text(canvas, paragraph[mark.end() :], kind, left=indent)


def _draw_text(canvas: Canvas, text: str, kind: Type, *, left: int = MARGIN, right: int = WIDTH - MARGIN) -> None:
    """A paragraph between two edges."""
    for line in canvas.lines(text, kind, right - left):
        canvas.room(kind.leading)
        x = left + (right - left - canvas.width(line, kind)) / 2 if kind.centred else float(left)
        canvas.text(x, _baseline(canvas.y, kind), line, kind)
        canvas.y += kind.leading


def _baseline(top: int, kind: Type) -> int:
    """Where a line of this style stands in its leading: a hanzi reaches from 0.88 em above to 0.12 em below."""
    return top + (kind.leading - kind.size) // 2 + round(kind.size * 0.88)


def _value_column(canvas: Canvas, blocks: tuple[Block, ...]) -> int:
    """Where all values of a receipt begin."""
    labels = [block.label for block in blocks if isinstance(block, Pair) and block.label not in KEY_LABELS]
    widths = [canvas.width(label, _LABEL) for label in labels]
    return MARGIN + round(max((width for width in widths if width <= _MAX_LABEL), default=0)) + _LABEL_GAP


def _draw_pair(canvas: Canvas, label: str, value: str, column: int) -> None:
    """Label left, value in the common column; a long label gets its own line."""
    canvas.room(_LABEL.leading)
    available = column - _LABEL_GAP - MARGIN
    baseline = _baseline(canvas.y, _VALUE)
    if canvas.width(label, _LABEL) > available:
        _draw_text(canvas, label, _LABEL)
        _draw_text(canvas, value, _VALUE, left=MARGIN + 30)
    else:
        _draw_label(canvas, label, baseline, available)
        long = len(canvas.lines(value, _VALUE, WIDTH - MARGIN - column)) > 2
        _draw_text(canvas, value, _PROSE if long else _VALUE, left=column)
    canvas.y += 3


def _draw_label(canvas: Canvas, label: str, baseline: int, available: int) -> None:
    """Short hanzi labels are spread over the column, as on every Chinese form (两端对齐)."""
    free = available - canvas.width(label, _LABEL)
    spread = free / (len(label) - 1) if 2 <= len(label) <= 3 and all(c >= "⺀" for c in label) else 0.0
    x = float(MARGIN)
    for character in label:
        canvas.text(x, baseline, character, _LABEL)
        x += canvas.width(character, _LABEL) + spread


def _leading_keys(blocks: list[Block]) -> list[Pair]:
    """The key pairs at the head of what is left to draw."""
    keys: list[Pair] = []
    for block in blocks:
        if not (isinstance(block, Pair) and block.label in KEY_LABELS):
            break
        keys.append(block)
    return keys


def _draw_keys(canvas: Canvas, keys: list[Pair]) -> None:
    """Number and code in one frame: small label, big value."""
    canvas.y += 8
    top = canvas.y
    canvas.y += 14
    for position, key in enumerate(keys):
        canvas.room(240)
        if position:
            canvas.y += 8
            canvas.rule(left=MARGIN + 28, right=WIDTH - MARGIN - 28, dashed=True)
            canvas.y += 12
        _draw_text(canvas, key.label, _KEY_LABEL)
        _draw_number(canvas, key.value)
    canvas.y += 12
    canvas.frame(top, canvas.y)
    canvas.y += 18


def _draw_number(canvas: Canvas, text: str) -> None:
    """As big as one line allows; a long number is set in two lines, broken between its groups."""
    kind = _STYLES["number"]
    for lines in ([text], _halves(text)):
        for size in range(kind.size, _SMALLEST_NUMBER - 1, -2):
            fitted = Type(size, round(size * 1.28), bold=True, centred=True, tracking=5 if len(text) <= 10 else 1)
            if all(canvas.width(line, fitted) <= CONTENT - 28 for line in lines):
                for line in lines:
                    _draw_text(canvas, line, fitted)
                return
    _draw_text(canvas, text, kind)


def _halves(text: str) -> list[str]:
    """Two parts as equal as the groups of a number allow; the hyphen at the end shows that it goes on."""
    groups = re.findall(r"[^- ]+[- ]?", text) or [text]
    cuts = ["".join(groups[:position]) for position in range(1, len(groups) + 1)]
    head = min(cuts, key=lambda part: abs(len(part) - len(text) / 2))
    return [part for part in (head, text[len(head) :]) if part]


def _draw_code(canvas: Canvas, data: str, caption: str) -> None:
    """QR code (ISO/IEC 18004), error correction M, at most about 50 mm wide, with a caption under it."""
    code = segno.make(data, error="m", micro=False, boost_error=False)
    modules = len(code.matrix)
    scale = min(_MAX_MODULE, max(MIN_MODULE, _QR_SIDE // modules))
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix]
    picture = Image.frombytes("L", (modules, modules), b"".join(rows))
    picture = picture.resize((modules * scale, modules * scale), Image.Resampling.NEAREST)
    quiet = max(0, _QR_QUIET * scale - 12)
    canvas.y += quiet
    canvas.paste(picture, (WIDTH - picture.width) // 2)
    canvas.y += quiet
    if caption:
        _draw_text(canvas, caption, _STYLES["center_small"])
