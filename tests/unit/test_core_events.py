"""The event catalogue: constants match it, and nothing personal can get into an event."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.event_fields import TYPES, EventFieldError, Shaped, Whole, Words
from kiosk.core.event_source import CatalogueError, markdown_table, python_table, read_catalogue
from kiosk.core.event_table import EVENTS, EventName
from kiosk.core.events import Event, EventError

CORE = Path(__file__).parents[2] / "kiosk" / "core"
SUBMISSION = "01934f00-0000-7000-8000-000000000001"


def catalogue_text() -> str:
    return (CORE / "events.toml").read_text("utf-8")


def test_the_constants_are_generated_from_the_catalogue() -> None:
    """Run scripts/generate_events.py if this fails."""
    assert python_table(read_catalogue(catalogue_text())) == (CORE / "event_table.py").read_text("utf-8")


def test_every_event_is_described() -> None:
    entries = read_catalogue(catalogue_text())
    assert {entry.name for entry in entries} == {name.value for name in EVENTS} == {name.value for name in EventName}
    page = markdown_table(entries)
    assert page.count("\n") == len(entries) + 2
    assert "| `queue_late` | warning |" in page
    assert "stage: notice / warning / breach" in page


def test_every_type_is_used_or_it_goes() -> None:
    used = {kind for spec in EVENTS.values() for kind in {**spec.required, **spec.optional}.values()}
    assert [name for name, kind in TYPES.items() if kind not in used] == []


def test_an_event_with_its_fields() -> None:
    event = Event.of(EventName.PRINT_FAILED, device=DeviceKind.RECEIPT, fault=Fault.PAPER_OUT)
    assert event.level == "warning"
    assert event.as_dict() == {
        "event": "print_failed",
        "level": "warning",
        "device": "receipt",
        "fault": "paper_out",
    }
    assert {type(value) for value in event.as_dict().values()} == {str}


def test_a_submission_is_named_by_its_id() -> None:
    assert Event.of(EventName.SUBMISSION_PUT, submission=SUBMISSION, millis=4).fields["submission"] == SUBMISSION


def test_an_optional_field_may_be_none() -> None:
    event = Event.of(EventName.CARD_REFUSED, reason="expired", fault=None)
    assert event.fields == {"reason": "expired"}


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        (EventName.PRINT_FAILED, {"device": "receipt"}, "print_failed: lacks fault"),
        (
            EventName.SESSION_STARTED,
            {"name": "陈样本"},
            "session_started: has a field that the catalogue does not know",
        ),
        (EventName.PRINT_UNPROVEN, {"device": "陈样本"}, "print_unproven.device: not one of the allowed words"),
        (
            EventName.SESSION_ENDED,
            {"reason": "idle", "seconds": -1},
            "session_ended.seconds: not a whole number within",
        ),
        (
            EventName.SUBMISSION_PUT,
            {"submission": "陈", "millis": 1},
            "submission_put.submission: not of the right shape",
        ),
    ],
)
def test_what_is_not_in_the_catalogue_is_refused(name: EventName, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(EventError, match=re.escape(message)) as caught:
        Event(name, fields)
    assert "陈" not in str(caught.value)


@given(st.sampled_from(sorted(TYPES)), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_any_value_is_kept_as_it_is_or_refused(kind: str, value: Any) -> None:
    try:
        kept = TYPES[kind].check(value)
    except EventFieldError:
        return
    assert kept == value


PERSONAL = [
    "440699194803120021",
    "44069919480312003X",
    "DEU440699200101",
    "13812345678",
    "陈样本",
    "H12345678",
    "样本路1号",
]


@pytest.mark.parametrize("secret", PERSONAL)
def test_no_type_takes_what_could_be_a_person(secret: str) -> None:
    for name, kind in TYPES.items():
        if name == "item" and secret == "H12345678":
            continue  # a permit number without its holder; item codes have many shapes
        for value in (secret, int(secret) if secret.isdigit() else secret):
            with pytest.raises(EventFieldError):
                kind.check(value)


def test_types_are_closed() -> None:
    for kind in TYPES.values():
        match kind:
            case Words():
                assert 0 < len(kind.allowed) < 100
            case Whole():
                assert kind.high <= 1 << 30
            case Shaped():
                assert not kind.shape.fullmatch("自由文字")


@pytest.mark.parametrize(
    "text",
    [
        '[Bad]\nabout = "x"\nlevel = "info"\nfields = {}',
        '[bad]\nabout = "x"\nlevel = "info"',
        "bad = 1",
        '[bad]\nabout = "x"\nlevel = "loud"\nfields = {}',
        '[bad]\nabout = "x"\nlevel = "info"\nfields = { a = "text" }',
        '[bad]\nabout = "x"\nlevel = "info"\nfields = { a = [] }',
        '[bad]\nabout = "x"\nlevel = "info"\nfields = { a = ["Any Text"] }',
        '[bad]\nabout = "x"\nlevel = "info"\nfields = { a = 5 }',
    ],
)
def test_a_wrong_catalogue_is_refused(text: str) -> None:
    with pytest.raises(CatalogueError, match=r"^(?i:bad)"):
        read_catalogue(text)
