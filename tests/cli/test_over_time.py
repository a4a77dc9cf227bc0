"""``felicity trend``, ``effect`` and ``city`` on a made-up town, as their users run them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

import felicity as library
from felicity.errors import ConfigError, EstimateError
from tests.support.command import felicity, felicity_answer
from tests.support.town import FIRST, fill

DAYS = 84
AT = "2026-03-16"
"""Day 42."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Harbour rises by 20 points at day 42, Museum day by day; Park has no population; Tower was seen for a week."""
    folder = tmp_path_factory.mktemp("town")
    url = fill(
        folder / "town.db",
        {
            "Harbour": lambda day: 0.30 + 0.20 * (day >= 42),
            "Market": lambda day: 0.50,
            "Museum": lambda day: 0.30 + 0.003 * day,
            "Park": lambda day: 0.60,
        },
        DAYS,
        people=60,
        populations={"Harbour": 1000, "Market": 3000, "Museum": 500},
    )
    return fill(url, {"Tower": lambda day: 0.4}, 7, populations={"Tower": 500}, seed=1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def test_trend_in_words_figures_and_picture(town: str, home: Path) -> None:
    chart = home / "trend.png"
    done = felicity("trend", "--store", town, "--chart", chart, home=home)
    assert "Museum looks happier by " in done.stdout
    assert "Park looks neither happier nor less happy" in done.stdout
    assert "Tower: a trend needs at least 42 days with a figure, and there are 7" in done.stderr
    assert "cannot be told from the season of the year" in done.stderr
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert not list(home.glob(".*.part"))


def test_trend_for_programs(town: str, home: Path) -> None:
    answer, notes = felicity_answer("trend", "--store", town, home=home)
    told = next(one for one in answer["trends"] if one["trend"]["location"] == "Museum")
    museum = told["trend"]
    assert museum["found"]
    assert museum["low"] < 9.1 < museum["high"]
    assert told["sentence"].startswith("Museum looks happier by ")
    assert museum["start"] == "2026-02-02T00:00:00+01:00"
    assert answer["missing"][0]["location"] == "Tower"
    assert [note["code"] for note in notes] == ["season-unknown"]


def test_effect_against_other_places(town: str, home: Path) -> None:
    arguments = ("effect", "--store", town, "--at", AT, "--locations", "Harbour", "--comparison", "Market,Park")
    answer, _ = felicity_answer(*arguments, "--chart", home / "effect.svg", home=home)
    found = answer["effect"]
    assert found["method"] == "difference in differences"
    assert found["low"] < 20 < found["high"]
    assert found["estimate"] == pytest.approx(20, abs=4)
    assert (found["periods_before"], found["periods_after"]) == (42, 42)
    assert found["at"] == "2026-03-16T00:00:00+01:00", "in the time zone of the place"
    assert answer["sentence"].startswith("Since 16 March 2026 Harbour looks ")
    assert (home / "effect.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_effect_against_the_earlier_course(town: str, home: Path) -> None:
    done = felicity("effect", "--store", town, "--at", AT, "--locations", "Harbour", home=home)
    assert "happier than its earlier course would have led to expect" in done.stdout
    assert "change of slope, a month" in done.stdout
    assert "whatever else changed at that time counts as effect" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--at", "2025-01-01", "--locations", "Harbour"),
            "lies outside the data, which run from 2026-02-02 to 2026-04-26",
        ),
        (("--at", "2026-02-10", "--locations", "Harbour"), "Harbour: 8 days with a figure before 2026-02-10"),
        (
            ("--at", AT, "--locations", "Moon"),
            "there is no location 'Moon'; known are Harbour, Market, Museum, Park, Tower",
        ),
        (("--at", "soon", "--locations", "Harbour"), "--at 'soon': a time in ISO 8601 expected, such as 2026-05-01"),
        (("--at", "2026-03-16+02:00", "--locations", "Harbour"), "--at '2026-03-16+02:00'"),
        (("--at", "2026-03-16-05:00", "--locations", "Harbour"), "--at '2026-03-16-05:00'"),
    ],
)
def test_effect_refuses_in_one_sentence(town: str, home: Path, arguments: tuple[str, ...], message: str) -> None:
    done = felicity("effect", "--store", town, *arguments, "--json", home=home, expect=1)
    assert message in done.stderr
    assert done.stdout == ""


def test_names_that_hold_commas(home: Path) -> None:
    url = fill(home / "s.db", {"Quay, old": lambda day: 0.3, "Quay": lambda day: 0.4, "Hall": lambda day: 0.5}, 50)
    for named, of in (("Quay, old,Hall", ["Quay, old", "Hall"]), ("Hall, Quay", ["Hall", "Quay"])):
        rest = ({"Quay, old", "Quay", "Hall"} - set(of)).pop()
        arguments = ("effect", "--store", url, "--at", "2026-02-27", "--locations", named, "--comparison", rest)
        answer, _ = felicity_answer(*arguments, home=home)
        assert (answer["effect"]["locations"], answer["effect"]["comparison"]) == (of, [rest])


def test_places_asked_for_by_name_are_never_left_out_silently(town: str, home: Path) -> None:
    asked = ("--store", town, "--from", "2026-02-10", "-l", "Harbour", "-l", "Tower")
    answer, _ = felicity_answer("trend", *asked, home=home)
    assert answer["missing"] == [{"location": "Tower", "reason": "Tower: there are no windows in this period"}]
    done = felicity("index", *asked, home=home)
    assert "Tower: there are no windows in this period" in done.stderr


