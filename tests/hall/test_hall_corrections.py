"""补正: a case waits for what is wanted, gets it once, or is closed; and nothing that is handed in is lost."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from datetime import time as datetime_time
from pathlib import Path
from typing import Any

import pytest
import requests

from hall.admin import perform
from hall.cases.history import EventType, history, verify_chain
from hall.hall import Hall, open_hall
from hall.terminals.used_numbers import used_numbers
from kiosk.contract.corrections import CorrectionReason
from kiosk.contract.numbers import ApplicationNumber, mint_submission_id
from kiosk.contract.submission import MaterialUse, Submission
from kiosk.contract.sync import Heartbeat, HeartbeatAnswer, Returned, Verdict
from kiosk.contract.wire import canonical_json
from kiosk.core.clock import CHINA
from kiosk.core.item import Limits
from tests.hall.conftest import LEE, MAY, HallProcess, TestTerminal, enrolled, eventually

NOON = datetime_time(12)


def new_id() -> str:
    return mint_submission_id(unix_ms=int(time.time() * 1000), random_bytes=secrets.token_bytes)


def file(terminal: TestTerminal, **changes: Any) -> Submission:
    """A renewal, with its paper uploaded; accepted."""
    submission, raw = renewal(terminal, **changes)
    assert verdict(terminal, raw).status == "accepted"
    return submission


def renewal(terminal: TestTerminal, *, licence_id: str = "nobody's", **changes: Any) -> tuple[Submission, bytes]:
    session = terminal.session()
    submission, blob = terminal.renewal(session, licence_id=licence_id, **changes)
    terminal.put_blob(blob)
    return submission, terminal.seal(submission, blob, session=session)


def verdict(terminal: TestTerminal, raw: bytes) -> Verdict:
    return Verdict.model_validate_json(terminal.post("/v1/submissions", raw).content)


def mine(terminal: TestTerminal, number: str, person: tuple[str, str] = MAY) -> dict[str, Any]:
    rows = terminal.get("/v1/me/applications", headers=terminal.bearer(person)).json()["applications"]
    found: dict[str, Any] = next(row for row in rows if row["application_no"] == number)
    return found


def becomes(terminal: TestTerminal, number: str, state: str) -> dict[str, Any]:
    def there() -> dict[str, Any] | None:
        row = mine(terminal, number)
        return row if row["state"] == state else None

    found: dict[str, Any] = eventually(there)
    return found


def permit_of(terminal: TestTerminal) -> str:
    """A licence of hers that is good."""
    held = terminal.get("/v1/me/licences", headers=terminal.bearer()).json()["licences"]
    return next(str(row["id"]) for row in held if row["type_name"] == "居住证" and row["usable"])


def heard(terminal: TestTerminal, after: int | None = 0) -> tuple[Returned, ...]:
    """What a heartbeat brings."""
    beat = Heartbeat(
        terminal_id=terminal.id,
        at=datetime.now(UTC),
        software="1",
        bundle=1,
        pending=0,
        parked=0,
        oldest_unsent_s=0,
        returns_heard=after,
    )
    answer = terminal.post("/v1/heartbeat", beat)
    assert answer.status_code == 200, answer.text
    return HeartbeatAnswer.model_validate_json(answer.content).returned


def of(told: tuple[Returned, ...], submission: Submission) -> list[str]:
    return [each.code for each in told if each.id == submission.id]


@pytest.fixture
def returned(terminal: TestTerminal) -> Submission:
    """A renewal that came back: no such licence."""
    submission = file(terminal)
    becomes(terminal, submission.application_no, "correction_wanted")
    return submission


def test_a_case_says_what_is_wanted_and_until_when(terminal: TestTerminal, returned: Submission) -> None:
    row = mine(terminal, returned.application_no)
    assert "请补交" in row["message"]
    left = datetime.fromisoformat(row["correct_by"]) - datetime.now(UTC)
    assert timedelta(days=5) <= left < timedelta(days=20), "five working days, holidays between"


def test_the_whole_way_of_a_correction_at_another_terminal(
    terminal: TestTerminal, other_terminal: TestTerminal, returned: Submission, staff: requests.Session
) -> None:
    number = returned.application_no
    former = other_terminal.get(f"/v1/me/applications/{number}/answers", headers=other_terminal.bearer()).json()
    assert former["answers"] == {"addr_same": True, "reason": "home", "phone": "13800000000"}

    correction, raw = renewal(other_terminal, licence_id=permit_of(terminal), corrects=number)
    first = verdict(other_terminal, raw)
    assert first.status == "accepted"
    again = verdict(other_terminal, raw)
    assert (again.status, again.receipt) == ("duplicate", first.receipt)
    row = becomes(terminal, number, "granted")
    assert row["licence_id"] and row["correct_by"] is None
    numbers = [
        each["application_no"]
        for each in terminal.get("/v1/me/applications", headers=terminal.bearer()).json()["applications"]
    ]
    assert correction.application_no not in numbers, "it is no case of its own"

    page = staff.get(f"{terminal.hall.staff_url}/staff/cases/{number}", timeout=10).text
    for words in ("补正告知", "补正受理", "补正材料", correction.id, "记录完整"):
        assert words in page
    assert page.count("补正受理") == 1, "one effect"
    base = f"{terminal.hall.staff_url}/staff/cases/{number}"
    paper = staff.get(f"{base}/corrections/{correction.id}/papers/housing", timeout=10)
    assert (paper.status_code, paper.headers["content-type"]) == (200, "image/jpeg")
    assert staff.get(f"{base}/corrections/{returned.id}/papers/housing", timeout=10).status_code == 404

    rows = staff.get(f"{terminal.hall.staff_url}/staff/api/submissions", timeout=10).json()
    effects = {each["id"]: (each["effects"], each["corrects"]) for each in rows}
    assert (effects[returned.id], effects[correction.id]) == ((1, None), (1, number))


def test_a_wrong_correction_comes_back_itself(terminal: TestTerminal, returned: Submission) -> None:
    number = returned.application_no
    wrong = file(terminal, corrects=number)

    def asked_twice() -> bool:
        return of(heard(terminal), wrong) == ["licence_missing"]

    eventually(asked_twice)
    becomes(terminal, number, "correction_wanted")
    right = file(terminal, corrects=number, licence_id=permit_of(terminal))
    becomes(terminal, number, "granted")
    told = heard(terminal)
    assert of(told, returned) == ["licence_missing", ""]
    assert of(told, wrong) == ["licence_missing", ""]
    assert of(told, right) == []


def test_what_came_back_is_told_to_the_terminal_that_holds_it(
    terminal: TestTerminal, other_terminal: TestTerminal, returned: Submission
) -> None:
    told = heard(terminal)
    assert of(told, returned) == [CorrectionReason.LICENCE_MISSING]
    orders = [each.order for each in told]
    assert orders == sorted(set(orders))
    assert heard(terminal, after=orders[-1]) == (), "told once it was heard"
    assert heard(terminal) == told, "and again as long as it was not"
    assert heard(terminal, after=None) == ()
    assert of(heard(other_terminal), returned) == []
    assert "returned" not in terminal.post("/v1/heartbeat", json.loads(beat_of(terminal))).json(), "an older terminal"


def beat_of(terminal: TestTerminal) -> str:
    return Heartbeat(
        terminal_id=terminal.id,
        at=datetime.now(UTC),
        software="1",
        bundle=1,
        pending=0,
        parked=0,
        oldest_unsent_s=0,
    ).model_dump_json(exclude={"returns_heard"})


def test_what_nobody_waited_for_is_kept_and_decides_nothing(terminal: TestTerminal, staff: requests.Session) -> None:
    number = file(terminal, licence_id=permit_of(terminal)).application_no
    decided = becomes(terminal, number, "granted")
    late = file(terminal, corrects=number)
    after = file(terminal, licence_id=permit_of(terminal)).application_no
    becomes(terminal, after, "granted")  # departments take one after the other: a job of the late one would have run
    assert mine(terminal, number) == decided
    page = staff.get(f"{terminal.hall.staff_url}/staff/cases/{number}", timeout=10).text
    assert late.id in page
    assert "收到补交材料（未在等待，决定不变）" in page
    assert "记录完整" in page


def test_two_corrections_at_once_have_one_effect(
    terminal: TestTerminal, other_terminal: TestTerminal, returned: Submission, staff: requests.Session
) -> None:
    number = returned.application_no
    licence = permit_of(terminal)
    file(terminal, corrects=number, licence_id=licence)
    file(other_terminal, corrects=number)  # this one would be wrong
    becomes(terminal, number, "granted")
    page = staff.get(f"{terminal.hall.staff_url}/staff/cases/{number}", timeout=10).text
    assert (page.count("补正受理"), page.count("补正材料</h2>"), page.count("补交材料（未在等待，决定不变）</h2>")) == (
        1,
        1,
        1,
    )


def test_only_her_own_case_of_this_item_can_be_corrected(terminal: TestTerminal, returned: Submission) -> None:
    number = returned.application_no
    _, raw = renewal(terminal, corrects=number, applicant=terminal.proof(LEE))
    told = verdict(terminal, raw)
    assert (told.status, told.code, told.receipt) == ("rejected", "case_unknown", "")
    question = terminal.seal(terminal.question(corrects=number))
    assert verdict(terminal, question).code == "case_unknown", "another item"
    unread = returned.applicant.model_copy(update={"method": "none"})
    assert verdict(terminal, renewal(terminal, corrects=number, applicant=unread)[1]).code == "answers_invalid"
    assert verdict(terminal, renewal(terminal, corrects="440604261122T0019999A")[1]).code == "malformed"
    own = terminal.number()
    assert verdict(terminal, renewal(terminal, application_no=own, corrects=own)[1]).code == "malformed"
    assert mine(terminal, number)["state"] == "correction_wanted", "nothing of all that did anything"
    _, raw = renewal(terminal, application_no=number, corrects=file(terminal).application_no)
    assert verdict(terminal, raw).status == "conflict"


def test_her_former_answers_are_hers_alone(terminal: TestTerminal, returned: Submission) -> None:
    path = f"/v1/me/applications/{returned.application_no}/answers"
    assert terminal.get(path, headers=terminal.bearer()).status_code == 200
    assert terminal.get(path, headers=terminal.bearer(LEE)).status_code == 404
    assert terminal.get(path).status_code == 401
    decided = file(terminal, licence_id=permit_of(terminal)).application_no
    becomes(terminal, decided, "granted")
    again = terminal.get(f"/v1/me/applications/{decided}/answers", headers=terminal.bearer())
    assert again.status_code == 404, "nothing is wanted of it"


def test_a_correction_that_overtakes_its_case_waits_for_it(terminal: TestTerminal) -> None:
    original, first = renewal(terminal)
    _, raw = renewal(terminal, corrects=original.application_no, licence_id=permit_of(terminal))
    for _ in range(2):
        told = verdict(terminal, raw)
        assert (told.status, told.code, told.receipt) == ("retry", "case_awaited", "")
        assert told.retry_after_s > 0
    assert verdict(terminal, first).status == "accepted"
    becomes(terminal, original.application_no, "correction_wanted")
    assert verdict(terminal, raw).status == "accepted"
    becomes(terminal, original.application_no, "granted")


def test_a_first_filing_is_written_as_before_there_were_corrections(terminal: TestTerminal) -> None:
    first = terminal.question()
    assert b"corrects" not in canonical_json(first)
    second = first.model_copy(update={"corrects": first.application_no})
    assert Submission.model_validate_json(canonical_json(second)) == second
    limits = Limits.model_validate({"promised": {"days": 3}})
    assert "correction_days" not in limits.model_dump(mode="json"), "an item version never changes"
    assert Limits.model_validate({"promised": {"days": 3}, "correction_days": 9}).correction_days == 9


# --- what time does --------------------------------------------------------------------------------------------------


class LaterClock:
    """This machine's time, moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead.total_seconds()


