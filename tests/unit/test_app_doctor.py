"""The doctor's judgement: every state has a verdict, and everything that is not well has advice."""

from __future__ import annotations

import io
import itertools
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from drivers.host.protocol import VERSION
from kiosk.app.addresses import wrong_address
from kiosk.app.device_check import Serving, ask, check_device, found, judge_device, who_serves
from kiosk.app.device_desk import DeskPatience, DeviceDesk, DeviceDeskClient, Refusal
from kiosk.app.doctor import Limits, examine, judge_disk, judge_identity, judge_queue
from kiosk.app.findings import Finding, needs_a_hand, report
from kiosk.app.technician import advice, device_advice, device_state, hall_advice, is_unknown_there
from kiosk.contract.enrolment import EnrolResponse
from kiosk.contract.problems import ProblemCode
from kiosk.core.devices import (
    DeviceKind,
    DeviceRecord,
    DeviceState,
    DeviceStatus,
    DriverProcess,
    Fault,
    LastError,
    Level,
    MediaState,
    SelfTest,
)
from kiosk.core.ports import Link, QueueStatus
from offline_queue.disk.space import SpaceLimits
from offline_queue.uplink.policy import CallError, Trouble
from provisioning.profile import load_profile

MIB = 1024**2
LIMITS = Limits()
CHINESE_THEN_ENGLISH = re.compile(r".*[\u4e00-\u9fff].*。[A-Z`].*")


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_advice_in_both_languages(fault: Fault) -> None:
    for kind in DeviceKind:
        assert CHINESE_THEN_ENGLISH.fullmatch(advice(fault, kind))


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_with_the_hall_has_advice(trouble: Trouble) -> None:
    assert CHINESE_THEN_ENGLISH.fullmatch(hall_advice(CallError(trouble)))


def test_only_a_hall_that_does_not_know_us_is_told_apart() -> None:
    revoked = CallError(Trouble.PROBLEM, 401, ProblemCode.UNAUTHENTICATED)
    assert is_unknown_there(revoked)
    assert "enrol again" in hall_advice(revoked)
    replaced = CallError(Trouble.PROBLEM, 403, ProblemCode.REVOKED)
    assert is_unknown_there(replaced)
    assert "successor" in hall_advice(replaced)
    assert not is_unknown_there(CallError(Trouble.PROBLEM, 500))
    assert not is_unknown_there(CallError(Trouble.TLS))


# --- devices -------------------------------------------------------------------------------------------------------

STATUSES = [
    DeviceStatus(DeviceKind.PAGE, state, media, paper, toner, fault)
    for state, media, paper, toner, fault in itertools.product(
        DeviceState, MediaState, Level, Level, (None, Fault.JAM, Fault.PAPER_OUT)
    )
]


def test_advice_is_given_exactly_for_what_is_not_well() -> None:
    for status in STATUSES:
        verdict = judge_device(status)
        assert bool(device_advice(status)) == (verdict != "ok"), status
        assert (verdict == "fault") == (not status.well), status


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.FULL), "ok", "online · paper full"),
        (DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.LOW), "warn", "online · paper low"),
        (DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.UNKNOWN), "fault", "online · paper unknown"),
        (DeviceStatus(DeviceKind.CAMERA, DeviceState.STARTING), "fault", "starting"),
        (DeviceStatus(DeviceKind.CAMERA, DeviceState.UNKNOWN), "fault", "unknown"),
        (DeviceStatus(DeviceKind.ID_CARD, DeviceState.OFFLINE, fault=Fault.NO_READER), "fault", "offline · no reader"),
    ],
)
def test_a_device_in_few_words(status: DeviceStatus, verdict: str, words: str) -> None:
    assert (judge_device(status), device_state(status)) == (verdict, words)


ADDRESSES = {
    DeviceKind.ID_CARD: ("pcsc:", "pcsc:/run/pcscd/pcscd.comm?reader=ACS%20ACR"),
    DeviceKind.RECEIPT: ("tcp://10.0.0.7:9100", "serial:/dev/ttyUSB0?baud=115200", "file:/dev/usb/lp0"),
    DeviceKind.PAGE: ("ipp://10.0.0.8/ipp/print",),
    DeviceKind.CAMERA: ("http://10.0.0.9/stream.mjpg", "index:0", "/dev/video0"),
}


@pytest.mark.parametrize(("kind", "address"), [(kind, text) for kind, texts in ADDRESSES.items() for text in texts])
def test_right_addresses(kind: DeviceKind, address: str) -> None:
    assert wrong_address(kind, address) == ""


