"""For technicians and tests: ``python -m offline_queue --data DIR …``.

Asks the queue process; if none runs, opens the store itself. Results on standard output, every error as one plain line
on standard error. Exit codes: 0 done; 2 what was given is wrong (the command line, a payload, a file that is damaged or
foreign, an unknown id); 3 the queue, the disk or the stick cannot be used; 4 done as far as possible, something is left
and the line says what.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from kiosk.contract.media import MediaError, MediaFault
from kiosk.core.ports import Link, QueueStatus, StoreError, StoreFault
from kiosk.core.result import Err, Result
from offline_queue.ipc.access import NoQueue, QueueAccess, open_queue, words_of
from offline_queue.ipc.messages import status_values
from offline_queue.keys.identity import NotEnrolled, load_identity
from offline_queue.process import EXIT_STORE

EXIT_GIVEN, EXIT_LEFT = 2, 4
T = TypeVar("T")
commands = typer.Typer()
"""On a terminal they are `kiosk queue …`, which knows where its data is."""
trying_out = typer.Typer()
"""Not there: a terminal files what citizens fill in, under keys that the hall gave it."""
app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The offline queue of one terminal.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@dataclass(frozen=True, slots=True)
class QueueAt:
    """A terminal's data directory: what the commands work on."""

    data: Path
    to_try_out: bool = False
    """A new one may get throw-away keys."""

    @contextmanager
    def open(self, *, create: bool = False) -> Iterator[QueueAccess]:
        try:
            with open_queue(self.data, create=create) as queue:
                yield queue
        except NoQueue as error:
            _fail(str(error))

    def set_up(self) -> None:
        """What is taken in is held for somebody: there must be keys."""
        if self.to_try_out:
            self._throw_away_keys()
            return
        try:
            load_identity(self.data)
        except NotEnrolled as error:
            _fail(f"not enrolled: {error}")

    def _throw_away_keys(self) -> None:
        from offline_queue.keys.throwaway import ensure_identity  # with X.509: needed once

        try:
            made = ensure_identity(self.data)
        except OSError as error:
            _fail(f"cannot set up {self.data}: {error.strerror}")
        if made:
            _note("new directory: made throw-away keys; nobody can ever open what is filed under them")


