"""What a fault means on a device (故障): looked up in the one table that citizens, technicians and tests share."""

from __future__ import annotations

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState
from kiosk.core.fault_fields import Condition, FaultEntry, Persistence
from kiosk.core.fault_table import CONDITIONS, DEVICE_FAULTS, DEVICES, FAULTS


def fault_entry(trouble: Fault | Condition, device: DeviceKind) -> FaultEntry:
    """The row of a fault or condition, in the words of this device."""
    if isinstance(trouble, Condition):
        return CONDITIONS[trouble].on(DEVICES[device])
    return DEVICE_FAULTS.get((trouble, device), FAULTS[trouble]).on(DEVICES[device])


def is_permanent(fault: Fault) -> bool:
    """Trying again changes nothing until a technician has been there."""
    return FAULTS[fault].lasts is Persistence.PERMANENT


def trouble_of(status: DeviceStatus) -> Fault | Condition | None:
    """What is the matter with a device; None for one that is well and has enough of everything."""
    supplies = (status.paper, status.toner)
    if status.fault is not None:
        return status.fault
    match status.state:
        case DeviceState.STARTING | DeviceState.UNKNOWN:
            return Condition.NOT_KNOWN
        case DeviceState.ERROR:
            return Condition.DEVICE_ERROR
        case DeviceState.OFFLINE:
            return Fault.UNREACHABLE
        case DeviceState.ONLINE if status.media is MediaState.JAMMED:
            return Condition.JAMMED
        case DeviceState.ONLINE if Level.OUT in supplies:
            return Condition.SUPPLIES_OUT
        case DeviceState.ONLINE if Level.UNKNOWN in supplies:
            return Condition.SUPPLIES_UNKNOWN
        case DeviceState.ONLINE if status.paper is Level.LOW:
            return Condition.PAPER_LOW
        case DeviceState.ONLINE if status.toner is Level.LOW:
            return Condition.TONER_LOW
        case DeviceState.ONLINE:
            return None
