"""docs/queue.md: what it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "queue.md").read_text("utf-8")


def test_every_proof_is_a_test() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 40
    missing = [f"{file}::{name}" for file, name in named if name not in _functions(ROOT / file)]
    assert missing == []


def test_every_target_and_record_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"`make (\w+)`", PAGE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for record in set(re.findall(r"\]\(([\w./-]+\.md)\)", PAGE)):
        assert (ROOT / "docs" / record).is_file(), record


def test_every_place_is_there_and_named() -> None:
    table = "".join(re.findall(r"^\|.*$", PAGE.split("## 技术员")[0], re.MULTILINE))
    queue = ROOT / "offline_queue"
    named = set(re.findall(r"`(\w+\.py|\w+/)`", table))
    assert {name for name in named if not (queue / name).exists()} == set()
    folders = {f"{path.parent.name}/" for path in queue.glob("*/__init__.py")}
    assert folders <= named


def _functions(file: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}
