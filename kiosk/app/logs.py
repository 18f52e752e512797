"""Logs: one JSON object a line, by event name and enumerated fields; rotated by size."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

import structlog

_BYTES = 8 * 1024 * 1024
_KEPT = 10


def set_up_logs(folder: Path, name: str) -> None:
    """Send every logger of this process to `folder`/`name`.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / f"{name}.jsonl", maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8"
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, _time],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


_time = structlog.processors.TimeStamper(fmt="iso", utc=True)
