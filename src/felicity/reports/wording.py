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
from felicity.style.language import say
from felicity.style.numbers import count, number, percent, points, points_span, span
from felicity.style.numbers import people as people_count

__all__ = ["CAVEAT", "at_place", "change", "city", "contrast", "effect", "headline", "interval", "trend"]

WIDE = 30.0
"""Points from which an interval is too wide to tell one usual place from another."""


def headline(row: IndexRow, where: str, k: int) -> str:
    """Return ``About 49 in 100 people judged at Harbour looked happy (95 % interval: 46 to 53; 1,200 people).``"""
    share = row.happy_share
    people = people_count(row.people)
    if row.suppressed and row.people >= k:
        return say(
            "The {people} judged {where} are only counted together with others, outside this period, "
            "so no figure is shown.",
            people=people,
            where=where,
        )
    if row.suppressed:
        return say("Too few people were judged {where} ({people}) to show a figure.", where=where, people=people)
    if share.adjusted is None:
        return say(
            "{share} in 100 people judged {where} were counted as happy ({people}; neither adjusted nor with "
            "an interval, because the store does not hold the model's answers to known faces).",
            share=f"{share.raw:.0f}",
            where=where,
            people=people,
        )
    if share.low is not None and share.high is not None and share.high - share.low > WIDE:
        return say(
            "Too little was seen {where} to give a useful figure: {span} in 100 people looked happy "
            "(95 % interval; {people}). Watch longer.",
            where=where,
            span=span(share.low, share.high, 0),
            people=people,
        )
    return say(
        "About {share} in 100 people judged {where} looked happy ({interval}; {people}).",
        share=f"{share.adjusted:.0f}",
        where=where,
        interval=interval(share),
        people=people,
    )


def interval(figure: Figure) -> str:
    """Return ``95 % interval: 46 to 53``, with a decimal if whole numbers would hide its width."""
    if figure.low is None or figure.high is None:
        return say("interval not known")
    digits = 1 if round(figure.low) == round(figure.high) else 0
    return say("95 % interval: {span}", span=span(figure.low, figure.high, digits))


def at_place(place: PlaceReport, k: int) -> str:
    """Return the headline of one place."""
    if place.total is None:
        return say("There are no data of {name} in this period.", name=place.name)
    return headline(place.total, say("at {name}", name=place.name), k)


def city(report: CityReport) -> str:
    """Return the headline of all places."""
    shown = report.shown
    if not shown:
        if any(place.total and place.total.people >= report.k for place in report.places):
            return say("At no place can a figure be shown that tells of {k} people or more.", k=report.k)
        return say("At no place were {k} people judged, so no figure is shown.", k=report.k)
    if report.together is None:
        if len(shown) == 1:
            return at_place(shown[0], report.k)
        return say(
            "The places are not joined to one figure, because they were measured by different models or calibrations."
        )
    if len(shown) == len(report.places):
        where = say("at all {number} places together", number=len(shown))
    else:
        where = say("at the {shown} shown of {number} places together", shown=len(shown), number=len(report.places))
    return headline(report.together, where, report.k)


def contrast(places: Sequence[PlaceReport]) -> str:
    """Return the places where people look happiest and least happy, if their intervals are apart."""
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
    """Return a sentence on whether, and how fast, the share rises or falls."""
    if not found.found:
        return say(
            "No trend was found in {periods}. A trend of {points} points a month or more would probably have been "
            "found (in 4 of 5 such series).",
            periods=periods(found),
            points=number(found.detectable),
        )
    low, high = sorted((abs(found.low), abs(found.high)))
    rises = "The share rose by about {points} points a month (95 % interval: {span}) over {periods}."
    falls = "The share fell by about {points} points a month (95 % interval: {span}) over {periods}."
    told = {"points": number(abs(found.slope)), "span": span(low, high), "periods": periods(found)}
    return say(rises, **told) if found.slope > 0 else say(falls, **told)


def periods(found: Trend) -> str:
    """Return ``43 days``."""
    names = {"hour": "{count} hours", "day": "{count} days", "week": "{count} weeks"}
    return say(names[found.step], count=count(found.span))


def change(found: BeforeAfter, at: date) -> str:
    """Return the figures before the date and from the date on."""
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
    """Return the step at the date, with the earlier course continued."""
    start = "Compared with the continued earlier course, without the weekly rhythm (interrupted time series), the step"
    within = f"95 % interval: {points_span(found.low, found.high)}"
    if found.found:
        return f"{start} at the date was {points(found.estimate)} points ({within})."
    return (
        f"{start} at the date of {points(found.estimate)} points ({within}) may be chance. A step of "
        f"{number(found.detectable)} points or more would probably have been found (in 4 of 5 such series)."
    )
