"""事项目录: items written as YAML, checked, published as signed, numbered bundles; every item version kept for ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, func, insert, select

from hall.catalogue.strict_yaml import StrictYamlError, load_yaml
from hall.licences.people import is_over, today_in_china
from hall.licences.press import TEMPLATES
from hall.store.database import Store
from hall.store.moments import from_ms, to_ms
from hall.store.schema import bundles, item_versions, licences
from hall.trust.keys import HallKeys
from kiosk.contract.bundle import Bundle, Calendar, HallKey, TerminalPlace, Theme, Window, licence_mark, parse_bundle
from kiosk.contract.bundle_delta import make_delta
from kiosk.contract.signing import sign_bundle
from kiosk.contract.sync import BundleManifest
from kiosk.contract.wire import canonical_json
from kiosk.core.clock import Clock
from kiosk.core.item import Item, ItemError, load_item
from kiosk.core.item_check import check_catalogue
from kiosk.core.print_ledger import PaperName

_DELTAS_KEPT = 32


class CatalogueError(ValueError):
    """The catalogue cannot be published; every fault is listed, one a line."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A catalogue as written by clerks, checked."""

    region: str
    hall_name: str
    query_place: str
    themes: tuple[Theme, ...]
    terminals: tuple[TerminalPlace, ...]
    windows: tuple[Window, ...]
    calendar: Calendar
    items: tuple[Item, ...]


def own_catalogue() -> Traversable:
    """The catalogue that comes with the hall."""
    return files("hall.catalogue") / "data"


def _read(place: Traversable) -> Any:
    try:
        return load_yaml(place.read_text("utf-8"))
    except StrictYamlError as error:
        raise CatalogueError(f"{place.name}: {error}") from None
    except FileNotFoundError:
        raise CatalogueError(f"{place.name}: is missing") from None


