"""Scripted faults: what a file may say, and that every file says it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.fault_scripts import (
    FOLDER,
    HOST,
    SAM_V,
    Expected,
    FaultScriptError,
    Signal,
    Verb,
    Wait,
    choose,
    load_scripts,
    read_scripts,
)
from kiosk.core.devices import DeviceKind, DeviceState, DeviceStatus, Fault, Level, MediaState
from kiosk.core.fault_fields import Condition

GOOD = """
[[fault]]
id = "receipt.paper_out"
about = "The roll is empty."
break = [ { do = "receipt.set", paper = "out" }, { wait_s = 0.5 } ]
expect = { fault = "paper_out", state = "online", paper = "out" }
within_s = 3.0
heal = [ { do = "receipt.set", paper = "full" } ]
recovers_s = 6.0

[[fault]]
id = "receipt.near_end"
about = "The roll is nearly empty."
break = [ { do = "receipt.set", paper = "low" } ]
test = false
expect = { paper = "low" }
within_s = 3
heal = [ { do = "receipt.set", paper = "full" } ]
recovers_s = 6
"""
KILLED = """
[[fault]]
id = "host.killed"
about = "The driver's process is killed."
break = [ { signal = "KILL", driver = "page" } ]
expect = { fault = "driver_lost" }
within_s = 1.0
recovers_s = 3.0
"""


def test_a_script_as_it_is_written() -> None:
    paper_out, near_end = read_scripts(GOOD, group="receipt")
    assert paper_out.device is DeviceKind.RECEIPT
    set_paper, wait = paper_out.break_
    assert isinstance(set_paper, Verb)
    assert (set_paper.do, set_paper.args) == ("receipt.set", {"paper": "out"})
    assert wait == Wait(wait_s=0.5)
    assert paper_out.trouble is Fault.PAPER_OUT
    assert near_end.trouble is Condition.PAPER_LOW
    assert paper_out.expect.words() == "fault paper_out, state online, paper out"


def test_a_fault_of_the_host_shows_on_the_device_whose_driver_it_hits() -> None:
    (killed,) = read_scripts(KILLED, group=HOST)
    assert killed.device is DeviceKind.PAGE
    assert killed.break_ == (Signal(signal="KILL", driver=DeviceKind.PAGE),)
    assert killed.heal == ()


def test_expectations_are_met_by_everything_said_and_nothing_else() -> None:
    paper_out = read_scripts(GOOD, group="receipt")[0].expect
    seen = DeviceStatus(
        DeviceKind.RECEIPT, DeviceState.ONLINE, MediaState.ABSENT, paper=Level.OUT, fault=Fault.PAPER_OUT, detail="x"
    )
    assert paper_out.is_met(seen)
    assert not paper_out.is_met(DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.OUT))
    assert paper_out.beside_the_fault().is_met(DeviceStatus(DeviceKind.RECEIPT, DeviceState.ONLINE, paper=Level.OUT))
    assert Expected().is_met(seen)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("receipt.near_end", "receipt.paper_out", "receipt.paper_out: there are two of them"),
        ("receipt.near_end", "toaster.near_end", "no such device: toaster"),
        ("receipt.near_end", "Receipt Near End", "receipt.toml: fault.1.id"),
        ('do = "receipt.set", paper = "low"', 'do = "toaster.set"', "no such verb: toaster.set"),
        ('do = "receipt.set", paper = "low"', 'do = "receipt"', "no such verb: receipt"),
        ('do = "receipt.set", paper = "low"', 'do = "page.set"', "touches another device: page"),
        ('do = "receipt.set", paper = "low"', 'signal = "KILL", driver = "page"', "touches another device: page"),
        ('do = "receipt.set", paper = "low"', 'signal = "HUP", driver = "receipt"', "receipt.toml"),
        ('do = "receipt.set", paper = "low"', "wait_s = -1", "receipt.toml"),
        ("{ wait_s = 0.5 }", "{ wait = 0.5 }", "receipt.toml"),
        ('fault = "paper_out"', 'fault = "paper_gone"', "fault.0.expect.fault"),
        ('paper = "low" }\nwithin', 'paper = "full" }\nwithin', "expects no trouble"),
        ('expect = { paper = "low" }', "expect = {}", "expects no trouble"),
        ("test = false", "test = true", "a self-test brings out a fault"),
        ("within_s = 3\n", "within_s = 0\n", "fault.1.within_s"),
        ("recovers_s = 6\n", "recovers_s = 3600\n", "fault.1.recovers_s"),
        ("recovers_s = 6\n", "", "fault.1.recovers_s: Field required"),
        ("within_s = 3\n", "within_s = 3\nwithin = 3\n", "fault.1.within: Extra inputs"),
        ('about = "The roll is empty."', 'about = ""', "fault.0.about"),
        ("within_s = 3\n", 'within_s = 3\nrig = "sam_v"\n', "its folder says for which rig it is"),
        ("[[fault]]", "[[faults]]", "receipt.toml"),
        ("[[fault]]", "[[fault]", "receipt.toml: Expected"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    (tmp_path / "receipt.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(FaultScriptError, match=re.escape(message)):
        load_scripts(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('signal = "KILL", driver = "page"', "wait_s = 1"),
        (
            '{ signal = "KILL", driver = "page" }',
            '{ signal = "KILL", driver = "page" }, { signal = "KILL", driver = "camera" }',
        ),
    ],
)
def test_a_fault_of_the_host_is_of_one_driver(old: str, new: str) -> None:
    with pytest.raises(FaultScriptError, match="exactly one device"):
        read_scripts(KILLED.replace(old, new), group=HOST)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_a_script_lies_in_the_file_of_its_device() -> None:
    with pytest.raises(FaultScriptError, match=re.escape("page.toml: receipt.paper_out belongs in receipt.toml")):
        read_scripts(GOOD, group="page")


@given(st.sampled_from(sorted(tomllib.loads(GOOD)["fault"][0])), _JSON)
def test_any_value_is_taken_or_refused_in_one_line(key: str, value: object) -> None:
    """Whatever a hand types where something else belongs."""
    raw = {**tomllib.loads(GOOD)["fault"][0], key: value}
    try:
        (script,) = read_scripts(_toml(raw), group="receipt")
    except FaultScriptError as error:
        assert str(error).count("\n") <= 1
    else:
        assert script.device in DeviceKind


def test_a_folder_in_the_folder_is_of_another_rig(tmp_path: Path) -> None:
    (tmp_path / SAM_V).mkdir()
    (tmp_path / SAM_V / "receipt.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "host.toml").write_text(KILLED, encoding="utf-8")
    assert [(script.id, script.rig) for script in load_scripts(tmp_path)] == [
        ("host.killed", ""),
        ("receipt.paper_out", SAM_V),
        ("receipt.near_end", SAM_V),
    ]
    (tmp_path / "receipt.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(FaultScriptError, match="there are two of them"):
        load_scripts(tmp_path)


def test_some_are_chosen() -> None:
    scripts = (*read_scripts(GOOD, group="receipt"), *read_scripts(KILLED, group=HOST))
    assert choose(scripts) == scripts
    assert choose(scripts, devices=[DeviceKind.PAGE]) == scripts[2:]
    assert choose(scripts, ids=["receipt.near_end"]) == scripts[1:2]
    with pytest.raises(FaultScriptError, match=r"no such fault: receipt\.on_fire"):
        choose(scripts, ids=["receipt.on_fire"])


# --- the files ---------------------------------------------------------------------------------------------------


def test_every_file_is_sound() -> None:
    scripts = load_scripts()
    assert {path.stem for path in FOLDER.glob("*.toml")} <= {*DeviceKind, HOST}
    assert all(isinstance(script.trouble, Fault | Condition) for script in scripts)


def test_no_two_scripts_of_a_device_are_the_same() -> None:
    done = Counter((script.rig, script.device, repr(script.break_)) for script in load_scripts())
    assert [what for what, times in done.items() if times > 1] == []


def _toml(table: dict[str, object]) -> str:
    """One [[fault]] as TOML; what TOML cannot say makes it no TOML, which is to be refused too."""
    return "[[fault]]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return f"{{{', '.join(f'{_value(str(key))} = {_value(item)}' for key, item in value.items())}}}"
        case str():
            return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
        case _:
            return repr(value)
