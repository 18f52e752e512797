"""The frozen terminal: what is in it, what is not, and that it works with the emulators."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kiosk.devdock.street import DEFAULT_TERMINALS, Street

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = ("kiosk.devdock", "drivers.sim", "hall", "tests", "playwright", "pytest", "fastapi", "typst", "pyhanko", "cups")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    subprocess.run(
        [*command, "--distpath", str(out / "dist"), "--workpath", str(out / "work"), "kiosk.spec"], cwd=ROOT, check=True
    )
    return out / "dist" / "kiosk"


def _modules(program: Path) -> set[str]:
    from PyInstaller.archive.readers import CArchiveReader

    archive = CArchiveReader(str(program))
    packed = archive.open_embedded_archive("PYZ.pyz" if "PYZ.pyz" in archive.toc else "PYZ-00.pyz")
    return set(packed.toc)


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("bundle")
def test_the_bundle_holds_the_terminal_and_nothing_else(bundle: Path) -> None:
    modules = _modules(bundle / "kiosk")
    assert {"kiosk.services.terminal", "drivers.idcard.driver", "offline_queue.seal", "screens.bridge"} <= modules
    intruders = {name for name in modules if any(name == part or name.startswith(f"{part}.") for part in FORBIDDEN)}
    assert not intruders
    files = {path.name for path in bundle.rglob("*")}
    assert not {name for name in files if "VirtualKeyboard" in name}, "Qt Virtual Keyboard is GPL"


@pytest.mark.timeout(400)
@pytest.mark.street
@pytest.mark.xdist_group("bundle")
def test_the_frozen_doctor_finds_the_emulators_well(bundle: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as name, Street(
        Path(name) / "s", terminals=DEFAULT_TERMINALS[:1]
    ) as street:
        terminal = next(iter(street.terminals.values()))
        done = subprocess.run(
            [str(bundle / "kiosk"), "doctor", "--json", "--profile", str(terminal.profile)],
            capture_output=True,
            text=True,
            check=False,
            cwd=name,
            env={key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        )
        findings = {finding["part"]: finding for finding in json.loads(done.stdout)}
        assert done.returncode == 0, findings
        assert {part: finding["verdict"] for part, finding in findings.items()} == {
            part: "ok" for part in ("disk", "identity", "bundle", "id_card", "receipt", "page", "camera", "queue", "hall")
        }
        terminal.hardware.do("receipt.set", paper="out")
        again = subprocess.run(
            [str(bundle / "kiosk"), "doctor", "--json", "--profile", str(terminal.profile)],
            capture_output=True,
            text=True,
            check=False,
            cwd=name,
        )
        faults = [finding["part"] for finding in json.loads(again.stdout) if finding["verdict"] == "fault"]
        assert again.returncode == 1
        assert faults == ["receipt"]
