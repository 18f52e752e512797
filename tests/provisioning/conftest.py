"""A real hall to enrol at, and bare machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hall.admin import perform
from kiosk.contract.tickets import EnrolTicket
from provisioning.profile import Machine
from tests.hall.conftest import HallProcess, machine_at


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HallProcess]:
    """A hall without catalogue: enrolment needs none. Its log must stay empty."""
    data = tmp_path_factory.mktemp("hall") / "data"
    perform(data, "init")
    process = HallProcess(data).start()
    yield process
    process.stop()
    assert process.log.read_text() == ""


@pytest.fixture
def bare(hall: HallProcess, tmp_path: Path) -> Callable[..., Machine]:
    """Makes bare machines."""

    def make(name: str = "machine", *, terminal_id: str = "T001", url: str = "") -> Machine:
        return machine_at(tmp_path / name, url or hall.url, terminal_id)

    return make


@pytest.fixture
def ticket(hall: HallProcess) -> Callable[..., EnrolTicket]:
    """Asks the hall for a ticket."""

    def make(terminal_id: str = "T001") -> EnrolTicket:
        return EnrolTicket.parse(hall.do("ticket", terminal=terminal_id, site="样本站", name="1号机")["ticket"])

    return make
