"""qmllint checks every QML file against the Python types: a wrong property name fails here, not before a citizen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "screens"
SOURCES = sorted([*SCREENS.glob("viewmodels/*.py"), SCREENS / "keyboard" / "keyboard.py"])
TOOLS = Path(sys.executable).parent


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An import folder with the module CitizensWindow as QML's tools know it."""
    folder = tmp_path_factory.mktemp("qml")
    place = folder / "CitizensWindow"
    place.mkdir()
    dump = place / "types.json"
    classes = json.loads(run(TOOLS / "pyside6-metaobjectdump", *SOURCES))
    for part in classes:
        part["classes"] = [kind for kind in part["classes"] if kind.get("object")]
        for kind in part["classes"]:
            # the dump takes the decorator's name; the tools want the type of the value
            for prop in kind.get("properties", ()):
                prop["type"] = {"list": "QVariantList", "QObject": "QObject*", "NoticeModel": "NoticeModel*"}.get(
                    prop["type"], prop["type"]
                )
    dump.write_text(json.dumps(classes))
    run(
        TOOLS / "pyside6-qmltyperegistrar",
        "--generate-qmltypes",
        place / "types.qmltypes",
        "--import-name",
        "CitizensWindow",
        "--major-version",
        "1",
        "-o",
        place / "unused.cpp",
        dump,
    )
    (place / "qmldir").write_text("module CitizensWindow\ntypeinfo types.qmltypes\n")
    return folder


def lint(module: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(TOOLS / "pyside6-qmllint"), "-I", str(module), "--max-warnings", "0", *map(str, files)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_every_qml_file_agrees_with_the_view_models(module: Path) -> None:
    files = sorted(SCREENS.rglob("*.qml"))
    assert len(files) > 40
    done = lint(module, *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_finds_a_wrong_name(module: Path, tmp_path: Path) -> None:
    bad = tmp_path / "Bad.qml"
    bad.write_text("import QtQuick\nimport CitizensWindow\nText { text: HomeModel.persomName }\n")
    done = lint(module, bad)
    assert done.returncode != 0
    assert "persomName" in done.stdout + done.stderr


def test_no_token_looks_like_a_signal_handler() -> None:
    """A property named on[A-Z]… is silently undefined in QML."""
    import re

    for file in SCREENS.rglob("*.qml"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"property\s+\w+\s+on[A-Z]", text), file
