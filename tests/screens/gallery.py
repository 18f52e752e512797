"""Draws the samples as PNG under build/gallery: `python tests/screens/gallery.py [name…] [--large] [--landscape]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

import samples  # noqa: E402
from PySide6.QtCore import QEvent  # noqa: E402

from kiosk.core.views import CaptureView  # noqa: E402
from screens import inspect  # noqa: E402
from screens.application import create_application  # noqa: E402
from screens.bridge import Screens  # noqa: E402
from screens.settings import ScreenSettings  # noqa: E402
from screens.viewmodels.display import Display  # noqa: E402


def main() -> int:
    """Draw them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--contrast", action="store_true")
    parser.add_argument("--reach", action="store_true")
    parser.add_argument("--landscape", action="store_true")
    parser.add_argument("--type", default="")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gallery")
    options = parser.parse_args()
    application = create_application(platform="offscreen")
    width, height = (1920, 1080) if options.landscape else (1080, 1920)
    table = ROOT / "build" / "keyboard" / "pinyin.sqlite"
    settings = ScreenSettings(pinyin=table, width=width, height=height, motion=False, now=lambda: samples.NOW)
    screens = Screens(lambda _: None, settings)
    display = screens._engine.singletonInstance("CitizensWindow", "Display")
    assert isinstance(display, Display)

    def settle() -> None:
        for _ in range(6):
            application.processEvents()
            application.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    suffix = "".join(f"_{mode}" for mode in ("landscape", "large", "contrast", "reach") if getattr(options, mode))
    options.out.mkdir(parents=True, exist_ok=True)
    for name, snapshot in samples.snapshots().items():
        if options.names and name not in options.names:
            continue
        screens.show(snapshot)
        settle()
        if options.large and not display.large:
            display.toggleLarge()
        if options.contrast and not display.contrast:
            display.toggleContrast()
        if options.reach and not display.reach:
            display.toggleReach()
        if isinstance(snapshot.view, CaptureView) and name == "capture":
            screens.preview(samples.preview())
        for letter in options.type:
            for node in inspect.tree(screens.window):
                if node.name == letter and node.role == "Button":
                    inspect.tap(screens.window, *node.rect.centre)
                    settle()
        settle()
        inspect.grab(screens.window).save(str(options.out / f"{name}{suffix}.png"))
    screens.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
