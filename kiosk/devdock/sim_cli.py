"""`kiosk sim`: what the simulated hardware can suffer, and the drill that makes it suffer all of it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from drivers.sim.fault_scripts import FOLDER, FaultScript, FaultScriptError, choose, load_scripts
from kiosk.core.devices import DeviceKind
from kiosk.core.faults import fault_entry
from kiosk.devdock.drill_report import Outcome, describe, summary, table

app = typer.Typer(no_args_is_help=True, help="Simulated hardware and its scripted faults.")
_log = Console(stderr=True)

EXIT_WRONG_USE = 2

DeviceOption = Annotated[list[DeviceKind] | None, typer.Option("--device", help="Only this device; may be repeated.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")]
FolderOption = Annotated[Path, typer.Option("--faults", help="Folder of fault scripts.")]


@app.command()
def faults(device: DeviceOption = None, folder: FolderOption = FOLDER, as_json: JsonOption = False) -> None:
    """故障清单: list every scripted fault with what citizen and technician are told."""
    scripts = _load(folder, device, None)
    if as_json:
        _write([describe(script) for script in scripts])
        return
    rows = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, show_lines=True)
    for title in ("脚本 script", "群众 citizen", "技术员 technician"):
        rows.add_column(title, overflow="fold")
    for script in scripts:
        entry = fault_entry(script.trouble, script.device)
        head = Text.assemble((script.id, "bold"), f"\n{script.about}\n", (f"→ {script.expect.words()}", "cyan"))
        rows.add_row(head, f"{entry.citizen.zh}\n{entry.citizen.en}", f"{entry.technician.zh}\n{entry.technician.en}")
    Console().print(rows)


@app.command()
def drill(
    device: DeviceOption = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this fault; may be repeated.")] = None,
    folder: FolderOption = FOLDER,
    out: Annotated[Path, typer.Option(help="Folder for drill.json and the street's logs.")] = Path("build/drill"),
    patience: Annotated[float, typer.Option(min=1.0, help="Stretches every limit, for a busy machine.")] = 1.0,
    as_json: JsonOption = False,
) -> None:
    """演练: play every scripted fault on a street; exit status 1 unless each is detected, named and got over."""
    from kiosk.devdock.drill import drill_on_a_street  # brings up everything
    from kiosk.devdock.street import StreetError

    scripts = _load(folder, device, only)
    began = time.monotonic()
    try:
        outcomes = drill_on_a_street(scripts, out=out, patience=patience, on_progress=_log.print, on_done=_tell)
    except StreetError as error:
        _log.print(f"kiosk sim: {error}", style="red", highlight=False, markup=False)
        raise typer.Exit(1) from None
    seconds = time.monotonic() - began
    report = {
        "summary": summary(outcomes, seconds=seconds),
        "outcomes": [outcome.as_json() for outcome in outcomes],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "drill.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    if as_json:
        _write(report)
    else:
        Console().print(table(outcomes, seconds=seconds))
    raise typer.Exit(0 if outcomes and all(outcome.ok for outcome in outcomes) else 1)


def _load(folder: Path, devices: list[DeviceKind] | None, ids: list[str] | None) -> tuple[FaultScript, ...]:
    try:
        return choose(load_scripts(folder), devices=devices or (), ids=ids or ())
    except (FaultScriptError, OSError) as error:
        _log.print(f"kiosk sim: {error}", style="red", highlight=False, markup=False)
        raise typer.Exit(EXIT_WRONG_USE) from None


def _tell(outcome: Outcome) -> None:
    mark = "[green]✓[/green]" if outcome.ok else "[red]✗[/red]"
    _log.print(f"{mark} {outcome.script.id}", highlight=False)
    if outcome.error:
        _log.print(f"  {outcome.error}", style="red", highlight=False, markup=False)


def _write(data: object) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=1) + "\n")
