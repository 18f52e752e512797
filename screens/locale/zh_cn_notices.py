"""Notices in Chinese: what happened, what became of the citizen's answers, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

from kiosk.core.answers import AnswerFault
from kiosk.core.views import Notice, NoticeCode

Tone = Literal["info", "ok", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something to tell the citizen: a headline, and what to do next."""

    tone: Tone
    title: str
    text: str


def notice(told: Notice) -> Sentence:
    """The sentence for a notice."""
    words = dict(told.params)
    match told.code:
        case NoticeCode.CARD_READ_FAILED:
            return Sentence("warn", "没有读到身份证", "请把身份证平放在读卡区，停两秒，不要移动。")
        case NoticeCode.CARD_FOREIGN:
            return Sentence(
                "warn",
                f"这是{_card_word(words.get('card', ''))}，不是居民身份证",
                "请换成居民身份证、港澳台居民居住证或外国人永久居留身份证。",
            )
        case NoticeCode.CARD_REJECTED:
            return Sentence("error", "读卡器认不出这张身份证", "请擦净卡面再放一次；还是不行，请点“到窗口办理”。")
        case NoticeCode.SOCIAL_CARD_FAILED:
            return _social_card_failed(words.get("fault", ""))
        case NoticeCode.SOCIAL_CARD_OTHER:
            return Sentence("warn", "这张社保卡不是您本人的", "请换成您自己的社保卡，或照着卡面手工填写。")
        case NoticeCode.CODE_UNKNOWN:
            return Sentence("info", "这个码不是办事回执或证照上的码", "请把回执或证照上的二维码对准扫码口再扫一次。")
        case NoticeCode.CARD_EXPIRED:
            return Sentence("error", "身份证已过有效期", "请先到派出所换领新证；急办的事可点“到窗口办理”。")
        case NoticeCode.CARD_NOT_YET_VALID:
            return Sentence("error", "身份证还没到生效日期", "请换用现在有效的身份证，或点“到窗口办理”。")
        case NoticeCode.CARD_REMOVED:
            return Sentence("warn", "身份证被取走了", "请把刚才那张身份证放回读卡区，已填的内容还在。")
        case NoticeCode.READER_DOWN:
            return Sentence("error", "读卡器暂时不能用", "请到旁边的机器办理，或点“到窗口办理”。")
        case NoticeCode.CAMERA_DOWN:
            return Sentence("error", "拍摄设备暂时不能用", _way_out(words))
        case NoticeCode.CAPTURE_POOR:
            return Sentence("warn", "这张照片不够清楚", _poor(words.get("advice", "")))
        case NoticeCode.HALL_UNREACHABLE:
            return Sentence("warn", "现在连不上网上办事大厅", "不是您的问题，请稍后再试。急办的事也可以到窗口办理。")
        case NoticeCode.HALL_REFUSED:
            return Sentence(
                "error", "网上办事大厅没有受理", "没有产生任何费用或记录。请点“到窗口办理”，由工作人员处理。"
            )
        case NoticeCode.NOT_ELIGIBLE:
            return Sentence(
                "warn", "暂时不能办理这件事", words.get("reason") or "您目前不符合条件，详情请点“到窗口办理”咨询。"
            )
        case NoticeCode.STORE_DOWN:
            return Sentence(
                "error", "还没有提交成功", "本机暂时存不下申请，您填的内容还在。请稍等再点一次，或到窗口办理。"
            )
        case NoticeCode.DISK_FULL:
            return Sentence("error", "还没有提交成功", "本机存储已满，已通知维护人员。请到旁边的机器或窗口办理。")
        case NoticeCode.RECEIPT_FAILED:
            return Sentence(
                "warn", "回执没有打印出来", "申请已经提交，不受影响。请记下或拍下上面的编号，也可以再打一次。"
            )
        case NoticeCode.RECEIPT_UNPROVEN:
            return Sentence(
                "warn", "不确定回执是否打印完整", "申请已经提交，不受影响。请看一下出纸口：有回执就点“拿到了”。"
            )
        case NoticeCode.RECEIPT_PAPER_OUT:
            return Sentence("warn", "回执纸用完了", "申请已经提交，不受影响。已通知人员加纸，请先记下或拍下编号。")
        case NoticeCode.PAGE_FAILED:
            return Sentence("error", "没有打印出来", "可以再打一次；还不行请到旁边的机器或窗口打印。")
        case NoticeCode.PAGE_PAPER_OUT:
            return Sentence("warn", "打印机没纸了", "已通知人员加纸，加好后会自动继续。")
        case NoticeCode.PAGE_UNPROVEN:
            return Sentence("warn", "不确定是否打印完整", "请看一下出纸口：纸齐了就点“拿到了”，没有就点“再打一次”。")
        case NoticeCode.PAGE_ASKED:
            return Sentence(
                "warn",
                "上次的证照打印出来了吗？",
                "上次打印时机器断了一下。拿到纸了就点“拿到了”，没有就点“再打一次”。",
            )
        case NoticeCode.PAGE_NOT_STARTED:
            return Sentence("error", "还没有开始打印", "本机暂时记不下打印登记，没有打出任何纸。请稍等再打一次。")
        case NoticeCode.SHEETS_OUT:
            return Sentence("error", "证照专用纸暂时用不了", _elsewhere(words.get("elsewhere", "")))
        case NoticeCode.REPRINT_LIMIT:
            return Sentence("warn", "这份证照不能再重打了", "请点“呼叫帮助”，由工作人员看一下打印机，或到窗口打印。")
        case NoticeCode.PAPER_WAITING:
            return Sentence(
                "warn", "请取走打印好的纸", f"纸还在{_mouths(words.get('papers', ''))}，上面有您的个人信息。"
            )
        case NoticeCode.PAPER_LEFT:
            return Sentence(
                "warn",
                "出纸口有别人的纸",
                f"上一位的纸还在{_mouths(words.get('papers', ''))}。请不要带走，交给工作人员，或点“呼叫帮助”。",
            )
        case NoticeCode.DEVICE_DOWN:
            return Sentence(
                "error", f"{device_word(words.get('device', ''))}暂时不能用", _elsewhere(words.get("elsewhere", ""))
            )
        case NoticeCode.ANSWER_MISSING:
            if "material" in words:
                return Sentence("warn", f"还差“{words['material']}”", "请先拍摄，或用已有的证照。")
            return Sentence("error", "这一项还没有填", "请填好再点“下一步”。")
        case NoticeCode.ANSWER_INVALID:
            return Sentence("error", _wrong_answer(words.get("fault", "")), "请改好再点“下一步”。")
        case NoticeCode.RESUMED:
            return Sentence("ok", "已接着上次填的内容", "请往下填；前面填过的，核对时都可以改。")
        case NoticeCode.SAVED_OFFLINE:
            return Sentence("ok", "已安全保存在本机", "一联网就自动上报，不用再来一趟，也不用再交一次。")
        case NoticeCode.DELIVERED:
            return Sentence("ok", "已送达网上办事大厅", _where_to_look(words.get("kind", "")))
        case NoticeCode.WINDOW_SLIP_PRINTED:
            return Sentence("ok", "办事清单已打印", "请从出纸口取走，带到窗口办理。")
        case NoticeCode.WINDOW_SLIP_FAILED:
            return Sentence("warn", "办事清单没有打印出来", "请记下或拍下窗口地址和电话。")
        case NoticeCode.EXIT_PAGE:
            return Sentence(
                "info",
                "这种情况要到窗口办理",
                words.get("reason") or "点“到窗口办理”，打印一张清单带过去，不用重新排队问。",
            )
        case _ as never:
            assert_never(never)


