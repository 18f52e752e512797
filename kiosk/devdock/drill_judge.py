"""What a record and the doctor's words say of a fault that is played. Pure."""

from __future__ import annotations

from datetime import datetime

from drivers.sim.fault_scripts import FaultScript
from kiosk.app.findings import Finding
from kiosk.app.technician import device_state
from kiosk.core.devices import DeviceRecord, Fault
from kiosk.core.faults import fault_entry, trouble_of


def wrong_finding(script: FaultScript, finding: Finding, record: DeviceRecord, breaking: datetime) -> str:
    """What is wrong with the doctor's words on a fault that was just named; empty if nothing is."""
    if finding.detail.get("fault") != (script.expect.fault or ""):
        # A fault of a command, or one that is over in a blink: the doctor has it from the record.
        if script.expect.fault in of_commands(record, breaking):
            return ""
        return f"the doctor names {finding.detail.get('fault') or 'no fault'}"
    words = fault_entry(script.trouble, script.device).technician
    if finding.verdict == "ok" or finding.detail.get("advice") != {"zh": words.zh, "en": words.en}:
        return f"the doctor says {finding.verdict}, {finding.advice or 'nothing'}"
    return ""


def of_commands(record: DeviceRecord, since: datetime) -> set[Fault]:
    """Faults of commands and self-tests since a moment."""
    tested, error = record.self_test, record.last_error
    faults = {
        tested.fault if tested and tested.at >= since else None,
        error.fault if error and error.at >= since else None,
    }
    return {fault for fault in faults if fault is not None}


def is_whole(record: DeviceRecord) -> bool:
    """Well, and enough of everything."""
    return trouble_of(record.status) is None


def told(record: DeviceRecord) -> str:
    """A record in few words, for whoever must find out what went otherwise."""
    words = [device_state(record.status), record.status.detail]
    words += [f"last error {record.last_error.fault} during {record.last_error.during}"] if record.last_error else []
    if record.self_test and not record.self_test.passed:
        words.append(f"self-test {record.self_test.fault}: {record.self_test.detail}")
    return "; ".join(filter(None, words))
