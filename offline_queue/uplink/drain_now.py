"""Brings a queue to the hall while a technician watches: the queue process itself, for as long as there is work."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from pydantic import ValidationError

from kiosk.core.ports import QueueStatus
from kiosk.core.profile import Hall, Profile
from kiosk.core.result import Ok
from offline_queue.disk.files import Locked
from offline_queue.disk.schema import SchemaError
from offline_queue.ipc.access import NoQueue, open_queue
from offline_queue.keys.identity import NotEnrolled, load_enrolment, load_identity
from offline_queue.process import QueueProcess

_LOOK_S = 0.05


class DrainRefused(ValueError):
    """This cannot be tried; the message says why."""


def drain_now(data: Path, *, hall: str, seconds: float) -> tuple[int, QueueStatus]:
    """How many waited, and how it stands when all are delivered or the time is up; DrainRefused, NoQueue."""
    end = time.monotonic() + seconds
    with open_queue(data) as queue:
        before = queue.status()
        live = queue.live
    if not isinstance(before, Ok):
        raise NoQueue("the store does not work")
    if live:
        return before.value.pending, _watch_process(data, end)
    try:
        load_identity(data)
        enrolment = load_enrolment(data)
        profile = Profile(
            schema_version=1,
            terminal_id=enrolment.terminal_id,
            region=enrolment.region,
            site_name=enrolment.site_name,
            terminal_name="",
            data=str(data),
            hall=Hall(url=hall),
        )
    except NotEnrolled as error:
        raise DrainRefused(f"no usable identity: {error}") from None
    except ValidationError:
        raise DrainRefused("a hall's address begins with https://") from None
    try:
        process = QueueProcess(profile, data=data, software="technician")
    except (Locked, SchemaError, sqlite3.Error, OSError) as error:
        raise NoQueue(f"the store cannot be used: {error}") from None
    process.start()
    try:
        while (status := process.status()).pending and time.monotonic() < end:
            time.sleep(_LOOK_S)
    finally:
        process.stop()
    return before.value.pending, status


def _watch_process(data: Path, end: float) -> QueueStatus:
    while True:
        with open_queue(data) as queue:
            status = queue.status()
        if not isinstance(status, Ok):
            raise NoQueue("the queue process does not answer")
        if not status.value.pending or time.monotonic() >= end:
            return status.value
        time.sleep(_LOOK_S)
