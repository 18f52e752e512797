"""The sealed queue on a stick: whole or not at all, safe to do twice, under kill -9, on a full or a rotten stick."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.contract.envelope import parse_envelope
from kiosk.contract.media import (
    MediaError,
    MediaFault,
    MediaItem,
    MediaManifest,
    MediaReceipts,
    MediaResult,
    end_of_media,
    join_receipts,
    media_name,
    read_manifest,
    read_media_name,
    read_parts,
    read_receipts,
)
from kiosk.contract.problems import ProblemCode
from kiosk.contract.signing import HallReceipt, SigningKey, sign_receipt
from kiosk.contract.sync import Verdict
from kiosk.core.ports import SealedSubmission, StoreFault, SubmissionState
from kiosk.core.result import Err, Ok, Result
from offline_queue.disk.rows import Waiting
from offline_queue.drain import Drain
from offline_queue.ipc.access import Held, QueueAccess, open_queue
from offline_queue.media import files as media_files
from offline_queue.media.export import ExportLimits, plan
from offline_queue.media.files import PART, load_book
from offline_queue.media.run import Imported, export_to, import_from
from tests.queue.conftest import NOW, PLANTED, HallSecrets, Pki, Terminal, make_terminal


@dataclass(frozen=True)
class Bench:
    """A terminal with some submissions, and a stick."""

    terminal: Terminal
    stick: Path
    filed: tuple[SealedSubmission, ...]

    @property
    def data(self) -> Path:
        return self.terminal.data

    def export(self, limits: ExportLimits | None = None) -> Any:
        with open_queue(self.data) as queue:
            done = export_to(queue, self.data, self.stick, limits=limits)
        assert isinstance(done, Ok), done
        return done.value

    def files(self) -> list[Path]:
        return sorted(path for path in self.stick.iterdir() if path.suffix == ".cwx")

    def on_stick(self) -> dict[str, str]:
        """Everything that the stick gives back undamaged: id and hash; every file must be whole."""
        found: dict[str, str] = {}
        for path in self.files():
            with path.open("rb") as file:
                manifest = read_manifest(file, {self.terminal.signing.id: self.terminal.signing.public})
                assert all(part.data is not None for part in read_parts(file, manifest))
            assert manifest.items, "an empty file is no file"
            found |= {item.id: item.sha256 for item in manifest.items}
        return found

    def states(self) -> dict[str, str]:
        with open_queue(self.data) as queue:
            rows = queue.entries()
        assert isinstance(rows, Ok)
        return {row["id"]: row["state"] for row in rows.value}

    def expected(self) -> dict[str, str]:
        return {sealed.id: parse_envelope(sealed.envelope).sha256 for sealed in self.filed}

    def receipts(self, *, status: Any = "accepted", code: ProblemCode | None = None) -> Path:
        """What a hall gives back for everything that is filed."""
        key = self.terminal.secrets.signing

        def verdict(id_: str, sha256: str) -> Verdict:
            receipt = sign_receipt(HallReceipt(id_, sha256, datetime.now(UTC)), key)
            text = base64.b64encode(receipt).decode() if status in ("accepted", "duplicate") else ""
            return Verdict(id=id_, status=status, code=code, receipt=text)

        results = tuple(
            MediaResult(sha256=sha256, verdict=verdict(id_, sha256)) for id_, sha256 in self.expected().items()
        )
        path = self.stick / "receipts.cwr"
        path.write_bytes(join_receipts(self.answer(results), key))
        return path

    def answer(self, results: tuple[MediaResult, ...]) -> MediaReceipts:
        return MediaReceipts(
            terminal_id="T001",
            epoch="00000000",
            number=1,
            made_at=NOW,
            signing_key=self.terminal.secrets.signing.id,
            results=results,
        )

    def take(self, path: Path) -> Result[Imported, Any]:
        with open_queue(self.data) as queue:
            return import_from(queue, self.data, path)


def fill(terminal: Terminal, *serials: int, blobs: int = 0) -> tuple[SealedSubmission, ...]:
    filed = tuple(terminal.filing(serial, blobs=blobs) for serial in serials)
    with open_queue(terminal.data, create=True) as queue:
        for sealed in filed:
            assert queue.put(sealed) == Ok(None)
    return filed


@pytest.fixture
def bench(terminal: Terminal, tmp_path: Path) -> Bench:
    stick = tmp_path / "stick"
    stick.mkdir()
    return Bench(terminal, stick, (*fill(terminal, 1, 2, 3), *fill(terminal, 4, 5, blobs=2)))


# --- out -------------------------------------------------------------------------------------------------------------


def test_everything_unsent_is_on_the_stick_and_still_in_the_queue(bench: Bench) -> None:
    done = bench.export()
    assert (done.written, done.already, done.left_out) == (5, 0, [])
    [path] = bench.files()
    assert read_media_name(path.name) == ("T001", load_book(bench.data).epoch, 1)
    assert bench.on_stick() == bench.expected()
    assert set(bench.states().values()) == {"sealed"}
    assert set(load_book(bench.data).marks) == set(bench.expected())


def test_nobody_can_read_it(bench: Bench) -> None:
    bench.export()
    raw = b"".join(path.read_bytes() for path in bench.files())
    for word in PLANTED:
        assert word.encode() not in raw


def test_the_same_stick_again_gets_only_what_is_new(bench: Bench) -> None:
    bench.export()
    before = [path.read_bytes() for path in bench.files()]
    again = bench.export()
    assert (again.written, again.already, again.files) == (0, 5, [])
    assert [path.read_bytes() for path in bench.files()] == before
    fill(bench.terminal, 6)
    third = bench.export()
    assert (third.written, third.already) == (1, 5)
    assert len(bench.files()) == 2
    assert len(bench.on_stick()) == 6


def test_another_stick_gets_everything(bench: Bench, tmp_path: Path) -> None:
    bench.export()
    other = Bench(bench.terminal, tmp_path / "other", bench.filed)
    other.stick.mkdir()
    assert other.export().written == 5
    assert other.on_stick() == bench.expected()
    assert bench.files()[0].name != other.files()[0].name


def test_a_file_that_rotted_on_the_stick_is_written_again(bench: Bench) -> None:
    bench.export()
    [path] = bench.files()
    raw = bytearray(path.read_bytes())
    raw[10] ^= 0x40
    path.write_bytes(raw)
    assert bench.export().written == 1
    path.write_bytes(raw[:-9])
    assert bench.export().written == 4
    path.unlink()
    assert bench.on_stick() == bench.expected()


def test_what_is_larger_than_a_file_may_be_is_split(bench: Bench) -> None:
    size = max(len(sealed.envelope) + sum(map(len, sealed.blobs)) for sealed in bench.filed)
    limit = size + 8000
    done = bench.export(ExportLimits(file_bytes=limit))
    assert len(done.files) > 1
    assert all(path.stat().st_size <= limit for path in bench.files())
    assert bench.on_stick() == bench.expected()


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 5000), max_size=40),
    file_bytes=st.integers(6000, 40_000),
    items=st.integers(1, 10),
)
def test_loads_keep_order_and_limits(sizes: list[int], file_bytes: int, items: int) -> None:
    held = [Held(seq, _item(f"01900000-0000-7000-8000-{seq:012x}", "0" * 64, size)) for seq, size in enumerate(sizes)]
    loads = list(plan(held, ExportLimits(file_bytes=file_bytes, items=items)))
    assert [one for load in loads for one in load] == held
    assert all(load and len(load) <= items for load in loads)
    for load in loads:
        assert len(load) == 1 or sum(one.item.size for one in load) <= file_bytes


def _item(id_: str, sha256: str, size: int) -> MediaItem:
    return MediaItem(id=id_, application_no="x", sha256=sha256, size=size)


def test_what_is_delivered_meanwhile_is_left_out(bench: Bench) -> None:
    gone = bench.filed[3]

    class Meanwhile(QueueAccess):
        """The network is back, in the middle of the export."""

        def envelope(self, held: Held) -> Result[bytes, Any]:
            if held.item.id == gone.id:
                assert self.store is not None
                waiting = Waiting(held.seq, gone.id, held.item.sha256, held.item.size, 0, held.item.blobs)
                receipt = sign_receipt(HallReceipt(gone.id, held.item.sha256, NOW), bench.terminal.secrets.signing)
                assert Drain(self.store).accept(waiting, receipt) == Ok(None)
            return QueueAccess.envelope(self, held)

    with open_queue(bench.data) as queue:
        done = export_to(Meanwhile(queue.line, queue.store), bench.data, bench.stick)
    assert isinstance(done, Ok)
    assert (done.value.written, done.value.left_out) == (4, [gone.id])
    assert bench.on_stick() == {id_: sha256 for id_, sha256 in bench.expected().items() if id_ != gone.id}


def test_a_damaged_item_is_left_out_and_named(bench: Bench) -> None:
    spoilt = bench.filed[4]
    ref = parse_envelope(spoilt.envelope).header.blobs[0]
    with open_queue(bench.data) as queue:
        assert queue.store is not None
        path = queue.store.blobs.path(ref.sha256)
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    done = bench.export()
    assert (done.written, done.left_out) == (4, [spoilt.id])
    assert spoilt.id not in bench.on_stick()


def test_parked_items_go_along_with_their_code(bench: Bench) -> None:
    with open_queue(bench.data) as queue:
        assert queue.store is not None
        drain = Drain(queue.store)
        (first,) = drain.named([bench.filed[0].id]).value  # type: ignore[union-attr]
        assert drain.park(first, code="item_unknown") == Ok(None)
    bench.export()
    with bench.files()[0].open("rb") as file:
        parked = {item.id: item.parked for item in read_manifest(file).items}
    assert parked == {sealed.id: "item_unknown" if sealed is bench.filed[0] else "" for sealed in bench.filed}


def test_an_empty_queue_writes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    bench = Bench(terminal, tmp_path, ())
    with open_queue(terminal.data, create=True):
        pass
    assert (bench.export().files, bench.files()) == ([], [])


def test_a_stick_that_is_not_there(bench: Bench) -> None:
    with open_queue(bench.data) as queue, pytest.raises(MediaError) as refused:
        export_to(queue, bench.data, bench.stick / "nowhere")
    assert refused.value.fault is MediaFault.UNREADABLE


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system: root only")
def test_a_full_stick_leaves_nothing_half(bench: Bench, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    with mounted("tmpfs", small, "size=16k"):
        full = Bench(bench.terminal, small, bench.filed)
        with open_queue(bench.data) as queue, pytest.raises(MediaError) as refused:
            export_to(queue, bench.data, small)
        assert refused.value.fault is MediaFault.MEDIA_FULL
        assert list(small.iterdir()) == []
        limit = max(len(sealed.envelope) for sealed in bench.filed[:3]) + 6000
        with open_queue(bench.data) as queue, pytest.raises(MediaError):
            export_to(queue, bench.data, small, limits=ExportLimits(file_bytes=limit, items=1))
        kept = full.on_stick()
        assert kept and kept.items() <= bench.expected().items(), "files that are whole stay"
        assert not [path for path in small.iterdir() if path.name.endswith(PART)]
    assert set(bench.states().values()) == {"sealed"}


@contextmanager
def mounted(kind: str, at: Path, options: str) -> Iterator[None]:
    mount = subprocess.run(["mount", "-t", kind, "-o", options, kind, str(at)], capture_output=True)
    if mount.returncode != 0:
        pytest.skip("cannot mount here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(at)], check=True)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_names_is_good_enough(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == bench.stick:
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(media_files.os, "fsync", fsync)
    assert bench.export().written == 5
    assert bench.on_stick() == bench.expected()


# --- kill -9 at every step -------------------------------------------------------------------------------------------


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Do `work` in a child that is killed at its n-th write, sync or rename; False if it came to its end before."""
    child = os.fork()
    if child == 0:
        count = 0

        def dying(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal count
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            return call

        for name in ("fsync", "rename", "unlink", "open", "posix_fadvise"):
            setattr(os, name, dying(getattr(os, name)))
        Path.rename = dying(Path.rename)  # type: ignore[method-assign]
        for name in ("envelope", "blob"):  # in the middle of the bodies
            setattr(QueueAccess, name, dying(getattr(QueueAccess, name)))
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_export_killed_at_every_step_and_done_again(bench: Bench) -> None:
    limits = ExportLimits(items=2)
    kills = 0
    while killed_at(kills + 1, lambda: bench.export(limits)):
        kills += 1
        for path in bench.files():
            with path.open("rb") as file:
                read_manifest(file)
        assert bench.states() == dict.fromkeys(bench.expected(), "sealed")
        if kills % 3 == 0:
            shutil.rmtree(bench.stick)
            bench.stick.mkdir()
    assert kills > 10
    bench.export(limits)
    assert bench.on_stick() == bench.expected()
    assert not [path for path in bench.stick.iterdir() if path.name.endswith(PART)]


def killed_after(seconds: float, work: Callable[[], None]) -> bool:
    """Do `work` in a child that is killed after a while; False if it was quicker."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_taking_receipts_killed_anywhere_and_done_again(bench: Bench, tmp_path: Path) -> None:
    path = bench.receipts()
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    before = tmp_path / "before"
    shutil.copytree(bench.data, before)
    for _ in range(12):
        shutil.rmtree(bench.data)
        shutil.copytree(before, bench.data)
        killed_after(dice.uniform(0.001, 0.08), lambda: bench.take(path) and None)
        assert set(bench.states()) == set(bench.expected()), seed
        done = bench.take(path)
        assert isinstance(done, Ok), seed
        assert done.value.left == 0
        assert bench.states() == dict.fromkeys(bench.expected(), "accepted"), seed


def test_taking_over_a_queue_killed_anywhere_and_done_again(
    bench: Bench, pki: Pki, secrets: HallSecrets, tmp_path: Path
) -> None:
    bench.export()
    [path] = bench.files()
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    for number in range(8):
        new = Bench(make_terminal(tmp_path / f"new{number}", pki, secrets), bench.stick, bench.filed)
        with open_queue(new.data, create=True):
            pass
        killed_after(dice.uniform(0.001, 0.1), lambda new=new: new.take(path) and None)  # type: ignore[misc]
        assert new.states().items() <= dict.fromkeys(bench.expected(), "sealed").items(), seed
        done = new.take(path)
        assert isinstance(done, Ok), seed
        assert done.value.count == {"taken": 5}
        assert new.states() == dict.fromkeys(bench.expected(), "sealed"), seed


# --- receipts --------------------------------------------------------------------------------------------------------


def test_receipts_empty_the_queue_and_may_come_again(bench: Bench) -> None:
    path = bench.receipts()
    for expected in ({"accepted": 5}, {"known": 5}):
        done = bench.take(path)
        assert isinstance(done, Ok)
        assert (done.value.count, done.value.left) == (expected, 0)
    assert bench.states() == dict.fromkeys(bench.expected(), "accepted")
    with open_queue(bench.data) as queue:
        assert queue.store is not None
        assert [path for path in queue.store.blobs.path("ab").parent.parent.rglob("*") if path.is_file()] == []


def test_refusals_park(bench: Bench) -> None:
    done = bench.take(bench.receipts(status="rejected", code=ProblemCode.ITEM_UNKNOWN))
    assert isinstance(done, Ok)
    assert (done.value.count, done.value.left) == ({"parked": 5}, 5)
    assert set(bench.states().values()) == {"parked"}
    again = bench.take(bench.receipts())
    assert isinstance(again, Ok)
    assert again.value.count == {"accepted": 5}, "the hall has put it right"


def test_a_receipt_for_other_bytes_or_another_item_accepts_nothing(bench: Bench) -> None:
    key = bench.terminal.secrets.signing
    (one, sha_one), (two, sha_two), *_ = bench.expected().items()

    def result(id_: str, sha256: str, receipt: HallReceipt, signer: SigningKey = key) -> MediaResult:
        text = base64.b64encode(sign_receipt(receipt, signer)).decode()
        return MediaResult(sha256=sha256, verdict=Verdict(id=id_, status="accepted", receipt=text))

    wrong = (
        result(one, sha_one, HallReceipt(two, sha_two, NOW)),
        result(one, sha_one, HallReceipt(one, sha_two, NOW)),
        result(one, sha_two, HallReceipt(one, sha_two, NOW)),
        result(one, sha_one, HallReceipt(one, sha_one, NOW), SigningKey.generate()),
        MediaResult(sha256=sha_one, verdict=Verdict(id=one, status="accepted", receipt="")),
        MediaResult(sha256=sha_one, verdict=Verdict(id=one, status="wanted")),
        MediaResult(sha256=sha_one, verdict=Verdict(id=one, status="retry", code=ProblemCode.BUSY)),
    )
    path = bench.stick / "receipts.cwr"
    path.write_bytes(join_receipts(bench.answer(wrong), key))
    done = bench.take(path)
    assert isinstance(done, Ok)
    assert (
        done.value.count
        == {
            "receipt_of_another": 2,
            "other_bytes": 1,
            "receipt_unsigned": 1,
            "receipt_garbage": 1,
            "wanted": 1,
            "busy": 1,
        }
        or done.value.count["receipt_unsigned"] == 2
    )
    assert done.value.left == len(wrong)
    assert set(bench.states().values()) == {"sealed"}


# --- hostile bytes ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def media() -> tuple[bytes, SigningKey]:
    """A small media file and who signed it."""
    key = SigningKey.generate()
    body = b"envelope bytes"
    item = _item("01900000-0000-7000-8000-000000000001", hashlib.sha256(body).hexdigest(), len(body))
    manifest = MediaManifest(
        terminal_id="T001",
        epoch="0a1b2c3d",
        number=1,
        made_at=NOW,
        signing_key=key.id,
        public=base64.b64encode(key.public).decode(),
        items=(item,),
    )
    return b"CWX1" + body + end_of_media(manifest, key), key


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_is_found(media: tuple[bytes, SigningKey], data: st.DataObject) -> None:
    raw, key = media
    changed = bytearray(raw)
    match data.draw(st.sampled_from(["flip", "cut", "add", "swap"])):
        case "flip":
            changed[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            start = data.draw(st.integers(0, len(raw) - 1))
            del changed[start : start + data.draw(st.integers(1, 80))]
        case "add":
            place = data.draw(st.integers(0, len(raw)))
            changed[place:place] = data.draw(st.binary(min_size=1, max_size=40))
        case "swap":
            one, two = data.draw(st.integers(0, len(raw) - 1)), data.draw(st.integers(0, len(raw) - 1))
            changed[one], changed[two] = changed[two], changed[one]
    file = io.BytesIO(changed)
    try:
        manifest = read_manifest(file, {key.id: key.public})
    except MediaError:
        return
    whole = all(part.data is not None for part in read_parts(file, manifest))
    assert whole == (bytes(changed) == raw)


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from([b"", b"CWX1", b"CWR1"]))
def test_rubbish_is_refused_by_name(rubbish: bytes, magic: bytes) -> None:
    for read in (
        lambda raw: read_manifest(io.BytesIO(raw)),
        lambda raw: read_receipts(raw, {}),
    ):
        with pytest.raises(MediaError):
            read(magic + rubbish)


@pytest.mark.parametrize(
    "name", ["CW-EXPORT-T001-0a1b2c3d-0x.cwx", "CW-EXPORT-t001-0a1b2c3d-1.cwx", "../CW-EXPORT-T001-0a1b2c3d-1.cwx", ""]
)
def test_other_names_are_other_files(name: str) -> None:
    assert read_media_name(name) is None
    assert read_media_name(media_name("T001", "0a1b2c3d", 7)) == ("T001", "0a1b2c3d", 7)


def test_somebody_else_s_files_on_the_stick_are_left_alone(bench: Bench) -> None:
    theirs = bench.stick / media_name("T002", "00000000", 1)
    theirs.write_bytes(b"theirs")
    half = bench.stick / (media_name("T002", "00000000", 2) + PART)
    half.write_bytes(b"half")
    bench.export()
    assert (theirs.read_bytes(), half.read_bytes()) == (b"theirs", b"half")


def test_an_imported_item_may_not_pose_as_one_that_is_here(
    bench: Bench, pki: Pki, secrets: HallSecrets, tmp_path: Path
) -> None:
    bench.export()
    [path] = bench.files()
    new = Bench(make_terminal(tmp_path / "new", pki, secrets), bench.stick, ())
    fill(new.terminal, 1)  # the same id and number, other bytes
    done = new.take(path)
    assert isinstance(done, Ok)
    assert done.value.count == {"taken": 4, "conflict": 1}
    with open_queue(new.data) as queue:
        assert isinstance(queue.line.call({"op": "state", "id": new.terminal.filing(1).id}), Ok)


def test_a_full_disk_stops_taking_over_and_says_so(
    bench: Bench, pki: Pki, secrets: HallSecrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.export()
    [path] = bench.files()
    new = Bench(make_terminal(tmp_path / "new", pki, secrets), bench.stick, ())
    with open_queue(new.data, create=True) as queue:
        assert queue.store is not None
        monkeypatch.setattr(queue.store.space, "_free", lambda _path: 0)
        done = import_from(queue, new.data, path)
    assert isinstance(done, Err)
    assert done.error.fault is StoreFault.DISK_FULL
    assert isinstance(new.take(path), Ok)
    assert SubmissionState.SEALED in new.states().values()
