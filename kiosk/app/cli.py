"""`kiosk`: run the terminal, its sync process, the doctor; on a developer's machine also scripted cases."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kiosk import __version__
from kiosk.app.paper import app as paper
from kiosk.core.devices import DeviceKind
from offline_queue.__main__ import QueueAt
from offline_queue.__main__ import commands as queue_commands
from provisioning.cli import app as provision
from provisioning.profile import Machine, ProfileError, load_profile

_EXITS = "Exit status: 0 well, 1 something needs a hand, 2 wrong use or profile, 70 a fault of ours."

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables
    rich_markup_mode=None,  # plain text: this is read on a terminal's bare console
    context_settings={"help_option_names": ["-h", "--help"]},
    help="市民之窗: a self-service terminal's program.",
    epilog=_EXITS,
)
_log = Console(stderr=True)

EXIT_WRONG_USE = 2
EXIT_FAULT = 1

ProfileOption = Annotated[Path, typer.Option("--profile", help="终端档案: this terminal's machine.toml.")]
_DEFAULT_PROFILE = Path("/etc/kiosk/machine.toml")


def _tell_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"kiosk {__version__}\n")
        raise typer.Exit


@app.callback()
def kiosk(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="版本: tell it and end.")
    ] = False,
) -> None:
    """市民之窗: a self-service terminal's program."""


@app.command(short_help="服务: serve until told to stop.")
def run(profile: ProfileOption = _DEFAULT_PROFILE) -> None:
    """服务: keep the screen and the sync process running until told to stop."""
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


@app.command(short_help="体检: ask every part how it is.")
def doctor(
    profile: ProfileOption = _DEFAULT_PROFILE,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, for machines.")] = False,
    self_test: Annotated[
        str, typer.Option("--self-test", metavar="DEVICE|all", help="自检: have a device, or all, prove itself first.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a test slip or page is printed.")] = False,
) -> None:
    """体检: ask every part how it is and say what to do; exit status 1 if something needs a hand."""
    from kiosk.app.doctor import examine
    from kiosk.app.findings import needs_a_hand, report

    machine = _load(profile)
    deep = _to_test(machine, self_test)
    if not yes:
        _ask_for_paper(deep)
    with _log.status("体检中 examining…") if sys.stderr.isatty() else contextlib.nullcontext():
        findings = examine(machine, deep=deep)
    if as_json:
        sys.stdout.write(json.dumps([finding.as_json() for finding in findings], ensure_ascii=False, indent=1) + "\n")
    else:
        terminal = machine.profile
        title = f"{terminal.terminal_id} · {terminal.site_name} {terminal.terminal_name} · kiosk {__version__}"
        Console().print(report(findings, title=title))
    raise typer.Exit(EXIT_FAULT if needs_a_hand(findings) else 0)


def _to_test(machine: Machine, wanted: str) -> frozenset[DeviceKind]:
    """The devices that are to prove themselves; ends the program when this terminal has no such device."""
    here = frozenset(kind for kind in DeviceKind if machine.profile.devices.of(kind))
    match wanted:
        case "":
            return frozenset()
        case "all":
            return here
        case _ if wanted in here:
            return frozenset({DeviceKind(wanted)})
        case _:
            raise _wrong_use(f"no device {wanted!r} here; there are: {', '.join(sorted(here))}")


def _ask_for_paper(deep: frozenset[DeviceKind]) -> None:
    from kiosk.app.device_check import PRINTS

    if not deep & PRINTS:
        return
    if not sys.stdin.isatty():
        raise _wrong_use("this prints on paper: say --yes")
    if not typer.confirm("要打印自检页，继续吗？ A test slip or page will be printed. Go on?", err=True):
        raise typer.Exit(0)


def _load(path: Path) -> Machine:
    try:
        machine = load_profile(path)
    except ProfileError as error:
        raise _wrong_use(str(error)) from None
    os.umask(0o077)
    return machine


def _wrong_use(why: str) -> typer.Exit:
    """Says why, and is raised by the caller."""
    _log.print(f"kiosk: {why}", style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(EXIT_WRONG_USE)


queue = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
queue.add_typer(queue_commands)


@queue.callback()
def _queue(context: typer.Context, profile: ProfileOption = _DEFAULT_PROFILE) -> None:
    """离线队列: what waits here for the hall, and how to carry it there."""
    context.obj = QueueAt(_load(profile).data)


app.add_typer(paper, name="paper")
app.add_typer(queue, name="queue")
app.add_typer(provision, name="provision", help="登记: make this machine a terminal.")

# The dock is left out of the frozen terminal, so it is looked for and not imported.
if importlib.util.find_spec("kiosk.devdock") is not None:
    cases = importlib.import_module("kiosk.devdock.cases.cli")
    app.add_typer(cases.app, name="case")
    sim = importlib.import_module("kiosk.devdock.sim_cli")
    app.add_typer(sim.app, name="sim")
