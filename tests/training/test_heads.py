"""One network for two conventions of labels: trained, taught by another, exported, evaluated; as users do it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity.errors import BundleError, ConfigError, DatasetError
from felicity.labels import EXPRESSIONS, INDEX
from felicity.metrics.temperature import softmax
from felicity.models.bundle import open_bundle, write_bundle
from felicity.models.prior import prior_shift, towards_even
from felicity.recognition.classifier import Classifier
from felicity.training.config import make_config
from felicity.training.data import load_training_set
from felicity.training.engines import open_engine
from felicity.training.feed import normalise
from felicity.training.fit import fit, make_feed, measure
from felicity.training.labelled_images import one_hot
from felicity.training.run import open_run
from felicity.training.teachers import Teachers
from tests.support import faces_on_disk as disk
from tests.support.command import felicity, felicity_answer, felicity_json
from tests.support.keras_here import keras_here

FERPLUS_OF = np.array([4, 5, 6, 1, 3, 2, 0])  # FER2013's codes to FER+'s columns
CONTEMPT = 7  # FER+'s column
SETTINGS = """\
epochs = 4
batch_size = 16
learning_rate = 0.02
optimizer = "sgd"
augment = "camera"
soft_labels = true
label_smoothing = 0.1
backend = "torch"
threads = 1

[model]
name = "test-tiny"
width = 16

[data]
second = "FER2013"
validation_share = 0.3
"""


@pytest.fixture(scope="module")
def faces() -> disk.Faces:
    return disk.made_up(280)


@pytest.fixture(scope="module")
def data(faces: disk.Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FER2013 beside FER+, which calls every other neutral face contemptuous and all others what FER2013 does."""
    votes = np.zeros((len(faces.codes), 10), dtype=np.int64)
    votes[np.arange(len(votes)), FERPLUS_OF[faces.codes]] = 7
    votes[:, 0] += 3
    doubted = np.flatnonzero(faces.codes == 6)[::2]
    votes[doubted], votes[doubted, CONTEMPT] = 0, 10
    folder = tmp_path_factory.mktemp("fer2013")
    disk.write_csv(faces, folder / "fer2013.csv")
    disk.write_ferplus(votes, faces.folds, folder / "fer2013new.csv")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("settings") / "heads.toml"
    file.write_text(SETTINGS)
    return file


