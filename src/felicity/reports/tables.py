"""The figures of a report as tables: flat rows for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from felicity.cities.city import CityIndex
from felicity.index import Figure, IndexRow
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.reports.place import BeforeAfter, CityReport, PlaceReport
from felicity.schemas.cities import PartShape
from felicity.style.dates import WEEKDAYS

Table = Sequence[Mapping[str, Any]]


def make_tables(report: CityReport) -> dict[str, Table]:
    """Make the tables of a report, by name, without empty ones.

    Cells of figures that are not shown are None; times are ISO 8601; shares in percent.
    """
    places = report.places
    tables: dict[str, Table] = {
        "index": [_index(p.total) for p in places if p.total] + ([_index(report.together)] if report.together else []),
        "days": [_index(row) for p in places for row in p.days],
        "hours_of_day": [{"hour": r.level, "days": r.periods} | _index(r.index) for p in places for r in p.hours],
        "weekdays": [
            {"weekday": WEEKDAYS[r.level], "days": r.periods} | _index(r.index) for p in places for r in p.weekdays
        ],
        "exposure": [_exposure(p) for p in places],
        "rejected": [
            {"location": p.name, "reason": reason, "people": count}
            for p in places
            for reason, count in p.exposure.rejected.items()
        ],
        "trend": [_trend(p.trend) for p in places if p.trend],
        "before_after": [{"location": p.name, "at": str(report.at)} | _change(p.change) for p in places if p.change],
        "city": _city(report.city) if report.city else [],
        "effect": _effect(report.effect) if report.effect else [],
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


def _trend(trend: Trend) -> dict[str, Any]:
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


def _city(city: CityIndex) -> list[dict[str, Any]]:
    """A row per place, and the city's own last, without a location."""
    whole = {"happy_share": city.share, "low": city.low, "high": city.high, "people": city.people, "weight": 1.0}
    rows = [PartShape.model_validate(part).model_dump() for part in city.parts]
    return [{"weighted_by": city.weight} | row for row in (*rows, dict.fromkeys(rows[0]) | whole)]


def _effect(effect: Effect) -> list[dict[str, Any]]:
    """Period by period: the touched places, the others, and what was fitted and expected; percent."""
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


def _index(row: IndexRow) -> dict[str, Any]:
    return (
        {
            "location": row.location,
            "start": row.start.isoformat(),
            "end": row.end.isoformat(),
            "people_seen": row.people_seen,
            "people": row.people,
            "windows": row.windows,
            "effective_people": row.effective_people,
            "suppressed": row.suppressed,
        }
        | _figure("happy_share", row.happy_share)
        | _figure("balance", row.balance)
    )


def _figure(name: str, figure: Figure) -> dict[str, float | None]:
    return {f"{name}_{part}": value for part, value in zip(("raw", "adjusted", "low", "high"), figure, strict=False)}


def to_csv(table: Table) -> bytes:
    """UTF-8, a heading line, empty cells for None. Text that a spreadsheet would compute begins with an apostrophe."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(cell) for name, cell in row.items()} for row in table)
    return stream.getvalue().encode()


def _inert(cell: Any) -> Any:
    """Names come from outside, and one like ``=HYPERLINK(…)`` must stay a name (CWE-1236)."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def to_parquet(table: Table) -> bytes | None:
    """The same, with types; None where pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return None
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in table]), stream)
    return stream.getvalue()
