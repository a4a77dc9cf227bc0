"""Figures in plain words, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from felicity.index import Figure, IndexRow
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.reports.place import BeforeAfter, CityReport, PlaceReport
from felicity.style.charts import CAVEAT
from felicity.style.dates import long_date
from felicity.style.numbers import number, percent, points, points_span, span
from felicity.style.numbers import people as people_count

__all__ = ["CAVEAT", "at_place", "change", "city", "contrast", "effect", "headline", "interval", "trend"]

WIDE = 30.0
"""Points from which an interval is too wide to tell one usual place from another."""


def headline(row: IndexRow, where: str, k: int) -> str:
    """``About 49 in 100 people judged at Harbour looked happy (95 % interval: 46 to 53; 1,200 people).``"""
    share = row.happy_share
    people = people_count(row.people)
    if row.suppressed and row.people >= k:
        return (
            f"The {people} judged {where} are only counted together with others, outside this period, "
            "so no figure is shown."
        )
    if row.suppressed:
        return f"Too few people were judged {where} ({people}) to show a figure."
    if share.adjusted is None:
        return (
            f"{share.raw:.0f} in 100 people judged {where} were counted as happy ({people}; neither adjusted nor with "
            "an interval, because the store does not hold the model's answers to known faces)."
        )
    if share.low is not None and share.high is not None and share.high - share.low > WIDE:
        return (
            f"Too little was seen {where} to give a useful figure: {span(share.low, share.high, 0)} in 100 people "
            f"looked happy (95 % interval; {people}). Watch longer."
        )
    return f"About {share.adjusted:.0f} in 100 people judged {where} looked happy ({interval(share)}; {people})."


def interval(figure: Figure) -> str:
    """``95 % interval: 46 to 53``, with a decimal where whole numbers would hide its width."""
    if figure.low is None or figure.high is None:
        return "interval not known"
    digits = 1 if round(figure.low) == round(figure.high) else 0
    return f"95 % interval: {span(figure.low, figure.high, digits)}"


def at_place(place: PlaceReport, k: int) -> str:
    """The headline of one place."""
    if place.total is None:
        return f"There are no data of {place.name} in this period."
    return headline(place.total, f"at {place.name}", k)


def city(report: CityReport) -> str:
    """The headline of all places."""
    shown = report.shown
    if not shown:
        if any(place.total and place.total.people >= report.k for place in report.places):
            return f"At no place can a figure be shown that tells of {report.k} people or more."
        return f"At no place were {report.k} people judged, so no figure is shown."
    if report.together is None:
        if len(shown) == 1:
            return at_place(shown[0], report.k)
        return (
            "The places are not joined to one figure, because they were measured by different models or calibrations."
        )
    everywhere = "all" if len(shown) == len(report.places) else f"the {len(shown)} shown of"
    return headline(report.together, f"at {everywhere} {len(report.places)} places together", report.k)


def contrast(places: Sequence[PlaceReport]) -> str:
    """Where people look happiest and where least, if the intervals tell the two apart; else that they do not."""
    known = [p for p in places if p.share.adjusted is not None and p.share.low is not None]
    if all((p.share.high or 0.0) - (p.share.low or 0.0) > WIDE for p in known):
        return ""
    if len(known) < 2:
        return ""
    top = max(known, key=lambda p: p.share.adjusted or 0.0)
    least = min(known, key=lambda p: p.share.adjusted or 0.0)
    if (top.share.low or 0.0) > (least.share.high or 0.0):
        return (
            f"The share is highest at {top.name} ({top.share.adjusted:.0f}) and lowest at {least.name} "
            f"({least.share.adjusted:.0f}); their intervals do not overlap."
        )
    return "No place stands out: the intervals of the highest and the lowest overlap."


def trend(found: Trend) -> str:
    """Whether, and how fast, the share rises or falls."""
    if not found.found:
        return (
            f"No trend was found in {found.span:,} {found.step}s. A trend of {number(found.detectable)} points a month "
            "or more would probably have been found (in 4 of 5 such series)."
        )
    verb = "rose" if found.slope > 0 else "fell"
    low, high = sorted((abs(found.low), abs(found.high)))
    return (
        f"The share {verb} by about {number(abs(found.slope))} points a month "
        f"(95 % interval: {span(low, high)}) over {found.span:,} {found.step}s."
    )


def change(found: BeforeAfter, at: date) -> str:
    """What it was before and what from the date on."""
    d = found.difference
    day = long_date(at)
    if d.adjusted is None or d.low is None or d.high is None:
        pair = f"{percent(found.before.raw, 0)} before {day} and {percent(found.after.raw, 0)} from then on"
        return f"Counted, the share was {pair}."
    pair = (
        f"The share was {percent(found.before.adjusted, 0)} before {day} ({interval(found.before)}) and "
        f"{percent(found.after.adjusted, 0)} from then on ({interval(found.after)})"
    )
    if d.low <= 0 <= d.high:
        return f"{pair}; the difference of {points(d.adjusted)} points ({points_span(d.low, d.high)}) may be chance."
    return (
        f"{pair}: {number(abs(d.adjusted))} points {'higher' if d.adjusted > 0 else 'lower'} "
        f"(95 % interval: {points_span(d.low, d.high)})."
    )


def is_change(found: BeforeAfter) -> bool:
    """Return whether the difference is more than chance."""
    d = found.difference
    return d.low is not None and d.high is not None and not d.low <= 0 <= d.high


def effect(found: Effect) -> str:
    """The step at the date, with the earlier course continued."""
    start = (
        "With the course before the date continued and the weekly rhythm taken out (interrupted time series), the step"
    )
    within = f"95 % interval: {points_span(found.low, found.high)}"
    if found.found:
        return f"{start} at the date was {points(found.estimate)} points ({within})."
    return (
        f"{start} at the date of {points(found.estimate)} points ({within}) may be chance. A step of "
        f"{number(found.detectable)} points or more would probably have been found (in 4 of 5 such series)."
    )
