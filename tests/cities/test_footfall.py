"""Interaction data: two tables, and what is wrong with others in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from felicity.cities.footfall import read_footfall
from felicity.errors import ConfigError
from felicity.windows import Location

PLACES = [Location("Harbour", code="H1"), Location("Market", code="M1")]


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "visits.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_times_are_averaged_to_a_typical_week(tmp_path: Path) -> None:
    text = "location,hour,visits\nHarbour,2026-05-04T09:00,10\nHarbour,2026-05-11T09:00,30\nM1,167,5\n\n"
    read = read_footfall(table(tmp_path, text), PLACES)
    assert read.hours["Harbour"][9] == 20
    assert np.isnan(read.hours["Harbour"][10])
    assert read.hours["Market"][167] == 5
    assert read.total == {"Harbour": 20, "Market": 5}


def test_flows_are_visits_of_their_destination(tmp_path: Path) -> None:
    text = "origin,destination,flow\nH1,M1,10\nH1,H1,7\nX9,M1,4\nH1,X9,3\n"
    read = read_footfall(table(tmp_path, text), PLACES)
    assert read.total == {"Harbour": 7, "Market": 14}
    assert [str(note) for note in read.notes] == [
        "visits.csv: 1 destinations are no locations here and are left out: X9"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("location,hour,visits\nHarbour,9,-1\n", "line 2: visits is a number from 0, not '-1'"),
        ("location,hour,visits\nHarbour,9,\n", "line 2: visits is a number from 0, not 'missing'"),
        ("location,hour,visits\nHarbour,9,nan\n", "line 2: visits is a number from 0, not 'nan'"),
        ("location,hour,visits\nMoon,9,1\n", "line 2: there is no location 'Moon'; known are H1, Harbour, M1, Market"),
        ("location,hour,visits\nHarbour,168,1\n", r"line 2: an hour of the week is 0 \(Monday, midnight\) to 167"),
        ("location,hour,visits\nHarbour,noon,1\n", "line 2: hour is a local time such as 2026-05-01T09:00"),
        ("location,hour,visits\nHarbour,2026-05-01+02:00,1\n", "line 2: hour is a local time such as 2026-05-01T09:00"),
        ("location,hour,visits\nHarbour,9,1\nH1,9,2\n", "line 3: duplicate row for 'Harbour' at 9"),
        ("location,hour,visits\nHarbour,9\n", "line 2: 3 columns expected"),
        ("location,hour,visits\n", "no row of visits"),
        ("origin,destination,flow\nH1,X9,3\n", "none of its destinations is the name or code of a location"),
        ("origin,destination,flow\nH1,M1,3\nH1,M1,3\n", "line 3: duplicate flow from H1 to M1"),
        ("a,b,c\n", "the heading must be location,hour,visits or origin,destination,flow, not a,b,c"),
        ("", "not nothing"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_footfall(table(tmp_path, text), PLACES)


@pytest.mark.parametrize("text", ["location,hour,visits\nC,9,1\n", "origin,destination,flow\nX,C,1\n"])
def test_a_code_of_two_places_is_refused(tmp_path: Path, text: str) -> None:
    places = [Location("Park", code="C"), Location("Quay", code="C")]
    with pytest.raises(
        ConfigError, match="line 2: 'C' is the name or code of Park and of Quay; give each its own code"
    ):
        read_footfall(table(tmp_path, text), places)
    by_name = table(tmp_path, text.replace("C,", "Park,"))
    assert read_footfall(by_name, places).total == {"Park": 1}


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_footfall(tmp_path / "none.csv", PLACES)
    binary = tmp_path / "visits.csv"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="not a CSV file in UTF-8"):
        read_footfall(binary, PLACES)


@pytest.mark.shared_data
def test_commuting_flows_of_new_york(shared: Path) -> None:
    boroughs = [Location("Manhattan", code="36061"), Location("Bronx", code="36005")]
    read = read_footfall(shared / "data" / "geo" / "nyc_boroughs_commuting_2011.csv", boroughs)
    assert read.total == {
        "Bronx": 238666 + 13829 + 28865 + 22300 + 1049,
        "Manhattan": 204163 + 429343 + 730763 + 384517 + 48783,
    }
    assert "36047, 36081, 36085" in read.notes[0].text
