"""终端更换: the queue of a dead machine goes to a new one without being readable; the old one can send nothing more."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result
from typer.testing import CliRunner

from hall.admin import AdminError, perform
from kiosk.contract.tickets import EnrolTicket
from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from offline_queue.__main__ import EXIT_GIVEN, EXIT_LEFT, app
from offline_queue.ipc.access import open_queue
from provisioning.enrol import enrol
from tests.hall.conftest import MAY, HallProcess, TestTerminal, enrolled, machine_at, terminal_of

Successor = Callable[..., TestTerminal]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A hall with a catalogue. Its log must stay empty."""
    data = tmp_path_factory.mktemp("hall") / "data"
    perform(data, "publish")
    process = HallProcess(data).start()
    yield process
    process.stop()
    assert process.log.read_text() == ""


@pytest.fixture
def ids() -> Any:
    """Terminal ids that no other test has used."""
    return iter([f"R{number:03d}" for number in range(ids_used(), ids_used(8))])


_USED = [0]


def ids_used(more: int = 0) -> int:
    _USED[0] += more
    return _USED[0]


def successor_of(hall: HallProcess, directory: Path, terminal_id: str, *, replaces: str) -> TestTerminal:
    machine = machine_at(directory, hall.url, terminal_id)
    ticket = hall.do("ticket", terminal=terminal_id, site="样本站", name="新机", replaces=replaces)["ticket"]
    assert isinstance(enrol(machine, EnrolTicket.parse(ticket)), Ok)
    return terminal_of(machine, hall)


def queue(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["--data", str(data), *words])


