"""Drafts on the disk: whole or not at all, for seven days, and never at the expense of filings."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.ports import StoreFault
from kiosk.core.result import Err, Ok
from offline_queue.drafts import DraftFiles, DraftLimits

HERS, HIS = b"\x01" * 32, b"\x02" * 32
DAY = 86_400


def age(folder: Path, days: float) -> None:
    """Everything there is now that much older."""
    for path in folder.iterdir():
        seen = path.stat().st_mtime - days * DAY
        os.utime(path, (seen, seen))


def test_kept_and_found_by_the_same_card_only(tmp_path: Path) -> None:
    drafts = DraftFiles(tmp_path / "drafts")
    assert drafts.load(HERS) == ()
    assert drafts.keep(HERS, "aa", b"first") == Ok(None)
    age(tmp_path / "drafts", 1)
    assert drafts.keep(HERS, "bb", b"second") == Ok(None)
    assert drafts.keep(HIS, "aa", b"his") == Ok(None)
    assert DraftFiles(tmp_path / "drafts").load(HERS) == (b"second", b"first")
    assert drafts.load(HIS) == (b"his",)
    drafts.drop(HERS, "bb")
    drafts.drop(HERS, "cc")
    assert drafts.load(HERS) == (b"first",)


def test_the_same_item_again_replaces(tmp_path: Path) -> None:
    drafts = DraftFiles(tmp_path)
    drafts.keep(HERS, "aa", b"old")
    drafts.keep(HERS, "aa", b"new")
    assert drafts.load(HERS) == (b"new",)


def test_after_seven_days_it_is_not_offered(tmp_path: Path) -> None:
    drafts = DraftFiles(tmp_path)
    drafts.keep(HERS, "aa", b"x")
    age(tmp_path, 6.9)
    assert drafts.load(HERS) == (b"x",)
    age(tmp_path, 0.2)
    assert drafts.load(HERS) == ()


def test_a_leap_of_the_clock_drops_no_draft(tmp_path: Path) -> None:
    now = [time.time()]
    drafts = DraftFiles(tmp_path, now=lambda: now[0])
    drafts.keep(HERS, "aa", b"half done")
    now[0] += 365 * DAY
    assert drafts.load(HERS) == ()
    assert drafts.keep(HIS, "aa", b"his") == Ok(None)
    now[0] -= 365 * DAY
    assert drafts.load(HERS) == (b"half done",)


def test_the_oldest_goes_when_there_are_too_many(tmp_path: Path) -> None:
    drafts = DraftFiles(tmp_path, limits=DraftLimits(count=3))
    for number in range(5):
        drafts.keep(HERS, f"{number:02}", b"%d" % number)
        age(tmp_path, 0.1)
    assert drafts.load(HERS) == (b"4", b"3", b"2")


@pytest.mark.parametrize(("size", "free"), [(2000, 10_000), (100, 1050)])
def test_no_room_is_said_and_leaves_what_was_there(tmp_path: Path, size: int, free: int) -> None:
    drafts = DraftFiles(tmp_path, limits=DraftLimits(size=1000), floor=1000, free=lambda _folder: free)
    roomy = DraftFiles(tmp_path, floor=0)
    roomy.keep(HERS, "aa", b"old")
    match drafts.keep(HERS, "aa", bytes(size)):
        case Err(error):
            assert error.fault is StoreFault.DISK_FULL
        case Ok():
            pytest.fail("kept")
    assert roomy.load(HERS) == (b"old",)


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "drafts").write_text("a file where the folder should be")
    drafts = DraftFiles(tmp_path / "drafts")
    assert isinstance(drafts.keep(HERS, "aa", b"x"), Err)
    assert drafts.load(HERS) == ()
    drafts.drop(HERS, "aa")


def test_what_a_power_cut_left_half_written_is_swept(tmp_path: Path) -> None:
    (tmp_path / "keeping.tmp").write_bytes(b"half")
    drafts = DraftFiles(tmp_path)
    assert drafts.load(HERS) == ()
    assert list(tmp_path.iterdir()) == []


@given(st.binary(max_size=200))
def test_any_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    drafts = DraftFiles(tmp_path_factory.getbasetemp() / "any")
    assert drafts.keep(HERS, "aa", data) == Ok(None)
    assert drafts.load(HERS) == (data,)
