"""Part `link` (Q6): a backlog over a poor line, the real hall at one end, the real queue process at the other.

The peer is measured in the same run: the same envelopes, one request each over one connection that stays open.
"""

from __future__ import annotations

import dataclasses
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.forms import forms, pictures
from benchmarks.report import Figure
from kiosk.contract.batch import MAX_BATCH_ITEMS
from kiosk.core.ports import SealedSubmission
from kiosk.core.result import Ok
from offline_queue.seal import TerminalSealer
from offline_queue.uplink.submissions import BULK_LINES
from tests.net.fleet import City, come_back
from tests.net.fleet import figures as city_figures
from tests.net.netemu import MOUNTAIN, VILLAGE, Profile, why_not
from tests.net.village import FAST, Drained, Village, drain, village

OUTAGE_ITEMS = 5000
OUTAGE_RUNS = 3
CITIZEN_BACKLOG = 3000
PEER_ITEMS = 40
FRESH_ITEMS = 50
FRESH_EVERY_S = 0.4
_FORMS = 60


def measure(root: Path, on_progress: Callable[[str], None]) -> list[Figure]:
    """All figures of the part; those of the city alone where lines cannot be emulated."""
    on_progress("a city of 20,000 terminals comes back at once")
    figures = _city()
    if refusal := why_not():
        on_progress(f"lines are not measured: {refusal}")
        return figures
    with _village(root / "usual") as place:
        text = _usual_text(place)
    on_progress(f"outage: {OUTAGE_ITEMS} submissions, then a village's line returns, {OUTAGE_RUNS} times")
    figures += _outage(root, text)
    on_progress("the same outage, then a mountain's line returns")
    figures += _mountain(root, text)
    on_progress("a citizen files while the backlog drains, and when there is none")
    figures += _citizen(root, text)
    return figures


@contextmanager
def _village(folder: Path, *, seed: int = 1) -> Iterator[Village]:
    """One for each measurement: a terminal has 9,999 numbers a day. `seed`: which packets its line loses."""
    folder.mkdir(parents=True)
    with village(folder, seed=seed) as place:
        yield place


def _usual_text(place: Village) -> int:
    """How many characters make a consultation as large as the forms of the corpus are in the mean, sealed."""
    place.start_queue()
    sealer = TerminalSealer.of(place.machine.data)
    sizes = []
    for form in itertools.islice(forms("link"), _FORMS):
        session = sealer.open_session()
        sizes.append(len(session.seal(form, pictures(form)).envelope))
        session.close()
    usual = statistics.mean(sizes)
    return min(range(0, 1000, 25), key=lambda text: abs(len(place.seal(1, text=text)[0].envelope) - usual))


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


@dataclasses.dataclass(frozen=True, slots=True)
class _Run:
    """One outage and its drain."""

    filings: list[SealedSubmission]
    took: Drained
    profile: Profile

    @property
    def goodput(self) -> float:
        """Share of the line; envelopes alone: handshakes, frames, headers and what was lost are the drain's to bear."""
        return self.took.bytes * 8 / self.profile.rate_bps / self.took.seconds


def _run(place: Village, profile: Profile, text: int) -> _Run:
    filings = _prepared(place, OUTAGE_ITEMS, profile, text=text)
    took = drain(place, filings, profile, fresh=(), seconds=600)
    place.stop_queue()
    return _Run(filings, took, profile)


def _goodput(name: str, runs: Sequence[_Run], share: float) -> Figure:
    """Of the middle one: which packets a line loses is chance, and a lost last packet costs a drain a second."""
    goodputs = [run.goodput for run in runs]
    found = statistics.median(goodputs)
    told = " ".join(f"{goodput:.3f}" for goodput in goodputs)
    return Figure(
        name=f"link.{name}.drain",
        about=(
            f"drain of {OUTAGE_ITEMS} submissions of {runs[0].took.bytes // OUTAGE_ITEMS} bytes, from the first word"
            f" with the hall, over the bare line's time, middle of {len(runs)}; goodput of each, as a share of the"
            f" line: {told}; goal {share:.2f}"
        ),
        unit="x ideal",
        values=(1 / found,),
        limit=1 / share,
    )


