"""Submissions on a stick at a real hall: the same intake, receipts for the way back, nothing lost, nothing doubled."""

from __future__ import annotations

import base64
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result
from typer.testing import CliRunner

from hall.admin import AdminError
from kiosk.contract.media import MediaFault, read_manifest, read_receipts
from kiosk.contract.signing import verify_receipt
from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from offline_queue.__main__ import EXIT_LEFT, app
from offline_queue.ipc.access import open_queue
from offline_queue.keys.identity import believed_keys
from tests.hall.conftest import REPOSITORY, HallProcess, TestTerminal, enrolled, eventually


def queue(data: Path, *words: str, **options: Any) -> Result:
    """`python -m offline_queue`, in this process."""
    return CliRunner().invoke(app, ["--data", str(data), *words], **options)


def told(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@dataclass
class Street:
    """A terminal with a queue, a stick, and its hall."""

    terminal: TestTerminal
    stick: Path

    @property
    def data(self) -> Path:
        return self.terminal.machine.data

    @property
    def hall(self) -> HallProcess:
        return self.terminal.hall

    def file(self, *, paper: bool = False, **changes: Any) -> str:
        """One submission in the queue; its id."""
        session = self.terminal.session()
        if paper:
            submission, blob = self.terminal.renewal(session, licence_id="none", **changes)
            blobs: tuple[bytes, ...] = (blob,)
        else:
            submission, blobs = self.terminal.question(**changes), ()
        raw = self.terminal.seal(submission, *blobs, session=session)
        with open_queue(self.data, create=True) as access:
            assert access.put(SealedSubmission(submission.id, submission.application_no, raw, blobs)) == Ok(None)
        return submission.id

    def export(self) -> Path:
        done = told(queue(self.data, "export", "--to", str(self.stick), "--json"))
        [name] = done["files"]
        return self.stick / name

    def hand_in(self, file: Path) -> dict[str, Any]:
        return self.hall.do("import_media", file=str(file), out=str(self.receipts))

    @property
    def receipts(self) -> Path:
        return self.stick / "receipts.cwr"

    def bring_back(self, code: int = 0) -> Any:
        return told(queue(self.data, "import", str(self.receipts), "--json"), code)

    def states(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in told(queue(self.data, "list", "--json"))}


@pytest.fixture
def street(hall: HallProcess, terminal: TestTerminal, tmp_path: Path) -> Street:
    shutil.rmtree(terminal.machine.layout.queue, ignore_errors=True)
    stick = tmp_path / "stick"
    stick.mkdir()
    return Street(terminal, stick)


def effects(hall: HallProcess, staff: requests.Session, ids: set[str]) -> dict[str, int]:
    rows = staff.get(hall.staff_url + "/staff/api/submissions", timeout=10).json()
    return {row["id"]: row["effects"] for row in rows if row["id"] in ids}


def test_there_and_back(street: Street, hall: HallProcess, staff: requests.Session) -> None:
    ids = {street.file(), street.file(paper=True)}
    file = street.export()
    assert set(street.states().values()) == {"sealed"}, "exported is no delivery"
    assert street.hand_in(file)["accepted"] == 2
    assert effects(hall, staff, ids) == dict.fromkeys(ids, 1)
    receipts = read_receipts(street.receipts.read_bytes(), believed_keys(street.data))
    assert {result.verdict.id for result in receipts.results} == ids
    assert street.bring_back() == {"kind": "receipts", "accepted": 2}
    assert street.states() == dict.fromkeys(ids, "accepted")
    assert street.bring_back() == {"kind": "receipts", "known": 2}


def test_handed_in_twice_is_once_and_the_receipts_are_the_same(
    street: Street, hall: HallProcess, staff: requests.Session
) -> None:
    ids = {street.file() for _ in range(3)}
    file = street.export()

    def receipts() -> dict[str, str]:
        found = read_receipts(street.receipts.read_bytes(), believed_keys(street.data))
        return {result.verdict.id: result.verdict.receipt for result in found.results}

    assert street.hand_in(file)["accepted"] == 3
    first = receipts()
    assert street.hand_in(file)["duplicate"] == 3
    assert receipts() == first
    assert effects(hall, staff, ids) == dict.fromkeys(ids, 1)
    street.bring_back()
    assert set(street.states().values()) == {"accepted"}


def test_the_network_returns_between_export_and_receipts(
    street: Street, hall: HallProcess, staff: requests.Session, expected_logs: set[str]
) -> None:
    expected_logs.add("offline_queue")
    ids = {street.file(), street.file(paper=True)}
    file = street.export()
    drained = queue(street.data, "drain", "--hall", hall.url, "--json", "--for", "60")
    assert told(drained)["pending"] == 0
    assert street.hand_in(file)["duplicate"] == 2
    assert street.bring_back() == {"kind": "receipts", "known": 2}
    assert effects(hall, staff, ids) == dict.fromkeys(ids, 1)


def test_what_the_hall_refuses_is_parked_and_the_rest_accepted(street: Street) -> None:
    good, bad = street.file(), street.file(item_code="440604-XX-0000")
    counts = street.hand_in(street.export())
    assert (counts["accepted"], counts["rejected"]) == (1, 1)
    assert street.bring_back(EXIT_LEFT) == {"kind": "receipts", "accepted": 1, "parked": 1}
    assert street.states() == {good: "accepted", bad: "parked"}
    assert told(queue(street.data, "list", "--json"))[0]["last_code"] == "item_unknown"


def test_one_bad_sector_costs_one_item_and_only_for_now(street: Street) -> None:
    spoilt, whole = street.file(), street.file()
    file = street.export()
    with file.open("rb") as opened:
        size = next(item.size for item in read_manifest(opened).items if item.id == spoilt)
    raw = bytearray(file.read_bytes())
    raw[4 + size // 2] ^= 0xFF
    file.write_bytes(raw)
    counts = street.hand_in(file)
    assert (counts["accepted"], counts["retry"]) == (1, 1)
    assert street.bring_back(EXIT_LEFT) == {"kind": "receipts", "accepted": 1, "hash_mismatch": 1}
    assert street.states() == {spoilt: "sealed", whole: "accepted"}
    again = street.export()
    assert street.hand_in(again)["accepted"] == 1
    street.bring_back()
    assert set(street.states().values()) == {"accepted"}


def test_a_spoilt_picture_is_no_submission(street: Street) -> None:
    id_ = street.file(paper=True)
    file = street.export()
    with file.open("rb") as opened:
        [item] = read_manifest(opened).items
    raw = bytearray(file.read_bytes())
    raw[4 + item.size + item.blobs[0].size // 2] ^= 1
    file.write_bytes(raw)
    assert street.hand_in(file)["retry"] == 1
    street.bring_back(EXIT_LEFT)
    assert street.states() == {id_: "sealed"}


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda raw: raw[:-1], MediaFault.TORN),
        (lambda raw: raw[: len(raw) // 2], MediaFault.TORN),
        (lambda raw: raw[:4], MediaFault.TORN),
        (lambda raw: b"", MediaFault.NOT_MEDIA),
        (lambda raw: b"PK\x03\x04" + raw[4:], MediaFault.NOT_MEDIA),
        (lambda raw: raw[:-80] + bytes([raw[-80] ^ 1]) + raw[-79:], MediaFault.TAMPERED),
        (lambda raw: raw[:-8] + b"\xff\xff\xff\xff" + raw[-4:], MediaFault.TAMPERED),
        (lambda raw: raw[:4] + b"x" + raw[4:], MediaFault.TAMPERED),
    ],
)
def test_a_file_that_is_not_whole_is_refused_by_name(
    street: Street, spoil: Callable[[bytes], bytes], fault: MediaFault
) -> None:
    street.file()
    file = street.export()
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(AdminError, match=f"^{fault.value}"):
        street.hand_in(file)
    assert not street.receipts.exists()
    assert set(street.states().values()) == {"sealed"}


def test_a_stranger_s_stick_is_refused(street: Street, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    assert queue(stranger, "put", input='{"a": 1}').exit_code == 0
    [name] = told(queue(stranger, "export", "--to", str(street.stick), "--json"))["files"]
    with pytest.raises(AdminError, match=f"^{MediaFault.OTHER_TERMINAL}"):
        street.hand_in(street.stick / name)


def test_receipts_of_another_terminal_are_refused_at_this_one(
    street: Street, other_terminal: TestTerminal, tmp_path: Path
) -> None:
    other = Street(other_terminal, tmp_path)
    other.file()
    other.hand_in(other.export())
    street.file()
    refused = queue(street.data, "import", str(other.receipts))
    assert (refused.exit_code, refused.stderr.strip()) == (2, "other_terminal: T002")
    assert set(street.states().values()) == {"sealed"}


def test_receipts_that_the_hall_did_not_sign_are_refused(street: Street) -> None:
    street.file()
    street.hand_in(street.export())
    raw = street.receipts.read_bytes()
    for place in range(0, len(raw), 37):
        street.receipts.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        refused = queue(street.data, "import", str(street.receipts))
        assert refused.exit_code == 2, place
        assert refused.stderr.strip().split(":")[0] in ("tampered", "torn", "not_media")
    assert set(street.states().values()) == {"sealed"}
    street.receipts.write_bytes(raw)
    street.bring_back()
    assert set(street.states().values()) == {"accepted"}


def test_a_parked_item_is_accepted_by_stick_after_the_hall_put_it_right(street: Street) -> None:
    id_ = street.file()
    with open_queue(street.data) as access:
        assert access.store is not None
        access.store.db.run(lambda db: db.execute("update submissions set state = 'parked', last_code = 'forbidden'"))
    street.hand_in(street.export())
    assert street.bring_back() == {"kind": "receipts", "accepted": 1}
    assert street.states() == {id_: "accepted"}


def test_at_the_staff_s_page(street: Street, hall: HallProcess, staff: requests.Session) -> None:
    ids = {street.file()}
    file = street.export()
    page = hall.staff_url + "/staff/media"
    assert "U 盘" in staff.get(page, timeout=10).text
    answer = staff.post(page, files={"file": (file.name, file.read_bytes())}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    street.receipts.write_bytes(answer.content)
    assert street.bring_back() == {"kind": "receipts", "accepted": 1}
    assert effects(hall, staff, ids) == dict.fromkeys(ids, 1)
    assert "测试员" in staff.get(page, timeout=10).text
    refused = staff.post(page, files={"file": ("x.cwx", b"nothing")}, timeout=30)
    assert refused.status_code == 422
    assert "不是" in refused.text
    assert requests.post(page, files={"file": ("x.cwx", b"nothing")}, timeout=30).status_code == 401


def test_the_command(street: Street, hall: HallProcess) -> None:
    street.file()
    file = street.export()
    command = [sys.executable, "-m", "hall", "import-media", "--data", str(hall.data), str(file)]
    done = subprocess.run([*command, "--out", str(street.receipts)], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "accepted 1" in done.stdout
    street.bring_back()
    file.write_bytes(b"CWX1")
    refused = subprocess.run([*command, "--out", str(street.receipts)], cwd=REPOSITORY, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr) == (1, "hall: torn\n")


def test_a_hall_killed_while_it_reads_a_stick_goes_on_with_the_same_file(
    start_hall: Callable[..., HallProcess], tmp_path: Path, persons: Path
) -> None:
    data = tmp_path / "hall"
    victim = HallProcess(data)
    victim.do("publish")
    hall = start_hall(data)
    stick = tmp_path / "stick"
    stick.mkdir()
    street = Street(enrolled(hall, tmp_path / "terminal"), stick)
    ids = {street.file(paper=number % 8 == 0) for number in range(130)}
    file = street.export()
    command = [sys.executable, "-m", "hall", "import-media", "--data", str(data), str(file)]
    taken = 0
    for _ in range(2):
        asking = subprocess.Popen(
            [*command, "--out", str(street.receipts)],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def more(before: int = taken, asking: subprocess.Popen[bytes] = asking) -> bool:
            return counted(data) > before or asking.poll() is not None

        eventually(more, within_s=60)
        hall.kill()
        asking.wait(30)
        taken = counted(data)
        hall.start()
    counts = street.hand_in(file)
    assert counts.get("accepted", 0) + counts.get("duplicate", 0) == len(ids)
    street.bring_back()
    assert street.states() == dict.fromkeys(ids, "accepted")
    street.terminal.http.close()
    rows = sorted_ids(data)
    assert rows == sorted(ids), "each once"


def counted(data: Path) -> int:
    return len(sorted_ids(data))


def sorted_ids(data: Path) -> list[str]:
    connection = sqlite3.connect(f"file:{data / 'hall.db'}?mode=ro", uri=True)
    try:
        return [row[0] for row in connection.execute("select submission_id from cases order by 1")]
    finally:
        connection.close()


def test_receipts_are_those_of_the_intake(street: Street) -> None:
    street.file()
    file = street.export()
    street.hand_in(file)
    keys = believed_keys(street.data)
    [result] = read_receipts(street.receipts.read_bytes(), keys).results
    receipt = verify_receipt(base64.b64decode(result.verdict.receipt), keys)
    assert (receipt.submission_id, receipt.sha256) == (result.verdict.id, result.sha256)
    assert read_manifest(io.BytesIO(file.read_bytes())).items[0].id == result.verdict.id
