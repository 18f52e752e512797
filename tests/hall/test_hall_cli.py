"""The hall's command line: on a new directory, beside a running hall, and with errors in one plain line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hall.admin import AdminError, perform
from kiosk.contract.tickets import EnrolTicket
from tests.hall.conftest import REPOSITORY, HallProcess


def hall_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hall", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )


def test_a_new_directory_sets_itself_up_private(tmp_path: Path) -> None:
    data = tmp_path / "new" / "hall"
    done = hall_command("init", "--data", str(data), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"data": str(data)}
    for path in [data, *data.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
    keys = {path.name: path.read_bytes() for path in data.rglob("*.key")}
    assert hall_command("init", "--data", str(data)).returncode == 0
    assert {path.name: path.read_bytes() for path in data.rglob("*.key")} == keys, "keys are made once"


def test_half_made_keys_are_made_again(tmp_path: Path) -> None:
    data = tmp_path / "hall"
    (data / "keys.new" / "keys").mkdir(parents=True)
    (data / "keys.new" / "keys" / "root.key").write_text("torn")
    perform(data, "init")
    assert not (data / "keys.new").exists()
    assert (data / "keys" / "root.key").read_text().startswith("-----BEGIN")


def test_commands_work_beside_a_running_hall(hall: HallProcess) -> None:
    data = str(hall.data)
    done = hall_command("ticket", "--data", data, "--terminal", "T050", "--site", "站", "--name", "机", "--json")
    assert EnrolTicket.parse(json.loads(done.stdout)["ticket"])
    assert hall_command("publish", "--data", data).stdout == "bundle 1 with 4 items\n"
    link = hall_command("staff-link", "--data", data, "--staff-port", str(hall.staff_port))
    assert link.stdout.startswith(f"http://127.0.0.1:{hall.staff_port}/staff/enter/")


def test_errors_are_one_plain_line(tmp_path: Path, hall: HallProcess) -> None:
    data = str(tmp_path / "hall")
    bad = hall_command("ticket", "--data", data, "--terminal", "t", "--site", "站", "--name", "机")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("hall: ")
    unknown = hall_command("revoke", "--data", str(hall.data), "--terminal", "T999")
    assert (unknown.returncode, unknown.stderr) == (1, "hall: there is no terminal T999\n")
    (tmp_path / "hall" / "hall.toml").write_text("reigon = 1\n")
    wrong = hall_command("init", "--data", data)
    assert (wrong.returncode, wrong.stderr) == (1, "hall: hall.toml: wrong or unknown: reigon\n")
    busy = hall_command("serve", "--data", str(hall.data))
    assert (busy.returncode, "a hall is running" in busy.stderr) == (3, True)


@pytest.mark.parametrize("row", ["x = 1", '[x]\nname = "a"', '[x]\nname = "a"\nid_number = "b"\nrecords = ["dragon"]'])
def test_seed_files_are_checked(tmp_path: Path, row: str) -> None:
    persons = tmp_path / "persons.toml"
    persons.write_text(row)
    with pytest.raises(AdminError, match=r"^x: "):
        perform(tmp_path / "hall", "seed", persons=str(persons))


def test_a_catalogue_for_another_region_is_refused(tmp_path: Path) -> None:
    perform(tmp_path / "hall", "init")
    settings = tmp_path / "hall" / "hall.toml"
    settings.write_text(settings.read_text().replace("440604", "440605"))
    with pytest.raises(AdminError, match="region 440604"):
        perform(tmp_path / "hall", "publish")


def test_a_new_name_gets_a_new_server_certificate(tmp_path: Path) -> None:
    data = tmp_path / "hall"
    perform(data, "init")
    before = (data / "server" / "server.pem").read_bytes()
    perform(data, "init")
    assert (data / "server" / "server.pem").read_bytes() == before
    settings = data / "hall.toml"
    settings.write_text(settings.read_text().replace('"localhost"', '"localhost", "hall.example"'))
    perform(data, "init")
    assert (data / "server" / "server.pem").read_bytes() != before
