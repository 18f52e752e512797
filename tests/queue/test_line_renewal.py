"""证书续期 through the real hall: new keys, one step on the disk, the old ones until proven, nothing lost meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.contract.enrolment import EnrolResponse, RenewRequest
from kiosk.contract.problems import ProblemCode
from kiosk.core.result import Err, Ok, Result
from offline_queue.client import QueueClient
from offline_queue.hall_client import HallClient
from offline_queue.keys import generations
from offline_queue.keys.codes import TerminalCodes
from offline_queue.keys.generations import Generations
from offline_queue.keys.identity import load_identity
from offline_queue.keys.renewal import Renewal, RenewalFailed, RenewalPlan, RenewalState, due_at, renewal_state
from offline_queue.keys.renewal_keys import BadGeneration, Validity, check_answer, new_tls_key, renew_request
from offline_queue.process import QueueOptions, QueueProcess
from offline_queue.seal import TerminalCardKeys, TerminalSealer
from offline_queue.uplink.policy import Backoff, CallError, SyncDelays, Trouble
from tests.hall.conftest import HallProcess, TestTerminal, enrolled

NOON = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = Validity(NOON, NOON + timedelta(days=90))


def state_on(day: float, *, unconfirmed: bool = False, terminal: str = "T001") -> RenewalState:
    now = NOON + timedelta(days=day)
    return renewal_state(LIFE, terminal_id=terminal, now=now, unconfirmed=unconfirmed, plan=RenewalPlan())


def test_it_is_time_at_two_thirds_of_its_life() -> None:
    table = {0: "fresh", 59.9: "fresh", 61.1: "due", 89.9: "due", 90: "expired", 400: "expired", -300: "fresh"}
    assert {day: state_on(day).value for day in table} == table
    assert state_on(61, unconfirmed=True) is RenewalState.UNCONFIRMED


def test_a_fleet_that_was_enrolled_on_one_day_does_not_come_at_once() -> None:
    moments = {due_at(LIFE, terminal_id=f"T{n:03}", plan=RenewalPlan()) for n in range(200)}
    assert len(moments) > 190
    assert max(moments) - min(moments) <= timedelta(days=1)


@pytest.fixture(scope="module")
def real_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HallProcess]:
    process = HallProcess(tmp_path_factory.mktemp("hall") / "data")
    process.do("publish")
    process.start()
    yield process
    process.kill()


@pytest.fixture
def terminal(real_hall: HallProcess, tmp_path: Path) -> Iterator[TestTerminal]:
    made = enrolled(real_hall, tmp_path)
    yield made
    made.http.close()


class Bench:
    """A renewal whose clock stands on some day of the certificate's life."""

    def __init__(self, terminal: TestTerminal, *, day: float = 61.5) -> None:
        self.data, self.url = terminal.machine.data, terminal.hall.url
        self.folders = Generations(Path(terminal.machine.layout.identity))
        self.now = datetime.now(UTC) + timedelta(days=day)
        self.changes = 0
        self.renewal = Renewal(self.data, hall=self.client, now=lambda: self.now, changed=self.changed)

    def client(self) -> HallClient:
        return HallClient(base_url=self.url, identity=load_identity(self.data))

    def changed(self) -> None:
        self.changes += 1

    def certificate(self) -> bytes:
        return (self.folders.current / "tls.pem").read_bytes()

    def asks(self) -> Result[Any, CallError]:
        client = self.client()
        answer = client.manifest()
        client.close()
        return answer


def test_nothing_happens_before_its_time(terminal: TestTerminal) -> None:
    bench = Bench(terminal, day=30)
    before = bench.certificate()
    assert bench.renewal.step() == pytest.approx(86400, rel=0.01)
    assert (bench.certificate(), bench.changes) == (before, 0)


def test_keys_and_certificate_are_new_and_the_old_one_is_refused(terminal: TestTerminal) -> None:
    bench = Bench(terminal)
    old = bench.client()
    before, signing = bench.certificate(), load_identity(bench.data).signing.id
    assert isinstance(old.manifest(), Ok)
    kept_open = HallClient(base_url=bench.url, identity=load_identity(bench.data))
    assert isinstance(kept_open.manifest(), Ok)
    old_copy = bench.data.parent / "stolen"
    Generations(old_copy).keep(old_copy, {p.name: p.read_bytes() for p in bench.folders.current.iterdir()})

    bench.renewal.step()

    assert bench.certificate() != before
    assert load_identity(bench.data).signing.id != signing
    assert bench.changes == 1
    assert isinstance(bench.asks(), Ok)
    assert isinstance(kept_open.manifest(), Ok), "a client that was there before follows"
    assert not bench.folders.old.exists() and not bench.folders.next.exists()
    identity = load_identity(bench.data)
    stolen = type(identity)(
        identity.terminal_id,
        identity.signing,
        identity.enrolled_keys,
        old_copy / "tls.pem",
        old_copy / "tls.key",
        identity.ca,
    )
    refused = HallClient(base_url=bench.url, identity=stolen).manifest()
    assert isinstance(refused, Err) and refused.error.status in (401, 403)
    old.close()
    kept_open.close()
    mode = {path.stat().st_mode & 0o777 for path in bench.folders.current.iterdir()}
    assert mode == {0o600}