def _where_to_look(kind: str) -> str:
    """A question may have been asked without a card: then only number and code find it again."""
    if kind == "consultation":
        return "答复好了没有，凭编号和查询码就能查到。"
    return "办到哪一步，在任何一台机器点“我的办件”就能看到。"


def _wrong_answer(fault: str) -> str:
    """What is wrong with an answer; see AnswerFault."""
    try:
        known = AnswerFault(fault)
    except ValueError:
        return "这一项好像不对"
    match known:
        case AnswerFault.MISSING:
            return "这一项还没有填"
        case AnswerFault.TOO_SHORT:
            return "写得不够完整"
        case AnswerFault.TOO_LONG:
            return "写得太长了"
        case AnswerFault.CHARACTERS:
            return "里面有不能用的符号"
        case AnswerFault.NOT_A_PHONE:
            return "电话号码不对，请写11位手机号，或带区号的座机号"
        case AnswerFault.NOT_A_NUMBER | AnswerFault.WRONG_TYPE:
            return "请写数字"
        case AnswerFault.TOO_SMALL:
            return "数字太小了"
        case AnswerFault.TOO_LARGE:
            return "数字太大了"
        case AnswerFault.NOT_AN_OPTION:
            return "请从下面选一个"
        case AnswerFault.NOT_A_DATE:
            return "日期不对，请按年月日写8位数字"
        case _ as never:
            assert_never(never)


