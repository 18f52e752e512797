"""What the hall's answers say: strict messages, problem documents (RFC 9457), or garbage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from kiosk.contract.batch import SLOT_HEADER
from kiosk.contract.bundle_delta import SINCE_HEADER
from kiosk.contract.problems import MEDIA_TYPE, Problem
from kiosk.core.result import Err, Ok, Result
from offline_queue.uplink.policy import CallError, Trouble

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_RANGE = re.compile(r"bytes ([0-9]{1,9})-([0-9]{1,9})/([0-9]{1,9})", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer below 400."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a file, or of a delta to it."""

    offset: int
    total: int
    since: int
    """0: of the file itself."""
    content: bytes


def piece_of(reply: Reply) -> Piece | None:
    """A 206 with its range, or a 200 that is the whole; None if it is neither."""
    since = reply.headers.get(SINCE_HEADER, "0")
    if not _NUMBER.fullmatch(since):
        return None
    if reply.status == HTTPStatus.OK:
        return Piece(0, len(reply.body), int(since), reply.body)
    found = _RANGE.fullmatch(reply.headers.get("Content-Range", ""))
    if reply.status != HTTPStatus.PARTIAL_CONTENT or found is None:
        return None
    first, last, total = map(int, found.groups())
    return Piece(first, total, int(since), reply.body) if last - first + 1 == len(reply.body) else None


def media_type(headers: Mapping[str, str]) -> str:
    """Without parameters, lower case."""
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> CallError:
    """A status of 400 or more, with its code if a problem document came along."""
    code = None
    if media_type(headers) == MEDIA_TYPE:
        try:
            code = Problem.model_validate_json(body).code
        except ValidationError:
            code = None
    asked = headers.get("Retry-After", "")
    retry_after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
    return CallError(Trouble.PROBLEM, status, code, retry_after, slot_s=_slot(headers), sent=True)


def _slot(headers: Mapping[str, str]) -> float | None:
    text = headers.get(SLOT_HEADER, "")
    return float(text) if _SECONDS.fullmatch(text) else None


def parsed(reply: Result[Reply, CallError], model: type[M]) -> Result[M, CallError]:
    """The message in a reply; GARBAGE if it is not exactly one."""
    if isinstance(reply, Err):
        return reply
    if media_type(reply.value.headers) != JSON:
        return Err(CallError(Trouble.GARBAGE, reply.value.status))
    try:
        return Ok(model.model_validate_json(reply.value.body))
    except ValidationError:
        return Err(CallError(Trouble.GARBAGE, reply.value.status))
