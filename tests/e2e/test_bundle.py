"""The frozen terminal: what is in it and what is not; it enrols, serves and examines itself with the emulators."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from kiosk.app.__main__ import DRIVERS
from kiosk.app.processes import spawn, stop
from kiosk.app.supervisor import Supervisor
from kiosk.core.devices import DeviceKind
from kiosk.devdock.hall_view import HallView
from kiosk.devdock.link import LinkMode
from kiosk.devdock.street import DEFAULT_TERMINALS, Hall, Terminal, wait_until

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("bundle")]

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = (
    *("kiosk.devdock", "drivers.sim", "hall", "tests", "screens.inspect", "PySide6.QtTest", "readline", "cups"),
    *("playwright", "pytest", "hypothesis", "fastapi", "uvicorn", "sqlalchemy", "typst", "pyhanko", "jieba"),
    *("rapidocr_onnxruntime", "onnxruntime", "zxingcpp", "setuptools", "mypy"),
)
GPL_FILES = ("VirtualKeyboard", "libreadline", "libgdbm", "libQt6Charts", "libQt6Pdf")
DEVICES = tuple(kind.value for kind in DeviceKind)
PARTS = ("disk", "identity", "bundle", *DEVICES, "fonts", "queue", "clock", "hall")
SYSTEM_LIBRARIES = {
    *(
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libm.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
    ),
    # of the machine's own graphics
    *("libEGL.so.1", "libGL.so.1", "libxcb.so.1", "libwayland-client.so.0", "libwayland-cursor.so.0"),
    "libwayland-egl.so.1",
}
"""Come with Debian packages that the terminal depends on."""
LICENCES = {
    *("MIT", "MIT-0", "MIT-CMU", "MIT License", "0BSD", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSD License"),
    *("ISC License", "ISC License (ISCL)", "Zlib", "CC0-1.0", "PSF-2.0", "MPL-2.0"),
    *("Apache-2.0", "Apache 2.0", "Apache License, Version 2.0"),
    # libraries in files of their own, which anybody may exchange
    *("LGPL-3.0-only", "GNU Lesser General Public License v2 or later (LGPLv2+)"),
}
WITHOUT_TEXT = {"PySide6_Essentials", "shiboken6", "pyserial", "tabler-qicon"}
"""Their wheels hold no licence file."""


# --- what is in it -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once for all tests, away from the checkout's own dist/."""
    out = tmp_path_factory.mktemp("bundle")
    places = ("--distpath", str(out / "dist"), "--workpath", str(out / "work"))
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", *places, "kiosk.spec"]
    subprocess.run(command, cwd=ROOT, check=True)
    return out / "dist" / "kiosk"


@pytest.fixture(scope="module")
def modules(bundle: Path) -> set[str]:
    """Names of the Python modules in it."""
    from PyInstaller.archive.readers import CArchiveReader

    return set(CArchiveReader(str(bundle / "kiosk")).open_embedded_archive("PYZ.pyz").toc)


def test_it_holds_the_terminal_and_nothing_else(bundle: Path, modules: set[str]) -> None:
    assert {"kiosk.services.terminal", "offline_queue.seal", "provisioning.enrol", "screens.bridge"} <= modules
    assert {f"drivers.{name}.__main__" for name in DRIVERS} <= modules
    models = {path.relative_to(ROOT) for path in (ROOT / "drivers").glob("*/*.toml")}
    assert len(models) > 2
    assert not [path for path in models if not (bundle / "_internal" / path).is_file()]
    assert not [name for name in modules if any(name == part or name.startswith(f"{part}.") for part in FORBIDDEN)]
    files = [path for path in bundle.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path.name for path in files if any(part in path.name for part in GPL_FILES)]
    assert sum(path.stat().st_size for path in files) < 480 * 1024**2, "something large has crept in"
    assert not [path for path in bundle.rglob("*") if path.is_symlink() and not path.exists()]


def test_it_tells_nobody_where_it_was_built(bundle: Path) -> None:
    here = str(ROOT).encode()
    assert not [path for path in bundle.rglob("*") if path.is_file() and here in path.read_bytes()]


def test_the_screens_have_all_they_draw_with(bundle: Path) -> None:
    inside = bundle / "_internal"
    qml = {
        path.relative_to(ROOT)
        for path in (ROOT / "screens").rglob("*")
        if path.suffix == ".qml" or path.name == "qmldir"
    }
    assert not [path for path in qml if not (inside / path).is_file()]
    assert (inside / "keyboard" / "pinyin.sqlite").stat().st_size > 1024**2
    icons = {path.stem for path in (inside / "tablerqicon" / "icons" / "outline").glob("*.svg")}
    themes = (ROOT / "hall" / "catalogue" / "data" / "themes.yaml").read_text("utf-8")
    drawn = "\n".join(path.read_text("utf-8") for path in (ROOT / "screens").rglob("*.qml"))
    named = {*re.findall(r"icon: ([a-z0-9-]+)", themes), *re.findall(r'\bname: "([a-z0-9-]+)"', drawn), "file-text"}
    assert len(named) > 8
    assert named <= icons
    assert len(icons) < 500


