"""The fault table: constants match it, nothing is missing, and every sentence can be put before a citizen."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState
from kiosk.core.fault_fields import Condition, FaultEntry, Mender, Persistence
from kiosk.core.fault_source import FaultTableError, python_table, read_table
from kiosk.core.fault_table import CONDITIONS, DEVICES, FAULTS
from kiosk.core.faults import fault_entry, is_permanent, trouble_of

CORE = Path(__file__).parents[2] / "kiosk" / "core"
TABLE = (CORE / "faults.toml").read_text("utf-8")
TROUBLES: list[Fault | Condition] = [*Fault, *Condition]

# What a citizen must never be asked to understand.
JARGON = re.compile(r"(?i)driver|usb|pcsc|ipp\b|tcp|error|fault|超时|驱动|协议|进程|错误|异常|故障码|失败|串口|接口")


def test_the_constants_are_generated_from_the_table() -> None:
    """Run scripts/generate_faults.py if this fails."""
    assert python_table(read_table(TABLE)) == (CORE / "fault_table.py").read_text("utf-8")


def test_every_device_fault_and_condition_has_its_row() -> None:
    assert set(DEVICES) == set(DeviceKind)
    assert set(FAULTS) == set(Fault)
    assert set(CONDITIONS) == set(Condition)


def entries() -> list[tuple[str, FaultEntry]]:
    return [
        (f"{trouble} on {kind}", fault_entry(trouble, kind))
        for trouble, kind in itertools.product(TROUBLES, DeviceKind)
    ]


@pytest.mark.parametrize(("where", "entry"), entries(), ids=[where for where, _ in entries()])
def test_sentences_are_ready_to_be_read(where: str, entry: FaultEntry) -> None:
    for words in (entry.citizen, entry.technician):
        assert not re.search(r"[{}]", words.zh + words.en)
        assert re.search(r"[一-鿿]", words.zh)
        assert words.zh.endswith("。")
        assert not re.search(r"[一-鿿]", words.en)
        assert words.en.endswith(".")
        assert words.en[0].isupper() or words.en.startswith("`")
    assert not JARGON.search(entry.citizen.zh + entry.citizen.en)
    assert len(entry.citizen.zh) <= 80, "a person of 78 reads it standing"
    assert len(entry.citizen.en) <= 230
    # What she does next, or that she need do nothing.
    assert re.search(r"请|您照常|不影响", entry.citizen.zh)
    assert re.search(r"(?i)please|you can|window|goes on|turn|lay|press", entry.citizen.en)


def test_what_lasts_is_a_technicians() -> None:
    assert is_permanent(Fault.MISCONFIGURED)
    assert not is_permanent(Fault.PAPER_OUT)
    for fault, entry in FAULTS.items():
        assert not is_permanent(fault) or entry.mends is Mender.TECHNICIAN


def test_a_device_may_say_it_in_its_own_words() -> None:
    reader, printer = (fault_entry(Fault.UNREACHABLE, kind) for kind in (DeviceKind.ID_CARD, DeviceKind.PAGE))
    assert reader.citizen.zh.startswith("身份证阅读区")
    assert printer.citizen.en.startswith("The page printer")
    assert "ipp" in printer.technician.en
    assert "ipp" not in reader.technician.en
    assert (reader.lasts, reader.mends) == (printer.lasts, printer.mends) == (Persistence.TEMPORARY, Mender.TECHNICIAN)


def test_there_is_trouble_exactly_where_something_is_to_be_done() -> None:
    for state, media, paper, toner in itertools.product(DeviceState, MediaState, Level, Level):
        status = DeviceStatus(DeviceKind.PAGE, state, media, paper, toner)
        enough = Level.LOW not in (paper, toner)
        assert (trouble_of(status) is None) == (status.well and enough), status


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[fault.jam]", "[fault.jams]", "fault: lacks jam, knows no jams"),
        ("[device.receipt]", "[device.reciept]", "device: lacks receipt, knows no reciept"),
        ("[condition.paper_low]", "[condition.low]", "condition: lacks paper_low, knows no low"),
        ("[fault.paper_out.receipt]", "[fault.paper_out.printer]", "fault.paper_out: printer is none of"),
        ('lasts = "temporary"', 'lasts = "a while"', "fault.driver_lost: a while is none of"),
        ('mends = "itself"', 'mends = "nobody"', "fault.driver_lost: nobody is none of"),
        ('lasts = "temporary"\nmends = "itself"', 'lasts = "permanent"\nmends = "itself"', "only a technician"),
        ("citizen_zh", "citizen_fr", "lacks citizen_zh, knows no citizen_fr"),
        ("{otherwise}", "{anyhow}", "nothing fills {anyhow}"),
        ("{device}", "{device", "fault.driver_lost"),
        ('zh = "身份证阅读区"', 'zh = ""', "device.id_card: a sentence wants text"),
        ('zh = "身份证阅读区"', 'zh = "{device}"', "device.id_card: nothing fills"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, message: str) -> None:
    table = "#" + TABLE.split("# --- devices", 1)[1]  # without the explanations
    assert old in table
    with pytest.raises(FaultTableError, match=re.escape(message)):
        read_table(table.replace(old, new, 1))
