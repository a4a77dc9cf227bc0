"""Runs of a store: each is one pass over a source, with its windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from felicity.api.auditing import record
from felicity.api.selection import Names, opened, to_names
from felicity.errors import ConfigError

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.store.runs import RunRecord


def list_runs(*, store: StoreLike = None, locations: Names | None = None) -> tuple[RunRecord, ...]:
    """Return the runs of these locations, or all, by location and time.

    Raises ConfigError for unknown locations, StoreError.
    """
    names = None if locations is None else to_names(locations, "locations")
    with opened(store) as open_store:
        return tuple(open_store.runs(names))


def remove_runs(runs: Sequence[int] | int, *, store: StoreLike = None) -> tuple[RunRecord, ...]:
    """Remove runs by their numbers, with their windows: all of them, or none. Return the removed runs.

    Raises ConfigError for a run that does not exist, StoreError.
    """
    numbers = (runs,) if isinstance(runs, int) else tuple(dict.fromkeys(runs))
    if not all(isinstance(number, int) for number in numbers):
        raise ConfigError(f"runs are numbers that felicity runs list shows, not {runs!r}")
    with opened(store) as open_store:
        known = {run.id: run for run in open_store.runs()}
        open_store.remove_runs(numbers)
        for number in numbers:
            run = known[number]
            record(
                open_store, "run-remove", run.location, {"run": number, "source": run.source, "windows": run.windows}
            )
    return tuple(known[number] for number in numbers)
