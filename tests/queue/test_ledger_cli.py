"""`kiosk paper`: what technicians and station staff do with numbered sheets and pages in doubt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kiosk.app.cli import app
from kiosk.core.print_ledger import PaperKind, PrintOrder, PrintState
from kiosk.core.result import Ok
from offline_queue.client import ClientDelays
from offline_queue.paper.ledger_client import LedgerClient
from tests.queue.conftest import Terminal
from tests.queue.test_queue_kill import Zygote

Ask = Callable[..., Result]


@pytest.fixture
def zygote(terminal: Terminal) -> Iterator[Zygote]:
    made = Zygote(terminal)
    yield made
    made.close()


@pytest.fixture
def ask(terminal: Terminal, tmp_path: Path) -> Ask:
    profile = tmp_path / "machine.toml"
    profile.write_text(
        'schema = 1\nterminal_id = "T001"\nregion = "440699"\nsite_name = "测试点"\nterminal_name = "一号机"\n'
        f'data = "{terminal.data}"\n[hall]\nurl = "{terminal.profile.hall.url}"\n'
    )

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, ["paper", *words, "--profile", str(profile)])

    return run


def test_load_list_void_and_count_add_up(zygote: Zygote, ask: Ask) -> None:
    zygote.start()
    loaded = ask("load", "--from", "GD000101", "--count", "100", "--json")
    assert loaded.exit_code == 0, loaded.output
    assert json.loads(loaded.stdout) == {"loaded": 100, "stock": 100, "taken": 0, "used": 0, "void": 0, "ready": 100}
    assert ask("void", "GD000103", "--reason", "missing").exit_code == 0
    rows = json.loads(ask("list", "--json").stdout)
    assert [row["serial"] for row in rows] == [f"GD{number:06d}" for number in range(101, 201)]
    assert [(row["serial"], row["reason"]) for row in rows if row["state"] == "void"] == [("GD000103", "missing")]
    assert "loaded 100 = 在库 stock 99 + 存疑 in doubt 0 + 已用 used 0 + 作废 void 1" in ask("count").stdout
    assert "GD000103" in ask("list").stdout


def test_a_page_in_doubt_is_listed_and_settled_by_staff(zygote: Zygote, ask: Ask) -> None:
    zygote.start()
    ledger = LedgerClient(zygote.socket, delays=ClientDelays(call_s=30))
    assert ask("load", "--from", "GD1", "--count", "2").exit_code == 0
    assert isinstance(ledger.intend(PrintOrder("J", PaperKind.PAGE, 1, "J", numbered=True), card_tag=b"t"), Ok)
    assert ask("open", "--json").stdout == "[]\n", "never sent is no doubt"
    assert ledger.sent("J", attempt="a") == Ok(None)
    refused = ask("return", "GD1")
    assert (refused.exit_code, "台账不允许" in refused.stderr) == (1, True)
    assert ledger.settle("J", PrintState.UNKNOWN) == Ok(None)
    (entry,) = json.loads(ask("open", "--json").stdout)
    assert (entry["job"], entry["state"], entry["serial"]) == ("J", "unknown", "GD1")
    assert "GD1" in ask("open").stdout
    count = ask("count")
    assert "in doubt 1" in count.stdout
    assert "kiosk paper open" in count.stderr
    assert ask("answer", "J", "--printed").exit_code == 0
    assert json.loads(ask("count", "--json").stdout)["used"] == 1
    late = ask("answer", "J", "--not-printed")
    assert (late.exit_code, "台账不允许" in late.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("load", "--from", "nonsense", "--count", "3"), 1, "没有这一张"),
        (("void", "GD1", "--reason", "jammed"), 1, "没有这一张"),
        (("void", "GD1", "--reason", "boredom"), 2, "boredom"),
        (("load", "--from", "GD1", "--count", "0"), 2, "count"),
        (("answer", "J", "--printed"), 1, "没有这一张"),
    ],
)
def test_refusals_are_one_plain_line(zygote: Zygote, ask: Ask, words: tuple[str, ...], code: int, said: str) -> None:
    zygote.start()
    refused = ask(*words)
    assert refused.exit_code == code
    assert said in refused.stderr
    assert "Traceback" not in refused.output


def test_without_a_queue_process_nothing_is_changed(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.app.paper._PATIENCE", ClientDelays(call_s=0.1))
    refused = ask("count")
    assert (refused.exit_code, "队列进程没有应答" in refused.stderr) == (1, True)