@pytest.fixture(scope="module")
def run(data: Path, settings: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "teacher"
    felicity("train", data, "--config", settings, "-o", folder, home=home)
    return folder


@pytest.fixture(scope="module")
def bundles(run: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The run in each precision; answers are made for equal shares in the second."""
    folder = tmp_path_factory.mktemp("bundles") / "all"
    card = folder.parent / "card.toml"
    card.write_text('"intended use" = "tests"\n')
    for precision, evenness in (("float32", 0), ("float16", 1), ("int8", 0.5)):
        words = ["--precision", precision, "--evenness", evenness, "--card", card]
        felicity("bundle", "export", run, "-o", folder / precision, *words, home=home)
    return {place.name: place for place in folder.iterdir()}


@pytest.fixture(scope="module", autouse=True)
def _same_home(home: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(home))
        yield


def test_a_run_says_what_each_head_knows(run: Path, data: Path) -> None:
    said = json.loads((run / "run.json").read_text())
    assert said["classes"] == [str(e) for e in EXPRESSIONS]
    assert said["second_classes"] == [str(e) for e in EXPRESSIONS if e != "contempt"]
    held = load_training_set(make_config({"data": said["config"]["data"]}).data, soft=True)
    assert held.heads == (8, 7)
    assert held.train.second is not None
    pairs = zip(held.train.labels, held.train.second, strict=True)
    agrees = np.array([held.classes[i] == held.second_classes[j] for i, j in pairs])
    assert 0.85 < agrees.mean() < 1


def test_a_bundle_answers_by_both_heads(bundles: dict[str, Path], run: Path, faces: disk.Faces) -> None:
    whole = open_bundle(bundles["float32"])
    second = whole.facts.second
    assert second is not None and second.labels_of == "FER2013" and second.prior[INDEX[EXPRESSIONS[7]]] == 0
    classifier = Classifier(whole)
    first, other = classifier.probabilities(faces.images), classifier.second_probabilities(faces.images)
    for p in (first, other):
        np.testing.assert_allclose(p.sum(1), 1)
    assert other[:, 7].max() == 0 < first[:, 7].max()
    assert whole.facts.training is not None and whole.facts.training["largest_difference"] < 1e-5


def test_answers_in_use_are_those_of_training_for_other_shares(bundles: dict[str, Path], faces: disk.Faces) -> None:
    bundle = open_bundle(bundles["float16"])
    facts = bundle.facts
    assert facts.answer_prior == pytest.approx([1 / 8] * 8, abs=1e-6) and bundle.assumed_prior == facts.answer_prior
    natural, in_use = (Classifier(bundle, shares=s).probabilities(faces.images) for s in ("natural", "in-use"))
    wanted = natural / np.array(facts.prior)
    np.testing.assert_allclose(in_use, wanted / wanted.sum(1, keepdims=True), rtol=1e-9)
    rare = np.array(facts.prior) < 1 / 8
    assert (in_use[:, rare].sum(1) > natural[:, rare].sum(1)).all()
    assert set(facts.metrics) == {"validation", "test", "validation_in_use", "test_in_use"}


def test_answers_for_equal_shares_are_the_mean_of_both_heads(bundles: dict[str, Path], faces: disk.Faces) -> None:
    bundle = open_bundle(bundles["int8"])
    assert bundle.facts.second is not None
    natural = Classifier(bundle, shares="natural")
    first = natural.probabilities(faces.images) / np.array(bundle.facts.prior)
    first /= first.sum(1, keepdims=True)
    second = natural.second_probabilities(faces.images)[:, :7] / np.array(bundle.facts.second.prior[:7])
    second *= (1 - first[:, 7:]) / second.sum(1, keepdims=True)
    p = Classifier(bundle, shares="equal").probabilities(faces.images)
    np.testing.assert_allclose(p[:, :7], (first[:, :7] + second) / 2, rtol=1e-6)
    np.testing.assert_allclose(p[:, 7], first[:, 7], rtol=1e-6)
    assert Classifier(bundle, shares="equal").probabilities(faces.images[:0]).shape == (0, 8)


def test_shares_are_chosen_where_faces_are_classified_and_measured(
    bundles: dict[str, Path], run: Path, data: Path, faces: disk.Faces, home: Path, tmp_path: Path
) -> None:
    disk.write_png(faces.images[0], tmp_path / "one.png")
    words = ("classify", tmp_path / "one.png", "--crop", "--bundle", bundles["int8"])
    said = {}
    for shares in ("natural", "in-use", "equal"):
        row = felicity_json(*words, "--shares", shares, home=home)[0]
        said[shares] = list(row["faces"][0]["probabilities"].values())
        p = Classifier.open(bundles["int8"], shares=shares).probabilities(faces.images[:1])[0]
        np.testing.assert_allclose(said[shares], p, atol=1e-4)
    assert said["natural"] != said["in-use"] != said["equal"]
    assert list(felicity_json(*words, home=home)[0]["faces"][0]["probabilities"].values()) == said["in-use"]
    for more, text in (
        (("--shares", "even"), "shares must be natural, in-use, equal, not 'even'"),
        (("--shares", "equal", "--share"), "--share takes answers as they are in use, not --shares equal"),
    ):
        assert text in felicity(*words, *more, home=home, expect=1).stderr
    measure = ("evaluate", bundles["int8"], "--data", data, "--split", "PublicTest", "--shares", "equal")
    found = felicity_answer(*measure, home=home)[0]
    assert [each["labels"] for each in found["results"]] == ["FER+ majority", "FER2013's own labels"]
    assert found["results"][0]["notes"][0]["text"].startswith("answered by the mean of both heads, for equal shares")
    refused = felicity("evaluate", run, "--shares", "equal", home=home, expect=1).stderr
    assert "--shares is for bundles" in refused


def test_lower_precision_is_smaller_and_nearly_the_same(bundles: dict[str, Path], faces: disk.Faces) -> None:
    sizes = {name: (folder / "model.onnx").stat().st_size for name, folder in bundles.items()}
    assert sizes["float16"] < 0.75 * sizes["float32"]
    whole, half, eight = (Classifier(open_bundle(bundles[n]), shares="natural") for n in ("float32", "float16", "int8"))
    exact = whole.probabilities(faces.images)
    assert np.abs(half.probabilities(faces.images) - exact).max() < 0.02
    assert (eight.probabilities(faces.images).argmax(1) == exact.argmax(1)).mean() > 0.9
    rounding = {name: (open_bundle(folder).facts.training or {})["rounding"] for name, folder in bundles.items()}
    assert rounding["float32"] == 0 < rounding["float16"] < rounding["int8"] < 1


def test_a_bundle_shows_its_card_and_both_heads(bundles: dict[str, Path], home: Path) -> None:
    table = felicity("bundle", "show", bundles["float16"], home=home).stdout
    for said in ("intended use", "tests", "answers are made for", "validation, FER2013", "validation, as in use"):
        assert said in table
    (answer,) = felicity_json("bundle", "show", bundles["float16"], home=home)
    told = answer["data"]["facts"]
    assert told["card"] == {"intended use": "tests"} and told["second"]["labels_of"] == "FER2013"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--evenness", "2"], "evenness"),
        (["--precision", "int4"], "precision must be float32, float16, int8, not 'int4'"),
        (["--card", "none.toml"], "cannot be read as a TOML configuration"),
    ],
)
def test_a_wrong_export_is_refused(words: list[str], said: str, run: Path, home: Path, tmp_path: Path) -> None:
    done = felicity("bundle", "export", run, "-o", tmp_path / "out", *words, home=home, expect=None)
    assert done.returncode != 0 and said in done.stderr
    assert not (tmp_path / "out").exists()


def test_evaluation_asks_the_head_that_knows_the_labels(bundles: dict[str, Path], data: Path, home: Path) -> None:
    told, _ = felicity_answer("evaluate", bundles["float16"], "--data", data, "--split", "PublicTest", home=home)
    by_labels = {each["labels"]: each for each in told["results"]}
    said = {labels: " ".join(note["text"] for note in each["notes"]) for labels, each in by_labels.items()}
    even = "FER2013's own labels, answers for equal shares"
    assert set(by_labels) == {"FER+ majority", "FER2013's own labels", "FER+ majority, answers as in use", even}
    assert "second head" in said[even] and "14.3 % anger" in said[even] and "contempt" not in said[even]
    assert "second head" in said["FER2013's own labels"]
    assert "12.5 % contempt" in said["FER+ majority, answers as in use"]
    sizes = {labels: len(each["figures"]["confusion"]) for labels, each in by_labels.items()}
    assert sizes["FER+ majority"] == 8 > sizes["FER2013's own labels"]


def test_a_run_is_evaluated_by_both_heads(run: Path, home: Path) -> None:
    told, _ = felicity_answer("evaluate", run, home=home)
    assert [each["labels"] for each in told["results"]] == ["FER+ majority", "FER2013's own labels"]


def test_a_run_on_prepared_data_is_evaluated_by_both_heads(
    data: Path, settings: Path, home: Path, tmp_path: Path
) -> None:
    felicity("data", "prepare", data, "-o", tmp_path / "ready", "--validation-share", "0.3", "-j", 1, home=home)
    words = ("--config", settings, "--epochs", 1, "-o", tmp_path / "run")
    felicity("train", tmp_path / "ready", *words, home=home)
    told, _ = felicity_answer("evaluate", tmp_path / "run", home=home)
    first, other = told["results"]
    assert other["labels"] == "labels of FER2013, as prepared" and other["figures"]["n"] == first["figures"]["n"]
    assert "second head" in other["notes"][0]["text"] and "contempt" not in other["figures"]["classes"]


def test_the_validation_loss_is_that_of_both_heads(run: Path) -> None:
    of = open_run(run)
    held = load_training_set(of.config.data, soft=True)
    here = {"backend": keras_here(), "precision": "float32"}
    once, twice = (
        open_engine(make_config(of.config.model_dump(), here, {"second_weight": weight}), held.heads)
        for weight in (1.0, 2.0)
    )
    for engine in (once, twice):
        engine.set_weights(of.weights())
    part = held.validation
    alone, of_one = measure(once, replace(part, second=None), held)
    both, of_both = measure(twice, part, held)
    assert of_one == of_both and part.second is not None
    logits = once.predict(normalise(part.images, held.mean, held.std))[:, len(held.classes) :]
    asked = np.flatnonzero((part.labels >= 0) & (part.second >= 0))
    said = softmax(logits)[asked, part.second[asked]]
    assert both == pytest.approx(alone - 2 * np.log(said).mean(), rel=1e-6)
    kept = min(of.history, key=lambda row: float(row["val_loss"]))
    assert kept["val_loss"] == pytest.approx(measure(once, part, held)[0], rel=1e-4)


def test_teachers_are_a_part_of_the_targets(bundles: dict[str, Path], data: Path, settings: Path, home: Path) -> None:
    from felicity.training.config import read_toml

    teachers = [str(bundles["float32"]), str(bundles["float16"])]
    own = make_config(read_toml(settings), {"data": {"path": str(data)}, "second_weight": 2.0})
    taught = make_config(own.model_dump(), {"teachers": teachers, "teacher_share": 0.75})
    held = load_training_set(own.data, soft=True)
    alone, together = (next(iter(make_feed(config, held).epoch(3))) for config in (own, taught))
    np.testing.assert_array_equal(alone.faces, together.faces)
    np.testing.assert_allclose(together.targets[:, :8].sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(together.targets[:, 8:].sum(1), 2, rtol=1e-5)
    said = (together.targets - 0.25 * alone.targets) / 0.75
    assert said.min() > -1e-6
    pixels = np.round((alone.faces[..., 0] * held.std + held.mean) * 255).astype(np.uint8)
    expected = Teachers(teachers, held)(pixels)
    np.testing.assert_allclose(said[:, :8], expected[:, :8], atol=1e-5)
    np.testing.assert_allclose(said[:, 8:], 2 * expected[:, 8:], atol=1e-5)


def test_views_are_asked_about_once_with_their_mirror_images(
    bundles: dict[str, Path], data: Path, settings: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs take the views in turns; what teachers say holds for an image and its mirror image alike."""
    from felicity.training.config import read_toml

    layers = read_toml(settings), {"data": {"path": str(data)}, "teachers": [str(bundles["float32"])], "views": 2}
    config = make_config(*layers, {"teacher_share": 1.0})
    held = load_training_set(config.data, soft=True)
    feed = make_feed(config, held)
    epochs = [list(feed.epoch(number)) for number in range(5)]
    seen: list[dict[bytes, np.ndarray]] = [{}, {}]
    for number, batches in enumerate(epochs):
        for face, target in ((f, t) for batch in batches for f, t in zip(batch.faces, batch.targets, strict=True)):
            either = min(face.tobytes(), face[:, ::-1].tobytes())
            np.testing.assert_array_equal(seen[number % 2].setdefault(either, target), target)
    assert all(len(view) <= len(held.train) for view in seen) and not set(seen[0]) & set(seen[1])
    assert len(seen[0]) > 0.9 * len(held.train), "an epoch leaves out less than a batch"
    first = epochs[0][0]
    pixels = np.round((first.faces[..., 0] * held.std + held.mean) * 255).astype(np.uint8)
    asked = Teachers(config.teachers, held)
    np.testing.assert_allclose(first.targets, (asked(pixels) + asked(pixels[:, :, ::-1])) / 2, atol=1e-5)
    resumed = next(iter(make_feed(config, held).epoch(4, first=3)))
    np.testing.assert_array_equal(resumed.faces, epochs[4][3].faces)
    np.testing.assert_array_equal(resumed.targets, epochs[4][3].targets)
    upright = make_feed(make_config(config.model_dump(), {"augmentation": {"flip": 0.0}}), held)
    some = upright.batch(np.arange(16), 0, 0), upright.batch(np.arange(16), 2, 0)
    np.testing.assert_array_equal(some[0].faces, some[1].faces)
    with pytest.raises(ConfigError, match="views is for augmented images"):
        make_config(*layers, {"augment": "none"})
    monkeypatch.setattr("felicity.training.feed.available_memory", lambda: 3_000_000)
    many = make_config(config.model_dump(), {"views": 500, "epochs": 400})
    with pytest.raises(ConfigError, match=r"^400 views of .* GB of memory, but 0\.0 GB are available; choose up to "):
        fit(many, held, tmp_path / "many")
    assert not (tmp_path / "many").exists()


def test_images_are_blended_with_others_and_so_are_targets(
    bundles: dict[str, Path], data: Path, settings: Path, home: Path
) -> None:
    """Faces and labels are shares of two of the batch, teachers are asked about what results; views keep all of it."""
    from felicity.training.config import read_toml

    layers = read_toml(settings), {"data": {"path": str(data)}, "augment": "geometry"}
    still = dict.fromkeys(("shift", "zoom", "stretch", "turn", "flip", "contrast", "brightness"), 0.0)
    plain = make_config(*layers, {"augmentation": still})
    some, every = (make_config(plain.model_dump(), {"mix": share}) for share in (0.5, 1.0))
    held = load_training_set(plain.data, soft=True)
    order = np.arange(16)
    bare, half, full = (make_feed(config, held).batch(order, 2, 0) for config in (plain, some, every))
    grey = 1 / 255 / held.std
    shares = []
    for batch in (half, full):
        for face, target, own, label in zip(batch.faces, batch.targets, bare.faces, bare.targets, strict=True):
            fits = []
            for other, its in zip(bare.faces, bare.targets, strict=True):
                apart = float(((other - own) ** 2).sum())
                weight = 1 - float(((face - own) * (other - own)).sum()) / apart if apart else 1.0
                blended = weight * own + (1 - weight) * other, weight * label + (1 - weight) * its
                fits.append((float(np.abs(blended[0] - face).max()), weight, np.abs(blended[1] - target).max()))
            off, weight, wrong = min(fits)
            assert off < 0.75 * grey and wrong < 0.02 and 0.48 < weight < 1.02
            shares.append(weight)
    untouched = [sum(weight > 0.999 for weight in part) for part in (shares[:16], shares[16:])]
    assert 3 <= untouched[0] <= 13 and untouched[1] <= 3
    assert 0.6 < np.mean(shares[16:]) < 0.9

    taught = make_config(every.model_dump(), {"teachers": [str(bundles["float32"])], "teacher_share": 1.0})
    first = make_feed(taught, held).batch(order, 2, 0)
    pixels = np.round((full.faces[..., 0] * held.std + held.mean) * 255).astype(np.uint8)
    np.testing.assert_array_equal(first.faces, full.faces)
    np.testing.assert_allclose(first.targets, Teachers(taught.teachers, held)(pixels), atol=1e-5)
    kept = make_feed(make_config(taught.model_dump(), {"views": 2}), held)
    once, again, other = (kept.batch(order, epoch, 0) for epoch in (0, 2, 1))
    np.testing.assert_array_equal(once.faces, again.faces)
    assert not np.array_equal(once.faces, other.faces) and not np.array_equal(once.faces, bare.faces)
    with pytest.raises(ConfigError, match="mix"):
        make_config(plain.model_dump(), {"mix": 1.5})


def test_a_student_is_trained_and_resumed(
    bundles: dict[str, Path], data: Path, settings: Path, home: Path, tmp_path: Path
) -> None:
    words = ["train", data, "--config", settings, "-o", tmp_path / "student", "--teachers", bundles["float32"]]
    felicity(*words, "--epochs", 1, home=home)
    said = json.loads((tmp_path / "student" / "run.json").read_text())
    assert said["teachers"] == [open_bundle(bundles["float32"]).id]
    refused = felicity(*words, "--epochs", 1, "--teachers", bundles["float16"], "--resume", home=home, expect=1)
    assert "was begun with teachers" in refused.stderr
    felicity(*words[:5], tmp_path / "none", "--teachers", "nowhere", home=home, expect=1)
    assert not (tmp_path / "none").exists()
    shutil.copytree(bundles["float32"], tmp_path / "moved")
    again = ["train", data, "--config", settings, "-o", tmp_path / "other", "--teachers", tmp_path / "moved"]
    felicity(*again, "--epochs", 1, home=home)
    shutil.rmtree(tmp_path / "moved")
    shutil.copytree(bundles["float16"], tmp_path / "moved")
    assert "was taught by" in felicity(*again, "--epochs", 1, "--resume", home=home, expect=1).stderr


def test_a_teacher_is_shown_images_of_its_size(bundles: dict[str, Path], data: Path) -> None:
    sets = [
        load_training_set(make_config({"data": {"path": str(data), "second": "FER2013", "size": size}}).data, soft=True)
        for size in (48, 96)
    ]
    asked = Teachers([str(bundles["float32"])], sets[1])
    doubled = np.kron(sets[0].train.images[:6], np.ones((1, 2, 2), dtype=np.uint8))
    plain = Teachers([str(bundles["float32"])], sets[0])(sets[0].train.images[:6])
    np.testing.assert_allclose(asked(doubled), plain, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"second": "AffectNet"}}, "has no labels of 'AffectNet' beside its own; there are: FER2013"),
        ({"data": {"colour": "rgb"}}, "takes images in gray, but those of the data set are in rgb"),
    ],
)
def test_what_does_not_fit_is_named(
    changes: dict[str, Any], said: str, bundles: dict[str, Path], data: Path, settings: Path
) -> None:
    from felicity.training.config import read_toml

    config = make_config(
        read_toml(settings), {"data": {"path": str(data)}, "teachers": [str(bundles["int8"])]}, changes
    )
    with pytest.raises((DatasetError, ConfigError), match=said):
        make_feed(config, load_training_set(config.data, soft=True))


