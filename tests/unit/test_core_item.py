"""Loading `fuwu/1` documents: strict, and faults without values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.contract.wire import canonical_json
from kiosk.core.item import Item, ItemError, load_item


def document(**changes: Any) -> bytes:
    """The smallest item, changed by keywords."""
    smallest: dict[str, Any] = {
        "format": "fuwu/1",
        "code": "440699-TE-0001",
        "version": 1,
        "name": "样本",
        "department": "样本局",
        "summary": "样本",
        "kind": "certificate",
        "identity": {"level": "card"},
        "offline": "online_only",
    }
    return json.dumps({**smallest, **changes}).encode()


def test_the_smallest_item_loads() -> None:
    assert load_item(document()).fee_text == "免费"


@pytest.mark.parametrize(
    ("raw", "where", "what"),
    [
        (b"", "document", "json_invalid"),
        (b"[]", "document", "model_type"),
        (document(format="fuwu/2"), "format", "literal_error"),
        (document(code=193), "code", "string_type"),
        (document(version="3"), "version", "int_type"),
        (document(secret="440699194803120021"), "secret", "extra_forbidden"),
        (document(identity={}), "identity.level", "missing"),
        (document(pages=[{"id": "Page", "title": "一"}]), "pages.0.id", "string_pattern_mismatch"),
        (document(pages=[{"id": "p", "title": "一", "show": {}}]), "pages.0.show.FieldIs.field", "missing"),
    ],
)
def test_each_fault_says_where_and_what_and_never_the_value(raw: bytes, where: str, what: str) -> None:
    with pytest.raises(ItemError) as caught:
        load_item(raw)
    assert (where, what) in {(fault.where, fault.what) for fault in caught.value.faults}
    assert f"{where}: {what}" in str(caught.value)
    assert "440699194803120021" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_all_faults_are_listed_at_once() -> None:
    with pytest.raises(ItemError) as caught:
        load_item(document(version=0, name="", kind="magic"))
    assert {fault.where for fault in caught.value.faults} == {"version", "name", "kind"}


def test_an_item_survives_publication(renewal: Item) -> None:
    assert load_item(canonical_json(renewal.model_dump(mode="json", by_alias=True))) == renewal


def test_required_devices(renewal: Item, make_item: Callable[..., Item]) -> None:
    assert {kind.value for kind in renewal.required_devices()} == {"id_card", "camera"}
    assert {kind.value for kind in load_item(document()).required_devices()} == {"id_card", "page"}
    assert make_item(identity={"level": "none"}).required_devices() == frozenset()


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_give_an_item_or_an_item_error(raw: bytes) -> None:
    with pytest.raises(ItemError):
        load_item(raw)
