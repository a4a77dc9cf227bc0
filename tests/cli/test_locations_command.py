"""``felicity locations`` as its users call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError
from felicity.store import open_store
from felicity.windows import Location


def felicity(*arguments: object, store: Path) -> Result:
    return CliRunner().invoke(app, ["locations", *map(str, arguments), "--store", str(store)], env={"COLUMNS": "120"})


def refused(*arguments: object, store: Path) -> str:
    """The one sentence that is said on an error."""
    done = felicity(*arguments, store=store)
    assert done.exit_code == 1 and isinstance(done.exception, ConfigError) and done.stdout == ""
    return str(done.exception)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def stored(store: Path) -> list[Location]:
    with open_store(str(store)) as opened:
        return opened.locations()


def test_add_and_list(store: Path) -> None:
    done = felicity("add", "Old Quay", "--lat", 48.85, "--lon", 2.35, "--timezone", "Europe/Paris", store=store)
    assert done.exit_code == 0 and done.stdout == "" and "1 location saved" in done.stderr
    assert felicity("add", "Old Quay", "--population", 1200, "--update", store=store).exit_code == 0
    place = Location("Old Quay", "Europe/Paris", {"type": "Point", "coordinates": [2.35, 48.85]}, 1200.0)
    assert stored(store) == [place], "an update keeps what it does not mention"
    table = felicity("list", store=store).stdout
    assert "Old Quay" in table and "Europe/Paris" in table and "1,200" in table
    assert json.loads(felicity("list", "--json", store=store).stdout)["data"] == [vars(place) | {"code": None}]


def test_nothing_to_list(store: Path) -> None:
    open_store(str(store)).close()
    done = felicity("list", store=store)
    assert done.exit_code == 0 and "no location yet" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Hall", "--site-type", "school"], "prohibits emotion recognition"),
        (["Hall", "--lat", 1], "--lat and --lon go together"),
        (["Hall", "--lat", 91, "--lon", 0], "is not longitude and latitude in degrees"),
        (["Hall", "--lat", 1, "--lon", 1, "--area", "x.geojson"], "not both"),
        (["Hall", "--timezone", "Paris"], "is not a time zone"),
        (["Hall", "--population", "-5"], "population is a number from 0, not -5.0"),
    ],
)
def test_mistakes_are_one_sentence_and_save_nothing(store: Path, arguments: list[object], message: str) -> None:
    said = refused("add", *arguments, store=store)
    assert message in said and "\n" not in said
    assert not store.exists()


@pytest.mark.parametrize(
    ("geometry", "message"),
    [
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1]]]}, "a ring has at least four positions"),
        ({"type": "Polygon", "coordinates": [[[583960, 4507523]] * 4]}, "is not longitude and latitude in degrees"),
        ({"type": "Circle", "coordinates": [0, 0]}, "type is one of Point"),
        ("here", "invalid geometry"),
    ],
)
def test_an_invalid_area_is_one_sentence_and_saves_nothing(
    store: Path, tmp_path: Path, geometry: object, message: str
) -> None:
    file = tmp_path / "areas.geojson"
    feature = {"type": "Feature", "properties": {"name": "Hall"}, "geometry": geometry}
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    said = refused("import", file, store=store)
    assert "location 'Hall': " in said and message in said and "\n" not in said
    assert not store.exists()


def test_import_is_all_or_nothing(store: Path, tmp_path: Path) -> None:
    table = tmp_path / "places.csv"
    table.write_text("name,site_type\nPark,park\nHall,university\n")
    assert "location 'Hall': site type 'university' is refused" in refused("import", table, store=store)
    table.write_text("name,population\nPark,5\nHall,6\n")
    assert felicity("import", table, "--timezone", "Europe/Paris", store=store).exit_code == 0
    table.write_text("name,population\nQuay,5\nHall,7\n")
    assert "'Hall' is there already" in refused("import", table, store=store)
    assert [place.name for place in stored(store)] == ["Hall", "Park"]
    assert felicity("import", table, "--update", store=store).exit_code == 0
    assert stored(store)[0] == Location("Hall", "Europe/Paris", population=7.0)


def test_a_name_almost_like_another_is_doubted(store: Path) -> None:
    assert "note" not in felicity("add", "Old Quay", store=store).stderr
    assert "note" not in felicity("add", "Market", store=store).stderr
    done = felicity("add", "old Quai", "--json", store=store)
    (note,) = json.loads(done.stdout)["notes"]
    assert note["code"] == "location-near" and note["location"] == "old Quai"
    assert "felicity locations merge 'old Quai' 'Old Quay'" in note["text"]


def test_an_import_says_what_is_new_and_what_was_changed(store: Path, tmp_path: Path) -> None:
    table = tmp_path / "places.csv"
    table.write_text("name,population\nPark,5\nHall,6\n")
    assert "2 locations saved" in felicity("import", table, store=store).stderr
    table.write_text("name,population\nPark,7\nQuay,6\n")
    assert ": 1 added, 1 changed" in felicity("import", table, "--update", store=store).stderr


@pytest.mark.shared_data
def test_import_the_boroughs_of_new_york(store: Path, shared: Path) -> None:
    file = shared / "data" / "geo" / "nyc_boroughs_2011.geojson"
    assert felicity("import", file, "--timezone", "America/New_York", store=store).exit_code == 0
    assert [place.name for place in stored(store)] == [
        "Bronx",
        "Brooklyn (Kings)",
        "Manhattan (New York)",
        "Queens",
        "Staten Island (Richmond)",
    ]
