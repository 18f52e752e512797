"""``python -m tests.soak [--minutes 60] [--seed N]``: exit code 0 when nothing was lost, doubled, made up or stuck."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tests.soak.street import Street

DAYS = 180.0
"""However long it takes: every certificate is renewed twice, and what is old is tidied away."""


def main(
    minutes: Annotated[float, typer.Option(min=0.1)] = 60.0, seed: Annotated[int, typer.Option(min=0)] = 0
) -> None:
    """Days in seconds."""
    chosen = seed or random.SystemRandom().randrange(1, 2**32)
    sys.stdout.write(f"soak: seed {chosen}, {minutes:g} minutes\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        street = Street(Path(folder), seed=chosen, days_a_second=DAYS / (minutes * 60))
        try:
            report = street.run(minutes * 60)
        finally:
            street.close()
    sys.stdout.write(report.words() + "\n")
    raise typer.Exit(0 if report.faultless() else 1)


if __name__ == "__main__":
    typer.run(main)
