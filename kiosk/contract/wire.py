"""The base of every wire type: frozen, strict, unknown keys refused."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""Lower-case hexadecimal SHA-256."""

SubmissionId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
"""UUIDv7 (RFC 9562 §5.7) minted on the terminal; the idempotency key of a submission (办件)."""

TerminalId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{4}$")]
"""Four characters, unique in the city; part of every application number."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
"""First 4 bytes of the SHA-256 of the raw public key, hexadecimal."""

Instant = AwareDatetime
Text = Annotated[str, StringConstraints(max_length=2000)]
Short = Annotated[str, StringConstraints(max_length=200)]
Whole = Annotated[int, Field(ge=0, lt=2**53)]
"""A count, or a number that grows: exact for every reader of JSON (RFC 7493 §2.2), and no larger than a column."""
Size = Annotated[int, Field(ge=0, le=64 * 1024 * 1024)]


class Wire(BaseModel):
    """A message between terminal and hall."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: the bytes that are hashed and signed."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