def _poor(code: str) -> str:
    """What to do better at the next shot."""
    better = {
        "no_document": "没有看到纸张，请把材料放在拍摄区再拍。",
        "cut_off": "有一边没拍到，请往中间挪一点再拍。",
        "blurred": "有点模糊，请放平不要动再拍。",
        "dark": "光线太暗，请移开遮挡再拍。",
        "glare": "有反光，请转动一下材料再拍。",
    }
    return better.get(code, "建议点“重拍”，把纸放平、四角都拍进去。")


def device_word(kind: str) -> str:
    """A device as people call it."""
    return {
        "id_card": "读卡器",
        "receipt": "回执打印机",
        "page": "A4打印机",
        "camera": "拍摄设备",
        "social_card": "社保卡插口",
        "scanner": "扫码器",
        "site_io": "机柜",
        "network": "网络",
        "power": "备用电源",
        "sheets": "证照专用纸",
    }.get(kind, "需要的设备")


def _social_card_failed(fault: str) -> Sentence:
    """Why the card in the contact slot was not read; see Fault."""
    if fault in ("card_bank", "card_transit", "card_foreign"):
        return Sentence("warn", f"这是{_card_word(fault)}，不是社保卡", "请取出来换成社保卡，或照着卡面手工填写。")
    if fault in ("card_mute", "card_removed", "card_unreadable", "no_card"):
        return Sentence("warn", "没有读到社保卡", "请取出来，芯片朝上再插到底；也可以照着卡面手工填写。")
    return Sentence("warn", "社保卡插口暂时不能用", "请取出社保卡，照着卡面手工填写，不影响办理。")


def _card_word(fault: str) -> str:
    """Another card than an identity card, as people call it; see Fault."""
    return {"card_bank": "银行卡", "card_transit": "公交卡", "card_social": "社保卡"}.get(fault, "别的卡")


def _mouths(papers: str) -> str:
    """Where the paper lies: one mouth or both."""
    named = [{"receipt": "回执出纸口", "page": "A4出纸口"}[paper] for paper in papers.split("+") if paper]
    return "和".join(named) or "出纸口"


def _way_out(words: dict[str, str]) -> str:
    """What to do when a device fails in the middle of something, and what becomes of the answers."""
    kept = "已填的内容存好了，7天内在本机放上身份证就能接着办。" if "kept" in words else "已填的内容还在，请稍等再试。"
    elsewhere = f"请到{words['elsewhere']}，或" if words.get("elsewhere") else ""
    return f"{kept}急办{elsewhere}请点“到窗口办理”。"


def _elsewhere(name: str) -> str:
    return f"最近能办的地方：{name}。" if name else "请到旁边的机器办理，或点“到窗口办理”。"
