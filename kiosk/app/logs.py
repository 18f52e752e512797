"""Logs: one JSON object a line, by event name and enumerated fields; rotated by size."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Mapping
from pathlib import Path

import structlog

from kiosk.app.crash import places
from kiosk.core.event_fields import EventLevel
from kiosk.core.events import Event

_BYTES = 8 * 1024 * 1024
_KEPT = 10

_LEVELS: Mapping[EventLevel, int] = {
    "info": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)


def set_up_logs(folder: Path, name: str) -> None:
    """Send every logger of this process to `folder`/`name`.jsonl; UTC times, at most 88 MiB.

    Of an exception only type and place are kept: its message may quote what a citizen typed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / f"{name}.jsonl", maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8"
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                _stamp,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_messages,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def log_event(log: logging.Logger, event: Event) -> None:
    """One event of the catalogue."""
    log.log(_LEVELS[event.level], event.name.value, extra=dict(event.fields))


def _without_messages(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.ProcessorReturnValue:
    match event.pop("exc_info", None):
        case (type() as kind, _, trace):
            event["exception"] = kind.__name__
            event["places"] = places(trace)
        case _:
            pass
    return event
