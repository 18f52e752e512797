"""The test slip (打印测试): what a technician wants to see of a head, a cutter and a font; the same dots every time."""

from __future__ import annotations

from PIL import Image

from drivers.receipt.canvas import Canvas
from drivers.receipt.fonts import FontBook
from drivers.receipt.layout import Layout
from drivers.receipt.render import render_on
from kiosk.core.devices import DeviceError
from kiosk.core.receipt import Block, Code, Line, Rule
from kiosk.core.result import Err, Ok, Result

RARE = "䶮𬱖㛃𣲗𮧵㙍龘𠮷"
"""Characters of real names: basic plane, Extensions A, B, E and F."""
CODE = "ZWZC-TEST-SLIP"
_TICK = 8
"""Dots to the millimetre at 203 dpi."""


def sample(book: FontBook, layout: Layout, model: str) -> Result[Image.Image, DeviceError]:
    """Ruler, steps, hanzi, a code; errors as of `render`. `model`: what the driver takes the printer for."""
    canvas = Canvas(book, layout)
    head: tuple[Block, ...] = (
        Line("打印测试", "title"),
        Line("TEST SLIP", "subtitle"),
        Line(f"{layout.width} dots · {model}", "center_small"),
    )
    body: tuple[Block, ...] = (
        Line("0123456789 ABCDEF abcdef ，。：“”《》", "body"),
        Line(f"生僻字 {RARE}", "strong"),
        Rule(dashed=True),
        Code(CODE, "此票仅供测试，无任何效力"),
    )
    if isinstance(refused := render_on(canvas, head), Err):
        return refused
    _draw_ruler(canvas)
    _draw_steps(canvas)
    if isinstance(refused := render_on(canvas, body), Err):
        return refused
    return Ok(canvas.finish())


def _draw_ruler(canvas: Canvas) -> None:
    """From the first dot of the head to the last: what is missing at its ends is not printed, or printed elsewhere."""
    height = 32
    canvas.room(height)
    ruler = Image.new("L", (canvas.layout.width, height), 255)
    for x in range(0, canvas.layout.width, _TICK):
        long = height if x % (10 * _TICK) == 0 else height // 2
        ruler.paste(0, (x, 0, x + 1, long))
    ruler.paste(0, (0, 0, canvas.layout.width, 1))
    ruler.paste(0, (canvas.layout.width - 1, 0, canvas.layout.width, height))
    canvas.paste(ruler, 0)
    canvas.y += 8


def _draw_steps(canvas: Canvas) -> None:
    """Every dot of the head once alone, in steps: a dead dot leaves a gap; then a black bar for the power supply."""
    diagonal, black = 16, 12
    field = Image.new("L", (canvas.layout.width, diagonal + black), 255)
    for x in range(canvas.layout.width):
        field.putpixel((x, x % diagonal), 0)
    field.paste(0, (0, diagonal, canvas.layout.width, diagonal + black))
    canvas.paste(field, 0)
    canvas.y += 8
