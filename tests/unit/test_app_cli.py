"""`kiosk` as a technician types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk import __version__
from kiosk.app.cli import EXIT_WRONG_USE, app
from offline_queue.__main__ import app as trying_out
from offline_queue.process import EXIT_STORE

PROFILE = """schema = 1
terminal_id = "T001"
region = "440604"
site_name = "测试站"
terminal_name = "1号机"
data = "data"
[hall]
url = "https://127.0.0.1:1"
"""


@pytest.fixture(autouse=True)
def own_umask() -> None:
    """Commands tighten it."""
    import os

    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)


def test_version_and_help() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"kiosk {__version__}\n"
    told = CliRunner().invoke(app, ["-h"]).output
    assert all(word in told for word in ("run", "doctor", "provision", "Exit status"))
    assert "sync" not in told, "what only our own processes call is not shown"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "No such file"),
        ("schema = ", "not TOML"),
        (PROFILE + "[printer]\n", "no such setting"),
        ("", "is missing"),
    ],
)
def test_a_profile_that_cannot_be_used_ends_with_two_and_plain_words(
    tmp_path: Path, text: str | None, word: str
) -> None:
    profile = tmp_path / "machine.toml"
    if text is not None:
        profile.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["doctor", "--profile", str(profile)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_on_a_bare_machine_speaks_to_people_and_machines(tmp_path: Path) -> None:
    profile = tmp_path / "machine.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    for_people = CliRunner().invoke(app, ["doctor", "--profile", str(profile)])
    assert for_people.exit_code == 1
    assert "T001 · 测试站 1号机" in for_people.stdout
    assert "kiosk provision enrol" in " ".join(for_people.stdout.split())
    for_machines = CliRunner().invoke(app, ["doctor", "--json", "--profile", str(profile)])
    assert for_machines.exit_code == 1
    findings = json.loads(for_machines.stdout)
    parts = ["disk", "identity", "bundle", "fonts", "queue", "clock", "hall"]
    assert [finding["part"] for finding in findings] == parts
    assert {"part", "name", "verdict", "state", "advice", "seconds", "detail"} == set(findings[0])


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "machine.toml"
    path.write_text(PROFILE + '[devices]\nreceipt = "tcp://127.0.0.1:1"\n', encoding="utf-8")
    return path


def test_a_self_test_of_a_device_that_is_not_here_is_wrong_use(profile: Path) -> None:
    for wanted in ("page", "toaster"):
        done = CliRunner().invoke(app, ["doctor", "--profile", str(profile), "--self-test", wanted])
        assert (done.exit_code, done.stdout) == (2, "")
        assert "there are: receipt" in done.stderr


def test_nothing_is_printed_without_a_word(profile: Path) -> None:
    for wanted in ("receipt", "all"):
        done = CliRunner().invoke(app, ["doctor", "--profile", str(profile), "--self-test", wanted])
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--yes" in done.stderr


def test_a_self_test_by_the_doctors_own_driver(profile: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--profile", str(profile), "--self-test", "receipt", "--yes", "--json"])
    assert done.exit_code == 1
    (receipt,) = [finding for finding in json.loads(done.stdout) if finding["part"] == "receipt"]
    told = receipt["detail"]
    assert (told["asked"], told["state"], told["fault"]) == ("driver", "offline", "unreachable")
    assert (told["self_test"]["passed"], told["self_test"]["deep"]) == (False, True)
    assert told["driver"]["version"] == 1
    assert set(told["advice"]) == {"zh", "en"}


def test_the_queue_of_this_terminal(tmp_path: Path) -> None:
    profile = tmp_path / "machine.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    filed = CliRunner().invoke(trying_out, ["--data", str(tmp_path / "data"), "put"], input="{}")
    told = CliRunner().invoke(app, ["queue", "--profile", str(profile), "list", "--json"])
    assert [entry["id"] for entry in json.loads(told.stdout)] == [filed.stdout.split()[0]]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["status"], EXIT_STORE, "no queue here"),
        (["import", "stick.cwx"], EXIT_STORE, "not enrolled"),
        (["put"], EXIT_WRONG_USE, "No such command"),
        (["setup"], EXIT_WRONG_USE, "No such command"),
    ],
)
def test_a_terminal_gets_no_throw_away_keys(tmp_path: Path, words: list[str], status: int, said: str) -> None:
    profile = tmp_path / "machine.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    done = CliRunner().invoke(app, ["queue", "--profile", str(profile), *words])
    assert done.exit_code == status
    assert said in done.stderr
    assert not (tmp_path / "data" / "identity").exists()
