"""Compiles the IFD handler once for every version of its source."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("ifdsim.c")
_COMPILE = ("gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


class BuildError(RuntimeError):
    """No compiler, no pcsc-lite headers, or the source is broken; the message says which."""


def build_driver(folder: Path) -> Path:
    """The shared library in `folder`, compiled if this source was not compiled there before; BuildError.

    Any number of processes may do this at once.
    """
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = folder / f"libifdsim-{digest}.so"
    if library.exists():
        return library
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / "libifdsim.so"
        _run(*_COMPILE, *_run("pkg-config", "--cflags", "libpcsclite").split(), "-o", str(fresh), str(SOURCE))
        fresh.replace(library)  # atomic; another process may have made the same one
    return library


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{command[0]}: {error.stderr.strip()}") from None
    return done.stdout