def test_every_library_is_there_or_the_systems(bundle: Path) -> None:
    libraries = [path for path in bundle.rglob("*") if ".so" in path.name and not path.is_symlink()]
    told = subprocess.run(["objdump", "-p", *map(str, libraries)], capture_output=True, text=True, check=True).stdout
    missing = set(re.findall(r"NEEDED\s+(\S+)", told)) - {path.name for path in bundle.rglob("*.so*")}
    assert missing <= SYSTEM_LIBRARIES


def test_every_package_may_be_given_away(bundle: Path, modules: set[str]) -> None:
    inside = bundle / "_internal"
    names = {name.partition(".")[0] for name in (*modules, *(path.name for path in inside.iterdir()))}
    owners = metadata.packages_distributions()
    packages = {package for name in names for package in owners.get(name, ())}
    assert {"requests", "PySide6_Essentials", "opencv-python", "pyscard"} <= packages
    assert not {package: _licence(package) for package in packages if not _allowed(_licence(package))}
    with_text = {path.name for path in (inside / "licenses").iterdir()}
    assert packages - with_text <= WITHOUT_TEXT
    ffmpeg = next((inside / "opencv_python.libs").glob("libavcodec*")).read_bytes()
    assert b"libavcodec license: LGPL" in ffmpeg


def _licence(package: str) -> str:
    told = metadata.metadata(package)
    classes = [name.rpartition(" :: ")[2] for name in told.get_all("Classifier", []) if name.startswith("License ::")]
    short = (told.get("License") or "").strip()
    return told.get("License-Expression") or (short if short and "\n" not in short else " AND ".join(classes))


def _allowed(expression: str) -> bool:
    return any(set(way.split(" AND ")) <= LICENCES for way in expression.split(" OR "))


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [("GPL-3.0-only", False), ("MIT AND GPL-2.0", False), ("", False), ("GPL-2.0-only OR LGPL-3.0-only", True)],
)
def test_the_list_of_licences_refuses(licence: str, allowed: bool) -> None:
    assert _allowed(licence) is allowed


def test_it_tells_its_version_and_verbs_and_shows_no_developers_verbs(bundle: Path, tmp_path: Path) -> None:
    from kiosk import __version__

    assert _run(bundle, tmp_path, "--version").stdout == f"kiosk {__version__}\n"
    verbs = re.findall(
        r"^  ([a-z]+)  ", _run(bundle, tmp_path, "--help").stdout.partition("Commands:")[2], re.MULTILINE
    )
    assert verbs == ["run", "doctor", "paper", "queue", "provision"]
    wrong = _run(bundle, tmp_path, "doctor", "--profile", "nowhere.toml")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)


# --- that it works --------------------------------------------------------------------------------------------------


def _clean_environment() -> dict[str, str]:
    """Nothing of this checkout's Python, and no screen."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "QT_QPA_PLATFORM": "offscreen"}


def _as_words(environment: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _run(bundle: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(bundle / "kiosk"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=_clean_environment(), timeout=60
    )


@pytest.fixture(scope="module")
def place(bundle: Path) -> Iterator[tuple[Terminal, Hall]]:
    """A hall, a terminal's simulated hardware and its line; enrolled by the frozen program, no software running."""
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        root = Path(name)
        hall = Hall(root / "hall")
        keeper = Supervisor((hall.program,), log_dir=root / "hall-logs")
        terminal = Terminal(DEFAULT_TERMINALS[0], root / "T001", hall=hall, platform="offscreen", motion=False)
        try:
            keeper.start()
            terminal.start_hardware()
            hall.wait_ready()
            hall.fill()
            terminal.wait_hardware()
            terminal.start_link()
            before = _doctor(bundle, terminal)
            assert {part: before[part]["verdict"] for part in ("identity", "bundle", "queue", "hall")} == dict.fromkeys(
                ("identity", "bundle", "queue", "hall"), "fault"
            )
            ticket = hall.ticket(terminal.spec)
            enrolled = _run(bundle, root, "provision", "enrol", "--profile", str(terminal.profile), "--ticket", ticket)
            assert enrolled.returncode == 0, enrolled.stderr
            yield terminal, hall
        finally:
            terminal.stop()
            keeper.stop()


