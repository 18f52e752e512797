"""Pictures for QML: recoloured icons, and the document camera's pictures kept in memory only."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter
from PySide6.QtQuick import QQuickImageProvider
from PySide6.QtSvg import QSvgRenderer

UNKNOWN_ICON = "file-text"
"""Tiles name their icon in hall data; an unknown name must not leave a hole."""
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
PICTURE_WIDTH = 1200
"""Wider than any place it is shown in."""


def icon_folder() -> Path:
    """Tabler's outline icons (MIT) in the package tabler-qicon, which itself is not imported: it wants Qt widgets."""
    spec = importlib.util.find_spec("tablerqicon")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package tabler-qicon is not installed")
    return Path(spec.submodule_search_locations[0]) / "icons" / "outline"


class IconProvider(QQuickImageProvider):
    """``image://icon/<name>/<rrggbb>``: a Tabler icon in any colour."""

    def __init__(self, folder: Path) -> None:
        super().__init__(QQuickImageProvider.ImageType.Image)
        self._folder = folder

    def requestImage(self, id: str, size: QSize, requestedSize: QSize) -> QImage:  # noqa: A002 (Qt's signature)
        """Draw it at the requested size."""
        name, _, colour = id.partition("/")
        path = self._folder / f"{name}.svg"
        if not name.replace("-", "").isalnum() or not path.is_file():
            path = self._folder / f"{UNKNOWN_ICON}.svg"
        drawing = path.read_text(encoding="utf-8").replace("currentColor", f"#{colour[-6:]}")
        wanted = requestedSize if requestedSize.isValid() and not requestedSize.isEmpty() else QSize(48, 48)
        image = QImage(wanted, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        QSvgRenderer(QByteArray(drawing.encode())).render(painter)
        painter.end()
        size.setWidth(wanted.width())
        size.setHeight(wanted.height())
        return image


class PictureProvider(QQuickImageProvider):
    """``image://picture/<name>/<serial>``: the latest picture of that name. `clear` forgets all."""

    def __init__(self) -> None:
        super().__init__(QQuickImageProvider.ImageType.Image)
        self._pictures: dict[str, QImage] = {}
        self._serial = 0

    def put(self, name: str, image: QImage) -> str:
        """Keep it; returns the source that shows it."""
        self._pictures[name] = image
        self._serial += 1
        return f"image://picture/{name}/{self._serial}"

    def clear(self) -> None:
        """Forget every picture."""
        self._pictures.clear()

    def __len__(self) -> int:
        return len(self._pictures)

    def requestImage(self, id: str, size: QSize, requestedSize: QSize) -> QImage:  # noqa: A002 (Qt's signature)
        """The picture, or an empty one."""
        image = self._pictures.get(id.partition("/")[0])
        if image is None:
            image = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
            image.fill(Qt.GlobalColor.transparent)
        size.setWidth(image.width())
        size.setHeight(image.height())
        return image


def decode(jpeg: bytes) -> QImage:
    """A JPEG no wider than it is shown; null if it is torn. May be called in any thread."""
    if not (jpeg.startswith(JPEG_START) and jpeg.endswith(JPEG_END)):
        return QImage()
    data = QByteArray(jpeg)
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size = reader.size()
    if size.isValid() and size.width() > PICTURE_WIDTH:
        reader.setScaledSize(size.scaled(PICTURE_WIDTH, size.height(), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
