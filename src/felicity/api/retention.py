"""Retention: the time for which a store keeps windows and hours, and the reduction of older ones to hours and days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from felicity.api.selection import Names, opened, to_names

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store.retention import Folding, LocationRetention


def set_retention(
    days: int | None, months: int | None = None, *, locations: Names | None = None, store: StoreLike = None
) -> None:
    """Set for how many days windows, and for how many months hours, are kept; None is for ever. Days always stay.

    The rule holds at these locations, or wherever there is no rule of its own. Nothing is deleted before
    ``run_retention``. Raises ConfigError for impossible rules and unknown locations, StoreError.
    """
    from felicity.store.retention import RetentionRule

    rule, names = RetentionRule(days, months), None if locations is None else to_names(locations, "locations")
    with opened(store, create=locations is None) as open_store:
        open_store.set_retention(rule, names)


def show_retention(
    *, locations: Names | None = None, now: datetime | None = None, store: StoreLike = None
) -> tuple[LocationRetention, ...]:
    """Return for how long each location keeps windows and hours, by name. Raises ConfigError, StoreError."""
    names = None if locations is None else to_names(locations, "locations")
    with opened(store) as open_store:
        return tuple(open_store.retention(now or datetime.now(UTC), names))


def run_retention(
    *, locations: Names | None = None, dry_run: bool = False, now: datetime | None = None, store: StoreLike = None
) -> tuple[Folding, ...]:
    """Reduce older windows to hours and older hours to days, for good; return the outcome of each location, by name.

    Each location is one transaction. ``dry_run``: change nothing. ``now``: a time with a time zone. Raises ConfigError,
    StoreError.
    """
    names = None if locations is None else to_names(locations, "locations")
    with opened(store) as open_store:
        rules = open_store.retention(now or datetime.now(UTC), names)
        return tuple(open_store.fold(rule, dry_run=dry_run) for rule in rules)