def _doctor(bundle: Path, terminal: Terminal, *, status: int = 1) -> dict[str, dict[str, Any]]:
    done = _run(bundle, terminal.root, "doctor", "--json", "--profile", str(terminal.profile))
    findings = {finding["part"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == status, {part: told for part, told in findings.items() if told["verdict"] != "ok"}
    assert tuple(findings) == PARTS
    assert all(bool(finding["advice"]) == (finding["verdict"] != "ok") for finding in findings.values()), findings
    assert done.stderr == ""
    return findings


def _eventually(bundle: Path, terminal: Terminal, good: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
    """A serving terminal notices within seconds."""
    deadline = time.monotonic() + 20
    while not good(findings := _doctor_any(bundle, terminal)):
        assert time.monotonic() < deadline, findings


def _doctor_any(bundle: Path, terminal: Terminal) -> dict[str, dict[str, Any]]:
    done = _run(bundle, terminal.root, "doctor", "--json", "--profile", str(terminal.profile))
    return {finding["part"]: finding for finding in json.loads(done.stdout)}


def _family(pid: int) -> list[int]:
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text("ascii").split()
    ]
    return [pid, *(member for child in children for member in _family(child))]


@pytest.mark.street
def test_the_frozen_terminal_serves_and_ends_in_order(bundle: Path, place: tuple[Terminal, Hall]) -> None:
    terminal, hall = place
    view = HallView(hall, bundle_file=terminal.data / "bundle" / "current.cwb")

    def devices() -> dict[str, str]:
        heartbeats = [row["heartbeat"] for row in view.terminals() if row["heartbeat"]]
        return {device["kind"]: device["state"] for told in heartbeats for device in told["devices"]}

    process = spawn(
        [
            "env",
            "-i",
            *_as_words(_clean_environment()),
            str(bundle / "kiosk"),
            "run",
            "--profile",
            str(terminal.profile),
        ],
        cwd=Path("/"),
    )
    try:
        online = dict.fromkeys(DEVICES, "online")
        wait_until(lambda: devices() == online, what="heartbeat with all devices online", within_s=60)
        _eventually(bundle, terminal, lambda told: all(finding["verdict"] == "ok" for finding in told.values()))
        told = _doctor(bundle, terminal, status=0)
        assert {told[part]["detail"]["asked"] for part in DEVICES} == {"terminal"}
        assert {part for part in DEVICES if not told[part]["detail"]["self_test"]["passed"]} == set()
        assert {told[part]["detail"]["driver"]["pid"] for part in DEVICES} < set(_family(process.pid))
        # Letters were drawn: the font is in the screen process's memory. Icons and pages came without a complaint.
        family = _family(process.pid)
        assert len(family) == 3 + len(DEVICES), "run, sync, ui and a driver for each device"
        maps = [Path(f"/proc/{pid}/maps").read_text("ascii", "replace") for pid in family]
        assert any("NotoSansCJK" in text and "libqoffscreen" in text for text in maps)
        terminal.hardware.do("receipt.set", paper="out")
        _eventually(bundle, terminal, lambda told: told["receipt"]["detail"].get("fault") == "paper_out")
        terminal.hardware.do("receipt.set", paper="full")
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    finally:
        stop(process, grace_s=5)
    logs = terminal.data / "logs"
    assert {path.name: path.read_text("utf-8") for path in logs.glob("*.stderr")} == {
        "sync.stderr": "",
        "ui.stderr": "",
    }
    assert {path.name: path.read_text("utf-8") for path in logs.glob("*.crash")} == {"sync.crash": "", "ui.crash": ""}
    events = [json.loads(line)["event"] for line in (logs / "ui.jsonl").read_text("utf-8").splitlines()]
    assert events[-1] == "terminal_stopped", "not killed, but ended"


@pytest.mark.street
def test_the_frozen_doctor_names_everything_that_is_broken(bundle: Path, place: tuple[Terminal, Hall]) -> None:
    terminal, _hall = place
    hardware, link = terminal.hardware, terminal.link
    assert link is not None
    sync = spawn([str(bundle / "kiosk"), "sync", "--profile", str(terminal.profile)], env=_clean_environment())
    try:
        socket = terminal.data / "run" / "queue.sock"
        wait_until(lambda: socket.exists() and (terminal.data / "bundle" / "current.cwb").exists(), what="sync")
        told = _doctor(bundle, terminal, status=0)
        assert {finding["verdict"] for finding in told.values()} == {"ok"}, told
        assert {told[part]["detail"]["asked"] for part in DEVICES} == {"driver"}

        hardware.do("receipt.set", paper="out")
        hardware.do("page.set", door=True)
        hardware.do("card.unplug")
        hardware.do("camera.set", gone=True)
        link.set_mode(LinkMode.DOWN)
        told = _doctor(bundle, terminal)
        assert _faults(told) == {
            "receipt": "paper_out", "page": "door_open", "id_card": "no_reader", "camera": "no_camera"
        }  # fmt: skip
        assert (told["hall"]["verdict"], told["queue"]["verdict"]) == ("warn", "ok"), "filing goes on without the hall"

        hardware.do("receipt.set", paper="low", cover=True)
        hardware.do("page.set", door=False, jam=True)
        hardware.do("card.plug")
        hardware.do("card.kill_daemon")
        hardware.do("camera.set", gone=False)
        link.set_mode(LinkMode.ERROR_500)
        assert stop(sync, grace_s=5) == 0
        told = _doctor(bundle, terminal)
        assert _faults(told) == {"receipt": "cover_open", "page": "jam", "id_card": "service_down"}
        assert (told["queue"]["verdict"], told["queue"]["state"]) == ("fault", "down")
        assert (told["hall"]["verdict"], told["hall"]["state"]) == ("warn", "http_500")
    finally:
        stop(sync, grace_s=5)


def _faults(told: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {part: fault for part, finding in told.items() if (fault := finding["detail"].get("fault"))}
