"""补正 by chance: cases and corrections arrive in any order, twice, late; departments decide and time passes between.

Whatever happens, every filing is signed for once and has one effect, or is refused; every history is whole and legal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from hall.admin import perform
from hall.cases.history import EventType, case_state, fold, history, verify_chain
from hall.hall import Hall, open_hall
from hall.store.schema import cases, corrections
from kiosk.contract.submission import MaterialUse, Submission
from kiosk.contract.sync import Verdict
from tests.hall.conftest import LEE, HallProcess, TestTerminal, enrolled
from tests.hall.test_hall_corrections import LaterClock, new_id

HOUSING = MaterialUse(id="housing", source="licence_library", name="租赁合同或房产证", licence_id="nobody's lease")


@dataclass(frozen=True)
class Ground:
    """A hall that nobody serves, an enrolled terminal, and a licence that is good."""

    hall: Hall
    clock: LaterClock
    terminal: TestTerminal
    permit: str


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, persons: Path) -> Iterator[Ground]:
    root = tmp_path_factory.mktemp("model")
    perform(root / "hall", "publish")
    perform(root / "hall", "seed", persons=str(persons))
    process = HallProcess(root / "hall").start()
    made = enrolled(process, root / "terminal")
    held = made.get("/v1/me/licences", headers=made.bearer()).json()["licences"]
    permit = next(str(row["id"]) for row in held if row["type_name"] == "居住证")
    process.stop()
    made.http.close()
    clock = LaterClock()
    hall = open_hall(root / "hall", decide_after_s=0.0, clock=clock)
    yield Ground(hall, clock, made, permit)
    hall.close()


def renewal(terminal: TestTerminal, *, permit: str, **changes: Any) -> Submission:
    """With papers that need no upload; the lease is none of hers, so that a correction is wanted unless she has one."""
    submission, _ = terminal.renewal(terminal.session(), licence_id=permit, **changes)
    papers = [use for use in submission.materials if use.blob is None]
    return submission.model_copy(update={"id": new_id(), "materials": tuple(papers)})


def filings(terminal: TestTerminal, permit: str) -> list[Submission]:
    """Two cases, one of them good; corrections of each, good and bad; one of nobody's case, one by a stranger."""
    home = terminal.renewal(terminal.session(), licence_id=permit)[0].answers
    work = {**home, "reason": home["reason"].model_copy(update={"value": "study"})}  # needs no paper of the housing
    bad = renewal(terminal, permit="nobody's", answers=work)
    good = renewal(terminal, permit=permit, answers=work)
    stray = terminal.number()
    return [
        bad,
        good,
        renewal(terminal, permit="nobody's", answers=work, corrects=bad.application_no),
        renewal(terminal, permit=permit, answers=work, corrects=bad.application_no),
        renewal(terminal, permit=permit, answers=work, corrects=bad.application_no),
        renewal(terminal, permit=permit, answers=work, corrects=good.application_no),
        renewal(terminal, permit=permit, answers=work, corrects=stray),
        renewal(terminal, permit=permit, answers=work, corrects=bad.application_no, applicant=terminal.proof(LEE)),
    ]


STEPS = st.one_of(
    st.tuples(st.just("bring"), st.lists(st.integers(0, 7), min_size=1, max_size=4)),
    st.tuples(st.just("decide"), st.just([])),
    st.tuples(st.just("wait"), st.lists(st.sampled_from([1, 20, 24 * 4, 24 * 9]), min_size=1, max_size=1)),
)


@given(steps=st.lists(STEPS, max_size=14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_filing_has_one_effect_in_any_order(ground: Ground, steps: list[tuple[str, list[int]]]) -> None:
    hall, clock = ground.hall, ground.clock
    made = filings(ground.terminal, ground.permit)
    raws = [ground.terminal.seal(submission) for submission in made]
    told: dict[int, Verdict] = {}
    waited: set[int] = set()

    def bring(which: list[int]) -> None:
        verdicts = hall.intake.submit_batch([raws[place] for place in which], terminal_id="T001")
        for place, verdict in zip(which, verdicts, strict=True):
            assert verdict is not None
            if (before := told.get(place)) is not None and before.receipt:
                assert (verdict.status, verdict.receipt) == ("duplicate", before.receipt)
            elif verdict.status == "retry":
                waited.add(place)
            else:
                told[place] = verdict

    def rest() -> list[int]:
        return [place for place in range(len(made)) if place not in told]

    for what, values in steps:
        match what:
            case "bring":
                bring([place for place in values if place not in told or told[place].receipt])
            case "decide":
                hall.jobs.run_due()
            case _:
                clock.ahead += timedelta(hours=values[0])
    # In the end everything is brought until the hall has a word for it, as terminals do.
    for hours in (0, 0, 73):
        clock.ahead += timedelta(hours=hours)
        bring(rest())
        hall.jobs.run_due()
    assert rest() == []
    rejected = {place for place, verdict in told.items() if verdict.status == "rejected"}
    assert {6, 7} <= rejected
    assert rejected - {7} <= waited, "only what waited for its case in vain, and the stranger's"
    assert {told[place].code for place in rejected} == {"case_unknown"}
    _judge(hall, [made[place] for place in range(len(made)) if place not in rejected])


def _judge(hall: Hall, kept: list[Submission]) -> None:
    """Every one of these has one effect, and the histories of the two cases say so."""
    opened = [submission.id for submission in kept if not submission.corrects]
    corrected = [submission.id for submission in kept if submission.corrects]
    numbers = [submission.application_no for submission in kept if not submission.corrects]
    with hall.store.read() as connection:
        rows = connection.execute(select(cases.c.submission_id).where(cases.c.application_no.in_(numbers)))
        assert sorted(rows.scalars()) == sorted(opened)
        rows = connection.execute(select(corrections.c.submission_id).where(corrections.c.case_no.in_(numbers)))
        assert sorted(rows.scalars()) == sorted(corrected)
        assert [verify_chain(connection, hall.vault, number) for number in numbers] == ["", ""]
        histories = [history(connection, hall.vault, number) for number in numbers]
    for events in histories:
        types = [event.type for event in events]
        assert types.count(EventType.CORRECTED) <= types.count(EventType.CORRECTION_WANTED)
        assert case_state(fold(events).state) in ("granted", "correction_wanted", "expired")
    papers = [event.data["submission_id"] for events in histories for event in events if "sha256" in event.data]
    assert sorted(papers) == sorted(corrected)
