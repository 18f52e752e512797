"""An error at any operation: what was acknowledged stays, the rest is refused in words and filed afterwards."""

from __future__ import annotations

import json
import random
import sys

import pytest

from tests.crash.shim import preloaded


@pytest.mark.timeout(240)
def test_an_error_at_some_operations() -> None:
    """`make faults` goes through every single one."""
    seed = random.SystemRandom().randrange(2**31)
    done = preloaded("tests.crash.failures", "--stride", "67", "--seed", str(seed), "--json", timeout=220)
    sys.stdout.write(done.stdout)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["faults"] == []
    assert result["runs"] > 15
    assert result["refused"] > 2
