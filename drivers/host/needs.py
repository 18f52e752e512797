"""What a host demands of the driver of each device: its verbs, and how much memory and time it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.core.devices import DeviceKind

_MIB: Final = 1024 * 1024
_HUGE: Final = 4


@dataclass(frozen=True, slots=True)
class Needs:
    """Demands on one driver."""

    verbs: frozenset[str]
    """Without them the driver is of no use; `self_test` goes without saying."""
    memory: int
    """Resident bytes; a worker over it has a leak and is replaced before it takes the machine with it."""
    deep_test_s: float
    """For a deep self-test: as long as the device's main command may take."""
    quick_test_s: float = 10.0
    """A quick one takes 2 s at most; the rest is patience with a busy machine."""

    @property
    def data_limit(self) -> int:
        """RLIMIT_DATA of the worker, bytes: ends one huge allocation at once, which the watch would see too late.

        It counts what is asked for and not what is used (stacks of threads, a library's pools), hence the room.
        """
        return _HUGE * self.memory


def _needs(*verbs: str, memory_mib: int, deep_test_s: float) -> Needs:
    return Needs(frozenset(verbs), memory_mib * _MIB, deep_test_s)


NEEDS: Final[Mapping[DeviceKind, Needs]] = {
    DeviceKind.ID_CARD: _needs("read", memory_mib=200, deep_test_s=10),
    DeviceKind.RECEIPT: _needs("print", memory_mib=400, deep_test_s=30),
    DeviceKind.PAGE: _needs("print", "fate", memory_mib=300, deep_test_s=120),
    DeviceKind.CAMERA: _needs("start_preview", "stop_preview", "capture", memory_mib=600, deep_test_s=15),
    DeviceKind.SOCIAL_CARD: _needs("read", memory_mib=200, deep_test_s=10),
    DeviceKind.SCANNER: _needs(memory_mib=200, deep_test_s=15),
    DeviceKind.SITE_IO: _needs("light", memory_mib=200, deep_test_s=10),
}
"""Ceilings are some four times what a driver takes after a day's work."""
