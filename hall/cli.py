"""`hall`: the hall's command line."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help="市民之窗 hall: 网上办事大厅", rich_markup_mode=None)

Data = Annotated[Path, typer.Option(help="Data directory; a new one sets itself up.")]
Json = Annotated[bool, typer.Option("--json", help="One line of JSON on standard output.")]
_EXIT_REFUSED = 1
_EXIT_BUSY = 3
_VERDICTS = ("accepted", "duplicate", "rejected", "conflict", "retry")


def _fail(message: str, code: int = _EXIT_REFUSED) -> typer.Exit:
    sys.stderr.write(f"hall: {message}\n")
    return typer.Exit(code)


def _perform(data: Path, do: str, **ask: Any) -> dict[str, Any]:
    # Imported late: `hall --help` need not load a web server and a database.
    from hall.admin import AdminError, perform
    from hall.settings import SettingsError
    from hall.store.database import StoreError

    try:
        return perform(data, do, **ask)
    except (AdminError, SettingsError, StoreError) as error:
        raise _fail(str(error)) from None


def _tell(answer: dict[str, Any], *, as_json: bool, words: str) -> None:
    sys.stdout.write((json.dumps(answer, ensure_ascii=False) if as_json else words) + "\n")


@app.command()
def serve(
    data: Data,
    port: Annotated[int, typer.Option(help="Terminals, mutual TLS; 0 takes a free one.")] = 8443,
    staff_port: Annotated[int, typer.Option(help="Staff pages, this machine only; 0 takes a free one.")] = 8601,
    host: Annotated[str, typer.Option(help="Address for terminals.")] = "127.0.0.1",
    decide_after: Annotated[float | None, typer.Option(help="Seconds that simulated departments think.")] = None,
) -> None:
    """Serve until SIGTERM."""
    from hall.hall import HallRunning, open_hall
    from hall.server import run
    from hall.settings import SettingsError
    from hall.store.database import StoreError

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        hall = open_hall(data, decide_after_s=decide_after)
        run(hall, host=host, port=port, staff_port=staff_port)
    except HallRunning as error:
        raise _fail(str(error), _EXIT_BUSY) from None
    except (SettingsError, StoreError, OSError) as error:
        raise _fail(str(error)) from None


@app.command()
def init(data: Data, as_json: Json = False) -> None:
    """Make keys and database of a new data directory."""
    answer = _perform(data, "init")
    _tell(answer, as_json=as_json, words=f"ready: {answer['data']}")


@app.command()
def ticket(
    data: Data,
    terminal: Annotated[str, typer.Option(help="Four characters, for example T001.")],
    site: Annotated[str, typer.Option(help="Name of the place.")],
    name: Annotated[str, typer.Option(help="Name of the terminal there.")],
    address: Annotated[str, typer.Option(help="Street address.")] = "",
    replaces: Annotated[str, typer.Option(help="The terminal whose place it takes; revoked when this is used.")] = "",
    as_json: Json = False,
) -> None:
    """A one-time enrolment code for a terminal, good for 48 hours."""
    answer = _perform(data, "ticket", terminal=terminal, site=site, name=name, address=address, replaces=replaces)
    _tell(answer, as_json=as_json, words=answer["ticket"])


@app.command()
def vouch(
    data: Data,
    terminal: Annotated[str, typer.Option(help="A terminal that was replaced.")],
    until: Annotated[str, typer.Option(help="ISO instant with time zone.")],
    as_json: Json = False,
) -> None:
    """What a replaced terminal signed before this instant counts: its clock was wrong, or it worked on for a while."""
    answer = _perform(data, "vouch", terminal=terminal, until=until)
    _tell(answer, as_json=as_json, words=f"{terminal} counts until {answer['until']}")


@app.command()
def import_media(
    data: Data,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CW-EXPORT-….cwx from a terminal.")],
    out: Annotated[Path, typer.Option(help="Where the receipts go, for the way back to the terminal.")],
    as_json: Json = False,
) -> None:
    """Take in what a terminal wrote onto a stick; may be done twice."""
    answer = _perform(data, "import_media", file=str(file.resolve()), out=str(out.resolve()))
    counts = "  ".join(f"{word} {answer[word]}" for word in _VERDICTS if word in answer)
    _tell(answer, as_json=as_json, words=f"terminal {answer['terminal']}: {counts or 'nothing'}; receipts in {out}")


@app.command()
def revoke(data: Data, terminal: Annotated[str, typer.Option()], as_json: Json = False) -> None:
    """From now on this terminal is refused."""
    answer = _perform(data, "revoke", terminal=terminal)
    _tell(answer, as_json=as_json, words=f"{terminal} is revoked")


@app.command()
def licence_status(
    data: Data,
    number: Annotated[str, typer.Option(help="证照编号, as on the paper.")],
    status: Annotated[str, typer.Option(help="valid, suspended or revoked.")],
    as_json: Json = False,
) -> None:
    """Withdraw a licence or give it back; every terminal knows with its next bundle, online or not."""
    answer = _perform(data, "licence_status", number=number, status=status)
    _tell(answer, as_json=as_json, words=f"{answer['status']}; bundle {answer['bundle']}")


@app.command()
def rotate_keys(data: Data, as_json: Json = False) -> None:
    """换钥: new sealing and signing keys, told to all terminals in a new bundle; the old ones still open and verify.

    A hall that runs seals to the new one at once and signs with the new one after its next start.
    """
    answer = _perform(data, "rotate_keys")
    words = f"new sealing key {answer['seal']}, new signing key {answer['sign']}, bundle {answer['bundle']}"
    _tell(answer, as_json=as_json, words=words)


@app.command()
def publish(
    data: Data,
    catalogue: Annotated[Path | None, typer.Option(help="Folder of YAML; default: the hall's own.")] = None,
    as_json: Json = False,
) -> None:
    """Check the catalogue and publish it as the next signed bundle."""
    answer = _perform(data, "publish", catalogue=str(catalogue.resolve()) if catalogue else "")
    _tell(answer, as_json=as_json, words=f"bundle {answer['number']} with {answer['items']} items")


@app.command()
def seed(
    data: Data,
    persons: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="TOML of synthetic persons.")],
    as_json: Json = False,
) -> None:
    """Records and licences of synthetic persons, for development."""
    answer = _perform(data, "seed", persons=str(persons.resolve()))
    _tell(answer, as_json=as_json, words=f"{answer['persons']} persons")


@app.command()
def staff_link(
    data: Data,
    staff_port: Annotated[int, typer.Option(help="Where the staff pages are served.")] = 8601,
    name: Annotated[str, typer.Option(help="Who signs in.")] = "值班员",
    as_json: Json = False,
) -> None:
    """A one-time sign-in link for the clerk's page, good for ten minutes."""
    link = f"http://127.0.0.1:{staff_port}{_perform(data, 'staff_link', name=name)['path']}"
    _tell({"link": link}, as_json=as_json, words=link)


def main() -> None:
    """Entry point."""
    app()
