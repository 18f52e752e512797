"""Every view, both sizes, ordinary and large type: nothing clipped, overlapping or too small to touch."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtQml import QJSEngine

from kiosk.core.views import CaptureView, Snapshot
from screens.inspect import Node

LINT = Path(__file__).with_name("lint.js").read_text(encoding="utf-8")
TARGETS = ("Button", "RadioButton", "PageTab", "CheckBox")
FLOOR = 80
"""Pixels; 20 mm on the panel this is drawn for."""


def text_faults(stage: Any) -> list[str]:
    engine = stage.screens._engine
    QJSEngine.setObjectOwnership(stage.screens.window, QJSEngine.ObjectOwnership.CppOwnership)
    lint = engine.evaluate(LINT)
    assert lint.isCallable(), lint.toString()
    found = lint.call([engine.newQObject(stage.screens.window)])
    assert not found.isError(), found.toString()
    return [found.property(number).toString() for number in range(found.property("length").toInt())]


def target_faults(nodes: list[Node], width: int, height: int) -> list[str]:
    """Targets too small, out of the screen, or on top of each other."""
    faults = []
    targets = [node for node in nodes if node.role in TARGETS and node.rect.height > 0 and node.rect.width > 0]
    for node in targets:
        rect = node.rect
        if "clipped" not in node.states and (rect.width < FLOOR - 1 or rect.height < FLOOR - 1):
            faults.append(f"{node.name} is too small to touch: {rect.width} x {rect.height}")
        if rect.x < -1 or rect.x + rect.width > width + 1:
            faults.append(f"{node.name} leaves the screen")
    for one, other in combinations(targets, 2):
        a, b = one.rect, other.rect
        across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        if across > 1 and down > 1:
            faults.append(f"{one.name} and {other.name} overlap")
    return faults


def visible(stage: Any) -> list[Node]:
    """What can be touched now: what has scrolled away or lies under a dialog cannot."""
    nodes = stage.nodes()
    dialogs = [number for number, node in enumerate(nodes) if node.role == "Dialog"]
    if dialogs:
        start = dialogs[-1]
        return [node for node in nodes[start:] if node.depth > nodes[start].depth]
    return [node for node in nodes if "offscreen" not in node.states]


@pytest.mark.parametrize(
    ("mode", "width", "height"),
    [
        ("ordinary", 1080, 1920),
        ("ordinary", 1920, 1080),
        ("large", 1080, 1920),
        ("large", 1920, 1080),
        ("reach", 1080, 1920),
        ("large reach", 1080, 1920),
    ],
)
def test_every_view_is_well_laid_out(
    make_stage: Callable[..., Any], snapshots: dict[str, Snapshot], samples: Any, width: int, height: int, mode: str
) -> None:
    stage = make_stage(width, height)
    display = stage.screens._display
    faults: dict[str, list[str]] = {}
    stage.show(snapshots["attract"])
    if "large" in mode:
        display.toggleLarge()
    if "reach" in mode:
        display.toggleReach()
    for name, snapshot in snapshots.items():
        in_session = snapshot.chrome.in_session
        stage.screens._in_session = in_session  # the samples are no story: nothing ends between two of them
        stage.show(snapshot)
        if isinstance(snapshot.view, CaptureView) and snapshot.view.phase == "live":
            stage.screens.preview(samples.preview())
            stage.settle()
        stage.screens.window.grabWindow()
        found = text_faults(stage) + target_faults(visible(stage), width, height)
        if found:
            faults[name] = found
    assert faults == {}
