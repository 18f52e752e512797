"""kill -9 of the real queue process at random moments, and of the terminal's side: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kiosk.core.ports import QueueStatus, StoreFault, SubmissionState
from kiosk.core.result import Err, Ok
from offline_queue.__main__ import app
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.process import EXIT_LOCKED, EXIT_STORE
from tests.queue.conftest import PLANTED, Pki, Request, Terminal, TestHall, reply

ROOT = Path(__file__).resolve().parents[2]
KILLS = 60
Wait = Callable[..., bool]


class Zygote:
    """Starts and kills queue processes of one data directory."""

    def __init__(self, terminal: Terminal) -> None:
        (terminal.data / "profile.json").write_text(terminal.profile.model_dump_json(by_alias=True))
        self.socket = Path(terminal.layout.queue_socket)
        self._program = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("queue_child.py")), str(terminal.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            text=True,
        )
        self.pid = 0

    def start(self) -> int:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write("start\n")
        self._program.stdin.flush()
        self.pid = int(self._program.stdout.readline())
        return self.pid

    def kill(self) -> None:
        if self.pid > 1:  # 0 would be our own group
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def alive(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def close(self) -> None:
        self.kill()
        self._program.communicate(timeout=30)


@pytest.fixture
def zygote(terminal: Terminal) -> Iterator[Zygote]:
    made = Zygote(terminal)
    yield made
    made.close()


@pytest.fixture
def client(zygote: Zygote) -> QueueClient:
    return QueueClient(zygote.socket, delays=ClientDelays(call_s=60, status_s=5))


@pytest.mark.timeout(240)
def test_sixty_kills_lose_and_double_nothing(
    zygote: Zygote, client: QueueClient, terminal: Terminal, hall: TestHall, wait_for: Wait
) -> None:
    """The oracle is what the citizen's side was told: every Ok must end at the hall exactly once."""
    seed = random.SystemRandom().randrange(2**32)
    report(f"seed {seed}")
    dice = random.Random(seed)
    hall.publish(1)
    hall.faults["/v1"] = unreliable(random.Random(seed + 1))
    acknowledged: list[str] = []
    numbers: list[str] = []
    done = threading.Event()

    def citizens() -> None:
        serial = 0
        while not done.is_set():
            serial += 1
            number = client.reserve_number()
            assert isinstance(number, Ok)
            numbers.append(number.value)
            sealed = terminal.filing(serial, blobs=serial % 3, blob_bytes=20_000)
            put = client.put(sealed, card_tag=b"", slip=b"")
            assert put == Ok(None), put
            acknowledged.append(sealed.id)

    zygote.start()
    filing = threading.Thread(target=citizens)
    filing.start()
    for _ in range(KILLS):
        # Some die while they start, some after they did work; how long that takes is the machine's business.
        target = len(acknowledged) + dice.choice((0, 1, 1, 2, 3))
        assert wait_for(lambda: len(acknowledged) >= target)  # noqa: B023 - called at once
        time.sleep(dice.uniform(0.0, 0.03))
        zygote.kill()
        zygote.start()
    done.set()
    filing.join()
    hall.faults.clear()
    arrived = wait_for(lambda: client.status().pending == 0 and set(acknowledged) <= set(hall.effects), seconds=60)
    report(f"{KILLS} kills, {len(acknowledged)} filed, {len(hall.requests)} requests")
    assert arrived, (len(set(acknowledged) - set(hall.effects)), client.status())
    assert len(acknowledged) > KILLS // 2
    assert len(hall.effects) == len(set(hall.effects))
    assert set(hall.effects) == set(acknowledged)
    assert len(numbers) == len(set(numbers))
    assert client.status().parked == 0
    for id_ in acknowledged:
        assert client.state(id_) == Ok(SubmissionState.ACCEPTED)
    zygote.kill()
    assert wait_for(lambda: not zygote.alive())
    zygote.start()
    assert wait_for(lambda: isinstance(client.reserve_number(), Ok))
    assert [path for path in Path(terminal.layout.queue_blobs).rglob("*") if path.is_file()] == []


def report(text: str) -> None:
    """Shown by pytest when the test fails."""
    sys.stdout.write(text + "\n")


def unreliable(dice: random.Random) -> Callable[[TestHall, BaseHTTPRequestHandler, Request], bool]:
    """A line and a hall that fail now and then: before the effect, or after it."""

    def fault(hall: TestHall, http: BaseHTTPRequestHandler, request: Request) -> bool:
        roll = dice.random()
        if roll < 0.05:
            http.close_connection = True
            return True
        if roll < 0.10 and request.path == "/v1/submissions":
            hall.take(request.body)
            http.close_connection = True
            return True
        return roll < 0.15 and reply(http, 500, b"oops", "text/plain")

    return fault


def test_the_terminal_dies_in_the_middle_of_filing(
    zygote: Zygote, client: QueueClient, terminal: Terminal, hall: TestHall, wait_for: Wait
) -> None:
    """A client process that is killed between its bytes: filed wholly or not at all, and the next one is served."""
    zygote.start()
    assert isinstance(client.reserve_number(), Ok)
    whole = terminal.filing(1, blobs=1, blob_bytes=2_000_000)
    for delay in (0.0, 0.001, 0.003, 0.01):
        if (pid := os.fork()) == 0:
            QueueClient(zygote.socket).put(whole, card_tag=b"", slip=b"")
            os._exit(0)
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert client.put(whole, card_tag=b"", slip=b"") == Ok(None)
    assert wait_for(lambda: hall.effects == [whole.id])
    assert wait_for(lambda: client.state(whole.id) == Ok(SubmissionState.ACCEPTED))


