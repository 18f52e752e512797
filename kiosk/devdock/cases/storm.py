"""A stubborn citizen in bad weather: files again and again while processes are killed at random moments.

She knows nothing of processes. She does what the screen says, and when it goes dark she starts again. In the end
every number she was shown must be at the hall exactly once, and nothing else of hers.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kiosk.devdock import hands
from kiosk.devdock.cases.finger import Finger, NotSeen
from kiosk.devdock.cases.model import Storm
from kiosk.devdock.hall_view import HallView
from kiosk.devdock.street import Street, StreetError, Terminal

_PERSON = "chen"
_PATIENCE_S = 180.0
_BETWEEN_KILLS_S = (0.5, 3.5)
_CALM_S = 60.0


@dataclass(slots=True)
class Outcome:
    """What the storm left."""

    seed: int
    kills: dict[str, int] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    at_hall: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Counts for the report."""
        return {
            "seed": self.seed,
            "kills": self.kills,
            "filed": len(self.shown),
            "at_hall": len(self.at_hall),
            "lost": len(set(self.shown) - set(self.at_hall)),
            "doubled": len(self.at_hall) - len(set(self.at_hall)),
            "not_asked_for": len(set(self.at_hall) - set(self.shown)),
        }


class _Weather(threading.Thread):
    """Kills a random victim every so often, as often as the case says; then it is calm."""

    def __init__(self, storm: Storm, street: Street, terminal: Terminal, seed: int, outcome: Outcome) -> None:
        super().__init__(name="weather", daemon=True)
        self._victims = storm.victims
        self._kills = storm.kills
        self._street = street
        self._terminal = terminal
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._outcome = outcome
        self.over = threading.Event()

    def run(self) -> None:
        """Kill, wait, kill."""
        while sum(self._outcome.kills.values()) < self._kills and not self.over.wait(
            self._random.uniform(*_BETWEEN_KILLS_S)
        ):
            victim = self._random.choice(self._victims)
            if self._street.kill(self._terminal, victim) is not None:
                self._outcome.kills[victim] = self._outcome.kills.get(victim, 0) + 1


def run_storm(
    storm: Storm,
    street: Street,
    terminal: Terminal,
    finger: Finger,
    hall: HallView,
    *,
    picture: Callable[[str], None],
) -> Outcome:
    """File `storm.filings` questions through the weather; judge when it is calm again."""
    seed = storm.seed if storm.seed is not None else secrets.randbits(32)
    outcome = Outcome(seed)
    before = hall.numbers()
    weather = _Weather(storm, street, terminal, seed, outcome)
    citizen = _Citizen(terminal, finger, street)
    weather.start()
    try:
        while len(outcome.shown) < storm.filings or sum(outcome.kills.values()) < storm.kills:
            outcome.shown.append(citizen.file_one())
        picture("after the storm")
    except NotSeen as error:
        outcome.trouble.append(f"seed {seed}: {error}")
    finally:
        weather.over.set()
        weather.join()
    _judge(outcome, hall, before)
    return outcome


def _judge(outcome: Outcome, hall: HallView, before: frozenset[str]) -> None:
    deadline = time.monotonic() + _CALM_S
    while True:
        try:
            rows = [row for row in hall.submissions() if row["id"] not in before]
        except StreetError:
            rows = []
        outcome.at_hall = [row["application_no"] for row in rows]
        if set(outcome.shown) <= set(outcome.at_hall) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    numbers = outcome.as_json()
    for what in ("lost", "doubled", "not_asked_for"):
        if numbers[what]:
            outcome.trouble.append(f"seed {outcome.seed}: {numbers[what]} {what}")
    if any(row["effects"] != 1 for row in rows):
        outcome.trouble.append(f"seed {outcome.seed}: a submission without exactly one effect")


class _Citizen:
    """Does what the screen says, one thing at a time, until she holds a number she has not seen before."""

    def __init__(self, terminal: Terminal, finger: Finger, street: Street) -> None:
        self._terminal = terminal
        self._finger = finger
        self._street = street
        self._seen: set[str] = set()

    def file_one(self) -> str:
        """The number of one more filing."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            number = self._look_and_act()
            if number and number not in self._seen:
                self._seen.add(number)
                return number
        raise NotSeen(f"no number after {_PATIENCE_S:g} s; the screen shows {self._terminal.view() or 'nothing'}")

    def _look_and_act(self) -> str:
        view = self._terminal.view()
        match view:
            case "attract" | "home" if not self._greeted():
                self._put_card_again()
            case "home":
                self._try("咨询建议")
            case "guide":
                self._try("提问")
            case "put_card":
                self._put_card_again()
            case "question":
                self._answer()
            case "check":
                self._try("确认提交")
            case "done":
                return self._done()
            case "" | "sending":
                time.sleep(0.05)
            case _:
                self._try("返回首页", "完成", "退出")
        return ""

    def _greeted(self) -> bool:
        return self._finger.sees("您好") and self._finger.sees("身份证已读取")

    def _put_card_again(self) -> None:
        """Lift, lay down, give it a moment: what everybody does when nothing happens."""
        hands.lift_card(self._terminal)
        time.sleep(0.1)
        hands.put_card(self._terminal, self._street.persons[_PERSON])
        deadline = time.monotonic() + 2.0
        while not self._greeted() and self._terminal.view() != "done" and time.monotonic() < deadline:
            time.sleep(0.05)

    def _answer(self) -> None:
        nodes = self._finger.nodes()
        if any(node.name == "提建议" and "checked" not in node.states for node in nodes):
            self._try("提建议")
        elif any(node.name == "您的问题" and node.role == "EditableText" and not node.value for node in nodes):
            self._write("您的问题")
        self._try("下一步")

    def _write(self, label: str) -> None:
        try:
            self._finger.tap(label, within_s=0.5)
            for key in ("123符号", *"2468"):
                self._finger.tap(key, within_s=0.5)
        except NotSeen:
            return  # the screen went dark under her finger; she looks again

    def _done(self) -> str:
        number = self._finger.number()
        if number:
            self._try("拿到了")  # an open question about her receipt would be put to her at every visit
            self._try("完成")
            hands.lift_card(self._terminal)
        return number

    def _try(self, *labels: str) -> bool:
        for label in labels:
            if self._finger.can_tap(label):
                try:
                    self._finger.tap(label, within_s=0.5)
                except NotSeen:
                    return False
                return True
        return False
