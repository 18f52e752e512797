"""The import rules hold, and would notice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kiosk", "drivers", "screens", "offline_queue", "provisioning", "hall")


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("where", "line", "contract"),
    [
        ("screens/__init__.py", "import drivers.idcard", "screens know services and core only"),
        ("kiosk/services/__init__.py", "import offline_queue.store", "the terminal's inside"),
        ("kiosk/core/__init__.py", "import kiosk.services", "contract < core < services < app"),
        ("drivers/receipt/__init__.py", "import drivers.sim.receipt", "adapters never know a simulator"),
        ("drivers/page/__init__.py", "import drivers.camera", "devices are strangers"),
        ("offline_queue/__init__.py", "import drivers.host", "strangers"),
        ("hall/__init__.py", "import offline_queue.seal", "the hall shares"),
        ("provisioning/__init__.py", "import requests", "requests only"),
    ],
)
def test_a_planted_import_is_found(copy: Path, where: str, line: str, contract: str) -> None:
    target = copy / where
    target.write_text(target.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    done = _lint(copy)
    assert done.returncode != 0
    broken = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(contract in text for text in broken), done.stdout
