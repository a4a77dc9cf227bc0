"""The city's index: weights, hours by visits, an interval that covers, missing places by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from felicity.cities.city import CityIndex, city_index
from felicity.cities.estimates import groups_by_people
from felicity.cities.footfall import HOURS, Footfall
from felicity.cities.geojson import to_geojson
from felicity.errors import ConfigError, EstimateError
from felicity.index import GroupKey, Groups, SoftMatrix, compute_index
from felicity.index.suppression import crowds
from felicity.reports.sentences import city_sentence
from felicity.windows import Location, Sums
from tests.support.windows import answers, shares, soft_matrix

SOFT = soft_matrix(np.random.default_rng(0))
MONDAY = datetime(2026, 5, 4, tzinfo=UTC)


def sums_of(rng: np.random.Generator, people: int, happy: float) -> Sums:
    """Strangers, each in a window of its own, added up."""
    p = answers(rng, rng.choice(8, people, p=shares(happy)))
    one = np.ones(people, dtype=np.int64)
    return Sums.of_windows(
        start=0 * one,
        seconds=60 * one,
        people_seen=one,
        people=one,
        hard_counts=np.eye(8, dtype=np.int64)[p.argmax(axis=1)],
        prob_sums=p,
        prob_cross=p[:, :, None] * p[:, None, :],
        frames_seen=one,
        seconds_covered=60.0 * one,
    ).total()


def groups_of(parts: Sequence[tuple[str, int, Sums]], by: str = "total") -> Groups:
    """(location, hour from Monday midnight, sums) to groups."""
    keys = []
    for name, hour, _ in parts:
        start = int((MONDAY + timedelta(hours=hour)).timestamp())
        keys.append(GroupKey(name, "UTC", "m", start, start + 3600))
    return Groups(by, tuple(keys), Sums.concatenate([sums for _, _, sums in parts]))  # type: ignore[arg-type]


def always(location: str, model: str) -> SoftMatrix:
    return SOFT


def town(*people: int, seed: int = 0, happy: Sequence[float] = (0.2, 0.5, 0.8)) -> Groups:
    rng = np.random.default_rng(seed)
    return groups_of([(name, 0, sums_of(rng, n, h)) for name, n, h in zip("ABC", people, happy, strict=False)])


def places(*populations: float | None) -> list[Location]:
    return [Location(name, population=p) for name, p in zip("ABC", populations, strict=False)]


@settings(max_examples=20, deadline=None)
@given(weight=st.floats(1, 1e6), seed=st.integers(0, 50))
def test_equal_weights_give_the_plain_mean(weight: float, seed: int) -> None:
    groups = town(60, 90, 40, seed=seed)
    city = city_index(groups, always, places(weight, weight, weight))
    rows = compute_index(groups, always)
    assert city.share == pytest.approx(
        np.mean([row.happy_share.adjusted for row in rows]), abs=1e-4
    )  # rows are rounded
    assert [part.weight for part in city.parts] == pytest.approx([1 / 3] * 3)
    assert city.low < city.share < city.high


def test_weights_are_population_visits_or_people() -> None:
    groups = town(400, 100, 100)
    rows = [row.happy_share.adjusted or 0.0 for row in compute_index(groups, always)]
    flows = Footfall({"A": 1.0, "B": 0.0, "C": 3.0})
    expected = {"population": (1, 2, 1), "people": (400, 100, 100), "visits": (1, 0, 3)}
    for weight, factors in expected.items():
        city = city_index(groups, always, places(10, 20, 10), weight=weight, footfall=flows)  # type: ignore[arg-type]
        assert city.share == pytest.approx(np.average(rows, weights=factors), abs=1e-4)


def test_one_place_has_about_its_own_interval() -> None:
    groups = town(500)
    city = city_index(groups, always, places(1))
    (row,) = compute_index(groups, always)
    assert (city.low, city.high) == pytest.approx((row.happy_share.low, row.happy_share.high), abs=0.8)
    (part,) = city.parts
    assert (part.low, part.high) == pytest.approx((row.happy_share.low, row.happy_share.high), abs=1e-4)


def test_the_interval_covers_the_true_mean() -> None:
    """Matrix and people drawn again each time: 95 % wanted, 100 towns (99 % of binomial counts lie within)."""
    truth, inside = 100 * np.average((0.2, 0.5, 0.8), weights=(1, 2, 1)), []
    for seed in range(100):
        soft = soft_matrix(np.random.default_rng(1000 + seed))
        groups = town(150, 300, 80, seed=seed)
        city = city_index(groups, lambda *_, soft=soft: soft, places(1, 2, 1))  # type: ignore[misc]
        inside.append(city.low <= truth <= city.high)
    assert 0.89 <= np.mean(inside) <= 0.99


def test_shared_matrix_errors_do_not_average_out() -> None:
    rng = np.random.default_rng(1)
    small = soft_matrix(rng, np.full(8, 25))
    many = [(f"P{i}", 0, sums_of(rng, 400, 0.5)) for i in range(30)]
    locations = [Location(name, population=1) for name, _, _ in many]
    alike = city_index(groups_of(many), lambda *_: small, locations)
    matrices = {name: soft_matrix(rng, np.full(8, 25)) for name, _, _ in many}
    own = city_index(groups_of(many), lambda name, _: matrices[name], locations)
    assert alike.high - alike.low > 1.5 * (own.high - own.low)


def test_missing_places_are_named_with_the_reason() -> None:
    rng = np.random.default_rng(2)
    groups = groups_of(
        [("A", 0, sums_of(rng, 200, 0.3)), ("B", 0, sums_of(rng, 4, 0.3)), ("C", 0, sums_of(rng, 50, 0.9))]
    )
    listed = [*places(1, 1, None), Location("D", population=5)]
    city = city_index(groups, always, listed)
    assert {part.location.name: part.missing for part in city.missing} == {
        "B": "fewer than 10 people were counted there",
        "C": "its population is not known",
        "D": "nobody was counted there in this period",
    }
    assert city.people == 200
    by_name = {part.location.name: part for part in city.parts}
    assert by_name["B"].suppressed
    assert by_name["B"].share is None
    assert by_name["C"].share is not None, "a figure of its own, though not in the city's"
    assert "Not in it: B (fewer than 10 people were counted there); C (its population is not known)" in city_sentence(
        city
    )


def test_without_any_weight_there_is_no_figure() -> None:
    with pytest.raises(
        EstimateError, match="no location has both figures and a weight by population: its population is"
    ):
        city_index(town(50, 50), always, places(None, None))
    with pytest.raises(EstimateError, match="are 0"):
        city_index(town(50, 50), always, places(0, 0))
    with pytest.raises(ConfigError, match="give it with --footfall"):
        city_index(town(50, 50), always, places(1, 1), weight="visits")
    with pytest.raises(ConfigError, match="a weight is one of population, visits, people, not 'mood'"):
        city_index(town(50, 50), always, places(1, 1), weight="mood")  # type: ignore[arg-type]


def by_visits(people: dict[int, int], happy: dict[int, float], visits: dict[int, float]) -> CityIndex:
    rng = np.random.default_rng(3)
    hours = np.full(HOURS, np.nan)
    hours[list(visits)] = list(visits.values())
    groups = groups_of([("A", hour, sums_of(rng, n, happy[hour])) for hour, n in people.items()], by="hour")
    return city_index(groups, always, places(1), footfall=Footfall({"A": float(np.nansum(hours))}, {"A": hours}))


def test_hours_count_by_visits_and_not_by_who_was_judged() -> None:
    """Mornings are watched ten times as well as evenings, and fewer people come."""
    city = by_visits({9: 4000, 18: 400}, {9: 0.2, 18: 0.8}, {9: 100, 18: 300})
    assert city.share == pytest.approx(25 * 0.2 + 75 * 0.8, abs=6)
    assert city.parts[0].covered == 1.0
    half = by_visits({9: 4000}, {9: 0.2}, {9: 100, 18: 300})
    assert half.share == pytest.approx(20, abs=4)
    assert half.parts[0].covered == 0.25
    part = by_visits({9: 4000, 18: 400}, {9: 0.2, 18: 0.8}, {18: 300})
    assert part.share == pytest.approx(80, abs=8)
    assert part.people == part.parts[0].people == 400, "those of the mornings are not in the share"


@settings(max_examples=20, deadline=None)
@given(few=st.integers(1, 9), seed=st.integers(0, 5))
def test_hours_of_few_people_cannot_be_told_from_the_difference_to_the_plain_index(few: int, seed: int) -> None:
    """They are joined with other hours, so that however visits are weighted nothing changes."""
    one = by_visits({9: 100, 10: few}, {9: 0.3, 10: 0.9}, {9: 100, 10: 1})
    other = by_visits({9: 100, 10: few}, {9: 0.3, 10: 0.9}, {9: 1, 10: 100})
    assert one.share == pytest.approx(other.share)
    gone = by_visits({9: 100, 10: few}, {9: 0.3, 10: 0.9}, {9: 100})
    assert gone.share == pytest.approx(one.share)


@settings(max_examples=60, deadline=None)
@given(
    people=st.dictionaries(st.integers(0, HOURS - 1), st.integers(0, 14), min_size=1, max_size=20),
    weeks=st.integers(1, 3),
    k=st.integers(1, 10),
    seed=st.integers(0, 1000),
)
def test_visits_weigh_groups_of_hours_that_people_counts_alone_decide(
    people: dict[int, int], weeks: int, k: int, seed: int
) -> None:
    """Whatever the tables, each figure is a mean of the same groups of at least k people; so is any difference."""
    rng = np.random.default_rng(seed)
    hours = np.array([hour for _ in range(weeks) for hour in sorted(people)])
    counts = np.array([rng.permutation(n + 1)[0] if w else n for w in range(weeks) for n in people.values()])
    assume(counts.sum() >= k)
    crowd = crowds(counts, np.zeros(len(hours)), hours // 24, k=k)
    labels, group = groups_by_people(hours, counts, crowd)
    held = np.bincount(labels, counts)
    assert (held >= k).all()
    assert all(len(set(labels[(crowd == number) & (counts > 0)])) <= 1 for number in crowd), "no crowd is divided"
    assert ((group >= 0) == (np.bincount(hours, counts, HOURS) > 0)).all()


def test_geojson_holds_every_place() -> None:
    here = Location("A", population=3, geometry={"type": "Point", "coordinates": [2.0, 48.0]})
    document = json.loads(json.dumps(to_geojson(city_index(town(80), always, [here, Location("B")])), allow_nan=False))
    assert document["type"] == "FeatureCollection"
    first, second = document["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [2.0, 48.0]}
    assert first["properties"]["people"] == 80
    assert second["geometry"] is None
    assert second["properties"]["happy_share"] is None
    assert second["properties"]["missing"] == "nobody was counted there in this period"
