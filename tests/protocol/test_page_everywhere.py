"""The driver against an IPP Everywhere printer that we did not write: ippeveprinter of CUPS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drivers.page.driver import PageAdapter
from drivers.page.facts import A4
from drivers.page.proof_sheet import proof_sheet
from kiosk.core.devices import Fault
from kiosk.core.ports import Document, JobFate, PrintProof
from kiosk.core.result import Err, Ok
from tests.protocol.print_server import EverywherePrinter, wait_for

LETTER = "na_letter_8.5x11in"

pytestmark = [
    pytest.mark.xdist_group("cups"),
    pytest.mark.skipif(os.getuid() != 0, reason="the name service that ippeveprinter wants runs as root only"),
]


def test_another_makers_printer(tmp_path: Path) -> None:
    printer = EverywherePrinter(tmp_path)
    try:
        driver = PageAdapter(printer.start())
        pdf = proof_sheet("Letter", ["printed by an independent printer"])
        refused = driver.print(Document("440699-0001", pdf, 1, media=A4))
        assert isinstance(refused, Err)
        assert refused.error.fault is Fault.MEDIA_WRONG, "it holds letter, as it does when it is new"
        assert list(printer.spool.iterdir()) == []
        for _ in range(2):
            assert driver.print(Document("440699-0002", pdf, 1, media=LETTER)) == Ok(PrintProof("440699-0002", 1))
        (kept,) = printer.spool.glob("*.pdf")
        assert kept.read_bytes() == pdf
        assert driver.fate("440699-0002") == Ok(JobFate.PRINTED)
        assert driver.fate("440699-0003", age_s=3600) == Ok(JobFate.UNKNOWN)
        never = Ok(JobFate.NOT_PRINTED)
        wait_for(lambda: driver.fate("440699-0003", age_s=0.5) == never, "it is up for long enough to know")
        tested = driver.self_test(deep=False)
        assert isinstance(tested, Err)
        assert tested.error.fault is Fault.MEDIA_WRONG
        assert driver.status().identity.startswith("Example Printer")
    finally:
        printer.stop()
