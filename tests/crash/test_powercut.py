"""Power cuts in their short form, the faults that they must find, and the rules of the replay itself."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.crash import shutdowns
from tests.crash.replay import SECTOR, Disk, Names, Record, Untraceable, read_trace
from tests.crash.shim import Op, preloaded
from tests.crash.workloads import Careless, Expected

ROOT = Path("/traced")


def powercut(cuts: int, careless: Careless = Careless.NOT) -> dict[str, Any]:
    words = ("--cuts", str(cuts), "--careless", careless, "--peers", "0", "--shutdowns", "0", "--json")
    done = preloaded("tests.crash.powercut", *words, timeout=200)
    sys.stdout.write(done.stdout)  # shown when the test fails
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (1 if result["faults"] else 0)
    return result


@pytest.mark.timeout(240)
def test_three_hundred_power_cuts_lose_nothing() -> None:
    result = powercut(300)
    assert result["faults"] == []
    assert result["losing"] == result["unreadable"] == 0
    assert result["cuts"] >= 300


@pytest.mark.timeout(240)
@pytest.mark.parametrize("careless", [Careless.SYNCHRONOUS_NORMAL, Careless.NO_DIRECTORY_SYNC, Careless.NO_FILE_SYNC])
def test_a_careless_store_is_found(careless: Careless) -> None:
    result = powercut(80, careless)
    assert result["losing"] > 0


@pytest.mark.timeout(240)
@pytest.mark.skipif(bool(shutdowns.hindrance()), reason=f"real shutdowns: {shutdowns.hindrance()}")
def test_real_shutdowns_find_what_is_not_synced() -> None:
    said: list[str] = []
    assert shutdowns.run(6, seed=random.SystemRandom().randrange(2**31), say=said.append, only="ext4") == []
    for seed in range(1, 11):  # a slow machine acknowledges little between two shutdowns
        faults = shutdowns.run(6, seed=seed, say=said.append, careless=Careless.SYNCHRONOUS_NORMAL, only="ext4")
        if faults:
            break
    assert faults, said


# --- the replay ------------------------------------------------------------------------------------------------------


def op(kind: Op, path: str = "", **changes: Any) -> Record:
    values: dict[str, Any] = {"flag": 0, "other": "", "fd": -1, "fd2": -1, "offset": 0, "size": 0, "data": b""}
    return Record(op=kind, path=f"{ROOT}/{path}" if path else "", **{**values, **changes})


def write(descriptor: int, offset: int, data: bytes) -> Record:
    return op(Op.WRITE, fd=descriptor, offset=offset, size=len(data), data=data)


def images(records: list[Record], tmp_path: Path, *, names: Names, count: int = 200) -> list[dict[str, bytes]]:
    disk = Disk(ROOT, names=names)
    for record in records:
        disk.step(record)
    found = []
    for seed in range(count):
        image = tmp_path / str(seed)
        disk.cut(image, random.Random(seed))
        found.append({path.name: path.read_bytes() for path in image.rglob("*") if path.is_file()})
    return found


CREATED = op(Op.OPEN, "a", flag=1, fd=3)
SYNCED = op(Op.SYNC, fd=3)


@pytest.mark.parametrize("names", list(Names))
def test_what_was_synced_is_there(tmp_path: Path, names: Names) -> None:
    root = op(Op.OPEN, fd=4)
    root = Record(**{**{name: getattr(root, name) for name in Record.__slots__}, "path": str(ROOT)})
    records = [CREATED, write(3, 0, b"x" * 1000), SYNCED, root, op(Op.SYNC, fd=4)]
    assert images(records, tmp_path, names=names) == [{"a": b"x" * 1000}] * 200


def test_a_name_needs_its_directory_only_where_posix_says_so(tmp_path: Path) -> None:
    records = [CREATED, write(3, 0, b"x"), SYNCED]
    for folder in ("e", "p"):
        (tmp_path / folder).mkdir()
    assert all("a" in image for image in images(records, tmp_path / "e", names=Names.EXT4))
    kept = ["a" in image for image in images(records, tmp_path / "p", names=Names.POSIX)]
    assert True in kept
    assert False in kept


def test_unsynced_sectors_come_one_by_one(tmp_path: Path) -> None:
    records = [CREATED, write(3, 0, b"-" * 3 * SECTOR), SYNCED, write(3, 0, b"x" * 3 * SECTOR)]
    seen = {image["a"] for image in images(records, tmp_path, names=Names.EXT4)}
    torn = b"x" * SECTOR + b"-" * SECTOR + b"x" * SECTOR
    assert torn in seen
    assert all(set(content[at : at + SECTOR]) in ({ord("x")}, {ord("-")}) for content in seen for at in (0, SECTOR))


def test_a_file_may_have_grown_without_its_data(tmp_path: Path) -> None:
    records = [CREATED, write(3, 0, b"x" * SECTOR), SYNCED, write(3, SECTOR, b"y" * SECTOR)]
    seen = {image["a"] for image in images(records, tmp_path, names=Names.EXT4)}
    assert {b"x" * SECTOR, b"x" * SECTOR + bytes(SECTOR), b"x" * SECTOR + b"y" * SECTOR} <= seen


@pytest.mark.parametrize("names", list(Names))
def test_a_rename_is_all_or_nothing(tmp_path: Path, names: Names) -> None:
    records = [
        op(Op.OPEN, "a", flag=1, fd=3),
        SYNCED,
        op(Op.OPEN, "b", flag=1, fd=5),
        write(5, 0, b"new"),
        op(Op.SYNC, fd=5),
        op(Op.RENAME, "b", other=f"{ROOT}/a"),
    ]
    for image in images(records, tmp_path, names=names):
        assert image.get("a", b"") in (b"", b"new")


def test_what_goes_round_the_tracer_is_refused() -> None:
    raw = bytes([Op.STRANGE, 0]) + (2).to_bytes(2, "little") + bytes(4 + 8 + 16) + b"/x"
    with pytest.raises(Untraceable):
        read_trace(raw)


def test_marks_are_promises() -> None:
    expected = Expected.of(["open", "putting 0", "put 0", "keeping 1 aa", "kept 1 aa", "dropping 1", "accepting x"])
    assert expected.put == {0}
    assert expected.ended == {"x"}
    assert expected.done == set()
    assert expected.drafts == {"1": {"aa", None}}
    with pytest.raises(ValueError, match="nonsense"):
        Expected.of(["nonsense"])


def test_the_tracer_sees_what_sqlite_does(tmp_path: Path) -> None:
    """One commit in WAL mode with FULL: written, then synced; nothing of it is missed."""
    program = (
        "import os, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from tests.crash.shim import Shim\n"
        "root = Path(sys.argv[1])\n"
        "trace = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
        "Shim.here().arm(root, Shim.here().page(), trace=trace)\n"
        "db = sqlite3.connect(root / 'x.db', isolation_level=None)\n"
        "db.execute('pragma journal_mode = wal')\n"
        "db.execute('pragma synchronous = full')\n"
        "db.execute('create table t (x)')\n"
        "Shim.here().mark('before')\n"
        "db.execute('insert into t values (1)')\n"
        "Shim.here().mark('after')\n"
    )
    (tmp_path / "root").mkdir()
    from tests.crash.shim import environment

    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", program, str(tmp_path / "root"), str(tmp_path / "trace")],
        environment(),
    )
    assert os.waitpid(pid, 0)[1] == 0
    records = read_trace((tmp_path / "trace").read_bytes())
    marks = [number for number, record in enumerate(records) if record.op is Op.MARK]
    during = [record.op for record in records[marks[0] + 1 : marks[1]]]
    assert during.count(Op.WRITE) >= 2  # frame header and page
    assert during[-1] is Op.SYNC
