"""What a citizen can tell the terminal. Screens send these; services answer with the next snapshot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """Touched the attract screen or 开始."""


@dataclass(frozen=True, slots=True)
class OpenTile:
    """Touched a home tile."""

    target: str


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Chose an item from a list."""

    code: str


@dataclass(frozen=True, slots=True)
class Search:
    """Typed in the search box (every change); an empty text opens the page."""

    text: str


@dataclass(frozen=True, slots=True)
class Begin:
    """开始办理 / 打印 / 提问 on the guide."""


@dataclass(frozen=True, slots=True)
class ResumeDraft:
    """接着办."""


@dataclass(frozen=True, slots=True)
class DropDraft:
    """不要了: what was begun last time."""


@dataclass(frozen=True, slots=True)
class SetAnswer:
    """Answered or changed a field."""

    field: str
    value: str | bool | int | None


@dataclass(frozen=True, slots=True)
class Next:
    """下一步."""


@dataclass(frozen=True, slots=True)
class Back:
    """上一步."""


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """修改 on check-answers: a page id or `materials`."""

    target: str


@dataclass(frozen=True, slots=True)
class ReuseLicence:
    """Use the held licence for this material; says yes to this one use."""

    material: str
    licence_id: str


@dataclass(frozen=True, slots=True)
class DropMaterial:
    """Use another one instead."""

    material: str


@dataclass(frozen=True, slots=True)
class OpenCapture:
    """拍摄 this material."""

    material: str


@dataclass(frozen=True, slots=True)
class Shoot:
    """Take the picture."""


@dataclass(frozen=True, slots=True)
class Retake:
    """Once more."""


@dataclass(frozen=True, slots=True)
class AcceptShot:
    """This one is good."""


@dataclass(frozen=True, slots=True)
class Submit:
    """确认提交 / 确认打印."""


@dataclass(frozen=True, slots=True)
class OpenMySpace:
    """Switch tab: `applications` or `licences`."""

    tab: str


@dataclass(frozen=True, slots=True)
class Correct:
    """现在补交: correct this case."""

    application_no: str


@dataclass(frozen=True, slots=True)
class PrintLicence:
    """Print this licence on A4."""

    licence_id: str


@dataclass(frozen=True, slots=True)
class PrintAgain:
    """The citizen says that no (complete) paper came out: print once more."""


@dataclass(frozen=True, slots=True)
class PaperTaken:
    """The citizen says the paper is there."""


@dataclass(frozen=True, slots=True)
class PaperSpoiled:
    """纸有问题: the page came out and is of no use; one of the reasons for a reprint (`VoidReason`)."""

    reason: str


@dataclass(frozen=True, slots=True)
class PapersSeen:
    """知道了: the papers in the mouth are somebody else's."""


@dataclass(frozen=True, slots=True)
class WindowSlip:
    """到窗口办理."""


@dataclass(frozen=True, slots=True)
class ExtendTime:
    """还在办理."""


@dataclass(frozen=True, slots=True)
class CallHelp:
    """呼叫帮助."""


@dataclass(frozen=True, slots=True)
class DisplayChanged:
    """大字版 was switched on or off; whoever needs it gets more time. Sent by the screens when they go back, too."""

    large: bool


@dataclass(frozen=True, slots=True)
class Home:
    """Back to the start of this session, card stays."""


@dataclass(frozen=True, slots=True)
class Finish:
    """退出 / 完成: end the session and wipe everything."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Any touch: the idle clock starts again."""


Intent = (
    Start
    | OpenTile
    | OpenItem
    | Search
    | Begin
    | ResumeDraft
    | DropDraft
    | SetAnswer
    | Next
    | Back
    | ChangeAnswer
    | ReuseLicence
    | DropMaterial
    | OpenCapture
    | Shoot
    | Retake
    | AcceptShot
    | Submit
    | OpenMySpace
    | Correct
    | PrintLicence
    | PrintAgain
    | PaperTaken
    | PaperSpoiled
    | PapersSeen
    | WindowSlip
    | ExtendTime
    | CallHelp
    | DisplayChanged
    | Home
    | Finish
    | Touched
)
