"""Taking back: what is removed was never watched, in every kind of store."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError
from felicity.store import Store
from felicity.windows import Location
from tests.store.test_contract import arrays, as_json, check_rollups, put
from tests.support.windows import MIDNIGHT, make_windows, soft_matrix


@pytest.fixture
def watched(store: Store) -> Store:
    """Two cameras in the same minutes at one place, and another place."""
    store.save_model("model-1", soft_matrix(np.random.default_rng(1)))
    store.add_location(Location("Harbour", timezone="Asia/Tokyo"))
    put(store, make_windows(np.random.default_rng(1), 90))
    put(store, make_windows(np.random.default_rng(2), 90, camera="pier", source="pier.mp4"), finish=False)
    put(store, make_windows(np.random.default_rng(3), 5, location="Station"))
    return store


def test_runs_say_what_was_watched(watched: Store) -> None:
    quay, pier, station = watched.runs()
    assert [run.location for run in (quay, pier, station)] == ["Harbour", "Harbour", "Station"]
    assert (quay.camera, quay.source, quay.model, quay.windows) == ("quay", "quay.mp4", "model-1", 90)
    assert quay.first == MIDNIGHT and quay.last == MIDNIGHT + timedelta(minutes=90)
    assert quay.first is not None and quay.first.utcoffset() == timedelta(hours=9)
    assert quay.people == sum(w.people_seen for w in watched.windows(locations=["Harbour"]) if w.key.camera == "quay")
    assert (quay.state, pier.state) == ("ended", "running")


def test_runs_of_a_place_that_is_not_there_are_refused(watched: Store) -> None:
    assert [run.location for run in watched.runs(["Station"])] == ["Station"]
    with pytest.raises(ConfigError, match="there is no location 'Nowhere'; known are Harbour, Station"):
        watched.runs(["Nowhere"])


def test_a_removed_run_was_never_watched(watched: Store) -> None:
    quay, pier, _ = watched.runs()
    alone = as_json(w for w in watched.windows() if w.key.source != "pier.mp4")
    watched.remove_runs([pier.id])
    assert as_json(watched.windows()) == alone
    assert pier.id not in {run.id for run in watched.runs()}
    check_rollups(watched)
    watched.remove_runs([quay.id])
    assert {key.location for key in watched.sums("hour").keys} == {"Station"}
    put(watched, make_windows(np.random.default_rng(1), 90))
    check_rollups(watched)


def test_all_are_removed_or_none(watched: Store) -> None:
    before, sums = as_json(watched.windows()), arrays(watched.sums("day").sums)
    with pytest.raises(ConfigError, match="there is no run 999 in this store; see: felicity runs list"):
        watched.remove_runs([watched.runs()[0].id, 999])
    assert as_json(watched.windows()) == before and arrays(watched.sums("day").sums) == sums


def test_a_location_goes_with_all_that_was_watched_there(watched: Store) -> None:
    watched.save_calibration("Harbour", "model-1", soft_matrix(np.random.default_rng(4)))
    watched.remove_location("Harbour")
    assert [place.name for place in watched.locations()] == ["Station"]
    assert {run.location for run in watched.runs()} == {"Station"}
    with pytest.raises(ConfigError, match="there is no location 'Harbour'; known are Station"):
        watched.remove_location("Harbour")


def test_a_renamed_location_keeps_all_that_it_has(watched: Store) -> None:
    matrix = soft_matrix(np.random.default_rng(4))
    watched.save_calibration("Harbour", "model-1", matrix)
    before, runs = arrays(watched.sums("day", locations=["Harbour"]).sums), len(watched.runs(["Harbour"]))
    watched.rename_location("Harbour", "Port")
    assert [(place.name, place.timezone) for place in watched.locations()] == [
        ("Port", "Asia/Tokyo"),
        ("Station", "UTC"),
    ]
    assert arrays(watched.sums("day", locations=["Port"]).sums) == before and len(watched.runs(["Port"])) == runs
    kept = watched.soft_matrix("Port", "model-1")
    assert kept is not None and np.array_equal(kept.matrix, matrix.matrix)
    with pytest.raises(ConfigError, match=r"'Station' is there already; .* felicity locations merge 'Port' 'Station'"):
        watched.rename_location("Port", "Station")
    with pytest.raises(ConfigError, match="there is no location 'Harbour'"):
        watched.rename_location("Harbour", "Quay")
    with pytest.raises(ConfigError, match="one line of text"):
        watched.rename_location("Port", "Po\nrt")


def test_merged_locations_count_as_if_watched_at_one(watched: Store) -> None:
    people = sum(run.people for run in watched.runs())
    before = arrays(watched.sums().sums)
    with pytest.raises(ConfigError, match=r"quay\.mp4 was watched at 'Harbour', too, .* felicity runs remove 3"):
        watched.merge_locations("Station", "Harbour")
    assert arrays(watched.sums().sums) == before, "nothing is done by halves"
    watched.add_location(Location("Pier", timezone="UTC"))
    put(watched, make_windows(np.random.default_rng(5), 90, location="Pier", camera="south", source="south.mp4"))
    more = next(run.people for run in watched.runs(["Pier"]))
    watched.remove_runs([3])
    watched.merge_locations("Pier", "Harbour")
    assert [place.name for place in watched.locations()] == ["Harbour", "Station"]
    assert (
        sum(run.people for run in watched.runs(["Harbour"])) > more
        and sum(run.windows for run in watched.runs()) == 270
    )
    assert people > 0
    check_rollups(watched)


def test_the_commands_list_and_remove(watched: Store, url: str) -> None:
    def felicity(*words: object) -> str:
        done = CliRunner().invoke(app, [*map(str, words), "--store", url])
        assert done.exit_code == 0, done.output
        return done.stdout + done.stderr

    def refused(*words: object) -> str:
        done = CliRunner().invoke(app, [*map(str, words), "--store", url])
        assert done.exit_code == 1 and isinstance(done.exception, ConfigError)
        assert "pass --yes if it is meant" in str(done.exception)
        return str(done.exception)

    listed = json.loads(felicity("runs", "list", "--json"))["data"]
    assert [run["camera"] for run in listed] == ["quay", "pier", "quay"]
    table = felicity("runs", "list", "-l", "Harbour")
    assert "2024-03-30 09:00" in table and "ended" in table and "running" in table and "Station" not in table
    assert "deletes 1 run(s) with 90 windows" in refused("runs", "remove", listed[1]["id"])
    assert "deletes location Station with 5 windows" in refused("locations", "remove", "Station")
    said = felicity("runs", "remove", listed[1]["id"], "--yes")
    assert f"removed: pier.mp4 at Harbour, 90 windows with {listed[1]['people']:,} people" in said
    assert "removed: Station, and 5 windows with" in felicity("locations", "remove", "Station", "--yes")
    assert [run["camera"] for run in json.loads(felicity("runs", "list", "--json"))["data"]] == ["quay"]
