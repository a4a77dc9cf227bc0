"""Figures over time: series, trends with limits and shifts, and the effect of a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from felicity.api.places import happiness
from felicity.api.selection import Names, Selection, to_datetime, to_names

if TYPE_CHECKING:
    from felicity.api.selection import StoreLike
    from felicity.notes import Note
    from felicity.over_time.effect import Effect
    from felicity.over_time.series import Series, Step
    from felicity.over_time.trends import Trends


@dataclass(frozen=True)
class SeriesByLocation:
    """Happy shares as a regular series per location, by name; ``notes``: what was left out."""

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
    from felicity.errors import noted
    from felicity.over_time.series import Step, series_of

    step = Step(by)
    index = happiness(store=store, begin=begin, end=end, by=step.value, locations=locations, k=k, model=model)
    with noted(index.notes):
        return SeriesByLocation(series_of(index.rows, step), step, index.notes)


def trends(
    *,
    store: StoreLike = None,
    begin: date | None = None,
    end: date | None = None,
    by: Step | str = "day",
    locations: Names | None = None,
    k: int = 10,
    model: str | None = None,
) -> Trends:
    """Estimate the trend of each location, with its control limits and lasting shifts; arguments as for ``series``.

    Raises StoreError, ConfigError; EstimateError if no location has a trend.
    """
    from felicity.errors import noted
    from felicity.over_time.trends import Missing, estimate_trends

    selection = Selection.of(begin, end, locations, k, model)
    found = series(store=store, begin=begin, end=end, by=by, locations=locations, k=k, model=model)
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
) -> Effect:
    """Estimate the effect at ``at`` on ``locations``, against ``comparison`` if given; see ``over_time.effect``.

    ``at`` without a zone is in the locations' time zone. Other arguments as for ``series``. Raises StoreError,
    ConfigError, EstimateError.
    """
    from felicity.errors import noted
    from felicity.over_time.effect import estimate_effect

    moment = to_datetime(at, "at")
    touched, others = to_names(locations, "locations"), to_names(comparison, "comparison")
    found = series(store=store, begin=begin, end=end, by=by, locations=(*touched, *others), k=k, model=model)
    if moment.tzinfo is None and found.items:
        moment = moment.replace(tzinfo=next(iter(found.items.values())).starts[0].tzinfo)
    with noted(found.notes):
        estimated = estimate_effect(found.items, moment, touched, others)
    return replace(estimated, notes=(*found.notes, *estimated.notes))
