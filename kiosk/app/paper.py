"""`kiosk paper`: numbered licence paper (证照空白纸) and pages in doubt, for technicians and station staff.

Everything goes through the queue process, which keeps the ledger; where none runs, nothing is changed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.print_ledger import PrintEntry, PrintState, Sheet, SheetCount, VoidReason
from kiosk.core.result import Err, Result
from offline_queue.ipc.line import ClientDelays
from offline_queue.paper.ledger_client import LedgerClient
from provisioning.profile import ProfileError, load_profile

T = TypeVar("T")

EXIT_REFUSED = 1
EXIT_WRONG_USE = 2

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="证照纸: numbered licence paper in the tray, its audit, and pages that nobody knows the end of.",
)
_out = Console()
_err = Console(stderr=True)

ProfileOption = Annotated[Path, typer.Option("--profile", help="终端档案: this terminal's machine.toml.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")]
SerialArgument = Annotated[str, typer.Argument(help="编号: as printed on the sheet, for example GD000101.")]
_DEFAULT_PROFILE = Path("/etc/kiosk/machine.toml")
_PATIENCE = ClientDelays(call_s=5.0)

_WORDS = {
    StoreFault.STORE_DOWN: "队列进程没有应答：先启动终端。The queue process does not answer: start the terminal first.",
    StoreFault.DISK_FULL: "磁盘满了：先清理。The disk is full: make room first.",
    StoreFault.CONFLICT: "台账不允许。The ledger does not allow it.",
    StoreFault.BROKEN: "没有这一张，或写法不对。No such sheet or page, or not written as it should be.",
    StoreFault.NO_SHEET: "没有可用的编号纸。No numbered sheet is ready.",
    StoreFault.LIMIT: "重打次数用完了。Printed again often enough.",
}


@app.command("load", short_help="装纸: numbered sheets are in the tray.")
def load(
    first: Annotated[str, typer.Option("--from", help="起始编号: serial of the top sheet.")],
    count: Annotated[int, typer.Option("--count", min=1, help="张数: how many, counting up.")],
    profile: ProfileOption = _DEFAULT_PROFILE,
    as_json: Json = False,
) -> None:
    """装纸: numbered sheets are in the tray, the lowest number on top; they are printed on in this order."""
    _tell_count(_must(_ledger(profile).load_sheets(first, count)), as_json=as_json)


@app.command("count", short_help="清点: the audit in numbers.")
def count_(profile: ProfileOption = _DEFAULT_PROFILE, as_json: Json = False) -> None:
    """清点: loaded = in stock + in doubt + used + void. Compare with the stack in your hand."""
    _tell_count(_must(_ledger(profile).count_sheets()), as_json=as_json)


@app.command("list", short_help="清单: every sheet and where it ended.")
def list_(profile: ProfileOption = _DEFAULT_PROFILE, as_json: Json = False) -> None:
    """清单: every sheet ever loaded, in order, and where it ended."""
    sheets = _must(_ledger(profile).sheets())
    if as_json:
        _write_json([_sheet_json(sheet) for sheet in sheets])
        return
    table = Table("编号 serial", "状态 state", "打印号 job", "原因 reason", box=None)
    for sheet in sheets:
        table.add_row(sheet.serial, sheet.state.value, sheet.job, sheet.reason)
    _out.print(table)


@app.command("void", short_help="作废: a sheet that will not be used.")
def void(
    serial: SerialArgument,
    reason: Annotated[VoidReason, typer.Option("--reason", help="原因: why.")],
    profile: ProfileOption = _DEFAULT_PROFILE,
) -> None:
    """作废: a sheet that will never be used: damaged, missing from the pack, or found jammed. Keep it for the audit."""
    _must(_ledger(profile).void_sheet(serial, reason))


@app.command("return", short_help="放回: a sheet in doubt lies unused in the tray.")
def return_(serial: SerialArgument, profile: ProfileOption = _DEFAULT_PROFILE) -> None:
    """放回: a sheet in doubt was found unused, on top of the tray."""
    _must(_ledger(profile).return_sheet(serial))


@app.command("open", short_help="存疑: pages whose end is not known.")
def open_(profile: ProfileOption = _DEFAULT_PROFILE, as_json: Json = False) -> None:
    """存疑: pages that were sent, and neither the printer nor a person has said what became of them."""
    doubtful = [entry for entry in _must(_ledger(profile).open_pages()) if entry.state is not PrintState.INTENDED]
    if as_json:
        _write_json([_entry_json(entry) for entry in doubtful])
        return
    table = Table("打印号 job", "状态 state", "编号 serial", "送出 sent", box=None)
    for entry in doubtful:
        sent = entry.sent_at.astimezone().isoformat(" ", "minutes") if entry.sent_at else ""
        table.add_row(entry.job, entry.state.value, entry.serial, sent)
    _out.print(table)


@app.command("answer", short_help="认定: a page came out, or it did not.")
def answer(
    job: Annotated[str, typer.Argument(help="打印号: as `kiosk paper open` lists it.")],
    came_out: Annotated[bool, typer.Option("--printed/--not-printed", help="有没有打出来: did it come out?")],
    profile: ProfileOption = _DEFAULT_PROFILE,
) -> None:
    """认定: your word, after looking at the printer. The hall hears it."""
    _must(_ledger(profile).answer(job, came_out=came_out))


def _ledger(profile: Path) -> LedgerClient:
    try:
        machine = load_profile(profile)
    except ProfileError as error:
        _fail(str(error), EXIT_WRONG_USE)
    return LedgerClient(Path(machine.layout.queue_socket), delays=_PATIENCE)


def _must(result: Result[T, StoreError]) -> T:
    if isinstance(result, Err):
        detail = f" ({result.error.detail})" if result.error.detail else ""
        _fail(f"{_WORDS[result.error.fault]}{detail}", EXIT_REFUSED)
    return result.value


def _fail(sentence: str, code: int) -> NoReturn:
    _err.print(f"kiosk: {sentence}", style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _tell_count(count: SheetCount, *, as_json: bool) -> None:
    if as_json:
        _write_json({**asdict(count), "ready": count.ready})
        return
    _out.print(
        f"装入 loaded {count.loaded} = 在库 stock {count.stock} + 存疑 in doubt {count.taken}"
        f" + 已用 used {count.used} + 作废 void {count.void}",
        highlight=False,
        soft_wrap=True,
    )
    if count.taken:
        _err.print(
            "有一张存疑，查清前不打编号纸：kiosk paper open。One is in doubt; until it is settled none is printed on.",
            style="yellow",
            soft_wrap=True,
        )


def _sheet_json(sheet: Sheet) -> dict[str, Any]:
    return {**asdict(sheet), "changed_at": sheet.changed_at.isoformat() if sheet.changed_at else None}


def _entry_json(entry: PrintEntry) -> dict[str, Any]:
    return {**asdict(entry), "sent_at": entry.sent_at.isoformat() if entry.sent_at else None}


def _write_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
