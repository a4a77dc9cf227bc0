"""The simulated city: its people are what they are said to be, and the index finds the truth again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from felicity.cli.simulations import show_check
from felicity.errors import ConfigError, DatasetError
from felicity.index import SoftMatrix
from felicity.models.bundle import open_bundle
from felicity.schemas.envelope import document
from felicity.simulation import null_series
from felicity.simulation.check import COVERAGE, FALSE_ALARMS, HIGHEST, LOWEST, SIZES, chance_error, check, luck
from felicity.simulation.days import CORRELATION, daily_index, draw_people, estimated_share, simulated_days, sums_by_day
from felicity.simulation.labelled import AnsweredFaces, read_labelled
from felicity.simulation.null_series import MEMORY, SPREAD, daily_shares, rates_of_tests
from felicity.simulation.people import AnswerModel
from felicity.simulation.town import SimulatedLocation, read_places, simulate_days, write_town
from felicity.store import open_store
from felicity.windows import Location, PersonObservation, Sums, WindowAccumulator
from tests.support import windows as people
from tests.support.command import felicity, felicity_answer

START = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def faces() -> AnsweredFaces:
    labels = np.repeat(np.arange(8), people.VALIDATION)
    return AnsweredFaces(labels, people.answers(np.random.default_rng(1), labels))


@pytest.fixture(scope="module")
def soft() -> SoftMatrix:
    return people.soft_matrix(np.random.default_rng(2))


def test_sums_of_days_are_those_of_the_accumulator(faces: AnsweredFaces) -> None:
    drawn = draw_people(np.array([0.2, 0.7]), 40, faces, np.random.default_rng(3), correlated=True)
    fast = sums_by_day(drawn, 2)

    for day in range(2):
        windows = WindowAccumulator("place", "camera", "source", START, "model")
        for row in range(40 * day, 40 * (day + 1)):
            time = START + timedelta(minutes=int(drawn.window[row]))
            windows.add_person(PersonObservation(time, drawn.probabilities[row]))
        slow = Sums.of(windows.flush()).total()
        names = ("windows", "blocks", "people_seen", "people", "hard_counts", "prob_sums", "prob_cross", "block_cross")
        for name in (*names, "frames_seen", "seconds_covered", "first", "last"):
            np.testing.assert_allclose(getattr(fast, name)[day], getattr(slow, name)[0], atol=1e-9)


def test_the_short_way_to_a_happy_share_gives_what_the_index_gives(faces: AnsweredFaces, soft: SoftMatrix) -> None:
    days = simulated_days(np.linspace(0.1, 0.9, 7), 50, faces, np.random.default_rng(9), correlated=True)
    shares = [row.happy_share for row in daily_index(days, soft)]
    np.testing.assert_allclose(estimated_share(days, soft).T, [(s.adjusted, s.low, s.high) for s in shares], atol=1e-4)


def test_a_soft_matrix_measured_anew_scatters_as_its_counts_say(faces: AnsweredFaces) -> None:
    rng = np.random.default_rng(10)
    exact = SoftMatrix.from_probabilities(faces.probabilities, faces.labels)
    drawn = np.array([faces.resampled_matrix(np.full(8, 50), rng).matrix for _ in range(600)])
    np.testing.assert_allclose(drawn.mean(axis=0), exact.matrix, atol=0.01)
    expected = np.sqrt(np.diagonal(exact.cross, axis1=1, axis2=2).T - exact.matrix**2) / np.sqrt(50)
    np.testing.assert_allclose(drawn.std(axis=0), expected, rtol=0.15, atol=0.002)
    assert faces.resampled_matrix(np.array([5, 5, 0, 0, 0, 0, 0, 0]), rng).known.tolist() == [True] * 2 + [False] * 6


@pytest.mark.parametrize("correlated", [False, True])
def test_people_have_the_share_and_the_correlation_that_is_stated(faces: AnsweredFaces, correlated: bool) -> None:
    drawn = draw_people(np.full(40, 0.3), 2000, faces, np.random.default_rng(4), correlated=correlated)
    happy = (drawn.labels == 1).astype(float)
    pairs = drawn.window[:-1] == drawn.window[1:]

    assert happy.mean() == pytest.approx(0.3, abs=0.01)
    found = np.corrcoef(happy[:-1][pairs], happy[1:][pairs])[0, 1]
    assert found == pytest.approx(CORRELATION if correlated else 0, abs=0.02)
    others = np.bincount(drawn.labels[drawn.labels != 1], minlength=8) / (drawn.labels != 1).sum()
    np.testing.assert_allclose(others, faces.others, atol=0.01)


def test_series_have_the_memory_that_is_stated() -> None:
    shares = daily_shares(3000, 84, np.random.default_rng(5))
    weekdays = shares[:, [0, 1]]
    noise = weekdays - weekdays.mean(axis=0)

    level = np.var(np.random.default_rng(6).uniform(0.25, 0.6, 100_000))
    assert noise.var() == pytest.approx(level + SPREAD**2, rel=0.06)
    steps = shares[:, 1] - shares[:, 0]
    assert steps.var() == pytest.approx(2 * SPREAD**2 * (1 - MEMORY), rel=0.1)


def test_the_adjusted_share_is_found_and_counting_is_not(
    faces: AnsweredFaces, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = SoftMatrix.from_probabilities(faces.probabilities, faces.labels)
    verdict = check(faces, exact, "made-up", location_days=120, series=0, seed=1, layouts=((1, 10),))

    assert [a.people for a in verdict.accuracy] == [*SIZES, *SIZES, 10, 10]
    of = {(a.people, a.correlated): a for a in verdict.accuracy}
    # How much worse counting is depends on the classifier; a ratio is promised of the shipped one, below.
    assert of[2000, False].adjusted < 1.5
    assert of[2000, False].adjusted < of[2000, False].counted
    assert abs(of[2000, False].bias) < 0.3
    # 120 days tell a coverage to within 4 points, two standard errors.
    assert all(COVERAGE[0] - chance_error(95, 120) <= a.coverage for a in verdict.accuracy if a.people != 10)
    minute = np.mean([a.coverage for a in verdict.accuracy if a.people == 10])  # whether alike or not cannot be told
    assert COVERAGE[0] - chance_error(95, 240) <= minute <= COVERAGE[1] + chance_error(95, 240)
    promised = [target.what for target in verdict.targets]
    assert "coverage, 10 people in 1 minute, correlated or not" in promised
    assert "coverage, 10 people in 1 minute" not in promised, "a single minute cannot tell"
    assert of[200, True].width > 1.2 * of[200, False].width
    assert verdict.ok == all(t.low <= t.measured <= t.high for t in verdict.targets)
    assert document("simulate-check", verdict)["data"]["ok"] == verdict.ok
    show_check(verdict)
    shown = capsys.readouterr().out
    assert "promised" in shown and all(target.what in shown for target in verdict.targets)


def test_luck_is_the_error_of_a_classifier_without_errors(faces: AnsweredFaces) -> None:
    rng = np.random.default_rng(12)
    share = rng.uniform(LOWEST, HIGHEST, 20_000)
    for number in (200, 2000):
        found = 100 * np.abs(rng.binomial(number, share) / number - share).mean()
        assert luck(number) == pytest.approx(found, rel=0.02)
    right = AnsweredFaces(faces.labels, np.eye(8)[faces.labels])
    exact = SoftMatrix.from_probabilities(right.probabilities, right.labels)
    verdict = check(right, exact, "made-up", location_days=400, series=0, sizes=(2000,), layouts=())
    assert verdict.accuracy[0].counted == pytest.approx(luck(2000), rel=0.1), "so no ratio of whole errors can be small"


def test_a_wrong_matrix_is_noticed(faces: AnsweredFaces) -> None:
    """The check must be able to fail: a classifier thought perfect counts as before."""
    perfect = np.eye(8)
    blind = SoftMatrix.from_probabilities(np.repeat(perfect, 100, axis=0), np.repeat(np.arange(8), 100))
    verdict = check(faces, blind, "made-up", location_days=60, series=0, sizes=(2000,), layouts=())

    assert not verdict.ok
    assert verdict.accuracy[0].coverage_as_shipped < 50


def test_the_tests_over_time_find_what_is_there_and_little_else(faces: AnsweredFaces, soft: SoftMatrix) -> None:
    rates = rates_of_tests(faces, soft, 60, np.random.default_rng(11))

    assert [one.test for one in rates] == ["trend", "effect", "effect beside others"]
    for one in rates:
        assert one.series == 60
        assert one.false_alarms <= FALSE_ALARMS[1] + chance_error(5, 60)
        assert one.power > one.false_alarms + 20
        assert one.coverage >= 85
        assert "points" in one.effect


def test_a_large_change_is_found_nearly_always(
    faces: AnsweredFaces, soft: SoftMatrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(null_series, "SLOPE", 20.0)
    monkeypatch.setattr(null_series, "STEP", 40.0)
    rates = rates_of_tests(faces, soft, 25, np.random.default_rng(12))
    assert all(one.power >= 88 for one in rates)


def test_what_cannot_be_simulated_is_refused(faces: AnsweredFaces, soft: SoftMatrix, tmp_path: Path) -> None:
    for days in (10, 1_000_000):
        with pytest.raises(ConfigError, match=r"takes 50 to 100,000 location-days, not 1"):
            check(faces, soft, "made-up", location_days=days)
    with pytest.raises(ConfigError, match="50 to 100,000 series, or none, not 3"):
        check(faces, soft, "made-up", series=3)
    with pytest.raises(DatasetError, match="one kind only"):
        AnsweredFaces(np.ones(3, dtype=np.int64), np.full((3, 8), 1 / 8))
    file = tmp_path / "places.toml"
    file.write_text('[[place]]\nname = "Park"\nhappy = 1.5\n')
    with pytest.raises(ConfigError, match="happy"):
        read_places(file)
    file.write_text('[[place]]\nname = "Park"\nhappy = 0.5\nmood = 1\n')
    with pytest.raises(ConfigError, match="mood"):
        read_places(file)


def test_a_city_in_a_store_beside_its_truth(tmp_path: Path) -> None:
    file = tmp_path / "places.toml"
    file.write_text(
        '[[place]]\nname = "Park"\nhappy = 0.5\npeople_per_hour = 60\nevening = 0.1\n'
        '[[place]]\nname = "Lane"\nhappy = 0.2\npeople_per_hour = 60\n'
    )
    city = tmp_path / "city.db"
    rows, _ = felicity_answer(
        "simulate", "--store", city, "--places", file, "--days", 6, "--effect", "2026-05-07=20", home=tmp_path
    )

    assert [row["location"] for row in rows] == ["Lane (simulated)", "Park (simulated)"]
    for row in rows:
        assert row["happy_share"]["low"] <= row["truth"] <= row["happy_share"]["high"]
    days, _ = felicity_answer("index", "--store", city, "--by", "day", "--location", "Park (simulated)", home=tmp_path)
    shares = [row["happy_share"]["adjusted"] for row in days["rows"]]
    assert np.mean(shares[3:5]) - np.mean(shares[:3]) == pytest.approx(20, abs=8)


def test_a_city_simulated_again_is_of_other_people_by_name_and_keeps_what_is_known_of_its_places(
    tmp_path: Path,
) -> None:
    """Names that begin alike are different people, and the others are drawn as ever."""
    places = [
        SimulatedLocation(f"{name} (simulated)", 0.5, 0.0, 5, 0.0, 0.0)
        for name in ("Riverside Park", "Riverside", "Market")
    ]
    bundle = open_bundle()
    soft = bundle.soft_matrix
    answers = AnswerModel(soft.matrix, soft.cross)
    area = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]]}
    known = [
        Location(places[0].name, "Europe/Paris", area, population=7.0),
        Location(places[2].name, geometry={"type": "Point", "coordinates": [1.0, 1.0]}),
    ]
    with open_store(str(tmp_path / "c.db")) as store:
        store.add_locations(known)
        park, riverside, market = write_town(store, bundle, answers, START, 2, places=places)
        kept = store.location(places[0].name), store.location(places[2].name)
    assert kept == (known[0], replace(known[1], geometry={"type": "Point", "coordinates": [0.0, 0.0]}))
    assert (park.happy, park.people) != (riverside.happy, riverside.people)
    alone = list(simulate_days(places[2], START, 2, answers, bundle.id, 1))
    assert [(time, share) for time, share, *_ in alone] == list(market.days)


def test_a_city_is_not_written_among_the_users_own_windows(tmp_path: Path) -> None:
    assert "--store" in felicity("simulate", home=tmp_path, expect=1).stderr
    told = felicity("simulate", "--store", tmp_path / "c.db", "--effect", "2030-01-01=5", home=tmp_path, expect=1)
    assert "name a day between" in told.stderr
    assert "--faces" in felicity("simulate", "--check", home=tmp_path, expect=1).stderr
    assert "--faces" in felicity("simulate", "--video", home=tmp_path, expect=1).stderr


def write_csv(path: Path, rows: list[tuple[int, int, str]]) -> Path:
    """FER2013's form: expression, a number that makes the picture, fold."""
    lines = [
        f"{label},{' '.join(str((number * 7 + i) % 256) for i in range(2304))},{fold}" for label, number, fold in rows
    ]
    path.write_text("emotion,pixels,Usage\n" + "\n".join(lines) + "\n")
    return path


