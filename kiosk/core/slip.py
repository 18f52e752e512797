"""The slips a terminal hands out: 受理回执, 咨询回执, 到窗口办理. Words a 78-year-old understands at once.

Promises: P28 (number, query place and code on every receipt), P23 (a window is always possible), P5 (nobody stranded).
Names and numbers are masked: slips get lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk.contract.bundle import Window
from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.submission import MaterialUse, Submission
from kiosk.core.answers import Answers
from kiosk.core.clock import CHINA
from kiosk.core.item import Item, Material, Span
from kiosk.core.journey import visible_materials
from kiosk.core.masking import mask_id_number, mask_name
from kiosk.core.receipt import Block, Code, Line, Pair, Receipt, Rule, require_mandatory
from kiosk.core.views import NoticeCode

_SOURCES: dict[Literal["camera", "licence_library", "card_reader"], str] = {
    "camera": "当场拍摄",
    "licence_library": "用已有证照，不用再交",
    "card_reader": "读取身份证",
}
_UNITS: dict[Literal["workday", "day"], str] = {"workday": "个工作日", "day": "天"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the slip comes from."""

    hall_name: str
    query_place: str
    """Where and how to query progress, from the bundle."""
    site_name: str
    terminal_name: str


def application_receipt(
    *, job: str, item: Item, submission: Submission, place: Place, delivered: bool, qr: str
) -> Receipt:
    """受理回执 of a filed application. `qr` is signed text; raises ReceiptError if a mandatory line would be empty."""
    return require_mandatory(
        Receipt(
            job,
            (
                *_head("补正回执" if submission.corrects else "受理回执", place),
                *_case(item, submission, place),
                Rule(dashed=True),
                *_handed_in(submission.materials),
                Rule(dashed=True),
                *_status(delivered, "申请"),
                *_foot(place, qr),
            ),
        )
    )


def consultation_receipt(
    *, job: str, item: Item, submission: Submission, place: Place, delivered: bool, qr: str
) -> Receipt:
    """咨询回执 of a question to 12345. The question itself is not printed."""
    return require_mandatory(
        Receipt(
            job,
            (
                *_head("咨询回执", place),
                *_case(item, submission, place),
                Rule(dashed=True),
                *_status(delivered, "问题"),
                *_foot(place, qr),
            ),
        )
    )


def receipt_for(*, job: str, item: Item, submission: Submission, place: Place, delivered: bool, qr: str) -> Receipt:
    """The receipt that fits the kind of the item."""
    build = consultation_receipt if item.kind == "consultation" else application_receipt
    return build(job=job, item=item, submission=submission, place=place, delivered=delivered, qr=qr)


def window_slip(
    *,
    job: str,
    item: Item,
    answers: Answers,
    answered: int,
    windows: Sequence[Window],
    reason: NoticeCode | None,
    place: Place,
    at: datetime,
) -> Receipt:
    """到窗口办理: what to bring and where to go. Holds no answer and no name.

    `answered` counts the questions already answered here; the materials are those of this case.
    """
    materials = visible_materials(item, answers)
    blocks: list[Block] = [
        *_head("到窗口办理", place),
        Line(item.name, "strong"),
        Line(window_reason(reason)),
        Rule(dashed=True),
        Line("请带上这些材料", "strong"),
        *_to_bring(materials),
        Rule(dashed=True),
        Line("可以到这些窗口办理", "strong"),
    ]
    for window in windows:
        blocks += [
            Line(window.name, "strong"),
            Pair("地址", window.address),
            Pair("时间", window.open),
            Pair("电话", window.phone),
        ]
    if not windows:
        blocks.append(Line(place.query_place))
    if answered:
        blocks += [
            Rule(dashed=True),
            Line(f"您刚才已经答了 {answered} 个问题，都没有提交，也没有留在这台机器上。请到窗口再说一遍。", "small"),
        ]
    blocks += [Rule(), Line(f"{place.site_name} · {place.terminal_name}", "center_small")]
    blocks.append(Line(f"打印时间 {china_time(at)}", "center_small"))
    return Receipt(job, tuple(blocks))


def window_reason(reason: NoticeCode | None) -> str:
    """Why the window, in one sentence for paper."""
    return _REASONS.get(reason, "这件事也可以到窗口办，有工作人员帮您。") if reason else _ASKED


