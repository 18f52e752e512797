"""The catalogue on a terminal, and the hall's own catalogue data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from kiosk.contract.bundle import Bundle, TerminalPlace, Theme, Window
from kiosk.contract.wire import canonical_json
from kiosk.core.catalogue import Catalogue
from kiosk.core.devices import DeviceKind
from kiosk.core.item import Item, load_item
from kiosk.core.item_check import check_catalogue, check_item

DATA = Path(__file__).parents[2] / "hall" / "catalogue" / "data"


def data(name: str) -> Any:
    return yaml.safe_load((DATA / name).read_text("utf-8"))


def typed(name: str, kind: Any) -> Any:
    return TypeAdapter(kind).validate_json(json.dumps(data(name)))


def dumped(item: Item) -> dict[str, Any]:
    return item.model_dump(mode="json", by_alias=True)


@pytest.fixture
def bundle(at: datetime, make_item: Callable[..., Item]) -> Bundle:
    """Two versions of one item, one from the future, one other."""
    items = (
        dumped(make_item(version=2)),
        dumped(make_item(version=1)),
        dumped(make_item(code="440699-TE-0002")),
        {**dumped(make_item(code="440699-TE-0003")), "format": "fuwu/9"},
        {"what": 1},
    )
    return Bundle(
        number=7,
        published_at=at,
        region="440699",
        hall_name="样本大厅",
        query_place="样本处",
        keys=(),
        themes=(Theme(id="t", title="题", subtitle="", icon="users", items=("440699-TE-0002", "440699-TE-0003")),),
        items=items,
        terminals=typed("terminals.yaml", tuple[TerminalPlace, ...]),
        windows=typed("windows.yaml", tuple[Window, ...]),
    )


def test_newest_and_exact_versions(bundle: Bundle) -> None:
    catalogue = Catalogue.of(bundle)
    newest, old = catalogue.item("440699-TE-0001"), catalogue.item("440699-TE-0001", 1)
    assert newest is not None
    assert old is not None
    assert (newest.version, old.version) == (2, 1)
    assert catalogue.item("440699-TE-0001", 3) is None
    assert catalogue.item("440699-TE-0009") is None
    assert [item.code for item in catalogue.items] == ["440699-TE-0001", "440699-TE-0002"]


def test_items_of_tomorrow_are_refused_alone(bundle: Bundle) -> None:
    catalogue = Catalogue.of(bundle)
    assert [refused.code for refused in catalogue.refused] == ["440699-TE-0003", ""]
    assert catalogue.refused[0].faults == ("format: literal_error",)
    assert [item.code for item in catalogue.theme_items("t")] == ["440699-TE-0002"]
    assert catalogue.theme_items("gone") == ()
    assert (catalogue.number, catalogue.hall_name, catalogue.query_place) == (7, "样本大厅", "样本处")


@pytest.mark.parametrize(
    ("needed", "own", "nearest"),
    [
        ({DeviceKind.PAGE}, "T001", "石湾镇街道便民服务中心1号机"),
        ({DeviceKind.PAGE}, "T002", "祖庙街道24小时自助服务区3号机"),
        ({DeviceKind.CAMERA}, "T003", "祖庙街道24小时自助服务区3号机"),
        ({DeviceKind.CAMERA}, "T999", "祖庙街道24小时自助服务区3号机"),
        (set(), "T003", "祖庙街道24小时自助服务区3号机"),
    ],
)
def test_the_nearest_other_terminal_that_can(bundle: Bundle, needed: set[DeviceKind], own: str, nearest: str) -> None:
    assert Catalogue.of(bundle).nearest_elsewhere(needed, own) == nearest


def test_the_same_street_is_nearer_than_the_same_city(bundle: Bundle) -> None:
    places = tuple(
        TerminalPlace(id=number, name=number, address=address, open="", devices=("page",))
        for number, address in [("A001", "佛山市一区一街"), ("A002", "佛山市二区一街"), ("A003", "佛山市二区二街")]
    )
    catalogue = Catalogue.of(bundle.model_copy(update={"terminals": places}))
    assert catalogue.nearest_elsewhere({DeviceKind.PAGE}, "A003") == "A002"
    assert catalogue.nearest_elsewhere({DeviceKind.CAMERA}, "A003") == ""


def test_the_nearest_window_with_a_telephone(bundle: Bundle) -> None:
    places = (TerminalPlace(id="A001", name="", address="佛山市二区一街1号", open="", devices=()),)
    windows = tuple(
        Window(name=name, address=address, open="", phone=phone)
        for name, address, phone in [
            ("远", "佛山市一区", "1"),
            ("近", "佛山市二区一街9号", "2"),
            ("最近", "佛山市二区一街1号", ""),
        ]
    )
    catalogue = Catalogue.of(bundle.model_copy(update={"terminals": places, "windows": windows}))
    assert [found and found.name for found in map(catalogue.nearest_window, ("A001", "A999"))] == ["近", "远"]
    assert Catalogue.of(bundle.model_copy(update={"windows": windows[2:]})).nearest_window("A001") is None


# --- the hall's own data ------------------------------------------------------------------------------------------


def test_the_published_catalogue_has_no_finding() -> None:
    paths = sorted((DATA / "items").glob("*.yaml"))
    items = [load_item(canonical_json(yaml.safe_load(path.read_text("utf-8")))) for path in paths]
    themes = typed("themes.yaml", tuple[Theme, ...])
    assert len(items) >= 3
    assert check_catalogue(items, themes) == ()
    assert {item.code for item in items} == {code for theme in themes for code in theme.items}


@pytest.mark.parametrize(
    ("name", "kind", "offline", "devices"),
    [
        ("jzz_qz", "application", "queue", {DeviceKind.ID_CARD, DeviceKind.CAMERA}),
        ("sb_cbzm", "certificate", "online_only", {DeviceKind.ID_CARD, DeviceKind.PAGE}),
        ("zx_12345", "consultation", "queue", {DeviceKind.ID_CARD}),
    ],
)
def test_each_published_item(
    published: Callable[[str], Item], name: str, kind: str, offline: str, devices: set[DeviceKind]
) -> None:
    item = published(name)
    assert (item.kind, item.offline, set(item.required_devices())) == (kind, offline, devices)
    assert check_item(item) == ()


def test_prefills_from_licences_name_what_some_item_of_the_catalogue_issues(
    renewal: Item, published: Callable[[str], Item]
) -> None:
    prefills = {question.prefill for page in renewal.pages for question in page.fields if question.prefill}
    issued = {result.name for name in ("jzz_qz", "sb_cbzm") for result in published(name).results}
    assert {prefill.split(".")[1] for prefill in prefills} <= issued
    # The hall names a certificate after its item; both must be one word for the prefill to find it.
    certificate = published("sb_cbzm")
    assert [result.name for result in certificate.results] == [certificate.name]


def test_places_have_what_a_slip_needs() -> None:
    terminals = typed("terminals.yaml", tuple[TerminalPlace, ...])
    assert [place.id for place in terminals] == ["T001", "T002", "T003"]
    assert {device for place in terminals for device in place.devices} == {kind.value for kind in DeviceKind}
    for window in typed("windows.yaml", tuple[Window, ...]):
        assert all((window.name, window.address, window.open, window.phone))
    about = data("bundle.yaml")
    assert set(about) == {"region", "hall_name", "query_place"}
    assert about["region"] == "440604"
