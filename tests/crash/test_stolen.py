"""The stolen disk in its short form; a terminal that keeps its drafts open is found."""

from __future__ import annotations

import os

import pytest

from tests.crash.filings import person
from tests.crash.shim import preloaded
from tests.crash.stolen import found_in, needles, search_memory


@pytest.mark.timeout(200)
def test_nothing_on_the_disk_or_in_memory_says_who_filed() -> None:
    done = preloaded("tests.crash.stolen", "--cuts", "30", "--persons", "20", timeout=180)
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(200)
def test_open_drafts_are_found() -> None:
    done = preloaded("tests.crash.stolen", "--cuts", "6", "--persons", "5", "--careless", timeout=180)
    assert done.returncode == 1, done.stdout


def test_the_search_finds_every_coding() -> None:
    who = person(3)
    for text in (who.name, who.number, who.address):
        for coding in ("utf-8", "gb18030", "utf-16-le"):
            assert found_in(b"noise" + text.encode(coding) + b"noise", needles(4)) > 0
    assert found_in(b"44060426112200010001X 440604", needles(4)) == 0


def test_the_search_sees_its_own_memory() -> None:
    held = person(1).number.encode() * 3
    assert search_memory(os.getpid(), needles(2))[1] > 0
    assert held