@pytest.fixture
def waiting(tmp_path: Path, persons: Path) -> Iterator[tuple[Callable[[], Hall], LaterClock, TestTerminal, Submission]]:
    """A hall with one case that waits for a correction; its process is over, its data can be opened under a clock."""
    data = tmp_path / "hall"
    perform(data, "publish")
    perform(data, "seed", persons=str(persons))
    process = HallProcess(data).start()
    made = enrolled(process, tmp_path / "terminal")
    submission = file(made)
    becomes(made, submission.application_no, "correction_wanted")
    process.stop()
    clock = LaterClock()
    with ExitStack() as opened:

        def open_it() -> Hall:
            """Instead of the one that was open."""
            opened.close()
            hall = open_hall(data, clock=clock)
            opened.callback(hall.close)
            return hall

        yield open_it, clock, made, submission
    made.http.close()


Waiting = tuple[Callable[[], Hall], LaterClock, TestTerminal, Submission]


def types_of(hall: Hall, number: str) -> list[EventType]:
    with hall.store.read() as connection:
        assert verify_chain(connection, hall.vault, number) == ""
        return [event.type for event in history(connection, hall.vault, number)]


def until_of(hall: Hall, number: str) -> datetime:
    person = hall.vault.index(MAY[1])
    found = next(each for each in hall.me.applications(person) if each.application_no == number)
    assert found.correct_by is not None
    return found.correct_by