def test_a_terminal_files_before_it_is_enrolled_and_delivers_afterwards(
    pki: Pki, terminal: Terminal, zygote: Zygote, client: QueueClient, hall: TestHall, wait_for: Wait
) -> None:
    sealed = terminal.filing(1)
    certificate = Path(terminal.layout.tls_certificate)
    content = certificate.read_bytes()
    certificate.unlink()
    zygote.start()
    assert client.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    assert wait_for(lambda: client.status().last_error == "not_enrolled")
    certificate.write_bytes(content)
    assert wait_for(lambda: hall.effects == [sealed.id])


def test_sigterm_ends_it_in_order_and_another_may_own_the_store(
    zygote: Zygote, client: QueueClient, terminal: Terminal, wait_for: Wait
) -> None:
    first = zygote.start()
    assert isinstance(client.reserve_number(), Ok)
    os.kill(first, signal.SIGTERM)
    assert wait_for(lambda: not zygote.alive())
    assert not zygote.socket.exists()
    zygote.start()
    assert isinstance(client.reserve_number(), Ok)
    log = (terminal.data / "sync.log").read_text()
    assert "Traceback" not in log


def run_main(terminal: Terminal, code: str = "") -> subprocess.CompletedProcess[str]:
    """A real interpreter start, as the supervisor does it."""
    program = (
        "import sys; from pathlib import Path; from kiosk.core.profile import Profile\n"
        "from offline_queue.process import main\n"
        "data = Path(sys.argv[1])\n"
        "sys.exit(main(Profile.model_validate_json((data / 'profile.json').read_bytes()), data=data, software='t'))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(terminal.data)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_second_queue_process_is_refused(zygote: Zygote, client: QueueClient, terminal: Terminal) -> None:
    zygote.start()
    assert isinstance(client.reserve_number(), Ok)
    second = run_main(terminal)
    assert second.returncode == EXIT_LOCKED
    assert "another process owns the queue" in second.stderr
    assert isinstance(client.reserve_number(), Ok)


def test_a_store_that_must_not_be_used_is_an_exit_code(pki: Pki, terminal: Terminal) -> None:
    (terminal.data / "profile.json").write_text(terminal.profile.model_dump_json(by_alias=True))
    Path(terminal.layout.queue).mkdir()
    with closing(sqlite3.connect(terminal.layout.queue_db)) as newer:
        newer.execute("pragma user_version = 9999")
    ended = run_main(terminal)
    assert ended.returncode == EXIT_STORE
    assert "queue cannot start" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nobody_can_read_what_lies_here(
    zygote: Zygote, client: QueueClient, terminal: Terminal, hall: TestHall, wait_for: Wait
) -> None:
    """Search every file of the terminal for the person's name, number and address while filings lie in the queue."""
    hall.faults["/v1"] = lambda hall, http, request: reply(http, 503, b"", "text/plain")
    zygote.start()
    for serial in range(1, 9):
        sealed = terminal.filing(serial, blobs=2)
        assert client.put(sealed, card_tag=os.urandom(32), slip=b"sealed") == Ok(None)
    assert wait_for(lambda: client.status().last_error == "http_503")
    zygote.kill()
    everything = {path: path.read_bytes() for path in terminal.data.rglob("*") if path.is_file()}
    forms = [text.encode(coding) for text in PLANTED for coding in ("utf-8", "gb18030", "utf-16-le")]
    assert any(sealed.envelope in raw or sealed.id.encode() in raw for raw in everything.values())
    assert [path.name for path, raw in everything.items() for form in forms if form in raw] == []


def test_the_technicians_commands(zygote: Zygote, client: QueueClient, terminal: Terminal, hall: TestHall) -> None:
    def ask(*words: str) -> Result:
        return CliRunner().invoke(app, ["--data", str(terminal.data), *words])

    nothing = ask("status")
    assert (nothing.exit_code, nothing.stderr.strip()) == (EXIT_STORE, "no queue here")
    hall.faults["/v1"] = lambda hall, http, request: reply(http, 503, b"", "text/plain")
    zygote.start()
    sealed = terminal.filing(1)
    assert client.put(sealed, card_tag=b"", slip=b"") == Ok(None)
    running = json.loads(ask("status", "--json").stdout)
    assert (running["pending"], running["accepting"]) == (1, True)
    assert [row["id"] for row in json.loads(ask("list", "--json").stdout)] == [sealed.id]
    zygote.kill()
    rows = json.loads(ask("list", "--json").stdout)
    assert [(row["id"], row["state"]) for row in rows] == [(sealed.id, "sealed")]
    assert "pending 1" in ask("status").stdout
    assert sealed.application_no in ask("list").stdout
    real = subprocess.run(
        [sys.executable, "-m", "offline_queue", "--data", str(terminal.data), "list", "--json"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (json.loads(real.stdout)[0]["id"], real.stderr) == (sealed.id, "")


def test_a_status_of_a_dead_queue_is_quick_and_honest(zygote: Zygote) -> None:
    client = QueueClient(zygote.socket, delays=ClientDelays(call_s=0.2))
    started = time.monotonic()
    status: QueueStatus = client.status()
    assert time.monotonic() - started < 5
    assert status.accepting is False
    refused = client.reserve_number()
    assert isinstance(refused, Err)
    assert refused.error.fault is StoreFault.STORE_DOWN
