"""A finger and an eye on a terminal's screen: finds things by what they say, touches them as a person would."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from kiosk.contract.numbers import ApplicationNumber
from kiosk.devdock.remote import RemoteError
from kiosk.devdock.street import Terminal

_INTERACTIVE = frozenset({"button", "checkbox", "radiobutton", "editabletext", "pagetab", "listitem"})
_NUMBER = re.compile(r"\d{6}-?\d{6}-?[0-9A-Z]{4}-?\d{4}-?[0-9A-Z]")
_SCROLLS = 8
_ANSWER_S = 0.4


class NotSeen(AssertionError):
    """What should be on the screen is not."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element of the accessibility tree; `rect` is x, y, width, height in window pixels."""

    role: str
    name: str
    value: str
    rect: tuple[float, float, float, float]
    states: frozenset[str]

    @property
    def center(self) -> tuple[float, float]:
        """Where a finger would go."""
        x, y, width, height = self.rect
        return x + width / 2, y + height / 2


class Finger:
    """Counts its touches; survives the screen process being killed and coming back."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.touches = 0

    def nodes(self) -> list[Node]:
        """Everything on the screen; empty while it is down."""
        try:
            head, _ = self._terminal.screen.do("tree")
        except RemoteError:
            return []
        return [_node(raw) for raw in head["nodes"]]

    def sees(self, words: str) -> bool:
        """Is this text on the screen?"""
        return any(words in node.name or words in node.value for node in self.nodes())

    def wait_for(self, words: str, *, within_s: float) -> None:
        """NotSeen if the text does not come."""
        deadline = time.monotonic() + within_s
        while not self.sees(words):
            if time.monotonic() > deadline:
                raise NotSeen(f"never saw {words!r}; on the screen ({self._terminal.view()}): {self._words()}")
            time.sleep(0.05)

    def wait_gone(self, words: str, *, within_s: float) -> None:
        """NotSeen's opposite."""
        deadline = time.monotonic() + within_s
        while self.sees(words):
            if time.monotonic() > deadline:
                raise NotSeen(f"{words!r} is still there")
            time.sleep(0.05)

    def wait_view(self, name: str, *, within_s: float) -> None:
        """NotSeen if the screen does not get there."""
        deadline = time.monotonic() + within_s
        while (view := self._terminal.view()) != name:
            if time.monotonic() > deadline:
                raise NotSeen(f"wanted view {name}, is {view or 'down'}: {self._words()}")
            time.sleep(0.03)

    def number(self) -> str:
        """The application number on the screen, without hyphens; empty if there is none."""
        for node in self.nodes():
            for written in _NUMBER.findall(f"{node.name} {node.value}"):
                try:
                    return str(ApplicationNumber.parse(written))
                except ValueError:
                    continue
        return ""

    def tap(self, label: str, *, within_s: float) -> None:
        """Touch the thing that says this; scrolls to it when it is below the edge."""
        deadline = time.monotonic() + within_s
        scrolls = 0
        while True:
            node = _to_touch(self.nodes(), label)
            if node is not None:
                if self._reachable(node):
                    if self._touch(node, label):
                        return
                elif scrolls < _SCROLLS:
                    scrolls += 1
                    self._scroll(node)
                    continue
            if time.monotonic() > deadline:
                raise NotSeen(f"nothing to touch says {label!r} ({self._terminal.view()}): {self._words()}")
            time.sleep(0.05)

    def can_tap(self, label: str) -> bool:
        """Is there such a thing now?"""
        return _to_touch(self.nodes(), label) is not None

    def _reachable(self, node: Node) -> bool:
        x, y = node.center
        width, height = self._size()
        return 0 <= x < width and 0 <= y < height and "offscreen" not in node.states

    def _size(self) -> tuple[int, int]:
        return self._terminal.spec.width, self._terminal.spec.height

    def _touch(self, node: Node, label: str) -> bool:
        """False: it was not there any more when the finger came down, and the person looks again. True also if the
        screen died under the finger."""
        x, y = node.center
        try:
            before, _ = self._terminal.screen.do("tap", x=x, y=y, node=_raw(node))
        except RemoteError:
            self.touches += 1
            return True
        if before["tapped"]:
            self.touches += 1
            self._wait_for_answer(label, int(before["sequence"]))
        return bool(before["tapped"])

    def _sequence(self) -> int:
        try:
            return int(self._terminal.screen.do("state")[0]["sequence"])
        except RemoteError:
            return -1

    def _wait_for_answer(self, label: str, before: int) -> None:
        """A person looks before she touches again. Keys of the keyboard answer at once and change no page."""
        deadline = time.monotonic() + (_ANSWER_S if len(label) > 1 else 0)
        while time.monotonic() < deadline and self._sequence() == before:
            time.sleep(0.02)

    def _scroll(self, node: Node) -> None:
        width, height = self._size()
        x, middle = width / 2, height * 0.5
        distance = 0.25 * height * (1 if node.center[1] > middle else -1)
        screen = self._terminal.screen
        screen.do("touch", x=x, y=middle, phase="press")
        for part in range(1, 9):
            screen.do("touch", x=x, y=middle - distance * part / 8, phase="move")
            time.sleep(0.016)
        screen.do("touch", x=x, y=middle - distance, phase="release")
        time.sleep(0.25)

    def _words(self) -> str:
        seen = list(dict.fromkeys(node.name for node in self.nodes() if node.name))
        return " | ".join(seen)[:600]


def _to_touch(seen: list[Node], label: str) -> Node | None:
    """The first thing that says this and takes a touch."""
    for node in seen:
        able = node.role.lower() in _INTERACTIVE and not node.states & {"disabled", "invisible"}
        if able and _says(node, label) and node.rect[2] > 0 and node.rect[3] > 0:
            return node
    return None


def _says(node: Node, label: str) -> bool:
    """Exactly this label; one that ends with … need only begin so."""
    return node.name.startswith(label[:-1]) if label.endswith("…") else node.name == label


def _raw(node: Node) -> dict[str, Any]:
    """`_node`'s opposite."""
    return {
        "role": node.role,
        "name": node.name,
        "value": node.value,
        "rect": list(node.rect),
        "states": sorted(node.states),
    }


def _node(raw: dict[str, Any]) -> Node:
    x, y, width, height = raw["rect"]
    return Node(raw["role"], raw["name"], raw["value"], (x, y, width, height), frozenset(raw["states"]))
