"""What releases publish, and what they do when windows come late, go, come back, or are read by another model."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from felicity import api
from felicity.errors import ConfigError
from felicity.publishing import Made
from felicity.schemas.index import IndexShape
from felicity.store import RunState, Store, open_store
from felicity.store.tables import windows as stored
from felicity.windows import Location, Window
from tests.support.releases import arrive, window
from tests.support.town import FIRST, MODEL, ZONE
from tests.support.windows import soft_matrix

NINE, HOUR, DAY = 9 * 60, 60, 24 * 60


@pytest.fixture
def town(store: Store) -> Store:
    store.save_model(MODEL, soft_matrix(np.random.default_rng(1)))
    store.add_locations([Location("Harbour", ZONE.key, population=100), Location("Market", ZONE.key, population=50)])
    return store


def windows(
    minutes: range | list[int], people: int, *, seed: int = 0, place: str = "Harbour", **more: Any
) -> list[Window]:
    rng = np.random.default_rng(seed)
    return [window(rng, place, minute, people, **more) for minute in minutes]


def make(store: Store, day: float, **more: Any) -> Made:
    """Make releases so many days from the first midnight on; return Harbour's."""
    made = api.make_releases(store=store, now=FIRST + timedelta(days=day, minutes=20), **more)
    return next(one for one in made if one.location == "Harbour")


def people(store: Store, by: Any = "total", place: str = "Harbour", **more: Any) -> list[int]:
    return [row.people for row in api.published_index(store=store, by=by, locations=[place], **more).rows]


def plain(store: Store, by: Any = "hour", **more: Any) -> Any:
    return IndexShape.model_validate(api.published_index(store=store, by=by, **more)).model_dump(mode="json")


def run_of(store: Store, source: str) -> int:
    return next(run.id for run in store.runs() if run.source == source)


def test_a_day_is_published_when_it_is_over(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 120, 10), 3))
    assert make(town, 0.9) == Made("Harbour", (), 0, 0)
    assert people(town) == [] and api.published_version(store=town).number == 0
    assert make(town, 1) == Made("Harbour", (1,), 0, 0)
    assert people(town, "hour") == [18, 18] and people(town, "day") == [36]
    assert make(town, 1.1).releases == () and api.published_version(store=town).of_location == {"Harbour": 1}
    (release,) = api.releases(store=town)
    assert (release.people, release.crowds, release.kind, release.waiting) == (36, 2, "crowds", 0)
    assert release.start == FIRST + timedelta(hours=9) and release.until == FIRST + timedelta(days=1)
    assert api.release(1, store=town) == release
    with pytest.raises(ConfigError, match="there is no release 2"):
        api.release(2, store=town)


def test_figures_are_those_of_the_store(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 120, 10), 3))
    make(town, 1)
    (published,), (counted,) = (found(store=town).rows for found in (api.published_index, api.happiness))
    assert published.happy_share == counted.happy_share and published.people == counted.people
    assert api.published_city(store=town).people == 36
    assert [place.name for place in api.published_locations(store=town)] == ["Harbour"]


def test_now_is_the_latest_crowd_of_the_day(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 30, 5), 3))
    at = FIRST + timedelta(hours=9, minutes=30)
    api.make_releases(store=town, now=at - timedelta(minutes=3), over="minute")
    (now,) = api.published_now(store=town, now=at)
    assert now.row is not None and now.row.people == 12 and now.release == 1
    assert now.row.start == FIRST + timedelta(hours=9) and now.row.end == FIRST + timedelta(hours=9, minutes=16)
    (tomorrow,) = api.published_now(store=town, now=at + timedelta(days=1))
    assert tomorrow.row is None


def test_late_windows_wait_until_they_are_enough(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 60, 10), 3))
    make(town, 1)
    arrive(town, windows([NINE + 5], 7, source="late"))
    assert make(town, 1.2) == Made("Harbour", (), 7, 0)
    assert people(town, "day") == [18]
    arrive(town, windows([NINE + 15, 13 * 60], 2, source="later"))
    assert make(town, 1.3) == Made("Harbour", (2,), 0, 0)
    assert people(town, "hour") == [18] and people(town, "day") == [29]
    assert people(town, "day", release=1) == [18], "a release never changes"
    assert any(note.code == "longer-periods" for note in api.published_index(store=town, by="hour").notes)


