"""What a camera's trouble means for the terminal; pure."""

from __future__ import annotations

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault


def starting(identity: str) -> DeviceStatus:
    """Nothing is known yet."""
    return DeviceStatus(DeviceKind.CAMERA, DeviceState.STARTING, identity=identity)


def well(identity: str) -> DeviceStatus:
    """A picture came."""
    return DeviceStatus(DeviceKind.CAMERA, DeviceState.ONLINE, identity=identity)


def troubled(identity: str, fault: Fault, detail: str = "") -> DeviceStatus:
    """Away is offline; there but of no use (frozen, no camera at all) is an error."""
    state = DeviceState.OFFLINE if fault is Fault.NO_CAMERA else DeviceState.ERROR
    return DeviceStatus(DeviceKind.CAMERA, state, fault=fault, identity=identity, detail=detail)
