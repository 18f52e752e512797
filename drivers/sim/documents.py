"""Synthetic documents for the simulated camera: a lease, a residence permit card, a form filled in by hand.

Every one is fictional and says so on its face (样本 SAMPLE). Names, numbers and places are invented; identity numbers
carry region code 440699, which is not assigned to any place (GB/T 2260).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from PIL import Image, ImageDraw, ImageFont

A4_PX = (1654, 2339)
"""210 x 297 mm at 200 dpi."""
CARD_PX = (1011, 638)
"""85.6 x 54 mm (ISO/IEC 7810 ID-1) at 300 dpi."""

_INK = (32, 32, 36)
_PEN = (28, 52, 138)
_SEAL = (196, 38, 34)
_SANS, _SANS_BOLD, _SERIF = "NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "NotoSerifCJK-Regular.ttc"
_SIMPLIFIED_CHINESE = 2
"""Face of the Noto CJK collections with mainland glyph shapes."""


class SampleDocument(StrEnum):
    """What can be laid under the camera without bringing a picture."""

    LEASE = "lease"
    RESIDENCE_PERMIT = "residence_permit"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Holder:
    """The synthetic person a document is about."""

    name: str = "样本甲"
    id_number: str = "440699199003070014"
    address: str = "样本市样本区示例路 18 号 2 座 503 房"
    phone: str = "138 0000 0000"


def draw(document: SampleDocument, *, holder: Holder | None = None) -> Image.Image:
    """The document as an RGB picture, upright; the same arguments give the same pixels."""
    person = holder or Holder()
    match document:
        case SampleDocument.LEASE:
            return _lease(person)
        case SampleDocument.RESIDENCE_PERMIT:
            return _residence_permit(person)
        case SampleDocument.FORM:
            return _form(person)
        case _:
            assert_never(document)


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(name, size, index=_SIMPLIFIED_CHINESE)


def _lease(holder: Holder) -> Image.Image:
    page = Image.new("RGB", A4_PX, (252, 252, 250))
    pen = ImageDraw.Draw(page)
    width, _ = A4_PX
    pen.text((width / 2, 210), "房屋租赁合同", font=_font(_SANS_BOLD, 84), fill=_INK, anchor="mm")
    pen.text((width - 170, 300), "合同编号：样本-2026-0001", font=_font(_SANS, 30), fill=_INK, anchor="rm")
    body = _font(_SERIF, 37)
    lines = (
        "出租方（甲方）：样本物业管理处",
        f"承租方（乙方）：{holder.name}",
        f"公民身份号码：{holder.id_number}",
        "",
        "甲乙双方经协商一致，就房屋租赁事宜订立本合同，共同遵守。",
        "",
        "一、租赁房屋",
        f"    坐落：{holder.address}",
        "    建筑面积 62.50 平方米，用途为居住。",
        "二、租赁期限",
        "    自 2026 年 1 月 1 日起至 2027 年 12 月 31 日止，共二十四个月。",
        "三、租金及支付",
        "    月租金人民币 1,850.00 元，每月 5 日前支付；押金为两个月租金，",
        "    期满结清费用后七日内退还。",
        "四、双方责任",
        "    甲方保证房屋可以安全居住，并负责房屋主体的维修。",
        "    乙方爱护房屋及设施，不得擅自转租；水、电、燃气费用由乙方承担。",
        "五、居住登记",
        "    甲方应当配合乙方办理居住登记和居住证签注。",
        "六、其他",
        "    本合同一式两份，双方各执一份，自签字之日起生效。",
    )
    for row, line in enumerate(lines):
        pen.text((170, 390 + row * 66), line, font=body, fill=_INK, anchor="lm")
    pen.text((170, 1900), "甲方（盖章）：", font=body, fill=_INK, anchor="lm")
    pen.text((170, 2010), "2025 年 12 月 20 日", font=body, fill=_INK, anchor="lm")
    pen.text((900, 1900), "乙方（签字）：", font=body, fill=_INK, anchor="lm")
    pen.text((900, 2010), "2025 年 12 月 20 日", font=body, fill=_INK, anchor="lm")
    _by_hand(page, (1180, 1900), holder.name, size=64, seed=1)
    _seal(page, (470, 1930), radius=150)
    _mark(page, "样本 SAMPLE", size=150)
    pen.text((width / 2, 2270), "虚构文件 仅供测试 第 1 页 共 1 页", font=_font(_SANS, 26), fill=_INK, anchor="mm")
    return page


def _residence_permit(holder: Holder) -> Image.Image:
    width, height = CARD_PX
    card = Image.new("RGB", CARD_PX, (214, 232, 226))
    pen = ImageDraw.Draw(card)
    for line in range(-height, width, 26):
        pen.line((line, height, line + height, 0), fill=(202, 224, 220), width=3)
    pen.rectangle((0, 0, width, 116), fill=(30, 110, 96))
    pen.text((44, 58), "居 住 证", font=_font(_SANS_BOLD, 62), fill="white", anchor="lm")
    pen.text((width - 40, 58), "样本 SAMPLE", font=_font(_SANS_BOLD, 40), fill=(255, 226, 150), anchor="rm")
    label, value = _font(_SANS, 27), _font(_SANS_BOLD, 33)
    rows = (
        ("姓名", holder.name),
        ("公民身份号码", holder.id_number),
        ("居住地址", holder.address[:10]),
        ("", holder.address[10:]),
        ("签发机关", "样本市公安局样本分局"),
        ("有效期限", "2025.12.20-2026.12.19"),
    )
    for row, (name, content) in enumerate(rows):
        y = 172 + row * 68
        pen.text((44, y), name, font=label, fill=(60, 96, 90), anchor="lm")
        pen.text((220, y), content, font=value, fill=_INK, anchor="lm")
    pen.rectangle((width - 250, 150, width - 44, 420), fill=(238, 242, 242), outline=(150, 170, 166), width=3)
    pen.ellipse((width - 190, 190, width - 104, 290), fill=(172, 186, 190))
    pen.pieslice((width - 226, 305, width - 68, 525), 180, 360, fill=(172, 186, 190))
    pen.text((44, height - 38), "虚构证件 仅供测试", font=label, fill=(120, 60, 56), anchor="lm")
    _mark(card, "样本", size=120)
    return card


def _form(holder: Holder) -> Image.Image:
    page = Image.new("RGB", A4_PX, (250, 250, 247))
    pen = ImageDraw.Draw(page)
    width, _ = A4_PX
    pen.text((width / 2, 200), "居住登记申报表", font=_font(_SANS_BOLD, 72), fill=_INK, anchor="mm")
    pen.text((width - 480, 300), "填表日期：", font=_font(_SANS, 30), fill=_INK, anchor="rm")
    _by_hand(page, (width - 470, 300), "2026年11月22日", size=38, seed=2)
    left, right, top, row_height = 150, width - 150, 350, 118
    rows = (
        ("姓  名", holder.name),
        ("公民身份号码", holder.id_number),
        ("现居住地址", holder.address),
        ("联系电话", holder.phone),
        ("居住事由", "务工"),
        ("到达本地日期", "2025年12月28日"),
        ("房屋类别", "租赁房屋"),
        ("工作单位", "样本食品厂"),
    )
    label = _font(_SANS, 34)
    for row, (name, content) in enumerate(rows):
        y = top + row * row_height
        pen.rectangle((left, y, right, y + row_height), outline=_INK, width=3)
        pen.text((left + 150, y + row_height / 2), name, font=label, fill=_INK, anchor="mm")
        size = min(48, (right - left - 360) // max(1, len(content)))
        _by_hand(page, (left + 340, y + row_height / 2), content, size=size, seed=10 + row)
    bottom = top + len(rows) * row_height
    pen.line((left + 300, top, left + 300, bottom), fill=_INK, width=3)
    pen.rectangle((left, bottom, right, bottom + 460), outline=_INK, width=3)
    pen.text((left + 40, bottom + 60), "申报人声明", font=_font(_SANS_BOLD, 36), fill=_INK, anchor="lm")
    pen.text(
        (left + 40, bottom + 140), "以上填写内容真实、准确，如有变动将及时申报。", font=label, fill=_INK, anchor="lm"
    )
    pen.text((right - 560, bottom + 340), "申报人签名：", font=label, fill=_INK, anchor="lm")
    _by_hand(page, (right - 340, bottom + 335), holder.name, size=64, seed=30)
    _mark(page, "样本 SAMPLE", size=150)
    pen.text((width / 2, 2270), "虚构表格 仅供测试", font=_font(_SANS, 26), fill=_INK, anchor="mm")
    return page


def _by_hand(page: Image.Image, at: tuple[float, float], text: str, *, size: int, seed: int) -> None:
    """Text in pen ink, each character a little out of line; `at` is the left middle."""
    shake = random.Random(seed)  # noqa: S311 - a drawing that is the same each time, not a secret
    font = _font(_SERIF, size)
    x, y = at
    for character in text:
        advance = font.getlength(character)
        tile = Image.new("L", (size * 2, size * 2), 0)
        ImageDraw.Draw(tile).text((size, size), character, font=font, fill=235, anchor="mm")
        tile = tile.rotate(shake.uniform(-7, 7), Image.Resampling.BICUBIC)
        corner = (round(x + advance / 2 - size), round(y - size + shake.uniform(-0.06, 0.06) * size))
        page.paste(_PEN, corner, tile)
        x += advance * shake.uniform(0.94, 1.04)


def _seal(page: Image.Image, centre: tuple[int, int], *, radius: int) -> None:
    """A round red stamp that is plainly no real one."""
    tile = Image.new("L", (radius * 2, radius * 2), 0)
    pen = ImageDraw.Draw(tile)
    pen.ellipse((4, 4, radius * 2 - 4, radius * 2 - 4), outline=190, width=8)
    pen.text((radius, radius * 0.7), "样本物业", font=_font(_SANS_BOLD, radius // 3), fill=190, anchor="mm")
    pen.text((radius, radius * 1.25), "非真实印章", font=_font(_SANS, radius // 5), fill=190, anchor="mm")
    page.paste(_SEAL, (centre[0] - radius, centre[1] - radius), tile)


def _mark(page: Image.Image, text: str, *, size: int) -> None:
    """A pale slanting watermark over the whole picture."""
    tile = Image.new("L", page.size, 0)
    middle = (page.width / 2, page.height / 2)
    ImageDraw.Draw(tile).text(middle, text, font=_font(_SANS_BOLD, size), fill=36, anchor="mm")
    page.paste(_SEAL, (0, 0), tile.rotate(28, Image.Resampling.BICUBIC))
