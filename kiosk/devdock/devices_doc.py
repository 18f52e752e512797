"""docs/devices.md: the scorecard, and for each device what can befall it and what is said of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from drivers.sim.fault_scripts import FaultScript
from kiosk.core.devices import DeviceKind, Fault
from kiosk.core.fault_fields import Condition, FaultEntry, Mender, Persistence, Words
from kiosk.core.fault_table import DEVICES
from kiosk.core.faults import fault_entry
from kiosk.devdock.scorecard import GRADES, Grade, Score, Scorecard

_GRADES = {
    Grade.NONE: "—",
    Grade.BRONZE: "铜 bronze",
    Grade.SILVER: "银 silver",
    Grade.GOLD: "金 gold",
    Grade.PLATINUM: "铂金 platinum",
}
_LASTS = {
    Persistence.TEMPORARY: "暂时 temporary",
    Persistence.PERMANENT: "长久 permanent",
}
_MENDS = {
    Mender.ITSELF: "自己好 itself",
    Mender.CITIZEN: "群众 citizen",
    Mender.STAFF: "站里人 staff",
    Mender.TECHNICIAN: "技术员 technician",
}
_INTRO = """\
# 设备 Devices

本页由 `python scripts/generate_devices_doc.py` 生成，改表不改页。This page is generated; change the tables behind it.

| 想做什么 to do | 命令 command |
|---|---|
| 看每台设备好不好 how every device is | `kiosk doctor`，机器读 for machines `kiosk doctor --json` |
| 列出能演练的故障 list scripted faults | `kiosk sim faults`，`kiosk sim faults --json` |
| 把全部故障演练一遍 play all of them on a street | `make drill` |
| 只演练一台设备 one device only | `kiosk sim drill --device receipt` |
| 量快慢 measure | `make bench` |

每种故障只有一行，四处都用它：模拟器的脚本、屏幕上对群众说的话、`kiosk doctor` 对技术员说的话、演练时的期望。
One row for each fault serves in four places: the simulator's script, the sentence on the screen, the doctor's advice,
and what the drill expects.

- **暂时 temporary**：随时会好，终端一直在试。It may be well at any moment, and the terminal keeps trying.
- **长久 permanent**：不改点什么就不会好。Nothing gets better until a technician has changed something.
- 脚本后面的秒数 limits: 多少秒内认出，修好后多少秒内恢复。Named within, and well again after it was mended within.
"""


def devices_page(card: Scorecard, scores: Sequence[Score], scripts: Sequence[FaultScript]) -> str:
    """The whole page, Markdown."""
    parts = [_INTRO, _scorecard(card, scores)]
    parts += [_device(kind, [script for script in scripts if script.device is kind]) for kind in DeviceKind]
    parts.append(_unscripted(scripts))
    return "\n".join(parts)


def unscripted_faults(scripts: Iterable[FaultScript]) -> list[Fault | Condition]:
    """Rows of the fault table that no script brings about."""
    scripted = {script.trouble for script in scripts}
    return [trouble for trouble in (*Fault, *Condition) if trouble not in scripted]


def _scorecard(card: Scorecard, scores: Sequence[Score]) -> str:
    heads = [f"`{criterion.id}`" for criterion in card.criterion]
    grid = [
        [
            _device_name(score.device),
            f"**{_GRADES[score.grade]}**",
            *("✓" if criterion.id in score.shown else "–" for criterion in card.criterion),
        ]
        for score in scores
    ]
    criteria = [
        [_GRADES[grade], f"`{criterion.id}`", criterion.zh, criterion.en]
        for grade in GRADES
        for criterion in card.criterion
        if criterion.grade is grade
    ]
    evidence = [
        [_device_name(score.device), f"`{criterion.id}`", "<br>".join(f"`{piece}`" for piece in pieces)]
        for score in scores
        for criterion in card.criterion
        if (pieces := score.shown.get(criterion.id))
    ]
    return "\n".join(
        [
            "## 评分卡 Scorecard\n",
            _table(["设备 device", "等级 grade", *heads], grid),
            "每一级要做到什么（下面各级也都要做到）。What each grade asks, beside all that the grades below ask:\n",
            _table(["等级 grade", "条目 criterion", "要求", "demand"], criteria),
            "<details><summary>凭据 Evidence</summary>\n",
            _table(["设备 device", "条目 criterion", "在哪里 where"], evidence),
            "</details>\n",
        ]
    )


def _device(kind: DeviceKind, scripts: Sequence[FaultScript]) -> str:
    troubles = list(dict.fromkeys(script.trouble for script in scripts))
    rows = [_row(kind, trouble, [script for script in scripts if script.trouble is trouble]) for trouble in troubles]
    words = DEVICES[kind]
    return "\n".join(
        [
            f"## {words.technician.zh} {words.technician.en[0].upper()}{words.technician.en[1:]}\n",
            f"用不了的时候，群众听到的是 without it a citizen is told:\n{_both(words.otherwise)}\n",
            _table(["故障 fault", "脚本 script", "对群众说 citizen", "对技术员说 technician", "谁修 mends"], rows),
        ]
    )


def _row(kind: DeviceKind, trouble: Fault | Condition, scripts: Sequence[FaultScript]) -> list[str]:
    entry = fault_entry(trouble, kind)
    name = f"`{trouble}`" if isinstance(trouble, Fault) else f"({trouble})"
    return [
        f"{name}<br>{_LASTS[entry.lasts]}",
        "<br>".join(
            f"`{script.id}` {script.about} ({script.within_s:g} s, {script.recovers_s:g} s)" for script in scripts
        ),
        _both(entry.citizen),
        _both(entry.technician),
        _MENDS[entry.mends],
    ]


def _unscripted(scripts: Sequence[FaultScript]) -> str:
    rows = [_unscripted_row(trouble) for trouble in unscripted_faults(scripts)]
    if not rows:
        return ""
    return "\n".join(
        [
            "## 没有脚本的 Without a script\n",
            "表里有、演练不到的（以小票打印机为例）。In the table and brought about by no script, as told of the "
            "receipt printer:\n",
            _table(["故障 fault", "对群众说 citizen", "对技术员说 technician", "谁修 mends"], rows),
        ]
    )


def _unscripted_row(trouble: Fault | Condition) -> list[str]:
    entry: FaultEntry = fault_entry(trouble, DeviceKind.RECEIPT)
    return [f"`{trouble}`<br>{_LASTS[entry.lasts]}", _both(entry.citizen), _both(entry.technician), _MENDS[entry.mends]]


def _device_name(kind: DeviceKind) -> str:
    words = DEVICES[kind].technician
    return f"{words.zh}<br>{words.en}"


def _both(words: Words) -> str:
    return f"{words.zh}<br>{words.en}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
