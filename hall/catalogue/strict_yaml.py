"""YAML as clerks mean it: only `true`, `false` and plain whole numbers are anything but text.

YAML 1.1 reads `no` as false, `0301` as 193, `12:30` as 750 and `1.10` as 1.1; each has spoiled somebody's codes. Here
they are text, and what is ambiguous or clever (duplicate keys, anchors, tags, merges) is refused.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

_INT = re.compile(r"^(?:0|-?[1-9][0-9]*)$")
_BOOL = re.compile(r"^(?:true|false)$")
_MAX_DEPTH = 40


class StrictYamlError(ValueError):
    """The document is no plain YAML; the message says what and where."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with other ideas of what a plain scalar is."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own name

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        where = f"line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise StrictYamlError(f"{where}: anchors and aliases are not allowed")
        if getattr(event, "tag", None) is not None:
            raise StrictYamlError(f"{where}: tags are not allowed")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise StrictYamlError(f"{where}: nested too deeply")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_whole(self, node: ScalarNode) -> int:
        if len(node.value) > 18:
            raise StrictYamlError(f"line {node.start_mark.line + 1}: number is too long, quote it")
        return int(node.value)

    def construct_flag(self, node: ScalarNode) -> bool:
        return bool(node.value == "true")

    def construct_unique(self, node: MappingNode) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            where = f"line {key_node.start_mark.line + 1}"
            if not isinstance(key, str):
                raise StrictYamlError(f"{where}: a key must be text")
            if key in made:
                raise StrictYamlError(f"{where}: {key} stands here twice")
            made[key] = self.construct_object(value_node, deep=True)
        return made


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("tf"))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_whole)
_Loader.add_constructor("tag:yaml.org,2002:bool", _Loader.construct_flag)
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_unique)


def load_yaml(text: str) -> Any:
    """One document of mappings, lists, text, true/false and whole numbers; StrictYamlError."""
    loader = None
    try:
        loader = _Loader(text)
        return loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise StrictYamlError(f"{where}{getattr(error, 'problem', None) or 'not YAML'}") from None
    finally:
        if loader is not None:
            loader.dispose()
