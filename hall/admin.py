"""What a hall's operator may do from the command line, whether the hall runs or not.

A running hall owns its database, so the command line asks it over ``admin.sock`` (0600) in the data directory; without
a running hall the command opens the directory itself. Both ways run the same functions.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tomllib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from hall.catalogue.bundles import load_draft, own_catalogue
from hall.hall import Hall, HallRunning, open_hall
from hall.layout import HallLayout
from hall.licences.people import LicenceStatus
from hall.seed import seed_persons
from hall.store.database import StoreBusy
from hall.store.files import write_private
from hall.terminals.registry import TerminalPlan
from hall.terminals.successions import vouch
from hall.trust.keys import rotate
from hall.web.sign_in import staff_link
from kiosk.contract.frames import FrameError, FrameReader, encode_frame
from kiosk.contract.media import MediaError
from kiosk.contract.sync import BundleManifest

Answer = dict[str, Any]
_DEADLINE_S = 20.0
_LONG_S = {"import_media": 3600.0}
"""A stick is slow, and may hold a lot."""


class AdminError(RuntimeError):
    """The operation was refused; the message is for the operator."""


def _ticket(hall: Hall, ask: Answer) -> Answer:
    plan = TerminalPlan(ask["terminal"], ask["name"], ask["site"], ask.get("address", ""))
    replaces = str(ask.get("replaces", ""))
    ticket = hall.terminals.new_ticket(plan, replaces=replaces)
    return {"ticket": ticket.text(), "terminal": plan.id, "hours": 48, "replaces": replaces}


def _publish(hall: Hall, ask: Answer) -> Answer:
    root = Path(ask["catalogue"]) if ask.get("catalogue") else own_catalogue()
    draft = load_draft(root)
    if draft.region != hall.settings.region:
        raise AdminError(f"bundle.yaml is for region {draft.region}, this hall is {hall.settings.region}")
    done = hall.catalogue.publish(draft)
    return {"number": done.number, "sha256": done.sha256, "items": len(draft.items)}


def _seed(hall: Hall, ask: Answer) -> Answer:
    return seed_persons(hall, tomllib.loads(Path(ask["persons"]).read_text("utf-8")))


def _staff_link(hall: Hall, ask: Answer) -> Answer:
    return {"path": staff_link(hall, ask["name"])}


def _revoke(hall: Hall, ask: Answer) -> Answer:
    if not hall.terminals.revoke(ask["terminal"]):
        raise AdminError(f"there is no terminal {ask['terminal']}")
    return {"terminal": ask["terminal"]}


def _vouch(hall: Hall, ask: Answer) -> Answer:
    until = datetime.fromisoformat(ask["until"])
    if until.tzinfo is None:
        raise AdminError("an instant without a time zone says nothing")
    if not hall.store.write(lambda connection: vouch(connection, ask["terminal"], until=until)):
        raise AdminError(f"terminal {ask['terminal']} was not replaced")
    return {"terminal": ask["terminal"], "until": until.isoformat()}


def _import_media(hall: Hall, ask: Answer) -> Answer:
    try:
        with Path(ask["file"]).open("rb") as file:
            done = hall.media.take(file, actor=str(ask.get("actor", "command line")))
    except MediaError as error:
        raise AdminError(str(error)) from None
    except StoreBusy:
        raise AdminError("busy: what was taken so far stays taken, give the same file again") from None
    write_private(Path(ask["out"]), done.receipts)
    return {"terminal": done.terminal_id, "out": ask["out"], **done.counts}


def _rotate_keys(hall: Hall, ask: Answer) -> Answer:
    """A running hall opens what is sealed to the new key at once, and signs with the new one after its next start."""
    fresh = rotate(hall.layout)
    hall.keys.opening.update(fresh.opening)
    hall.keys.rotated.append(fresh.published())
    bundle = hall.catalogue.publish_keys(fresh.published())
    return {"seal": fresh.sealing.id, "sign": fresh.signing.id, "bundle": bundle.number if bundle else 0}


def _licence_status(hall: Hall, ask: Answer) -> Answer:
    """Terminals hear of it in the next bundle, which is published with it or not at all.

    `number` names the licence; or `holder`, an identity number, and `type` name the one that she holds.
    """
    status = TypeAdapter(LicenceStatus).validate_python(ask["status"])
    number = ask.get("number") or _held_number(hall, holder=ask["holder"], type_name=ask["type"])

    def write(connection: Connection) -> BundleManifest | None:
        if not hall.people.set_status(connection, number, status):
            raise AdminError(f"there is no licence {number}")
        return hall.catalogue.publish_again(connection)

    bundle = hall.store.write(write)
    return {"status": status, "bundle": bundle.number if bundle else 0}


def _held_number(hall: Hall, *, holder: str, type_name: str) -> str:
    held = hall.people.licences(hall.vault.index(holder))
    number = next((licence.number for licence in held if licence.type_name == type_name), None)
    if number is None:
        raise AdminError(f"there is no {type_name} of this holder")
    return number


OPERATIONS: dict[str, Callable[[Hall, Answer], Answer]] = {
    "ticket": _ticket,
    "publish": _publish,
    "seed": _seed,
    "staff_link": _staff_link,
    "revoke": _revoke,
    "rotate_keys": _rotate_keys,
    "licence_status": _licence_status,
    "vouch": _vouch,
    "import_media": _import_media,
    "init": lambda hall, ask: {"data": str(hall.layout.root)},
}


def _perform(hall: Hall, ask: Answer) -> Answer:
    try:
        return {"ok": OPERATIONS[str(ask["do"])](hall, ask)}
    except (AdminError, ValueError, OSError, KeyError) as error:
        # ValueError covers catalogue, YAML and TOML faults; their messages name places, never persons.
        return {"error": str(error) or type(error).__name__}


def perform(data: Path, do: str, **ask: Any) -> Answer:
    """Do it in the running hall, or here; AdminError."""
    request = {"do": do, **ask}
    try:
        hall = open_hall(data)
    except HallRunning:
        answer = _ask_running(HallLayout(data.resolve()), request)
    else:
        try:
            answer = _perform(hall, request)
        finally:
            hall.close()
    if "error" in answer:
        raise AdminError(str(answer["error"]))
    done: Answer = answer["ok"]
    return done


def _ask_running(layout: HallLayout, request: Answer) -> Answer:
    directory = os.open(layout.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_LONG_S.get(str(request["do"]), _DEADLINE_S))
            # By descriptor: the path of a socket may not be longer than 107 bytes, that of a data directory may.
            line.connect(f"/proc/self/fd/{directory}/{layout.admin_socket.name}")
            line.sendall(encode_frame(request))
            reader = FrameReader()
            while data := line.recv(65536):
                for frame in reader.feed(data):
                    return frame.head
    except (OSError, FrameError) as error:
        raise AdminError(f"the running hall does not answer: {error}") from None
    finally:
        os.close(directory)
    raise AdminError("the running hall hung up")


async def serve_admin(hall: Hall) -> asyncio.Server:
    """Answer operators of this machine."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        try:
            while data := await reader.read(65536):
                for frame in frames.feed(data):
                    writer.write(encode_frame(await asyncio.to_thread(_perform, hall, frame.head)))
                    await writer.drain()
        except FrameError:
            pass  # whoever it was can start again
        finally:
            writer.close()

    with suppress(FileNotFoundError):
        hall.layout.admin_socket.unlink()
    listener = socket.socket(socket.AF_UNIX)
    directory = os.open(hall.layout.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        before = os.umask(0o177)
        try:
            listener.bind(f"/proc/self/fd/{directory}/{hall.layout.admin_socket.name}")
        finally:
            os.umask(before)
    finally:
        os.close(directory)
    return await asyncio.start_unix_server(talk, sock=listener)
