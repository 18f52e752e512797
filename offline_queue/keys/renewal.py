"""证书续期: at two thirds of its life a terminal's certificate and its signing key are replaced, by themselves.

New keys are made here, the hall signs for them, the folder changes in one step, and the old generation is kept until
the hall has answered to the new one. A failure is tried again after a 90th of the life (a day); a new generation that
the hall does not know is given up for the old one.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from threading import Event
from typing import Protocol

from kiosk.contract.enrolment import EnrolResponse, RenewRequest
from kiosk.contract.signing import SigningKey
from kiosk.core.profile import DataLayout
from kiosk.core.result import Err, Result
from offline_queue.keys.generations import REPLACES, Generations
from offline_queue.keys.identity import NotEnrolled, load_identity
from offline_queue.keys.renewal_keys import (
    BadGeneration,
    Validity,
    check_answer,
    new_tls_key,
    renew_request,
    validity,
)
from offline_queue.seal import card_secret
from offline_queue.uplink.policy import CallError, Trouble
from offline_queue.uplink.sync_state import SyncState

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RenewalPlan:
    """When, as parts of a certificate's life."""

    due: float = 2 / 3
    again: float = 1 / 90
    """After a failure; also how far a fleet that was enrolled on one day is spread."""


class RenewalState(StrEnum):
    """For the technician."""

    FRESH = "fresh"
    DUE = "due"
    """It is time; tried again by itself."""
    UNCONFIRMED = "unconfirmed"
    """Replaced; the hall has not answered to the new one yet."""
    EXPIRED = "expired"
    """Too late: only a new enrolment helps, or a clock that is right."""


def due_at(life: Validity, *, terminal_id: str, plan: RenewalPlan) -> datetime:
    """The moment of renewal: the same for one terminal, spread over a fleet."""
    whole = life.ends - life.begins
    share = int.from_bytes(hashlib.sha256(terminal_id.encode()).digest()[:4]) / 2**32
    return life.begins + whole * plan.due + whole * plan.again * share


def again_after(life: Validity, plan: RenewalPlan) -> timedelta:
    """The pause after a failure."""
    return max(timedelta(seconds=1), (life.ends - life.begins) * plan.again)


def renewal_state(
    life: Validity, *, terminal_id: str, now: datetime, unconfirmed: bool, plan: RenewalPlan
) -> RenewalState:
    """What to do about a certificate now; `now` by the hall's clock where it is known."""
    if unconfirmed:
        return RenewalState.UNCONFIRMED
    if now >= life.ends:
        return RenewalState.EXPIRED
    return RenewalState.DUE if now >= due_at(life, terminal_id=terminal_id, plan=plan) else RenewalState.FRESH


