"""What is published, by whatever command and period, says nothing about fewer than k people.

Two towns are alike but for one thing: within each crowd of at least k people, windows with equally many people have
exchanged what these people showed. If nothing that is published tells the towns apart, then nothing that can be
worked out from it, by subtraction or otherwise, does.
"""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity import api
from felicity.schemas.cities import CityShape
from felicity.schemas.index import IndexShape
from felicity.schemas.shape import Shape
from felicity.store import Store, open_store
from felicity.store.choosing import choose
from felicity.store.crowds import LEVELS, read_units
from felicity.windows import Location, Window, WindowKey
from felicity.windows.buckets import BUCKETS, By
from tests.support.command import felicity
from tests.support.town import FIRST, MODEL, ZONE
from tests.support.windows import answers, shares, soft_matrix

K = 10
DAYS = 70
PLACES = ("Busy", "Quiet", "Lonely")
SHOWN = (("hard_counts", np.int64), ("prob_sums", np.float64), ("prob_cross", np.float64))


def windows_of(place: str) -> list[Window]:
    """Busy: crowds by the hour; Quiet: a few an hour, whole days of few; Lonely: nine in all."""
    rng = np.random.default_rng(PLACES.index(place))
    windows = []
    for day in range(DAYS if place != "Lonely" else 3):
        for hour in (3, 9, 10, 14, 15, 20):
            for minute in (5, 25, 26, 50):
                usual = {"Busy": 1 if hour == 3 else 6, "Quiet": 0.1 if day % 6 == 5 else 0.8, "Lonely": 0}[place]
                n = min(int(rng.poisson(usual)), 8) if usual else int(minute == 5 and hour > 10)
                p = answers(rng, rng.choice(8, n, p=shares(rng.uniform(0.1, 0.9)))) if n else np.zeros((0, 8))
                start = (FIRST.replace(tzinfo=None) + timedelta(days=day, hours=hour, minutes=minute)).replace(
                    tzinfo=ZONE
                )
                windows.append(
                    Window(
                        WindowKey(place, "c", "s", FIRST, MODEL, start, 60),
                        n,
                        n,
                        np.bincount(p.argmax(axis=1), minlength=8) if n else np.zeros(8, dtype=np.int64),
                        p.sum(axis=0),
                        p.T @ p,
                        60,
                        0,
                        60.0,
                    )
                )
    return windows


def write(url: str, windows: dict[str, list[Window]]) -> None:
    with open_store(url) as store:
        store.save_model(MODEL, soft_matrix(np.random.default_rng(1)))
        store.add_locations([Location(name, ZONE.key, population=100, code=name[0]) for name in PLACES])
        for name, listed in windows.items():
            run = store.begin_run(name, "c", "s", FIRST, MODEL)
            store.write_windows(run, listed)
            store.finish_run(run)


def crowds_of_windows(store: Store, place: str, windows: list[Window]) -> list[int]:
    """The crowd of each window, at the finest level."""
    with store._read("testing") as connection:
        (found,) = choose(connection, None, None, [place], None, None)[0]
        units = read_units(connection, found, LEVELS[-1], K, 0, 1 << 40)
    starts = [int(window.key.start.timestamp()) for window in windows]
    return [int(units.crowd[np.searchsorted(units.start, start, side="right") - 1]) for start in starts]


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("towns")
    one, other = str(folder / "one.db"), str(folder / "other.db")
    original = {name: windows_of(name) for name in PLACES}
    write(one, original)
    exchanged, moved = {}, 0
    with open_store(one) as store:
        for name, windows in original.items():
            alike: dict[tuple[int, int], list[int]] = defaultdict(list)
            for i, crowd in enumerate(crowds_of_windows(store, name, windows)):
                alike[crowd, windows[i].people].append(i)
            made = list(windows)
            for members in alike.values():
                for i, j in zip(members, members[::-1], strict=True):
                    made[i] = replace(windows[i], **{column: getattr(windows[j], column) for column, _ in SHOWN})
                    moved += i != j and windows[i].people > 0
            exchanged[name] = made
    assert moved > 300
    write(other, exchanged)
    return one, other


def flat(value: Any) -> Iterator[Any]:
    """Numbers and words of nested values, in order."""
    if isinstance(value, dict):
        value = [item for key in sorted(value) for item in (key, value[key])]
    if isinstance(value, list | tuple):
        for item in value:
            yield from flat(item)
    else:
        yield value


def same(one: Any, other: Any) -> None:
    """Equal but for the last digits, since sums were added in another order."""
    left, right = list(flat(one)), list(flat(other))
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        if isinstance(a, float) and isinstance(b, float):
            assert math.isclose(a, b, rel_tol=1e-6, abs_tol=2e-3)  # as pytest.approx, of which thousands are slow
        else:
            assert a == b


def plain(shape: type[Shape], result: Any) -> Any:
    """A result as it is printed for programs."""
    return shape.model_validate(result).model_dump(mode="json")


MOMENT = st.integers(-100, (DAYS + 1) * 1440).map(lambda minutes: FIRST + timedelta(minutes=minutes))


