"""The index of a city, the weighted mean of its locations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from felicity.cities.estimates import LocationEstimate, Z, estimate_locations, matrix_variance
from felicity.cities.footfall import Footfall
from felicity.errors import ConfigError, EstimateError
from felicity.index.happiness import DEFAULT_K, Groups
from felicity.index.soft_matrix import SoftMatrix
from felicity.notes import Note
from felicity.style.language import say
from felicity.windows.location import Location

Weight = Literal["population", "visits", "people"]
WEIGHTS: tuple[Weight, ...] = get_args(Weight)
BY: dict[str, str] = {"population": "by population", "visits": "by visits", "people": "by people counted"}
"""Weights in words."""


@dataclass(frozen=True)
class CityLocation:
    """A location in a city's index: happy share and its 95 % interval in percent, None without a figure.

    ``people``: those in the share, so none of hours without visits; without a share, all people. ``weight``: its share
    of the city's weight, 0 … 1, 0 if it is missing. ``missing``: the reason why it does not count, or None.
    ``covered``: share of its known visits in hours in which people were counted, None without visits.
    """

    location: Location
    people: int
    suppressed: bool
    share: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float = 0.0
    missing: str | None = None
    covered: float | None = None


@dataclass(frozen=True)
class CityIndex:
    """Happy share of a city, percent, with its 95 % interval, and its locations."""

    weight: Weight
    share: float
    low: float
    high: float
    people: int
    parts: tuple[CityLocation, ...]
    notes: tuple[Note, ...] = ()

    @property
    def missing(self) -> tuple[CityLocation, ...]:
        """Return the locations that should count and do not."""
        return tuple(part for part in self.parts if part.missing)


def city_index(
    groups: Groups,
    soft_matrix: Callable[[str, str], SoftMatrix | None],
    locations: Sequence[Location],
    *,
    weight: Weight = "population",
    footfall: Footfall | None = None,
    k: int = DEFAULT_K,
) -> CityIndex:
    """Compute Σ w_l H_l / Σ w_l over ``locations``, from sums by hour or for all time.

    ``groups``: by ``hour`` if ``footfall`` holds hours, else by ``total``. With visits by hour, a location's hours of
    the week count by visits, not by the number of judged people. Hours in which nobody was counted are left out;
    ``covered`` gives the extent. A crowd of several hours (``index.suppression``) counts in the hour of most of its
    people, so that visits weigh whole crowds and divide none.

    Interval: people of different places and hours are independent, so the squared distances to the interval's ends add
    up (MOVER, Zou & Donner 2008). The soft matrix of a model errs alike everywhere, so its changes are added up over
    locations before they are squared.

    ``missing`` names locations without figures or without a weight. Raises ConfigError for an unknown weight,
    EstimateError if no location is left, or there was none.
    """
    _check_request(weight, footfall, locations)
    read = estimate_locations(groups, soft_matrix, footfall, k)
    raw = {place.name: _weight(place, weight, footfall, read.get(place.name)) for place in locations}
    usable = {name: w for name, w in raw.items() if isinstance(w, float) and name in read and read[name].shown}
    whole = math.fsum(usable.values())
    if not usable:
        reasons = {reason for place in locations if (reason := _why(place.name, raw, read, k))}
        text = "no location has both figures and a weight {by}: {reasons}"
        raise EstimateError(say(text, by=say(BY[weight]), reasons="; ".join(sorted(reasons))))
    if whole <= 0:
        raise EstimateError(say("the weights {by} of all locations with figures are 0", by=say(BY[weight])))

    share = math.fsum(w / whole * read[name].share for name, w in usable.items())
    below = math.fsum((w / whole * read[name].below) ** 2 for name, w in usable.items())
    above = math.fsum((w / whole * read[name].above) ** 2 for name, w in usable.items())
    matrix = matrix_variance([(w / whole, read[name]) for name, w in usable.items()])
    return CityIndex(
        weight=weight,
        share=_percent(share),
        low=_percent(share - math.sqrt(below + Z**2 * matrix)),
        high=_percent(share + math.sqrt(above + Z**2 * matrix)),
        people=sum(read[name].people for name in usable),
        parts=tuple(
            _part(place, read.get(place.name), usable.get(place.name, 0.0) / whole, _why(place.name, raw, read, k))
            for place in locations
        ),
        notes=(*groups.notes, *(footfall.notes if footfall else ())),
    )


def _check_request(weight: str, footfall: Footfall | None, locations: Sequence[Location]) -> None:
    if weight not in WEIGHTS:
        raise ConfigError(f"a weight is one of {', '.join(WEIGHTS)}, not {weight!r}")
    if weight == "visits" and footfall is None:
        raise ConfigError("weights by visits need a table of visits or flows; give it with --footfall")
    if not locations:
        raise EstimateError(
            say("a city's index is made of its locations, and there is none; name some that the store holds")
        )


def _part(place: Location, read: LocationEstimate | None, weight: float, missing: str | None) -> CityLocation:
    if read is None:
        return CityLocation(place, people=0, suppressed=False, weight=weight, missing=missing)
    part = CityLocation(place, read.people, read.suppressed, weight=weight, missing=missing)
    if not read.shown:
        return part
    share, low, high = map(_percent, (read.share, read.low, read.high))
    return replace(part, share=share, low=low, high=high, covered=read.covered)


def _percent(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 6)


def _why(name: str, raw: Mapping[str, float | str], read: Mapping[str, LocationEstimate], k: int) -> str | None:
    """Return why a location does not count, or None."""
    if name not in read:
        return say("nobody was counted there in this period")
    if not read[name].shown:
        return read[name].reason or say("fewer than {k} people were counted there", k=k)
    found = raw[name]
    return found if isinstance(found, str) else None


def _weight(place: Location, weight: Weight, footfall: Footfall | None, read: LocationEstimate | None) -> float | str:
    """Return the location's weight, or the reason why it has none."""
    if weight == "people":
        return float(read.people) if read else say("nobody was counted there in this period")
    if weight == "population":
        return say("its population is not known") if place.population is None else float(place.population)
    assert footfall is not None
    return footfall.total.get(place.name, say("its visits are not known"))
