"""What a scanner's trouble means for the terminal; pure."""

from __future__ import annotations

import errno

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault

_OF_ERRNO = {
    errno.EACCES: Fault.PERMISSION,
    errno.EPERM: Fault.PERMISSION,
    errno.EROFS: Fault.PERMISSION,
    errno.EAGAIN: Fault.IN_USE,  # the lock of whoever has it open (flock)
    errno.EBUSY: Fault.IN_USE,
    errno.EISDIR: Fault.MISCONFIGURED,
    errno.ENOTTY: Fault.MISCONFIGURED,
    errno.EINVAL: Fault.MISCONFIGURED,
}


def fault_of(number: int | None) -> Fault:
    """Why a port cannot be opened, by errno; whatever else there is means that nothing is there."""
    return Fault.UNREACHABLE if number is None else _OF_ERRNO.get(number, Fault.UNREACHABLE)


def starting(identity: str) -> DeviceStatus:
    """Nothing is known yet."""
    return DeviceStatus(DeviceKind.SCANNER, DeviceState.STARTING, identity=identity)


def well(identity: str) -> DeviceStatus:
    """It listens."""
    return DeviceStatus(DeviceKind.SCANNER, DeviceState.ONLINE, identity=identity)


def troubled(identity: str, fault: Fault, detail: str = "") -> DeviceStatus:
    """Away is offline; there but of no use is an error."""
    state = DeviceState.OFFLINE if fault is Fault.UNREACHABLE else DeviceState.ERROR
    return DeviceStatus(DeviceKind.SCANNER, state, fault=fault, identity=identity, detail=detail)