def test_a_removed_run_is_taken_back_in_whole_crowds(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 60, 10), 3))
    arrive(town, windows([NINE + 5], 4, source="few"))
    arrive(town, windows(range(NINE + 1, NINE + 60, 10), 3, source="many"))
    make(town, 1)
    before = plain(town)
    town.remove_runs([run_of(town, "few")])
    assert make(town, 1.1).releases == () and plain(town) == before, "four people would be told by the difference"
    town.remove_runs([run_of(town, "many")])
    assert make(town, 1.2).releases == (2,)
    correction = api.release(2, store=town)
    assert (correction.kind, correction.replaces, correction.taken_back, correction.people) == (
        "correction",
        (1,),
        40,
        18,
    )
    assert people(town) == [18] and plain(town, release=1) == before


def test_a_rest_of_few_is_taken_back_altogether(town: Store) -> None:
    arrive(town, windows([NINE], 5))
    arrive(town, windows([NINE + 5], 15, source="many"))
    arrive(town, windows([NINE + 60], 15, source="other"))
    make(town, 1)
    town.remove_runs([run_of(town, "many")])
    assert make(town, 1.1).releases == (2,) and people(town) == [15]
    arrive(town, windows([NINE + 10], 8, source="new"))
    assert make(town, 1.2) == Made("Harbour", (), 8, 0), "the rest joins no other crowd"
    arrive(town, windows([NINE + 5], 15, source="many"))
    assert make(town, 1.3).releases == (3,) and people(town) == [35], "whoever comes back makes it whole again"


def test_windows_that_come_back_are_never_new(town: Store) -> None:
    many = windows(range(NINE, NINE + 60, 5), 3, source="many")
    arrive(town, many)
    arrive(town, windows([NINE], 11))
    make(town, 1)
    before = plain(town)
    town.remove_runs([run_of(town, "many")])
    make(town, 1.1)
    assert people(town) == [11]
    arrive(town, many[:2])
    assert make(town, 1.2) == Made("Harbour", (), 0, 0) and people(town) == [11], "six of them"
    arrive(town, many)
    assert make(town, 1.3).releases == (3,) and people(town) == [47]
    arrive(town, many)
    assert make(town, 1.4).releases == (), "written again, and the same"
    assert plain(town)["rows"][0]["happy_share"] == pytest.approx(before["rows"][0]["happy_share"], abs=1e-3)


def test_windows_that_came_back_otherwise_are_a_correction_when_all_are_there(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 60, 5), 3), state=RunState.ENDED)
    make(town, 1)
    arrive(town, windows([NINE], 3, seed=5))
    assert make(town, 1.1).releases == (2,), "one minute otherwise, and all are there"
    assert people(town) == [36] and api.release(2, store=town).replaces == (1,)
    arrive(
        town,
        windows(
            range(NINE + 5, NINE + 30, 5),
            3,
            seed=5,
        ),
        state=RunState.ENDED,
    )
    # The run ended without the others, so they are gone.
    assert make(town, 1.2).releases == (3,)
    assert people(town) == [15]


def test_windows_cut_otherwise_never_count_twice(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 60, 5), 3))
    make(town, 1)
    town.remove_runs([run_of(town, "s")])
    make(town, 1.1)
    run = town.begin_run("Harbour", "c", "s", FIRST, MODEL)
    one = windows([NINE], 30)[0]
    key = type(one.key)("Harbour", "c", "s", FIRST, MODEL, FIRST + timedelta(minutes=NINE), 3600)
    town.write_windows(run, [type(one)(key, 30, 30, one.hard_counts, one.prob_sums, one.prob_cross, 60, 0, 60.0)])
    assert make(town, 1.2) == Made("Harbour", (), 0, 30)
    assert people(town) == []


def test_a_published_recording_is_blocked_under_another_name_and_place(town: Store) -> None:
    def watch(place: str, source: str, begin: datetime) -> None:
        run = town.begin_run(place, "c", source, begin, MODEL, recording="the same bytes")
        town.write_windows(run, windows([NINE], 12, place=place, source=source, begin=begin))
        town.finish_run(run)

    watch("Market", "square.mp4", FIRST)
    make(town, 1)
    town.remove_runs([run_of(town, "square.mp4")])
    make(town, 1.1)
    assert people(town, place="Market") == []
    watch("Harbour", "copy.mp4", FIRST + timedelta(hours=2))
    assert make(town, 1.2) == Made("Harbour", (), 0, 12)
    town.remove_runs([run_of(town, "copy.mp4")])
    watch("Market", "square.mp4", FIRST)
    make(town, 1.3)
    assert people(town, place="Market") == [12]


