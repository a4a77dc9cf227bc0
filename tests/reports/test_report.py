from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from felicity.cli.app import app
from felicity.errors import FelicityError
from felicity.index import Figure, GroupKey, Groups, compute_index
from felicity.reports import plots, wording
from felicity.reports.drawing_map import draw_map
from felicity.reports.page_map import draw_page_map
from felicity.reports.place import BeforeAfter, PlaceReport, make_place
from felicity.store import open_store
from felicity.style.marks import percent_tick
from felicity.style.tables import to_csv
from felicity.windows import Location, Sums
from tests.support.command import felicity
from tests.support.town import fill
from tests.support.windows import MIDNIGHT, make_windows, soft_matrix

NASTY = '<script>alert(1)</script> & "Co" $x^'
SQUARE = [[9.9, 53.5], [10.0, 53.5], [10.0, 53.6], [9.9, 53.6], [9.9, 53.5]]
HOLE = [[9.92, 53.52], [9.94, 53.52], [9.94, 53.54], [9.92, 53.54], [9.92, 53.52]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eight days at an area and a point, one minute at a point with few people, and a place without data."""
    url = str(tmp_path_factory.mktemp("store") / "town.db")
    rng = np.random.default_rng(5)
    with open_store(url) as opened:
        opened.save_model("m@1", soft_matrix(rng), name="m")
        opened.add_locations(
            [
                Location("Park", geometry={"type": "Polygon", "coordinates": [SQUARE, HOLE]}),
                Location(NASTY, geometry={"type": "Point", "coordinates": [10.05, 53.55]}, timezone="Europe/Berlin"),
                Location("Lane", geometry={"type": "LineString", "coordinates": [[9.8, 53.5], [9.85, 53.55]]}),
                Location("Nowhere"),
            ]
        )
        for name, days, minutes, people in (("Park", 8, 40, 2.0), (NASTY, 8, 40, 2.0), ("Lane", 1, 2, 2.0)):
            run = opened.begin_run(name, "c", "s", MIDNIGHT, "m@1")
            for day in range(days):
                begin = MIDNIGHT + timedelta(days=day, hours=9, minutes=40)
                happy = 0.2 if day < 4 else 0.7
                args = {"location": name, "camera": "c", "source": "s", "model": "m@1", "run_start": MIDNIGHT}
                opened.write_windows(
                    run,
                    make_windows(rng, minutes, begin=begin, happy=happy, people=people, **args),  # type: ignore[arg-type]
                )
            opened.finish_run(run)
    return url


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def refusal(*arguments: object) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, FelicityError), result.output
    message = str(result.exception)
    assert "\n" not in message
    return message


class Page(HTMLParser):
    """Tags, their attributes, and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def made(store: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Page, Path]:
    folder = tmp_path_factory.mktemp("made")
    result = run("--store", store, "-o", folder / "r.html", "--figures", folder / "fig", "--at", "2024-04-03", "--json")
    assert result.exit_code == 0, result.output
    assert {p.name for p in folder.iterdir()} == {"r.html", "fig"}
    assert json.loads(result.stdout)["data"]["places"] == {
        "Park": "shown", NASTY: "shown", "Lane": "suppressed", "Nowhere": "missing"
    }  # fmt: skip
    return Page((folder / "r.html").read_text(encoding="utf-8")), folder / "fig"


def test_the_page_needs_nothing_from_elsewhere(made: tuple[Page, Path]) -> None:
    page, _ = made
    assert "script" not in {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert value is not None
                assert value.startswith(("#", "data:")), (tag, value)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_names_are_text_and_never_markup(made: tuple[Page, Path]) -> None:
    page, _ = made
    assert page.text.count(NASTY) >= 5


def test_the_page_says_what_it_must(made: tuple[Page, Path]) -> None:
    text = " ".join(made[0].text.split())
    for words in (
        "Visible expression of those who passed a camera; it is not what they felt.",
        "AI Act",
        "No data in this period: Nowhere",
        "Not shown, because too few people were judged: Lane",
        "a trend needs at least",
        "not judged: small",
        "The bundle m@1 classified the expressions",
        "points higher",
        "not on the map: Nowhere",
        "Where do people look happiest?",
        "No data: Nowhere",
    ):
        assert words in text, words
    assert re.search(
        r"About \d+ in 100 people judged at Park looked happy \(95 % interval: \d+ to \d+; \d+ people\)", text
    )
    assert "at the 2 shown of 4 places together" in text


def test_a_place_of_few_people_has_no_figure_anywhere(made: tuple[Page, Path]) -> None:
    seen = 0
    for file in made[1].glob("*.csv"):
        with file.open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                if row["location"] == "Lane" and "happy_share_raw" in row:
                    seen += 1
                    assert not any(v for n, v in row.items() if n.startswith(("happy_share", "balance", "effective")))
    assert seen >= 2


def test_figures_and_tables_are_written(made: tuple[Page, Path]) -> None:
    import pyarrow.parquet as pq

    files = sorted(p.name for p in made[1].iterdir())
    pngs = [name for name in files if name.endswith(".png")]
    assert {"map.png", "index-1.png", "before-after-1.png"} <= set(pngs)
    for name in pngs:
        picture = cv2.imread(str(made[1] / name))
        assert picture is not None
        assert picture.std() > 3
        assert (made[1] / name).with_suffix(".svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")
    for name in ("index", "days", "hours_of_day", "weekdays", "exposure", "before_after"):
        with (made[1] / f"{name}.csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert pq.read_table(made[1] / f"{name}.parquet").num_rows == len(rows) > 0


def test_an_hour_of_the_day_counts_no_more_days_than_were_watched(made: tuple[Page, Path]) -> None:
    with (made[1] / "days.csv").open(encoding="utf-8") as stream:
        days = Counter(row["location"] for row in csv.DictReader(stream))
    with (made[1] / "hours_of_day.csv").open(encoding="utf-8") as stream:
        hours = [(row["location"], int(row["days"])) for row in csv.DictReader(stream)]
    assert hours and all(0 < count <= days[name] for name, count in hours)


def test_the_table_is_the_index(made: tuple[Page, Path], store: str) -> None:
    from felicity.api import happiness

    index = {row.location: row for row in happiness(store=store).rows}
    with (made[1] / "index.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["location"] in ("Park", NASTY):
                share = index[row["location"]].happy_share
                assert [float(row[f"happy_share_{n}"]) for n in ("raw", "adjusted", "low", "high")] == [
                    share.raw, share.adjusted, share.low, share.high
                ]  # fmt: skip


def test_before_and_after_find_the_change(made: tuple[Page, Path]) -> None:
    with (made[1] / "before_after.csv").open(encoding="utf-8") as stream:
        rows = {row["location"]: row for row in csv.DictReader(stream)}
    assert set(rows) == {"Park", NASTY}
    for row in rows.values():
        assert float(row["difference_low"]) < 50 < float(row["difference_high"])
        assert float(row["difference_low"]) > 20


@pytest.fixture(scope="module")
def long_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three places over 50 days; Harbour rises by 25 points at day 25."""
    return fill(
        tmp_path_factory.mktemp("long") / "town.db",
        {"Harbour": lambda day: 0.3 + 0.25 * (day >= 25), "Market": lambda day: 0.5, "Park": lambda day: 0.6},
        50,
        populations={"Harbour": 3000, "Market": 1000},
    )


def test_a_city_and_an_effect_against_other_places(long_store: str, tmp_path: Path) -> None:
    visits = tmp_path / "visits.csv"
    visits.write_text("location,hour,visits\nHarbour,9,10\nMarket,9,30\nMarket,12,30\n", encoding="utf-8")
    figures = tmp_path / "fig"
    asked = ("--at", "2026-02-27", "--touched", "Harbour", "--comparison", "Market,Park", "--footfall", visits)
    result = run("--store", long_store, "-o", tmp_path / "r.html", "--figures", figures, *asked)
    assert result.exit_code == 0, result.output
    text = " ".join(Page((tmp_path / "r.html").read_text(encoding="utf-8")).text.split())
    assert "In the city, its places weighted by visits, " in text
    assert "not in it: its visits are not known" in text
    assert "Since 27 February 2026 Harbour looks " in text
    assert "Difference in differences" in text
    with (figures / "city.csv").open(encoding="utf-8") as stream:
        rows = {row["location"]: row for row in csv.DictReader(stream)}
    assert {name: float(rows[name]["weight"]) for name in rows} == pytest.approx(
        {"Harbour": 1 / 7, "Market": 6 / 7, "Park": 0, "": 1}
    )
    with (figures / "effect.csv").open(encoding="utf-8") as stream:
        days = list(csv.DictReader(stream))
    assert len(days) == 50 and [row["after"] for row in days].count("True") == 25
    assert float(days[-1]["fitted"]) - float(days[-1]["expected"]) == pytest.approx(25, abs=5)
    assert (figures / "effect.png").stat().st_size > 10_000


def test_all_weights_equal_is_the_plain_mean_of_the_places(long_store: str, tmp_path: Path) -> None:
    with open_store(long_store) as opened:
        opened.add_locations([replace(place, population=7) for place in opened.locations()], update=True)
    run("--store", long_store, "-o", tmp_path / "r.html", "--figures", tmp_path / "fig", "--weight", "population")
    with (tmp_path / "fig" / "index.csv").open(encoding="utf-8") as stream:
        places = [
            float(row["happy_share_adjusted"])
            for row in csv.DictReader(stream)
            if row["location"] in "HarbourMarketPark"
        ]
    with (tmp_path / "fig" / "city.csv").open(encoding="utf-8") as stream:
        city = [float(row["happy_share"]) for row in csv.DictReader(stream) if not row["location"]]
    assert len(places) == 3
    assert city == pytest.approx([np.mean(places)], abs=1e-3)


def test_what_cannot_be_compared_is_said_in_the_page(store: str, tmp_path: Path) -> None:
    result = run(
        "--store", store, "-o", tmp_path / "r.html", "--at", "2024-04-03", "--touched", "Park", "--weight", "population"
    )
    assert result.exit_code == 0, result.output
    text = " ".join(Page((tmp_path / "r.html").read_text(encoding="utf-8")).text.split())
    assert "There is no weighted index of the city: no location has both figures and a weight by population" in text
    assert "The places cannot be compared with others: Park: 4 days with a figure before" in text
    assert "the places cannot be compared with others: Park: 4 days" in result.stderr
    assert "there is no weighted index of the city: no location has both" in result.stderr


def test_chosen_places_and_period(store: str, tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    result = run("--store", store, "-o", out, "-l", "Park", "--from", "2024-03-31", "--to", "2024-04-02")
    assert result.exit_code == 0, result.output
    text = " ".join(Page(out.read_text(encoding="utf-8")).text.split())
    assert "31 March 2024 to 1 April 2024" in text
    assert "Nowhere" not in text


def test_what_ends_at_midnight_is_of_the_day_before(tmp_path: Path) -> None:
    url, out = tmp_path / "s.db", tmp_path / "r.html"
    rng, begin = np.random.default_rng(1), MIDNIGHT + timedelta(hours=23)
    with open_store(str(url)) as opened:
        opened.save_model("m@1", soft_matrix(rng))
        opened.add_location(Location("Park"))
        key = opened.begin_run("Park", "c", "s", begin, "m@1")
        args = {"location": "Park", "camera": "c", "source": "s", "model": "m@1"}
        opened.write_windows(key, make_windows(rng, 60, begin=begin, **args))  # type: ignore[arg-type]
    assert run("--store", url, "-o", out).exit_code == 0
    assert "How happy people looked, 30 March 2024." in " ".join(Page(out.read_text(encoding="utf-8")).text.split())
    assert "which run from 2024-03-30 to 2024-03-30" in refusal("--store", url, "-o", out, "--at", "2024-03-31")


def test_people_who_share_a_crowd_are_not_called_too_few(tmp_path: Path) -> None:
    """18 people on the first day share a crowd with the 3 of the second: with the first day alone none is whole."""
    url, out = tmp_path / "s.db", tmp_path / "r.html"
    rng = np.random.default_rng(1)
    with open_store(str(url)) as opened:
        opened.save_model("m@1", soft_matrix(rng))
        opened.add_location(Location("Few"))
        key = opened.begin_run("Few", "c", "s", MIDNIGHT, "m@1")
        args = {"location": "Few", "camera": "c", "source": "s", "model": "m@1", "run_start": MIDNIGHT}
        for day, people in ((0, 18), (1, 3)):
            begin = MIDNIGHT + timedelta(days=day, hours=9)
            opened.write_windows(key, make_windows(rng, 1, begin=begin, labels=[1] * people, **args))  # type: ignore[arg-type]
    assert run("--store", url, "-o", out, "--to", "2024-03-31").exit_code == 0
    text = " ".join(Page(out.read_text(encoding="utf-8")).text.split())
    assert "The 18 people judged at Few are only counted together with others, outside this period" in text
    assert "Not shown, because their people are only counted together with others, outside this period: Few" in text
    assert "not shown, shares a crowd" in text
    assert "oo few people were judged" not in text and "At no place were" not in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2030-01-01"], "there are no windows in this store and period"),
        (["-l", "Atlantis"], "there is no location 'Atlantis'"),
        (["--at", "2030-01-01"], "lies outside the data"),
        (["--at", "spring"], "a day in ISO 8601"),
        (["--from", "noon"], "ISO 8601"),
        (["--from", "2024-04-02", "--to", "2024-04-01"], "must be after"),
        (["--touched", "Park"], "give it with --at"),
        (["--at", "2024-04-03", "--touched", "Atlantis"], "there is no location 'Atlantis'"),
        (["--weight", "visits"], "need a table of visits"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    store: str, tmp_path: Path, arguments: list[str], words: str
) -> None:
    assert words in refusal("--store", store, "-o", tmp_path / "r.html", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_figures_of_an_earlier_report_do_not_stay_among_those_of_the_next(store: str, tmp_path: Path) -> None:
    folder, mine = tmp_path / "fig", tmp_path / "fig" / "before-after-9.svg"
    arguments = ("--store", store, "-o", tmp_path / "r.html", "--figures", folder)

    def written(*more: str) -> set[str]:
        return {Path(name).name for name in json.loads(run(*arguments, *more, "--json").stdout)["data"]["files"]}

    first = written("--at", "2024-04-03")
    mine.write_text("my own")
    second = written("-l", "Park")
    assert first - second >= {"before-after-1.svg"} and second - first
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == second | {mine.name}


def test_an_empty_store_is_said_to_be_empty(tmp_path: Path) -> None:
    open_store(str(tmp_path / "empty.db")).close()
    assert "no windows" in refusal("--store", tmp_path / "empty.db", "-o", tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    text = to_csv([{"location": name, "share": -1.5}]).decode()
    (row,) = csv.DictReader(text.splitlines())
    assert row == {"location": f"'{name}", "share": "-1.5"}


@pytest.mark.parametrize(
    ("value", "shown"), [(37.5, "37.5 %"), (40.0, "40 %"), (-1e-15, "0 %"), (32.3 + 1e-12, "32.3 %")]
)
def test_a_tick_says_where_it_stands(value: float, shown: str) -> None:
    assert percent_tick(value) == shown


def test_a_page_that_cannot_be_written_is_refused(store: str, tmp_path: Path) -> None:
    assert "there is no folder" in refusal("--store", store, "-o", tmp_path / "none" / "r.html")
    assert "is a folder" in refusal("--store", store, "-o", tmp_path)
    (tmp_path / "file").write_text("")
    message = refusal("--store", store, "-o", tmp_path / "r.html", "--figures", tmp_path / "file", "-l", "Park")
    assert "file: cannot be made, for" in message
    message = refusal("--store", tmp_path / "none.db", "--figures", tmp_path / "file" / "x")
    assert "cannot be made, for" in message, "said before anything is read"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_users_mistake_is_one_line_and_no_traceback(store: str, tmp_path: Path) -> None:
    done = felicity("report", "--store", store, "-l", "Atlantis", "-o", tmp_path / "r.html", home=tmp_path, expect=1)
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_happiest_come_first_and_the_hidden_last() -> None:
    assert plots.colour_range([33.0, 41.0]) == (30.0, 50.0)
    assert plots.colour_range([99.0]) == (80.0, 100.0)
    assert plots.colour_range([0.5]) == (0.0, 20.0)
    assert plots.index_dots([PlaceReport(Location("Empty"))]) == []


def test_a_map_knows_every_geometry() -> None:
    point = {"type": "Point", "coordinates": [1, 60]}
    line = {"type": "MultiLineString", "coordinates": [[[0, 59], [1, 61]]]}
    area = {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [HOLE]]}
    whole = {"type": "GeometryCollection", "geometries": [point, line, area]}
    (place,) = plots.map_places([PlaceReport(Location("A", geometry=whole)), PlaceReport(Location("B"))])
    assert place.points == ((1.0, 60.0),)
    assert place.lines == (((0.0, 59.0), (1.0, 61.0)),)
    assert [len(rings) for rings in place.polygons] == [2, 1]
    assert place.centre == pytest.approx((9.95, 53.55))
    only = plots.map_places([PlaceReport(Location("A", geometry=point))])
    assert plots.map_aspect(only) == pytest.approx(2.0)


def test_places_far_off_stand_beside_the_map_and_not_on_it() -> None:
    def at(name: str, x: float, y: float) -> PlaceReport:
        return PlaceReport(Location(name, geometry={"type": "Point", "coordinates": [x, y]}))

    town = [at("Quay", 9.98, 53.54), at("Park", 10.02, 53.57), at("Lane", 10.05, 53.55)]
    near, far = plots.far_off(plots.map_places([*town, at("Sylt", 8.3, 54.9), at("Rome", 12.5, 41.9)]))
    assert [place.name for place in near] == ["Quay", "Park", "Lane"]
    assert [plots.way_to(place, near) for place in far] == ["187 km north-west", "1,309 km south"]
    svg = draw_page_map([*near, *far], lambda name: f"#{name}")
    assert "1,309 km south" in svg and svg.count("<circle") == 5 and 'href="#Rome"' in svg
    assert len(draw_map([*near, *far]).axes) == 3, "the map and two boxes; nothing is shown, so no scale of colours"
    for few in (town[:1], town[:2], town):
        assert plots.far_off(plots.map_places(few))[1] == []
    assert plots.far_off(plots.map_places([*town, at("Berlin", 13.4, 52.5)]))[1][0].name == "Berlin"
    region = [at(str(i), 8 + i, 50 + i % 3) for i in range(9)]
    assert plots.far_off(plots.map_places(region))[1] == [], "spread evenly"


def test_the_interval_of_a_difference_is_that_of_zou_and_donner() -> None:
    from types import SimpleNamespace

    before = SimpleNamespace(happy_share=Figure(41, 40, 36, 45), people=100)
    after = SimpleNamespace(happy_share=Figure(49, 50, 47, 52), people=200)
    change = BeforeAfter.of(before, after)  # type: ignore[arg-type]
    assert change.difference.adjusted == 10
    assert change.difference.low == pytest.approx(10 - np.hypot(3, 5))
    assert change.difference.high == pytest.approx(10 + np.hypot(2, 4))


def ten_weeks(happy: Callable[[int], float]) -> PlaceReport:
    """A place whose true share depends on the day, with one busy window a day."""
    rng = np.random.default_rng(11)
    soft = soft_matrix(rng)
    windows, keys = [], []
    for day in range(70):
        begin = MIDNIGHT + timedelta(days=day)
        windows += make_windows(rng, 1, begin=begin, happy=happy(day), people=300)
        keys.append(GroupKey("Harbour", "UTC", "m", int(begin.timestamp()), int(begin.timestamp()) + 86400))
    days = Groups("day", tuple(keys), Sums.of(windows))
    total = compute_index(Groups("total", tuple(keys[:1]), days.sums.total()), lambda *_: soft)[0]
    at = (MIDNIGHT + timedelta(days=35)).date()
    return make_place(Location("Harbour"), total, days, days, lambda *_: soft, k=10, at=at)


def test_a_slow_rise_is_a_trend_in_words_and_in_the_drawing() -> None:
    place = ten_weeks(lambda day: 0.3 + 0.004 * day)
    assert place.trend is not None
    assert re.match(r"The share rose by about \d+\.\d points a month \(95", wording.trend(place.trend))
    line = plots.day_line(place)
    assert len(line.starts) == len(line.trend_starts) == len(line.trend_line) == 70
    assert line.trend_line[-1] > line.trend_line[0]


def test_a_step_is_an_effect_in_words() -> None:
    place = ten_weeks(lambda day: 0.3 if day < 35 else 0.5)
    assert place.effect is not None
    assert place.effect.low < 20 < place.effect.high
    assert f"was {place.effect.level.estimate:+.1f} points (95" in wording.effect(place.effect)


def test_a_report_says_first_what_a_trend_finds(tmp_path: Path) -> None:
    """A shift of 25 points, a day out of the ordinary, and places of which nothing is found."""
    shares = {"Harbour": lambda day: 0.3 + 0.25 * (day >= 60), "Market": lambda day: 0.9 if day == 80 else 0.45}
    store = fill(tmp_path / "s.db", shares | {"Park": lambda day: 0.45}, 112, people=40)
    assert run("--store", store, "-o", tmp_path / "r.html").exit_code == 0
    page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
    text = " ".join(page.text.split())
    assert re.search(r"What changed\? ?Harbour: \+2\d\.\d points since about [234] April 2026", text)
    assert re.search(r"the share rose lastingly, from (29|3\d) % to 5\d %", text)
    assert re.search(r"\d of 112 days (was|were) out of the ordinary: 23 Apr \(\d+ %\)", text)
    assert "No trend was found in 112 days" in text
    assert sum(attributes.get("class") == "plot" for tag, attributes in page.tags if tag == "svg") == 3 * 4
    assert "Week from 2 February 2026: " in text, "the course is drawn by week, with tooltips"
