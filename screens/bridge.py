"""Between the services' threads and the screen's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, assert_never

from PySide6.QtCore import QObject, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickWindow
from shiboken6 import Shiboken

from kiosk.core import views
from kiosk.core.devices import PreviewFrame
from kiosk.core.intents import DisplayChanged, Intent
from screens.images import IconProvider, PictureProvider, decode, icon_folder
from screens.keyboard.engine import PinyinEngine
from screens.keyboard.keyboard import Keyboard
from screens.settings import ScreenSettings
from screens.viewmodels.check import CheckModel, SendingModel
from screens.viewmodels.chrome import Chrome, page_key
from screens.viewmodels.code import CodeModel
from screens.viewmodels.display import Display
from screens.viewmodels.done import DoneModel
from screens.viewmodels.guide import GuideModel, PutCardModel
from screens.viewmodels.home import HomeModel
from screens.viewmodels.materials import CaptureModel, MaterialsModel
from screens.viewmodels.my_space import MySpaceModel
from screens.viewmodels.papers import OutOfServiceModel, PrintModel, WindowSlipModel
from screens.viewmodels.question import QuestionModel
from screens.viewmodels.search import SearchModel
from screens.wedge_filter import WedgeFilter

MODULE = "CitizensWindow"
MAIN = Path(__file__).with_name("Main.qml")
Model = TypeVar("Model", bound=QObject)


class _Inbox(QObject):
    """Lets any thread hand things to the Qt thread. Pictures overtake each other, snapshots never do."""

    arrived = Signal(object, object)
    framed = Signal()


class Screens(QObject):
    """The touch screen. `show` and `preview` may be called from any thread; all else belongs to the Qt thread."""

    def __init__(
        self,
        dispatch: Callable[[Intent], None],
        settings: ScreenSettings,
        *,
        on_code: Callable[[str], None] | None = None,
    ) -> None:
        """Needs the QGuiApplication of `create_application`. Raises RuntimeError when the QML cannot be loaded.

        `on_code`: the terminal has a keyboard-wedge scanner, and this is told what it types.
        """
        super().__init__()
        self._dispatch = dispatch
        self._lock = threading.Lock()
        self._frame: tuple[PreviewFrame, QImage] | None = None
        self._shot: tuple[bytes, QImage] = (b"", QImage())
        self._shown_shot = (-1, "")
        self._sequence = -1
        self._in_session = False
        self._session = 0
        self._page_key = ""
        self._view: views.View = views.AttractView()
        self._pictures = PictureProvider()
        self._pinyin = PinyinEngine(settings.pinyin)
        self._inbox = _Inbox()
        queued = Qt.ConnectionType.QueuedConnection
        self._inbox.arrived.connect(self._apply, queued)
        self._inbox.framed.connect(self._apply_frame, queued)

        self._engine: QQmlApplicationEngine | None = QQmlApplicationEngine()
        self._engine.addImageProvider("icon", IconProvider(icon_folder()))
        self._engine.addImageProvider("picture", self._pictures)
        self._engine.setInitialProperties({"width": settings.width, "height": settings.height, "kiosk": settings.kiosk})
        self._find_models()
        self._display.set_motion(settings.motion)
        self._engine.load(QUrl.fromLocalFile(str(MAIN)))
        if not self._engine.rootObjects():
            raise RuntimeError("the screens could not be loaded")
        self._wedge = None if on_code is None else WedgeFilter(self.window, on_code)
        self._chrome.start(settings.now)

        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(settings.forget_display_after_s * 1000)
        self._forget.timeout.connect(self._forget_display)
        self._display.changed.connect(self._display_changed)
        self._display.enlarged.connect(self._enlarged)

    def _find_models(self) -> None:
        self._display = self._model(Display)
        self._chrome = self._model(Chrome)
        self._keyboard = self._model(Keyboard)
        self._keyboard.use(self._pinyin)
        self._home = self._model(HomeModel)
        self._search = self._model(SearchModel)
        self._guide = self._model(GuideModel)
        self._put_card = self._model(PutCardModel)
        self._question = self._model(QuestionModel)
        self._materials = self._model(MaterialsModel)
        self._capture = self._model(CaptureModel)
        self._check = self._model(CheckModel)
        self._sending = self._model(SendingModel)
        self._done = self._model(DoneModel)
        self._my_space = self._model(MySpaceModel)
        self._print = self._model(PrintModel)
        self._code = self._model(CodeModel)
        self._window_slip = self._model(WindowSlipModel)
        self._out_of_service = self._model(OutOfServiceModel)
        self._pages = {
            "home": self._home,
            "search": self._search,
            "guide": self._guide,
            "put_card": self._put_card,
            "question": self._question,
            "materials": self._materials,
            "capture": self._capture,
            "check": self._check,
            "sending": self._sending,
            "done": self._done,
            "my_space": self._my_space,
            "print": self._print,
            "code": self._code,
            "window_slip": self._window_slip,
            "out_of_service": self._out_of_service,
        }
        for model in (self._chrome, *self._pages.values()):
            model.intent.connect(self._send)

    def _model(self, kind: type[Model]) -> Model:
        if self._engine is None:
            raise RuntimeError("the screens are closed")
        found = self._engine.singletonInstance(MODULE, kind.__name__)
        if not isinstance(found, kind):
            raise TypeError(f"{kind.__name__} is not registered with QML")
        return found

    # --- any thread

    def show(self, snapshot: views.Snapshot) -> None:
        """Show this next."""
        shot = QImage()
        if isinstance(snapshot.view, views.CaptureView) and snapshot.view.shot_jpeg:
            with self._lock:
                known, shot = self._shot
            if known is not snapshot.view.shot_jpeg:
                shot = decode(snapshot.view.shot_jpeg)
                with self._lock:
                    self._shot = (snapshot.view.shot_jpeg, shot)
        self._inbox.arrived.emit(snapshot, shot)

    def preview(self, frame: PreviewFrame) -> None:
        """Show this live picture unless a newer one comes before the screen gets round to it."""
        image = decode(frame.jpeg)
        if image.isNull():
            return  # a torn picture; the next one is a tenth of a second away
        with self._lock:
            waiting = self._frame is not None
            self._frame = (frame, image)
        if not waiting:
            self._inbox.framed.emit()

    # --- the Qt thread

    @property
    def window(self) -> QQuickWindow:
        """The one window."""
        if self._engine is None:
            raise RuntimeError("the screens are closed")
        root = self._engine.rootObjects()[0]
        if not isinstance(root, QQuickWindow):
            raise TypeError("the root of Main.qml is not a window")
        return root

    @property
    def snapshot_sequence(self) -> int:
        """Sequence number of the snapshot that is on the screen; -1 before the first."""
        return self._sequence

    def close(self) -> None:
        """Take the screen down: QML first, then what it shows."""
        if self._engine is None:
            return
        self._chrome.stop()
        self._forget.stop()
        if self._wedge is not None:
            self._wedge.close()
        self._wipe()
        engine, self._engine = self._engine, None
        Shiboken.delete(engine)
        self._pinyin.close()

    @Slot(object)
    def _send(self, intent: Intent) -> None:
        self._dispatch(intent)

    @Slot(object, object)
    def _apply(self, snapshot: views.Snapshot, shot: QImage) -> None:
        if self._engine is None or snapshot.sequence < self._sequence:
            return
        self._sequence = snapshot.sequence
        ended = self._in_session and (not snapshot.chrome.in_session or snapshot.chrome.session != self._session)
        self._in_session, self._session = snapshot.chrome.in_session, snapshot.chrome.session
        self._view = snapshot.view
        if ended:
            self._wipe()
            self._display.reset()
        self._fill(snapshot.view, shot)
        self._chrome.show(snapshot)
        key = page_key(snapshot.view)
        if key != self._page_key:
            self._page_key = key
            self._forget_other_pages(snapshot.view.name)

    def _fill(self, view: views.View, shot: QImage) -> None:
        match view:
            case views.AttractView():
                pass
            case views.HomeView():
                self._home.show(view)
            case views.SearchView():
                self._search.show(view)
            case views.GuideView():
                self._guide.show(view)
            case views.PutCardView():
                self._put_card.show(view)
            case views.QuestionView():
                self._question.show(view)
            case views.MaterialsView():
                self._materials.show(view)
            case views.CaptureView():
                self._capture.show(view, self._shot_source(shot))
            case views.CheckView():
                self._check.show(view)
            case views.SendingView():
                self._sending.show(view)
            case views.DoneView():
                self._done.show(view)
            case views.MySpaceView():
                self._my_space.show(view)
            case views.PrintView():
                self._print.show(view)
            case views.CodeView():
                self._code.show(view)
            case views.WindowSlipView():
                self._window_slip.show(view)
            case views.OutOfServiceView():
                self._out_of_service.show(view)
            case _ as never:
                assert_never(never)

    def _shot_source(self, shot: QImage) -> str:
        """The shot's source; a new one only for a new picture, so that nothing flickers."""
        if shot.isNull():
            return ""
        if shot.cacheKey() != self._shown_shot[0]:
            self._shown_shot = (shot.cacheKey(), self._pictures.put("shot", shot))
        return self._shown_shot[1]

    def _forget_other_pages(self, shown: str) -> None:
        """Only what is on the screen is in memory."""
        for name, model in self._pages.items():
            if name != shown:
                model.clear()
        if shown != "capture":
            self._forget_pictures()

    def _forget_pictures(self) -> None:
        self._pictures.clear()
        self._shown_shot = (-1, "")
        with self._lock:
            self._frame = None
            self._shot = (b"", QImage())

    def _wipe(self) -> None:
        """The session is over: nothing of it stays in any model, field, picture or clipboard."""
        self._keyboard.wipe()
        for model in self._pages.values():
            model.clear()
        self._forget_pictures()
        clipboard = QGuiApplication.clipboard()
        if clipboard.text():
            clipboard.clear()

    @Slot()
    def _apply_frame(self) -> None:
        with self._lock:
            waiting, self._frame = self._frame, None
        live = isinstance(self._view, views.CaptureView) and self._view.phase in ("live", "shooting")
        if waiting is None or not live or self._engine is None:
            return
        frame, image = waiting
        source = self._pictures.put("live", image)
        self._capture.frame(source, image.width() / image.height(), frame.quad, frame.advice)

    @Slot()
    def _display_changed(self) -> None:
        """Large type chosen before a session began is not for whoever comes an hour later."""
        if not self._in_session:
            self._forget.start()

    @Slot(bool)
    def _enlarged(self, large: bool) -> None:
        """Who needs large type gets more time."""
        self._dispatch(DisplayChanged(large))

    @Slot()
    def _forget_display(self) -> None:
        if not self._in_session:
            self._display.reset()
