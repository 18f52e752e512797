"""One hall, put together: everything that its two listeners and its command line work on."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import SystemRandom

from hall.cases.corrections import DECIDE_AGAIN, EXPIRE, CorrectionRules, Corrections
from hall.cases.returns import Returns
from hall.catalogue.bundles import Catalogue
from hall.desk import Desk
from hall.fakes.departments import Departments
from hall.intake.media import MediaDesk
from hall.intake.second_chances import SecondChances
from hall.intake.submissions import Intake
from hall.layout import HallLayout
from hall.licences.papers_printed import PapersPrinted
from hall.licences.people import People
from hall.licences.press import Press
from hall.me import MySpace
from hall.settings import HallSettings, load_settings
from hall.store.blobs import Blobs, tidying
from hall.store.database import Store
from hall.store.files import private_directory, write_private
from hall.store.jobs import JobRunner, enqueue
from hall.store.vault import Vault
from hall.terminals.help_desk import HelpDesk
from hall.terminals.journal import Journals
from hall.terminals.leases import Leases
from hall.terminals.registry import Terminals
from hall.terminals.renewals import Renewals
from hall.trust.keys import HallKeys, ensure_keys, load_keys
from kiosk.core.clock import Clock, SystemClock

_TIDY = "blobs.tidy"


class HallRunning(RuntimeError):
    """Another process owns this data directory."""


@dataclass(frozen=True, slots=True)
class Hall:
    """The parts."""

    layout: HallLayout
    settings: HallSettings
    keys: HallKeys
    vault: Vault
    store: Store
    blobs: Blobs
    catalogue: Catalogue
    terminals: Terminals
    renewals: Renewals
    help_desk: HelpDesk
    journals: Journals
    people: People
    intake: Intake
    leases: Leases
    media: MediaDesk
    returns: Returns
    second_chances: SecondChances
    me: MySpace
    papers_printed: PapersPrinted
    desk: Desk
    press: Press
    jobs: JobRunner
    clock: Clock
    lock: int

    def close(self) -> None:
        """Let go of the data directory. Stop the jobs first."""
        self.store.close()
        os.close(self.lock)


def open_hall(data: Path, *, decide_after_s: float | None = None, clock: Clock | None = None) -> Hall:
    """Open a data directory, setting up what is missing; HallRunning, SettingsError, StoreError."""
    clock = clock or SystemClock()
    layout = HallLayout(private_directory(data).resolve())
    lock = _lock(layout.lock)
    settings = load_settings(layout.settings)
    if not layout.settings.exists():
        write_private(layout.settings, settings.toml().encode())
    ensure_keys(layout, settings, now=clock.now())
    keys = replace(load_keys(layout), terminal_life=timedelta(days=settings.terminal_certificate_days))
    vault = Vault(keys.data_key)
    store = Store(layout.database)
    store.write(lambda connection: enqueue(connection, _TIDY, "blobs"))
    blobs = Blobs(layout.blobs)
    catalogue = Catalogue(store=store, keys=keys, clock=clock)
    terminals = Terminals(store=store, vault=vault, keys=keys, region=settings.region, clock=clock)
    people = People(store=store, vault=vault)
    press = Press(layout=layout, signing=keys.signing, hall_name=settings.name)
    corrections = Corrections(
        store=store,
        vault=vault,
        keys=keys,
        rules=CorrectionRules(
            days=settings.correction_days,
            grace=timedelta(hours=settings.correction_grace_h),
            awaits=timedelta(hours=settings.correction_awaits_h),
        ),
        clock=clock,
    )
    departments = Departments(
        store=store,
        vault=vault,
        people=people,
        catalogue=catalogue,
        press=press,
        corrections=corrections,
        decide_after_s=settings.decide_after_s if decide_after_s is None else decide_after_s,
        clock=clock,
    )
    intake = Intake(
        store=store,
        vault=vault,
        keys=keys,
        blobs=blobs,
        catalogue=catalogue,
        terminals=terminals,
        people=people,
        corrections=corrections,
        region=settings.region,
        clock=clock,
    )
    return Hall(
        layout=layout,
        settings=settings,
        keys=keys,
        vault=vault,
        store=store,
        blobs=blobs,
        catalogue=catalogue,
        terminals=terminals,
        renewals=Renewals(store=store, keys=keys, region=settings.region, clock=clock),
        help_desk=HelpDesk(store=store, clock=clock),
        journals=Journals(store=store, terminals=terminals, clock=clock),
        people=people,
        intake=intake,
        returns=Returns(store),
        second_chances=SecondChances(store=store, clock=clock),
        media=MediaDesk(store=store, intake=intake, blobs=blobs, terminals=terminals, keys=keys, clock=clock),
        leases=Leases(items_per_s=settings.backlog_items_s, monotonic=clock.monotonic),
        me=MySpace(
            store=store,
            vault=vault,
            people=people,
            catalogue=catalogue,
            press=press,
            signing=keys.signing,
            session_s=settings.person_session_s,
            clock=clock,
        ),
        papers_printed=PapersPrinted(store=store, clock=clock),
        desk=Desk(store=store, vault=vault, keys=keys, blobs=blobs, catalogue=catalogue, clock=clock),
        press=press,
        jobs=JobRunner(
            store=store,
            handlers={
                "department.accept": departments.accept,
                "department.decide": departments.decide,
                DECIDE_AGAIN: departments.decide_again,
                EXPIRE: corrections.expire,
                _TIDY: tidying(blobs, clock),
            },
            clock=clock,
            random=SystemRandom(),
        ),
        clock=clock,
        lock=lock,
    )


def _lock(path: Path) -> int:
    """One owner a data directory: SQLite is written by one connection only."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise HallRunning(f"a hall is running on {path.parent}") from None
    return descriptor
