"""The catalogue (事项目录) as one terminal holds it: the items of a verified bundle, ready to look up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from kiosk.contract.bundle import Bundle, Calendar, TerminalPlace, Theme, Window
from kiosk.contract.wire import canonical_json
from kiosk.core.devices import DeviceKind
from kiosk.core.item import Item, ItemError, load_item


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item that this terminal's software does not understand; the others are served all the same."""

    code: str
    """As far as it can be told; empty if not."""
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Items by code and version, themes, other places."""

    number: int
    hall_name: str
    query_place: str
    themes: tuple[Theme, ...]
    windows: tuple[Window, ...]
    terminals: tuple[TerminalPlace, ...]
    calendar: Calendar
    versions: Mapping[tuple[str, int], Item]
    newest: Mapping[str, Item]
    """One item a code, in the order of the bundle."""
    refused: tuple[RefusedItem, ...]

    @classmethod
    def of(cls, bundle: Bundle) -> Catalogue:
        """From a bundle whose signature was verified."""
        versions: dict[tuple[str, int], Item] = {}
        newest: dict[str, Item] = {}
        refused: list[RefusedItem] = []
        for document in bundle.items:
            try:
                item = load_item(canonical_json(document))
            except ItemError as error:
                refused.append(RefusedItem(_told_code(document), tuple(map(str, error.faults))))
                continue
            versions[item.code, item.version] = item
            if item.code not in newest or newest[item.code].version < item.version:
                newest[item.code] = item
        return cls(
            number=bundle.number,
            hall_name=bundle.hall_name,
            query_place=bundle.query_place,
            themes=bundle.themes,
            windows=bundle.windows,
            terminals=bundle.terminals,
            calendar=bundle.calendar,
            versions=versions,
            newest=newest,
            refused=tuple(refused),
        )

    @property
    def items(self) -> tuple[Item, ...]:
        """Newest version of every item, in the order of the bundle."""
        return tuple(self.newest.values())

    def item(self, code: str, version: int | None = None) -> Item | None:
        """The newest version, or exactly this one."""
        return self.newest.get(code) if version is None else self.versions.get((code, version))

    def theme_items(self, theme_id: str) -> tuple[Item, ...]:
        """The items of a theme that exist, most used first; empty for an unknown theme."""
        codes = next((theme.items for theme in self.themes if theme.id == theme_id), ())
        return tuple(self.newest[code] for code in codes if code in self.newest)

    def nearest_elsewhere(self, needed: Iterable[DeviceKind], own_id: str) -> str:
        """Name of the nearest other terminal (就近能办) that has all these devices; empty if there is none.

        Places have addresses, not coordinates: the longer the common beginning of the address (city, district,
        street, village), the nearer; among equals the hall's order decides.
        """
        wanted = {kind.value for kind in needed}
        own = self._address_of(own_id)
        able = [place for place in self.terminals if place.id != own_id and wanted <= set(place.devices)]
        nearest = max(able, key=lambda place: _shared(own, place.address), default=None)
        return "" if nearest is None else nearest.name

    def nearest_window(self, own_id: str) -> Window | None:
        """The staffed window (综合窗口) with a telephone that is nearest to this terminal, by the same rule."""
        own = self._address_of(own_id)
        telling = (window for window in self.windows if window.phone)
        return max(telling, key=lambda window: _shared(own, window.address), default=None)

    def _address_of(self, terminal_id: str) -> str:
        return next((place.address for place in self.terminals if place.id == terminal_id), "")


def _shared(one: str, other: str) -> int:
    """Length of the common beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _told_code(document: Mapping[str, object]) -> str:
    code = document.get("code")
    return code if isinstance(code, str) else ""
