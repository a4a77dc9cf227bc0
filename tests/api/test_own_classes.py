"""A task of a user's own classes: from a file of classes to a trained network, a bundle, an index and its report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import felicity as library
from felicity.errors import BundleError
from felicity.imaging.encode import write_image
from felicity.index import Figure, GroupKey, Groups, SoftMatrix, compute_index
from felicity.labels import Classes
from felicity.models.bundle import Bundle, open_bundle, write_bundle
from felicity.recognition.classifier import Classifier
from felicity.store import Store, open_store
from felicity.training.config import make_config
from felicity.training.data import load_training_set
from felicity.windows import Location, PersonObservation, Sums, WindowAccumulator
from tests.support import faces_on_disk as disk
from tests.support import town
from tests.support.command import felicity, felicity_answer
from tests.support.people import faces_clip, photograph

THREE = """
[classes]
happy = ["happy"]
neutral = ["neutral"]
negative = ["sad", "fear", "disgust", "anger"]
"""
MADE_OF = {"happy": ["happy"], "neutral": ["neutral"], "negative": ["sad", "fear", "disgust", "anger"]}
TEXT = "happy, neutral, negative (sad, fear, disgust, anger)"
FIRST_DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Task:
    """Images, the same prepared with classes, a run and its bundle; ``home`` is the user's folder."""

    home: Path
    images: Path
    prepared: Path
    run: Path
    bundle: Path

    def opened(self) -> Bundle:
        return open_bundle(self.bundle)


