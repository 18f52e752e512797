"""How a worker process ended, and what that means for the next one; pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace
from enum import StrEnum

from drivers.host.backoff import Backoff
from kiosk.core.devices import Fault

EXIT_USAGE = 64
"""sysexits(3) EX_USAGE: the worker does not understand its device's address."""
EXIT_UNEXPECTED = 70
"""EX_SOFTWARE: a thread of the adapter failed."""
EXIT_MEMORY = 71
"""EX_OSERR: no memory under the worker's own limit."""

_BROKEN_INSTALLATION = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOEXEC, errno.ENOTDIR, errno.ELOOP)
"""Not a machine that is out of processes for a moment."""


class Reason(StrEnum):
    """Why a worker's life ended."""

    ENDED = "process ended"
    SILENT = "no heartbeat"
    NO_HELLO = "no hello"
    PROTOCOL = "protocol"
    MISFIT = "not the driver that is wanted"
    """It speaks another version, is for another device, or lacks a verb."""
    USAGE = "does not understand its device's address"
    MEMORY = "memory"
    COMMAND = "command"
    """Killed over a command that it did not finish or not even take."""
    NO_START = "cannot start"
    HOST = "host failed"


@dataclass(frozen=True, slots=True)
class End:
    """The end of one life."""

    reason: Reason
    detail: str = ""
    exit_status: int | None = None
    """As of `subprocess`; None if there was no process."""
    error_number: int = 0
    """Why it could not be started."""

    def __str__(self) -> str:
        words = self.detail if self.reason is Reason.COMMAND else f"{self.reason}: {self.detail}".removesuffix(": ")
        return words if self.exit_status is None else f"{words} (exit {self.exit_status})"


def exited(end: End, status: int) -> End:
    """The same end, now that the process is gone: its exit status may say more than the silence that was seen."""
    if end.reason is Reason.ENDED and status == EXIT_USAGE:
        end = replace(end, reason=Reason.USAGE)
    elif end.reason is Reason.ENDED and status == EXIT_MEMORY:
        end = replace(end, reason=Reason.MEMORY, detail="none left under its own limit")
    return replace(end, exit_status=status)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the device has, and how long to wait until the driver is tried again."""

    fault: Fault
    wait_s: float


@dataclass(frozen=True, slots=True)
class Lives:
    """The series of lives behind one device.

    A temporary fault (DRIVER_LOST) is tried again soon, ever more slowly. A permanent one is tried twice a minute, in
    case that somebody has mended it: DRIVER_BROKEN when lives end in vain time and again or cannot begin at all,
    MISCONFIGURED when the worker does not understand what it is told.
    """

    backoff: Backoff = field(default_factory=Backoff)
    broken_after: int = 5
    """Lives in a row that ended before the device's first status."""
    permanent_s: float = 30.0
    vain: int = 0

    def after(self, end: End, *, lived_s: float, useful: bool) -> tuple[Judgement, Lives]:
        """One more life is over; `useful`: it told its device's status."""
        vain = 0 if useful else self.vain + 1
        if (fault := self._permanent(end, vain)) is not None:
            # Its next life starts a new series: what was mended comes back as fast as ever.
            return Judgement(fault, self.permanent_s), replace(
                self, vain=vain, backoff=replace(self.backoff, next_s=None)
            )
        wait_s, backoff = self.backoff.after(lived_s)
        return Judgement(Fault.DRIVER_LOST, wait_s), replace(self, vain=vain, backoff=backoff)

    def _permanent(self, end: End, vain: int) -> Fault | None:
        if end.reason is Reason.USAGE:
            return Fault.MISCONFIGURED
        if end.reason is Reason.MISFIT or (end.reason is Reason.NO_START and end.error_number in _BROKEN_INSTALLATION):
            return Fault.DRIVER_BROKEN
        return Fault.DRIVER_BROKEN if vain >= self.broken_after else None
