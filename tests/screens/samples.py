"""One realistic snapshot for every view the terminal can show, with its troubles. Persons are synthetic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPolygonF

from kiosk.contract.bundle import Window
from kiosk.contract.numbers import ApplicationNumber
from kiosk.contract.person import ApplicationSummary, LicenceSummary
from kiosk.core import views as v
from kiosk.core.devices import DeviceKind, Fault, PreviewFrame
from kiosk.core.print_ledger import PaperKind

SITE = "禅城区祖庙街道 24小时自助服务区"
NOW = datetime(2026, 11, 22, 6, 26, tzinfo=UTC)
DEVICES = (
    v.DeviceChip(DeviceKind.ID_CARD, "ok"),
    v.DeviceChip(DeviceKind.RECEIPT, "ok"),
    v.DeviceChip(DeviceKind.PAGE, "ok"),
    v.DeviceChip(DeviceKind.CAMERA, "ok"),
    v.DeviceChip("network", "down"),
)
IDLE = v.Chrome(SITE, "3号机", DEVICES, in_session=False, card_present=False, seconds_left=None, warning=False)
ALL_WELL = (*DEVICES[:-1], v.DeviceChip("network", "ok"))
WINDOW = Window(
    name="祖庙街道便民服务中心综合窗口", address="祖庙街道市民路1号", open="周一至周五", phone="0757-12345678"
)
BUSY = replace(IDLE, in_session=True, card_present=True, seconds_left=160)
PERSON = v.Person("欧阳*", "440699********1234")
RESIDENCE = "居住证签注"
N = v.NoticeCode

TILES = (
    v.Tile("440604-GA-0031", "居住证签注", "到期签注、换地址", "home-2"),
    v.Tile("440604-RS-0102", "参保证明", "社保参保证明当场打印", "certificate"),
    v.Tile("my_licences", "我的证照", "查看、打印电子证照", "license"),
    v.Tile("my_applications", "我的办件", "看看办到了哪一步", "progress-check"),
    v.Tile("440604-ZX-12345", "咨询建议", "写给12345，凭编号查答复", "message-question"),
    v.Tile("all_items", "全部事项", "按部门、按主题找", "layout-grid"),
)
BROKEN = v.Availability(False, DeviceKind.PAGE, "石湾镇街道 1号机")
SIX_WITH_TROUBLE = (TILES[0], replace(TILES[1], available=BROKEN), *TILES[2:])
EIGHT = (
    *TILES[:5],
    v.Tile("440604-JT-0007", "交通违法", "查询与缴款", "car"),
    v.Tile("440604-YY-0001", "预约取号", "市民服务大厅窗口", "calendar-event"),
    TILES[5],
)

HERE_AND_NOW = v.Availability(True)


def item(
    name: str, department: str, summary: str, why: str = "", available: v.Availability = HERE_AND_NOW
) -> v.ItemCard:
    return v.ItemCard(f"440604-X-{abs(hash(name)) % 10000:04d}", name, department, summary, why, available)


RESIDENCE_CARD = item("居住证签注", "佛山市公安局禅城分局", "居住证每满一年办一次签注，续上有效期。", "暂住证")
RESULTS = (
    RESIDENCE_CARD,
    item("居住证申领", "佛山市公安局禅城分局", "第一次办理广东省居住证。"),
    item("社会保险个人参保证明", "佛山市社会保险基金管理局", "当场打印。", "社保证明", BROKEN),
    item("适龄儿童、少年因身体状况需要延缓入学或者休学审批", "禅城区教育局", "需要延缓入学或休学的，由监护人提出。"),
)

FILL = v.QuestionView(
    item_name=RESIDENCE,
    page_id="where",
    title="现在住在哪里？",
    text="",
    fields=(
        v.FieldView("name", "text", "姓名", "", "欧阳龚", "id_card", True),
        v.FieldView("number", "text", "身份证号", "", "440699197603151234", "id_card", True),
        v.FieldView("address", "address", "现居住地址", "写到门牌号，如：季华五路10号502", None, "", False),
    ),
    step="fill",
    index=1,
    total=3,
    changing=False,
    next_step="materials",
    person=PERSON,
)
RECEIPT_NUMBER = str(ApplicationNumber("440604", date(2026, 11, 22), "T001", 7))
SOCIAL = v.QuestionView(
    item_name="社保卡登记信息变更",
    page_id="card",
    title="您的社保卡",
    text="把社保卡插进社保卡插口，卡号会自动填好；没带卡，也可以照着卡面填。",
    fields=(v.FieldView("card_number", "text", "社保卡号", "卡面左下角，9位", None, "", False, max_length=9),),
    step="fill",
    index=1,
    total=2,
    changing=False,
    next_step="fill",
    person=PERSON,
)
SOCIAL_READ = replace(
    SOCIAL, fields=(v.FieldView("card_number", "text", "社保卡号", "", "AB1234567", "social_card", True),)
)
CONTACT = replace(
    FILL,
    page_id="contact",
    title="怎么联系您？",
    text="办好以后给这个号码发短信。",
    fields=(v.FieldView("phone", "phone", "手机号码", "11位数字", None, "", False, max_length=11),),
    index=2,
    next_step="fill",
)
REASON = replace(
    FILL,
    page_id="reason",
    title="因为什么住在佛山？",
    fields=(
        v.FieldView(
            "reason",
            "choice",
            "居住事由",
            "选最主要的一个",
            "work",
            "citizen",
            False,
            (("work", "务工"), ("study", "就学"), ("live", "居住在自有房屋"), ("family", "投靠亲属或随迁")),
        ),
    ),
    index=3,
)
YES_NO = replace(
    FILL,
    page_id="moved",
    title="住址和上次一样吗？",
    text="上次登记：佛山市禅城区祖庙街道季华五路",
    fields=(v.FieldView("same", "yesno", "住址没有变", "", None, "", False, error=v.Notice(N.ANSWER_MISSING)),),
)
DATES = replace(
    FILL,
    page_id="since",
    title="从哪天开始住在这里？",
    fields=(
        v.FieldView("since", "date", "起始日期", "", None, "", False),
        v.FieldView("people", "number", "同住人数", "不算自己", 2, "citizen", False, required=False),
    ),
)
QUESTION = replace(
    FILL,
    item_name="12345咨询建议",
    page_id="ask",
    title="您想问什么？",
    text="写得越具体，答复越快。",
    fields=(
        v.FieldView(
            "body",
            "long_text",
            "问题",
            "",
            "小区门口路灯坏了三天，晚上老人出门看不见。",
            "citizen",
            False,
            max_length=500,
        ),
    ),
    total=1,
    next_step="check",
)
EMPLOYER = replace(
    FILL,
    page_id="employer",
    title="在哪里上班？",
    fields=(
        v.FieldView("employer", "text", "单位名称", "", "佛山市季华机电有限公司", "licence", False),
        v.FieldView(
            "home",
            "address",
            "户籍地址",
            "",
            "广东省某某市某某县某某镇某某村民委员会第十二村民小组一巷三十八号之二",
            "id_card",
            True,
        ),
        v.FieldView(
            "tel",
            "phone",
            "单位电话",
            "",
            "0757-83331",
            "citizen",
            False,
            error=v.Notice(N.ANSWER_INVALID, (("fault", "not_a_phone"),)),
        ),
    ),
)
EXIT = replace(
    FILL,
    page_id="exit",
    title="这种情况要到窗口办理",
    text="居住证已过期超过60天，需要重新申领。",
    fields=(),
    notice=v.Notice(N.EXIT_PAGE),
)

HELD = LicenceSummary(
    id="lic-1",
    type_name="不动产权证书",
    number="440699001234567",
    issuer="佛山市自然资源局",
    holder="欧阳*",
    valid_from="2019-06-01",
    valid_to="2089-06-01",
    printable=True,
    usable=True,
)
PERMIT = LicenceSummary(
    id="lic-2",
    type_name="广东省居住证",
    number="440699300012345",
    issuer="佛山市公安局禅城分局",
    holder="欧阳*",
    valid_from="2025-11-30",
    valid_to="2026-11-30",
    printable=True,
    usable=True,
)
EXPIRED = PERMIT.model_copy(
    update={"id": "lic-3", "type_name": "健康证明", "usable": False, "printable": False, "valid_to": "2024-03-01"}
)

PAPERS = v.MaterialsView(
    item_name=RESIDENCE,
    rows=(
        v.MaterialRow("card", "居民身份证", "", "from_card", None, False),
        v.MaterialRow("permit", "广东省居住证", "", "reused", PERMIT, True),
        v.MaterialRow("housing", "居住证明", "租赁合同、房产证或单位宿舍证明，任选一样", "needed", HELD, True),
        v.MaterialRow("work", "就业证明", "劳动合同或营业执照", "needed", None, True),
    ),
    complete=False,
)
PAPERS_READY = replace(
    PAPERS,
    rows=(
        PAPERS.rows[0],
        PAPERS.rows[1],
        replace(PAPERS.rows[2], state="captured"),
        replace(PAPERS.rows[3], state="captured"),
    ),
    complete=True,
)
WANTED_PAPERS = replace(PAPERS, item_name=f"补正：{RESIDENCE}", wanted="您的居住证已经失效，请补交有效的。")


def paper_picture(*, crooked: bool) -> bytes:
    """A page under the document camera, as JPEG."""
    image = QImage(1600, 1200, QImage.Format.Format_RGB32)
    image.fill(QColor("#3A4250"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(800, 600)
    painter.rotate(4 if crooked else 0)
    painter.fillRect(QRectF(-620, -430, 1240, 860), QColor("#FBFBF7"))
    font = QFont()
    font.setPixelSize(60)
    painter.setFont(font)
    painter.drawText(QRectF(-620, -400, 1240, 120), Qt.AlignmentFlag.AlignCenter, "房屋租赁合同")
    font.setPixelSize(32)
    painter.setFont(font)
    for row in range(7):
        painter.drawText(QPointF(-540, -220 + row * 80), "甲方将位于禅城区祖庙街道的房屋出租给乙方居住使用")
    painter.end()
    return jpeg(image)


def jpeg(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPG", 85)
    return bytes(buffer.data().data())


def preview(advice: str = "ok", sequence: int = 1) -> PreviewFrame:
    """A live picture with the page found in it."""
    corners = QPolygonF([QPointF(-620, -430), QPointF(620, -430), QPointF(620, 430), QPointF(-620, 430)])
    from PySide6.QtGui import QTransform

    turned = QTransform().translate(800, 600).rotate(4).map(corners)
    quad = tuple((turned[k].x() / 1600, turned[k].y() / 1200) for k in range(4))
    return PreviewFrame(sequence, paper_picture(crooked=True), quad, advice)


CAPTURE = v.CaptureView(RESIDENCE, "housing", "居住证明", "租赁合同、房产证或单位宿舍证明", "live")
CHECK = v.CheckView(
    item_name=RESIDENCE,
    rows=(
        v.CheckRow("姓名", "欧阳龚", "id_card", ""),
        v.CheckRow("身份证号", "440699********1234", "id_card", ""),
        v.CheckRow("现居住地址", "佛山市禅城区祖庙街道季华五路10号502", "citizen", "where"),
        v.CheckRow("手机号码", "138****1234", "citizen", "contact"),
        v.CheckRow("居住事由", "务工", "citizen", "reason"),
        v.CheckRow("材料", "居住证（已有）、居住证明（已拍1页）", "citizen", "materials"),
    ),
    kind="application",
)
DONE = v.DoneView(
    item_name=RESIDENCE,
    kind="application",
    application_no="440604261122T0010018P",
    query_code="7428",
    query_place="在任何一台市民之窗放上身份证；或者带这张回执到任一综合窗口；也可以拨打12345，报受理编号和查询码。",
    delivered=False,
    receipt="printed",
    limit_days=5,
    limit_unit="workday",
)


def _case(number: str, name: str, state: str, **more: object) -> ApplicationSummary:
    return ApplicationSummary.model_validate(
        {
            "application_no": number,
            "item_code": "440604-GA-0031",
            "item_name": name,
            "state": state,
            "received_at": datetime(2026, 11, 20, 2, 0, tzinfo=UTC),
            **more,
        }
    )


CASES = (
    _case("440604261122T0010018P", RESIDENCE, "handling", due_at=datetime(2026, 11, 27, 2, 0, tzinfo=UTC)),
    _case("K0604-3-261018-000042", "居住证申领", "granted", message="已办好，可以打印电子居住证。", licence_id="lic-2"),
    _case("K0604-1-260901-000311", "12345咨询", "answered", message="路灯已于9月3日修好，谢谢您的反映。"),
)
SPACE = v.MySpaceView("applications", PERSON, False, CASES)
RETURNED = _case(
    "440604261116T0010009F",
    "居住证签注",
    "correction_wanted",
    message="您的居住证已经失效，请补交有效的。",
    correct_by=datetime(2026, 12, 1, 15, 59, 59, tzinfo=UTC),
)
TO_CORRECT = v.MySpaceView(
    "applications", PERSON, False, (RETURNED, *CASES[:2]), correctable=(RETURNED.application_no,)
)
WINDOWS = (
    (
        "禅城区行政服务中心祖庙分中心 3号窗口",
        "佛山市禅城区祖庙街道兆祥路4号一楼",
        "周一至周五 9:00-12:00，14:00-17:00",
        "0757-82340000",
    ),
    ("祖庙派出所户政窗口", "佛山市禅城区祖庙街道人民路102号", "周一至周六 9:00-17:00", "0757-82110000"),
)


def snapshots() -> dict[str, v.Snapshot]:
    """Every sample by name."""
    guide = v.GuideView(
        RESIDENCE_CARD,
        ("居住证明：租赁合同、房产证或单位宿舍证明，任选一样", "就业证明：劳动合同或营业执照"),
        "免费",
        5,
        "workday",
        "居住证签注",
        0,
        offline_ok=True,
        needs_card=True,
        primary="begin",
        papers=(
            v.GuidePaper("广东省居住证", "", "held"),
            v.GuidePaper("居住证明", "租赁合同、房产证或单位宿舍证明，任选一样", "bring"),
            v.GuidePaper("就业证明", "劳动合同或营业执照", "maybe"),
        ),
        card_read=True,
    )
    certificate = v.GuideView(
        item("社会保险个人参保证明", "佛山市社会保险基金管理局", "证明您现在参加了哪些社会保险，当场打印，盖电子章。"),
        (), "免费", 0, "workday", "参保证明（A4，带电子印章）", 0, offline_ok=False, needs_card=True, primary="print",
    )  # fmt: skip
    shown: dict[str, tuple[v.View, v.Chrome]] = {
        "attract": (v.AttractView(), IDLE),
        "home": (v.HomeView(TILES), IDLE),
        "home_refused": (v.HomeView(TILES, notice=v.Notice(N.CARD_FOREIGN)), replace(BUSY, card_present=True)),
        "home_eight": (v.HomeView(EIGHT), IDLE),
        "home_starting": (
            v.HomeView(
                (replace(TILES[0], available=v.Availability(False, DeviceKind.CAMERA, starting=True)), *TILES[1:])
            ),
            IDLE,
        ),
        "home_known": (v.HomeView(TILES, PERSON), BUSY),
        "home_trouble": (
            v.HomeView(SIX_WITH_TROUBLE),
            replace(
                BUSY,
                card_present=False,
                devices=(
                    v.DeviceChip(DeviceKind.ID_CARD, "unknown"),
                    v.DeviceChip(DeviceKind.RECEIPT, "low"),
                    v.DeviceChip(DeviceKind.PAGE, "down", Fault.JAM),
                    v.DeviceChip(DeviceKind.CAMERA, "starting"),
                    v.DeviceChip("network", "ok"),
                ),
            ),
        ),
        "search": (v.SearchView("jzz", RESULTS), IDLE),
        "search_none": (v.SearchView("xyzzy", ()), IDLE),
        "guide": (guide, BUSY),
        "guide_certificate": (certificate, IDLE),
        "guide_trouble": (
            replace(certificate, item=replace(certificate.item, available=BROKEN), notice=v.Notice(N.HALL_UNREACHABLE)),
            BUSY,
        ),
        "put_card": (v.PutCardView(RESIDENCE), replace(BUSY, card_present=False)),
        "put_card_reading": (v.PutCardView("my_licences", reading=True), BUSY),
        "put_card_failed": (v.PutCardView(RESIDENCE, notice=v.Notice(N.CARD_READ_FAILED)), BUSY),
        "question": (FILL, BUSY),
        "question_phone": (CONTACT, BUSY),
        "question_choice": (REASON, BUSY),
        "question_yesno": (YES_NO, BUSY),
        "question_date": (DATES, BUSY),
        "question_long": (QUESTION, BUSY),
        "question_wrong": (EMPLOYER, BUSY),
        "question_exit": (EXIT, BUSY),
        "materials": (PAPERS, BUSY),
        "materials_ready": (PAPERS_READY, BUSY),
        "capture": (CAPTURE, BUSY),
        "capture_waiting": (replace(CAPTURE, material_id="other"), BUSY),
        "capture_review": (
            replace(CAPTURE, phase="review", shot_jpeg=paper_picture(crooked=False), advice="ok"),
            BUSY,
        ),
        "capture_poor": (
            replace(
                CAPTURE,
                phase="review",
                shot_jpeg=paper_picture(crooked=True),
                advice="blurred",
                notice=v.Notice(N.CAPTURE_POOR),
            ),
            BUSY,
        ),
        "capture_down": (replace(CAPTURE, phase="down", notice=v.Notice(N.CAMERA_DOWN)), BUSY),
        "check": (CHECK, BUSY),
        "check_trouble": (replace(CHECK, notice=v.Notice(N.STORE_DOWN)), BUSY),
        "sending": (v.SendingView(RESIDENCE), BUSY),
        "done_offline": (DONE, BUSY),
        "done_delivered": (replace(DONE, delivered=True, limit_by=date(2026, 11, 27), receipt="printing"), BUSY),
        "done_unproven": (replace(DONE, receipt="unproven", notice=v.Notice(N.RECEIPT_UNPROVEN)), BUSY),
        "done_recovered": (
            replace(DONE, recovered=True, receipt="waiting_paper", notice=v.Notice(N.RECEIPT_PAPER_OUT)),
            BUSY,
        ),
        "my_applications": (SPACE, BUSY),
        "my_correction": (TO_CORRECT, BUSY),
        "my_correction_elsewhere": (replace(TO_CORRECT, applications=(RETURNED,), correctable=()), BUSY),
        "materials_correction": (WANTED_PAPERS, BUSY),
        "materials_correction_resumed": (replace(WANTED_PAPERS, notice=v.Notice(N.RESUMED)), BUSY),
        "done_correction": (replace(DONE, corrects="440604261116T0010009F"), BUSY),
        "my_licences": (v.MySpaceView("licences", PERSON, False, (), (PERMIT, HELD, EXPIRED)), BUSY),
        "my_loading": (v.MySpaceView("licences", PERSON, True), BUSY),
        "my_unreachable": (v.MySpaceView("applications", PERSON, False, notice=v.Notice(N.HALL_UNREACHABLE)), BUSY),
        "print": (v.PrintView("社会保险个人参保证明", "printing", 1), BUSY),
        "print_done": (v.PrintView("社会保险个人参保证明", "done", 1), BUSY),
        "print_unproven": (v.PrintView("广东省居住证", "unproven", 2, v.Notice(N.PAGE_UNPROVEN)), BUSY),
        "print_refused": (v.PrintView("社会保险个人参保证明", "failed", 0, v.Notice(N.NOT_ELIGIBLE)), BUSY),
        "print_asked": (v.PrintView("", "unproven", 1, v.Notice(N.PAGE_ASKED)), BUSY),
        "print_no_sheet": (v.PrintView("广东省居住证", "failed", 1, v.Notice(N.SHEETS_OUT)), BUSY),
        "print_limit": (v.PrintView("广东省居住证", "failed", 1, v.Notice(N.REPRINT_LIMIT)), BUSY),
        "print_not_started": (v.PrintView("广东省居住证", "failed", 1, v.Notice(N.PAGE_NOT_STARTED)), BUSY),
        "paper_waiting": (
            v.PrintView("社会保险个人参保证明", "done", 1),
            replace(BUSY, papers_waiting=(PaperKind.PAGE,)),
        ),
        "paper_left": (v.AttractView(), replace(IDLE, papers_left=(PaperKind.PAGE,))),
        "paper_left_both": (v.HomeView(TILES), replace(BUSY, papers_left=(PaperKind.RECEIPT, PaperKind.PAGE))),
        "print_failed": (v.PrintView("广东省居住证", "failed", 2, v.Notice(N.PAGE_FAILED)), BUSY),
        "home_unfinished": (v.HomeView(TILES, PERSON, unfinished=RESIDENCE), BUSY),
        "code_receipt": (v.CodeView("receipt", True, RECEIPT_NUMBER, progress=True), BUSY),
        "code_licence": (
            v.CodeView("licence", True, "粤4406-2026-000123", "居住证", "欧*", "2027-03-31"),
            BUSY,
        ),
        "code_withdrawn": (
            v.CodeView("licence", True, "粤4406-2026-000123", "居住证", "欧*", "2027-03-31", withdrawn=True),
            BUSY,
        ),
        "code_forged": (v.CodeView("licence", False, "粤4406-2026-000123", "居住证", "欧*", "2027-03-31"), BUSY),
        "question_slot": (replace(SOCIAL, slot="ready"), BUSY),
        "question_slot_done": (replace(SOCIAL_READ, slot="done"), BUSY),
        "question_slot_wrong": (
            replace(SOCIAL, slot="ready", notice=v.Notice(N.SOCIAL_CARD_FAILED, (("fault", "card_bank"),))),
            BUSY,
        ),
        "social_left": (v.AttractView(), replace(IDLE, social_left=True)),
        "out_of_service_open": (
            v.OutOfServiceView(
                (v.DeviceChip("power", "low"), v.DeviceChip(DeviceKind.SITE_IO, "down", Fault.CABINET_OPEN)), ""
            ),
            IDLE,
        ),
        "window_slip": (v.WindowSlipView(RESIDENCE, "done", WINDOWS), BUSY),
        "window_slip_failed": (
            v.WindowSlipView(RESIDENCE, "failed", WINDOWS[:1], v.Notice(N.READER_DOWN)),
            BUSY,
        ),
        "out_of_service": (
            v.OutOfServiceView(
                (v.DeviceChip(DeviceKind.ID_CARD, "down", Fault.NO_READER), v.DeviceChip("network", "down")),
                "石湾镇街道 1号机（石湾镇和平路12号）",
            ),
            IDLE,
        ),
        "idle_warning": (FILL, replace(BUSY, seconds_left=24, warning=True)),
        "card_left": (v.AttractView(), replace(IDLE, card_present=True, card_left=True)),
        "help_waiting": (CHECK, replace(BUSY, devices=ALL_WELL, help="waiting", help_window=WINDOW)),
        "help_offline": (CHECK, replace(BUSY, help="waiting", help_window=WINDOW)),
        "help_sent": (CHECK, replace(BUSY, devices=ALL_WELL, help="sent", help_window=WINDOW)),
        "help_seen": (CHECK, replace(BUSY, devices=ALL_WELL, help="seen", help_window=WINDOW)),
        "help_without_telephone": (CHECK, replace(BUSY, help="waiting")),
    }
    return {name: v.Snapshot(number, *pair) for number, (name, pair) in enumerate(shown.items(), 1)}