@pytest.fixture(scope="module")
def three(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Prepare, train and export, by the commands."""
    home = tmp_path_factory.mktemp("three")
    (home / "three.toml").write_text(THREE)
    prepared, run, bundle = home / "prepared", home / "run", home / "bundle"
    felicity("data", "prepare", images, "-o", prepared, "--classes", home / "three.toml", "-j", 1, home=home)
    words = ("--model", "test-tiny", "--epochs", 12, "--batch-size", 16, "--threads", 1, "--learning-rate", 0.02)
    felicity("train", prepared, "-o", run, "--backend", "torch", *words, home=home, backend="torch")
    felicity("bundle", "export", run, "-o", bundle, home=home, backend="torch")
    return Task(home, images, prepared, run, bundle)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty images of each of FER2013's seven classes: a pattern per class under one per image."""
    patterns, others = disk.made_up(7, seed=1), disk.made_up(7 * 60, seed=2)
    mixed = 0.6 * patterns.images[others.codes] + 0.4 * others.images
    faces = disk.Faces(mixed.astype(np.uint8), others.codes, others.folds)
    return disk.write_folders(faces, tmp_path_factory.mktemp("images") / "faces", folds=False)


@pytest.fixture(scope="module")
def no_happy(three: Task) -> Path:
    """The same bundle, had happy and surprise been one class."""
    bundle = three.opened()
    facts = bundle.facts.model_dump(exclude={"format", "weights", "weights_sha256", "training_weights"})
    facts["classes"] = {"bright": ["happy", "surprise"], "neutral": ["neutral"], "upset": ["sad", "anger"]}
    return write_bundle(three.home / "bright", bundle.weights.read_bytes(), facts).folder


def fill(store: Store, task: Task, happy: dict[str, float], days: int = 50) -> None:
    """Write windows of locations with these shares of happy people, drawn from the test set: 24 a day each."""
    bundle = task.opened()
    held = load_training_set(make_config({"data": {"path": str(task.prepared)}}).data)
    answers = Classifier(bundle).probabilities(held.test.images)
    is_happy = held.test.labels == held.classes.index("happy")
    rng = np.random.default_rng(0)
    store.save_model(bundle.id, bundle.soft_matrix, name=bundle.name)
    for location, share in happy.items():
        names = (location, "quay", f"{location}.mp4", FIRST_DAY, bundle.id)
        run, windows = store.begin_run(*names), WindowAccumulator(*names, 60)
        for day in range(days):
            for person, smiles in enumerate(rng.random(24) < share):
                time = FIRST_DAY + timedelta(days=day, minutes=person // 4)
                windows.add_frame(time)
                row = rng.choice(np.flatnonzero(is_happy == smiles))
                windows.add_person(PersonObservation(time, answers[row]))
        store.write_windows(run, windows.flush())
        store.finish_run(run)


def test_classes_travel_from_the_file_to_the_bundle(three: Task) -> None:
    run = json.loads((three.run / "run.json").read_text())
    assert run["classes"] == list(MADE_OF) and run["members"] == {"negative": MADE_OF["negative"]}
    bundle = three.opened()
    assert bundle.classes.to_json() == bundle.facts.model_dump(mode="json")["classes"] == MADE_OF
    assert bundle.soft_matrix.known.tolist() == [True, True, True, False, False, False, False, False]
    told, _ = felicity_answer("bundle", "show", three.bundle, home=three.home)
    assert told["classes"] == MADE_OF
    shown = felicity("bundle", "show", three.bundle, home=three.home).stdout
    assert TEXT in shown and "negative" in shown.split("Answers to held-out faces")[1]
    assert "surprise" not in shown.split("shares in validation")[1].splitlines()[0]


def test_run_and_bundle_are_evaluated_alike_on_images_of_single_expressions(three: Task) -> None:
    own = felicity_answer("evaluate", three.run, home=three.home, backend="torch")[0]["results"][0]
    results = {}
    for model in (three.run, three.bundle):
        words = ("evaluate", model, "--data", three.images, "--split", "all")
        told, notes = felicity_answer(*words, home=three.home, backend="torch")
        (result,) = told["results"]
        said = [note["text"] for note in (*notes, *result["notes"])]
        assert "images labelled sad, fear, disgust, anger count as negative" in said
        assert any("images labelled surprise are left out" in text for text in said)
        results[model] = result["figures"]
    run, bundle = results[three.run], results[three.bundle]
    assert list(run["classes"]) == list(bundle["classes"]) == list(MADE_OF)
    assert run["n"] == bundle["n"] == 360 and own["figures"]["accuracy"] > 0.6
    assert run["accuracy"] == pytest.approx(bundle["accuracy"], abs=0.05)


def test_faces_are_classified_by_class(three: Task, no_happy: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "one.png", photograph())
    words = ("classify", tmp_path / "one.png", "--detector", "hog", "--bundle")
    told = json.loads(felicity(*words, three.bundle, "--json", home=tmp_path).stdout)
    face = told["faces"][0]
    assert list(face["probabilities"]) == list(MADE_OF) and face["expression"] in MADE_OF
    assert sum(face["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert face["happy"] == face["probabilities"]["happy"]
    felicity(*words, three.bundle, "--annotate", tmp_path / "drawn", home=tmp_path)
    assert (tmp_path / "drawn" / "one.png").is_file()
    other = json.loads(felicity(*words, no_happy, "--json", home=tmp_path).stdout)
    assert (
        set(other["faces"][0]["probabilities"]) == {"bright", "neutral", "upset"} and other["faces"][0]["happy"] is None
    )


def test_a_whole_watch_counts_people_by_class(three: Task, tmp_path: Path) -> None:
    clip = faces_clip(tmp_path / "two people.mp4")
    words = ("--location", "Harbour", "--start", FIRST_DAY.isoformat(), "--detector", "hog", "--window", 2)
    summary, _ = felicity_answer("watch", clip, *words, "--bundle", three.bundle, home=tmp_path)
    assert summary["people_seen"] == summary["people"] == 2 and summary["windows"] == 3 and summary["complete"]

    with open_store(tmp_path / "felicity.db") as opened:
        sums = opened.sums(by="total").sums
    counted = np.asarray(sums.hard_counts)[0]
    assert counted.sum() == 2 and counted[3:].sum() == 0, "three columns are in use, and each person is in one"
    likely = np.asarray(sums.prob_sums)[0]
    assert likely[:3].sum() == pytest.approx(2, abs=1e-5) and (likely[3:] == 0).all()

    told, notes = felicity_answer("index", "--k", 1, home=tmp_path)
    said = f"model {three.opened().id} tells {TEXT} apart; there are no figures of other expressions"
    assert [note["text"] for note in notes] == [said]
    (row,) = told["rows"]
    raw = {name: figure["raw"] for name, figure in row["expressions"].items()}
    assert raw == pytest.approx(dict(zip(MADE_OF, 50.0 * counted[:3], strict=True)))
    share = row["happy_share"]
    assert share["raw"] == raw["happy"] and share["low"] <= share["adjusted"] <= share["high"]
    again, _ = felicity_answer("watch", clip, *words, "--bundle", three.bundle, home=tmp_path)
    assert again["people"] == 2
    assert felicity_answer("index", "--k", 1, home=tmp_path)[0]["rows"] == [row], "watched again, nobody counts twice"


def test_without_a_class_of_happy_alone_there_is_no_index(no_happy: Path, tmp_path: Path) -> None:
    bundle = no_happy
    write_image(tmp_path / "one.png", photograph())
    said = (
        r"@\w+: tells bright \(happy, surprise\), neutral, upset \(sad, anger\) apart, and a happy share needs a class"
    )
    store = tmp_path / "town.db"
    with pytest.raises(BundleError, match=said):
        library.watch(tmp_path / "one.png", location="Quay", bundle=bundle, store=store)
    assert not store.exists()
    for words in (("watch", tmp_path / "one.png", "--location", "Quay"), ("classify", tmp_path / "one.png", "--share")):
        done = felicity(*words, "--bundle", bundle, "--detector", "hog", home=tmp_path, expect=None)
        assert done.returncode != 0 and "a happy share needs a class of happy alone" in done.stderr, done.stderr
    with open_store(store, create=True) as opened, pytest.raises(BundleError, match=said):
        opened.save_model(open_bundle(bundle).id, open_bundle(bundle).soft_matrix)


def test_index_trend_city_and_report_name_the_classes(three: Task, tmp_path: Path) -> None:
    store, identity = tmp_path / "felicity.db", three.opened().id
    with open_store(store, create=True) as opened:
        opened.add_locations([Location("Harbour", population=2000), Location("Market", population=1000)])
        fill(opened, three, {"Harbour": 0.6, "Market": 0.3})
    told, notes = felicity_answer("index", home=tmp_path)
    said = f"model {identity} tells {TEXT} apart; there are no figures of other expressions"
    assert [(note["code"], note["text"]) for note in notes] == [("class-merged", said)]
    for row, true in zip(told["rows"], (60, 30), strict=True):
        assert list(row["expressions"]) == list(MADE_OF)
        share, negative = row["happy_share"], row["expressions"]["negative"]
        assert abs(share["adjusted"] - true) < 12 and share["low"] < share["adjusted"] < share["high"]
        assert row["balance"]["adjusted"] == pytest.approx(share["adjusted"] - negative["adjusted"], abs=0.01)
    hidden = felicity_answer("index", "--k", 5000, home=tmp_path)[0]["rows"]
    assert all(row["suppressed"] and list(row["expressions"]) == list(MADE_OF) for row in hidden)
    for command in ("trend", "city"):
        assert said in [note["text"] for note in felicity_answer(command, home=tmp_path)[1]], command
    felicity("report", "-o", tmp_path / "report.html", home=tmp_path)
    assert TEXT in (tmp_path / "report.html").read_text()


def test_models_of_other_classes_are_never_mixed(three: Task, tmp_path: Path) -> None:
    store = tmp_path / "felicity.db"
    town.fill(store, {"Market": lambda day: 0.4, "Harbour": lambda day: 0.4}, 5)
    with open_store(store) as opened:
        fill(opened, three, {"Harbour": 0.6})
    told, notes = felicity_answer("index", home=tmp_path)
    assert [note["code"] for note in notes] == ["model-skipped", "class-merged", "classes-differ"]
    assert "2 models with different classes read these locations: compare their happy shares alone" in notes[2]["text"]
    harbour, market = told["rows"]
    assert len(harbour["expressions"]) == 3 and len(market["expressions"]) == 8


def test_a_class_that_is_unhappy_in_part_has_no_balance(three: Task) -> None:
    classes = Classes.of(["happy", "not happy"], {"not happy": ["neutral", "sad"]})
    p = np.zeros((40, 8))
    labels = np.repeat([1, 0], 20)
    p[np.arange(40), labels] = 0.9
    p[np.arange(40), 1 - labels] = 0.1
    soft = SoftMatrix.from_probabilities(p, labels, classes=classes)
    assert SoftMatrix.from_json(json.loads(json.dumps(soft.to_json()))).classes == classes
    start = FIRST_DAY
    people = WindowAccumulator("Quay", "quay", "quay.mp4", start, "two", 60)
    for row in p:
        people.add_person(PersonObservation(start, row))
    key = GroupKey("Quay", "UTC", "two", 0, 86_400)
    (row,) = compute_index(Groups("total", (key,), Sums.of(people.flush())), lambda *_: soft)
    assert row.happy_share.adjusted == pytest.approx(50, abs=0.1) and set(row.expressions) == {"happy", "not happy"}
    assert row.balance == row.ratio == Figure() and row.expressions["not happy"].raw == 50


def test_a_calibration_takes_faces_labelled_by_expression(three: Task, tmp_path: Path) -> None:
    with open_store(tmp_path / "felicity.db", create=True) as opened:
        opened.add_locations([Location("Harbour")])
        words = ("calibrate", "Harbour", "--labelled", three.images, "--crop", "--bundle", three.bundle)
        told, _ = felicity_answer(*words, home=tmp_path)
        assert told["faces"] == 420 and told["borrowed"] == []
        kept = opened.soft_matrix("Harbour", three.opened().id)
    assert kept is not None and kept.classes == three.opened().classes
    assert kept.counts.tolist() == [60, 60, 240, 60, 0, 0, 0, 0], "surprise, of no class, has a column of its own"
