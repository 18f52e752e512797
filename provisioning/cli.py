"""`provision`: what a technician does to a machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Makes a machine a terminal.", rich_markup_mode=None)


@app.callback()
def provision() -> None:
    """Makes a machine a terminal."""


def _fail(message: str, *, code: int, as_json: bool, fault: str) -> typer.Exit:
    if as_json:
        _say({"ok": False, "fault": fault, "message": message})
    for line in message.splitlines():
        sys.stderr.write(f"provision: {line}\n")
    return typer.Exit(code)


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")


@app.command()
def enrol(
    profile: Annotated[Path, typer.Option(help="The terminal's profile, machine.toml.")],
    ticket: Annotated[str, typer.Option(help="One-time enrolment code; - reads it from standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON on standard output.")] = False,
    deadline: Annotated[float, typer.Option(help="Seconds for each question to the hall.", min=1.0)] = 20.0,
) -> None:
    """登记: make this terminal's keys and get its certificate from the hall. May be repeated with the same code."""
    from kiosk.contract.tickets import EnrolTicket, TicketError
    from kiosk.core.result import Err
    from provisioning import words
    from provisioning.enrol import enrol as enrol_machine
    from provisioning.profile import ProfileError, load_profile

    try:
        machine = load_profile(profile)
    except ProfileError as error:
        raise _fail(str(error), code=words.EXIT_PROFILE, as_json=as_json, fault="profile") from None
    try:
        parsed = EnrolTicket.parse(sys.stdin.readline() if ticket == "-" else ticket)
    except TicketError as error:
        message = f"登记码不对：{error}。共 40 个字符，由数字和字母组成，请核对"
        raise _fail(message, code=words.EXIT_TICKET, as_json=as_json, fault="ticket") from None
    result = enrol_machine(machine, parsed, deadline_s=deadline)
    if isinstance(result, Err):
        fault = result.error.fault
        raise _fail(words.enrol_words(result.error), code=words.EXIT_CODES[fault], as_json=as_json, fault=fault.value)
    done = result.value
    if as_json:
        _say({"ok": True, "terminal_id": done.terminal_id, "expires_at": done.expires_at.isoformat()})
    else:
        sys.stdout.write(f"已登记：{done.terminal_id}（{done.site_name}），证书有效至 {done.expires_at:%Y-%m-%d}\n")


def main() -> None:
    """Entry point."""
    app()