def test_faces_are_those_that_the_weights_never_saw(tmp_path: Path) -> None:
    rows = [(3, 1, "Training"), (4, 2, "Training"), (3, 1, "PublicTest"), (3, 3, "PublicTest"), (6, 4, "PublicTest")]
    found = read_labelled(write_csv(tmp_path / "fer2013.csv", rows))
    assert (len(found.samples), found.copies, found.fold, found.voted) == (2, 1, "PublicTest", False)
    assert len(read_labelled(tmp_path / "fer2013.csv", "Training").samples) == 2


def test_faces_that_cannot_be_used_are_refused_in_one_sentence(tmp_path: Path) -> None:
    def told(path: Path, *more: object) -> str:
        return felicity("simulate", "--check", "--faces", path, *more, home=tmp_path, expect=1).stderr

    assert "missing.csv" in told(tmp_path / "missing.csv")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert "is not one of the formats" in told(tmp_path / "notes.csv")
    trained = write_csv(tmp_path / "trained.csv", [(3, 1, "Training"), (4, 2, "Training")])
    assert "has no fold PublicTest; it has Training" in told(trained)
    assert "has no fold Tuesday; it has Training" in told(trained, "--fold", "Tuesday")
    doubled = write_csv(tmp_path / "doubled.csv", [(3, 1, "Training"), (3, 1, "PublicTest")])
    assert "the weights have seen them all" in told(doubled)
    happy = write_csv(tmp_path / "happy.csv", [(3, 1, "Training"), (3, 2, "PublicTest")])
    assert "one kind only" in told(happy)
    few = write_csv(tmp_path / "few.csv", [(3, 2, "PublicTest"), (4, 5, "PublicTest")])
    assert "there is no face labelled" in told(few)
    assert "50 to 100,000 location-days" in told(few, "--location-days", 10_000_000)
    assert "a chart is written as" in told(few, "--chart", tmp_path / "chart.doc")
    assert "ask for one of them" in told(few, "--video")


