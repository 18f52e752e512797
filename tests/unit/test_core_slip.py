"""Slips: mandatory lines, masked persons, honest words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiosk.contract.bundle import Window
from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.submission import IdentityProof, MaterialUse, Submission
from kiosk.core.answers import Answers
from kiosk.core.id_card import IdCard
from kiosk.core.item import Item, Span
from kiosk.core.receipt import MANDATORY_LABELS, Code, Line, Pair, Receipt, ReceiptError
from kiosk.core.session import identity_proof
from kiosk.core.slip import (
    Place,
    application_receipt,
    china_time,
    consultation_receipt,
    receipt_for,
    span_text,
    window_reason,
    window_slip,
)
from kiosk.core.views import NoticeCode

PLACE = Place("样本大厅", "任何一台市民之窗", "样本街道24小时区", "3号机")
NUMBER = ApplicationNumber("440699", date(2026, 11, 22), "T001", 7)
WINDOW = Window(name="样本窗口", address="样本路1号", open="周一至周五", phone="12345")
MATERIALS = (
    MaterialUse(id="id_card", source="card_reader", name="居民身份证"),
    MaterialUse(id="permit", source="licence_library", name="居住证"),
    MaterialUse(id="housing", source="camera", name="租赁合同"),
)


@pytest.fixture
def make_submission(at: datetime, make_card: Callable[..., IdCard]) -> Callable[..., Submission]:
    """A filing by the card's holder, changed by keywords."""

    def make(**changes: Any) -> Submission:
        return Submission(
            **{
                "id": "01934f00-0000-7000-8000-000000000001",
                "application_no": str(NUMBER),
                "query_code": "ABCD2345",
                "item_code": "440604-GA-0031",
                "item_version": 1,
                "bundle": 1,
                "terminal_id": "T001",
                "created_at": at,
                "applicant": identity_proof(make_card(), read_at=at, terminal_id="T001"),
                "materials": MATERIALS,
                **changes,
            }
        )

    return make


def pairs(receipt: Receipt) -> dict[str, str]:
    return {block.label: block.value for block in receipt.blocks if isinstance(block, Pair)}


def words(receipt: Receipt) -> str:
    texts = [block.text for block in receipt.blocks if isinstance(block, Line)]
    return "\n".join([*texts, *(f"{label} {value}" for label, value in pairs(receipt).items())])


def test_an_application_receipt(renewal: Item, make_submission: Callable[..., Submission]) -> None:
    submission = make_submission()
    receipt = application_receipt(
        job="receipt-1", item=renewal, submission=submission, place=PLACE, delivered=False, qr="ZZ1:SAMPLE"
    )
    assert receipt.job == "receipt-1"
    assert pairs(receipt) == {
        "受理编号": NUMBER.printed(),
        "查询码": "ABCD2345",
        "事项": "居住证签注",
        "申请人": "陈*本",
        "证件号": f"440699********{submission.applicant.id_number[-4:]}",
        "受理时间": "2026年11月22日 14:26",
        "承诺时限": "3 个工作日",
        "查询方式": "任何一台市民之窗",
    }
    assert set(MANDATORY_LABELS) <= set(pairs(receipt))
    text = words(receipt)
    assert "1. 居民身份证（读取身份证）" in text
    assert "2. 居住证（用已有证照，不用再交）" in text
    assert "3. 租赁合同（当场拍摄）" in text
    assert "样本街道24小时区 · 3号机" in text
    assert [block.data for block in receipt.blocks if isinstance(block, Code)] == ["ZZ1:SAMPLE"]
    assert submission.applicant.id_number not in text
    assert submission.applicant.name not in text
    first = receipt.blocks[0]
    assert isinstance(first, Line)
    assert (first.text, first.style) == ("受理回执", "title")


def test_the_status_line_is_honest(renewal: Item, make_submission: Callable[..., Submission]) -> None:
    saved, delivered = (
        words(
            application_receipt(
                job="j", item=renewal, submission=make_submission(), place=PLACE, delivered=state, qr="ZZ1:S"
            )
        )
        for state in (False, True)
    )
    assert "已经保存，会自动送到大厅" in saved
    assert "收到" not in saved
    assert "大厅已经收到您的申请" in delivered


