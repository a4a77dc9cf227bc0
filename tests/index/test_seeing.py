"""How well one could see: a quality per row, and notes where it was less than usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from felicity.index import compute_index
from felicity.index.happiness import GroupKey, Groups
from felicity.index.seeing import Seeing, seeing_of
from felicity.index.seeing_notes import seeing_notes
from felicity.notes import Note
from felicity.windows import Sums

DAY = 86_400
GOOD: Mapping[str, Any] = {
    "people_seen": 100, "people": 80, "rejected": {"small": 20}, "frames_seen": 1000, "frames_expected": 2000,
    "frames_damaged": 0, "frames_frozen": 0, "frames_unfit": {}, "pictures": 100, "brightness": 12_000.0,
    "contrast": 5000.0, "sharpness": 30.0, "noise": 150.0, "sized": 100, "sides": 4500.0, "lifted": 0,
    "seconds_covered": 3600.0,
}  # fmt: skip


def groups(*changes: Mapping[str, Any], by: str = "day", name: str = "Quay", detector: str = "yunet") -> Groups:
    """Days in a row from Thursday 1970-01-01 on, each as good as usual but for the changes."""
    days = [{**GOOD, **change} for change in changes]
    hard = [[0, day["people"], 0, 0, 0, 0, 0, 0] for day in days]
    columns = {column: [day[column] for day in days] for column in GOOD}
    start = np.arange(len(days)) * DAY
    sums = Sums.of_windows(start, np.full(len(days), 3600), hard_counts=hard, **columns)
    keys = tuple(GroupKey(name, "UTC", "m", int(s), int(s) + DAY, detector) for s in start)
    return Groups(by, keys, sums)  # type: ignore[arg-type]


def notes(days: Groups, chosen: Groups | None = None) -> dict[str, str]:
    found: tuple[Note, ...] = seeing_notes(chosen or days, days)
    assert all(note.location == "Quay" for note in found)
    return {note.code: note.text for note in found}


def test_a_row_says_how_well_one_could_see() -> None:
    (row,) = compute_index(groups({"lifted": 4}), lambda *_: None)
    assert row.detector == "yunet"
    assert row.seeing == Seeing(80.0, 120.0, 50.0, 0.3, 1.5, 0.0, 0.0, 0.0, 45.0, 5.0)


@pytest.mark.parametrize(
    ("change", "quality"),
    [
        ({}, 80.0),
        ({"people": 100, "rejected": {}}, 100.0),
        ({"people": 0, "people_seen": 0, "rejected": {}}, 100.0),
        ({"frames_frozen": 500}, 40.0),
        ({"frames_unfit": {"faint": 300, "noisy": 200}}, 40.0),
        ({"frames_frozen": 500, "frames_unfit": {"faint": 500}}, 0.0),
        ({"frames_damaged": 1000}, 40.0),
        ({"pictures": 0}, None),
    ],
)
def test_quality_is_the_share_of_good_frames_times_that_of_judged_people(
    change: Mapping[str, Any], quality: float | None
) -> None:
    (seeing,) = seeing_of(groups(change).sums)
    assert seeing.quality == (None if quality is None else pytest.approx(quality))
    assert (seeing.brightness is None) == (quality is None)


def test_windows_of_before_are_not_spoken_of() -> None:
    assert notes(groups(*[{"pictures": 0, "brightness": 0.0}] * 9)) == {}


def test_what_is_as_usual_needs_no_note() -> None:
    rng = np.random.default_rng(1)
    assert notes(groups(*({"brightness": 12_000 * rng.uniform(0.7, 1.3)} for _ in range(30)))) == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"brightness": 4000.0}, "much darker on 1970-01-09"),
        ({"contrast": 2000.0}, "much paler or foggier on 1970-01-09"),
        ({"sharpness": 10.0}, "much less sharp on 1970-01-09"),
        ({"noise": 900.0}, "much noisier on 1970-01-09"),
        ({"frames_frozen": 100}, "with a frozen picture on 1970-01-09"),
        ({"frames_damaged": 200}, "with damaged frames on 1970-01-09"),
        ({"sides": 2500.0}, "with much smaller faces on 1970-01-09"),
        ({"sides": 9000.0}, "with much larger faces on 1970-01-09"),
    ],
)
def test_a_day_unlike_the_others_is_named(change: Mapping[str, Any], words: str) -> None:
    days = groups(*[{}] * 8, {"people_seen": 60, "people": 40, **change}, *[{}] * 11)
    text = notes(days)["seeing-changed"]
    assert words in text and "the median of 20 days" in text
    assert "60 people an hour were found on these days, 100 on others" in text


def test_only_days_of_the_period_are_named_but_all_say_what_is_usual() -> None:
    days = groups(*[{}] * 8, {"brightness": 4000.0}, *[{}] * 11)

    def part(first: int, last: int) -> Groups:
        return Groups("day", days.keys[first:last], days.sums.take(np.arange(first, last)))

    assert "seeing-changed" in notes(days, part(8, 9))
    assert notes(days, part(9, 20)) == {}


def test_days_of_another_detector_say_nothing_of_what_is_usual() -> None:
    days = groups(*[{}] * 9)
    assert notes(days, groups({"brightness": 1000.0}, detector="hog")) == {}


def test_a_few_days_make_no_usual() -> None:
    assert notes(groups({}, {}, {}, {"brightness": 1000.0})) == {}


def test_people_who_stay_away_or_are_not_found_are_missed_by_kind_of_day() -> None:
    few = {"people_seen": 40, "people": 20}
    days = [few if i % 7 in (2, 3) else {} for i in range(28)]  # 1970-01-03 is a Saturday
    assert notes(groups(*days)) == {}, "weekends have their own usual"
    days[12] = few
    assert (
        "usual people were found on 1970-01-13; they did not come, or were not found"
        in notes(groups(*days))["people-missing"]
    )
    quiet = [{"people_seen": 25, "people": 20}] * 20
    quiet[5] = {"people_seen": 22, "people": 17}
    assert notes(groups(*quiet)) == {}


def test_many_blurred_people_are_said_since_others_are_hardly_sharper() -> None:
    def period(blurred: int) -> dict[str, str]:
        return notes(
            groups({"people_seen": 100, "people": 100 - blurred, "rejected": {"blurred": blurred}}, by="total")
        )

    assert "6 of 100 people found were too blurred to judge" in period(6)["faces-blurred"]
    assert period(5) == {}


def test_a_dark_noisy_frozen_or_damaged_period_is_said_without_any_usual() -> None:
    spoilt = {
        "lifted": 14, "frames_unfit": {"faint": 400, "noisy": 100}, "frames_frozen": 200, "frames_damaged": 500,
        "people": 70, "rejected": {"small": 20, "noisy": 10},
    }  # fmt: skip
    found = notes(groups(spoilt, by="total"))
    assert set(found) == {"seeing-poor", "frames-frozen", "frames-damaged", "faces-lifted", "people-unjudged"}
    assert (
        "30 of 100 people found could not be judged (20 too small in the picture, 10 too noisy)"
        in found["people-unjudged"]
    )
    assert "14 of 70 people judged had faces so faint" in found["faces-lifted"]
    assert "too little light or contrast in 40 %, too much noise in 10 % of the frames" in found["seeing-poor"]
    assert "10 found people were not judged for it" in found["seeing-poor"]
    assert (
        "stood still in 20 %" in found["frames-frozen"] and "25 % of the frames were damaged" in found["frames-damaged"]
    )