@pytest.mark.parametrize("kind", DeviceKind)
@pytest.mark.parametrize("address", ["nonsense", "ftp://user:geheim@host/x", "tcp://", "pcsc:?reder=x", "ipp:/x"])
def test_a_wrong_address_is_named_before_a_driver_starts(kind: DeviceKind, address: str) -> None:
    finding = check_device(kind, address, None)
    assert (finding.verdict, finding.state) == ("fault", "wrong address")
    assert CHINESE_THEN_ENGLISH.fullmatch(finding.advice)
    assert "geheim" not in repr(finding)


def test_a_device_that_is_not_there_is_asked_for_by_a_real_driver() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    record = ask(DeviceKind.RECEIPT, f"tcp://127.0.0.1:{port}", deep=True)
    assert (record.status.state, record.status.fault) == (DeviceState.OFFLINE, Fault.UNREACHABLE)
    assert record.driver.version == VERSION
    assert record.self_test is not None
    assert (record.self_test.passed, record.self_test.deep) == (False, True)


AT = datetime(2026, 11, 22, 6, 26, tzinfo=UTC)
DRIVER = DriverProcess(4711, VERSION, frozenset({"print", "self_test"}), 2, 30_000_000)
QUICK = SelfTest(True, False, 0.25, AT, detail="ESC/POS")
PRINTER = DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.FULL, identity="printer")


class Printer:
    """A driver host as the desk sees it."""

    def __init__(self, status: DeviceStatus, deep: SelfTest = QUICK) -> None:
        self.seen = DeviceRecord(status, DRIVER, LastError(Fault.JAM, AT, "print", "wire"), QUICK)
        self._deep = deep

    def record(self) -> DeviceRecord:
        return self.seen

    def self_test(self, *, deep: bool) -> SelfTest:
        self.seen = replace(self.seen, self_test=self._deep)
        return self._deep


@contextmanager
def served(printer: Printer, path: Path, *, in_session: bool = False) -> Iterator[Serving]:
    """As the doctor sees a terminal with this printer."""
    desk = DeviceDesk(path, {DeviceKind.RECEIPT: printer}, in_session=lambda: in_session)
    desk.open()
    try:
        serving = who_serves(DeviceDeskClient(path, patience=DeskPatience(status=20.0, self_test=20.0)))
        assert serving is not None
        yield serving
    finally:
        desk.close()


NOWHERE = "tcp://127.0.0.1:1"
"""Asking there would fail."""


def test_a_serving_terminal_is_asked_and_not_the_device(tmp_path: Path) -> None:
    with served(Printer(PRINTER), tmp_path / "devices.sock") as serving:
        finding = check_device(DeviceKind.RECEIPT, NOWHERE, serving)
        assert (finding.verdict, finding.state, finding.advice) == ("ok", "online · paper full", "")
        assert finding.detail == {
            "asked": "terminal",
            "identity": "printer",
            "state": "online",
            "media": "none",
            "supplies": {"paper": "full", "toner": "none"},
            "fault": "",
            "detail": "",
            "last_error": {"fault": "jam", "at": "2026-11-22T06:26:00+00:00", "during": "print", "detail": "wire"},
            "self_test": {
                "passed": True,
                "deep": False,
                "seconds": 0.25,
                "at": "2026-11-22T06:26:00+00:00",
                "fault": "",
                "detail": "ESC/POS",
            },
            "driver": {
                "pid": 4711,
                "version": VERSION,
                "restarts": 2,
                "resident_bytes": 30_000_000,
                "capabilities": ["print", "self_test"],
            },
            "advice": None,
        }
        json.dumps(finding.as_json())
        missing = check_device(DeviceKind.PAGE, "ipp://127.0.0.1:1/ipp/print", serving)
        assert (missing.verdict, missing.state) == ("fault", "not told by the serving terminal")


@pytest.mark.parametrize("why", [Refusal.HANGS, Refusal.FORBIDDEN, Refusal.NONSENSE])
def test_a_terminal_that_serves_and_does_not_tell(why: Refusal, tmp_path: Path) -> None:
    silent = Serving(DeviceDeskClient(tmp_path / "nobody.sock"), {}, why)
    for deep in (False, True):
        finding = check_device(DeviceKind.RECEIPT, NOWHERE, silent, deep=deep)
        assert (finding.verdict, finding.state) == ("fault", "not told by the serving terminal")
        assert CHINESE_THEN_ENGLISH.fullmatch(finding.advice)


PASSED = SelfTest(True, True, 2.34, AT)
FAILED = SelfTest(False, True, 2.34, AT, Fault.CUTTER)


