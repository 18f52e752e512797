"""What holds for every test: an unexpected log warning fails it; shared data is found beside the checkout."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST = (
    "tests/soak/test_soak.py",
    "street",
    "bundle",
    # The worker with the soak takes this one on as well, and has it wait.
    "tests/unit/test_core_item_check.py",
    "tests/crash/test_kills.py",
    "tests/crash/test_powercut.py",
    "tests/crash/test_damage.py",
    "tests/crash/test_stolen.py",
    "tests/protocol/test_receipt_printer.py",
    "tests/queue/test_sync_worker.py",
    "tests/hall/test_media_import.py",
    "tests/protocol/test_camera_driver.py",
    "tests/protocol/test_camera_faults.py",
    "tests/queue/test_queue_kill.py",
    "tests/protocol/test_site_driver.py",
    "tests/queue/test_sync_real_hall.py",
    "tests/protocol/test_samv_driver.py",
    "tests/hall/test_hall_journal.py",
    "tests/net/test_drain.py",
)
"""Groups that take longest, half a minute to three minutes: they begin first, and whoever has nothing else to do takes
the many short ones. In the order in which they were written a single long one would be waited for in the end."""


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def expected_logs() -> set[str]:
    """Names of loggers that this test lets warn."""
    return set()


@pytest.fixture(autouse=True)
def no_unexpected_logs(expected_logs: set[str]) -> Iterator[None]:
    """Fail when anything logs a warning that the test did not ask for."""
    collector = _Collector()
    root = logging.getLogger()
    root.addHandler(collector)
    try:
        yield
    finally:
        root.removeHandler(collector)
    surprises = [record for record in collector.records if record.name.split(".")[0] not in expected_logs]
    assert not surprises, [f"{record.name}: {record.getMessage()}" for record in surprises]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays on one worker: what its tests share, a hall or a printer, is started once. The longest first, and of
    them those that share a street."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    turns = {name: turn for turn, name in enumerate(LONGEST)}
    items.sort(
        key=lambda item: (
            turns.get(_group(item), len(turns)),
            "street" in item.keywords and "shared_street" not in getattr(item, "fixturenames", ()),
        )
    )


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    assert marker is not None
    return str(marker.args[0])


def pytest_collection_finish(session: pytest.Session) -> None:
    """A group whose tests run on several workers starts its streets and servers several times, all at once."""
    grouped = [item for item in session.items if item.get_closest_marker("xdist_group")]
    if session.config.getoption("loadgroup", False) and any("@" not in item.nodeid for item in grouped):
        raise pytest.UsageError("this pytest and this pytest-xdist do not keep groups together")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public facts for tests, beside the checkout; skipped in words where they are not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared/data beside this checkout")
    return folder
