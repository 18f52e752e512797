"""`python -m offline_queue` as technicians and tests use it: words, exit codes, and one plain line for every error."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from kiosk.contract.envelope import parse_envelope
from kiosk.contract.sealing import SealingKey, open_blob, open_envelope, open_session_key
from kiosk.contract.signing import SigningKey
from kiosk.core.clock import SystemClock
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.profile import DataLayout
from kiosk.core.result import Err, Ok
from offline_queue.__main__ import EXIT_GIVEN, EXIT_LEFT, app
from offline_queue.drain import Drain
from offline_queue.ipc.access import open_queue, words_of
from offline_queue.keys.identity import load_identity
from offline_queue.keys.throwaway import ensure_identity
from offline_queue.payload import Mint, PayloadError, read_payload, seal_payload
from offline_queue.process import EXIT_STORE
from offline_queue.seal import TerminalSealer
from tests.queue.conftest import HallSecrets, Pki, Terminal, TestHall, _Server, make_terminal
from tests.queue.test_queue_kill import Zygote

ROOT = Path(__file__).parents[2]
PUT = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12} [0-9A-Z]{21}\n$")


def run(data: Path, *words: str, given: bytes | str | None = None) -> Result:
    return CliRunner().invoke(app, ["--data", str(data), *words], input=given)


def told(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def keys(data: Path, tmp_path: Path) -> Path:
    """A new directory, and the keys of its hall."""
    path = tmp_path / "hall-keys"
    assert run(data, "setup", "--hall-keys", str(path)).exit_code == 0
    return path


@pytest.fixture
def own_hall(data: Path, keys: Path) -> Iterator[TestHall]:
    """The hall that does not exist, existing."""
    secrets = HallSecrets(
        SigningKey.from_pem((keys / "signing.key").read_bytes()),
        SealingKey.from_pem((keys / "sealing.key").read_bytes()),
        SealingKey.from_pem((keys / "recovery.key").read_bytes()),
    )
    signing = load_identity(data).signing
    hall = TestHall(secrets, {signing.id: signing.public})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "server.pem", keys / "server.key")
    context.load_verify_locations(keys / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = _Server(hall, context)
    hall.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield hall
    server.shutdown()
    server.server_close()
    thread.join()


# --- put -------------------------------------------------------------------------------------------------------------


def test_a_new_directory_sets_itself_up_and_says_so_once(data: Path) -> None:
    first = run(data, "put", given='{"form": "F-1", "lines": [1, 2.5, null]}')
    assert first.exit_code == 0, first.output
    assert PUT.match(first.stdout)
    assert "throw-away" in first.stderr and first.stderr.count("\n") == 1
    second = run(data, "put", given="[]")
    assert (second.exit_code, second.stderr) == (0, "")
    rows = told(run(data, "list", "--json"))
    assert [row["id"] for row in rows] == [first.stdout.split()[0], second.stdout.split()[0]]
    assert {row["state"] for row in rows} == {"sealed"}
    assert told(run(data, "status", "--json"))["pending"] == 2
    assert told(run(data, "verify", "--json"))["held"] == 2


def test_the_real_command_prints_the_id_first(data: Path) -> None:
    command = [sys.executable, "-m", "offline_queue", "--data", str(data), "put"]
    done = subprocess.run(command, input=b'{"name": "x"}', cwd=ROOT, capture_output=True, check=True)
    assert PUT.match(done.stdout.decode())


def test_killed_after_it_printed_the_id_nothing_is_lost(data: Path) -> None:
    run(data, "put", given="{}")
    command = [sys.executable, "-m", "offline_queue", "--data", str(data), "put"]
    for _ in range(2):
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(b'{"a": 1}')
        child.stdin.close()
        id_ = child.stdout.readline().decode().split()[0]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert id_ in {row["id"] for row in told(run(data, "list", "--json"))}
    assert told(run(data, "verify", "--json"))["ok"]


def test_many_at_once_wait_for_each_other(data: Path) -> None:
    command = [sys.executable, "-m", "offline_queue", "--data", str(data), "put"]

    def put(number: int) -> str:
        done = subprocess.run(command, input=json.dumps({"n": number}).encode(), cwd=ROOT, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().split()[0]

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(put, range(4)))
    assert len(ids) == 4
    assert {row["id"] for row in told(run(data, "list", "--json"))} == ids


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\xfe", b'"\\ud800"', b"NaN", b"[" * 100_000])
def test_what_is_no_json_is_refused_and_sets_nothing_up(data: Path, payload: bytes) -> None:
    refused = run(data, "put", given=payload)
    assert (refused.exit_code, refused.stdout) == (EXIT_GIVEN, "")
    assert refused.stderr.count("\n") == 1
    assert not data.exists()


def test_a_submission_that_is_none_is_refused_without_quoting_it(data: Path) -> None:
    refused = run(data, "put", given='{"format": "submission/1", "item_code": 7, "secret": "440699199001011236"}')
    assert refused.exit_code == EXIT_GIVEN
    assert "440699" not in refused.stderr.replace("440699 ", "")


@pytest.fixture(scope="module")
def sealed_here(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SealingKey]:
    root = tmp_path_factory.mktemp("sealed")
    assert ensure_identity(root / "data", hall_keys=root / "keys")
    return root / "data", SealingKey.from_pem((root / "keys" / "sealing.key").read_bytes())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=JSON | st.text(min_size=2001, max_size=2100).map(lambda text: {"long": text}))
def test_any_json_is_sealed_and_the_hall_reads_it_back(sealed_here: tuple[Path, SealingKey], payload: Any) -> None:
    directory, hall_key = sealed_here
    try:
        read = read_payload(json.dumps(payload).encode())
    except PayloadError:  # half a character
        return
    mint = Mint("T000", "x", SystemClock().now())
    sealed = seal_payload(read, mint=mint, sealer=TerminalSealer.of(directory))
    envelope = parse_envelope(sealed.envelope)
    key = open_session_key(envelope.header, {hall_key.id: hall_key})
    submission = open_envelope(envelope, key)
    if sealed.blobs:
        assert json.loads(open_blob(key, submission_id=submission.id, sealed=sealed.blobs[0])) == payload
        return
    leaves = _leaves("", payload)
    assert {name: record.value for name, record in submission.answers.items()} == {
        name: json.dumps(value) if isinstance(value, float | list | dict) else value for name, value in leaves.items()
    }


def _leaves(path: str, value: Any) -> dict[str, Any]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: dict[str, Any] = {}
    for name, one in inner:
        found |= _leaves(f"{path}.{name}" if path else str(name), one)
    return found or {path or "value": value}


# --- delivering ------------------------------------------------------------------------------------------------------


def test_drained_at_a_hall_that_knows_the_throw_away_keys(
    data: Path, own_hall: TestHall, expected_logs: set[str]
) -> None:
    expected_logs.add("offline_queue")
    ids = {run(data, "put", given=json.dumps({"n": n, "text": "x" * n * 1500})).stdout.split()[0] for n in range(3)}
    done = told(run(data, "drain", "--hall", own_hall.url, "--json"))
    assert (done["before"], done["pending"], done["parked"]) == (3, 0, 0)
    assert set(own_hall.effects) == ids and len(own_hall.effects) == 3
    assert {row["state"] for row in told(run(data, "list", "--json"))} == {"accepted"}
    assert told(run(data, "drain", "--hall", own_hall.url, "--json"))["before"] == 0


def test_a_hall_that_is_not_there_leaves_everything(data: Path, expected_logs: set[str]) -> None:
    expected_logs.add("offline_queue")
    run(data, "put", given="1")
    left = run(data, "drain", "--hall", "https://127.0.0.1:1", "--for", "0.5")
    assert left.exit_code == EXIT_LEFT
    assert "1 not delivered" in left.stderr
    assert run(data, "drain", "--hall", "http://127.0.0.1:1").exit_code == EXIT_GIVEN


def test_parked_and_sent_again(data: Path) -> None:
    ids = [run(data, "put", given="1").stdout.split()[0] for _ in range(3)]

    def park(seq: int, code: str) -> None:
        with open_queue(data) as queue:
            assert queue.store is not None
            drain = Drain(queue.store)
            (waiting,) = drain.named([ids[seq - 1]]).value  # type: ignore[union-attr]
            assert drain.park(waiting, code=code) == Ok(None)

    for seq, code in ((1, "item_unknown"), (2, "forbidden"), (3, "damaged")):
        park(seq, code)
    assert told(run(data, "status", "--json"))["parked"] == 3
    assert run(data, "requeue", ids[0]).stdout == "1 to be sent again\n"
    again = run(data, "requeue", ids[0])
    assert (again.exit_code, again.stderr.count("\n")) == (EXIT_GIVEN, 1)
    assert run(data, "requeue", "--all").stdout == "1 to be sent again\n", "what is damaged is not sent"
    assert [row["state"] for row in told(run(data, "list", "--json"))] == ["sealed", "sealed", "parked"]
    assert run(data, "requeue").exit_code == run(data, "requeue", "x", "--all").exit_code == EXIT_GIVEN
    assert told(run(data, "verify", "--json"))["journal"] == "whole"


# --- beside a queue process ------------------------------------------------------------------------------------------


@pytest.fixture
def zygote(terminal: Terminal) -> Iterator[Zygote]:
    made = Zygote(terminal)
    yield made
    made.close()


def test_everything_works_through_the_process_that_owns_the_store(
    terminal: Terminal, hall: TestHall, zygote: Zygote, tmp_path: Path, wait_for: Callable[..., bool]
) -> None:
    def refuse(_hall: TestHall, http: Any, _request: Any) -> bool:
        http.close_connection = True
        http.connection.close()
        return True

    hall.faults["/"] = refuse
    zygote.start()
    assert wait_for(lambda: Path(terminal.layout.queue_socket).exists())
    put = run(terminal.data, "put", given='{"a": 1}')
    assert (put.exit_code, put.stderr) == (0, "")
    id_ = put.stdout.split()[0]
    with open_queue(terminal.data) as queue:
        assert queue.live
    assert told(run(terminal.data, "verify", "--json"))["held"] == 1
    [name] = told(run(terminal.data, "export", "--to", str(tmp_path), "--json"))["files"]
    assert (tmp_path / name).is_file()
    assert told(run(terminal.data, "list", "--json"))[0]["exported"] == name
    assert run(terminal.data, "compact").exit_code == 0
    assert run(terminal.data, "requeue", "--all").stdout == "0 to be sent again\n"
    del hall.faults["/"]
    assert told(run(terminal.data, "drain", "--hall", hall.url, "--json"))["pending"] == 0
    assert hall.effects == [id_]


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("list",),
        ("verify",),
        ("compact",),
        ("requeue", "--all"),
        ("export", "--to", "/"),
        ("drain", "--hall", "https://127.0.0.1:1"),
    ],
)
def test_where_no_queue_is_nothing_is_made(data: Path, words: tuple[str, ...]) -> None:
    refused = run(data, *words)
    assert (refused.exit_code, refused.stderr.strip()) == (EXIT_STORE, "no queue here")
    assert not data.exists()


def test_a_file_that_is_neither(data: Path, tmp_path: Path) -> None:
    for name, content in (("a.txt", b"hello"), ("b.cwx", b"CWX1"), ("c.cwr", b"CWR1\x00")):
        (tmp_path / name).write_bytes(content)
        refused = run(data, "import", str(tmp_path / name))
        assert refused.exit_code == EXIT_GIVEN
        assert refused.stderr.splitlines()[-1].split(":")[0] in ("not_media", "torn")
    assert run(data, "import", str(tmp_path / "nothing")).exit_code == EXIT_STORE


def test_damage_is_named_by_verify(data: Path) -> None:
    id_ = run(data, "put", given=json.dumps({"text": "x" * 3000})).stdout.split()[0]
    assert run(data, "verify").exit_code == 0
    blobs = [path for path in Path(DataLayout(data).queue_blobs).rglob("*") if path.is_file()]
    assert len(blobs) == 1
    blobs[0].write_bytes(b"rot" + blobs[0].read_bytes()[3:])
    found = run(data, "verify", "--json")
    assert found.exit_code == EXIT_LEFT
    assert not json.loads(found.stdout)["ok"]
    assert id_ in found.stderr and "blob changed on disk" in found.stderr


def test_an_envelope_of_a_stranger_is_named_by_verify(
    data: Path, pki: Pki, secrets: HallSecrets, tmp_path: Path
) -> None:
    terminal = make_terminal(tmp_path / "stranger", pki, secrets)
    run(data, "put", given="1")
    with open_queue(data) as queue:
        assert queue.put(terminal.filing(1)) == Ok(None)
    found = run(data, "verify", "--json")
    assert (found.exit_code, "unknown signing key" in found.stderr) == (EXIT_LEFT, True)


def test_setup_is_for_new_directories(data: Path) -> None:
    assert run(data, "setup", "--terminal", "t1").exit_code == EXIT_GIVEN
    assert run(data, "setup", "--terminal", "T123").exit_code == 0
    assert load_identity(data).terminal_id == "T123"
    assert run(data, "setup").exit_code == EXIT_GIVEN


def test_an_unwritable_place_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    refused = run(tmp_path / "file" / "data", "put", given="1")
    assert (refused.exit_code, refused.stderr.count("\n")) == (EXIT_STORE, 1)


@pytest.mark.parametrize("fault", StoreFault)
def test_every_fault_has_words(fault: StoreFault) -> None:
    assert words_of(StoreError(fault, "detail")).endswith("(detail)")
    assert isinstance(Err(fault), Err)
