"""The first part of a report: five answers about the city, and the findings at a place, each a plain sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from felicity.index.seeing import REASONS as REASONS
from felicity.reports import wording
from felicity.reports.place import CityReport, PlaceReport
from felicity.style.dates import long_date, short_date
from felicity.style.language import say
from felicity.style.numbers import count, in_points, listed, number, percent, percent_span, points

_FEW_DAYS = 3
"""Number of unusual days that are named; the others are counted."""
POOR_QUALITY = 75.0
"""Percent of frames and people (``index.seeing``) below which the worst seen location is named."""


@dataclass(frozen=True)
class Finding:
    """A change at a place: ``short`` for a list of places, ``text`` a sentence, ``size`` in points to order by."""

    short: str
    text: str
    size: float


@dataclass(frozen=True)
class Answer:
    """An answer to one of the questions that people ask first, and a sentence below it."""

    question: str
    answer: str
    detail: str = ""


def place_findings(place: PlaceReport, at: date | None = None) -> list[Finding]:
    """Return lasting shifts, the trend, the change since ``at`` and unusual days, as far as found."""
    found = []
    over_time = place.over_time
    for shift in over_time.shifts if over_time else ():
        size = shift.after - shift.before
        told = {"day": long_date(shift.at), "before": percent(shift.before, 0), "after": percent(shift.after, 0)}
        rose = "About {day} the share rose lastingly, from {before} to {after}."
        fell = "About {day} the share fell lastingly, from {before} to {after}."
        text = say(rose, **told) if size > 0 else say(fell, **told)
        found.append(Finding(f"{points(size)} points since about {long_date(shift.at)}", text, size))
    trend = place.trend
    if trend is not None and trend.found:
        short = f"{points(trend.slope)} points a month"
        found.append(Finding(short, wording.trend(trend), trend.slope * trend.span / 30))
    if place.effect is not None and at is not None and place.effect.found:
        short = f"{points(place.effect.estimate)} points at {long_date(at)}"
        found.append(Finding(short, wording.effect(place.effect), place.effect.estimate))
    elif place.change is not None and at is not None and wording.is_change(place.change):
        size = place.change.difference.adjusted or 0.0
        short = f"{points(size)} points from before to after {long_date(at)}"
        found.append(Finding(short, wording.change(place.change, at), size))
    if over_time and over_time.limits and over_time.outside:
        limits = over_time.limits
        days = [i for i, outside in enumerate(limits.outside) if outside]
        days.sort(key=lambda i: -abs(limits.share[i] - limits.centre[i]))
        named = [f"{short_date(limits.starts[i])} ({percent(float(limits.share[i]), 0)})" for i in days[:_FEW_DAYS]]
        more = " " + say("and {number} more", number=len(days) - _FEW_DAYS) if len(days) > _FEW_DAYS else ""
        told = {"number": str(len(days)), "days": str(len(limits.starts)), "named": ", ".join(named) + more}
        one, many = (
            "{number} of {days} days was out of the ordinary: {named}.",
            ("{number} of {days} days were out of the ordinary: {named}."),
        )
        text = say(one, **told) if len(days) == 1 else say(many, **told)
        found.append(Finding("", text, 0.0))
    return found


def answers(report: CityReport) -> list[Answer]:
    """Return the five answers: happiest, changed, certainty, number of people, people not seen."""
    return [_happiest(report), _changed(report), _sure(report), _how_many(report), _not_seen(report)]


def _happiest(report: CityReport) -> Answer:
    question = "Where do people look happiest?"
    ranking = report.ranking
    if ranking is None:
        shown = report.shown
        if len(shown) == 1:
            return Answer(question, "One location only", "There is nothing to compare it with.")
        return Answer(question, "Not known", "Fewer than two locations have figures to compare.")
    first, *others = ranking.happiest
    share = f"{percent(first.share, 0)} look happy at {first.location}"
    if len(others) + 1 == len(ranking.places):
        return Answer(question, "No location stands out", f"{share}, which chance alone may have put first.")
    if others:
        names = [place.location for place in ranking.happiest]
        shown_names = listed(names) if len(names) <= _FEW_DAYS else f"{len(names)} of {len(ranking.places)} locations"
        return Answer(question, shown_names, f"They cannot be told apart: {share}.")
    pair = first.to_next
    assert pair is not None
    return Answer(
        question, first.location, f"{share}, {in_points(pair.difference)} more than at {pair.second}, the next."
    )


def _changed(report: CityReport) -> Answer:
    question = "What changed?"
    first = {
        place.name: finding
        for place in report.shown
        for finding in reversed(place_findings(place, report.at))
        if finding.short
    }
    if first:
        order = sorted(first, key=lambda name: -abs(first[name].size))
        lines = [f"{name}: {first[name].short}" for name in order]
        details = lines[1:_FEW_DAYS]
        if len(lines) > _FEW_DAYS:
            details.append(f"and {len(lines) - _FEW_DAYS} more locations")
        detail = f"{'; '.join(details)}. " if details else ""
        rest = len(report.shown) - len(first)
        unchanged = f"No lasting change at {rest} other{'s' if rest > 1 else ''}." if rest else ""
        return Answer(question, lines[0], f"{detail}{unchanged}".strip())
    known = [place for place in report.shown if place.trend is not None]
    if not known:
        return Answer(question, "Too early to tell", "No location has enough days for a trend yet.")
    smallest = min(place.trend.detectable for place in known if place.trend is not None)
    where = known[0].name if len(known) == 1 else "the best watched location"
    detail = f"At {where}, {in_points(smallest)} a month would probably have been found."
    return Answer(question, "No lasting change was found", detail)


def _sure(report: CityReport) -> Answer:
    question = "How sure is this?"
    rows = [place.share for place in report.shown if place.share.low is not None]
    whole = report.together.happy_share if report.together else None
    widths = [(figure.high - figure.low) / 2 for figure in rows if figure.high is not None and figure.low is not None]
    if whole is not None and whole.low is not None and whole.high is not None:
        single = f" At single locations: ± {number(min(widths))} to ± {number(max(widths))}." if widths else ""
        half = number((whole.high - whole.low) / 2)
        return Answer(question, f"± {half} points", f"95 % interval {percent_span(whole.low, whole.high)}.{single}")
    if widths:
        return Answer(
            question,
            f"± {number(min(widths))} to ± {number(max(widths))} points",
            "95 % intervals of single locations.",
        )
    return Answer(question, "Not known", "The store does not hold the model's answers to known faces.")


def _how_many(report: CityReport) -> Answer:
    people = sum(place.exposure.people for place in report.shown)
    begin, end = report.period
    days = (end.date() - begin.date()).days + 1
    number_of = len(report.shown)
    where = f"{number_of} location{'s' if number_of != 1 else ''}"
    return Answer(
        "How many people is this?",
        f"{count(people)} judged",
        f"In {count(days)} day{'s' if days != 1 else ''} at {where}.",
    )


def _not_seen(report: CityReport) -> Answer:
    question = "What was not seen?"
    seen = sum(place.exposure.people_seen for place in report.places)
    missed = seen - sum(place.exposure.people for place in report.places)
    details = []
    tally: dict[str, int] = {}
    for place in report.places:
        for reason, people in place.exposure.rejected.items():
            tally[reason] = tally.get(reason, 0) + people
    if tally:
        reasons = sorted(tally.items(), key=lambda pair: -pair[1])[:_FEW_DAYS]
        details.append(
            ", ".join(f"{count(people)} {REASONS.get(reason, reason)}" for reason, people in reasons).capitalize()
        )
    for state, words in (
        ("missing", "No data"),
        ("suppressed", "Too few people to show"),
    ):
        if names := [place.name for place in report.places if place.state == state]:
            shown = listed(names) if len(names) <= _FEW_DAYS else f"{len(names)} locations"
            details.append(f"{words}: {shown}")
    known = [(p.total.seeing.quality, p.name) for p in report.places if p.total and p.total.seeing.quality is not None]
    if known and (worst := min(known))[0] < POOR_QUALITY:
        details.append(f"Worst seen: {worst[1]}, quality {percent(worst[0], 0)}")
    details.append("Faces that were not found, and hours without a camera, are in no figure")
    share = f" ({percent(100 * missed / seen, 0)})" if seen else ""
    head = f"{count(missed)} people{share} not judged" if missed else "Everybody found was judged"
    return Answer(question, head, f"{'. '.join(details)}.")
