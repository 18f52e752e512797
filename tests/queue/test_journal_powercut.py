"""A power cut at any moment leaves a journal that verifies and goes on; a careless store is found to be one."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.crash.shim import preloaded
from tests.crash.workloads import Careless


def cut(times: int, careless: Careless = Careless.NOT) -> dict[str, Any]:
    done = preloaded("tests.crash.journal_cuts", "--cuts", str(times), "--careless", careless, timeout=200)
    sys.stdout.write(done.stdout[:2000])  # shown when the test fails
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (1 if result["faults"] else 0)
    return result


@pytest.mark.timeout(240)
def test_a_hundred_power_cuts_leave_a_whole_journal() -> None:
    result = cut(100)
    assert (result["cuts"], result["faults"]) == (100, [])


@pytest.mark.timeout(240)
@pytest.mark.parametrize("careless", [Careless.SYNCHRONOUS_NORMAL, Careless.NO_FILE_SYNC])
def test_a_careless_journal_is_found(careless: Careless) -> None:
    assert cut(40, careless)["faults"]
