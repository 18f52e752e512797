"""A program of its own whose wall clock is wrong, as on a machine with a dead battery; the monotonic clock is not.

``python -m tests.queue.wall_clock SHIFT_S DATA URL`` runs under a preloaded library that moves CLOCK_REALTIME, for
Python and OpenSSL alike, and prints what came of one question to the hall.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) { const char *s = getenv("WALL_SHIFT_S"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t id, struct timespec *t) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int r = real(id, t);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) t->tv_sec += shift();
  return r;
}
time_t time(time_t *out) {
  struct timespec t; clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}
int gettimeofday(struct timeval *restrict v, void *restrict z) {
  struct timespec t; (void)z; clock_gettime(CLOCK_REALTIME, &t);
  v->tv_sec = t.tv_sec; v->tv_usec = t.tv_nsec / 1000;
  return 0;
}
"""


def build(directory: Path) -> Path:
    """The library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "no C compiler: install gcc"
    source, library = directory / "wall.c", directory / "wall.so"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def ask_at(library: Path, *, shift_s: int, data: Path, url: str) -> dict[str, Any]:
    """What a terminal with this clock gets out of a heartbeat."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.queue.wall_clock", str(data), url],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(library),
            "WALL_SHIFT_S": str(shift_s),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main() -> None:
    """In the child."""
    import time

    from kiosk.contract.sync import Heartbeat
    from kiosk.core.clock import SystemClock
    from kiosk.core.result import Ok
    from offline_queue.hall_client import HallClient
    from offline_queue.keys.identity import load_identity
    from offline_queue.keys.trust_clock import TrustClock

    data, url = Path(sys.argv[1]), sys.argv[2]
    clock = TrustClock(SystemClock())
    client = HallClient(base_url=url, identity=load_identity(data))
    beat = Heartbeat(
        terminal_id="T001",
        at=datetime.now(UTC),
        software="test",
        bundle=0,
        pending=0,
        parked=0,
        oldest_unsent_s=0,
    )
    asked = time.monotonic()
    said = client.heartbeat(beat)
    if isinstance(said, Ok) and said.value.hall_time is not None:
        clock.heard(said.value.hall_time, asked=asked)
    client.close()
    answer = {
        "year": datetime.now(UTC).year,
        "result": "ok" if isinstance(said, Ok) else said.error.name,
        "skew_s": clock.skew_s(),
        "state": clock.state().value,
        "now": clock.now().isoformat(),
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
