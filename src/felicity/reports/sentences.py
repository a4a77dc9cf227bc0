"""Findings in sentences for everybody. Figures stand beside them, never replaced by them."""

from __future__ import annotations

from felicity.cities.city import BY, CityIndex
from felicity.cities.ranking import Ranking
from felicity.over_time.effect import Effect
from felicity.over_time.trend import Trend
from felicity.over_time.usual import Usual
from felicity.style.dates import long_date, span
from felicity.style.language import say
from felicity.style.numbers import in_points, interval, listed, percent, percent_span, points


def trend_sentence(trend: Trend) -> str:
    """Return a sentence on the trend of a location; it also says if no trend is certain."""
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
    """Return a sentence on the effect of the measure, or that none is certain."""
    many = len(effect.locations) > 1
    if effect.comparison:
        than = say("than the course of {names} would have led to expect", names=listed(effect.comparison))
    elif many:
        than = say("than their earlier course would have led to expect")
    else:
        than = say("than its earlier course would have led to expect")
    told = {"since": long_date(effect.at), "who": listed(effect.locations), "than": than}
    size = effect.estimate
    if effect.found:
        low, high = sorted((abs(effect.low), abs(effect.high)))
        if size > 0:
            text = "Since {since} {who} {verb} {points} happier {than} ({interval})."
        else:
            text = "Since {since} {who} {verb} {points} less happy {than} ({interval})."
        return say(
            text,
            verb=say("look" if many else "looks"),
            points=in_points(abs(size)),
            interval=interval(low, high),
            **told,
        )
    return say(
        "Since {since} {who} {verb} neither happier nor less happy {than}, as far as can be told from chance: "
        "{size} points ({interval}); an effect of {detectable} would very likely have shown.",
        verb=say("look" if many else "looks"),
        size=points(size),
        interval=interval(effect.low, effect.high),
        detectable=in_points(effect.detectable),
        **told,
    )


def ranking_sentence(ranking: Ranking) -> str:
    """Return a sentence with the happiest location, or those that may be it."""
    first, *others = ranking.happiest
    share = say(
        "{share} of people look happy ({interval})",
        share=percent(first.share),
        interval=interval(first.low, first.high),
    )
    if len(others) + 1 == len(ranking.places):
        return say(
            "No location can be told from the others: {name} comes first with {share}, which may be chance.",
            name=first.location,
            share=share,
        )
    if not others:
        pair = first.to_next
        assert pair is not None
        return say(
            "{name} looks happiest: {share}, {points} more than {second}, the runner-up ({interval}).",
            name=first.location,
            share=share,
            points=in_points(pair.difference),
            second=pair.second,
            interval=interval(pair.low, pair.high),
        )
    return say(
        "{names} look happiest and cannot be told apart: at {name} {share}.",
        names=listed([place.location for place in ranking.happiest]),
        name=first.location,
        share=share,
    )


def usual_sentence(found: Usual) -> str:
    """Return a sentence on whether a period is unusual."""
    verdict = say("That is as usual.")
    if found.found:
        verdict = say("That is happier than usual." if found.difference > 0 else "That is less happy than usual.")
    return say(
        "{name} {when}: {share} of people look happy. Usually {usual} do at these hours ({weeks} earlier weeks; "
        "19 of 20 lie within {range}). {verdict}",
        name=found.location,
        when=span(found.start, found.end),
        share=percent(found.share),
        usual=percent(found.usual),
        weeks=found.weeks,
        range=percent_span(found.low, found.high),
        verdict=verdict,
    )


def city_sentence(city: CityIndex) -> str:
    """Return a sentence on the city's happy share, and on missing locations."""
    by = BY[city.weight]
    sentence = say(
        "In the city, its places weighted {by}, {share} of people look happy ({interval}).",
        by=say(by),
        share=percent(city.share),
        interval=interval(city.low, city.high),
    )
    if city.missing:
        listed = "; ".join(f"{part.location.name} ({part.missing})" for part in city.missing)
        sentence += " " + say("Not in it: {names}.", names=listed)
    return sentence
