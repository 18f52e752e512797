"""What we load leaves nothing behind and calls nobody: no folder for each start, no number of this machine."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from kiosk.app.__main__ import DRIVERS

PROGRAMS = (
    *(f"drivers.{name}.__main__" for name in DRIVERS),
    *("kiosk.app.cli", "offline_queue.process", "hall.__main__", "kiosk.devdock.__main__"),
)


def _run(home: Path, *command: str, given: bytes = b"") -> str:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, *command],
        env={**surroundings, "HOME": str(home), "TMPDIR": str(home)},
        input=given,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.mark.parametrize("program", PROGRAMS)
def test_loading_a_program_writes_nowhere(program: str, tmp_path: Path) -> None:
    _run(tmp_path, "-c", f"import {program}")
    assert list(tmp_path.rglob("*")) == []


def test_reading_a_paper_writes_nowhere(tmp_path: Path) -> None:
    """The engine's own way is to keep a device id and to report to its makers."""
    picture = Image.new("L", (400, 80), 255)
    ImageDraw.Draw(picture).text((10, 10), "RECEIPT 12345", font=ImageFont.load_default(40))
    png = io.BytesIO()
    picture.save(png, "png")
    code = "import sys; from kiosk.devdock.cases.papers import read_words; print(read_words(sys.stdin.buffer.read()))"
    assert "12345" in _run(tmp_path, "-c", code, given=png.getvalue())
    assert list(tmp_path.rglob("*")) == []