@pytest.mark.shared_data
def test_the_shipped_bundle_on_faces_it_never_saw(shared: Path, tmp_path: Path) -> None:
    """Smaller than the full check: the bounds give way by what chance does to so few draws, two standard errors."""
    days, series = 800, 200
    chart = tmp_path / "check.png"
    done = felicity(
        "simulate", "--check", "--faces", shared / "data" / "fer2013" / "fer2013.csv.gz", "--location-days", days,
        "--series", series, "--chart", chart, "--json", home=tmp_path, expect=None,
    )  # fmt: skip
    (line,) = done.stdout.splitlines()
    verdict = json.loads(line)["data"]

    assert "264 faces that are also in Training" in done.stderr
    assert chart.stat().st_size > 20_000
    assert done.returncode == (0 if verdict["ok"] else 1)
    assert verdict["ok"] == all(target["ok"] for target in verdict["targets"])
    pooled = sum(row["minutes"] is not None and row["minutes"] < 20 for row in verdict["accuracy"]) // 2
    assert len(verdict["targets"]) == 3 + len(verdict["accuracy"]) - pooled + len(verdict["tests"]) == 18
    for target in verdict["targets"]:
        chance = target["chance"] or 0.0
        assert target["low"] - chance <= target["measured"] <= target["high"] + chance, target
