"""For technicians: ``python -m offline_queue --data DIR status|list [--json]``.

Asks the queue process; if none runs, opens the store itself. Exit codes: 0 well, 3 store cannot be read.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from kiosk.core.clock import SystemClock
from kiosk.core.ports import Link, QueueStatus
from kiosk.core.profile import DataLayout
from kiosk.core.result import Err
from offline_queue.client import ClientDelays, QueueClient
from offline_queue.files import Locked
from offline_queue.messages import status_values
from offline_queue.process import EXIT_STORE
from offline_queue.schema import SchemaError
from offline_queue.store import Store

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The offline queue of one terminal.")
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@dataclass(frozen=True, slots=True)
class _Queue:
    data: Path

    def client(self) -> QueueClient:
        return QueueClient(Path(DataLayout(self.data).queue_socket), delays=ClientDelays(call_s=2, status_s=2))

    def store(self) -> Store:
        """The store itself, while no queue process runs."""
        directory = Path(DataLayout(self.data).queue)
        if not (directory / "queue.db").is_file():
            _fail("no queue here")
        try:
            return Store(directory, clock=SystemClock())
        except Locked:
            _fail("the queue process runs but does not answer")
        except (SchemaError, sqlite3.Error, OSError) as error:
            _fail(f"the store cannot be read: {error}")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(EXIT_STORE)


@app.callback()
def _main(context: typer.Context, data: Annotated[Path, typer.Option(help="The terminal's data directory.")]) -> None:
    context.obj = _Queue(data)


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """The queue in numbers."""
    found = _status(context.obj)
    if as_json:
        typer.echo(json.dumps(status_values(found)))
        return
    typer.echo(f"link {found.link}  pending {found.pending}  parked {found.parked}  oldest {found.oldest_unsent_s} s")
    typer.echo(f"accepting {'yes' if found.accepting else 'no'}  last error {found.last_error or 'none'}")


@app.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Every submission: number, state, tries, last code. Nothing says who or what."""
    rows = _entries(context.obj)
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(
            f"{row['application_no']}  {row['state']:<9} receipt {row['receipt']:<8} tries {row['attempts']}"
            f"  age {row['age_s']} s  {row['last_code']}"
        )


def _status(queue: _Queue) -> QueueStatus:
    if Path(DataLayout(queue.data).queue_socket).exists():
        answer = queue.client().status()
        if answer.link is not Link.UNKNOWN or answer.last_error != "store_down":
            return answer
    store = queue.store()
    try:
        backlog = store.backlog()
        if isinstance(backlog, Err):
            _fail(backlog.error.detail)
        numbers = backlog.value
        return QueueStatus(
            Link.UNKNOWN, numbers.pending, numbers.parked, numbers.oldest_unsent_s, store.space.accepting()
        )
    finally:
        store.close()


def _entries(queue: _Queue) -> list[dict[str, Any]]:
    if Path(DataLayout(queue.data).queue_socket).exists():
        answer = queue.client().entries()
        if not isinstance(answer, Err):
            return answer.value
    store = queue.store()
    try:
        entries = store.entries()
        if isinstance(entries, Err):
            _fail(entries.error.detail)
        return [asdict(entry) for entry in entries.value]
    finally:
        store.close()


if __name__ == "__main__":
    app()
