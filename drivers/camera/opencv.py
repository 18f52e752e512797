"""The one place that imports OpenCV, made quiet and harmless first.

`import cv2` exports its own Qt 5 folders and a library path, which every child process would inherit (opencv-python
#447, #736); they are put back. One thread only: a terminal has two cores and the screen needs one.
"""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

_EXPORTED_BY_CV2 = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")
_before = {name: os.environ.get(name) for name in _EXPORTED_BY_CV2}

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")  # seconds; the default of 10 outlives every deadline
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(64 * 1024 * 1024))

import cv2  # noqa: E402
from cv2.typing import MatLike  # noqa: E402

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

cv2.setNumThreads(1)

ColourImage = NDArray[np.uint8]
"""BGR, shape (height, width, 3)."""
GreyImage = NDArray[np.uint8]
"""Shape (height, width)."""
Floats = NDArray[np.float32]

__all__ = ["ColourImage", "Floats", "GreyImage", "MatLike", "cv2"]
