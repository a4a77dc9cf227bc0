"""Notes on places and periods that differ in how many people had the lower face covered."""

import pytest

from felicity.index.covered import CoveredCount, covered_notes, covered_places, differing, wilson
from felicity.index.happiness import GroupKey, Groups, compute_index
from felicity.models.bundle import open_bundle
from felicity.windows.sums import Sums


def told(*counts: tuple[int, int]) -> list[str]:
    return [note.text for note in differing(CoveredCount(f"place {i}", *one) for i, one in enumerate(counts))]


def groups(*rows: tuple[str, int, int]) -> Groups:
    """Sums of these people judged and covered, by place, a day each."""
    days: dict[str, int] = {}
    keys = []
    for name, *_ in rows:
        start = 86_400 * days.get(name, 0)
        days[name] = days.get(name, 0) + 1
        keys.append(GroupKey(name, "UTC", open_bundle().id, start, start + 86_400))
    judged, covered = ([row[i] for row in rows] for i in (1, 2))
    sums = Sums.of_windows(
        start=[key.start for key in keys],
        seconds=[86_400] * len(rows),
        people_seen=[a + b for a, b in zip(judged, covered, strict=True)],
        people=judged,
        hard_counts=[[people, *[0] * 7] for people in judged],
        prob_sums=[[people, *[0] * 7] for people in judged],
        prob_cross=[[[people, *[0] * 7], *[[0] * 8] * 7] for people in judged],
        rejected=[{"covered": people} if people else {} for people in covered],
    )
    return Groups("day", tuple(keys), sums)


def test_sure_differences_are_told_with_what_they_can_do() -> None:
    (text,) = told((300, 1000), (20, 1000), (100, 1000))
    assert "on 30.0 % of the people (place 0) and on 2.0 % (place 1)" in text
    assert "10 points more or less often" in text and "by 2.8 points" in text


@pytest.mark.parametrize(
    "counts",
    [
        ((5, 10), (0, 10)),  # too few people to be sure
        ((10_500, 1_000_000), (9_000, 1_000_000)),  # sure, and of no weight
        ((30, 1000), (25, 1000)),
        ((0, 1000), (0, 500)),
        ((300, 1000),),
        ((0, 0), (300, 1000)),
    ],
)
def test_chance_trifles_and_single_places_are_not(counts: tuple[tuple[int, int], ...]) -> None:
    assert told(*counts) == []


def test_many_places_alike_hardly_ever_raise_a_note() -> None:
    import numpy as np

    rng = np.random.default_rng(1)
    raised = [bool(told(*((int(rng.binomial(200, 0.2)), 200) for _ in range(20)))) for _ in range(100)]
    assert sum(raised) <= 1


def test_places_and_the_periods_of_a_place_are_compared() -> None:
    found = groups(("Park", 900, 100), ("Park", 500, 500), ("Square", 700, 300), ("Square", 700, 300))
    soft = open_bundle().soft_matrix
    notes = covered_notes(compute_index(found, lambda *_: soft))
    assert [(note.code, note.location) for note in notes] == [("covered-differs", "Park")]
    assert "Park: " in notes[0].text and "(1970-01-02) and on" in notes[0].text and "(1970-01-01)" in notes[0].text
    assert covered_places(found.__class__("total", found.keys[1:3], found.sums.take([1, 2])))[0].location is None


def test_the_interval_of_a_share_is_wilsons() -> None:
    import numpy as np

    low, high = wilson(np.array([10]), np.array([100]), 1.959964)
    assert (low[0], high[0]) == pytest.approx((0.0552, 0.1744), abs=1e-4)
