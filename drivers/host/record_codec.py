"""What is known of a device, as JSON for the technician's desk; pure. CodecError as in `drivers.host.codec`."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import datetime

from drivers.host.codec import CodecError, Json, dump_status, load_status, take, take_enum
from kiosk.core.devices import DeviceRecord, DriverProcess, Fault, LastError, SelfTest


def dump_record(record: DeviceRecord) -> Json:
    """DeviceRecord as JSON."""
    driver = record.driver
    return {
        "status": dump_status(record.status),
        "driver": {**asdict(driver), "capabilities": sorted(driver.capabilities)},
        "last_error": dump_last_error(record.last_error) if record.last_error else None,
        "self_test": dump_self_test(record.self_test) if record.self_test else None,
    }


def load_record(raw: Json) -> DeviceRecord:
    """JSON as DeviceRecord; CodecError."""
    driver = take(raw, "driver", dict)
    return DeviceRecord(
        status=load_status(take(raw, "status", dict)),
        driver=DriverProcess(
            pid=take(driver, "pid", int) if driver.get("pid") is not None else None,
            version=take(driver, "version", int),
            capabilities=frozenset(str(verb) for verb in take(driver, "capabilities", list)),
            restarts=take(driver, "restarts", int),
            resident_bytes=take(driver, "resident_bytes", int),
        ),
        last_error=load_last_error(take(raw, "last_error", dict)) if raw.get("last_error") is not None else None,
        self_test=load_self_test(take(raw, "self_test", dict)) if raw.get("self_test") is not None else None,
    )


def dump_last_error(error: LastError) -> Json:
    """LastError as JSON."""
    return {
        "fault": error.fault.value,
        "at": error.at.isoformat(),
        "during": error.during,
        "detail": error.detail,
    }


def load_last_error(raw: Json) -> LastError:
    """JSON as LastError; CodecError."""
    return LastError(
        take_enum(raw, "fault", Fault), take_instant(raw, "at"), take(raw, "during", str), take(raw, "detail", str)
    )


def dump_self_test(test: SelfTest) -> Json:
    """SelfTest as JSON."""
    return {
        "passed": test.passed,
        "deep": test.deep,
        "seconds": float(test.seconds),
        "at": test.at.isoformat(),
        "fault": test.fault.value if test.fault else "",
        "detail": test.detail,
    }


def load_self_test(raw: Json) -> SelfTest:
    """JSON as SelfTest; CodecError."""
    seconds = take(raw, "seconds", float)
    if not math.isfinite(seconds):
        raise CodecError("seconds: finite number expected")
    return SelfTest(
        passed=take(raw, "passed", bool),
        deep=take(raw, "deep", bool),
        seconds=seconds,
        at=take_instant(raw, "at"),
        fault=take_enum(raw, "fault", Fault) if raw.get("fault") != "" else None,
        detail=take(raw, "detail", str),
    )


def take_instant(raw: Json, name: str) -> datetime:
    """Field `name` as an ISO 8601 instant with its offset from UTC; CodecError."""
    try:
        instant = datetime.fromisoformat(take(raw, name, str))
    except ValueError:
        raise CodecError(f"{name}: no instant") from None
    if instant.tzinfo is None:
        raise CodecError(f"{name}: no instant")
    return instant
