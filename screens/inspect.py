"""The screen as others see and touch it: the accessibility tree, a picture, a finger.

Items of QML are never walked or held by Python; the accessibility tree is the only way in (it is also the one that a
screen reader takes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication, QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleInterface, QImage, QInputDevice, QPointingDevice
from PySide6.QtQuick import QQuickWindow

Phase = Literal["press", "move", "release"]
TOUCH_NAME = "test touch device"


@dataclass(frozen=True, slots=True)
class Rect:
    """Window coordinates, pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def centre(self) -> tuple[int, int]:
        """Where a finger aims."""
        return self.x + self.width // 2, self.y + self.height // 2


@dataclass(frozen=True, slots=True)
class Node:
    """One thing on the screen."""

    role: str
    """QAccessible.Role name: `Button`, `StaticText`, `EditableText`, `RadioButton`, …"""
    name: str
    value: str
    description: str
    rect: Rect
    states: frozenset[str]
    """Of `focused`, `disabled`, `checked`, `readonly`; `offscreen`: its centre has scrolled out of sight;
    `clipped`: a part has, `rect` is what is seen."""
    depth: int


def tree(window: QQuickWindow) -> list[Node]:
    """Everything visible, depth first, where it is now: what has changed is laid out first (costs a frame)."""
    settle(window)
    root = QAccessible.queryAccessibleInterface(window)
    if not root:
        return []
    origin = root.rect().topLeft()
    return list(_walk(root, origin, root.rect(), depth=0))


def _walk(interface: QAccessibleInterface, origin: QPoint, sight: QRect, *, depth: int) -> Iterator[Node]:
    yield _node(interface, origin, sight, depth)
    if interface.role() == QAccessible.Role.LayeredPane:  # a list that scrolls: what lies outside cannot be touched
        sight = sight & interface.rect()
    for number in range(interface.childCount()):
        child = interface.child(number)
        if child is not None and child.isValid() and not _invisible(child):
            yield from _walk(child, origin, sight, depth=depth + 1)


def _invisible(interface: QAccessibleInterface) -> bool:
    # PySide declares these bit fields as methods, at run time they are numbers
    return bool(getattr(interface.state(), "invisible"))  # noqa: B009


def _node(interface: QAccessibleInterface, origin: QPoint, sight: QRect, depth: int) -> Node:
    state = interface.state()
    found = {
        name
        for name, bit in (
            ("focused", "focused"),
            ("disabled", "disabled"),
            ("checked", "checked"),
            ("readonly", "readOnly"),
        )
        if getattr(state, bit)
    }
    whole = interface.rect()
    if not sight.contains(whole.center()):
        found.add("offscreen")
    elif not sight.contains(whole):
        found.add("clipped")
        whole = whole & sight
    rect = whole.translated(-origin)
    return Node(
        role=interface.role().name,
        name=interface.text(QAccessible.Text.Name),
        value=interface.text(QAccessible.Text.Value),
        description=interface.text(QAccessible.Text.Description),
        rect=Rect(rect.x(), rect.y(), rect.width(), rect.height()),
        states=frozenset(found),
        depth=depth,
    )


def settle(window: QQuickWindow) -> None:
    """Lay out whatever has changed, as the next frame would."""
    window.grabWindow()


def grab(window: QQuickWindow) -> QImage:
    """A picture of the screen as it is now."""
    return window.grabWindow()


def touch(window: QQuickWindow, x: int, y: int, phase: Phase, *, alone: bool = False) -> None:
    """One finger at a window position. Works without a display and without a touch panel. `alone`: nothing else that
    waits for the event loop comes in between."""
    from PySide6.QtTest import QTest  # only the dock and tests touch by program

    touching = QTest.touchEvent(window, _panel())
    point = QPoint(x, y)
    match phase:
        case "press":
            touching.press(0, point, window)
        case "move":
            touching.move(0, point, window)
        case "release":
            touching.release(0, point, window)
    touching.commit(not alone)


def tap(window: QQuickWindow, x: int, y: int) -> None:
    """Press and release; the page cannot change between the two."""
    touch(window, x, y, "press", alone=True)
    touch(window, x, y, "release")
    QCoreApplication.processEvents()


def _panel() -> QPointingDevice:
    """The pretended touch panel; one per process, kept by Qt."""
    from PySide6.QtTest import QTest

    for device in QInputDevice.devices():
        if device.name() == TOUCH_NAME and isinstance(device, QPointingDevice):
            return device
    created = QTest.createTouchDevice()
    created.setParent(QCoreApplication.instance())
    return created
