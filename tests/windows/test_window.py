"""Windows: what they hold, how they add up, how they travel."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from felicity.windows import PersonObservation, Window, WindowAccumulator, WindowKey
from felicity.windows.columns import SEEING_COLUMNS
from felicity.windows.looks import Conditions, Look
from tests.support.windows import MIDNIGHT, answers, make_windows

KEY = WindowKey("Harbour", "quay", "quay.mp4", MIDNIGHT, "model-1", MIDNIGHT, 60)


def accumulator(**options: Any) -> WindowAccumulator:
    return WindowAccumulator("Harbour", "quay", "quay.mp4", MIDNIGHT, "model-1", **options)


def person(time: datetime, label: int = 1) -> PersonObservation:
    p = np.full(8, 0.02)
    p[label] = 0.86
    return PersonObservation(time, p)


def at(seconds: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


def test_a_window_holds_the_sums_of_its_people() -> None:
    rng = np.random.default_rng(1)
    p = answers(rng, [0, 1, 1, 2, 7])
    gathered = accumulator()
    for row in p:
        gathered.add_person(PersonObservation(at(12), row))
    gathered.add_person(PersonObservation(at(13), None, "small"))
    gathered.add_person(PersonObservation(at(14), None, "blurred"))
    gathered.add_person(PersonObservation(at(15), None, "small"))
    (window,) = gathered.flush()
    assert window.key == KEY
    assert (window.people_seen, window.people) == (8, 5)
    assert dict(window.rejected) == {"blurred": 1, "small": 2}
    assert window.hard_counts.tolist() == np.bincount(p.argmax(axis=1), minlength=8).tolist()
    assert np.allclose(window.prob_sums, p.sum(axis=0))
    assert np.allclose(window.prob_cross, p.T @ p)


def test_a_person_belongs_to_the_minute_in_which_the_track_ended() -> None:
    gathered = accumulator()
    for time in (0, 59.999, 60, 119, 3600):
        gathered.add_person(person(at(time)))
    assert [(w.key.start, w.people) for w in gathered.flush()] == [(at(0), 2), (at(60), 2), (at(3600), 1)]


def test_a_window_closes_some_time_after_its_end() -> None:
    gathered = accumulator(lateness=5)
    gathered.add_frame(at(10))
    assert gathered.closed(at(64)) == []
    gathered.add_person(person(at(59)))
    (window,) = gathered.closed(at(65))
    assert (window.key.start, window.people, window.frames_seen) == (at(0), 1, 1)
    assert gathered.closed(at(200)) == [] and gathered.flush() == []


def test_whoever_comes_late_is_counted_in_the_earliest_open_window() -> None:
    gathered = accumulator(lateness=0)
    gathered.add_person(person(at(10)))
    gathered.add_person(person(at(70)))
    assert len(gathered.closed(at(61))) == 1
    gathered.add_person(person(at(20)))
    gathered.add_person(person(at(130)))
    assert [(w.key.start, w.people) for w in gathered.flush()] == [(at(60), 2), (at(120), 1)]


def test_a_clock_that_jumps_back_loses_nobody_and_repeats_no_window() -> None:
    gathered = accumulator(lateness=0)
    windows: list[Window] = []
    times = [*range(0, 600, 20), *range(200, 900, 20)]
    for time in times:
        gathered.add_frame(at(time))
        gathered.add_person(person(at(time)))
        windows += gathered.closed()
    windows += gathered.flush()
    assert sum(w.people for w in windows) == sum(w.frames_seen for w in windows) == len(times)
    starts = [w.key.start for w in windows]
    assert starts == sorted(set(starts))


def test_a_clock_that_jumps_forward_leaves_no_windows_behind() -> None:
    gathered = accumulator()
    gathered.add_frame(at(0))
    gathered.add_frame(at(10**8))
    assert len(gathered.flush()) == 2


def test_coverage_is_the_time_between_frames() -> None:
    gathered = accumulator(max_gap=10)
    for time in (0, 5, 10, 55, 65, 68, 300, 301):
        gathered.add_frame(at(time), dropped=2)
    windows = gathered.flush()
    assert [(w.seconds_covered, w.frames_seen, w.frames_dropped) for w in windows] == [
        (15.0, 4, 8),
        (8.0, 2, 4),
        (1.0, 2, 4),
    ]


def test_a_minute_without_people_is_a_window_too() -> None:
    windows = make_windows(np.random.default_rng(1), 30, people=0.2)
    assert len(windows) == 30
    assert any(w.people_seen == 0 and w.frames_seen == 6 for w in windows)


def test_json_goes_there_and_back_exactly() -> None:
    for window in make_windows(np.random.default_rng(1), 20):
        text = json.dumps(window.to_json(), allow_nan=False)
        back = Window.from_json(json.loads(text))
        assert back.key == window.key and back.to_json() == window.to_json()


def test_windows_of_one_key_add_up() -> None:
    first, second = (make_windows(np.random.default_rng(seed), 1, people=5)[0] for seed in (1, 2))
    both = first + second
    assert both.people == first.people + second.people
    assert both.prob_sums.tolist() == (first.prob_sums + second.prob_sums).tolist()
    assert dict(both.rejected) == {"small": 2}
    assert both.seconds_covered == first.seconds_covered + second.seconds_covered
    with pytest.raises(ValueError, match="do not merge"):
        first.merge(replace(second, key=replace(second.key, camera="pier")))


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    start = datetime(2024, 3, 30, 2, tzinfo=timezone(timedelta(hours=2)))
    key = replace(KEY, start=start, run_start=start)
    assert key == KEY and key.start.tzinfo is UTC


def test_arrays_of_a_window_are_read_only_copies() -> None:
    sums = np.array([0, 1.0, 0, 0, 0, 0, 0, 0])
    window = Window(
        KEY, 1, 1, hard_counts=np.array([0, 1, 0, 0, 0, 0, 0, 0]), prob_sums=sums, prob_cross=np.outer(sums, sums)
    )
    sums[0] = 5
    assert window.prob_sums[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        window.prob_sums[0] = 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people_seen": 3}, "are not"),
        ({"people": -1}, "whole numbers from 0"),
        ({"frames_seen": 1.5}, "whole numbers"),
        ({"hard_counts": [0] * 8}, "sum to 2 people"),
        ({"hard_counts": [0.5] * 8}, "whole numbers"),
        ({"prob_sums": [0.0] * 8}, "prob_sums sum to 0"),
        ({"prob_sums": [float("nan")] * 8}, "non-negative"),
        ({"prob_sums": [1.0] * 2}, r"shape \(8,\)"),
        ({"prob_cross": [[0.0] * 8] * 8}, "rows of prob_cross"),
        ({"seconds_covered": float("inf")}, "seconds_covered"),
        ({"rejected": {"small": -1}}, "whole numbers"),
        ({"seconds": 7}, "multiple"),
        ({"seconds": 0}, "1 to 86400"),
        ({"seconds": True}, "1 to 86400"),
        ({"location": " "}, "location needs a name"),
        ({"model": 5}, "model needs a name"),
        ({"start": "2024-03-30T00:00:00"}, "time zone"),
        ({"start": "yesterday"}, "Invalid isoformat"),
        ({"run_start": None}, "not a window"),
        ({"schema": 4}, "schema 1 to 3 was expected"),
        ({"track": 5}, r"missing or unknown \['track'\]"),
    ],
)
def test_what_no_window_can_be_is_refused(change: dict[str, Any], message: str) -> None:
    p = np.array([0.1, 0.9, 0, 0, 0, 0, 0, 0])
    hard = np.array([0, 2, 0, 0, 0, 0, 0, 0])
    good = Window(KEY, 2, 2, hard_counts=hard, prob_sums=2 * p, prob_cross=2 * np.outer(p, p)).to_json()
    assert Window.from_json(good).people == 2
    with pytest.raises(ValueError, match=message):
        Window.from_json(good | change)


@pytest.mark.parametrize(
    ("time", "probabilities", "rejected"),
    [
        (MIDNIGHT.replace(tzinfo=None), np.eye(8)[1], None),
        (MIDNIGHT, None, None),
        (MIDNIGHT, np.eye(8)[1], "small"),
        (MIDNIGHT, np.eye(8)[1] * 2, None),
        (MIDNIGHT, np.full(8, np.nan), None),
        (MIDNIGHT, np.ones(1), None),
    ],
)
def test_what_no_observation_can_be_is_refused(time: datetime, probabilities: Any, rejected: str | None) -> None:
    with pytest.raises(ValueError, match=r"time|probabilities"):
        PersonObservation(time, probabilities, rejected)


def test_probabilities_of_a_person_are_scaled_to_one() -> None:
    p = np.full(8, 0.125, dtype=np.float32) * np.float32(1.0004)
    scaled = PersonObservation(MIDNIGHT, p).probabilities
    assert scaled is not None and abs(scaled.sum() - 1) < 1e-15


def test_how_well_one_could_see_adds_up() -> None:
    gathered = accumulator(seconds=3600)
    gathered.add_frame(at(0), Look(measured=Conditions(100.0, 40.0, 0.5, 2.0)), damaged=3, thinned=2, dropped=1)
    gathered.add_frame(at(1), Look(unfit="faint", measured=Conditions(10.0, 5.0, 0.25, 4.0)))
    gathered.add_frame(at(2), Look(repeated=True, frozen=True, unfit="faint"))
    gathered.add_person(replace(person(at(2)), face_side=40.0))
    gathered.add_person(replace(person(at(3)), face_side=60.0, lifted=True))
    gathered.add_person(person(at(3)))
    (window,) = gathered.flush()
    assert (window.frames_seen, window.frames_expected, window.frames_damaged, window.frames_frozen) == (3, 9, 3, 1)
    assert dict(window.frames_unfit) == {"faint": 1}
    assert (window.pictures, window.brightness, window.contrast) == (2, 110.0, 45.0)
    assert (window.sharpness, window.noise, window.sized, window.sides) == (0.75, 6.0, 2, 100.0)
    assert window.seconds_covered == 1.0, "a frozen picture covers nothing"
    both = window + window
    assert (window.lifted, both.lifted) == (1, 2)
    assert (both.noise, both.sized, dict(both.frames_unfit)) == (12.0, 4, {"faint": 2})
    assert Window.from_json(json.loads(json.dumps(both.to_json()))).to_json() == both.to_json()


def test_a_window_of_before_is_read_and_says_nothing_of_what_it_could_see() -> None:
    (window, *_) = make_windows(np.random.default_rng(1), 1)
    before = window.to_json() | {"schema": 1}
    for name in ("detector", *(column.name for column in SEEING_COLUMNS)):
        del before[name]
    read = Window.from_json(before)
    assert (read.people, read.pictures, read.key.detector) == (window.people, 0, "")
    with pytest.raises(ValueError, match=r"missing or unknown .*brightness"):
        Window.from_json(before | {"schema": 2})
    between = {name: value for name, value in window.to_json().items() if name != "lifted"}
    assert Window.from_json(between | {"schema": 2}).to_json() == window.to_json() | {"lifted": 0}
    with pytest.raises(ValueError, match="schema 1 to 3 was expected, not 4"):
        Window.from_json(before | {"schema": 4})