def _note(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _fail(sentence: str, code: int = EXIT_STORE) -> NoReturn:
    _note(sentence)
    raise typer.Exit(code)


def _must(result: Result[T, StoreError]) -> T:
    if isinstance(result, Err):
        given = result.error.fault in (StoreFault.CONFLICT, StoreFault.BROKEN)
        _fail(words_of(result.error), EXIT_GIVEN if given else EXIT_STORE)
    return result.value


@contextmanager
def _media() -> Iterator[None]:
    try:
        yield
    except MediaError as error:
        unusable = error.fault in (MediaFault.UNREADABLE, MediaFault.MEDIA_FULL)
        _fail(str(error), EXIT_STORE if unusable else EXIT_GIVEN)


@app.callback()
def _main(context: typer.Context, data: Annotated[Path, typer.Option(help="The terminal's data directory.")]) -> None:
    context.obj = QueueAt(data, to_try_out=True)


app.add_typer(commands)
app.add_typer(trying_out)


# --- looking ---------------------------------------------------------------------------------------------------------


@commands.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """The queue in numbers."""
    found = _status(context.obj)
    if as_json:
        from kiosk.contract.promise import promise_level

        level = promise_level(found.oldest_unsent_s if found.pending else 0)
        typer.echo(json.dumps({**status_values(found), "promise": level.value}))
        return
    numbers = f"pending {found.pending}  parked {found.parked}  returned {found.returned}"
    typer.echo(f"link {found.link}  {numbers}  oldest {found.oldest_unsent_s} s")
    typer.echo(f"accepting {'yes' if found.accepting else 'no'}  last error {found.last_error or 'none'}")


def _status(queue: QueueAt) -> QueueStatus:
    with queue.open() as access:
        answer = _must(access.status())
        if access.store is not None and answer.last_error == StoreFault.STORE_DOWN and answer.link is Link.UNKNOWN:
            _fail("the store does not work")
        return answer


@commands.command("list")
def list_(context: typer.Context, as_json: Json = False) -> None:
    """Every submission: number, state, tries, last code. Nothing says who or what."""
    from offline_queue.media.files import load_book

    queue: QueueAt = context.obj
    with queue.open() as access:
        rows = _must(access.entries())
    marks = load_book(queue.data).marks
    for row in rows:
        mark = marks.get(row["id"])
        row["exported"] = "" if mark is None or row["state"] in ("accepted", "returned") else mark.file
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(
            f"{row['application_no']}  {row['state']:<9} receipt {row['receipt']:<8} tries {row['attempts']}"
            f"  age {row['age_s']} s  {row['last_code']}{'  exported' if row['exported'] else ''}"
        )


@commands.command()
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check everything that is held: schema, structures, every hash and signature, the journal. Exit code 4: damage."""
    from offline_queue.damage.checkup import check_queue

    queue: QueueAt = context.obj
    with queue.open() as access:
        report = _must(check_queue(access, queue.data))
    if as_json:
        typer.echo(json.dumps(report.values()))
    else:
        typer.echo(report.words())
    for fault in report.faults:
        _note(fault)
    if report.faults:
        raise typer.Exit(EXIT_LEFT)


# --- filing and sending ----------------------------------------------------------------------------------------------


@trying_out.command()
def put(context: typer.Context) -> None:
    """File the JSON on standard input; prints its id first on one line, when it is durable and not before."""
    from kiosk.core.clock import SystemClock
    from offline_queue.payload import MAX_PAYLOAD_BYTES, Mint, PayloadError, read_payload, seal_payload
    from offline_queue.seal import TerminalSealer

    queue: QueueAt = context.obj
    try:
        payload = read_payload(sys.stdin.buffer.read(MAX_PAYLOAD_BYTES + 1))
        queue.set_up()
        identity = load_identity(queue.data)
        with queue.open(create=True) as access:
            number = _must(access.reserve_number())
            mint = Mint(identity.terminal_id, number, SystemClock().now())
            sealed = seal_payload(payload, mint=mint, sealer=TerminalSealer.of(queue.data))
            _must(access.put(sealed))
    except PayloadError as error:
        _fail(str(error), EXIT_GIVEN)
    except NotEnrolled as error:
        _fail(f"no usable identity: {error}")
    typer.echo(f"{sealed.id} {sealed.application_no}")


@commands.command()
def drain(
    context: typer.Context,
    hall: Annotated[str, typer.Option(help="https://… of the hall.")],
    seconds: Annotated[float, typer.Option("--for", help="Give up after so many seconds.", min=0.0)] = 60.0,
    as_json: Json = False,
) -> None:
    """Bring everything to the hall; a queue process that runs does that by itself and is only watched."""
    from offline_queue.uplink.drain_now import DrainRefused, drain_now

    queue: QueueAt = context.obj
    try:
        before, after = drain_now(queue.data, hall=hall, seconds=seconds)
    except DrainRefused as error:
        _fail(str(error), EXIT_GIVEN)
    except NoQueue as error:
        _fail(str(error))
    told = {"before": before, "pending": after.pending, "parked": after.parked, "last_error": after.last_error}
    words = f"waiting before {before}  now {after.pending}  parked {after.parked}"
    typer.echo(json.dumps(told) if as_json else words)
    if after.pending:
        _fail(f"{after.pending} not delivered: {after.last_error or 'time is up'}", EXIT_LEFT)
    if after.parked:
        _fail(f"{after.parked} refused by the hall, see list", EXIT_LEFT)


@commands.command()
def requeue(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="Of a parked item.")] = "",
    every: Annotated[bool, typer.Option("--all", help="All parked items.")] = False,
) -> None:
    """Send parked items again, after the hall has put right what it refused them for."""
    if bool(id_) == every:
        _fail("say which: an ID, or --all", EXIT_GIVEN)
    queue: QueueAt = context.obj
    with queue.open() as access:
        number = _must(access.requeue(None if every else (id_,)))
    if id_ and not number:
        _fail("no parked item with this id, or its bytes are damaged", EXIT_GIVEN)
    typer.echo(f"{number} to be sent again")


@commands.command()
def compact(context: typer.Context) -> None:
    """Give room on the disk back; the queue process forgets what is long done, every minute."""
    from kiosk.core.profile import DataLayout

    queue: QueueAt = context.obj
    database = Path(DataLayout(queue.data).queue_db)
    with queue.open() as access:
        # Without the write-ahead log: its size never changes, it is written over again and again.
        before = database.stat().st_size
        _must(access.keep_house())
        after = database.stat().st_size
    typer.echo(f"{before} bytes before, {after} now")


# --- by stick --------------------------------------------------------------------------------------------------------


@commands.command()
def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option(help="A directory on the stick.")],
    as_json: Json = False,
) -> None:
    """Copy everything that is not delivered, sealed as it is, onto a stick. The queue keeps it until the receipt."""
    from offline_queue.media.run import export_to

    queue: QueueAt = context.obj
    with queue.open() as access, _media():
        done = _must(export_to(access, queue.data, to))
    if as_json:
        told = {"files": done.files, "written": done.written, "already": done.already, "left_out": done.left_out}
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"written {done.written}  already there {done.already}  files {' '.join(done.files) or 'none'}")
    if done.left_out:
        _fail(f"{len(done.left_out)} left out: damaged, or delivered meanwhile; see verify", EXIT_LEFT)


@commands.command("import")
def import_(
    context: typer.Context,
    path: Annotated[
        Path, typer.Argument(help="Receipts of the hall, a sealed queue (.cwx), or an old data directory.")
    ],
    as_json: Json = False,
) -> None:
    """Take the hall's receipts, or the queue of a terminal that this one replaces."""
    from offline_queue.media.run import import_from

    queue: QueueAt = context.obj
    queue.set_up()
    with queue.open(create=True) as access, _media():
        try:
            done = _must(import_from(access, queue.data, path))
        except NoQueue as error:
            _fail(f"{path}: {error}")
    told: dict[str, Any] = {"kind": done.kind, **done.count}
    words = "  ".join(f"{word} {number}" for word, number in sorted(done.count.items()))
    typer.echo(json.dumps(told) if as_json else f"{done.kind}: {words or 'nothing'}")
    if done.left:
        _fail(f"{done.left} not settled", EXIT_LEFT)


@trying_out.command()
def setup(
    context: typer.Context,
    hall_keys: Annotated[Path | None, typer.Option(help="Keep the keys of the hall that does not exist here.")] = None,
    terminal: Annotated[str, typer.Option(help="Four characters.")] = "T000",
) -> None:
    """Throw-away keys for a new directory; with --hall-keys a test can be its hall."""
    from pydantic import ValidationError

    from offline_queue.keys.throwaway import ensure_identity

    queue: QueueAt = context.obj
    try:
        made = ensure_identity(queue.data, hall_keys=hall_keys, terminal_id=terminal)
    except ValidationError:
        _fail("a terminal id has four characters of 0-9 and A-Z", EXIT_GIVEN)
    except OSError as error:
        _fail(f"cannot set up {queue.data}: {error.strerror}")
    if not made:
        _fail("this directory has an identity", EXIT_GIVEN)
    typer.echo("throw-away keys made")


if __name__ == "__main__":
    app()
