"""What was found, in a sentence that a mayor understands. Figures stand beside it, never in its place."""

from __future__ import annotations

from collections.abc import Sequence

from felicity.cities.city import CityIndex
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend


def trend_sentence(trend: Trend) -> str:
    """Which way a location drifts, or that none can be told."""
    span = f"from {trend.starts[0]:%-d %B %Y} to {trend.starts[-1]:%-d %B %Y}"
    interval = _interval(trend.low, trend.high)
    if trend.found:
        word = "happier" if trend.slope > 0 else "less happy"
        return f"{trend.location} looks {word} by {_points(abs(trend.slope))} a month {span} ({_turned(trend)})."
    return (
        f"{trend.location} looks neither happier nor less happy {span}, as far as can be told from chance: "
        f"{trend.slope:+.1f} points a month ({interval}); "
        f"a trend of {_points(trend.detectable)} a month would very likely have shown."
    )


def _turned(trend: Trend) -> str:
    low, high = sorted((abs(trend.low), abs(trend.high)))
    return _interval(low, high)


def effect_sentence(effect: Effect) -> str:
    """What the measure did, or that no effect can be told."""
    who = _and(effect.locations)
    verb = "looks" if len(effect.locations) == 1 else "look"
    than = (
        f"than the course of {_and(effect.comparison)} would have led to expect"
        if effect.comparison
        else f"than {'its' if len(effect.locations) == 1 else 'their'} earlier course would have led to expect"
    )
    size, since = effect.estimate, f"Since {effect.at:%-d %B %Y}"
    if effect.found:
        word = "happier" if size > 0 else "less happy"
        low, high = sorted((abs(effect.low), abs(effect.high)))
        return f"{since} {who} {verb} {_points(abs(size))} {word} {than} ({_interval(low, high)})."
    return (
        f"{since} {who} {verb} neither happier nor less happy {than}, as far as can be told from chance: "
        f"{size:+.1f} points ({_interval(effect.low, effect.high)}); "
        f"an effect of {_points(effect.detectable)} would very likely have shown."
    )


def city_sentence(city: CityIndex) -> str:
    """The city's happy share, and what is missing of it."""
    by = {"population": "by population", "visits": "by visits", "people": "by people counted"}[city.weight]
    sentence = (
        f"In the city, its places weighted {by}, {city.share:.1f} % of people look happy "
        f"(95 % interval {city.low:.1f} to {city.high:.1f})."
    )
    if city.missing:
        listed = "; ".join(f"{part.location.name} ({part.missing})" for part in city.missing)
        sentence += f" Not in it: {listed}."
    return sentence


def _points(size: float) -> str:
    return f"{size:.1f} points" if f"{size:.1f}" != "1.0" else "1.0 point"


def _interval(low: float, high: float) -> str:
    return f"95 % interval {low:.1f} to {high:.1f}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