def test_a_consultation_receipt(published: Callable[[str], Item], make_submission: Callable[..., Submission]) -> None:
    receipt = consultation_receipt(
        job="j",
        item=published("zx_12345"),
        submission=make_submission(materials=()),
        place=PLACE,
        delivered=True,
        qr="ZZ1:S",
    )
    assert pairs(receipt)["答复时限"] == "3 个工作日"
    assert "已交材料" not in words(receipt)
    assert "大厅已经收到您的问题" in words(receipt)


def test_the_kind_of_the_item_chooses_the_receipt(
    renewal: Item, published: Callable[[str], Item], make_submission: Callable[..., Submission]
) -> None:
    for item, title in [(renewal, "受理回执"), (published("zx_12345"), "咨询回执")]:
        receipt = receipt_for(
            job="j", item=item, submission=make_submission(), place=PLACE, delivered=False, qr="ZZ1:S"
        )
        assert receipt.blocks[0] == Line(title, "title")


def test_no_limits_no_materials_and_nobody(
    make_item: Callable[..., Item], make_submission: Callable[..., Submission], at: datetime
) -> None:
    nobody = IdentityProof(method="none", read_at=at, terminal_id="T001")
    receipt = application_receipt(
        job="j",
        item=make_item(limits=None),
        submission=make_submission(applicant=nobody, materials=()),
        place=PLACE,
        delivered=True,
        qr="ZZ1:S",
    )
    assert not {"申请人", "证件号", "承诺时限"} & set(pairs(receipt))
    assert "这件事不用交材料" in words(receipt)


def test_a_receipt_without_query_place_is_refused(renewal: Item, make_submission: Callable[..., Submission]) -> None:
    with pytest.raises(ReceiptError, match="查询方式"):
        application_receipt(
            job="j",
            item=renewal,
            submission=make_submission(),
            place=Place("样本大厅", "", "样本", "1号机"),
            delivered=True,
            qr="ZZ1:S",
        )


def slip(item: Item, answers: Answers, **changes: Any) -> Receipt:
    return window_slip(
        **{
            "job": "slip-1",
            "item": item,
            "answers": answers,
            "answered": 2,
            "windows": (WINDOW,),
            "reason": NoticeCode.EXIT_PAGE,
            "place": PLACE,
            "at": datetime(2026, 11, 22, 6, 26, tzinfo=UTC),
            **changes,
        }
    )


def test_a_window_slip(renewal: Item, answered: Callable[..., Answers]) -> None:
    text = words(slip(renewal, answered(addr_same=False, address="秘密路9号", reason="home")))
    for wanted in (
        "到窗口办理",
        "居住证签注",
        "需要工作人员当面看一看",
        "□ 居民身份证原件",
        "□ 居住证",
        "□ 租赁合同或房产证",
        "样本窗口",
        "地址 样本路1号",
        "时间 周一至周五",
        "电话 12345",
        "答了 2 个问题",
        "打印时间 2026年11月22日 14:26",
    ):
        assert wanted in text
    assert text.count("居民身份证") == 1
    assert "秘密路" not in text


def test_a_window_slip_without_windows_says_where_to_ask(renewal: Item, answered: Callable[..., Answers]) -> None:
    text = words(slip(renewal, answered(), windows=(), answered=0))
    assert "任何一台市民之窗" in text
    assert "个问题" not in text


def test_every_reason_is_a_sentence() -> None:
    for reason in (None, *NoticeCode):
        assert window_reason(reason).endswith("。")
    assert window_reason(None) != window_reason(NoticeCode.CAMERA_DOWN)


def test_words_for_times() -> None:
    assert china_time(datetime(2026, 12, 31, 16, 5, tzinfo=UTC)) == "2027年1月1日 00:05"
    assert (span_text(Span(days=3)), span_text(Span(days=7, unit="day"))) == ("3 个工作日", "7 天")
