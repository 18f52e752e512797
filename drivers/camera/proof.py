"""What a picture proves of its camera, in words for technicians; pure."""

from __future__ import annotations

from drivers.camera.grabber import Ended
from drivers.camera.jpeg import MIN_LONG_SIDE, dimensions
from drivers.camera.quality import sharpness
from drivers.camera.viewer import View
from kiosk.core.devices import Fault


def size_words(raw: bytes) -> str:
    """``1200x1600``."""
    width, height = dimensions(raw) or (0, 0)
    return f"{width}x{height}"


def tiny_picture(raw: bytes) -> Ended | None:
    """A picture on which no page can be read: the camera is in some other mode, or is no document camera."""
    if max(dimensions(raw) or (0,)) >= MIN_LONG_SIDE:
        return None
    return Ended(Fault.PROTOCOL, f"pictures of {size_words(raw)} only")


def focus_words(view: View) -> str:
    """Whether a page was found, and how sharp it is: acutance, 1 for an edge within one pixel."""
    page = view.measures.acutance
    figure = sharpness(view.small) if page is None else page
    found = "no page" if view.finding.quad is None else "page found"
    return f"{found}, nothing to focus on" if figure is None else f"{found}, sharpness {figure:.2f}"
