"""The bundle piece by piece: as a delta, on from where the line broke, the whole where a delta does not fit."""

from __future__ import annotations

import hashlib
import os
from http.server import BaseHTTPRequestHandler

import pytest

from kiosk.contract.bundle_delta import HAVE_HEADER, SINCE_HEADER, make_delta
from kiosk.contract.sync import BundleManifest
from kiosk.core.result import Err, Ok
from offline_queue.hall_client import CallLimits, HallClient
from offline_queue.keys.identity import load_identity
from offline_queue.uplink.bundle_fetch import PIECE_BYTES, BundleFetch
from offline_queue.uplink.policy import Trouble
from offline_queue.uplink.traffic import Traffic
from tests.queue.conftest import NOW, Request, Terminal, TestHall, reply

OLD = os.urandom(400_000)
NEW = OLD[:200_000] + os.urandom(150_000) + OLD[200_000:]
MANIFEST = BundleManifest(number=6, sha256=hashlib.sha256(NEW).hexdigest(), size=len(NEW), published_at=NOW)


class Store:
    """Serves ranges of the bundle or of a delta; may break off, may lie."""

    def __init__(self, *, delta: bytes | None = None, cut_at: int = -1, total: int | None = None) -> None:
        self.delta, self.cut_at, self.total = delta, cut_at, total
        self.asked: list[tuple[str, str]] = []

    def __call__(self, hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        have = request.headers.get(HAVE_HEADER, "")
        self.asked.append((request.headers["Range"], have))
        if len(self.asked) - 1 == self.cut_at:
            http.close_connection = True
            return True
        whole = self.delta if self.delta is not None and have else NEW
        headers = {SINCE_HEADER: have} if whole is self.delta else {}
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        part = whole[first : last + 1]
        total = len(whole) if self.total is None else self.total
        headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{total}"
        return reply(http, 206, part, "application/octet-stream", headers)


@pytest.fixture
def fetch(terminal: Terminal, hall: TestHall) -> BundleFetch:
    limits = CallLimits(connect_s=5, call_s=10, transfer_s=10)
    client = HallClient(base_url=hall.url, identity=load_identity(terminal.data), limits=limits)
    return BundleFetch(client, Traffic())


def test_only_what_is_new_comes(fetch: BundleFetch, hall: TestHall) -> None:
    delta = make_delta(OLD, NEW)
    assert len(delta) < 160_000
    store = hall.faults["/v1/bundle"] = Store(delta=delta)
    assert fetch.fetch(MANIFEST, have=5, old=OLD) == Ok(NEW)
    assert len(store.asked) == -(-len(delta) // PIECE_BYTES)
    fetch.client.close()


def test_a_broken_line_is_gone_on_from_where_it_broke(fetch: BundleFetch, hall: TestHall) -> None:
    store = hall.faults["/v1/bundle"] = Store(cut_at=3)
    assert isinstance(fetch.fetch(MANIFEST, have=0, old=b""), Err)
    assert fetch.fetch(MANIFEST, have=0, old=b"") == Ok(NEW)
    starts = [int(asked.removeprefix("bytes=").split("-")[0]) for asked, _ in store.asked]
    assert starts == sorted(starts)
    assert starts.count(0) == 1
    fetch.client.close()


def test_a_delta_that_does_not_fit_is_followed_by_the_file_itself(fetch: BundleFetch, hall: TestHall) -> None:
    store = hall.faults["/v1/bundle"] = Store(delta=make_delta(NEW[:300_000], NEW))
    first = fetch.fetch(MANIFEST, have=5, old=OLD)
    assert isinstance(first, Err)
    assert first.error.trouble is Trouble.GARBAGE
    assert fetch.fetch(MANIFEST, have=5, old=OLD) == Ok(NEW)
    assert store.asked[-1][1] == ""
    fetch.client.close()


@pytest.mark.parametrize(("total", "trouble"), [(len(NEW) + 1, Trouble.TOO_LARGE), (10, Trouble.GARBAGE)])
def test_a_length_that_is_not_so_is_not_believed(
    fetch: BundleFetch, hall: TestHall, total: int, trouble: Trouble
) -> None:
    hall.faults["/v1/bundle"] = Store(total=total)
    failed = fetch.fetch(MANIFEST, have=0, old=b"")
    assert isinstance(failed, Err)
    assert failed.error.trouble is trouble
    hall.faults["/v1/bundle"] = Store()
    assert fetch.fetch(MANIFEST, have=0, old=b"") == Ok(NEW)
    fetch.client.close()
