"""One Qt application and one set of screens a test, offscreen; any message from Qt or QML fails the test."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication

from kiosk.core.intents import Intent, Touched
from kiosk.core.views import Snapshot
from screens import inspect
from screens.application import create_application
from screens.bridge import Screens
from screens.keyboard import build_tables
from screens.settings import ScreenSettings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PINYIN = ROOT / "build" / "keyboard" / "pinyin.sqlite"


def load(name: str) -> ModuleType:
    """A helper module of this folder (tests are no package)."""
    full = f"tests_screens_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, HERE / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def application() -> QGuiApplication:
    """The one application of this process; lives until it exits."""
    found = QGuiApplication.instance()
    return found if isinstance(found, QGuiApplication) else create_application(platform="offscreen")


@pytest.fixture(scope="session")
def pinyin() -> Path:
    """The pinyin table, built if `make setup` has not."""
    if not PINYIN.is_file():
        build_tables.build(words=build_tables.word_list(), output=PINYIN)
    return PINYIN


@pytest.fixture
def messages() -> Iterator[list[str]]:
    """What Qt and QML had to say; must be nothing."""
    heard: list[str] = []

    def hear(kind: QtMsgType, _context: object, text: str) -> None:
        heard.append(f"{kind.name}: {text}")

    before = qInstallMessageHandler(hear)
    yield heard
    qInstallMessageHandler(before)
    assert heard == []


@dataclass
class Stage:
    """The screens on a stage: shows snapshots, finds things by their accessible names, touches them."""

    screens: Screens
    application: QGuiApplication
    intents: list[Intent] = field(default_factory=list)
    sequence: int = 0

    def show(self, snapshot: Snapshot) -> None:
        self.sequence += 1
        self.screens.show(replace(snapshot, sequence=self.sequence))
        self.until(lambda: self.screens.snapshot_sequence == self.sequence)
        self.settle()

    def settle(self) -> None:
        for _ in range(4):
            self.application.processEvents()
            self.application.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            self.application.processEvents()

    def nodes(self) -> list[inspect.Node]:
        return inspect.tree(self.screens.window)

    def find(self, name: str, *, role: str | None = None, description: str | None = None) -> inspect.Node:
        found = [
            node
            for node in self.nodes()
            if node.name == name
            and "disabled" not in node.states
            and (role is None or node.role == role)
            and (description is None or node.description == description)
        ]
        assert found, f"no {role or 'thing'} named {name!r} among {sorted({node.name for node in self.nodes()})}"
        return found[0]

    def texts(self) -> str:
        return "\n".join(f"{node.name} {node.value}" for node in self.nodes())

    def tap(self, name: str, *, description: str | None = None, role: str = "Button") -> None:
        node = self.find(name, role=role, description=description)
        inspect.tap(self.screens.window, *node.rect.centre)
        self.settle()

    def type(self, letters: str) -> None:
        for letter in letters:
            self.tap("分词" if letter == "'" else letter)

    def acts(self) -> list[Intent]:
        """What was dispatched since the last call, touches left out."""
        acts = [intent for intent in self.intents if not isinstance(intent, Touched)]
        self.intents.clear()
        return acts


@pytest.fixture
def make_stage(application: QGuiApplication, pinyin: Path, messages: list[str]) -> Iterator[Callable[..., Stage]]:
    """Stages of any size; each is taken down before the message check."""
    stages: list[Stage] = []

    def make(width: int = 1080, height: int = 1920) -> Stage:
        settings = ScreenSettings(
            pinyin=pinyin, width=width, height=height, motion=False, now=lambda: load("samples").NOW
        )
        intents: list[Intent] = []
        stage = Stage(Screens(intents.append, settings), application, intents)
        stages.append(stage)
        stage.settle()
        return stage

    yield make
    for stage in stages:
        stage.screens.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    application.processEvents()


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A portrait stage."""
    return make_stage()


@pytest.fixture(scope="session")
def samples(application: QGuiApplication) -> ModuleType:
    """The samples' module."""
    return load("samples")


@pytest.fixture(scope="session")
def snapshots(application: QGuiApplication) -> dict[str, Snapshot]:
    """All samples by name."""
    made = load("samples").snapshots()
    assert isinstance(made, dict)
    return made
