"""Receipts as pictures: rare characters, no boxes, no mark at a line's head, codes that scan."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.receipt.fonts import FontBook, FontFile, candidates
from drivers.receipt.layout import Layout
from drivers.receipt.models import catalogue
from drivers.receipt.render import render
from drivers.receipt.sample import CODE, sample
from drivers.receipt.wrap import NOT_AT_END, NOT_AT_START, clusters, wrap
from kiosk.core.devices import DeviceError, Fault
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule
from kiosk.core.result import Err, Ok

WIDE = Layout.of(576)
LAYOUTS = [Layout.of(dots) for dots in sorted({model.dots for model in catalogue()})]
MARGIN, WIDTH = WIDE.margin, WIDE.width
RARE = "䶮𬱖㛃𣲗𮧵㙍龘𠮷𫍯"
"""Characters of real names; 𮧵 is in Extension F."""
UNASSIGNED = "\U0002fa1f"
PRIVATE = "\ue815"
QR_TEXT = (
    "ZZ1:"
    + "6BF+70790T9WJWG.FKY*4GO0.O1CV2 O5 N2FBBRW1*70HS8WY04AC*WIFN0AHCD8KD97TK0F90KECTHGWJC0FDC:5AIA%G7X+AQB9746" * 3
)

prose = st.text(st.sampled_from("办件回执，。、；：？！（）《》“”abc 12345-·—…年月日号"), max_size=80)


@pytest.fixture(scope="module")
def book() -> FontBook:
    return FontBook()


def picture(book: FontBook, *blocks: Block, layout: Layout = WIDE) -> Image.Image:
    rendered = render(Receipt("job", blocks), book, layout)
    assert isinstance(rendered, Ok), rendered
    return rendered.value


def ink(image: Image.Image) -> int:
    return image.convert("L").histogram()[0]


def test_a_receipt_is_black_and_white_and_576_dots_wide(book: FontBook) -> None:
    image = picture(book, Line("受理回执", "title"), Rule(), Pair("事项", "居住证签注"), Rule(dashed=True))
    assert (image.mode, image.width) == ("1", WIDTH)
    assert ink(image) > 1000


def test_same_receipt_same_dots(book: FontBook) -> None:
    blocks = (Line("回执", "title"), Pair("受理编号", "440699-261122-T001-0007-K"), Pair("查询码", "7KM4RX2P"))
    assert picture(book, *blocks).tobytes() == picture(FontBook(), *blocks).tobytes()


@pytest.mark.parametrize("character", RARE)
def test_rare_characters_have_a_glyph_of_their_own(book: FontBook, character: str) -> None:
    for bold in (False, True):
        assert book.face(character, bold=bold) is not None
    drawn = picture(book, Line(character))
    others = [picture(book, Line(other)) for other in RARE if other != character]
    assert ink(drawn) > 60
    assert all(drawn.tobytes() != other.tobytes() for other in others)


@pytest.mark.parametrize("character", [UNASSIGNED, PRIVATE, "\x07", "\u200d", "\ufdd0"])
@pytest.mark.parametrize("place", ["line", "label", "value", "caption"])
def test_a_character_in_no_font_refuses_the_receipt(book: FontBook, character: str, place: str) -> None:
    word = f"甲{character}乙"
    blocks: dict[str, Block] = {
        "line": Line(word),
        "label": Pair(word, "1"),
        "value": Pair("姓名", word),
        "caption": Code("1", word),
    }
    refused = render(Receipt("job", (blocks[place],)), book, WIDE)
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.GLYPH_MISSING
    assert "甲" not in refused.error.detail
    assert character not in refused.error.detail


def test_without_any_font_nothing_is_printed() -> None:
    refused = render(Receipt("job", (Line("回执"),)), FontBook(regular=[], bold=[]), WIDE)
    assert refused == Err(DeviceError(Fault.GLYPH_MISSING, "2 characters in no font (plane 0)"))


def test_fallback_goes_down_the_chain() -> None:
    last = [file for file in candidates(bold=False) if file.path.name == "HanaMinB.ttf" and file.path.is_file()]
    only_b = FontBook(regular=last, bold=last)
    assert only_b.missing("中𮧵") == {"中"}


def test_fonts_are_looked_for_below_each_root() -> None:
    files = candidates((Path("/a"), Path("/b")), bold=True)
    assert files[0] == FontFile(Path("/a/opentype/noto/NotoSansCJK-Bold.ttc"), "Noto Sans CJK SC")
    assert {file.path.parts[1] for file in files} == {"a", "b"}
    assert not any(file.thin for file in files[:8])


@pytest.mark.parametrize("text", ["1", QR_TEXT])
def test_codes_scan_and_have_modules_of_three_dots(book: FontBook, text: str) -> None:
    image = picture(book, Line("回执", "title"), Code(text, "扫码验证"))
    (found,) = zxingcpp.read_barcodes(image.convert("L"))
    assert found.text == text
    assert found.ec_level == "M"
    edges = [point.x for point in (found.position.top_left, found.position.top_right)]
    assert (max(edges) - min(edges)) >= 3 * 21
    assert min(edges) >= MARGIN


def test_a_code_that_is_too_long_is_refused(book: FontBook) -> None:
    refused = render(Receipt("job", (Code("好" * 2000, ""),)), book, WIDE)
    assert isinstance(refused, Err)


@pytest.mark.parametrize("number", ["A001", "440699-261122-T001-0007-K", "7KM4RX2P", "9" * 60])
def test_numbers_stay_inside_the_frame(book: FontBook, number: str) -> None:
    image = picture(book, Pair("受理编号", number)).convert("L")
    outside = image.crop((0, 0, MARGIN, image.height)), image.crop((WIDTH - MARGIN, 0, WIDTH, image.height))
    assert [ink(strip) for strip in outside] == [0, 0]


def test_long_values_are_wrapped_in_their_column(book: FontBook) -> None:
    image = picture(book, Pair("查询方式", "本市任一自助终端放身份证，进入“我的办件”；" * 6)).convert("L")
    first_line = 60
    left = image.crop((MARGIN, first_line + 24, MARGIN + 112, image.height))
    assert ink(left) == 0
    assert ink(image.crop((WIDTH - MARGIN, 0, WIDTH, image.height))) == 0


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.width))
def test_every_width_has_its_own_dots(book: FontBook, layout: Layout) -> None:
    blocks = (
        Line("受理回执", "title"),
        Pair("受理编号", "440699-261122-T001-0007-K"),
        Pair("查询码", "7KM4 RX2P"),
        Pair("查询方式", "本市任一自助终端放身份证，进入“我的办件”；" * 3),
        Code(QR_TEXT[: 200 if layout.narrow else None], "扫码验证"),
    )
    image = picture(book, *blocks, layout=layout)
    assert image.width == layout.width
    grey = image.convert("L")
    assert ink(grey.crop((0, 0, layout.margin, grey.height))) == 0
    assert ink(grey.crop((layout.right, 0, layout.width, grey.height))) <= 40
    (found,) = zxingcpp.read_barcodes(grey)
    assert found.text == QR_TEXT[: len(found.text)]


def test_180_dpi_is_the_same_slip_in_other_dots(book: FontBook) -> None:
    blocks = (Line("受理回执", "title"), Rule(), Pair("查询方式", "本市任一自助终端放身份证，进入“我的办件”；" * 3))
    coarse, fine = picture(book, *blocks, layout=Layout.of(512)), picture(book, *blocks)
    assert coarse.height / 512 == pytest.approx(fine.height / 576, rel=0.03)


def test_a_code_wider_than_the_paper_is_refused(book: FontBook) -> None:
    long = "A" * 1700
    assert isinstance(render(Receipt("job", (Code(long, ""),)), book, WIDE), Ok)
    assert isinstance(render(Receipt("job", (Code(long, ""),)), book, Layout.of(384)), Err)


def test_narrow_paper_sets_long_values_below_their_label(book: FontBook) -> None:
    narrow = Layout.of(384)
    short = picture(book, Pair("事项", "居住证"), layout=narrow)
    long = picture(book, Pair("事项", "居住证签注（居民身份证）换领"), layout=narrow)
    assert long.height >= short.height + 43
    beside = long.convert("L").crop((narrow.margin + 80, 0, narrow.width, 60))
    assert ink(beside) == 0


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: str(layout.width))
def test_the_test_slip(book: FontBook, layout: Layout) -> None:
    """Ruler to the last dot, every dot of the head once, a code, and the same dots every time."""
    first, again = sample(book, layout, "any"), sample(FontBook(), layout, "any")
    assert isinstance(first, Ok)
    assert isinstance(again, Ok)
    assert first.value.tobytes() == again.value.tobytes()
    grey = first.value.convert("L")
    columns = [grey.crop((x, 0, x + 1, grey.height)) for x in range(layout.width)]
    assert all(ink(column) >= 13 for column in columns)
    assert ink(columns[-1]) > ink(columns[-2])
    (found,) = zxingcpp.read_barcodes(grey)
    assert found.text == CODE


def test_the_test_slip_without_fonts() -> None:
    refused = sample(FontBook(regular=[], bold=[]), WIDE, "any")
    assert isinstance(refused, Err)
    assert refused.error.fault is Fault.GLYPH_MISSING


def test_a_bold_face_that_is_missing_is_replaced_by_a_regular_one() -> None:
    regular_only = FontBook(bold=[])
    blocks = (Line("回执", "title"), Pair("事项", "䶮"))
    assert ink(picture(regular_only, *blocks)) > 300


def test_a_long_label_gets_a_line_of_its_own(book: FontBook) -> None:
    short = picture(book, Pair("事项", "居住证"))
    assert picture(book, Pair("一个很长很长的标签", "居住证")).height > short.height


def width(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.5


@given(prose, st.integers(4, 30))
def test_wrapping_loses_nothing_and_keeps_to_the_limit(text: str, limit: int) -> None:
    lines = wrap(text, width=width, limit=limit)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(sum(map(width, line)) <= limit for line in lines)


@given(prose)
def test_no_line_starts_or_ends_with_the_wrong_mark(text: str) -> None:
    """Unless a run of marks is itself longer than a line."""
    limit = max((sum(map(width, cluster)) for cluster in clusters(text)), default=1.0)
    lines = wrap(text, width=width, limit=max(limit, 1.0))
    assert not any(line[0] in NOT_AT_START for line in lines[1:] if line)
    assert not any(line[-1] in NOT_AT_END for line in lines[:-1] if line)


def test_dates_and_words_stay_together() -> None:
    assert wrap("（至 2026年11月27日）", width=width, limit=8) == ["（至", "2026年11月27日）"]
    assert wrap("电话 0757-26660000", width=width, limit=8) == ["电话", "0757-26660000"]
    assert wrap("a\n\nb", width=width, limit=8) == ["a", "", "b"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(st.builds(Line, prose), st.builds(Pair, prose, prose), st.builds(Rule, st.booleans())), max_size=6
    )
)
def test_any_receipt_stays_on_the_paper(blocks: list[Block]) -> None:
    image = picture(_SHARED, *blocks).convert("L")
    assert ink(image.crop((WIDE.right, 0, WIDTH, image.height))) <= 40  # side bearings of a last glyph
    assert image.height >= 40


_SHARED = FontBook()