class Line:
    """A hall that is not there for some calls."""

    def __init__(self, bench: Bench, *, lost_answers: int = 0, confirms: list[CallError] | None = None) -> None:
        self.bench, self.lost, self.confirms = bench, lost_answers, confirms or []

    def __call__(self) -> Line:
        self.client = self.bench.client()
        return self

    def renew(self, request: RenewRequest) -> Result[EnrolResponse, CallError]:
        answer = self.client.renew(request)
        self.lost -= 1
        return Err(CallError(Trouble.TIMEOUT)) if self.lost >= 0 else answer

    def confirm_renewal(self) -> Result[None, CallError]:
        return Err(self.confirms.pop(0)) if self.confirms else self.client.confirm_renewal()

    def close(self) -> None:
        self.client.close()


def over(line: Line) -> Renewal:
    bench = line.bench
    return Renewal(bench.data, hall=line, now=lambda: bench.now, changed=bench.changed)


def test_a_lost_answer_costs_nothing(terminal: TestTerminal) -> None:
    bench = Bench(terminal)
    line = Line(bench, lost_answers=2)
    before, renewal = bench.certificate(), over(line)
    for _ in range(2):
        with pytest.raises(RenewalFailed, match="timeout"):
            renewal.step()
        assert bench.certificate() == before
        assert isinstance(bench.asks(), Ok), "the old one is good meanwhile"
    asked = (bench.folders.next / "tls.key").read_bytes()
    renewal.step()
    assert (bench.folders.current / "tls.key").read_bytes() == asked, "the same keys, the same certificate"
    assert isinstance(bench.asks(), Ok)


def test_both_generations_stay_until_the_hall_has_answered_to_the_new_one(terminal: TestTerminal) -> None:
    bench = Bench(terminal)
    renewal = over(Line(bench, confirms=[CallError(Trouble.UNREACHABLE)] * 2))
    with pytest.raises(RenewalFailed, match="unreachable"):
        renewal.step()
    assert bench.folders.old.is_dir() and renewal.state() is RenewalState.UNCONFIRMED
    with pytest.raises(RenewalFailed, match="unreachable"):
        renewal.step()
    renewal.step()
    assert not bench.folders.old.exists()
    assert isinstance(bench.asks(), Ok)


