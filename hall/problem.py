"""Refusals on their way to a problem document."""

from __future__ import annotations

from kiosk.contract.problems import ProblemCode

STATUS: dict[ProblemCode, int] = {
    ProblemCode.MALFORMED: 400,
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.REVOKED: 403,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.PERSON_SESSION_EXPIRED: 401,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.CONFLICT: 409,
    ProblemCode.BAD_SIGNATURE: 422,
    ProblemCode.UNKNOWN_KEY: 422,
    ProblemCode.CANNOT_OPEN: 422,
    ProblemCode.ITEM_UNKNOWN: 422,
    ProblemCode.ANSWERS_INVALID: 422,
    ProblemCode.HASH_MISMATCH: 422,
    ProblemCode.OFFSET_MISMATCH: 409,
    ProblemCode.TOO_LARGE: 413,
    ProblemCode.TICKET_REFUSED: 403,
    ProblemCode.NOT_ELIGIBLE: 404,
    ProblemCode.CASE_UNKNOWN: 422,
    ProblemCode.CASE_AWAITED: 503,
    ProblemCode.BUSY: 503,
    ProblemCode.INTERNAL: 500,
}
"""HTTP status of each code."""


class Refused(Exception):
    """An expected refusal. The title is for developers and holds no personal data."""

    def __init__(
        self, code: ProblemCode, title: str = "", *, status: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(title or code.value)
        self.code = code
        self.title = title
        self.status = status or STATUS[code]
        self.headers = headers or {}
