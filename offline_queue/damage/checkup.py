"""Is everything that is held here whole? Structures, hashes and signatures; nothing is opened, for nobody here can."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kiosk.contract.envelope import EnvelopeError, parse_envelope
from kiosk.contract.signing import PublicKeys, SignatureError, verify_envelope
from kiosk.core.ports import StoreError, StoreFault
from kiosk.core.result import Err, Ok, Result
from offline_queue.ipc.access import Held, QueueAccess
from offline_queue.journal.check import verify_journal
from offline_queue.keys.identity import NotEnrolled, load_identity
from offline_queue.media.files import load_book


@dataclass(slots=True)
class Report:
    """What was looked at, and what is wrong: one plain line each, with ids and never contents."""

    schema: int = 0
    held: int = 0
    blobs: int = 0
    journal: str = ""
    faults: list[str] = field(default_factory=list)

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "ok": not self.faults}

    def words(self) -> str:
        """One line."""
        journal = f"  journal {self.journal}" if self.journal else ""
        return f"schema {self.schema}  held {self.held}  materials {self.blobs}{journal}  faults {len(self.faults)}"


def check_queue(queue: QueueAccess, data: Path) -> Result[Report, StoreError]:
    """Look at all of it; Err if the store stops answering."""
    report = Report()
    inspected = queue.inspect()
    if isinstance(inspected, Err):
        return inspected
    report.schema = inspected.value["schema"]
    report.faults += [f"database: {fault}" for fault in inspected.value["faults"]]
    if inspected.value["foreign"]:
        report.faults.append(f"database: {inspected.value['foreign']} rows without their submission")
    keys = _keys(data)
    for found in queue.held():
        if isinstance(found, Err):
            return found
        stop = _check(queue, found.value, keys, report)
        if stop is not None:
            return Err(stop)
    journal = verify_journal(data)
    report.journal = "whole" if journal.ok else "damaged"
    report.faults += [f"journal: {finding.code} at {finding.seq} in {finding.where}" for finding in journal.findings]
    return Ok(report)


def _keys(data: Path) -> PublicKeys:
    """This terminal's, and those of terminals whose queues came here."""
    keys = {id_: base64.b64decode(public) for id_, public in load_book(data).foreign_keys.items()}
    try:
        own = load_identity(data).signing
    except NotEnrolled:
        return keys
    return {**keys, own.id: own.public}


def _check(queue: QueueAccess, held: Held, keys: PublicKeys, report: Report) -> StoreError | None:
    item = held.item
    report.held += 1
    envelope = queue.envelope(held)
    if isinstance(envelope, Err):
        return _note(report, f"{item.id}: envelope", envelope.error)
    try:
        parsed = parse_envelope(envelope.value)
        verify_envelope(parsed, keys)
        if parsed.header.id != item.id or parsed.header.blobs != item.blobs:
            report.faults.append(f"{item.id}: envelope of another submission")
    except (EnvelopeError, SignatureError) as error:
        report.faults.append(f"{item.id}: {error}")
    for blob in item.blobs:
        report.blobs += 1
        data = queue.blob(blob.sha256)
        if isinstance(data, Err) and (stop := _note(report, f"{item.id}: material {blob.sha256[:8]}", data.error)):
            return stop
    return None


def _note(report: Report, what: str, error: StoreError) -> StoreError | None:
    """Damage is noted, a store that is down ends the checkup."""
    if error.fault is not StoreFault.BROKEN:
        return error
    report.faults.append(f"{what}: {error.detail or 'damaged'}")
    return None
