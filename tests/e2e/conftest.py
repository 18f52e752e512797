"""One street for all the tests that leave it whole."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest

from kiosk.devdock.street import DEFAULT_TERMINALS, Street
from tests.security.traces import traces

_SHARED = pytest.StashKey[tuple[Street, contextlib.ExitStack]]()


@pytest.fixture
def shared_street(pytestconfig: pytest.Config) -> Street:
    """Begins with the first test that wants it, and ends with the last one in a row."""
    if _SHARED not in pytestconfig.stash:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cw-"))
            street = Street(Path(folder) / "s", terminals=DEFAULT_TERMINALS)
            stack.callback(_has_forgotten, street)
            stack.enter_context(street)
            pytestconfig.stash[_SHARED] = street, stack.pop_all()
        pytestconfig.add_cleanup(pytestconfig.stash[_SHARED][1].close)
    return pytestconfig.stash[_SHARED][0]


def _has_forgotten(street: Street) -> None:
    assert traces(street) == []


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """No fixture's scope ends so early, and an idle street takes an eighth of a core."""
    stash = item.config.stash
    if _SHARED in stash and "shared_street" not in getattr(nextitem, "fixturenames", ()):
        _, ends = stash[_SHARED]
        del stash[_SHARED]
        ends.close()
