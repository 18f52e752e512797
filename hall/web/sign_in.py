"""Staff sign-in: a one-time link from the command line, then a session cookie. Passwords come with a later step."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from hall.hall import Hall
from hall.store.moments import to_ms
from hall.store.schema import used_links
from hall.store.vault import VaultError

LINK_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=10)


def staff_link(hall: Hall, name: str) -> str:
    """Path of a sign-in link, good once and for ten minutes."""
    expires = hall.clock.now() + LINK_LIFE
    token = hall.vault.staff_token(name, purpose="staff-link", expires_at=int(expires.timestamp()))
    return f"/staff/enter/{token}"


def enter(hall: Hall, token: str) -> str:
    """Spend a link; the cookie's text. VaultError."""
    now = hall.clock.now()
    name = hall.vault.open_staff_token(token, purpose="staff-link", now=now)
    digest = hashlib.sha256(token.encode()).hexdigest()
    try:
        hall.store.write(lambda connection: connection.execute(insert(used_links).values(digest=digest, at=to_ms(now))))
    except IntegrityError:
        raise VaultError("used before") from None
    return hall.vault.staff_token(name, purpose="staff-session", expires_at=int((now + SESSION_LIFE).timestamp()))


def staff_name(hall: Hall, cookie: str) -> str:
    """Who is signed in; VaultError."""
    return hall.vault.open_staff_token(cookie, purpose="staff-session", now=hall.clock.now())