def test_a_case_is_closed_when_no_correction_comes(waiting: Waiting) -> None:
    open_it, clock, terminal, original = waiting
    hall, number = open_it(), original.application_no
    until = until_of(hall, number)
    clock.ahead = until - datetime.now(UTC) + timedelta(hours=11)
    hall.jobs.run_due()
    assert types_of(hall, number)[-1] is EventType.CORRECTION_WANTED, "what she filed in time may still be on its way"
    clock.ahead += timedelta(hours=2)
    hall.jobs.run_due()
    assert types_of(hall, number)[-1] is EventType.EXPIRED
    assert [each.code for each in hall.returns.after(0, terminal_id=terminal.id)] == ["licence_missing", ""]
    (summary,) = hall.me.applications(hall.vault.index(MAY[1]))
    assert (summary.state, summary.correct_by) == ("expired", None)

    blobless = [use for use in original.materials if use.blob is None]
    late = correction_of(terminal, original, blobless)
    assert hall.intake.submit(terminal.seal(late), terminal_id=terminal.id).status == "accepted"
    assert types_of(hall, number)[-2:] == [EventType.EXPIRED, EventType.SUPPLEMENTED], "kept, and decided nothing"


def test_a_hall_that_was_down_hears_everybody_before_it_closes_a_case(waiting: Waiting) -> None:
    open_it, clock, _, original = waiting
    number = original.application_no
    clock.ahead = until_of(open_it(), number) - datetime.now(UTC) + timedelta(hours=21)
    hall = open_it()
    for hours, state in ((0, EventType.CORRECTION_WANTED), (11, EventType.CORRECTION_WANTED), (2, EventType.EXPIRED)):
        clock.ahead += timedelta(hours=hours)
        hall.jobs.run_due()
        assert types_of(hall, number)[-1] is state


