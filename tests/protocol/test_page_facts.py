"""What follows from a printer's words, as tables: its facts, paper and sides, proofs and memories; the test page."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from drivers.page.address import Tls, behind, parse
from drivers.page.client import Job
from drivers.page.facts import A4, LONG_EDGE, ONE_SIDE, Facts, Sheet, choose, holds, read_facts
from drivers.page.fate import HISTORY_S, Traces, age_of, failed, judge, proven, remembers
from drivers.page.ipp import Attribute, Group, GroupTag, JobState, ValueTag
from drivers.page.proof_sheet import proof_sheet
from drivers.page.status import Condition, Toner, summarize
from kiosk.core.devices import DeviceError, DeviceState, Fault, Level
from kiosk.core.ports import Document, JobFate
from kiosk.core.result import Err, Ok

WELL = Condition(3, ("none",))
FACTS = Facts(
    WELL, formats=("application/pdf",), media=(A4, "iso_a5_148x210mm"), ready=(A4,), sides=(ONE_SIDE, LONG_EDGE)
)


def document(**how: Any) -> Document:
    return Document("440699-0001", b"%PDF", 2, **how)


# --- facts -------------------------------------------------------------------------------------------------------


def group(**attributes: tuple[ValueTag, Any]) -> Group:
    return Group(
        GroupTag.PRINTER,
        tuple(Attribute(name.replace("_", "-"), tag, values) for name, (tag, values) in attributes.items()),
    )


def test_a_printer_tells_of_itself() -> None:
    told = group(
        printer_state=(ValueTag.ENUM, (3,)),
        printer_state_reasons=(ValueTag.KEYWORD, ("none",)),
        printer_make_and_model=(ValueTag.TEXT, ("Maker\nA4 \x07",)),
        printer_firmware_string_version=(ValueTag.TEXT, ("2.1",)),
        printer_impressions_completed=(ValueTag.INTEGER, (4711,)),
        printer_up_time=(ValueTag.INTEGER, (60,)),
        media_ready=(ValueTag.KEYWORD, (A4, "")),
        marker_names=(ValueTag.NAME, ("Black", "Waste", "Cyan")),
        marker_types=(ValueTag.KEYWORD, ("toner-cartridge", "waste-toner", "toner")),
        marker_levels=(ValueTag.INTEGER, (7, 3, -2)),
        marker_low_levels=(ValueTag.INTEGER, (10,)),
    )
    facts = read_facts(told)
    assert facts.name == "Maker A4 2.1"
    assert (facts.impressions, facts.up_s, facts.ready, facts.device_uri) == (4711, 60, (A4,), None)
    assert facts.condition.toners == (Toner("Black", 7, 10), Toner("Cyan", -2, 0))
    assert summarize(facts.condition, identity="i").toner is Level.LOW


def test_a_queue_is_known_by_its_server() -> None:
    version = (ValueTag.TEXT, ("2.4.2",))
    assert read_facts(group(cups_version=version)).device_uri == ""
    there = group(cups_version=version, device_uri=(ValueTag.URI, ("ipp://10.0.0.8/ipp/print",)))
    assert read_facts(there).device_uri == "ipp://10.0.0.8/ipp/print"
    assert read_facts(group()).device_uri is None


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("ipp://10.0.0.8/ipp/print?waitjob=false", "http://10.0.0.8:631/ipp/print"),
        ("ipps://printer:443/ipp/print", "https://printer:443/ipp/print"),
        ("usb://Maker/A4?serial=1", None),
        ("dnssd://Maker._ipp._tcp.local/", None),
        ("ipp://", None),
        ("", None),
    ],
)
def test_the_printer_behind_a_queue(uri: str, url: str | None) -> None:
    found = behind(uri, tls=Tls("/ca.pem"))
    assert (found.url if found else None) == url
    assert found is None or found.tls == (Tls("/ca.pem") if uri.startswith("ipps") else None)


@given(st.text(max_size=80))
def test_any_address_is_one_or_is_refused(text: str) -> None:
    for candidate in (text, f"ipp://{text}", f"ipps://h/?{text}"):
        try:
            parsed = parse(candidate)
        except ValueError:
            continue
        assert parsed.url.startswith(("http://", "https://"))


# --- paper and sides ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "how", "made"),
    [
        (FACTS, {}, Ok(Sheet(A4, ONE_SIDE))),
        (FACTS, {"duplex": True}, Ok(Sheet(A4, LONG_EDGE))),
        (replace(FACTS, sides=(ONE_SIDE,)), {"duplex": True}, Ok(Sheet(A4, ONE_SIDE))),
        (replace(FACTS, sides=()), {"duplex": True}, Ok(Sheet(A4, ONE_SIDE))),
        (Facts(WELL), {"media": "iso_a3_297x420mm"}, Ok(Sheet("iso_a3_297x420mm", ONE_SIDE))),
        (FACTS, {"media": "iso_a3_297x420mm"}, Fault.MEDIA_WRONG),
        (FACTS, {"media": "iso_a5_148x210mm"}, Fault.MEDIA_WRONG),
        (replace(FACTS, ready=()), {"media": "iso_a5_148x210mm"}, Ok(Sheet("iso_a5_148x210mm", ONE_SIDE))),
        (replace(FACTS, ready=("om_paper_210.2x297mm",)), {}, Ok(Sheet(A4, ONE_SIDE))),
        (replace(FACTS, formats=("image/pwg-raster",)), {}, Fault.MISCONFIGURED),
    ],
)
def test_what_a_job_asks_for(facts: Facts, how: dict[str, Any], made: Ok[Sheet] | Fault) -> None:
    match choose(document(**how), facts):
        case Err(DeviceError(fault)):
            assert fault is made
        case sheet:
            assert sheet == made


def test_paper_is_known_by_its_size() -> None:
    assert holds(("na_letter_8.5x11in",), "custom_x_215.9x279.4mm")
    assert not holds(("na_letter_8.5x11in",), A4)
    assert not holds(("choice_iso_a4", "a4_210mm", "_x_...x...mm"), A4)
    assert holds(("choice_iso_a4",), "choice_iso_a4")


@given(st.lists(st.text(max_size=40), max_size=5).map(tuple), st.text(max_size=40))
def test_any_names_of_paper(there: tuple[str, ...], wanted: str) -> None:
    assert holds((*there, wanted), wanted)
    assert holds(there, wanted) in (True, False)


@pytest.mark.parametrize(
    ("condition", "fits", "fault", "paper"),
    [
        (WELL, True, None, Level.FULL),
        (WELL, False, Fault.MEDIA_WRONG, Level.FULL),
        (Condition(5, ("media-needed-error",)), True, Fault.PAPER_OUT, Level.OUT),
        (Condition(5, ("media-needed-error",)), False, Fault.MEDIA_WRONG, Level.FULL),
        (Condition(5, ("media-empty-error", "media-needed")), False, Fault.PAPER_OUT, Level.OUT),
        (Condition(5, ("input-cannot-feed-size-selected-error", "media-needed")), True, Fault.MEDIA_WRONG, Level.FULL),
        (Condition(5, ("output-area-full-error",)), True, Fault.OUTPUT_FULL, Level.FULL),
        (Condition(3, ("output-area-almost-full-warning",)), True, None, Level.FULL),
        (Condition(5, ("paused",)), True, Fault.STOPPED, Level.FULL),
        (Condition(5, ("none",)), True, Fault.STOPPED, Level.FULL),
        (Condition(3, ("none",), accepting=False), True, Fault.STOPPED, Level.FULL),
        (Condition(3, ("fuser-over-temp-error",)), True, Fault.OVERHEATED, Level.FULL),
        (Condition(3, ("other-error",)), True, Fault.HARDWARE, Level.FULL),
        (Condition(3, ("other-report",)), True, None, Level.FULL),
        (Condition(3, ("com.example-what-error",)), True, Fault.HARDWARE, Level.FULL),
        (Condition(3, ("com.example-what-warning",)), True, None, Level.FULL),
        (Condition(3, ("opc-life-over-report",)), True, Fault.HARDWARE, Level.FULL),
        (Condition(5, ("other-error", "media-jam-error")), True, Fault.JAM, Level.FULL),
    ],
)
def test_which_fault_comes_first(condition: Condition, fits: bool, fault: Fault | None, paper: Level) -> None:
    status = summarize(condition, identity="i", fits=fits)
    assert (status.fault, status.paper) == (fault, paper)
    assert status.well == (fault is None)
    assert fault is None or status.state in (DeviceState.ONLINE, DeviceState.ERROR)


# --- proof and memory --------------------------------------------------------------------------------------------

COMPLETED, ABORTED, CANCELED = JobState.COMPLETED, JobState.ABORTED, JobState.CANCELED


def job(state: int, pages: int | None = None, *reasons: str, total: int | None = None, **times: int) -> Job:
    return Job(7, "440699-0001", state, reasons, pages, total, **times)


@pytest.mark.parametrize(
    ("one", "printed", "given_up"),
    [
        (job(COMPLETED, 2), True, False),
        (job(COMPLETED), True, False),
        (job(COMPLETED, 0), True, False),
        (job(COMPLETED, 3), True, False),
        (job(COMPLETED, 1), False, False),
        (job(COMPLETED, 2, "job-completed-with-errors"), False, False),
        (job(ABORTED, 0), False, True),
        (job(ABORTED, 1), False, True),
        (job(ABORTED, 2), False, False),
        (job(ABORTED), False, True),
        (job(CANCELED, 1), False, True),
        (job(CANCELED, 2), False, False),
        (job(CANCELED), False, False),
        (job(JobState.PROCESSING, 2), False, False),
        (job(JobState.PENDING), False, False),
    ],
)
def test_what_a_job_of_two_pages_proves(one: Job, printed: bool, given_up: bool) -> None:
    assert proven(one, pages=2) is printed
    assert failed(one, pages=2) is given_up


def test_without_the_number_of_pages_the_printers_own_is_taken() -> None:
    assert failed(job(CANCELED, 1, total=2), pages=None)
    assert not failed(job(CANCELED, 1), pages=None)
    assert failed(job(CANCELED, 0), pages=None)
    assert not proven(job(COMPLETED, 1, total=2), pages=None)


@pytest.mark.parametrize(
    ("desk", "engine", "fate"),
    [
        ((), (), None),
        ((job(COMPLETED, 2),), (), None),
        ((job(JobState.PROCESSING),), (), JobFate.PRINTING),
        ((job(CANCELED, 0),), (job(COMPLETED, 2),), JobFate.PRINTED),
        ((job(COMPLETED, 2),), (job(ABORTED, 0),), JobFate.NOT_PRINTED),
        ((job(JobState.PROCESSING),), (job(ABORTED, 0),), JobFate.PRINTING),
        ((), (job(ABORTED, 0), job(JobState.PENDING)), JobFate.PRINTING),
        ((), (job(ABORTED, 0), job(CANCELED, 2)), JobFate.UNKNOWN),
        ((), (job(COMPLETED, 2), job(JobState.PENDING)), JobFate.PRINTED),
    ],
)
def test_the_printers_word_counts_and_not_the_queues(
    desk: tuple[Job, ...], engine: tuple[Job, ...], fate: JobFate | None
) -> None:
    assert judge(Traces(desk, engine), pages=2) is fate


states = st.sampled_from([3, 4, 5, 6, 7, 8, 9])
jobs = st.builds(job, states, st.none() | st.integers(0, 5), total=st.none() | st.integers(0, 5))
rows = st.lists(jobs, max_size=3).map(tuple)


@given(rows, rows, st.none() | st.integers(1, 4))
def test_nothing_is_printed_without_a_completed_job(
    desk: tuple[Job, ...], engine: tuple[Job, ...], pages: int | None
) -> None:
    fate = judge(Traces(desk, engine), pages=pages)
    completed = any(one.state == COMPLETED for one in engine)
    assert fate is not JobFate.PRINTED or completed
    assert fate is not JobFate.NOT_PRINTED or (not completed and all(one.over for one in (*desk, *engine)))


OLD = job(COMPLETED, 2, ended_s=400)


@pytest.mark.parametrize(
    ("facts", "history", "age_s", "sure"),
    [
        (Facts(WELL), (OLD,), 1.0, False),
        (Facts(WELL, up_s=1000), (), 30.0, True),
        (Facts(WELL, up_s=20), (), 30.0, False),
        (Facts(WELL, up_s=1000), (), HISTORY_S + 1.0, False),
        (Facts(WELL, up_s=1000, history_s=300), (), 200.0, True),
        (Facts(WELL, up_s=1000, history_s=10), (), 20.0, False),
        (Facts(WELL, up_s=1000), (OLD,), 500.0, True),
        (Facts(WELL, up_s=1000), (OLD,), 700.0, False),
        (Facts(WELL, up_s=300), (OLD,), 100.0, False),
        (Facts(WELL, up_s=1_795_340_112), (), 1.0, False),
        (Facts(WELL, up_s=1_795_340_112), (replace(OLD, ended_s=1_795_340_000),), 100.0, True),
    ],
    ids=[
        "no clock",
        "up for long",
        "switched on since",
        "too long ago",
        "promises to remember",
        "forgets soon",
        "knows an older job",
        "knows only a newer job",
        "ended in the future",
        "a clock, not an up-time",
        "a clock and an older job",
    ],
)
def test_no_trace_may_mean_that_it_never_came(facts: Facts, history: tuple[Job, ...], age_s: float, sure: bool) -> None:
    assert remembers(facts, history, age_s=age_s) is sure


def test_how_long_ago() -> None:
    told = (job(COMPLETED, created_s=90), job(COMPLETED, created_s=70))
    assert age_of(told, Facts(WELL, up_s=100)) == 30.0
    assert age_of(told, Facts(WELL, up_s=80)) == 10.0
    assert age_of(told, Facts(WELL, up_s=10)) is None
    assert age_of(told, Facts(WELL)) is None
    assert age_of((), Facts(WELL, up_s=100)) is None


# --- the test page -----------------------------------------------------------------------------------------------


def test_the_page_of_a_self_test() -> None:
    page = PdfReader(BytesIO(proof_sheet("Test page", ["paper A4 (tray \\1)", "supplies 80 %"])), strict=True).pages[0]
    assert [round(float(side)) for side in page.mediabox] == [0, 0, 595, 842]
    assert page.extract_text().splitlines() == ["Test page", "paper A4 (tray \\1)", "supplies 80 %"]


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_makes_a_page(title: str, lines: list[str]) -> None:
    assert len(PdfReader(BytesIO(proof_sheet(title, lines)), strict=True).pages) == 1