@settings(deadline=None, max_examples=25)
@given(by=st.sampled_from(BUCKETS), begin=st.none() | MOMENT, minutes=st.none() | st.integers(1, 12_000))
def test_no_period_tells_of_fewer_than_k_people(
    towns: tuple[str, str], by: By, begin: datetime | None, minutes: int | None
) -> None:
    end = begin + timedelta(minutes=minutes) if begin and minutes else None
    one, other = (api.happiness(store=url, by=by, begin=begin, end=end, k=K) for url in towns)
    same(plain(IndexShape, one), plain(IndexShape, other))
    assert one.notes == other.notes
    for row in one.rows:
        assert row.suppressed or row.people >= K
        assert row.location != "Lonely" or row.suppressed


def test_the_towns_do_differ(towns: tuple[str, str]) -> None:
    """Without protection each minute tells them apart."""
    minutes = [open_store(url).sums("minute").sums.hard_counts for url in towns]
    assert (minutes[0] != minutes[1]).any(axis=1).sum() > 200


def test_periods_that_differ_by_a_minute_are_the_same_or_differ_by_k_people(towns: tuple[str, str]) -> None:
    """Ends move inwards, which is said."""
    seen = {}
    for minute in range(0, 720, 15):
        end = FIRST + timedelta(days=9, hours=9, minutes=minute)
        found = api.happiness(store=towns[0], end=end, locations=["Busy"], k=K)
        (row,) = found.rows
        seen[row.people] = row
        assert row.end <= end
        assert all(
            "so that no difference of figures tells of fewer than 10 people" in note.text for note in found.notes
        )
    counts = sorted(seen)
    assert len(counts) > 3
    assert min(np.diff(counts)) >= K


def test_a_period_without_a_whole_crowd_counts_people_and_shows_nothing(towns: tuple[str, str]) -> None:
    """Two windows of Quiet: its people are there, and the city says why they are not in it."""
    minutes = [row for row in api.happiness(store=towns[0], by="minute", locations=["Quiet"], k=1).rows if row.people]
    begin, end = minutes[3].start, minutes[5].start
    total = api.happiness(store=towns[0], begin=begin, end=end, locations=["Quiet"], k=K)
    (row,) = total.rows
    assert row.suppressed and row.people == minutes[3].people + minutes[4].people and total.notes == ()
    days = api.happiness(store=towns[0], by="hour", begin=begin, end=end, locations=["Quiet"], k=K).rows
    assert days and all(day.suppressed for day in days)
    found = api.city(store=towns[0], weight="people", begin=begin, end=begin + timedelta(days=9), k=K)
    assert {part.location.name for part in found.parts if part.share is None} >= {"Lonely"}


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), begin=st.none() | MOMENT)
def test_no_table_of_visits_tells_of_fewer_than_k_people(
    towns: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, seed: int, begin: datetime | None
) -> None:
    rng = np.random.default_rng(seed)
    table = tmp_path_factory.mktemp("visits") / "visits.csv"
    wanted = [(name, hour) for name in PLACES for hour in rng.choice(168, rng.integers(1, 168), replace=False)]
    rows = [f"{name},{hour},{rng.integers(0, 3) * rng.uniform(0, 100)}" for name, hour in wanted]
    table.write_text("location,hour,visits\n" + "\n".join(rows), encoding="utf-8")

    def answer(url: str) -> Any:
        try:
            return plain(CityShape, api.city(store=url, weight="people", footfall=table, begin=begin, k=K))
        except api_error() as error:
            return str(error)

    same(*map(answer, towns))


def api_error() -> type[Exception]:
    from felicity.errors import FelicityError

    return FelicityError


@pytest.mark.parametrize(
    "arguments",
    [
        ("trend", "--from", "2026-02-03T10:07"),
        ("trend", "--by", "hour"),
        ("effect", "--at", "2026-03-03", "--locations", "Busy", "--comparison", "Quiet"),
        ("city", "--to", "2026-03-01T14:31"),
    ],
)
def test_no_command_tells_the_towns_apart(towns: tuple[str, str], tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said = [felicity(*arguments, "--store", url, "--json", home=tmp_path) for url in towns]
    same(*(json.loads(done.stdout) for done in said))
    assert said[0].stderr == said[1].stderr


def test_no_table_of_the_report_tells_the_towns_apart(towns: tuple[str, str], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    folders = [tmp_path / "one", tmp_path / "other"]
    for url, folder in zip(towns, folders, strict=True):
        arguments = ("--figures", folder, "-o", tmp_path / f"{folder.name}.html", "--at", "2026-03-03")
        felicity("report", "--store", url, "--from", "2026-02-03T10:07", *arguments, home=tmp_path)
    tables = sorted(path.name for path in folders[0].glob("*.csv"))
    assert {"index.csv", "days.csv", "hours_of_day.csv", "weekdays.csv", "before_after.csv"} <= set(tables)
    for name in tables:
        read = [list(csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines())) for folder in folders]
        same(*([[_number(cell) for cell in row.values()] for row in rows] for rows in read))
        parquet = [pq.read_table((folder / name).with_suffix(".parquet")).to_pylist() for folder in folders]
        same(*parquet)


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell
