"""One shared street per worker for the cases that leave it whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.devdock.street import DEFAULT_TERMINALS, Street
from tests.security.traces import traces


@pytest.fixture(scope="session")
def shared_street() -> Iterator[Street]:
    with tempfile.TemporaryDirectory(prefix="cw-") as name:
        with Street(Path(name) / "s", terminals=DEFAULT_TERMINALS) as street:
            yield street
        assert traces(street) == []
