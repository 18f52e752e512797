"""Problem codes: what can go wrong between terminal and hall, as RFC 9457 problem documents.

The code decides; nobody ever looks at message text.
"""

from __future__ import annotations

from enum import StrEnum

from kiosk.contract.wire import Short, Wire

MEDIA_TYPE = "application/problem+json"


class ProblemCode(StrEnum):
    """Stable codes; `docs/problems.md` is generated from this table's docstrings."""

    MALFORMED = "malformed"
    """The request could not be understood; the same bytes will never be accepted."""
    UNAUTHENTICATED = "unauthenticated"
    """No terminal certificate, or one that this hall did not issue."""
    REVOKED = "revoked"
    """This terminal was taken out of service, or another one took its place: it cannot send any more."""
    FORBIDDEN = "forbidden"
    """The caller may not do this."""
    PERSON_SESSION_EXPIRED = "person_session_expired"
    """The citizen's proof is too old; read the card again."""
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    """The same id was accepted before with other bytes; nothing was overwritten."""
    BAD_SIGNATURE = "bad_signature"
    """Envelope or request signature does not verify."""
    UNKNOWN_KEY = "unknown_key"
    """Sealed or signed with a key that the hall does not know."""
    CANNOT_OPEN = "cannot_open"
    """The envelope does not decrypt, or holds something that is no submission."""
    ITEM_UNKNOWN = "item_unknown"
    """No such item version in any published bundle."""
    ANSWERS_INVALID = "answers_invalid"
    """The answers do not fit the item version they were given under."""
    HASH_MISMATCH = "hash_mismatch"
    """The bytes do not hash to the announced SHA-256."""
    OFFSET_MISMATCH = "offset_mismatch"
    """Upload offset differs from what the hall holds; ask HEAD again."""
    TOO_LARGE = "too_large"
    TICKET_REFUSED = "ticket_refused"
    """Enrolment code unknown, used, expired, locked, or the proof is wrong: deliberately not told apart."""
    NOT_ELIGIBLE = "not_eligible"
    """The department's records hold nothing to certify for this person."""
    CASE_UNKNOWN = "case_unknown"
    """It corrects a case that is not this person's, not this item's, or that this hall has waited for long enough:
    deliberately not told apart."""
    CASE_AWAITED = "case_awaited"
    """It corrects a case that has not arrived; the terminal brings it again later."""
    BUSY = "busy"
    """Try again after Retry-After seconds."""
    INTERNAL = "internal"


class Problem(Wire):
    """RFC 9457 problem document; `type` is `urn:shimin:problem:<code>`."""

    type: Short
    title: Short
    status: int
    code: ProblemCode

    @classmethod
    def of(cls, code: ProblemCode, status: int, title: str = "") -> Problem:
        """The problem document for a code; the title is for developers, not citizens."""
        return cls(type=f"urn:shimin:problem:{code}", title=title or code.value, status=status, code=code)
