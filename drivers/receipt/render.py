"""A receipt (回执) as a 1-bit picture as wide as the printer's head: 80 mm paper (576 or 512 dots) or 58 mm (384).

Made for a reader of 78 years: body 30 dots (3.8 mm) high, the numbers she needs again in a frame of their own.
"""

from __future__ import annotations

import re
from typing import assert_never

import segno
from PIL import Image

from drivers.receipt.canvas import Canvas
from drivers.receipt.fonts import FontBook
from drivers.receipt.layout import Layout, Type
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule, Style
from kiosk.core.result import Err, Ok, Result

KEY_LABELS = frozenset({"受理编号", "查询码"})
"""What a citizen copies or reads out on the telephone: framed and big."""
MIN_MODULE = 3
"""Dots a QR module; below, cheap phones fail on thermal paper."""
_MAX_MODULE = 8
_QR_SIDE = 400
_QR_QUIET = 4
_LABEL_GAP = 20
_MAX_LABEL = 150
_STEP = 30
"""Indent of a value that stands below its label."""
_PAIR_GAP = 3
_STACKED_GAP = 12
_FRAME_INSET = 20
"""White between a number and its frame."""
_LOOKED_UP = 2
"""A value of more lines is read, not looked up: no bold."""

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
_KEY_LABEL = Type(26, 36, centred=True)
_SMALLEST_NUMBER = 44
_SMALLEST_NARROW_NUMBER = 36
_LIST_MARK = re.compile(r"(?:\d{1,2}[.、]|[□☐•·—-]) *")
"""Head of a list entry; its further lines are indented to the text."""


def render(receipt: Receipt, book: FontBook, layout: Layout) -> Result[Image.Image, DeviceError]:
    """Mode "1", as wide as the layout, 0 is ink; GLYPH_MISSING if one character is in no font: never a box on paper."""
    canvas = Canvas(book, layout)
    refused = render_on(canvas, receipt.blocks)
    return refused if isinstance(refused, Err) else Ok(canvas.finish())


def render_on(canvas: Canvas, wanted: tuple[Block, ...]) -> Result[None, DeviceError]:
    """Blocks below what is there already; GLYPH_MISSING with nothing drawn, or a code that is too big."""
    unknown = frozenset().union(*(canvas.missing(text) for block in wanted for text in _texts(block)))
    if unknown:
        planes = ", ".join(sorted({f"plane {ord(character) >> 16}" for character in unknown}))
        return Err(DeviceError(Fault.GLYPH_MISSING, f"{len(unknown)} characters in no font ({planes})"))
    column = _value_column(canvas, wanted)
    blocks = list(wanted)
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
    return Ok(None)


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
            canvas.y += canvas.layout.dots(14)
            canvas.rule(dashed=dashed)
            canvas.y += canvas.layout.dots(18)
        case Code(data, caption):
            _draw_code(canvas, data, caption)
        case _:
            assert_never(block)


def _draw_line(canvas: Canvas, text: str, style: Style) -> None:
    kind = canvas.layout.type(_STYLES[style])
    if style == "number":
        _draw_number(canvas, text)
        return
    if style == "strong":
        canvas.y += canvas.layout.dots(8)
    for paragraph in text.split("\n"):
        mark = None if kind.centred else _LIST_MARK.match(paragraph)
        if mark is None:
            draw_text(canvas, paragraph, kind)
            continue
        indent = canvas.layout.margin + round(canvas.width(mark[0], kind))
        canvas.room(kind.leading)
        canvas.text(canvas.layout.margin, _baseline(canvas.y, kind), mark[0], kind)
        draw_text(canvas, paragraph[mark.end() :], kind, left=indent)


def draw_text(canvas: Canvas, text: str, kind: Type, *, left: int | None = None) -> None:
    """A paragraph from `left` (the margin if none is given) to the right margin."""
    left = canvas.layout.margin if left is None else left
    right = canvas.layout.right
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
    kind = canvas.layout.type(_LABEL)
    labels = [block.label for block in blocks if isinstance(block, Pair) and block.label not in KEY_LABELS]
    widths = [canvas.width(label, kind) for label in labels]
    widest = max((width for width in widths if width <= canvas.layout.dots(_MAX_LABEL)), default=0)
    return canvas.layout.margin + round(widest) + canvas.layout.dots(_LABEL_GAP)