def test_periods_are_named_even_where_there_is_one(town: str, home: Path) -> None:
    asked = ("--store", town, "--from", "2026-02-02", "--to", "2026-02-03", "-l", "Harbour")
    assert "2026-02-02 00:00" in felicity("index", "--by", "day", *asked, home=home).stdout
    assert "from" not in felicity("index", *asked, home=home).stdout.split("balance")[0]


def test_the_library_takes_dates_a_single_name_and_a_path(town: str) -> None:
    given = {"store": Path(town), "begin": date(2026, 3, 16), "end": date(2026, 3, 18), "locations": "Harbour"}
    index = library.happiness(**given, by="day")
    assert [(row.location, row.start.isoformat()) for row in index.rows] == [
        ("Harbour", "2026-03-16T00:00:00+01:00"), ("Harbour", "2026-03-17T00:00:00+01:00")
    ]  # fmt: skip
    assert index.notes == ()
    assert [part.location.name for part in library.city(**given).parts] == ["Harbour"]
    found = library.effect(date(2026, 3, 16), "Harbour", "Market", store=town)
    assert (found.locations, found.comparison) == (("Harbour",), ("Market",))
    assert found.at.isoformat() == "2026-03-16T00:00:00+01:00"
    with pytest.raises(ConfigError, match="begin is a date or a datetime, not '2026-03-16'"):
        library.happiness(store=town, begin="2026-03-16")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="start is a date or a datetime, not '2026-03-16'"):
        library.watch(0, location="Harbour", store=town, start="2026-03-16")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="a series is by hour, day, week, not 'month'"):
        library.series(store=town, by="month")
    with pytest.raises(EstimateError, match="made of its locations, and there is none; name some"):
        library.city(store=town, locations=[])


def test_what_was_left_out_is_said_also_where_the_estimate_fails(home: Path) -> None:
    """A new bundle has counted for six days; before it another one did for weeks."""
    url = fill(home / "s.db", {"Quay": lambda day: 0.3}, 50, populations={"Quay": 10})
    fill(url, {"Quay": lambda day: 0.3}, 6, people=5, begin=FIRST + timedelta(days=60), model="model-2", update=True)
    left = "note Quay: windows of model model-1 are left out"
    for command, error in (
        (("trend",), "there are 6; watch longer"),
        (("effect", "--at", "2026-04-05", "--locations", "Quay"), "Quay: "),
        (("city", "--k", 1000), "fewer than 1000 people"),
    ):
        done = felicity(*command, "--store", url, home=home, expect=1)
        assert left in done.stderr and error in done.stderr, done.stderr


def test_city_in_words_and_as_a_map(town: str, home: Path) -> None:
    file = home / "city.geojson"
    done = felicity("city", "--store", town, "--geojson", file, home=home)
    assert "In the city, its places weighted by population, " in done.stdout
    assert "Not in it: Park (its population is not known)." in done.stdout
    document = json.loads(file.read_text(encoding="utf-8"))
    assert [feature["properties"]["location"] for feature in document["features"]] == [
        "Harbour",
        "Market",
        "Museum",
        "Park",
        "Tower",
    ]
    assert document["features"][0]["geometry"]["type"] == "Point"
    missing = {feature["properties"]["location"]: feature["properties"]["missing"] for feature in document["features"]}
    assert missing.pop("Park") == "its population is not known" and set(missing.values()) == {None}
    assert document["city"]["low"] < document["city"]["happy_share"] < document["city"]["high"]


def test_city_by_visits(town: str, home: Path) -> None:
    visits = home / "visits.csv"
    rows = [f"{name},{24 * day + hour},{count}" for name, count in (("Harbour", 30), ("Park", 10))
            for day in range(7) for hour in (9, 12, 15, 18)]  # fmt: skip
    visits.write_text("location,hour,visits\n" + "\n".join(rows), encoding="utf-8")
    answer, _ = felicity_answer("city", "--store", town, "--weight", "visits", "--footfall", visits, home=home)
    weights = {place["location"]: place["weight"] for place in answer["city"]["locations"]}
    assert weights == {"Harbour": 0.75, "Market": 0.0, "Museum": 0.0, "Park": 0.25, "Tower": 0.0}
    assert answer["city"]["happy_share"] == pytest.approx(0.75 * 40 + 0.25 * 60, abs=3)
    missing = {place["location"] for place in answer["city"]["locations"] if place["missing"]}
    assert missing == {"Market", "Museum", "Tower"}
    unsaid, _ = felicity_answer("city", "--store", town, "--footfall", visits, home=home)
    assert unsaid == answer
    visits.write_text("origin,destination,flow\nPark,Harbour,4\n", encoding="utf-8")
    done = felicity("city", "--store", town, "--weight", "people", "--footfall", visits, home=home, expect=1)
    assert "flows weigh places by visits alone, not by people" in done.stderr
    visits.write_text("location,hour,visits\nHarbour,9,-4\n", encoding="utf-8")
    done = felicity("city", "--store", town, "--weight", "visits", "--footfall", visits, home=home, expect=1)
    assert "visits.csv, line 2: visits is a number from 0, not '-4'" in done.stderr