def test_another_model_takes_over_crowd_by_crowd(town: Store) -> None:
    minutes = [*range(NINE, NINE + 60, 5), *range(NINE + 60, NINE + 120, 5)]
    arrive(town, windows(minutes, 2))
    make(town, 1)
    town.save_model("model-2", soft_matrix(np.random.default_rng(2)))
    arrive(town, windows(minutes[:14], 2, model="model-2", seed=9))
    arrive(town, windows([DAY + NINE], 12, model="model-2", source="next"))
    assert make(town, 2).releases == (2, 3)
    rows = api.published_index(store=town, by="hour").rows
    assert {row.model for row in rows} == {"model-2"} and [row.people for row in rows] == [24, 12]
    assert api.release(2, store=town).taken_back == 24
    (note,) = api.published_index(store=town, by="hour").notes
    assert note.code == "model-skipped" and "24 people read by model model-1" in note.text
    arrive(town, windows(minutes, 2, model="model-2", seed=9))
    assert make(town, 2.1).releases == (4,) and people(town, "hour") == [24, 24, 12]


def test_locations_are_renamed_merged_and_removed(town: Store) -> None:
    arrive(town, windows([NINE], 12))
    arrive(town, windows([NINE], 14, place="Market", source="m"))
    make(town, 1)
    town.rename_location("Market", "Fair")
    assert people(town, place="Fair") == [14] and api.published_version(store=town).number == 3
    town.add_location(Location("Fair", ZONE.key, population=50), update=True)
    assert api.published_version(store=town).number == 3, "nothing changed"
    town.merge_locations("Fair", "Harbour")
    assert people(town, "hour") == [26] and [r.kind for r in api.releases(store=town)][-1] == "merged"
    assert people(town, release=3) == [12]
    town.remove_runs([run_of(town, "m")])
    assert make(town, 1.1).releases == (5,) and people(town) == [12]
    town.remove_location("Harbour")
    listed = api.releases(store=town)
    assert [one.number for one in listed] == [1, 2, 3, 4, 5, 6] and listed[-1].taken_back == 12
    assert api.published_index(store=town).rows == () and api.published_locations(store=town) == ()
    town.add_location(Location("Harbour", ZONE.key))
    assert api.published_index(store=town).rows == ()


def test_a_calibration_is_a_release_of_its_own(town: Store) -> None:
    arrive(town, windows(range(NINE, NINE + 60, 5), 3))
    make(town, 1)
    before = plain(town)
    town.save_calibration("Harbour", MODEL, soft_matrix(np.random.default_rng(7)))
    assert plain(town) == before
    assert make(town, 1.1).releases == (2,) and api.release(2, store=town).kind == "calibration"
    assert plain(town) != before and plain(town, release=1) == before
    assert make(town, 1.2).releases == ()


def test_windows_that_became_hours_and_days_change_nothing(town: Store) -> None:
    """Retention deletes windows and keeps their sums; that takes nobody back."""
    arrive(town, windows(range(NINE, NINE + 60, 5), 3))
    arrive(town, windows([NINE], 4, source="few"))
    make(town, 1)
    before = plain(town)
    with town.transaction(writes=True, doing="testing") as connection:
        connection.execute(sa.delete(stored).where(stored.c.start < int(FIRST.timestamp()) + 60 * (NINE + 30)))
    assert make(town, 1.1).releases == () and plain(town) == before
    town.remove_runs([run_of(town, "s")])
    assert make(town, 1.2).releases == (2,) and people(town) == [], "what is left cannot be added up any more"


def test_what_is_asked_for_must_be_there(town: Store) -> None:
    arrive(town, windows([NINE], 12))
    make(town, 1)
    with pytest.raises(ConfigError, match="there is no location 'Nowhere'"):
        api.make_releases(store=town, locations=["Nowhere"])
    with pytest.raises(ConfigError, match="with a time zone"):
        api.make_releases(store=town, now=datetime(2026, 2, 2))
    with pytest.raises(ConfigError, match="by day, hour or minute"):
        api.make_releases(store=town, over="week")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="from 0"):
        api.make_releases(store=town, wait=timedelta(-1))
    (note,) = api.published_index(store=town, locations=["Market"]).notes
    assert note.code == "nothing-published"


def test_many_at_once_release_each_crowd_once(town: Store, url: str) -> None:
    for place in ("Harbour", "Market"):
        arrive(town, windows(range(NINE, NINE + 600, 3), 4, place=place, source=place))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with open_store(url) as own:
                api.make_releases(store=own, now=FIRST + timedelta(days=1, minutes=20))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and people(town) == [800]
    assert [release.number for release in api.releases(store=town)] == [1, 2]
