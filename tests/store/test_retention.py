"""Windows become hours and hours days; what is kept stays what it was, and nothing more can be shown than before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError, StoreError
from felicity.index import compute_index
from felicity.index.happiness import hidden_rows
from felicity.store import Store
from felicity.store.retention import Folding, RetentionRule
from felicity.windows import Location, Window
from felicity.windows.buckets import By
from tests.store.test_contract import arrays, as_json, put
from tests.support.windows import make_windows, soft_matrix

TOKYO = ZoneInfo("Asia/Tokyo")
BEGIN = datetime(2026, 3, 1, tzinfo=TOKYO)
DAY = timedelta(days=1)


def days_of(rng: np.random.Generator, people: list[float], **more: Any) -> list[Window]:
    """A day after the other, of two hours, with so many people an hour; half-hour windows."""
    windows: list[Window] = []
    for day, of in enumerate(people):
        begin = BEGIN + day * DAY + timedelta(hours=9)
        windows += make_windows(rng, 120, begin=begin, run_start=BEGIN, people=of / 60, seconds=900, **more)
    return windows


@pytest.fixture
def busy(store: Store) -> Store:
    """Six days of about 80 people at a place in Tokyo."""
    store.save_model("model-1", soft_matrix(np.random.default_rng(1)))
    store.add_location(Location("Harbour", timezone="Asia/Tokyo"))
    put(store, days_of(np.random.default_rng(1), [40] * 6))
    return store


def fold(store: Store, *, windows: int, hours: int | None = None, dry_run: bool = False) -> Folding:
    """Keep windows from day ``windows`` on, and hours from day ``hours`` on."""
    (of,) = store.retention(BEGIN, ["Harbour"])
    moments = {"windows_from": BEGIN + windows * DAY, "hours_from": None if hours is None else BEGIN + hours * DAY}
    return store.fold(type(of)(**vars(of) | moments), dry_run=dry_run)


def shown(store: Store, by: By, k: int = 10, **more: Any) -> dict[tuple[str, str], Any]:
    """The figures that may be published, by begin and end of their rows."""
    rows = compute_index(store.sums(by, k=k, **more), store.soft_matrices(), k=k)
    return {(r.start.isoformat(), r.end.isoformat()): (r.people, r.happy_share) for r in rows if not r.suppressed}


def test_figures_stay_what_they_were(busy: Store) -> None:
    kinds: tuple[By, ...] = ("hour", "day", "week", "month", "total")
    before = {by: (arrays(busy.sums(by).sums), shown(busy, by)) for by in kinds}
    later = {by: shown(busy, by, begin=BEGIN + 2 * DAY) for by in ("minute", "hour", "day")}
    planned = fold(busy, windows=2, dry_run=True)
    assert planned == Folding("Harbour", windows=16, into_hours=4, hours=0, into_days=0)
    assert len(list(busy.windows())) == 48, "nothing is done that was only asked about"
    assert fold(busy, windows=2) == planned
    assert len(list(busy.windows())) == 32
    assert {by: (arrays(busy.sums(by).sums), shown(busy, by)) for by in kinds} == before
    assert {by: shown(busy, by, begin=BEGIN + 2 * DAY) for by in later} == later
    assert fold(busy, windows=4, hours=2) == Folding("Harbour", windows=16, into_hours=4, hours=4, into_days=2)
    for by in ("day", "week", "month", "total"):
        assert (arrays(busy.sums(by).sums), shown(busy, by)) == before[by]
    hours = busy.sums("hour")
    assert len(hours.keys) == 8 and [note.code for note in hours.notes] == ["kept-coarser"]
    assert shown(busy, "hour", begin=BEGIN + 2 * DAY) == later["hour"]
    assert fold(busy, windows=4, hours=2) == Folding("Harbour", 0, 0, 0, 0), "it is done once"


def test_an_end_within_what_was_folded_moves_inwards_and_says_so(busy: Store) -> None:
    begin, end = BEGIN + timedelta(hours=9, minutes=30), BEGIN + 3 * DAY + timedelta(hours=10, minutes=20)
    whole = busy.sums("day", begin=BEGIN + DAY, end=BEGIN + 3 * DAY + timedelta(hours=10))
    fold(busy, windows=4, hours=2)
    found = busy.sums("day", begin=begin, end=end)
    assert arrays(found.sums) == arrays(whole.sums)
    assert [note.code for note in found.notes] == ["period-kept-coarser"]
    inside = busy.sums("day", begin=begin, end=begin + timedelta(minutes=10))
    assert not len(inside.sums), "nothing is known of a part of a day"


@pytest.mark.parametrize(("seed", "k"), [(1, 5), (2, 10), (4, 60)])
def test_what_was_shown_before_and_after_tells_of_no_fewer_than_k_people(store: Store, seed: int, k: int) -> None:
    """Days of few people share crowds with their neighbours, also across the day where folding ends."""
    rng = np.random.default_rng(seed)
    store.add_location(Location("Harbour", timezone="Asia/Tokyo"))
    put(store, days_of(rng, rng.choice([0.5, 2, 6, 30], 6).tolist()))
    windows = list(store.windows())
    start, people = (np.array([int(w.key.start.timestamp()) for w in windows]), np.array([w.people for w in windows]))
    ends = [BEGIN + float(at) * timedelta(hours=1) for at in rng.uniform(0, 140, 4)]
    spans: list[dict[str, Any]] = [{}, {"begin": ends[0]}, {"end": ends[1]}]
    spans.append({"begin": min(ends[2:4]), "end": max(ends[2:4])})

    def figures() -> set[tuple[int, int]]:
        """From the first to the last window of each figure that may be published."""
        found = set()
        for by, span in product(("minute", "hour", "day", "week", "total"), spans):
            groups = store.sums(by, k=k, **span)  # type: ignore[arg-type]
            seen = ~hidden_rows(groups, k)
            found |= set(zip(groups.sums.first[seen].tolist(), groups.sums.last[seen].tolist(), strict=True))
        return found

    ever = figures()
    fold(store, windows=4, hours=2)
    ever |= figures()
    inside = np.array([(first <= start) & (start < last) for first, last in sorted(ever)])  # (figures, windows)
    _, part = np.unique(inside, axis=1, return_inverse=True)
    held = np.bincount(part[inside.any(0)], people[inside.any(0)])
    assert ((held == 0) | (held >= k)).all(), (
        "whatever is added to or taken from whatever, k people are left, or nobody"
    )
    assert (held >= k).any()


def test_late_windows_are_added_and_what_was_folded_cannot_be_replaced(busy: Store) -> None:
    before = int(busy.sums("total").sums.people[0])
    fold(busy, windows=4, hours=2)
    late = days_of(np.random.default_rng(2), [40] * 6, camera="pier", source="pier.mp4")
    put(busy, late)
    both = busy.sums("total").sums
    assert both.windows[0] == 96 and both.people[0] == before + sum(w.people for w in late)
    days = arrays(busy.sums("day").sums)
    fold(busy, windows=4, hours=2)
    assert arrays(busy.sums("day").sums) == days, "late windows are folded as well"
    quay, pier = sorted(busy.runs(), key=lambda run: run.camera, reverse=True)
    run = busy.begin_run("Harbour", quay.camera, quay.source, BEGIN, "model-1")
    with pytest.raises(StoreError, match=r"until 2026-03-04 11:00 have become hours or days, which cannot be replaced"):
        busy.write_windows(run, days_of(np.random.default_rng(1), [40]))
    with pytest.raises(ConfigError, match=f"run {pier.id}: its windows until .* cannot be taken back"):
        busy.remove_runs([pier.id])
    with pytest.raises(ConfigError, match="has counted it at 'Harbour'"):
        busy.begin_run("Harbour", quay.camera, quay.source, BEGIN, "model-1", recording="abc")
    assert arrays(busy.sums("day").sums) == days


def test_locations_are_renamed_merged_and_removed_with_what_was_folded(busy: Store) -> None:
    fold(busy, windows=4, hours=2)
    before = arrays(busy.sums("day").sums)
    with pytest.raises(ConfigError, match=r"of 2026-03-01 only days are kept, in the time zone Asia/Tokyo"):
        busy.add_locations([Location("Harbour", timezone="Asia/Kolkata")], update=True)
    busy.add_locations([Location("Harbour", timezone="Asia/Seoul")], update=True)
    assert arrays(busy.sums("day").sums) == before, "clocks that show the same"
    busy.rename_location("Harbour", "Quay")
    store_windows = days_of(np.random.default_rng(3), [20] * 6, location="Harbour", camera="pier")
    busy.add_location(Location("Harbour", timezone="Asia/Tokyo"))
    put(busy, store_windows)
    people = sum(w.people for w in store_windows) + busy.sums("total", locations=["Quay"]).sums.people[0]
    fold(busy, windows=3, hours=1)
    busy.merge_locations("Quay", "Harbour")
    assert busy.sums("total").sums.people[0] == people and len(busy.sums("day").keys) == 6
    assert len(list(busy.windows())) == 16 + 24
    busy.remove_location("Harbour")
    assert not busy.locations() and not busy.runs() and not len(busy.sums("total").sums)


def test_a_rule_of_its_own_goes_before_that_of_the_store(busy: Store) -> None:
    busy.add_location(Location("Pier"))
    busy.set_retention(RetentionRule(30, 24))
    busy.set_retention(RetentionRule(), ["Pier"])
    harbour, pier = busy.retention(datetime(2026, 3, 31, 20, tzinfo=UTC))
    assert (harbour.rule, harbour.own, pier.rule, pier.own) == (RetentionRule(30, 24), False, RetentionRule(), True)
    assert harbour.windows_from == datetime(2026, 3, 2, tzinfo=TOKYO), "it is the first of April in Tokyo"
    assert harbour.hours_from == datetime(2024, 4, 1, tzinfo=TOKYO) and pier.windows_from is None
    (leap,) = busy.retention(datetime(2026, 2, 1, tzinfo=UTC) + timedelta(days=57), ["Harbour"])
    assert leap.hours_from == datetime(2024, 3, 30, tzinfo=TOKYO)
    with pytest.raises(ConfigError, match="there is no location 'Nowhere'"):
        busy.set_retention(RetentionRule(30), ["Nowhere"])


@pytest.mark.parametrize(
    ("days", "months", "words"),
    [(None, 2, "give days for windows, too"), (90, 2, "outlive hours"), (0, None, "whole number from 1, not 0")],
)
def test_rules_that_are_none(days: int | None, months: int | None, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        RetentionRule(days, months)


def test_the_commands_say_first_what_they_would_do(busy: Store, url: str) -> None:
    def run(*words: object) -> str:
        done = CliRunner().invoke(app, [*map(str, words), "--store", url])
        assert done.exit_code == 0, done.output
        return done.output

    run("retention", "set", "--days", 30, "--months", 12)
    rules = json.loads(run("retention", "show", "--json"))["data"]
    assert [(rule["location"], rule["days"], rule["months"], rule["own"]) for rule in rules] == [
        ("Harbour", 30, 12, False)
    ]
    before = as_json(busy.windows())
    said = run("retention", "run")
    assert "48" in said and "--yes" in said and as_json(busy.windows()) == before
    run("retention", "run", "--yes", "--location", "Harbour")
    assert not list(busy.windows()) and busy.sums("hour").sums.windows.sum() == 48
    said = run("index", "--by", "minute")
    assert "only hours or days are kept, so there is nothing by the minute" in " ".join(said.split())
    run("retention", "set", "--forever", "--location", "Harbour")
    assert "for ever" in run("retention", "show")