def test_a_new_one_that_the_hall_does_not_know_is_given_up(terminal: TestTerminal, expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")
    bench = Bench(terminal)
    before = bench.certificate()
    unknown = CallError(Trouble.PROBLEM, 401, ProblemCode.UNAUTHENTICATED)
    with pytest.raises(RenewalFailed, match="unauthenticated"):
        over(Line(bench, confirms=[unknown])).step()
    assert bench.certificate() == before and not bench.folders.old.exists() and bench.changes == 2
    assert isinstance(bench.asks(), Ok), "the old one still is good"
    bench.renewal.step()
    assert bench.certificate() != before


class Stop(Exception):
    """The process dies here."""


@pytest.mark.parametrize("cut", range(1, 18))
def test_a_crash_at_any_write_leaves_a_terminal_that_the_hall_knows(
    terminal: TestTerminal, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dies at the n-th durable write, rename or exchange; what a new process finds works and ends renewed."""
    bench = Bench(terminal)
    before = bench.certificate()
    left = [cut]

    def dying(do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Stop
            return do(*args, **options)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(generations, "write_durably", dying(generations.write_durably))
        patch.setattr(generations, "_exchange", dying(generations._exchange))
        patch.setattr(generations, "sync_directory", dying(generations.sync_directory))
        died = False
        try:
            bench.renewal.step()
        except Stop:
            died = True
    assert isinstance(bench.asks(), Ok), "whatever lies there now works"
    again = Bench(terminal)
    again.renewal.step()
    assert again.certificate() != before
    assert isinstance(again.asks(), Ok)
    assert not again.folders.old.exists() and not again.folders.next.exists()
    assert died or cut > 12


def test_what_was_signed_and_locked_before_is_ours_afterwards(terminal: TestTerminal) -> None:
    bench = Bench(terminal)
    sealer = TerminalSealer.of(bench.data)
    receipt = sealer.sign_receipt(terminal.number(), "ab" * 32, datetime.now(UTC))
    secret = TerminalCardKeys.of(bench.data)._secret
    bench.renewal.step()
    bench.renewal.step()  # certificates from now on: due once more on this day
    known = TerminalCodes.of(bench.data).read(receipt)
    assert known is not None and known.genuine is True
    assert TerminalCardKeys.of(bench.data)._secret == secret
    fresh = TerminalSealer.of(bench.data).sign_receipt(terminal.number(), "ab" * 32, datetime.now(UTC))
    known = TerminalCodes.of(bench.data).read(fresh)
    assert known is not None and known.genuine is True


def test_an_envelope_that_was_sealed_before_is_accepted_afterwards(terminal: TestTerminal) -> None:
    bench = Bench(terminal)
    session = TerminalSealer.of(bench.data).open_session()
    sealed = session.seal(terminal.question(), ())
    session.close()
    bench.renewal.step()
    client = bench.client()
    verdict = client.submit(sealed.envelope)
    client.close()
    assert isinstance(verdict, Ok) and verdict.value.status == "accepted"


def hostile(terminal: TestTerminal) -> dict[str, dict[str, str]]:
    good = renew_request(terminal_id="T001", tls_key=new_tls_key(), signing_key=terminal.signing.pem())
    other = renew_request(terminal_id="T002", tls_key=new_tls_key(), signing_key=terminal.signing.pem())
    base = good.model_dump()
    return {
        "no request": {**base, "csr": "none"},
        "proof of another terminal": other.model_dump(),
        "proof for another key": {**base, "csr": other.csr},
        "no proof": {**base, "proof": ""},
        "no key": {**base, "signing_public": "AAAA"},
    }


def test_the_hall_renews_only_what_is_proven(terminal: TestTerminal) -> None:
    for name, request in hostile(terminal).items():
        answer = terminal.post("/v1/renew", request)
        assert answer.status_code in (400, 422), (name, answer.status_code)
    without = terminal.http.cert
    terminal.http.cert = None
    terminal.http.close()
    good = renew_request(terminal_id="T001", tls_key=new_tls_key(), signing_key=terminal.signing.pem())
    assert terminal.post("/v1/renew", good).status_code == 401
    assert terminal.post("/v1/renew/confirm", b"").status_code == 401
    terminal.http.cert = without


def test_a_confirmation_without_a_renewal_changes_nothing(terminal: TestTerminal) -> None:
    assert terminal.post("/v1/renew/confirm", b"").status_code == 204
    assert terminal.get("/v1/bundle/manifest").status_code == 200


def test_an_answer_that_is_not_ours_is_not_taken(terminal: TestTerminal, real_hall: HallProcess) -> None:
    key = new_tls_key()
    request = renew_request(terminal_id="T001", tls_key=key, signing_key=terminal.signing.pem())
    answer = EnrolResponse.model_validate_json(terminal.post("/v1/renew", request).content)
    root = Path(terminal.machine.layout.ca).read_bytes()
    check_answer(answer, terminal_id="T001", tls_key=key, root=root)
    with pytest.raises(BadGeneration, match="another key"):
        check_answer(answer, terminal_id="T001", tls_key=new_tls_key(), root=root)
    with pytest.raises(BadGeneration, match="another terminal"):
        check_answer(answer, terminal_id="T002", tls_key=key, root=root)
    with pytest.raises(BadGeneration, match="chain"):
        check_answer(answer.model_copy(update={"certificate": ""}), terminal_id="T001", tls_key=key, root=root)


QUICK = QueueOptions(
    delays=SyncDelays(heartbeat=0.5, link=Backoff(0.05, 0.2), hall=Backoff(0.05, 0.2), item=Backoff(0.05, 0.2)),
    renewal=RenewalPlan(due=0.0, again=1e-9),
    renewal_s=1.0,
)


def test_the_queue_process_renews_by_itself_and_goes_on_delivering(
    real_hall: HallProcess, tmp_path: Path, expected_logs: set[str], wait_for: Callable[..., bool]
) -> None:
    """With a plan under which it is always time: again and again while submissions go through."""
    expected_logs.add("offline_queue")
    terminal = enrolled(real_hall, tmp_path, "T009")
    machine = terminal.machine
    first = load_identity(machine.data).signing.id
    process = QueueProcess(machine.profile, data=machine.data, software="test", options=QUICK)
    process.start()
    queue = QueueClient(Path(machine.layout.queue_socket))
    seen = {first}
    try:
        for serial in range(60):
            number = queue.reserve_number()
            assert isinstance(number, Ok)
            session = TerminalSealer.of(machine.data).open_session()
            sealed = session.seal(terminal.question(application_no=number.value), ())
            session.close()
            assert queue.put(sealed, card_tag=b"", slip=b"") == Ok(None)
            seen.add(load_identity(machine.data).signing.id)
            if len(seen) >= 4 and serial >= 10:
                break
            wait_for(lambda: load_identity(machine.data).signing.id not in seen, seconds=1)
        assert len(seen) >= 3, "it was renewed at least twice"
        assert wait_for(lambda: queue.status().pending == 0), (queue.entries(), queue.status())
        assert queue.status().parked == 0
    finally:
        process.stop()
        terminal.http.close()