def _compared(place: Village, name: str, run: _Run, *, goal: float) -> list[Figure]:
    """The same envelopes over the same line by a client that posts one a request, on one open connection."""
    alone = _one_by_one(place, run.filings, run.profile)
    each_ms = run.took.seconds / len(run.filings) * 1000
    times = statistics.mean(alone) * 1000 / each_ms
    return [
        Figure(
            name=f"link.{name}.one_each",
            about=(
                f"one of the same submissions ({run.took.bytes // len(run.filings)} bytes: sealed and compressed, as"
                " large as the corpus's forms are in the mean), one POST each on one connection that stays open"
            ),
            unit="ms",
            values=tuple(seconds * 1000 for seconds in alone),
        ),
        Figure(
            name=f"link.{name}.of_one_each",
            about=f"time of a submission in the drain over the mean of one POST each: {times:.1f} times as fast",
            unit="share",
            values=(1 / times,),
            limit=1 / goal,
        ),
    ]


def _mountain(root: Path, text: int) -> list[Figure]:
    with _village(root / "mountain") as place:
        return [_goodput("mountain", [_run(place, MOUNTAIN, text)], 0.70)]


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


def _outage(root: Path, text: int) -> list[Figure]:
    runs, apart, compared = [], [], []
    for seed in range(OUTAGE_RUNS):
        with _village(root / f"outage-{seed}", seed=seed) as place:
            runs.append(_run(place, VILLAGE, text))
            apart.append(_displaced(place.arrivals(), runs[-1].filings))
            if seed == OUTAGE_RUNS - 1:
                compared = _compared(place, "outage", runs[-1], goal=12.0)
    return [
        _goodput("village", runs, 0.85),
        Figure(
            name="link.outage.drain",
            about=f"{OUTAGE_ITEMS} submissions of a 12-hour outage, from the first word with the hall",
            unit="s",
            values=tuple(run.took.seconds for run in runs),
            limit=45.0,
        ),
        *compared,
        Figure(
            name="link.outage.order",
            about=f"mean places between filing and arrival, by chance {OUTAGE_ITEMS // 3}",
            unit="places",
            values=tuple(statistics.mean(places) for places in apart),
            limit=float(BULK_LINES * MAX_BATCH_ITEMS / 2),
        ),
        Figure(
            name="link.outage.overtaken",
            about="the most places: how far a batch that lost a packet comes behind the others, none of its case",
            unit="places",
            values=tuple(float(max(places)) for places in apart),
        ),
    ]


def _displaced(arrivals: Sequence[str], filings: Sequence[SealedSubmission]) -> list[int]:
    """Of each filing: how many places apart its turn at filing and its turn at the hall are."""
    mine = {sealed.id for sealed in filings}
    order = {name: at for at, name in enumerate(name for name in arrivals if name in mine)}
    return [abs(order[sealed.id] - at) for at, sealed in enumerate(filings)]


def _citizen(root: Path, text: int) -> list[Figure]:
    with _village(root / "citizen") as place:
        quiet, waited = _waits(place, text)
    alone = Figure(
        name="link.citizen.idle",
        about="from filing until the hall's receipt is here, nothing else on the line",
        unit="ms",
        values=tuple(quiet),
    )
    beside = Figure(
        name="link.citizen.drain",
        about="the same while a backlog drains",
        unit="ms",
        values=tuple(waited),
        peer=alone.name,
    )
    ratios = [
        (name, beside.percentile(share) / alone.percentile(share)) for name, share in (("p50", 0.5), ("p95", 0.95))
    ]
    return [
        alone,
        beside,
        *(
            Figure(
                name=f"link.citizen.drain_{name}",
                about=f"{name} of {len(waited)} filed while a backlog drains, over the {name} when idle",
                unit="x idle",
                values=(ratio,),
                limit=2.0,
            )
            for name, ratio in ratios
        ),
    ]


def _waits(place: Village, text: int) -> tuple[list[float], list[float]]:
    """Milliseconds from filing to receipt, one citizen after another: when idle, and while a backlog drains."""
    filings = _prepared(place, CITIZEN_BACKLOG, VILLAGE, text=text)
    place.line.become(FAST)
    place.start_queue()
    idle, fresh = place.seal(FRESH_ITEMS, text=text), place.seal(FRESH_ITEMS, text=text)
    place.stop_queue()
    took = drain(place, filings, VILLAGE, fresh=fresh, seconds=600, every=FRESH_EVERY_S)
    quiet = []
    for sealed in idle:
        quiet.append(place.deliver_one(sealed) * 1000)
        time.sleep(FRESH_EVERY_S)
    place.stop_queue()
    return quiet, [seconds * 1000 for seconds in took.waited]
