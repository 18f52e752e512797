"""Device vocabulary, clock and the rule of mandatory lines: small and needed by everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from kiosk.core.clock import CHINA, SystemClock
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState
from kiosk.core.receipt import MANDATORY_LABELS, Block, Code, Pair, Receipt, ReceiptError, require_mandatory

WELL = DeviceStatus(DeviceKind.PAGE, DeviceState.ONLINE, MediaState.ABSENT, Level.FULL, Level.LOW)


def test_well_means_known_to_be_well() -> None:
    assert WELL.well
    assert DeviceStatus(DeviceKind.ID_CARD, DeviceState.ONLINE).well


@pytest.mark.parametrize(
    "change",
    [
        *({"state": state} for state in DeviceState if state is not DeviceState.ONLINE),
        {"fault": Fault.JAM},
        {"media": MediaState.JAMMED},
        {"paper": Level.OUT},
        {"paper": Level.UNKNOWN},
        {"toner": Level.OUT},
        {"toner": Level.UNKNOWN},
    ],
)
def test_anything_else_is_not_well(change: dict[str, Any]) -> None:
    assert not replace(WELL, **change).well


def test_nothing_is_known_of_a_lost_device_but_what_it_never_had() -> None:
    lost = WELL.lost(Fault.DRIVER_LOST, "killed")
    assert (lost.state, lost.fault, lost.detail) == (DeviceState.OFFLINE, Fault.DRIVER_LOST, "killed")
    assert (lost.media, lost.paper, lost.toner) == (MediaState.UNKNOWN, Level.UNKNOWN, Level.UNKNOWN)
    card = DeviceStatus(DeviceKind.ID_CARD, DeviceState.ONLINE).lost(Fault.NO_READER)
    assert (card.media, card.paper, card.toner) == (MediaState.NONE, Level.NONE, Level.NONE)


def test_the_system_clock() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
    assert CHINA.utcoffset(None) == timedelta(hours=8)


BLOCKS: tuple[Block, ...] = (*(Pair(label, "x") for label in MANDATORY_LABELS), Code("ZZ1:S", "c"))


def test_a_whole_receipt_passes() -> None:
    receipt = Receipt("j", BLOCKS)
    assert require_mandatory(receipt) is receipt


@pytest.mark.parametrize("place", range(len(BLOCKS)))
def test_each_missing_line_is_named(place: int) -> None:
    gone = BLOCKS[place]
    name = gone.label if isinstance(gone, Pair) else "code"
    with pytest.raises(ReceiptError, match=name):
        require_mandatory(Receipt("j", BLOCKS[:place] + BLOCKS[place + 1 :]))