_ASKED = "您选择了到窗口办，有工作人员帮您。"
_REASONS: dict[NoticeCode, str] = {
    NoticeCode.CARD_READ_FAILED: "这台机器没有读出您的身份证，窗口可以办。",
    NoticeCode.CARD_FOREIGN: "放上来的卡不是身份证，请带身份证到窗口办。",
    NoticeCode.CARD_EXPIRED: "您的身份证过了有效期，请先换证，或者到窗口问一问。",
    NoticeCode.CARD_NOT_YET_VALID: "您的身份证还没有到启用日期，请到窗口问一问。",
    NoticeCode.READER_DOWN: "这台机器的读卡器坏了，窗口可以办。",
    NoticeCode.CAMERA_DOWN: "这台机器的拍照设备坏了，窗口可以办。",
    NoticeCode.CAPTURE_POOR: "材料在这里拍不清楚，请把原件带到窗口。",
    NoticeCode.HALL_UNREACHABLE: "现在网络不通，这件事要联网才能办。可以晚一点再来，也可以到窗口办。",
    NoticeCode.NOT_ELIGIBLE: "系统里没有查到可以开证明的记录，请到窗口核对。",
    NoticeCode.STORE_DOWN: "这台机器现在存不了申请，窗口可以办。",
    NoticeCode.DISK_FULL: "这台机器现在存不了申请，窗口可以办。",
    NoticeCode.EXIT_PAGE: "您的情况需要工作人员当面看一看，请到窗口办。",
}


def china_time(at: datetime) -> str:
    """2026年11月22日 14:26, in China."""
    local = at.astimezone(CHINA)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def span_text(span: Span) -> str:
    """3 个工作日."""
    return f"{span.days} {_UNITS[span.unit]}"


def _head(title: str, place: Place) -> Iterator[Block]:
    yield Line(title, "title")
    yield Line(place.hall_name, "center")
    yield Rule()


def _case(item: Item, submission: Submission, place: Place) -> Iterator[Block]:
    yield Pair("受理编号", ApplicationNumber.parse(submission.application_no).printed())
    if submission.corrects:
        yield Line("补正的办件")
        yield Line(ApplicationNumber.parse(submission.corrects).printed(), "strong")
    yield Pair("查询码", submission.query_code)
    yield Pair("事项", item.name)
    if submission.applicant.method == "id_card":
        yield Pair("申请人", mask_name(submission.applicant.name))
        yield Pair("证件号", mask_id_number(submission.applicant.id_number))
    yield Pair("受理时间", china_time(submission.created_at))
    if item.limits is not None:
        yield Pair("答复时限" if item.kind == "consultation" else "承诺时限", span_text(item.limits.promised))
    yield Pair("查询方式", place.query_place)


def _handed_in(materials: Sequence[MaterialUse]) -> Iterator[Block]:
    yield Line("已交材料", "strong")
    for number, use in enumerate(materials, start=1):
        yield Line(f"{number}. {use.name}（{_SOURCES[use.source]}）")
    if not materials:
        yield Line("这件事不用交材料。")


def _to_bring(materials: Sequence[Material]) -> Iterator[Block]:
    yield Line("□ 居民身份证原件")
    for material in materials:
        if "card_reader" not in material.sources:
            yield Line(f"□ {material.name}")


def _status(delivered: bool, what: str) -> Iterator[Block]:
    """Honest: the hall has it, or it lies safely here."""
    if delivered:
        yield Line("已经送到", "strong")
        yield Line(f"大厅已经收到您的{what}。")
    else:
        yield Line("已经保存，会自动送到大厅", "strong")
        yield Line(f"您的{what}已经加密保存在这台机器里，会自动送到大厅；网络不通时，网络一恢复就送。")
        yield Line("您不用再来，也不用再交一次。")


def _foot(place: Place, qr: str) -> Iterator[Block]:
    yield Code(qr, "凭受理编号和查询码，可以查办到哪一步")
    yield Rule()
    yield Line(f"{place.site_name} · {place.terminal_name}", "center_small")
    yield Line("请收好这张回执。上面的姓名和证件号已经遮住一部分。", "center_small")
