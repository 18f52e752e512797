"""What a camera's trouble means for the terminal; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault


def starting(identity: str) -> DeviceStatus:
    """Nothing is known yet."""
    return DeviceStatus(DeviceKind.CAMERA, DeviceState.STARTING, identity=identity)


def well(identity: str) -> DeviceStatus:
    """A picture came."""
    return DeviceStatus(DeviceKind.CAMERA, DeviceState.ONLINE, identity=identity)


def troubled(identity: str, fault: Fault, detail: str = "") -> DeviceStatus:
    """Away is offline; there but of no use (frozen, no camera at all) is an error; one in the dark does its work."""
    match fault:
        case Fault.NO_CAMERA:
            state = DeviceState.OFFLINE
        case Fault.DARK:
            state = DeviceState.ONLINE
        case _:
            state = DeviceState.ERROR
    return DeviceStatus(DeviceKind.CAMERA, state, fault=fault, identity=identity, detail=detail)


@dataclass(frozen=True, slots=True)
class Light:
    """Is there light? A hand over the lens is no fault yet, and darkness is not believed for ever: the lamp over the
    camera may be lit only while somebody uses it. Times are monotonic seconds."""

    patience_s: float = 3.0
    """A preview may be black for so long."""
    forget_s: float = 30.0
    """An idle camera that was dark is tried again after this."""
    black_since: float | None = None

    def after(self, *, black: bool, at: float) -> Light:
        """One more picture."""
        if not black:
            return replace(self, black_since=None)
        return self if self.black_since is not None else replace(self, black_since=at)

    def dark(self, at: float) -> bool:
        """Has a preview been black for too long?"""
        return self.black_since is not None and at - self.black_since >= self.patience_s

    def forgotten(self, at: float) -> bool:
        """May an idle camera be believed to be well again?"""
        return self.black_since is None or at - self.black_since >= self.forget_s