def test_an_answered_call_closes_nothing(waiting: Waiting) -> None:
    open_it, clock, terminal, original = waiting
    hall, number = open_it(), original.application_no
    until = until_of(hall, number)
    wrong = correction_of(terminal, original, [use for use in original.materials if use.blob is None])
    clock.ahead = until - datetime.now(UTC) - timedelta(hours=1)
    assert hall.intake.submit(terminal.seal(wrong), terminal_id=terminal.id).status == "accepted"
    hall.jobs.run_due()
    assert types_of(hall, number)[-2:] == [EventType.CORRECTED, EventType.CORRECTION_WANTED], "asked once more"
    clock.ahead += timedelta(hours=20)  # the first call is over, the second has begun
    hall.jobs.run_due()
    assert types_of(hall, number)[-1] is EventType.CORRECTION_WANTED
    clock.ahead = until_of(hall, number) - datetime.now(UTC) + timedelta(hours=13)
    hall.jobs.run_due()
    assert types_of(hall, number)[-1] is EventType.EXPIRED


def test_a_correction_does_not_wait_for_ever(waiting: Waiting) -> None:
    open_it, clock, terminal, original = waiting
    hall = open_it()
    stray = correction_of(terminal, original, [use for use in original.materials if use.blob is None])
    raw = terminal.seal(stray.model_copy(update={"corrects": terminal.number()}))
    assert hall.intake.submit(raw, terminal_id=terminal.id).status == "retry"
    clock.ahead = timedelta(hours=71)
    assert hall.intake.submit_batch([raw], terminal_id=terminal.id)[0].status == "retry"  # type: ignore[union-attr]
    clock.ahead = timedelta(hours=73)
    told = hall.intake.submit(raw, terminal_id=terminal.id)
    assert (told.status, told.code) == ("rejected", "case_unknown")
    assert hall.desk.counts()["rejected"] == 1, "a clerk sees it"


