"""`kiosk`: run the terminal, its sync process, the doctor; on a developer's machine also scripted cases."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kiosk import __version__
from kiosk.app.findings import Finding
from provisioning.profile import Machine, ProfileError, load_profile

app = typer.Typer(no_args_is_help=True, add_completion=False, help="市民之窗 terminal.")
_log = Console(stderr=True)

EXIT_WRONG_USE = 2
EXIT_FAULT = 1
EXIT_NOT_ENROLLED = 3

ProfileOption = Annotated[Path, typer.Option("--profile", help="The terminal's profile (machine.toml)")]
_DEFAULT_PROFILE = Path("/etc/kiosk/machine.toml")


@app.command()
def run(profile: ProfileOption = _DEFAULT_PROFILE) -> None:
    """Serve: keep the screen and the sync process running until told to stop."""
    from kiosk.app.processes import own_command
    from kiosk.app.supervisor import Program, Supervisor

    machine = _load(profile)
    supervisor = Supervisor(
        tuple(Program(name, tuple(own_command(name, "--profile", str(profile)))) for name in ("sync", "ui")),
        log_dir=Path(machine.layout.logs),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    supervisor.start()
    try:
        supervisor.wait()
    except KeyboardInterrupt:
        supervisor.stop()


@app.command(hidden=True)
def ui(profile: ProfileOption = _DEFAULT_PROFILE) -> None:
    """The screen process."""
    from kiosk.app.ui import run_ui

    raise typer.Exit(run_ui(_load(profile), kiosk=True))


@app.command(hidden=True)
def sync(profile: ProfileOption = _DEFAULT_PROFILE) -> None:
    """The queue's owner: keeps what was filed and sends it."""
    from kiosk.app.crash import end_on_the_unexpected
    from kiosk.app.logs import set_up_logs
    from offline_queue import process

    machine = _load(profile)
    logs = Path(machine.layout.logs)
    set_up_logs(logs, "sync")
    end_on_the_unexpected(logs, "sync")
    raise typer.Exit(process.main(machine.profile, data=machine.data, software=f"kiosk {__version__}"))


@app.command()
def doctor(
    profile: ProfileOption = _DEFAULT_PROFILE,
    as_json: Annotated[bool, typer.Option("--json", help="For machines")] = False,
) -> None:
    """Ask every part how it is; exit status 0 all well, 1 something needs a hand."""
    from kiosk.app.doctor import examine

    findings = examine(_load(profile))
    if as_json:
        sys.stdout.write(json.dumps([finding.as_json() for finding in findings], ensure_ascii=False, indent=1) + "\n")
    else:
        _print_findings(findings)
    raise typer.Exit(EXIT_FAULT if any(finding.verdict == "fault" for finding in findings) else 0)


def _print_findings(findings: list[Finding]) -> None:
    marks = {"ok": "[green]✓ 正常[/green]", "warn": "[yellow]! 注意[/yellow]", "fault": "[red]✗ 故障[/red]"}
    table = Table("", "部件 part", "状态 state", "怎么办 what to do", "秒 s")
    for finding in findings:
        table.add_row(marks[finding.verdict], finding.name, finding.state, finding.advice, f"{finding.seconds:.1f}")
    Console().print(table)


def _load(path: Path) -> Machine:
    try:
        machine = load_profile(path)
    except ProfileError as error:
        _log.print(f"[red]{error}[/red]", highlight=False)
        raise typer.Exit(EXIT_WRONG_USE) from None
    os.umask(0o077)
    return machine


# The dock is left out of the frozen terminal, so it is looked for and not imported.
if importlib.util.find_spec("kiosk.devdock") is not None:
    cases = importlib.import_module("kiosk.devdock.cases.cli")
    app.add_typer(cases.app, name="case")
