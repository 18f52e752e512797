"""What the hall's answers say: strict messages, problem documents (RFC 9457), or garbage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from kiosk.contract.batch import SLOT_HEADER
from kiosk.contract.problems import MEDIA_TYPE, Problem
from kiosk.core.result import Err, Ok, Result
from offline_queue.policy import CallError, Trouble

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer below 400."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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