def _draw_pair(canvas: Canvas, label: str, value: str, column: int) -> None:
    """Label left, value in the common column. A long label, and on narrow paper a long value, gets its own line."""
    layout = canvas.layout
    label_kind, value_kind, prose = layout.type(_LABEL), layout.type(_VALUE), layout.type(_PROSE)
    canvas.room(label_kind.leading)
    available = column - layout.dots(_LABEL_GAP) - layout.margin
    lines = len(canvas.lines(value, value_kind, layout.right - column))
    if canvas.width(label, label_kind) > available or (layout.narrow and lines > 1):
        draw_text(canvas, label, label_kind)
        left = layout.margin + layout.dots(_STEP)
        lines = len(canvas.lines(value, value_kind, layout.right - left))
        draw_text(canvas, value, prose if lines > _LOOKED_UP else value_kind, left=left)
        canvas.y += layout.dots(_STACKED_GAP)
    else:
        _draw_label(canvas, label, _baseline(canvas.y, value_kind), available)
        draw_text(canvas, value, prose if lines > _LOOKED_UP else value_kind, left=column)
    canvas.y += layout.dots(_PAIR_GAP)


def _draw_label(canvas: Canvas, label: str, baseline: int, available: int) -> None:
    """Short hanzi labels are spread over the column, as on every Chinese form (两端对齐)."""
    kind = canvas.layout.type(_LABEL)
    free = available - canvas.width(label, kind)
    spread = free / (len(label) - 1) if 2 <= len(label) <= 3 and all(c >= "⺀" for c in label) else 0.0
    x = float(canvas.layout.margin)
    for character in label:
        canvas.text(x, baseline, character, kind)
        x += canvas.width(character, kind) + spread


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
    dots = canvas.layout.dots
    canvas.y += dots(8)
    top = canvas.y
    canvas.y += dots(14)
    for position, key in enumerate(keys):
        canvas.room(240)
        if position:
            canvas.y += dots(8)
            canvas.rule(inset=dots(28), dashed=True)
            canvas.y += dots(12)
        draw_text(canvas, key.label, canvas.layout.type(_KEY_LABEL))
        _draw_number(canvas, key.value)
    canvas.y += dots(12)
    canvas.frame(top, canvas.y)
    canvas.y += dots(18)


def _draw_number(canvas: Canvas, text: str) -> None:
    """As big as one line allows; a long number is set in two lines, broken between its groups."""
    layout, biggest = canvas.layout, _STYLES["number"].size
    smallest = _SMALLEST_NARROW_NUMBER if layout.narrow else _SMALLEST_NUMBER
    for lines in ([text], _halves(text)):
        for size in range(biggest, smallest - 1, -2):
            nominal = Type(size, round(size * 1.28), bold=True, centred=True, tracking=5 if len(text) <= 10 else 1)
            fitted = layout.type(nominal)
            if all(canvas.width(line, fitted) <= layout.content - layout.dots(2 * _FRAME_INSET) for line in lines):
                for line in lines:
                    draw_text(canvas, line, fitted)
                return
    draw_text(canvas, text, layout.type(_STYLES["number"]))


def _halves(text: str) -> list[str]:
    """Two parts as equal as the groups of a number allow; the hyphen at the end shows that it goes on."""
    groups = re.findall(r"[^- ]+[- ]?", text) or [text]
    cuts = ["".join(groups[:position]) for position in range(1, len(groups) + 1)]
    head = min(cuts, key=lambda part: abs(len(part) - len(text) / 2))
    return [part for part in (head, text[len(head) :]) if part]


def _draw_code(canvas: Canvas, data: str, caption: str) -> None:
    """QR code (ISO/IEC 18004), error correction M, at most about 50 mm wide, with a caption under it."""
    layout = canvas.layout
    code = segno.make(data, error="m", micro=False, boost_error=False)
    modules = len(code.matrix)
    scale = min(_MAX_MODULE, max(MIN_MODULE, min(layout.dots(_QR_SIDE), layout.content) // modules))
    if modules * scale > layout.content:
        raise segno.DataOverflowError("wider than the paper")
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix]
    picture = Image.frombytes("L", (modules, modules), b"".join(rows))
    picture = picture.resize((modules * scale, modules * scale), Image.Resampling.NEAREST)
    quiet = max(0, _QR_QUIET * scale - layout.dots(12))
    canvas.y += quiet
    canvas.paste(picture, (layout.width - picture.width) // 2)
    canvas.y += quiet
    if caption:
        draw_text(canvas, caption, layout.type(_STYLES["center_small"]))