def _typed(place: Traversable, type_: Any) -> Any:
    try:
        return TypeAdapter(type_).validate_json(canonical_json(_read(place)))
    except ValidationError as error:
        faults = (f"{place.name}: {'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors())
        raise CatalogueError("\n".join(faults)) from None


def load_draft(root: Traversable) -> Draft:
    """Read and check a catalogue folder; CatalogueError with all faults found."""
    about: dict[str, str] = _typed(root / "bundle.yaml", dict[str, str])
    items: list[Item] = []
    faults: list[str] = []
    for place in sorted((root / "items").iterdir(), key=lambda found: found.name):
        if not place.name.endswith(".yaml"):
            continue
        try:
            items.append(load_item(canonical_json(_read(place))))
        except ItemError as error:
            faults += [f"{place.name}: {fault}" for fault in error.faults]
        except CatalogueError as error:
            faults.append(str(error))
    faults += [
        f"{item.code}: there is no template {result.template}"
        for item in items
        for result in item.results
        if result.template is not None and not (TEMPLATES / f"{result.template}.typ").exists()
    ]
    themes: tuple[Theme, ...] = _typed(root / "themes.yaml", tuple[Theme, ...])
    faults += [str(fault) for fault in check_catalogue(items, themes)]
    if faults:
        raise CatalogueError("\n".join(faults))
    return Draft(
        region=about.get("region", ""),
        hall_name=about.get("hall_name", ""),
        query_place=about.get("query_place", ""),
        themes=themes,
        terminals=_typed(root / "terminals.yaml", tuple[TerminalPlace, ...]),
        windows=_typed(root / "windows.yaml", tuple[Window, ...]),
        calendar=_typed(root / "calendar.yaml", Calendar),
        items=tuple(items),
    )


@dataclass(frozen=True, slots=True)
class _Newest:
    """What is asked of the newest bundle again and again."""

    number: int
    numbered: frozenset[str]
    calendar: Calendar


class Catalogue:
    """Published bundles and item versions."""

    def __init__(self, *, store: Store, keys: HallKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._known: dict[tuple[str, int], Item] = {}
        self._deltas: dict[tuple[int, int], bytes] = {}
        self._newest: _Newest | None = None

    def publish(self, draft: Draft) -> BundleManifest:
        """Sign the next bundle; the same content again publishes nothing new. CatalogueError."""
        now = self._clock.now()
        documents = {(item.code, item.version): _document(item) for item in draft.items}

        def write(connection: Connection) -> BundleManifest:
            for (code, version), document in documents.items():
                _keep_version(connection, code, version, document)
            last = connection.execute(select(func.max(bundles.c.number))).scalar_one() or 0
            if last and self._content(self._bundle_of(connection, last)) == self._content(
                self._bundle(connection, draft, last, now)
            ):
                return _manifest(connection, last)
            return self._keep(connection, self._bundle(connection, draft, last + 1, now))

        return self._store.write(write)

    def publish_keys(self, keys: tuple[HallKey, ...]) -> BundleManifest | None:
        """The newest bundle once more with these keys, under the signature that terminals know; None: there is none."""
        return self._store.write(lambda connection: self.publish_again(connection, keys=keys))

    def publish_again(
        self, connection: Connection, *, keys: tuple[HallKey, ...] | None = None
    ) -> BundleManifest | None:
        """The newest bundle once more with the licences that are withdrawn by now, in the transaction that withdraws
        one; None: there is no bundle."""
        last = connection.execute(select(func.max(bundles.c.number))).scalar_one()
        if last is None:
            return None
        now, bundle = self._clock.now(), self._bundle_of(connection, last)
        fresh = {
            "number": last + 1,
            "published_at": now,
            "keys": keys or bundle.keys,
            "withdrawn": _withdrawn(connection, now),
        }
        return self._keep(connection, bundle.model_copy(update=fresh))

    def _keep(self, connection: Connection, bundle: Bundle) -> BundleManifest:
        raw = sign_bundle(bundle, self._keys.signing)
        digest = hashlib.sha256(raw).hexdigest()
        published_at = to_ms(bundle.published_at)
        connection.execute(
            insert(bundles).values(number=bundle.number, sha256=digest, published_at=published_at, raw=raw)
        )
        return _manifest(connection, bundle.number)

    def manifest(self) -> BundleManifest | None:
        """The newest bundle; None before the first."""
        with self._store.read() as connection:
            last = connection.execute(select(func.max(bundles.c.number))).scalar_one()
            return None if last is None else _manifest(connection, last)

    def raw(self, number: int) -> bytes | None:
        """A bundle file."""
        with self._store.read() as connection:
            return connection.execute(select(bundles.c.raw).where(bundles.c.number == number)).scalar_one_or_none()

    def delta(self, since: int, number: int) -> bytes | None:
        """What turns one bundle file into another; None if one of them is not here. Made once."""
        if (made := self._deltas.get((since, number))) is not None:
            return made
        old, new = self.raw(since), self.raw(number)
        if old is None or new is None or since >= number:
            return None
        if len(self._deltas) >= _DELTAS_KEPT:
            self._deltas.clear()
        return self._deltas.setdefault((since, number), make_delta(old, new))

    def item(self, code: str, version: int) -> Item | None:
        """An item version that was published in some bundle."""
        if (known := self._known.get((code, version))) is not None:
            return known
        with self._store.read() as connection:
            document = connection.execute(
                select(item_versions.c.document).where(item_versions.c.code == code, item_versions.c.version == version)
            ).scalar_one_or_none()
        if document is None:
            return None
        return self._known.setdefault((code, version), load_item(document))

    def paper_of(self, type_name: str) -> PaperName:
        """What a licence or certificate of this type is printed on, by the newest bundle."""
        newest = self._look_up()
        return "numbered" if newest is not None and type_name in newest.numbered else "plain"

    def calendar(self) -> Calendar:
        """Days off, by the newest bundle."""
        newest = self._look_up()
        return Calendar() if newest is None else newest.calendar

    def _look_up(self) -> _Newest | None:
        with self._store.read() as connection:
            last = connection.execute(select(func.max(bundles.c.number))).scalar_one()
            if last is not None and (self._newest is None or last != self._newest.number):
                bundle = self._bundle_of(connection, last)
                self._newest = _Newest(last, _numbered_types(bundle), bundle.calendar)
        return self._newest

    def _bundle(self, connection: Connection, draft: Draft, number: int, now: datetime) -> Bundle:
        return Bundle(
            number=number,
            published_at=now,
            region=draft.region,
            hall_name=draft.hall_name,
            query_place=draft.query_place,
            keys=self._keys.published(),
            themes=draft.themes,
            items=tuple(item.model_dump(mode="json", by_alias=True) for item in draft.items),
            terminals=draft.terminals,
            windows=draft.windows,
            calendar=draft.calendar,
            withdrawn=_withdrawn(connection, now),
        )

    @staticmethod
    def _bundle_of(connection: Connection, number: int) -> Bundle:
        return parse_bundle(
            connection.execute(select(bundles.c.raw).where(bundles.c.number == number)).scalar_one()
        ).bundle

    @staticmethod
    def _content(bundle: Bundle) -> dict[str, Any]:
        return bundle.model_dump(exclude={"number", "published_at"})


def _numbered_types(bundle: Bundle) -> frozenset[str]:
    """Licence types that are printed on numbered paper: certificates are called like their item."""
    items = (load_item(canonical_json(document)) for document in bundle.items)
    return frozenset(
        item.name if item.kind == "certificate" else result.name
        for item in items
        for result in item.results
        if result.paper == "numbered"
    )


def _withdrawn(connection: Connection, now: datetime) -> tuple[str, ...]:
    """Marks of licences that are not valid any more before their end; in an order that tells nothing."""
    today = today_in_china(now)
    rows = connection.execute(select(licences.c.number, licences.c.valid_to).where(licences.c.status != "valid"))
    return tuple(sorted(licence_mark(row.number) for row in rows if not is_over(row.valid_to, today)))


def _document(item: Item) -> bytes:
    return canonical_json(item.model_dump(mode="json", by_alias=True))


def _keep_version(connection: Connection, code: str, version: int, document: bytes) -> None:
    where = (item_versions.c.code == code, item_versions.c.version == version)
    kept = connection.execute(select(item_versions.c.document).where(*where)).scalar_one_or_none()
    if kept is None:
        sha256 = hashlib.sha256(document).hexdigest()
        connection.execute(insert(item_versions).values(code=code, version=version, sha256=sha256, document=document))
    elif kept != document:
        raise CatalogueError(f"{code}: version {version} was published with other content; raise the version")


def _manifest(connection: Connection, number: int) -> BundleManifest:
    row = connection.execute(select(bundles).where(bundles.c.number == number)).one()
    return BundleManifest(
        number=row.number, sha256=row.sha256, size=len(row.raw), published_at=from_ms(row.published_at)
    )
