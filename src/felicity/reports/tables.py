"""The figures of a report as tables: flat rows for spreadsheets and programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from felicity.cities.city import CityIndex
from felicity.index import Figure, IndexRow
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.reports.place import BeforeAfter, CityReport, PlaceReport
from felicity.schemas.cities import PartShape
from felicity.style.dates import WEEKDAYS
from felicity.style.tables import Table


def make_tables(report: CityReport) -> dict[str, Table]:
    """Make the tables of a report, by name, without empty ones.

    Cells of figures that are not shown are None; times are ISO 8601; shares in percent.
    """
    places = report.places
    tables: dict[str, Table] = {
        "index": [_index(p.total) for p in places if p.total] + ([_index(report.together)] if report.together else []),
        "days": [_index(row) for p in places for row in p.days],
        "hours_of_day": [{"hour": r.level, "days": r.days} | _index(r.index) for p in places for r in p.hours],
        "weekdays": [
            {"weekday": WEEKDAYS[r.level], "days": r.days} | _index(r.index) for p in places for r in p.weekdays
        ],
        "exposure": [_exposure(p) for p in places],
        "rejected": [
            {"location": p.name, "reason": reason, "people": count}
            for p in places
            for reason, count in p.exposure.rejected.items()
        ],
        "trend": [trend_row(p.trend) for p in places if p.trend],
        "before_after": [{"location": p.name, "at": str(report.at)} | _change(p.change) for p in places if p.change],
        "city": city_table(report.city) if report.city else [],
        "effect": effect_table(report.effect) if report.effect else [],
    }
    return {name: table for name, table in tables.items() if table}


def _exposure(place: PlaceReport) -> dict[str, Any]:
    seen = place.exposure
    return {
        "location": place.name,
        "people_seen": seen.people_seen,
        "people": seen.people,
        "rejected": sum(seen.rejected.values()),
        "camera_minutes": round(seen.seconds_covered / 60, 2),
        "frames_seen": seen.frames_seen,
        "frames_dropped": seen.frames_dropped,
        "windows": seen.windows,
        "state": place.state,
    }


def trend_row(trend: Trend) -> dict[str, Any]:
    """Return the trend of a location as a row; points of happy share."""
    return {
        "location": trend.location,
        "points_per_month": trend.slope,
        "low": trend.low,
        "high": trend.high,
        "p_value": trend.p_value,
        "tau": trend.tau,
        "periods": trend.periods,
        "detectable_per_month": trend.detectable,
        "season": trend.season,
    }


def _change(change: BeforeAfter) -> dict[str, Any]:
    return (
        {"people_before": change.people_before, "people_after": change.people_after}
        | _figure("before", change.before)
        | _figure("after", change.after)
        | _figure("difference", change.difference)
    )


def city_table(city: CityIndex) -> list[dict[str, Any]]:
    """Return a row per place, and the city's own last, without a location."""
    whole = {"happy_share": city.share, "low": city.low, "high": city.high, "people": city.people, "weight": 1.0}
    rows = [PartShape.model_validate(part).model_dump() for part in city.parts]
    return [{"weighted_by": city.weight} | row for row in (*rows, dict.fromkeys(rows[0]) | whole)]


def effect_table(effect: Effect) -> list[dict[str, Any]]:
    """Return rows by period: the touched places, the others, fitted and expected values; percent."""
    compared = effect.compared if effect.compared is not None else [math.nan] * len(effect.starts)
    columns = (effect.treated, compared, effect.fitted, effect.expected)
    return [
        {"start": start.isoformat(), "after": start >= effect.at}
        | {
            name: None if math.isnan(value) else float(value)
            for name, value in zip(("touched", "compared", "fitted", "expected"), values, strict=True)
        }
        for start, *values in zip(effect.starts, *columns, strict=True)
    ]


def index_table(rows: Sequence[IndexRow]) -> Table:
    """Return rows of the index as a table; people who were not judged have a column per reason."""
    reasons = sorted({reason for row in rows for reason in row.rejected})
    return [_index(row) | {f"not_judged_{reason}": row.rejected.get(reason, 0) for reason in reasons} for row in rows]


def _index(row: IndexRow) -> dict[str, Any]:
    return (
        {
            "location": row.location,
            "start": row.start,
            "end": row.end,
            "people_seen": row.people_seen,
            "people": row.people,
            "windows": row.windows,
            "first_day": row.first_day,
            "last_day": row.last_day,
            "effective_people": row.effective_people,
            "suppressed": row.suppressed,
            "detector": row.detector,
        }
        | vars(row.seeing)
        | _figure("happy_share", row.happy_share)
        | _figure("balance", row.balance)
    )


def _figure(name: str, figure: Figure) -> dict[str, float | None]:
    return {f"{name}_{part}": value for part, value in zip(("raw", "adjusted", "low", "high"), figure, strict=False)}
