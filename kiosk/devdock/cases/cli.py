"""`kiosk case`: play scripted people against the street."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kiosk.devdock.cases.model import Case, CaseError, load_case
from kiosk.devdock.cases.play import play_all, play_one
from kiosk.devdock.cases.runner import Report
from kiosk.devdock.cases.tour import write_tour

app = typer.Typer(no_args_is_help=True, help="Scripted people on the whole street of real processes.")
_log = Console(stderr=True)
_CASES = Path("tests/cases")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A case file, for example tests/cases/residence_renewal.yaml")],
    out: Annotated[Path | None, typer.Option(help="Folder for screens and papers")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on standard output")] = False,
) -> None:
    """Play one case; exit status 1 when an expectation is missed, 2 when the case file is wrong."""
    case = _load(file)
    report = play_one(case, out or Path("build/cases") / case.case)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=1) + "\n")
    _tell(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def tour(
    out: Annotated[Path, typer.Option(help="Folder for the page")] = Path("build/tour"),
    cases: Annotated[Path, typer.Option(help="Folder of case files")] = _CASES,
) -> None:
    """Play every case and make one page of all pictures."""
    began = time.monotonic()
    found = [_load(file) for file in sorted(cases.glob("*.yaml"))]
    reports = play_all(found, out, on_done=_tell)
    page = write_tour(reports, out)
    _log.print(
        f"{sum(report.ok for report in reports)} of {len(reports)} cases, {time.monotonic() - began:.0f} s: {page}"
    )
    raise typer.Exit(0 if all(report.ok for report in reports) else 1)


def _load(file: Path) -> Case:
    try:
        return load_case(file)
    except (CaseError, OSError) as error:
        _log.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from None


def _tell(report: Report) -> None:
    mark = "[green]✓[/green]" if report.ok else "[red]✗[/red]"
    clock = f", {report.clocked_s} s on the clock" if report.clocked_s is not None else ""
    _log.print(f"{mark} {report.case}: {report.touches} touches{clock}, {report.seconds} s")
    if report.error:
        _log.print(f"  [red]{report.error}[/red]", highlight=False)
