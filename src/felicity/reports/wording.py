"""Figures in plain words, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from felicity.index import Figure, IndexRow
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.reports.place import Change, CityReport, PlaceReport

CAVEAT = "Visible expression of those who passed a camera; it is not what they felt."
WIDE = 30.0
"""Points from which an interval is too wide to tell one usual place from another."""


def headline(row: IndexRow, where: str, k: int) -> str:
    """``About 49 in 100 people judged at Harbour looked happy (95 % interval: 46 to 53; 1,200 people).``"""
    share = row.happy_share
    people = f"{row.people:,} {'person' if row.people == 1 else 'people'}"
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
            f"Too little was seen {where} to give a useful figure: {share.low:.0f} to {share.high:.0f} in 100 people "
            f"looked happy (95\u00a0% interval; {people}). Watch longer."
        )
    return f"About {share.adjusted:.0f} in 100 people judged {where} looked happy ({interval(share)}; {people})."


def interval(figure: Figure) -> str:
    """``95 % interval: 46 to 53``, with a decimal where whole numbers would hide its width."""
    if figure.low is None or figure.high is None:
        return "interval not known"
    digits = 1 if round(figure.low) == round(figure.high) else 0
    return f"95\u00a0% interval: {figure.low:.{digits}f} to {figure.high:.{digits}f}"


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
            f"No trend can be told from chance over {found.span:,} {found.step}s; one of "
            f"{found.detectable:.1f} points a month would have been found in four of five cases."
        )
    verb = "rose" if found.slope > 0 else "fell"
    low, high = sorted((abs(found.low), abs(found.high)))
    return (
        f"The share {verb} by about {abs(found.slope):.1f} points a month "
        f"(95\u00a0% interval: {low:.1f} to {high:.1f}) over {found.span:,} {found.step}s."
    )


def change(found: Change, at: date) -> str:
    """What it was before and what from the date on."""
    d = found.difference
    day = long_date(at)
    if d.adjusted is None or d.low is None or d.high is None:
        pair = f"{found.before.raw:.0f}\u00a0% before {day} and {found.after.raw:.0f}\u00a0% from then on"
        return f"Counted, the share was {pair}."
    pair = (
        f"The share was {found.before.adjusted:.0f}\u00a0% before {day} ({interval(found.before)}) and "
        f"{found.after.adjusted:.0f}\u00a0% from then on ({interval(found.after)})"
    )
    if d.low <= 0 <= d.high:
        span = f"{points(d.low)} to {points(d.high)}"
        return f"{pair}; the difference of {points(d.adjusted)} points ({span}) may be chance."
    return (
        f"{pair}: {abs(d.adjusted):.1f} points {'higher' if d.adjusted > 0 else 'lower'} "
        f"(95\u00a0% interval: {points(d.low)} to {points(d.high)})."
    )


def effect(found: Effect) -> str:
    """The step at the date, with the earlier course continued."""
    start = (
        "With the course before the date continued and the weekly rhythm taken out (interrupted time series), the step"
    )
    span = f"95\u00a0% interval: {points(found.low)} to {points(found.high)}"
    if found.found:
        return f"{start} at the date was {points(found.estimate)} points ({span})."
    return (
        f"{start} at the date of {points(found.estimate)} points ({span}) may be chance; one of {found.detectable:.1f} "
        "points would have been found in four of five cases."
    )


def span(low: float, high: float) -> str:
    """``46.2 to 53.0 %``."""
    return f"{low:.1f} to {high:.1f} %"


def camera_time(seconds: float) -> str:
    """``42 s``, ``5 min``, ``1,234 min``."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:,.0f} min"


def points(value: float) -> str:
    """``+3.1``: with a sign, and a minus as wide as the plus."""
    return f"{value:+.1f}".replace("-", "\u2212")


def long_date(day: date) -> str:
    """``4 May 2026``, in English whatever the locale."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
