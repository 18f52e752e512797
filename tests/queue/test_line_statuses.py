"""What every status of the hall means for what waits, through real HTTP: who waits, how long, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kiosk.contract.problems import ProblemCode
from kiosk.core.ports import Link, SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.uplink.policy import SyncDelays
from tests.queue.conftest import FakeClock, HallSecrets, Request, Terminal, TestHall, make_pki, reply, reply_problem
from tests.queue.conftest import hall as hall_fixture
from tests.queue.lying_line import SENDING, Bench, Liar, asked_about, false_acks

D = SyncDelays()


@dataclass(frozen=True)
class Case:
    """An answer to everything that carries submissions, and what follows from it."""

    status: int
    code: ProblemCode | None
    headers: dict[str, str]
    code_shown: str
    pause: tuple[float, float]
    """Seconds in which nothing more is asked about this submission."""
    link: Link = Link.UP


P = ProblemCode
CASES = [
    Case(401, P.UNAUTHENTICATED, {}, "unauthenticated", (D.refused, D.refused)),
    Case(403, P.FORBIDDEN, {}, "forbidden", (D.refused, D.refused)),
    Case(409, None, {}, "http_409", (0.05, 2.0)),
    Case(413, P.TOO_LARGE, {}, "too_large", (0.05, 2.0)),
    Case(422, P.MALFORMED, {}, "malformed", (0.05, 2.0)),
    Case(429, P.BUSY, {"Retry-After": "17"}, "busy", (17.0, 18.0)),
    Case(429, P.BUSY, {"Retry-After": "999999"}, "busy", (D.retry_after_cap, D.retry_after_cap + 1)),
    Case(429, P.BUSY, {"Retry-After": "-5"}, "busy", (0.05, 1.0)),
    Case(429, P.BUSY, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, "busy", (0.05, 1.0)),
    Case(500, P.INTERNAL, {}, "internal", (0.05, 2.0)),
    Case(502, None, {}, "http_502", (0.05, 2.0)),
    Case(503, P.BUSY, {"Retry-After": "9"}, "busy", (9.0, 10.0)),
    Case(504, None, {}, "http_504", (0.05, 2.0)),
    Case(599, None, {}, "http_599", (0.05, 2.0)),
    Case(302, None, {"Location": "http://127.0.0.1/"}, "redirect", (0.05, 0.5), Link.DOWN),
    Case(204, None, {}, "garbage", (0.05, 2.0)),
]


def answering(case: Case) -> object:
    def answer(_hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if not request.path.startswith(SENDING):
            return False
        if case.code is None:
            return reply(http, case.status, b"", "text/plain", case.headers)
        return reply_problem(http, case.status, case.code, case.headers)

    return answer


@pytest.fixture
def bench(terminal: Terminal, clock: FakeClock, expected_logs: set[str]) -> Iterator[Bench]:
    expected_logs.add("offline_queue")
    made = Bench(terminal, clock, seed=7)
    yield made
    made.close()


def asked(hall: TestHall) -> int:
    return sum(path.startswith(SENDING) for _, path in hall.requests)


def settle(bench: Bench) -> None:
    """Steps without letting time pass, until nothing more happens."""
    for _ in range(40):
        if bench.worker.step() > 0:
            return


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.status} {case.headers.get('Retry-After', '')}")
def test_each_status_has_its_policy(bench: Bench, hall: TestHall, clock: FakeClock, case: Case) -> None:
    hall.faults["/"] = answering(case)  # type: ignore[assignment]
    id_ = bench.file(1)
    settle(bench)
    assert asked(hall) > 0
    assert bench.accepted() == {}
    entries = bench.store.entries()
    assert isinstance(entries, Ok)
    (row,) = entries.value
    assert row.state is SubmissionState.SEALED, "never parked on a status, only on a verdict"
    assert case.code_shown in (bench.state.last_error, row.last_code)
    assert bench.state.link is case.link

    low, high = case.pause
    before = asked(hall)
    clock.advance(low * 0.9)
    settle(bench)
    assert asked(hall) == before, "not before its time"
    clock.advance(high - low * 0.9 + 0.2)
    settle(bench)
    assert asked(hall) > before, "and then again, by itself"

    del hall.faults["/"]
    for _ in range(20):
        clock.advance(1000)
        settle(bench)
    assert set(bench.accepted()) == {id_} and hall.effects == [id_]


def test_a_retry_after_of_others_holds_up_nothing_else(bench: Bench, hall: TestHall, clock: FakeClock) -> None:
    """One poison submission: 422 to whatever holds it; the others arrive meanwhile."""
    ids = [bench.file(serial) for serial in range(1, 9)]

    def answer(_hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if not request.path.startswith(SENDING) or ids[3] not in dict(asked_about(request)):
            return False
        return reply_problem(http, 422, P.MALFORMED)

    hall.faults["/"] = answer
    for _ in range(30):
        settle(bench)
        clock.advance(5)
    assert set(bench.accepted()) == {*ids} - {ids[3]}
    assert bench.pending() == 1


def test_a_flapping_link_loses_and_doubles_nothing(bench: Bench, hall: TestHall, clock: FakeClock) -> None:
    """Up for some calls, then cut, in the middle of answers too; for 120 submissions."""
    dice = random.Random(20261122)
    liar = Liar(dice, honesty=0.0)
    cuts = (Liar.committed_then_cut, Liar.truncated, Liar.chunked_without_end)

    def flapping(hall_: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if not request.path.startswith(SENDING) or dice.random() < 0.4:
            return False
        dice.choice(cuts)(liar, hall_, http, request)
        return True

    hall.faults["/"] = flapping
    for serial in range(1, 121):
        bench.file(serial)
        if serial % 8 == 0:
            bench.step()
    for _ in range(400):
        if bench.pending() == 0:
            break
        bench.step()
    assert bench.pending() == 0
    assert false_acks(bench, hall) == []
    assert sorted(hall.effects) == sorted(bench.filed)


def test_another_hall_with_a_certificate_of_its_own_is_nobody(
    bench: Bench, hall: TestHall, clock: FakeClock, tmp_path: Path
) -> None:
    """DNS leads to another district's hall: it has a CA of its own, and not a byte of a submission reaches it."""
    other_place = tmp_path / "other"
    other_place.mkdir()
    other = hall_fixture.__wrapped__(make_pki(), HallSecrets.generate(), other_place)  # type: ignore[attr-defined]
    elsewhere = next(other)
    ours, bench.client._connection._base = bench.client._connection._base, elsewhere.url
    said = bench.client.manifest()
    assert isinstance(said, Err) and said.error.name == "tls"
    assert elsewhere.requests == []
    bench.client._connection._base = ours
    hall.publish(1)
    assert isinstance(bench.client.manifest(), Ok)
    for _ in other:
        pass


def test_two_halls_behind_one_name_do_not_make_it_true(bench: Bench, hall: TestHall, clock: FakeClock) -> None:
    """A second hall of the same CA answers every other call, with a signing key that nobody was told of."""
    twin = TestHall(HallSecrets(HallSecrets.generate().signing, hall.secrets.sealing, hall.secrets.recovery))
    twin.terminal_keys = hall.terminal_keys
    turn = [0]

    def alternate(_hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        if not request.path.startswith(SENDING):
            return False
        turn[0] += 1
        if turn[0] % 2:
            return False
        twin.handle(http, request)
        return True

    hall.faults["/"] = alternate
    ids = [bench.file(serial) for serial in range(1, 31)]
    for _ in range(300):
        if bench.pending() == 0:
            break
        bench.step()
    assert bench.pending() == 0
    assert false_acks(bench, hall) == []
    assert sorted(hall.effects) == sorted(ids)