@pytest.mark.parametrize(
    ("test", "in_session", "paper", "verdict", "state", "word"),
    [
        (PASSED, False, Level.FULL, "ok", "online · paper full · self-test passed in 2.3 s", ""),
        (PASSED, False, Level.LOW, "warn", "online · paper low · self-test passed in 2.3 s", ""),
        (FAILED, False, Level.FULL, "fault", "online · paper full · self-test failed: cutter", "cutter"),
        (FAILED, False, Level.LOW, "fault", "online · paper low · self-test failed: cutter", "cutter"),
        (FAILED, False, Level.OUT, "fault", "online · paper out · self-test failed: cutter", "refill"),
        (FAILED, True, Level.FULL, "warn", "online · paper full", "A citizen is served"),
        (FAILED, True, Level.OUT, "fault", "online · paper out", "refill"),
    ],
)
def test_a_deep_self_test_at_the_serving_terminal(
    tmp_path: Path, test: SelfTest, in_session: bool, paper: Level, verdict: str, state: str, word: str
) -> None:
    printer = Printer(replace(PRINTER, paper=paper), test)
    with served(printer, tmp_path / "devices.sock", in_session=in_session) as serving:
        finding = check_device(DeviceKind.RECEIPT, NOWHERE, serving, deep=True)
    assert (finding.verdict, finding.state) == (verdict, state)
    assert word.lower() in finding.advice.lower()
    assert bool(finding.advice) == (verdict != "ok")
    told = finding.detail["advice"]
    assert in_session or finding.advice == (f"{told['zh']}{told['en']}" if told else "")


def test_a_quick_self_test_that_failed_once_is_tried_again(tmp_path: Path) -> None:
    printer = Printer(PRINTER)
    printer.seen = replace(printer.seen, self_test=replace(QUICK, passed=False, fault=Fault.IN_USE))
    with served(printer, tmp_path / "devices.sock") as serving:
        finding = check_device(DeviceKind.RECEIPT, NOWHERE, serving)
    assert (finding.verdict, finding.detail["self_test"]["passed"]) == ("ok", True)


@pytest.mark.parametrize("fatal", [Fault.TIMEOUT, Fault.DRIVER_LOST])
def test_a_self_test_that_killed_the_driver_is_left_alone(tmp_path: Path, fatal: Fault) -> None:
    printer = Printer(PRINTER)
    printer.seen = replace(printer.seen, self_test=replace(QUICK, passed=False, fault=fatal))
    with served(printer, tmp_path / "devices.sock") as serving:
        finding = check_device(DeviceKind.RECEIPT, NOWHERE, serving)
    assert (finding.verdict, finding.detail["self_test"]["fault"]) == ("warn", fatal.value)


@pytest.mark.parametrize(
    ("kind", "fault", "verdict"),
    [
        (DeviceKind.ID_CARD, Fault.NO_CARD, "warn"),
        (DeviceKind.CAMERA, Fault.NO_DOCUMENT, "warn"),
        (DeviceKind.ID_CARD, Fault.CARD_UNREADABLE, "fault"),
        (DeviceKind.CAMERA, None, "fault"),
    ],
)
def test_a_deep_self_test_with_nothing_there_blames_nobody(kind: DeviceKind, fault: Fault | None, verdict: str) -> None:
    test = SelfTest(False, True, 1.0, AT, fault)
    finding = found(DeviceRecord(DeviceStatus(kind, DeviceState.ONLINE), DRIVER, None, test), asked="driver", deep=True)
    assert finding.verdict == verdict
    assert finding.advice


def test_a_quick_self_test_that_fails_is_a_warning() -> None:
    record = DeviceRecord(PRINTER, DRIVER, None, replace(QUICK, passed=False, fault=Fault.TIMEOUT))
    finding = found(record, asked="terminal", deep=False)
    assert (finding.verdict, finding.state) == ("warn", "online · paper full · self-test failed: timeout")


# --- the rest ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "inodes", "read_only", "verdict", "word"),
    [
        (50_000 * MIB, 9_000, False, "ok", "48.8 GiB free"),
        (201 * MIB, None, False, "ok", "201 MiB free"),
        (199 * MIB, None, False, "fault", "nearly full"),
        (SpaceLimits().floor - 1, 9_000, False, "fault", "nothing more is accepted"),
        (50_000 * MIB, 10, False, "fault", "small files"),
        (50_000 * MIB, 9_000, True, "fault", "read-only"),
    ],
)
def test_disk(free: int, inodes: int | None, read_only: bool, verdict: str, word: str) -> None:
    finding = judge_disk(free=free, inodes=inodes, read_only=read_only, limits=LIMITS)
    assert finding.verdict == verdict
    assert word in f"{finding.state} {finding.advice}"


NOW = datetime(2026, 11, 22, 6, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "terminal_id", "verdict", "word"),
    [
        (timedelta(days=89), "T001", "ok", "89 days"),
        (timedelta(days=29), "T001", "ok", "29 days"),
        (timedelta(days=24), "T001", "warn", "renewed itself"),
        (timedelta(0), "T001", "fault", "expired"),
        (timedelta(seconds=-1), "T001", "fault", "expired"),
        (timedelta(days=89), "T002", "fault", "another terminal"),
    ],
)
def test_identity(left: timedelta, terminal_id: str, verdict: str, word: str) -> None:
    enrolled = EnrolResponse.model_construct(terminal_id="T001", expires_at=NOW + left)
    finding = judge_identity(enrolled, terminal_id=terminal_id, now=NOW, limits=LIMITS)
    assert finding.verdict == verdict
    assert word in f"{finding.state} {finding.advice}"


