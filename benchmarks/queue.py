"""Part `queue`: the offline queue beside others on the same disk, what a filing costs, and a hundred thousand."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.forms import UNSEEN, forms, pictures
from benchmarks.queue_cost import build_counter, cost
from benchmarks.queue_peers import CONTENDERS, Contender, Ours
from benchmarks.queue_scale import scale
from benchmarks.queue_sides import Sides, on_a_slower_disk, side_by_side
from benchmarks.report import ROOT, Figure
from kiosk.contract.batch import framed_size
from kiosk.contract.sealing import SealingKey, new_session, seal_submission
from kiosk.contract.signing import SigningKey
from kiosk.contract.wire import canonical_json

_COST_FILINGS = 256
_ROWS = 100_000
_WIRE_FORMS = 600

SLOW_SYNC_US = 1000
"""About what a consumer's SSD without power-loss capacitors takes (M. Callaghan, Small Datum, 2026-01-07). A virtual
machine's disk may answer in a tenth of it, for its host remembers."""
PUT_LIMIT = 1 / 0.85
"""Time of a sealed put to the time of raw sqlite3's."""
CYCLE_LIMIT = 1 / 2.0
WIRE_LIMIT = 0.40
SYNCS_LIMIT = 1.05
KIB_LIMIT = 12.0

Progress = Callable[[str], None]


