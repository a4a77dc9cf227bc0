"""Locations: where people may be counted, where not, and the files they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from felicity.cities.location_files import read_geometry, read_locations
from felicity.errors import ConfigError
from felicity.windows import Location

SQUARE = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}


@pytest.mark.parametrize(
    "site_type",
    [
        "workplace",
        "education",
        "Office",
        "office building",
        "SCHOOL",
        "primary-school",
        "University",
        "call_center",
        "schools",
        "Offices",
        "factories",
        "Universities",
        "call centres",
        "campuses",
        "shops/offices",
        "Schule",
        "Grundschulen",
        "Großraumbüro",
        "École",
        "ecole maternelle",
        "Universität",
        "SZKOŁA",
        "základní škola",
        "iskola",
        "folkeskole",
        "peruskoulu",
        "escuela",
        "lugar de trabajo",
        "Σχολείο",
        "школа",
        "sekolah dasar",
        "Kantor",
    ],
)
def test_workplaces_and_schools_are_refused(site_type: str) -> None:
    with pytest.raises(ConfigError, match=r"refused, because the EU AI Act, Art\. 5\(1\)\(f\), prohibits"):
        Location("Somewhere", site_type=site_type)


@pytest.mark.parametrize("name", ["Gymnasium School", "Grundschule am Park", "Université Lyon 2", "Sekolah Dasar 3"])
def test_the_name_of_a_school_is_refused_unless_a_site_type_says_what_it_is(name: str) -> None:
    with pytest.raises(ConfigError, match=r"refused by its name, .* \(education\); if it is neither, .*--site-type"):
        Location(name)
    assert Location(name, site_type="street").name == name


@pytest.mark.parametrize(
    "name", ["Schulstraße", "Post Office Square", "Waterworks Park", "Bureau de Change", "Kulturfabrik"]
)
def test_names_that_only_resemble_one_are_taken(name: str) -> None:
    assert Location(name).name == name


@pytest.mark.parametrize(
    "site_type", ["park", "station", "shopping street", "network of paths", "Spielplätze", "days out", None]
)
def test_other_places_are_taken(site_type: str | None) -> None:
    assert Location("Somewhere", site_type=site_type).site_type == site_type


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": " Park"}, "without spaces around"),
        ({"name": "Park\nEast"}, r"is one line of text, and 'Park\\nEast' holds '\\n'; leave it out"),
        ({"name": "Park\x1b[2J"}, "is one line of text"),
        ({"name": "Park\udcff"}, "is one line of text"),
        ({"name": "Park\u2028East"}, "is one line of text"),
        ({"name": "P" * 201}, "at most 200 characters, not 201"),
        ({"timezone": "Mars/Base"}, "'Mars/Base' is not a time zone"),
        ({"timezone": "../etc/passwd"}, "is not a time zone"),
        ({"timezone": ""}, "is not a time zone"),
        ({"population": -1}, "population is a number from 0"),
        ({"population": float("nan")}, "population is a number from 0"),
        ({"site_type": " "}, "a site type is a word"),
        ({"site_type": 3}, "a site type is a word, or left out, not 3"),
        ({"geometry": {"type": ["x"]}}, r"type is one of Point.*, not \['x'\]"),
        ({"geometry": {"type": "Circle"}}, "invalid geometry: type is one of"),
        ({"geometry": {"type": "Point"}}, "no coordinates"),
        ({"geometry": {"type": "Point", "coordinates": [40.7, -174.0, "x"]}}, "a position is"),
        ({"geometry": {"type": "Point", "coordinates": [583960.0, 4507523.0]}}, "not longitude and latitude"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}}, "four positions"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}}, "ends where it begins"),
        ({"geometry": {"type": "MultiPolygon", "coordinates": SQUARE["coordinates"]}}, "invalid geometry"),
        ({"geometry": {"type": "LineString", "coordinates": [[0, 0]]}}, "two positions"),
        ({"geometry": {"type": "GeometryCollection", "geometries": []}}, "list of geometries"),
    ],
)
def test_impossible_locations_are_refused_in_one_sentence(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Location(**({"name": "Park"} | fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [-74.0, 40.7]},
        {"type": "MultiPoint", "coordinates": [[0, 0], [1, 1, 30.0]]},
        {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        SQUARE,
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
        {"type": "GeometryCollection", "geometries": [SQUARE]},
    ],
)
def test_all_geometries_of_geojson_are_taken(geometry: dict[str, Any]) -> None:
    assert Location("Park", geometry=geometry).geometry == geometry


def write(path: Path, text: Any) -> Path:
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def test_a_table(tmp_path: Path) -> None:
    text = (
        "\ufeffName,Lat,Lon,Population,timezone,site_type,code\n"
        "Park,48.85,2.35,1200,Europe/Paris,park,075\n"
        '"Quay, old",,,,,,\n'
    )
    assert read_locations(write(tmp_path / "a.csv", text)) == [
        {
            "name": "Park",
            "population": 1200.0,
            "timezone": "Europe/Paris",
            "site_type": "park",
            "code": "075",
            "geometry": {"type": "Point", "coordinates": [2.35, 48.85]},
        },
        {"name": "Quay, old"},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 'name' is missing; found are none"),
        ("nom,lat\nPark,1\n", "column 'name' is missing; found are nom, lat"),
        ("name,lat\n", "holds no location"),
        ("name,lat\n,1\n", "line 2 has no name"),
        ("name,lat,lon\nPark,1\n", "line 2 has another number of cells"),
        ("name,lat,lon\nPark,1,\n", r"line 2 \(Park\): latitude and longitude go together"),
        ("name,population\nPark,many\n", r"line 2 \(Park\): population must be a number, not 'many'"),
        ("name,geometry\nPark,here\n", "geometry is not GeoJSON"),
        ('name,lat\n"Park,1\n', "is not CSV"),
        ('"name"x,lat\nPark,1\n', "line 1 is not CSV"),
    ],
)
def test_wrong_tables_are_refused_in_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_locations(write(tmp_path / "a.csv", text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "is not JSON"),
        ([], "FeatureCollection expected, not list"),
        (SQUARE, "FeatureCollection expected, not Polygon"),
        ({"type": "FeatureCollection", "features": []}, "holds no location"),
        ({"type": "FeatureCollection", "features": [{"type": "Feature"}]}, "feature 1 has no properties"),
        ({"type": "Feature", "properties": {"id": 3}, "geometry": SQUARE}, "feature 1 has no name"),
        ({"type": "Feature", "properties": {"name": "P", "population": True}, "geometry": None}, "must be a number"),
    ],
)
def test_wrong_geojson_is_refused_in_one_sentence(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_locations(write(tmp_path / "a.geojson", value))
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_locations(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match=r"from \.geojson, \.json or \.csv"):
        read_locations(write(tmp_path / "a.xlsx", "x"))
    (tmp_path / "b.csv").write_bytes(b"name\n\xff\xfe\n")
    with pytest.raises(ConfigError, match="not a text file in UTF-8"):
        read_locations(tmp_path / "b.csv")


def test_another_field_may_hold_the_names(tmp_path: Path) -> None:
    feature = {"type": "Feature", "id": 7, "properties": {"BoroName": "Bronx", "name": "x"}, "geometry": SQUARE}
    (found,) = read_locations(write(tmp_path / "a.json", feature), name_field="BoroName")
    assert found == {"name": "Bronx", "code": "7", "geometry": SQUARE}
    table = write(tmp_path / "a.csv", "place,population\nPark,3\n")
    assert read_locations(table, name_field="place") == [{"name": "Park", "population": 3.0}]


def test_one_area(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {}, "geometry": SQUARE}
    for value in (SQUARE, feature, {"type": "FeatureCollection", "features": [feature]}):
        assert read_geometry(write(tmp_path / "a.geojson", value)) == SQUARE
    with pytest.raises(ConfigError, match="one area expected, 2 found"):
        read_geometry(write(tmp_path / "a.geojson", {"type": "FeatureCollection", "features": [feature] * 2}))
    with pytest.raises(ConfigError, match="is not GeoJSON"):
        read_geometry(tmp_path / "none.geojson")


@pytest.mark.shared_data
def test_the_boroughs_of_new_york(shared: Path) -> None:
    found = read_locations(shared / "data" / "geo" / "nyc_boroughs_2011.geojson")
    places = [Location(**fields) for fields in found]
    assert sorted(place.code or "" for place in places) == ["36005", "36047", "36061", "36081", "36085"]
    assert sum(place.population or 0 for place in places) == 8_272_963
    assert {place.geometry["type"] for place in places if place.geometry} == {"Polygon", "MultiPolygon"}
