"""Leaps of the wall clock (时钟跳变), as the journal tells of them."""

from __future__ import annotations

from collections.abc import Iterable

from kiosk.contract.journal import JournalKind, Record


def ran_since_leap(records: Iterable[Record], *, leap: float, enough: float, now: float) -> float | None:
    """Seconds for which this machine has run, at least, since the wall clock leapt by more than `leap`; None if it has
    run for `enough` without.

    `records`: newest first; `now`: monotonic. Only monotonic time counts, which begins anew with every boot: where it
    has gone back there was one, and the machine has run since then for all that it shows.
    """
    ran, after = 0.0, now
    for record in records:
        told = record.named()
        if not isinstance(milliseconds := told.get("monotonic_ms"), int):
            continue
        at = milliseconds / 1000
        ran += after - at if after >= at else after
        if ran >= enough:
            return None
        if (
            record.kind == JournalKind.CLOCK_JUMP
            and abs(_ms(told, "found_ms") - _ms(told, "expected_ms")) > leap * 1000
        ):
            return ran
        after = at
    return None


def _ms(told: dict[str, int | str | bytes], name: str) -> int:
    value = told[name]
    assert isinstance(value, int)
    return value