def measure(_: Path, on_progress: Progress) -> list[Figure]:
    """All figures of the part. On the disk of the checkout: a folder in memory has no fsync worth measuring."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="queue-bench-", dir=build) as folder:
        root = Path(folder)
        return [
            *_side_by_side(root / "peers", on_progress),
            *_slower(root, on_progress),
            *_costs(root, on_progress),
            *_many(root / "scale", on_progress),
            *_wire(on_progress),
        ]


def _side_by_side(root: Path, on_progress: Progress) -> list[Figure]:
    on_progress(f"put and deliver: {', '.join(contender.name for contender in CONTENDERS)}")
    sides = side_by_side(CONTENDERS, root)
    figures = [
        *(_of(contender, "put", sides.puts[contender.name]) for contender in CONTENDERS),
        *(_of(contender, "cycle", sides.cycles[contender.name]) for contender in CONTENDERS),
    ]
    session = [_session_us() for _ in range(50)]
    return [
        *figures,
        *_to_raw("", "medians", sides),
        Figure(name="queue_session", about="once a citizen: a key, wrapped twice", unit="us", values=tuple(session)),
    ]


def _slower(root: Path, on_progress: Progress) -> list[Figure]:
    """Sealing costs processor time whatever the disk; what it is to a filing depends on what a sync takes."""
    on_progress(f"the same where a sync takes {SLOW_SYNC_US / 1000:g} ms")
    sides = on_a_slower_disk(root / "slower", counter=build_counter(root), sync_us=SLOW_SYNC_US)
    return _to_raw("_slower", f"where a sync takes {SLOW_SYNC_US / 1000:g} ms", sides)


def _of(contender: Contender, what: str, values: list[float]) -> Figure:
    """A peer is compared with raw sqlite3."""
    return Figure(
        name=f"queue_{what}_{contender.name}",
        about=contender.about,
        unit="us",
        values=tuple(values),
        peer="" if contender.name == "raw" else f"queue_{what}_raw",
    )


def _to_raw(suffix: str, where: str, sides: Sides) -> list[Figure]:
    """Against plain JSON, which is the goal, and against our own envelopes, which leaves sealing out of it."""
    return [
        Figure(
            name=f"queue_{what}_to_{peer}{suffix}",
            about=f"{words} to raw sqlite3's of {stored}, {where}",
            unit="x",
            values=(statistics.median(values["ours"]) / statistics.median(values[peer]),),
            limit=limit if peer == "raw" else None,
        )
        for what, words, values, limit in (
            ("put", "sealed put", sides.puts, PUT_LIMIT),
            ("cycle", "put, claim and ack", sides.cycles, CYCLE_LIMIT),
        )
        for peer, stored in (("raw", "plain JSON"), ("raw_sealed", "the same envelopes"))
    ]


def _session_us() -> float:
    hall, recovery = SealingKey.generate(), SealingKey.generate()
    began = time.perf_counter()
    new_session(terminal_id="T001", hall_public=hall.public, recovery_public=recovery.public)
    return (time.perf_counter() - began) * 1e6


def _costs(root: Path, on_progress: Progress) -> list[Figure]:
    """fsyncs and bytes of a filing put and delivered; who does not sync has nothing to compare."""
    counter = build_counter(root)
    figures = []
    for contender in (contender for contender in CONTENDERS if contender.durable):
        on_progress(f"fsyncs and bytes: {contender.name}")
        told = cost(root / "cost", contender.name, counter=counter, count=_COST_FILINGS)
        ours = contender.name == "ours"
        for what, unit, limit in (
            ("syncs", "fsyncs", SYNCS_LIMIT),
            ("handed_kib", "KiB", None),
            ("written_kib", "KiB", KIB_LIMIT),
        ):
            figures.append(
                Figure(
                    name=f"queue_{what}_{contender.name}",
                    about=_COST_WORDS[what],
                    unit=unit,
                    values=(told[what],),
                    limit=limit if ours else None,
                    peer=f"queue_{what}_raw" if contender.name != "raw" else "",
                )
            )
    return figures


_COST_WORDS = {
    "syncs": "a filing of 2.3 KB, put and delivered: fsync and fdatasync",
    "handed_kib": "the same: bytes given to write calls (/proc/self/io, wchar)",
    "written_kib": "the same: bytes in whole blocks on their way to the disk (write_bytes)",
}


def _many(folder: Path, on_progress: Progress) -> list[Figure]:
    """A hundred thousand pending, a hundred thousand past."""
    on_progress(f"{_ROWS} waiting and {_ROWS} past")
    told = scale(folder, _ROWS)
    many = f"with {_ROWS} waiting and {_ROWS} past"
    return [
        _single("queue_claim_ratio", f"claim of 32 {many}, to an empty store's", "x", _claims(told), 1.5),
        _single("queue_memory", f"resident memory more than with an empty store, {many}", "MiB", told["rss_mib"], 8.0),
        Figure(name="queue_open", about=f"opening {many}", unit="ms", values=tuple(told["open_ms"]), limit=50.0),
        Figure(
            name="queue_step",
            about="how long one piece of work holds the store, delivering them all and giving room back",
            unit="ms",
            values=tuple(told["steps_ms"]),
            limit=50.0,
        ),
        _single("queue_room_back", "time to give the room back, idle", "s", told["back_s"], 60.0),
        _single("queue_disk", "disk afterwards, to a copy without gaps", "x", told["disk_ratio"], 1.1),
    ]


def _claims(told: dict[str, float]) -> float:
    return told["claim_full_us"] / told["claim_empty_us"]


def _single(name: str, about: str, unit: str, value: float, limit: float) -> Figure:
    return Figure(name=name, about=about, unit=unit, values=(value,), limit=limit)


def _wire(on_progress: Progress) -> list[Figure]:
    """Bytes in a batch to bytes of JSON."""
    on_progress("bytes on the wire")
    figures = []
    for name, about, only in (
        ("queue_wire", "envelope in a batch, to its JSON: forms of every kind", ""),
        ("queue_wire_unseen", "the same: a form that the dictionary was not trained on", UNSEEN),
    ):
        wire = plain = 0
        signing, session = SigningKey.generate(), Ours.seal()
        for form in itertools.islice(forms("wire", only=only), _WIRE_FORMS):
            here = form.model_copy(update={"terminal_id": session.terminal_id})
            sealed = seal_submission(here, sealed_blobs=pictures(here), session=session, signing=signing)
            wire += framed_size(len(sealed))
            plain += len(canonical_json(here))
        figures.append(_single(name, about, "x", wire / plain, WIRE_LIMIT))
    return figures
