"""呼叫帮助 in Chinese: only what is known of the call, and whom to ring meanwhile."""

from __future__ import annotations

from typing import Literal, assert_never

from screens.locale.zh_cn_notices import Sentence

Help = Literal["none", "waiting", "sent", "seen"]


def help_label(state: Help, *, online: bool) -> str:
    """On the button in the footer."""
    match state:
        case "none":
            return "呼叫帮助"
        case "waiting":
            return "正在呼叫" if online else "等待联网"
        case "sent":
            return "已呼叫"
        case "seen":
            return "已有人知道"
        case _ as never:
            assert_never(never)


def help_called(state: Help, *, online: bool, window: str, phone: str) -> Sentence | None:
    """What became of the call; None when nobody called. `window`, `phone`: the nearest staffed one, or empty."""
    match state:
        case "none":
            return None
        case "waiting" if online:
            return Sentence("info", "正在呼叫工作人员", _ring(window, phone) or "请在机器旁稍等，也可以继续操作。")
        case "waiting":
            instead = _ring(window, phone) or "请先问问身边的人。"
            return Sentence("warn", "网络不通，呼叫还没送出", "网络一通就自动送出。" + instead)
        case "sent":
            return Sentence("info", "已呼叫，等工作人员看到", "您可以继续操作。" + _ring(window, phone))
        case "seen":
            return Sentence("ok", "工作人员已知道", "请在机器旁稍等，也可以继续操作。")
        case _ as never:
            assert_never(never)


def _ring(window: str, phone: str) -> str:
    return f"着急请打 {phone}（{window}）。" if phone else ""