def test_a_bundle_without_a_second_head_says_so(bundles: dict[str, Path], data: Path, tmp_path: Path) -> None:
    whole = open_bundle(bundles["float32"])
    facts = whole.facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256", "second"})
    alone = write_bundle(tmp_path / "alone", whole.weights.read_bytes(), facts)
    with pytest.raises(BundleError, match="has no second head"):
        Classifier(alone).second_probabilities(np.zeros((1, 48, 48), dtype=np.uint8))
    held = load_training_set(make_config({"data": {"path": str(data), "second": "FER2013"}}).data)
    with pytest.raises(ConfigError, match=r"does not answer neutral, .* which is learnt here"):
        Teachers([str(alone.folder)], held)


def test_shares_between_those_of_training_and_equal_ones() -> None:
    prior = [0.7, 0.2, 0.1, 0.0]
    np.testing.assert_allclose(towards_even(prior, 0), prior)
    np.testing.assert_allclose(towards_even(prior, 1), [1 / 3, 1 / 3, 1 / 3, 0])
    half = towards_even(prior, 0.5)
    np.testing.assert_allclose(half[:2] / half[1], [np.sqrt(3.5), 1])
    np.testing.assert_allclose(prior_shift(prior, prior), 0)
    assert prior_shift([0.5, 0.5], [0.9, 0.1]) == pytest.approx(np.log([1.8, 0.2]))


def test_votes_are_not_smoothed_and_undecided_rows_have_no_target() -> None:
    np.testing.assert_allclose(one_hot(np.array([1, -1]), 2, 0.2), [[0.1, 0.9], [0, 0]])
