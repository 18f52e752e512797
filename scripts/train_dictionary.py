"""Make ``kiosk/contract/data/submission-1.dict`` from synthetic filings: ``python -m scripts.train_dictionary OUT``.

The same words, items and library make the same bytes. The dictionary is part of the format ``zstd-1``: what was sealed
with it must stay readable, so one that is better some day gets a new name, and this one stays.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
from pathlib import Path

import zstandard

from benchmarks.forms import UNSEEN, forms, references
from kiosk.contract.packing import short_form

DICTIONARY_BYTES = 12 * 1024
_FORMS = 2000
_LEVEL = 6
"""What the dictionary was made for; it only serves when it stays the same."""


def train() -> bytes:
    """The dictionary; one kind of form is left out, to measure on."""
    chosen = itertools.islice(forms("train", without=UNSEEN), _FORMS)
    samples: list[bytes | bytearray | memoryview] = [
        short_form(submission, references(submission)) for submission in chosen
    ]
    return zstandard.train_dictionary(DICTIONARY_BYTES, samples, level=_LEVEL).as_bytes()


def main() -> None:
    """Write it, say its hash."""
    parser = argparse.ArgumentParser(prog="python -m scripts.train_dictionary")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    dictionary = train()
    out.write_bytes(dictionary)
    print(hashlib.sha256(dictionary).hexdigest(), len(dictionary), "bytes")  # noqa: T201


if __name__ == "__main__":
    main()
