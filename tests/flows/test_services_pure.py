"""The pure tables of the services: readiness, faults, slips; and that every sentence has its flow."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState
from kiosk.core.ports import HallFault, StoreFault
from kiosk.core.receipt import Code, Line, Pair, Receipt, Rule
from kiosk.core.views import NoticeCode
from kiosk.services.faults import card_notice, hall_notice, store_notice
from kiosk.services.readiness import chip_state
from kiosk.services.slips import StoredSlip, parse_slip, slip_bytes, store_blocks


def status(state=DeviceState.ONLINE, **changes):
    return DeviceStatus(DeviceKind.RECEIPT, state, **changes)


@pytest.mark.parametrize(
    ("seen", "chip"),
    [
        (status(), "ok"),
        (status(paper=Level.FULL), "ok"),
        (status(paper=Level.LOW), "low"),
        (status(paper=Level.FULL, toner=Level.LOW), "low"),
        (status(paper=Level.OUT), "down"),
        (status(paper=Level.UNKNOWN), "unknown"),
        (status(paper=Level.OUT, toner=Level.UNKNOWN), "down"),
        (status(fault=Fault.JAM), "down"),
        (status(DeviceState.OFFLINE, fault=Fault.UNREACHABLE, paper=Level.UNKNOWN), "down"),
        (status(DeviceState.ERROR), "down"),
        (status(DeviceState.UNKNOWN), "unknown"),
        (status(DeviceState.STARTING), "starting"),
    ],
)
def test_a_chip_is_one_honest_word(seen, chip):
    assert chip_state(seen) == chip


@given(
    st.builds(
        DeviceStatus,
        kind=st.sampled_from(DeviceKind),
        state=st.sampled_from(DeviceState),
        media=st.sampled_from(MediaState),
        paper=st.sampled_from(Level),
        toner=st.sampled_from(Level),
        fault=st.none() | st.sampled_from(Fault),
    )
)
def test_good_news_only_about_a_device_that_is_well(seen):
    assert (chip_state(seen) in ("ok", "low")) == (seen.well and seen.state is not DeviceState.STARTING)


def test_every_fault_has_a_sentence():
    assert {card_notice(fault).code for fault in Fault} == {
        NoticeCode.CARD_READ_FAILED,
        NoticeCode.CARD_FOREIGN,
        NoticeCode.CARD_REJECTED,
        NoticeCode.READER_DOWN,
    }
    assert {hall_notice(fault) for fault in HallFault} == {
        NoticeCode.HALL_UNREACHABLE,
        NoticeCode.HALL_REFUSED,
        NoticeCode.NOT_ELIGIBLE,
    }
    assert {store_notice(fault) for fault in StoreFault} == {NoticeCode.STORE_DOWN, NoticeCode.DISK_FULL}


def test_every_notice_is_reached_by_a_flow():
    flows = "".join(path.read_text() for path in Path(__file__).parent.glob("test_flow_*.py"))
    assert [code for code in NoticeCode if f'"{code.value}"' not in flows] == []


blocks = st.one_of(
    st.builds(Line, st.text(), st.sampled_from(["title", "body", "strong", "small"])),
    st.builds(Pair, st.text(), st.text()),
    st.builds(Rule, st.booleans()),
    st.builds(Code, st.text(), st.text()),
)


@given(st.lists(blocks).map(tuple), st.lists(blocks).map(tuple), st.none() | st.integers(0, 99))
def test_a_slip_survives_its_seal(saved, delivered, days):
    slip = StoredSlip(
        job="j",
        item_name="居住证签注",
        kind="application",
        application_no="1",
        query_code="2",
        query_place="3",
        limit_days=days,
        limit_unit="workday",
        saved=store_blocks(Receipt("j", saved)),
        delivered=store_blocks(Receipt("j", delivered)),
    )
    back = parse_slip(slip_bytes(slip))
    assert back == slip
    assert back.receipt(delivered=False) == Receipt("j", saved)
    assert back.receipt(delivered=True) == Receipt("j", delivered)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_slip_are_none(raw):
    assert parse_slip(raw) is None
