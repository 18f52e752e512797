"""Part `link` (Q6): a backlog over a poor line, the real hall at one end, the real queue process at the other.

The peer is measured in the same run: the same envelopes, one request each over one connection that stays open.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.report import Figure
from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from tests.net.fleet import City, come_back
from tests.net.fleet import figures as city_figures
from tests.net.netemu import MOUNTAIN, VILLAGE, Profile, why_not
from tests.net.village import FAST, Drained, Village, drain, village

OUTAGE_ITEMS = 5000
GOODPUT_ITEMS = 600
GOODPUT_TEXT = 1000
"""Characters of an answer that make an envelope of about 2 KB; a common question has far fewer."""
PEER_ITEMS = 20
FRESH_ITEMS = 30
FRESH_EVERY_S = 0.7


def measure(root: Path, on_progress: Callable[[str], None]) -> list[Figure]:
    """All figures of the part; those of the city alone where lines cannot be emulated."""
    on_progress("a city of 20,000 terminals comes back at once")
    figures = _city()
    if refusal := why_not():
        on_progress(f"lines are not measured: {refusal}")
        return figures
    root.mkdir(parents=True, exist_ok=True)
    with village(root) as place:
        for name, profile, share, items in (
            ("village", VILLAGE, 0.85, GOODPUT_ITEMS),
            ("mountain", MOUNTAIN, 0.70, GOODPUT_ITEMS // 4),
        ):
            on_progress(f"{name}: {items} submissions of 2 KB")
            figures += _goodput(place, name, profile, share=share, items=items)
        on_progress(f"outage: {OUTAGE_ITEMS} submissions, then the line returns")
        figures += _outage(place)
        on_progress("a citizen files while the backlog drains, and when there is none")
        figures += _citizen(place)
    return figures


def _city() -> list[Figure]:
    """Q10: simulated, with the real scheduling classes of terminal and hall."""
    city = City()
    found = city_figures(city, come_back(city))
    about = f"{city.terminals} terminals with {city.batches} batches each; ideal {city.ideal_s:.0f} s"
    return [
        Figure(name=f"link.city.{name}", about=about, unit=unit, values=(found[name],), limit=limit)
        for name, unit, limit in (
            ("of_ideal", "x ideal", 1.15),
            ("peak_of_capacity", "x capacity", 2.0),
            ("put_off", "share", 0.06),
        )
    ]


def _prepared(place: Village, items: int, profile: Profile, *, text: int = 0) -> list[SealedSubmission]:
    """Filed while there is no line; then the queue process dies, so that none of them counts as just filed."""
    place.line.become(FAST)
    place.start_queue()
    place.line.become(dataclasses.replace(profile, blackout=True))
    filings = place.seal(items, text=text)
    place.file(filings)
    place.stop_queue()
    return filings


def _goodput(place: Village, name: str, profile: Profile, *, share: float, items: int) -> list[Figure]:
    filings = _prepared(place, items, profile, text=GOODPUT_TEXT)
    took = drain(place, filings, profile, fresh=(), seconds=600)
    place.stop_queue()
    alone = _one_by_one(place, filings, profile)
    ideal = took.bytes * 8 / profile.rate_bps
    per_item = took.seconds / items
    return [
        Figure(
            name=f"link.{name}.drain",
            about=f"drain of {items} submissions over the bare line's time; goodput {ideal / took.seconds:.2f} of it",
            unit="x ideal",
            values=(took.seconds / ideal,),
            limit=1 / share,
        ),
        Figure(
            name=f"link.{name}.one_each",
            about="a submission, one request each on one open connection",
            unit="ms",
            values=tuple(seconds * 1000 for seconds in alone),
        ),
        Figure(
            name=f"link.{name}.batched",
            about="a submission in the drain",
            unit="ms",
            values=(per_item * 1000,),
            limit=sum(alone) / len(alone) * 1000 / 12 if name == "village" else None,
            peer=f"link.{name}.one_each",
        ),
    ]


def _one_by_one(place: Village, filings: Sequence[SealedSubmission], profile: Profile) -> list[float]:
    """The hall has them; it looks, and signs as before: what is measured is the line."""
    place.line.become(profile)

    def run() -> list[float]:
        client = place.client()
        client.manifest()
        seconds = []
        for sealed in filings[:PEER_ITEMS]:
            began = time.monotonic()
            while not isinstance(client.submit(sealed.envelope), Ok):
                continue
            seconds.append(time.monotonic() - began)
        client.close()
        return seconds

    return place.line.at("terminal", run)


def _outage(place: Village) -> list[Figure]:
    filings = _prepared(place, OUTAGE_ITEMS, VILLAGE)
    took = drain(place, filings, VILLAGE, fresh=(), seconds=600)
    place.stop_queue()
    alone = _one_by_one(place, filings, VILLAGE)
    arrived = [name for name in place.arrivals() if name in {sealed.id for sealed in filings}]
    order = {name: at for at, name in enumerate(arrived)}
    apart = max(abs(order[sealed.id] - at) for at, sealed in enumerate(filings))
    return [
        Figure(
            name="link.outage.drain",
            about=f"{OUTAGE_ITEMS} submissions of an outage, from the first word with the hall",
            unit="s",
            values=(took.seconds,),
            limit=45.0,
        ),
        Figure(
            name="link.outage.one_each",
            about="one of these, one request each on one open connection",
            unit="ms",
            values=tuple(seconds * 1000 for seconds in alone),
        ),
        Figure(
            name="link.outage.batched",
            about="one of these in the drain",
            unit="ms",
            values=(took.seconds / OUTAGE_ITEMS * 1000,),
            limit=sum(alone) / len(alone) * 1000 / 12,
            peer="link.outage.one_each",
        ),
        Figure(
            name="link.outage.order",
            about="places between filing and arrival; within the batches on the way at once",
            unit="places",
            values=(float(apart),),
            limit=256.0 + 64.0,
        ),
    ]


def _citizen(place: Village) -> list[Figure]:
    filings = _prepared(place, OUTAGE_ITEMS, VILLAGE)
    place.line.become(FAST)
    place.start_queue()
    idle, fresh = place.seal(FRESH_ITEMS), place.seal(FRESH_ITEMS)
    place.stop_queue()
    took: Drained = drain(place, filings, VILLAGE, fresh=fresh, seconds=600, every=FRESH_EVERY_S)
    quiet = []
    for sealed in idle:
        quiet.append(place.deliver_one(sealed))
        time.sleep(FRESH_EVERY_S)
    place.stop_queue()
    alone = Figure(
        name="link.citizen.idle",
        about="filed until delivered, nothing else on the line",
        unit="ms",
        values=tuple(seconds * 1000 for seconds in quiet),
    )
    return [
        alone,
        Figure(
            name="link.citizen.drain_p95",
            about=f"p95 of {len(took.waited)} filed while a backlog drains, over the p95 when idle",
            unit="x idle",
            values=(
                Figure(name="", about="", unit="", values=tuple(took.waited)).percentile(0.95)
                * 1000
                / alone.percentile(0.95),
            ),
            limit=2.0,
        ),
    ]
