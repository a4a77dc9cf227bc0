"""What every store does, whatever it is made of."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from felicity.errors import ConfigError, SchemaError, StoreError
from felicity.index import compute_index
from felicity.store import Store, open_store
from felicity.store.migrations import HEAD, VERSION_TABLE
from felicity.store.tables import metadata
from felicity.windows import Location, Sums, Window
from felicity.windows.buckets import BUCKETS
from tests.support.windows import MIDNIGHT, make_windows, soft_matrix


def put(store: Store, windows: Sequence[Window], *, finish: bool = True) -> None:
    key = windows[0].key
    names = (key.location, key.camera, key.source, key.run_start, key.model)
    run = store.begin_run(*names, detector=key.detector)
    store.write_windows(run, windows)
    if finish:
        store.finish_run(run)


def as_json(windows: Any) -> list[dict[str, Any]]:
    return [window.to_json() for window in windows]


def arrays(sums: Sums) -> list[Any]:
    values = (getattr(sums, name) for name in sorted(vars(sums)))
    return [list(map(dict, value)) if isinstance(value, tuple) else value.tolist() for value in values]


def check_rollups(store: Store) -> None:
    """Hours and days equal the sums of the windows to the last bit, added in the order of time."""
    for by in ("hour", "day"):
        whole = store.sums(by)
        for location in {key.location for key in whole.keys}:
            windows = list(store.windows(locations=[location]))
            used = next((key.model, key.detector) for key in whole.keys if key.location == location)
            hours = [key for key in store.sums("hour").keys if key.location == location]
            for i, key in enumerate(whole.keys):
                if key.location != location:
                    continue
                parts = [hour for hour in hours if key.start <= hour.start < key.end] if by == "day" else [key]
                mine = [w for w in windows if (w.key.model, w.key.detector) == used]
                inside = [[w for w in mine if part.start <= w.key.start.timestamp() < part.end] for part in parts]
                expected = Sums.concatenate([Sums.of(part).total() for part in inside]).total()
                assert arrays(whole.sums.take([i])) == arrays(expected)


def test_windows_come_back_as_they_were(store: Store) -> None:
    windows = make_windows(np.random.default_rng(1), 90)
    put(store, windows)
    assert as_json(store.windows()) == as_json(windows)
    assert any(w.people == 0 for w in windows), "a minute without people is a window too"
    check_rollups(store)


def test_a_second_connection_sees_the_same(store: Store, url: str) -> None:
    windows = make_windows(np.random.default_rng(1), 10)
    put(store, windows)
    with open_store(url) as other:
        assert as_json(other.windows()) == as_json(windows)


def test_the_same_run_again_replaces_its_windows(store: Store) -> None:
    put(store, make_windows(np.random.default_rng(1), 30))
    again = make_windows(np.random.default_rng(2), 30)
    put(store, again)
    assert as_json(store.windows()) == as_json(again)
    check_rollups(store)


def test_a_shorter_run_drops_the_rest_only_when_it_finishes(store: Store) -> None:
    long = make_windows(np.random.default_rng(1), 150)
    put(store, long)
    key = long[0].key
    run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
    store.write_windows(run, long[:20])
    assert as_json(store.windows()) == as_json(long), "interrupted here, nothing is lost"
    store.finish_run(run)
    assert as_json(store.windows()) == as_json(long[:20])
    assert [k.start for k in store.sums("hour").keys] == [int(MIDNIGHT.timestamp())]
    check_rollups(store)


@pytest.mark.parametrize(("before", "after"), [(60, 600), (600, 60)])
def test_the_same_run_with_windows_of_another_length(store: Store, before: int, after: int) -> None:
    put(store, make_windows(np.random.default_rng(1), 40, seconds=before))
    again = make_windows(np.random.default_rng(1), 40, seconds=after)
    key = again[0].key
    run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
    for window in again:
        store.write_windows(run, [window])
    people = sum(w.people_seen for w in store.windows())
    assert people == sum(w.people_seen for w in again), "not even before the run is finished is anyone counted twice"
    store.finish_run(run)
    assert as_json(store.windows()) == as_json(again)
    check_rollups(store)


def test_two_runs_in_the_same_minutes_add_up(store: Store) -> None:
    first = make_windows(np.random.default_rng(1), 30)
    second = make_windows(np.random.default_rng(2), 30, run_start=MIDNIGHT + timedelta(seconds=17))
    other_camera = make_windows(np.random.default_rng(3), 30, camera="pier")
    for windows in (first, second, other_camera):
        put(store, windows)
    groups = store.sums("total")
    together = first + second + other_camera
    assert groups.sums.people.tolist() == [sum(w.people for w in together)]
    assert groups.sums.windows.tolist() == [90]
    check_rollups(store)


def test_windows_one_by_one_equal_windows_at_once(store: Store) -> None:
    windows = make_windows(np.random.default_rng(1), 70)
    elsewhere = make_windows(np.random.default_rng(1), 70, location="Station")
    put(store, windows)
    key = elsewhere[0].key
    run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
    for window in reversed(elsewhere):
        store.write_windows(run, [window])
    groups = store.sums("day")
    assert [k.location for k in groups.keys] == ["Harbour", "Station"]
    assert arrays(groups.sums.take([0])) == arrays(groups.sums.take([1]))


def test_windows_of_another_run_are_refused(store: Store) -> None:
    windows = make_windows(np.random.default_rng(1), 3)
    run = store.begin_run("Harbour", "another", "quay.mp4", MIDNIGHT, "model-1")
    with pytest.raises(ValueError, match="is not a window of"):
        store.write_windows(run, windows)
    assert list(store.windows()) == []


def test_detectors_are_kept_apart_as_models_are(store: Store) -> None:
    hour = timedelta(hours=1)
    put(store, make_windows(np.random.default_rng(1), 30, detector="yunet 1"))
    put(store, make_windows(np.random.default_rng(2), 20, detector="hog 1", begin=MIDNIGHT + hour))
    put(store, make_windows(np.random.default_rng(3), 10, detector="hog 1", location="Station"))
    groups = store.sums("hour", k=10)
    assert [(k.location, k.model, k.detector, n) for k, n in zip(groups.keys, groups.sums.windows, strict=True)] == [
        ("Harbour", "model-1", "hog 1", 20),
        ("Station", "model-1", "hog 1", 10),
    ]
    (note,) = groups.notes
    assert (note.code, note.location) == ("detector-skipped", "Harbour")
    assert "yunet 1 are left out (30 windows" in note.text and "detector hog 1 is shown" in note.text
    assert store.sums(detector="yunet 1", locations=["Harbour"]).sums.windows.tolist() == [30]
    with pytest.raises(ConfigError, match="no windows of detector 'yunet 2'; known are hog 1, yunet 1"):
        store.sums(detector="yunet 2")
    assert [run.detector for run in store.runs()] == ["yunet 1", "hog 1", "hog 1"]
    assert {run.model for run in store.runs()} == {"model-1"}
    assert {window.key.detector for window in store.windows(model="model-1")} == {"yunet 1", "hog 1"}
    check_rollups(store)


def test_windows_that_do_not_say_their_detector_go_on_with_the_first_that_does(store: Store) -> None:
    hour = timedelta(hours=1)
    before = make_windows(np.random.default_rng(1), 30)
    put(store, before)
    put(store, make_windows(np.random.default_rng(2), 20, detector="yunet 1", begin=MIDNIGHT + hour))
    groups = store.sums("day", k=10)
    assert [(k.detector, n) for k, n in zip(groups.keys, groups.sums.windows, strict=True)] == [("yunet 1", 50)]
    assert [note.code for note in groups.notes] == ["detector-unknown"]
    assert "30 windows do not say" in groups.notes[0].text
    put(store, make_windows(np.random.default_rng(3), 20, detector="hog 1", begin=MIDNIGHT + 2 * hour))
    assert store.sums().sums.windows.tolist() == [20]
    assert store.sums(detector="yunet 1").sums.windows.tolist() == [50]
    again = make_windows(np.random.default_rng(4), 30, detector="yunet 1")
    put(store, again)
    assert len(store.runs()) == 3, "the run of before, begun again, now says its detector"
    assert store.sums(detector="yunet 1").sums.people_seen.sum() == sum(
        w.people_seen for w in store.windows() if w.key.detector == "yunet 1"
    )
    check_rollups(store)


def test_models_are_kept_apart_and_said(store: Store) -> None:
    put(store, make_windows(np.random.default_rng(1), 30, model="old"))
    put(store, make_windows(np.random.default_rng(2), 20, model="new", begin=MIDNIGHT + timedelta(hours=1)))
    put(store, make_windows(np.random.default_rng(3), 10, model="old", location="Station"))
    groups = store.sums("total")
    assert [(k.location, k.model, n) for k, n in zip(groups.keys, groups.sums.windows, strict=True)] == [
        ("Harbour", "new", 20),
        ("Station", "old", 10),
    ]
    (note,) = groups.notes
    assert (note.code, note.location) == ("model-skipped", "Harbour")
    assert "old" in note.text and "30 windows" in note.text
    chosen = store.sums("total", model="old")
    assert [(k.location, n) for k, n in zip(chosen.keys, chosen.sums.windows, strict=True)] == [
        ("Harbour", 30),
        ("Station", 10),
    ]
    early = store.sums("total", end=MIDNIGHT + timedelta(hours=1))
    assert [k.model for k in early.keys] == ["old", "old"], "within the range only the old model has windows"
    with pytest.raises(ConfigError, match="no windows of model 'other'; known are new, old"):
        store.sums("total", model="other")


def test_the_model_is_that_of_the_latest_windows_within_the_range(store: Store) -> None:
    for number, (model, day) in enumerate((("A", 0), ("B", 30), ("A", 60))):
        begin = MIDNIGHT + timedelta(days=day)
        put(store, make_windows(np.random.default_rng(number), 10, model=model, begin=begin))
    later = MIDNIGHT + timedelta(days=60, minutes=5)
    for begin, end, model, left_out in (
        (MIDNIGHT + timedelta(days=20), MIDNIGHT + timedelta(days=50), "B", 0),
        (MIDNIGHT + timedelta(days=30, minutes=9), later - timedelta(days=1), "B", 0),
        (None, MIDNIGHT + timedelta(days=50), "B", 1),
        (MIDNIGHT + timedelta(days=20), later, "A", 1),
        (None, None, "A", 1),
    ):
        groups = store.sums("total", begin=begin, end=end)
        assert ([key.model for key in groups.keys], len(groups.notes)) == ([model], left_out), (begin, end)
    nobody = store.sums("total", begin=MIDNIGHT + timedelta(days=40), end=MIDNIGHT + timedelta(days=50))
    assert (nobody.keys, nobody.notes) == ((), ())


def test_of_two_ends_one_may_be_on_the_places_clock(store: Store) -> None:
    store.add_locations([Location("Harbour", "America/New_York"), Location("Quay", "Asia/Tokyo")])
    begin = datetime(2026, 11, 1, 6, tzinfo=UTC)  # 01:00 in New York, for the second time
    for name in ("Harbour", "Quay"):
        put(store, make_windows(np.random.default_rng(1), 90, location=name, begin=begin))
    for low, high, counted in (
        (begin, datetime(2026, 11, 1, 2), {"Harbour": 60}),
        (datetime(2026, 11, 1, 2), begin + timedelta(minutes=80), {"Harbour": 20, "Quay": 80}),
    ):
        groups = store.sums("total", begin=low, end=high, k=1)
        windows = groups.sums.windows.tolist()
        assert {key.location: n for key, n in zip(groups.keys, windows, strict=True)} == counted
    with pytest.raises(ConfigError, match="must be after the begin"):
        store.sums("total", begin=begin, end=begin)


def test_an_end_at_the_end_of_the_calendar_cuts_nothing_off(store: Store) -> None:
    store.add_location(Location("Harbour", "America/New_York"))
    put(store, make_windows(np.random.default_rng(1), 30))
    for begin, end in ((None, datetime(9999, 12, 31, 23)), (datetime(1, 1, 1), datetime.max)):
        assert store.sums("total", begin=begin, end=end).sums.windows.tolist() == [30]


@pytest.mark.parametrize("change", [datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)])
def test_a_clock_that_changes_by_half_an_hour_loses_nobody_and_counts_nobody_twice(
    store: Store, change: datetime
) -> None:
    store.add_location(Location("Harbour", "Australia/Lord_Howe"))
    windows = make_windows(np.random.default_rng(1), 240, begin=change - timedelta(hours=2))
    put(store, windows)
    for begin, by in product([None, *(change + timedelta(minutes=m) for m in (-45, -15, 10, 40))], BUCKETS):
        inside = [w for w in windows if not begin or w.key.start >= begin]
        groups = store.sums(by, begin=begin)
        assert groups.sums.windows.sum() == len(inside), (begin, by)
    check_rollups(store)


def test_ranges_cut_at_any_minute_equal_the_sum_of_their_windows(store: Store) -> None:
    store.add_location(Location("Harbour", "America/St_Johns"))
    windows = make_windows(np.random.default_rng(1), 216)
    # 20 minutes apart, so that they span three days.
    spaced = [
        replace(window, key=replace(window.key, start=MIDNIGHT + timedelta(minutes=20 * i)))
        for i, window in enumerate(windows)
    ]
    put(store, spaced)
    bounds = [
        (None, None),
        (MIDNIGHT + timedelta(hours=5, minutes=47), MIDNIGHT + timedelta(hours=52, minutes=3)),
        (MIDNIGHT + timedelta(hours=5, minutes=47), None),
        (None, MIDNIGHT + timedelta(hours=30)),
        (MIDNIGHT + timedelta(minutes=61), MIDNIGHT + timedelta(minutes=62)),
        (MIDNIGHT + timedelta(minutes=60), MIDNIGHT + timedelta(minutes=170)),
        (MIDNIGHT + timedelta(hours=2, minutes=30), MIDNIGHT + timedelta(hours=26, minutes=30)),  # a local day
    ]
    for by, (begin, end) in product(BUCKETS, bounds):
        groups = store.sums(by, begin=begin, end=end)
        inside = [w for w in spaced if (not begin or w.key.start >= begin) and (not end or w.key.start < end)]
        assert groups.sums.windows.sum() == len(inside), (by, begin, end)
        assert groups.sums.people_seen.sum() == sum(w.people_seen for w in inside)
        assert np.allclose(groups.sums.block_cross.sum(axis=0), Sums.of(inside).total().block_cross[0])
        for key, row in zip(groups.keys, range(len(groups.sums)), strict=True):
            mine = [w for w in inside if key.start <= w.key.start.timestamp() < key.end]
            assert groups.sums.windows[row] == len(mine)
            assert np.allclose(groups.sums.prob_sums[row], Sums.of(mine).total().prob_sums[0])


def test_days_are_the_locations_own_also_when_clocks_change(store: Store) -> None:
    store.add_location(Location("Harbour", "Europe/Paris"))
    begin = datetime(2024, 3, 29, 23, tzinfo=UTC)
    put(store, make_windows(np.random.default_rng(1), 5, begin=begin))
    put(store, make_windows(np.random.default_rng(1), 5, begin=begin + timedelta(hours=24)))
    put(store, make_windows(np.random.default_rng(1), 5, begin=begin + timedelta(hours=47)))
    days = store.sums("day").keys
    assert [(key.end - key.start) // 3600 for key in days] == [24, 23, 24]
    naive = store.sums("day", begin=datetime(2024, 3, 31), end=datetime(2024, 4, 1))
    assert [key.start for key in naive.keys] == [days[1].start], "a time without a zone is the location's"


def test_a_change_of_time_zone_moves_the_days(store: Store) -> None:
    put(store, make_windows(np.random.default_rng(1), 40, begin=MIDNIGHT - timedelta(minutes=20)))
    assert len(store.sums("day").keys) == 2
    store.add_location(Location("Harbour", "Asia/Kolkata"), update=True)
    (day,) = store.sums("day").keys
    assert datetime.fromtimestamp(day.start, UTC).isoformat() == "2024-03-29T18:30:00+00:00"
    (hour,) = store.sums("hour").keys
    assert datetime.fromtimestamp(hour.start, UTC).isoformat() == "2024-03-29T23:30:00+00:00"
    check_rollups(store)


def test_locations_come_back_as_they_were(store: Store) -> None:
    area = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}
    park = Location("Park", "Europe/Paris", area, 1234.0, "park", "75-001")
    bare = Location("Bare")
    store.add_locations([park, bare])
    assert store.locations() == [bare, park]
    assert store.location("Park") == park and store.location("Nowhere") is None


def test_a_location_added_by_the_rules_of_another_time_is_still_read(store: Store) -> None:
    with store._write("adding a location") as connection:
        connection.execute(
            sa.text("INSERT INTO locations (name, timezone) VALUES (:name, 'UTC')"), {"name": "Quay\nEast"}
        )
    (place,) = store.locations()
    assert (place.name, place.zone.key, place.site_type) == ("Quay\nEast", "UTC", None)


def test_adding_locations_is_all_or_nothing(store: Store) -> None:
    store.add_location(Location("Park"))
    with pytest.raises(ConfigError, match="'Park' is there already"):
        store.add_locations([Location("Station"), Location("Park", population=5)])
    with pytest.raises(ConfigError, match="duplicate location name 'Station'"):
        store.add_locations([Location("Station"), Location("Station")])
    assert store.locations() == [Location("Park")]
    store.add_locations([Location("Station"), Location("Park", population=5)], update=True)
    assert store.locations() == [Location("Park", population=5), Location("Station")]


def test_a_run_makes_its_location(store: Store) -> None:
    store.begin_run("Harbour", "quay", "quay.mp4", MIDNIGHT, "model-1")
    assert store.locations() == [Location("Harbour")]


def test_unknown_locations_are_named(store: Store) -> None:
    store.add_location(Location("Park"))
    with pytest.raises(ConfigError, match="no location 'Prak'; known are Park"):
        store.sums("total", locations=["Prak"])


def test_an_empty_store_has_an_empty_index(store: Store) -> None:
    assert compute_index(store.sums("day"), store.soft_matrices()) == []


def test_matrices_of_models_and_locations(store: Store) -> None:
    rng = np.random.default_rng(1)
    of_model, of_place = soft_matrix(rng), soft_matrix(rng)
    put(store, make_windows(rng, 5))
    assert store.soft_matrix("Harbour", "model-1") is None
    store.save_model("model-1", of_model, name="shipped")
    store.save_model("model-1", of_model, name="shipped")
    store.save_calibration("Harbour", "model-1", of_model)
    store.save_calibration("Harbour", "model-1", of_place)
    found = store.soft_matrix("Harbour", "model-1")
    assert found is not None and found.to_json() == of_place.to_json()
    general = store.soft_matrix("Elsewhere", "model-1")
    assert general is not None and general.to_json() == of_model.to_json()
    with pytest.raises(ConfigError, match="no location 'Elsewhere'"):
        store.save_calibration("Elsewhere", "model-1", of_place)


def test_writers_at_once_lose_nothing(store: Store, url: str) -> None:
    cameras = [f"camera {i}" for i in range(4)]
    failed: list[BaseException] = []

    def watch(number: int) -> None:
        try:
            with open_store(url) as mine:
                windows = make_windows(np.random.default_rng(number), 12, camera=cameras[number])
                key = windows[0].key
                run = mine.begin_run(key.location, key.camera, key.source, key.run_start, key.model)
                for window in windows:
                    mine.write_windows(run, [window])
                mine.finish_run(run)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=watch, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert store.sums("total").sums.windows.tolist() == [48]
    check_rollups(store)


def test_the_schema_is_what_the_migrations_make(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_no_column_holds_a_person(store: Store) -> None:
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert not {
        name for name in columns if any(w in name for w in ("track", "person", "face", "box", "embed", "image"))
    }


def test_a_newer_store_is_refused(store: Store, url: str) -> None:
    with store._engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(
        SchemaError, match=f"has schema 9999, this version of Felicity knows schemas up to {HEAD}.*upgr"
    ):
        open_store(url)


def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(2):
        with open_store(url) as store:
            store.add_location(Location("Park"), update=True)
    with open_store(url) as store:
        assert store.locations() == [Location("Park")]


def test_a_failed_write_keeps_nothing_and_can_be_repeated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = make_windows(np.random.default_rng(1), 5)
    key = windows[0].key
    run = store.begin_run(key.location, key.camera, key.source, key.run_start, key.model)

    def fail(*_: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("no space left"))

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="writing windows failed: no space left"):
        patch.setattr("felicity.store.rollups.refresh", fail)
        store.write_windows(run, windows)
    assert list(store.windows()) == []
    store.write_windows(run, windows)
    assert as_json(store.windows()) == as_json(windows)
