"""What was found, in a sentence that a mayor understands. Figures stand beside it, never in its place."""

from __future__ import annotations

from felicity.cities.city import CityIndex
from felicity.cities.ranking import Ranking
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.over_time.usual import Usual
from felicity.style.dates import long_date, moment
from felicity.style.numbers import in_points, interval, listed, percent, percent_span, points


def trend_sentence(trend: Trend) -> str:
    """Which way a location drifts, or that none can be told."""
    span = f"from {long_date(trend.starts[0])} to {long_date(trend.starts[-1])}"
    if trend.found:
        word = "happier" if trend.slope > 0 else "less happy"
        return f"{trend.location} looks {word} by {in_points(abs(trend.slope))} a month {span} ({_turned(trend)})."
    return (
        f"{trend.location} looks neither happier nor less happy {span}, as far as can be told from chance: "
        f"{points(trend.slope)} points a month ({interval(trend.low, trend.high)}); "
        f"a trend of {in_points(trend.detectable)} a month would very likely have shown."
    )


def _turned(trend: Trend) -> str:
    low, high = sorted((abs(trend.low), abs(trend.high)))
    return interval(low, high)


def effect_sentence(effect: Effect) -> str:
    """What the measure did, or that no effect can be told."""
    who = listed(effect.locations)
    verb = "looks" if len(effect.locations) == 1 else "look"
    than = (
        f"than the course of {listed(effect.comparison)} would have led to expect"
        if effect.comparison
        else f"than {'its' if len(effect.locations) == 1 else 'their'} earlier course would have led to expect"
    )
    size, since = effect.estimate, f"Since {long_date(effect.at)}"
    if effect.found:
        word = "happier" if size > 0 else "less happy"
        low, high = sorted((abs(effect.low), abs(effect.high)))
        return f"{since} {who} {verb} {in_points(abs(size))} {word} {than} ({interval(low, high)})."
    return (
        f"{since} {who} {verb} neither happier nor less happy {than}, as far as can be told from chance: "
        f"{points(size)} points ({interval(effect.low, effect.high)}); "
        f"an effect of {in_points(effect.detectable)} would very likely have shown."
    )


def ranking_sentence(ranking: Ranking) -> str:
    """Name the happiest location, or those that may be."""
    first, *others = ranking.happiest
    share = f"{percent(first.share)} of people look happy ({interval(first.low, first.high)})"
    if len(others) + 1 == len(ranking.places):
        return (
            f"No location can be told from the others: {first.location} comes first with {share}, which may be chance."
        )
    if not others:
        pair = first.to_next
        assert pair is not None
        return (
            f"{first.location} looks happiest: {share}, {in_points(pair.difference)} more than {pair.second}, the "
            f"runner-up ({interval(pair.low, pair.high)})."
        )
    return (
        f"{listed([place.location for place in ranking.happiest])} look happiest and cannot be told apart: at "
        f"{first.location} {share}."
    )


def usual_sentence(found: Usual) -> str:
    """Say whether a period is out of the ordinary."""
    when = f"{moment(found.start)} to {moment(found.end)}"
    usual = (
        f"usually {percent(found.usual)} do at these hours ({found.weeks} earlier weeks; 19 of 20 lie within "
        f"{percent_span(found.low, found.high)})"
    )
    verdict = "as usual"
    if found.found:
        verdict = "happier than usual" if found.difference > 0 else "less happy than usual"
    return f"{found.location}, {when}: {percent(found.share)} of people look happy, {usual}: {verdict}."


def city_sentence(city: CityIndex) -> str:
    """The city's happy share, and what is missing of it."""
    by = {"population": "by population", "visits": "by visits", "people": "by people counted"}[city.weight]
    sentence = (
        f"In the city, its places weighted {by}, {percent(city.share)} of people look happy "
        f"({interval(city.low, city.high)})."
    )
    if city.missing:
        listed = "; ".join(f"{part.location.name} ({part.missing})" for part in city.missing)
        sentence += f" Not in it: {listed}."
    return sentence