def told(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def file(terminal: TestTerminal, *, paper: bool = False, **changes: Any) -> str:
    session = terminal.session()
    submission, blobs = terminal.question(**changes), ()
    if paper:
        submission, blob = terminal.renewal(session, licence_id="none", **changes)
        blobs = (blob,)
    raw = terminal.seal(submission, *blobs, session=session)
    with open_queue(terminal.machine.data, create=True) as access:
        assert access.put(SealedSubmission(submission.id, submission.application_no, raw, blobs)) == Ok(None)
    return submission.id


def states(terminal: TestTerminal) -> dict[str, str]:
    return {row["id"]: row["state"] for row in told(queue(terminal.machine.data, "list", "--json"))}


def drain(terminal: TestTerminal, code: int = 0, *, seconds: str = "60") -> Any:
    words = ("drain", "--hall", terminal.hall.url, "--json", "--for", seconds)
    return told(queue(terminal.machine.data, *words), code)


@pytest.fixture
def pair(hall: HallProcess, tmp_path: Path, ids: Any, expected_logs: set[str]) -> Any:
    """An old terminal with three submissions, and how to make its successor."""
    expected_logs.add("offline_queue")
    old = enrolled(hall, tmp_path / "old", next(ids))
    made = [old]

    def successor(*, replaces: str = old.id) -> TestTerminal:
        made.append(successor_of(hall, tmp_path / f"new{len(made)}", next(ids), replaces=replaces))
        return made[-1]

    yield old, successor
    for terminal in made:
        terminal.http.close()


@pytest.mark.parametrize("way", ["stick", "directory"])
def test_the_queue_goes_to_the_successor_and_arrives(
    pair: tuple[TestTerminal, Successor], tmp_path: Path, way: str
) -> None:
    old, successor = pair
    filed = {file(old), file(old), file(old, paper=True)}
    new = successor()
    source = old.machine.data
    if way == "stick":
        [name] = told(queue(source, "export", "--to", str(tmp_path), "--json"))["files"]
        source = tmp_path / name
    for _ in range(2):
        assert told(queue(new.machine.data, "import", str(source), "--json")) == {"kind": "queue", "taken": 3}
    assert told(queue(new.machine.data, "verify", "--json"))["held"] == 3
    assert drain(new)["pending"] == 0
    assert states(new) == dict.fromkeys(filed, "accepted")
    assert told(queue(new.machine.data, "import", str(source), "--json")) == {"kind": "queue", "taken": 3}
    assert states(new) == dict.fromkeys(filed, "accepted"), "again is no new work"


def test_nobody_can_read_what_is_moved(pair: tuple[TestTerminal, Successor], tmp_path: Path) -> None:
    old, successor = pair
    file(old, paper=True)
    told(queue(old.machine.data, "export", "--to", str(tmp_path), "--json"))
    new = successor()
    told(queue(new.machine.data, "import", str(old.machine.data), "--json"))
    planted = (MAY[0].encode(), MAY[1].encode(), MAY[0].encode("utf-16-le"), b"13800000000")
    for root in (tmp_path / "old", tmp_path / "new1", *tmp_path.glob("*.cwx")):
        for path in [root] if root.is_file() else root.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(name in content or base64.b64encode(name) in content for name in planted), path.name


def test_the_old_terminal_cannot_send_and_is_told(pair: tuple[TestTerminal, Successor]) -> None:
    old, successor = pair
    id_ = file(old)
    successor()
    answer = old.get("/v1/bundle/manifest")
    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")
    left = drain(old, EXIT_LEFT, seconds="2")
    assert (left["pending"], left["last_error"]) == (1, "revoked")
    assert states(old) == {id_: "sealed"}, "nothing is lost there either"


def test_until_the_ticket_is_spent_nothing_changes(hall: HallProcess, pair: tuple[TestTerminal, Successor]) -> None:
    old, _ = pair
    hall.do("ticket", terminal="R999", site="样本站", name="新机", replaces=old.id)
    file(old)
    assert drain(old)["pending"] == 0


def test_another_terminal_cannot_bring_it(
    hall: HallProcess, pair: tuple[TestTerminal, Successor], tmp_path: Path, ids: Any
) -> None:
    old, successor = pair
    id_ = file(old)
    thief = enrolled(hall, tmp_path / "thief", next(ids))
    told(queue(thief.machine.data, "import", str(old.machine.data), "--json"))
    drain(thief, EXIT_LEFT)
    assert states(thief) == {id_: "parked"}
    successor()
    told(queue(thief.machine.data, "requeue", "--all").exit_code == 0 and queue(thief.machine.data, "list", "--json"))
    drain(thief, EXIT_LEFT)
    assert states(thief) == {id_: "parked"}, "nor after somebody else took its place"
    thief.http.close()


def test_imported_too_early_is_parked_and_sent_again_after_the_hall_knows(
    hall: HallProcess, pair: tuple[TestTerminal, Successor], tmp_path: Path, ids: Any
) -> None:
    old, _ = pair
    id_ = file(old)
    name = next(ids)
    early = enrolled(hall, tmp_path / "early", name)
    told(queue(early.machine.data, "import", str(old.machine.data), "--json"))
    drain(early, EXIT_LEFT)
    assert told(queue(early.machine.data, "list", "--json"))[0]["last_code"] == "forbidden"
    early.http.close()
    again = successor_of(hall, tmp_path / "early", name, replaces=old.id)
    assert queue(again.machine.data, "requeue", id_).exit_code == 0
    assert drain(again)["pending"] == 0
    assert states(again) == {id_: "accepted"}
    again.http.close()


def test_what_was_signed_after_the_replacement_does_not_count_unless_staff_vouch(
    hall: HallProcess, pair: tuple[TestTerminal, Successor]
) -> None:
    old, successor = pair
    id_ = file(old, created_at=datetime.now(UTC) + timedelta(hours=1))
    new = successor()
    told(queue(new.machine.data, "import", str(old.machine.data), "--json"))
    drain(new, EXIT_LEFT)
    assert states(new) == {id_: "parked"}
    hall.do("vouch", terminal=old.id, until=(datetime.now(UTC) + timedelta(hours=2)).isoformat())
    assert queue(new.machine.data, "requeue", "--all").exit_code == 0
    assert drain(new)["pending"] == 0
    assert states(new) == {id_: "accepted"}


def test_a_successor_of_a_successor_may_bring_it(pair: tuple[TestTerminal, Successor]) -> None:
    old, successor = pair
    id_ = file(old)
    middle = successor()
    told(queue(middle.machine.data, "import", str(old.machine.data), "--json"))
    last = successor(replaces=middle.id)
    told(queue(last.machine.data, "import", str(middle.machine.data), "--json"))
    assert drain(last)["pending"] == 0
    assert states(last) == {id_: "accepted"}


def test_the_dead_machine_s_stick_may_go_to_the_hall_directly(
    hall: HallProcess, pair: tuple[TestTerminal, Successor], tmp_path: Path
) -> None:
    old, successor = pair
    file(old, paper=True)
    file(old, created_at=datetime.now(UTC) + timedelta(hours=1))
    [name] = told(queue(old.machine.data, "export", "--to", str(tmp_path), "--json"))["files"]
    successor()
    done = hall.do("import_media", file=str(tmp_path / name), out=str(tmp_path / "r.cwr"))
    assert (done["accepted"], done["rejected"]) == (1, 1)


def test_numbers_of_old_and_new_never_collide(
    hall: HallProcess, pair: tuple[TestTerminal, Successor], tmp_path: Path
) -> None:
    old, successor = pair
    with open_queue(old.machine.data, create=True) as access:
        numbers = [access.reserve_number() for _ in range(3)]
    new = successor()
    told(queue(new.machine.data, "import", str(old.machine.data), "--json"))
    with open_queue(new.machine.data) as access:
        theirs = access.reserve_number()
    assert theirs not in numbers
    # The same terminal id on a new disk goes on counting.
    again = machine_at(tmp_path / "again", hall.url, old.id)
    ticket = hall.do("ticket", terminal=old.id, site="样本站", name="旧号")["ticket"]
    assert isinstance(enrol(again, EnrolTicket.parse(ticket)), Ok)
    told(queue(again.data, "import", str(old.machine.data), "--json"))
    with open_queue(again.data) as access:
        fourth = access.reserve_number()
    assert isinstance(fourth, Ok)
    assert fourth.value[16:20] == "0004"


def test_a_ticket_cannot_replace_nobody_or_itself(hall: HallProcess, pair: tuple[TestTerminal, Successor]) -> None:
    old, successor = pair
    for terminal, replaces in (("R998", "R997"), (old.id, old.id)):
        with pytest.raises(AdminError):
            hall.do("ticket", terminal=terminal, site="样本站", name="新机", replaces=replaces)
    new = successor()
    with pytest.raises(AdminError, match="before"):
        hall.do("ticket", terminal=old.id, site="样本站", name="新机", replaces=new.id)
    with pytest.raises(AdminError, match="was not replaced"):
        hall.do("vouch", terminal=new.id, until=datetime.now(UTC).isoformat())


def test_a_copy_of_the_same_directory_is_no_old_terminal(pair: tuple[TestTerminal, Successor], tmp_path: Path) -> None:
    old, _ = pair
    file(old)
    copy = tmp_path / "copy"
    shutil.copytree(old.machine.data, copy)
    refused = queue(old.machine.data, "import", str(copy))
    assert refused.exit_code == EXIT_GIVEN
    assert "same terminal" in refused.stderr


def test_the_board_says_who_took_its_place(hall: HallProcess, pair: tuple[TestTerminal, Successor]) -> None:
    old, successor = pair
    new = successor()
    with requests.Session() as staff:
        staff.trust_env = False
        staff.get(hall.staff_url + str(hall.do("staff_link", name="测试员")["path"]), timeout=10)
        rows = staff.get(hall.staff_url + "/staff/api/terminals", timeout=10).json()
        [row] = [row for row in rows if row["id"] == old.id]
        assert (row["state"], row["successor"]) == ("revoked", new.id)
        assert f"由 {new.id} 接替" in staff.get(hall.staff_url + "/staff/terminals", timeout=10).text
