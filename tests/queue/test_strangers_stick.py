"""Anybody can write a stick that looks like a terminal's: it may bring filings, and takes nothing from this one."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from kiosk.contract.media import MAGIC, MediaItem, MediaManifest, end_of_media
from kiosk.contract.signing import SigningKey, key_id
from kiosk.core.result import Ok
from offline_queue.ipc.access import QueueAccess, _OwnLine
from offline_queue.ipc.service import QueueService
from offline_queue.media.run import export_to, import_from
from tests.queue.conftest import NOW, Terminal, make_terminal
from tests.queue.worker_bench import Bench


@pytest.fixture
def stranger(tmp_path: Path, pki: Any, secrets: Any) -> Terminal:
    return make_terminal(tmp_path / "stranger", pki, secrets)


def access_of(bench: Bench) -> QueueAccess:
    return QueueAccess(_OwnLine(QueueService(bench.store, bench.intake, bench.state, wake=lambda: None)), bench.store)


def stick(tmp_path: Path, key: SigningKey, *filings: Any, **changes: Any) -> Path:
    items = tuple(
        MediaItem(
            id=each.id,
            application_no=each.application_no,
            sha256=hashlib.sha256(each.envelope).hexdigest(),
            size=len(each.envelope),
        )
        for each in filings
    )
    public = base64.b64encode(key.public).decode()
    named = {"terminal_id": "T001", "epoch": "00000000", "number": 1, "made_at": NOW, "signing_key": key.id}
    manifest = MediaManifest(**named, public=public, items=items, **changes)  # type: ignore[arg-type]
    path = tmp_path / "CW-EXPORT-T001-00000000-1.cwx"
    path.write_bytes(MAGIC + b"".join(each.envelope for each in filings) + end_of_media(manifest, key))
    return path


def test_it_takes_no_numbers(bench: Bench, tmp_path: Path) -> None:
    counters = {f"2026-11-{day}": 9999 for day in range(10, 31)}
    import_from(access_of(bench), bench.terminal.data, stick(tmp_path, SigningKey.generate(), counters=counters))
    assert isinstance(bench.intake.reserve_number(), Ok)


def test_its_filings_do_not_take_the_next_citizens_number(bench: Bench, tmp_path: Path, stranger: Terminal) -> None:
    brought = [stranger.filing(serial) for serial in (1, 2, 3)]
    taken = import_from(access_of(bench), bench.terminal.data, stick(tmp_path, stranger.signing, *brought))
    assert isinstance(taken, Ok)
    assert taken.value.count["taken"] == 3
    number = bench.intake.reserve_number()
    assert isinstance(number, Ok)
    assert number.value not in {each.application_no for each in brought}
    hers = dataclasses.replace(bench.terminal.filing(77), application_no=number.value)
    assert bench.intake.put(hers, card_tag=b"", slip=b"") == Ok(None)


def test_the_keys_that_it_names_do_not_end_the_exports(bench: Bench, tmp_path: Path, stranger: Terminal) -> None:
    bench.file(1)
    others = {key_id(public): base64.b64encode(public).decode() for public in (os.urandom(32) for _ in range(100_000))}
    import_from(access_of(bench), bench.terminal.data, stick(tmp_path, stranger.signing, others=others))
    (tmp_path / "usb").mkdir()
    done = export_to(access_of(bench), bench.terminal.data, tmp_path / "usb")
    assert isinstance(done, Ok)
    assert sum(path.stat().st_size for path in (tmp_path / "usb").iterdir()) < 100_000