class Renewer(Protocol):
    """The two calls to the hall, each with the identity that is current when it is made."""

    def renew(self, request: RenewRequest) -> Result[EnrolResponse, CallError]:
        """Ask for the next certificate."""
        ...

    def confirm_renewal(self) -> Result[None, CallError]:
        """Call with the new one."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...


class RenewalFailed(RuntimeError):
    """Not this time; the message is a stable code for the technician."""


class Renewal:
    """One terminal's renewal; `step` does what is due now."""

    def __init__(
        self,
        data: Path,
        *,
        hall: Callable[[], Renewer],
        now: Callable[[], datetime],
        changed: Callable[[], None],
        plan: RenewalPlan | None = None,
    ) -> None:
        """`changed` is told after the identity on disk was replaced, before the hall is called with it."""
        self._data = data
        self._layout = DataLayout(data)
        self._folders = Generations(Path(self._layout.identity))
        self._hall = hall
        self._now = now
        self._changed = changed
        self._plan = plan or RenewalPlan()

    def state(self) -> RenewalState:
        """NotEnrolled, BadGeneration or OSError."""
        life = validity(Path(self._layout.tls_certificate))
        return renewal_state(
            life,
            terminal_id=load_identity(self._data).terminal_id,
            now=self._now(),
            unconfirmed=self._folders.old.is_dir(),
            plan=self._plan,
        )

    def step(self) -> float:
        """Do what is due; seconds until the next look. RenewalFailed, NotEnrolled, BadGeneration, OSError."""
        self._recover()
        life = validity(Path(self._layout.tls_certificate))
        match self.state():
            case RenewalState.UNCONFIRMED:
                self._confirm()
            case RenewalState.DUE:
                self._renew()
                self._confirm()
            case RenewalState.FRESH:
                self._folders.forget(self._folders.next)
            case RenewalState.EXPIRED:
                raise RenewalFailed("expired")
        return self.pause(life)

    def run(self, stopped: Event, *, state: SyncState, pause_s: float) -> None:
        """Until `stopped`: look after `pause_s` seconds, then whenever it is worth it. Trouble is told to `state`."""
        while not stopped.wait(pause_s):
            try:
                pause_s = self.step()
                state.well(_SOURCE)
            except (RenewalFailed, BadGeneration, NotEnrolled, OSError) as error:
                # Whatever it is, the old certificate is good for a month yet, and it is tried again.
                code = str(error) if isinstance(error, RenewalFailed) else type(error).__name__
                state.trouble(_SOURCE, f"renewal_{code}")
                _log.warning("certificate not renewed: %s", code)
                pause_s = self._after_failure()

    def _after_failure(self) -> float:
        try:
            return self.pause()
        except (BadGeneration, OSError):
            return _NO_CERTIFICATE_S

    def pause(self, life: Validity | None = None) -> float:
        """Seconds until it is worth looking again; BadGeneration or OSError."""
        return again_after(life or validity(Path(self._layout.tls_certificate)), self._plan).total_seconds()

    def _recover(self) -> None:
        """After a crash between the two steps of a swap, or an enrolment that made a begun renewal pointless."""
        ready, current = self._folders.next, self._folders.current
        if not (ready / "terminal.json").is_file():
            return
        if _replaces(current) == _name(ready):
            self._folders.settle()
        elif _replaces(ready) != _name(current):
            self._folders.forget(ready)

    def _renew(self) -> None:
        identity = load_identity(self._data)
        folder = self._folders.next
        if not (folder / "terminal.json").is_file():
            keys = self._keys(folder)
            request = renew_request(terminal_id=identity.terminal_id, tls_key=keys[0], signing_key=keys[1])
            with_hall = self._hall()
            try:
                answer = with_hall.renew(request)
            finally:
                with_hall.close()
            if isinstance(answer, Err):
                raise RenewalFailed(answer.error.name)
            root = Path(self._layout.ca).read_bytes()
            check_answer(answer.value, terminal_id=identity.terminal_id, tls_key=keys[0], root=root)
            own = {"tls.pem": answer.value.certificate.encode(), "ca.pem": root}
            self._folders.keep(folder, {**own, REPLACES: _name(self._folders.current)})
            # Last: a folder that has it is whole.
            self._folders.keep(folder, {"terminal.json": answer.value.model_dump_json().encode()})
        keep_for_old_papers(Path(self._layout.identity), identity.signing)
        self._folders.swap_in()
        _log.info("certificate renewed")
        self._changed()

    def _keys(self, folder: Path) -> tuple[bytes, bytes]:
        """Made once: the same request again gets the same certificate, also after a crash."""
        tls, signing = folder / "tls.key", folder / "signing.key"
        if not tls.is_file():
            self._folders.keep(folder, {"tls.key": new_tls_key()})
        if not signing.is_file():
            self._folders.keep(folder, {"signing.key": SigningKey.generate().pem()})
        return tls.read_bytes(), signing.read_bytes()

    def _confirm(self) -> None:
        with_hall = self._hall()
        try:
            done = with_hall.confirm_renewal()
        finally:
            with_hall.close()
        if isinstance(done, Err):
            if not_known(done.error):
                _log.warning("the renewed certificate is refused: %s", done.error.name)
                self._folders.swap_back()
                self._changed()
            raise RenewalFailed(done.error.name)
        self._folders.forget(self._folders.old)
        _log.info("certificate confirmed")


def _name(folder: Path) -> bytes:
    """Names a generation by its certificate."""
    return hashlib.sha256((folder / "tls.pem").read_bytes()).hexdigest().encode()


def _replaces(folder: Path) -> bytes:
    """Which generation this one replaces; empty for one that came by enrolment."""
    return (folder / REPLACES).read_bytes() if (folder / REPLACES).is_file() else b""


def not_known(error: CallError) -> bool:
    """Does the hall refuse this certificate, rather than not answer?"""
    return error.trouble is Trouble.PROBLEM and error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


_SOURCE = "renewal"
_NO_CERTIFICATE_S = 3600.0
CARD_SECRET = "card.key"  # noqa: S105 - the name of a file
FORMER_KEYS = "former.keys"


def keep_for_old_papers(identity: Path, signing: SigningKey) -> None:
    """Before a signing key goes: what cards unlock here stays what it was, and receipts signed with it stay ours."""
    secret = identity / CARD_SECRET
    folders = Generations(identity)
    if not secret.is_file():
        folders.keep(identity, {CARD_SECRET: card_secret(signing)})
    known = (identity / FORMER_KEYS).read_bytes() if (identity / FORMER_KEYS).is_file() else b""
    folders.keep(identity, {FORMER_KEYS: known.replace(signing.public, b"") + signing.public})