WELL = QueueStatus(Link.UP, pending=2, parked=0, oldest_unsent_s=60, accepting=True)


@pytest.mark.parametrize(
    ("status", "verdict", "word"),
    [
        (WELL, "ok", "2 waiting, 0 parked, oldest 0.0 h"),
        (replace(WELL, link=Link.DOWN), "ok", ""),
        (replace(WELL, oldest_unsent_s=4 * 3600), "warn", "for hours"),
        (replace(WELL, oldest_unsent_s=8 * 3600), "warn", "8 hours"),
        (replace(WELL, accepting=False, last_error="revoked"), "fault", "successor"),
        (replace(WELL, oldest_unsent_s=12 * 3600), "fault", "12 hours"),
        (replace(WELL, oldest_unsent_s=12 * 3600, parked=1), "fault", "12 hours"),
        (replace(WELL, parked=1), "warn", "a person"),
        (replace(WELL, accepting=False), "fault", "no new submissions"),
        (QueueStatus(Link.UNKNOWN, 0, 0, 0, False, "store_down"), "fault", "kiosk run"),
        (QueueStatus(Link.UNKNOWN, 0, 0, 0, False, "broken"), "fault", "no new submissions"),
    ],
)
def test_queue(status: QueueStatus, verdict: str, word: str) -> None:
    finding = judge_queue(status, LIMITS)
    assert finding.verdict == verdict
    assert word in f"{finding.state} {finding.advice}"


PROFILE = """schema = 1
terminal_id = "T001"
region = "440604"
site_name = "测试站"
terminal_name = "1号机"
data = "data"
[hall]
url = "https://127.0.0.1:1"
[devices]
camera = "index:nought"
"""


def test_a_bare_machine_is_told_to_enrol_and_nothing_is_made_on_it(tmp_path: Path) -> None:
    (tmp_path / "machine.toml").write_text(PROFILE, encoding="utf-8")
    findings = {
        finding.part: finding
        for finding in examine(load_profile(tmp_path / "machine.toml"), limits=Limits(queue_s=0.1))
    }
    assert list(findings) == ["disk", "identity", "bundle", "camera", "fonts", "queue", "clock", "hall"]
    assert {findings[part].verdict for part in ("disk", "identity", "bundle", "camera", "queue", "hall")} == {"fault"}
    assert all("enrol" in findings[part].advice for part in ("disk", "identity", "bundle", "hall"))
    assert [path.name for path in tmp_path.iterdir()] == ["machine.toml"]


def test_an_identity_that_is_no_longer_one_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "machine.toml").write_text(PROFILE, encoding="utf-8")
    identity = tmp_path / "data" / "identity"
    identity.mkdir(parents=True)
    (identity / "terminal.json").write_bytes(b"{\xff")
    findings = {
        finding.part: finding
        for finding in examine(load_profile(tmp_path / "machine.toml"), limits=Limits(queue_s=0.1))
    }
    assert findings["identity"].verdict == "fault"
    (identity / "terminal.json").unlink()
    (identity / "terminal.json").mkdir()
    findings = {
        finding.part: finding
        for finding in examine(load_profile(tmp_path / "machine.toml"), limits=Limits(queue_s=0.1))
    }
    assert {findings[part].state for part in ("identity", "bundle")} == {"unreadable"}


def test_the_report_reads_well_on_eighty_columns_without_colours() -> None:
    findings = [
        Finding("disk", "数据盘 data disk", "ok", "48.8 GiB free", seconds=0.01),
        Finding("receipt", "小票打印机 receipt printer", "warn", "online · paper low", "耗材将尽。Bring some.", 0.7),
        Finding("page", "A4 打印机 page printer", "fault", "error · jam", advice(Fault.JAM, DeviceKind.PAGE), 1.2),
    ]
    out = io.StringIO()
    Console(file=out, width=80).print(report(findings, title="T001 · 测试站 1号机"))
    text = out.getvalue()
    assert "\x1b" not in text
    assert "…" not in text, "nothing is cut off"
    assert [line[:4] for line in text.splitlines() if line[:1] in "✓!✗"] == ["✓ 正常", "! 注意", "✗ 故障"]
    assert "Paper jam" in re.sub(r"\s+", " ", text)
    assert "1 to mend.  (1.2 s)" in text
    assert needs_a_hand(findings)
    assert not needs_a_hand(findings[:2])
