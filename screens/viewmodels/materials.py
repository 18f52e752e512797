"""Materials and their capture."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlSingleton

from kiosk.core.intents import AcceptShot, DropMaterial, Next, OpenCapture, Retake, ReuseLicence, Shoot
from kiosk.core.views import CaptureView, MaterialRow, MaterialsView
from screens.locale import zh_cn
from screens.viewmodels.base import PageModel, Rows
from screens.viewmodels.notices import NoticeModel

QML_IMPORT_NAME = "CitizensWindow"
QML_IMPORT_MAJOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One material."""

    material: str
    title: str
    hint: str
    status: str
    """needed, reused, captured, from_card."""
    licence: str
    """Id of a held licence that would do, or empty."""
    licence_words: str
    can_capture: bool


def paper_row(row: MaterialRow) -> PaperRow:
    """What to draw for a material."""
    held = row.reusable
    words = f"{held.type_name} 尾号{held.number[-4:]}，有效期至{held.valid_to}" if held else ""
    return PaperRow(row.id, row.title, row.hint, row.state, held.id if held else "", words, row.can_capture)


@QmlElement
@QmlSingleton
class MaterialsModel(PageModel):
    """Which papers, and what is already held."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: MaterialsView | None = None
        self._rows = Rows(PaperRow, self)
        self._notice = NoticeModel(self)

    def show(self, view: MaterialsView) -> None:
        """Show these papers."""
        self._view = view
        self._rows.replace([paper_row(row) for row in view.rows])
        self._notice.show(view.notice)
        self.changed.emit()

    def clear(self) -> None:
        """Forget them."""
        self._view = None
        self._rows.replace(())
        self._notice.show(None)
        self.changed.emit()

    @Property(str, notify=changed)
    def itemName(self) -> str:
        """The item's name."""
        return self._view.item_name if self._view else ""

    @Property(bool, notify=changed)
    def complete(self) -> bool:
        """Nothing is missing."""
        return self._view.complete if self._view else False

    @Property(str, notify=changed)
    def wanted(self) -> str:
        """补正: the department's own words; empty for a first filing."""
        return self._view.wanted if self._view else ""

    @Property(str, notify=changed)
    def missing(self) -> str:
        """How many are missing, in words."""
        count = sum(row.state == "needed" for row in self._view.rows) if self._view else 0
        return f"还差{count}份材料" if count else "材料已经齐了"

    @Property(QObject, constant=True)
    def rows(self) -> QObject:
        """The papers."""
        return self._rows

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot(str, str)
    def reuse(self, material: str, licence: str) -> None:
        """Use the held licence this once."""
        self.send(ReuseLicence(material, licence))

    @Slot(str)
    def drop(self, material: str) -> None:
        """用别的."""
        self.send(DropMaterial(material))

    @Slot(str)
    def capture(self, material: str) -> None:
        """拍摄."""
        self.send(OpenCapture(material))

    @Slot()
    def next(self) -> None:
        """下一步."""
        self.send(Next())


@QmlElement
@QmlSingleton
class CaptureModel(PageModel):
    """Document camera: live picture with the page's outline, or the shot to be looked at."""

    changed = Signal()
    framed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view: CaptureView | None = None
        self._notice = NoticeModel(self)
        self._shot = ""
        self._live = ""
        self._ratio = 4 / 3
        self._quad: tuple[tuple[float, float], ...] = ()
        self._advice = ""

    def show(self, view: CaptureView, shot: str) -> None:
        """Show this; `shot` is the picture's source, empty if there is none."""
        if self._view is None or self._view.material_id != view.material_id or view.phase in ("review", "down"):
            self._live, self._quad, self._advice = "", (), ""
        self._view = view
        self._shot = shot
        self._notice.show(view.notice)
        self.changed.emit()
        self.framed.emit()

    def frame(self, source: str, ratio: float, quad: tuple[tuple[float, float], ...], advice: str) -> None:
        """One live picture: its source, width by height, corners in 0..1, advice code."""
        self._live, self._ratio, self._quad, self._advice = source, ratio, quad, advice
        self.framed.emit()

    def clear(self) -> None:
        """Forget the pictures."""
        self._view = None
        self._shot = self._live = self._advice = ""
        self._quad = ()
        self._notice.show(None)
        self.changed.emit()
        self.framed.emit()

    @Property(str, notify=changed)
    def title(self) -> str:
        """Which paper."""
        return self._view.title if self._view else ""

    @Property(str, notify=changed)
    def hint(self) -> str:
        """How to lay it."""
        return self._view.hint if self._view else ""

    @Property(str, notify=changed)
    def phase(self) -> str:
        """live, shooting, review, down."""
        return self._view.phase if self._view else ""

    @Property(str, notify=changed)
    def shot(self) -> str:
        """Source of the shot."""
        return self._shot

    @Property(str, notify=framed)
    def live(self) -> str:
        """Source of the live picture; empty before the first."""
        return self._live

    @Property(float, notify=framed)
    def ratio(self) -> float:
        """Width by height of the live picture."""
        return self._ratio

    @Property(list, notify=framed)
    def quad(self) -> list[list[float]]:
        """Corners of the page found, in 0..1."""
        return [[x, y] for x, y in self._quad]

    @Property(str, notify=framed)
    def advice(self) -> str:
        """What to do with the paper."""
        return zh_cn.advice(self._advice_code())[0]

    @Property(str, notify=framed)
    def adviceTone(self) -> str:
        """How well it lies."""
        return zh_cn.advice(self._advice_code())[1]

    def _advice_code(self) -> str:
        if self._view is not None and self._view.phase == "review":
            return self._view.advice
        return self._advice

    @Property(NoticeModel, constant=True)
    def notice(self) -> NoticeModel:
        """Trouble or news."""
        return self._notice

    @Slot()
    def shoot(self) -> None:
        """拍照."""
        self.send(Shoot())

    @Slot()
    def retake(self) -> None:
        """重拍."""
        self.send(Retake())

    @Slot()
    def accept(self) -> None:
        """就用这张."""
        self.send(AcceptShot())
