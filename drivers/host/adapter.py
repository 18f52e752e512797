"""What a device must be able to do inside its worker process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kiosk.core.devices import DeviceError, DeviceEvent, DeviceKind, DeviceStatus
from kiosk.core.result import Result

Args = dict[str, Any]
"""JSON object."""

Emit = Callable[[DeviceEvent], None]
"""Sends an event to the host; callable from any thread of the worker, never raises, never blocks for long."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command brought: a JSON object and bytes."""

    values: Args = field(default_factory=dict)
    blob: bytes = field(default=b"", repr=False)


class Adapter(Protocol):
    """One device. `drivers.host.worker.serve` drives it: open, then handle in the main thread, then close.

    Expected trouble is an `Err`; an exception ends the process and the host starts a new one.
    """

    @property
    def kind(self) -> DeviceKind:
        """Which device."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """Verbs that `handle` knows; the host refuses others."""
        ...

    @property
    def identity(self) -> str:
        """Which one: address or model, never personal data."""
        ...

    def open(self, emit: Emit) -> None:
        """Start own threads and return soon. A device that is away is a status, not an error."""
        ...

    def handle(self, verb: str, args: Args, blob: bytes) -> Result[Reply, DeviceError]:
        """Run one command to its end. One at a time, always in the main thread."""
        ...

    def self_test(self, *, deep: bool) -> Result[str, DeviceError]:
        """Prove that the device works (自检); Ok holds what was found, for technicians. In the main thread.

        Quick: identity, status, one exchange; no paper, no sound, nothing that a citizen would notice, at most 2 s.
        Deep: what the device is for, under the deadline of its main command.
        """
        ...

    def status(self) -> DeviceStatus:
        """As last seen; sent to the host once after `open`. Every later change is emitted as StatusChanged."""
        ...

    def close(self) -> None:
        """Stop own threads, leave the device in order."""
        ...
