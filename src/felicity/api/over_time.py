"""Figures over time: series, trends with limits and shifts, and the effect of a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from felicity.api.places import index_of
from felicity.api.selection import Names, Selection, opened, to_datetime, to_names

if TYPE_CHECKING:
    from felicity.api.selection import Counted, StoreLike
    from felicity.api.shown import ShownEffect, ShownTrends
    from felicity.notes import Note
    from felicity.over_time.effect import Effect
    from felicity.over_time.series import Series, Step
    from felicity.over_time.trends import Trends


@dataclass(frozen=True)
class SeriesByLocation:
    """Happy shares as a regular series per location, by name; ``notes`` name left-out windows."""

    items: Mapping[str, Series]
    step: Step
    notes: tuple[Note, ...] = ()


def series(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> SeriesByLocation:
    """Compute happy shares by hour, day or week as a regular series per location; arguments as for ``happiness``.

    Raises StoreError, ConfigError.
    """
    selection = Selection.of(begin, end, locations, k, model)
    with opened(store) as open_store:
        return series_of_store(open_store, selection, by)


def trends(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> ShownTrends:
    """Estimate the trend of each location, with its control limits and lasting shifts; arguments as for ``series``.

    Raises StoreError, ConfigError; EstimateError if no location has a trend.
    """
    from felicity.api.shown import ShownTrends, shown_as

    selection = Selection.of(begin, end, locations, k, model)
    with opened(store) as open_store:
        return shown_as(ShownTrends, trends_of(open_store, selection, by))


def trends_of(store: Counted, selection: Selection, by: Step | str = "day") -> Trends:
    """Estimate trends from an open store; see ``trends``."""
    from felicity.errors import noted
    from felicity.over_time.trends import Missing, estimate_trends

    found = series_of_store(store, selection, by)
    absent = [Missing(note.location or "", note.text) for note in selection.absent(found.items)]
    with noted(found.notes):
        estimated = estimate_trends(found.items, found.step, absent=absent)
    return replace(estimated, notes=(*found.notes, *estimated.notes))


def effect(
    at: date,
    locations: Names,
    comparison: Names = (),
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    k: int = 10,
    model: str | None = None,
) -> ShownEffect:
    """Estimate the effect at ``at`` on ``locations``, against ``comparison`` if given; see ``over_time.effect``.

    ``at`` without a zone is in the locations' time zone. Other arguments as for ``series``. Raises StoreError,
    ConfigError, EstimateError.
    """
    from felicity.api.shown import ShownEffect, shown_as

    moment = to_datetime(at, "at")
    touched, others = to_names(locations, "locations"), to_names(comparison, "comparison")
    selection = Selection.of(begin, end, None, k, model)
    with opened(store) as open_store:
        return shown_as(ShownEffect, effect_of(open_store, selection, moment, touched, others, by))


def effect_of(
    store: Counted,
    selection: Selection,
    at: datetime,
    touched: tuple[str, ...],
    others: tuple[str, ...],
    by: Step | str = "day",
) -> Effect:
    """Estimate the effect from an open store; ``touched`` and ``others`` take the place of the selected locations."""
    from felicity.errors import noted
    from felicity.over_time.effect import estimate_effect

    found = series_of_store(store, replace(selection, locations=tuple(dict.fromkeys((*touched, *others)))), by)
    if at.tzinfo is None and found.items:
        at = at.replace(tzinfo=next(iter(found.items.values())).starts[0].tzinfo)
    with noted(found.notes):
        estimated = estimate_effect(found.items, at, touched, others)
    return replace(estimated, notes=(*found.notes, *estimated.notes))


def series_of_store(store: Counted, selection: Selection, by: Step | str) -> SeriesByLocation:
    """Compute series from an open store; see ``series``."""
    from felicity.errors import noted
    from felicity.over_time.series import Step, series_of

    step = Step(by)
    index = index_of(store, selection, step.value)
    with noted(index.notes):
        return SeriesByLocation(series_of(index.rows, step), step, index.notes)
