"""YAML as clerks mean it, and catalogues that cannot be published."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall.catalogue.bundles import CatalogueError, load_draft, own_catalogue
from hall.catalogue.strict_yaml import StrictYamlError, load_yaml
from hall.hall import Hall, open_hall
from kiosk.contract.signing import verify_bundle
from kiosk.core.catalogue import Catalogue


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", {"a": "no"}),
        ("a: off", {"a": "off"}),
        ("a: Yes", {"a": "Yes"}),
        ("a: True", {"a": "True"}),
        ("a: 0301", {"a": "0301"}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 0x1f", {"a": "0x1f"}),
        ("a: 0o17", {"a": "0o17"}),
        ("a: 1.10", {"a": "1.10"}),
        ("a: 1e3", {"a": "1e3"}),
        ("a: +7", {"a": "+7"}),
        ("a: ~", {"a": "~"}),
        ("a: null", {"a": "null"}),
        ("a:", {"a": ""}),
        ("a: 2026-11-22", {"a": "2026-11-22"}),
        ("a: .inf", {"a": ".inf"}),
        ("<<: x", {"<<": "x"}),
        ("a: =", {"a": "="}),
        ("a: 0", {"a": 0}),
        ("a: -12", {"a": -12}),
        ("a: [true, false, '1']", {"a": [True, False, "1"]}),
        ('code: "0301"', {"code": "0301"}),
    ],
)
def test_plain_scalars_mean_what_they_say(text: str, value: Any) -> None:
    assert load_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: a stands here twice"),
        ("a: &x 1\nb: *x", "anchors"),
        ("a: !!int '0301'", "tags"),
        ("a: !!python/object/apply:os.system ['true']", "tags"),
        ("1: a", "a key must be text"),
        ("true: a", "a key must be text"),
        ("[a]: b", "a key must be text"),
        ("a: 4406991948030800271", "quote it"),
        ("a: {b: 一样吗?, c}: d", "line 1"),
        ("a: [", "line"),
        ("--- a\n--- b", "line 2"),
        ("[" * 100, "nested too deeply"),
        ("a: \x00", "not YAML|character"),
    ],
)
def test_clever_yaml_is_refused(text: str, words: str) -> None:
    with pytest.raises(StrictYamlError, match=words):
        load_yaml(text)


@given(st.text(max_size=80))
def test_any_text_loads_or_is_refused(text: str) -> None:
    with contextlib.suppress(StrictYamlError):
        load_yaml(text)


plain = st.recursive(
    st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(exclude_categories=["C", "Z"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz012", min_size=1, max_size=5), inner),
    max_leaves=12,
)


@given(plain)
def test_json_reads_as_itself(value: Any) -> None:
    assert load_yaml(json.dumps({"v": value}, ensure_ascii=False)) == {"v": value}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "catalogue"
    shutil.copytree(str(own_catalogue()), copy)
    return copy


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    opened = open_hall(tmp_path / "hall")
    yield opened
    opened.close()


def test_publishing_signs_a_bundle_that_terminals_read(hall: Hall) -> None:
    done = hall.catalogue.publish(load_draft(own_catalogue()))
    raw = hall.catalogue.raw(done.number)
    assert raw is not None
    catalogue = Catalogue.of(verify_bundle(raw, {hall.keys.signing.id: hall.keys.signing.public}))
    assert catalogue.refused == ()
    assert {item.kind for item in catalogue.items} == {"application", "certificate", "consultation"}
    for item in catalogue.items:
        assert hall.catalogue.item(item.code, item.version) == item
    assert hall.catalogue.item("440604-GA-0031", 99) is None


def test_publishing_the_same_again_is_no_new_bundle(hall: Hall, folder: Path) -> None:
    first = hall.catalogue.publish(load_draft(folder))
    assert hall.catalogue.publish(load_draft(folder)) == first
    themes = folder / "themes.yaml"
    themes.write_text(themes.read_text("utf-8").replace("社保证明", "社保"), "utf-8")
    assert hall.catalogue.publish(load_draft(folder)).number == first.number + 1


def test_a_published_version_never_changes(hall: Hall, folder: Path) -> None:
    hall.catalogue.publish(load_draft(folder))
    item = folder / "items" / "zx_12345.yaml"
    item.write_text(item.read_text("utf-8").replace("您想问哪方面的事？", "问什么？"), "utf-8")
    with pytest.raises(CatalogueError, match="raise the version"):
        hall.catalogue.publish(load_draft(folder))
    item.write_text(item.read_text("utf-8").replace("version: 1", "version: 2"), "utf-8")
    assert hall.catalogue.publish(load_draft(folder)).number == 2
    assert hall.catalogue.item("440604-ZX-12345", 1) is not None, "old submissions keep their version"


def test_all_faults_are_told_at_once(folder: Path) -> None:
    (folder / "items" / "zx_12345.yaml").write_text("format: fuwu/1\nformat: fuwu/1\n")
    (folder / "items" / "jzz_qz.yaml").write_text("format: fuwu/2\n")
    with pytest.raises(CatalogueError) as refused:
        load_draft(folder)
    assert "zx_12345.yaml: line 2: format stands here twice" in str(refused.value)
    assert "jzz_qz.yaml: " in str(refused.value)
    shutil.copy(str(own_catalogue() / "items" / "jzz_qz.yaml"), folder / "items")
    permit = folder / "items" / "jzz_qz.yaml"
    permit.write_text(permit.read_text("utf-8").replace("template: residence_permit", "template: nowhere"), "utf-8")
    with pytest.raises(CatalogueError, match="there is no template nowhere"):
        load_draft(folder)
    shutil.rmtree(folder / "items")
    (folder / "items").mkdir()
    (folder / "themes.yaml").unlink()
    with pytest.raises(CatalogueError, match="is missing"):
        load_draft(folder)