def test_terminals_go_on_hearing_a_hall_that_was_put_back_from_a_backup(waiting: Waiting, tmp_path: Path) -> None:
    open_it, clock, terminal, original = waiting
    data, backup = tmp_path / "hall", tmp_path / "backup"
    shutil.copytree(data, backup)

    def corrected_wrongly(*, heard: int) -> tuple[Returned, ...]:
        """It is asked for once more, and the terminal is told so."""
        clock.ahead += timedelta(minutes=1)
        hall = open_it()
        wrong = correction_of(terminal, original, [use for use in original.materials if use.blob is None])
        assert hall.intake.submit(terminal.seal(wrong), terminal_id=terminal.id).status == "accepted"
        hall.jobs.run_due()
        return hall.returns.after(heard, terminal_id=terminal.id)

    heard = corrected_wrongly(heard=0)[-1].order
    shutil.rmtree(data)
    shutil.copytree(backup, data)
    assert [word.code for word in corrected_wrongly(heard=heard)] == ["", "licence_missing"]


def test_numbers_of_corrections_are_used_numbers(waiting: Waiting) -> None:
    open_it, _, terminal, original = waiting
    hall = open_it()
    correction = correction_of(terminal, original, [use for use in original.materials if use.blob is None])
    assert hall.intake.submit(terminal.seal(correction), terminal_id=terminal.id).status == "accepted"
    for used in (original, correction):
        again = terminal.question(application_no=used.application_no)
        assert hall.intake.submit(terminal.seal(again), terminal_id=terminal.id).status == "conflict"
    again = correction_of(terminal, original, [use for use in original.materials if use.blob is None])
    again = again.model_copy(update={"application_no": correction.application_no})
    assert hall.intake.submit(terminal.seal(again), terminal_id=terminal.id).status == "conflict"
    assert again.id in {row.id for row in hall.second_chances.refused()}, "a clerk sees it"
    terminal.serial = 1500
    correction = correction_of(terminal, original, [use for use in original.materials if use.blob is None])
    assert hall.intake.submit(terminal.seal(correction), terminal_id=terminal.id).status == "accepted"
    with hall.store.read() as connection:
        on_its_day = datetime.combine(ApplicationNumber.parse(correction.application_no).day, NOON, tzinfo=CHINA)
        given = used_numbers(connection, "440604", terminal.id, on_its_day)
    assert list(given.values()) == [2000], "a new disk counts on above it"


def correction_of(terminal: TestTerminal, original: Submission, materials: list[MaterialUse]) -> Submission:
    """With papers that need no upload: no hall listens."""
    housing = MaterialUse(id="housing", source="licence_library", name="租赁合同或房产证", licence_id="nobody's lease")
    changes: dict[str, Any] = {
        "id": new_id(),
        "application_no": terminal.number(),
        "corrects": original.application_no,
        "materials": (*materials, housing),
    }
    return original.model_copy(update=changes)
