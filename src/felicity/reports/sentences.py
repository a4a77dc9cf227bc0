"""What was found, in a sentence that a mayor understands. Figures stand beside it, never in its place."""

from __future__ import annotations

from felicity.cities.city import CityIndex
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.style.dates import long_date
from felicity.style.numbers import in_points, interval, listed, percent, points


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
