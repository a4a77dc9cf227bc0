"""From a run to a bundle: the same answers, honest measurements, and one sentence where it cannot be done."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from felicity.cli import app
from felicity.errors import BundleError, ConfigError, DatasetError, FelicityError, TrainingError
from felicity.export import onnx_graph
from felicity.export.head import measures
from felicity.export.rules.layers import LAYERS
from felicity.export.run_to_bundle import export, largest_difference
from felicity.imaging.encode import write_image
from felicity.index import GroupKey, Groups, SoftMatrix, compute_index
from felicity.labels import EXPRESSIONS, FER2013, INDEX
from felicity.metrics.temperature import Scaling
from felicity.models.answering import how_it_answers
from felicity.models.bundle import Bundle, open_bundle
from felicity.models.initial import initialise
from felicity.models.registry import ModelOptions, build, networks
from felicity.recognition.classifier import Classifier
from felicity.runtime import open_session
from felicity.training.config import make_config
from felicity.training.data import load_training_set
from felicity.training.feed import normalise
from felicity.training.fit import fit
from felicity.windows import PersonObservation, Sums, WindowAccumulator
from tests.support import faces_on_disk as disk
from tests.support.command import felicity, felicity_json
from tests.support.keras_here import keras_here, on_backend
from tests.support.people import photograph
from tests.support.windows import MIDNIGHT

SEVEN = [str(e) for e in EXPRESSIONS if e in FER2013]


def train_and_export(asked: dict[str, Any], folder: Path) -> Any:
    """Train a run, export it by the command, and keep the answers of the network; return what the command said."""
    config = make_config(asked)
    held = load_training_set(config.data, soft=config.soft_labels)
    run = fit(config, held, folder / "run")
    (told,) = felicity_json("bundle", "export", folder / "run", "-o", folder / "bundle", home=folder.parent / "home")
    logits = run.engine().predict(normalise(held.test.images, run.mean, run.std))
    np.savez(
        folder / "trained.npz", images=held.test.images, labels=held.test.labels, logits=logits,
        validation=held.validation.images, validation_labels=held.validation.labels,
    )  # fmt: skip
    return told


def shown(*arguments: object) -> str:
    """Standard output of a command that needs no backend."""
    done = CliRunner().invoke(app.app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def drawn(each: int) -> disk.Faces:
    """``each`` images of FER2013's seven classes: a pattern per class under one that differs from image to image."""
    patterns, others = disk.made_up(7, seed=1), disk.made_up(7 * each, seed=2)
    mixed = 0.6 * patterns.images[others.codes] + 0.4 * others.images
    return disk.Faces(mixed.astype(np.uint8), others.codes, others.folds)


@dataclass(frozen=True)
class Trained:
    """A run, its data set, its bundle, and what the network that was trained says to the test set."""

    data: Path
    run: Path
    bundle: Bundle
    arrays: dict[str, npt.NDArray[Any]]
    told: dict[str, Any]

    def truth(self, part: str = "labels") -> npt.NDArray[np.int64]:
        """Labels of a part, as places among the eight."""
        classes = open_bundle(self.bundle.folder).facts.training["classes"]  # type: ignore[index]
        return np.array([INDEX[name] for name in classes])[self.arrays[part]]


def train(folder: Path, data: Path, *, classes: str | None = None, **changes: Any) -> Trained:
    settings: dict[str, Any] = {
        "data": {"path": str(data), "validation_share": 0.4, "classes": classes}, "model": {"name": "test-tiny"},
        "backend": "torch", "epochs": 8, "batch_size": 16, "learning_rate": 0.02, "threads": 1,
    }  # fmt: skip
    asked = settings | changes
    told = on_backend(asked["backend"], train_and_export, asked, folder)
    with np.load(folder / "trained.npz") as stored:
        return Trained(data, folder / "run", open_bundle(folder / "bundle"), dict(stored), told["data"])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disk.write_folders(drawn(60), tmp_path_factory.mktemp("data") / "faces", folds=False)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """By backend, or ``two`` for a network of two classes; each is trained when first asked for."""
    known: dict[str, Trained] = {}

    def get(which: str) -> Trained:
        if which not in known:
            two = {"classes": "happy,sad", "class_weights": True}
            changes: dict[str, Any] = two if which == "two" else {"backend": which}
            known[which] = train(tmp_path_factory.mktemp(which), data, **changes)
        return known[which]

    return get


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_a_bundle_answers_as_the_network_that_was_trained(trained: Callable[[str], Trained], backend: str) -> None:
    made = trained(backend)
    assert set(made.told) == {"id", "path", "classes", "largest_difference", "rounding", "temperature", "metrics"}
    assert made.told["id"] == made.bundle.id and sorted(made.told["classes"]) == sorted(SEVEN)
    assert made.told["largest_difference"] < 1e-5
    classifier = Classifier(made.bundle)
    p = classifier.probabilities(made.arrays["images"])
    assert p[:, INDEX[EXPRESSIONS[7]]].max() == 0, "contempt is none of its classes"
    facts = made.bundle.facts
    places = [INDEX[name] for name in facts.training["classes"]]  # type: ignore[index]
    bias = np.array(facts.bias)[places]
    scaled = np.exp(made.arrays["logits"].astype(np.float64) / facts.temperature + bias)
    assert p[:, places] == pytest.approx(scaled / scaled.sum(1, keepdims=True), abs=1e-5)
    assert (p.argmax(1) == made.truth()).mean() > 0.5, "it has learned something to be wrong about"
    assert "runs" in shown("bundle", "verify", made.bundle.folder)


def test_facts_say_what_was_measured_on_what(trained: Callable[[str], Trained]) -> None:
    made = trained("torch")
    facts, classifier = made.bundle.facts, Classifier(made.bundle)
    assert f"validation set: {len(made.arrays['validation'])} held-out images" in facts.calibrated_on
    assert f"faces, training set: {60 * 7 - len(made.arrays['validation']) - 126} images" in facts.trained_on
    p, labels = classifier.probabilities(made.arrays["validation"]), made.truth("validation_labels")
    measured = SoftMatrix.from_probabilities(p, labels)
    stored = made.bundle.soft_matrix
    assert stored.counts.tolist() == measured.counts.tolist() == np.bincount(labels, minlength=8).tolist()
    assert stored.matrix == pytest.approx(measured.matrix, abs=1e-6)
    assert stored.cross == pytest.approx(measured.cross, abs=1e-6)
    assert np.array(facts.confusion).sum(1).tolist() == stored.counts.tolist()
    test = classifier.probabilities(made.arrays["images"])
    assert facts.metrics["test"]["faces"] == len(test)
    assert facts.metrics["test"]["accuracy"] == round((test.argmax(1) == made.truth()).mean(), 4)
    assert {"balanced_accuracy", "happy_f1", "ece", "ece_before"} < set(facts.metrics["test"])
    own = np.array([INDEX[name] for name in facts.training["classes"]])[made.arrays["logits"].argmax(1)]  # type: ignore[index]
    assert facts.metrics["test"]["accuracy_before"] == round((own == made.truth()).mean(), 4), "as the run answers"
    assert facts.calibration is not None and sum(facts.calibration["images"]) == len(labels)
    assert facts.metrics["validation"]["ece"] <= facts.metrics["validation"]["ece_before"]
    assert sum(facts.prior) == pytest.approx(1, abs=1e-5) and facts.prior[7] == 0


def test_facts_say_how_it_was_trained_and_not_where(trained: Callable[[str], Trained]) -> None:
    made = trained("torch")
    told, run = made.bundle.facts.training, json.loads((made.run / "run.json").read_text())
    assert told is not None
    assert told["config"] == run["config"] | {"data": run["config"]["data"] | {"path": "faces"}}
    assert told["data"] == run["data"] and told["environment"]["packages"]["keras"]
    assert 1 <= told["epoch"] <= 8
    assert str(made.data.parent) not in (made.bundle.folder / "bundle.json").read_text()


@pytest.mark.parametrize(("which", "happy"), [("torch", 0.15), ("two", 0.2), ("two", 0.8)])
def test_an_index_with_fewer_than_eight_classes(trained: Callable[[str], Trained], which: str, happy: float) -> None:
    """People drawn from the test set, which neither the weights nor the matrix have seen."""
    made = trained(which)
    p, truth = Classifier(made.bundle).probabilities(made.arrays["images"]), made.truth()
    soft = made.bundle.soft_matrix
    others = np.flatnonzero(truth != INDEX[EXPRESSIONS[1]])
    rng = np.random.default_rng(0)
    people = WindowAccumulator("Harbour", "quay", "quay.mp4", MIDNIGHT, made.bundle.id, 60)
    windows = []
    for minute in range(600):
        time = MIDNIGHT + timedelta(minutes=minute)
        people.add_frame(time)
        smiling = rng.random(3) < happy
        rows = np.where(smiling, rng.choice(np.flatnonzero(truth == 1), 3), rng.choice(others, 3))
        for row in rows:
            people.add_person(PersonObservation(time + timedelta(seconds=30), p[row]))
        windows += people.closed()
    sums = Sums.of(windows + people.flush())
    key = GroupKey("Harbour", "UTC", made.bundle.id, 0, 86_400)
    (row,) = compute_index(Groups("total", (key,), sums.grouped([0] * len(sums), 1)), lambda *_: soft)
    share = row.happy_share
    assert share.low is not None and share.high is not None and share.adjusted is not None
    assert abs(share.adjusted - 100 * happy) < 8 and share.low < share.adjusted < share.high
    assert list(row.expressions) == made.bundle.facts.training["classes"]  # type: ignore[index]
    assert all(figure.adjusted is not None for figure in row.expressions.values())


def test_the_command_from_data_to_a_classified_photograph(
    data: Path, tmp_path: Path, trained: Callable[[str], Trained]
) -> None:
    run, bundle = trained("torch").run, tmp_path / "bundle"
    shutil.copytree(data, tmp_path / "moved")
    shutil.copytree(open_bundle().folder, bundle)
    done = felicity(
        "bundle", "export", run, "-o", bundle, "--name", "mine", "--licence", "CC-BY-4.0",
        "--data", tmp_path / "moved", "--force", home=tmp_path,
    )  # fmt: skip
    for words in ("mine@", "temperature", "ECE before", "validation set", "test"):
        assert words in done.stdout
    assert "reading the data set" in done.stderr and "contempt" in done.stderr
    assert open_bundle(bundle).facts.licence == "CC-BY-4.0"
    assert sorted(p.name for p in bundle.iterdir()) == ["bundle.json", "model.onnx", "weights.npz"]
    write_image(tmp_path / "one.png", photograph())
    row = json.loads(shown("classify", tmp_path / "one.png", "--bundle", bundle, "--detector", "hog", "--json"))
    assert row["faces"][0]["expression"] in SEVEN and sorted(row["faces"][0]["probabilities"]) == sorted(SEVEN)
    assert sorted(p.name for p in tmp_path.glob("*bundle*")) == ["bundle"], "nothing is left beside it"


def test_a_class_that_no_validation_face_is_labelled_is_said(data: Path, tmp_path: Path) -> None:
    rows = []
    for name in ("happy", "sad", "fear"):
        for number, file in enumerate(sorted((data / name).iterdir())):
            part = "validation" if number % 3 == 0 and name != "fear" else "train"
            rows.append(f"{file.relative_to(data.parent)},{name},{part}")
    (data.parent / "ours.csv").write_text("\n".join(["path,label,split", *rows]))
    words = (
        "--model", "test-tiny", "--backend", "torch", "--epochs", 1, "--batch-size", 16, "--threads", 1,
        "--data-name", "Our faces", "--data-licence", "CC BY-NC 4.0", "-o", tmp_path / "run",
    )  # fmt: skip
    felicity("train", data.parent / "ours.csv", *words, home=tmp_path)
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert datetime.fromisoformat(facts["date"]).tzinfo and facts["command"].startswith("felicity train ")
    assert "--data-name 'Our faces'" in facts["command"]
    assert (facts["config"]["data"]["name"], facts["config"]["data"]["licence"]) == ("Our faces", "CC BY-NC 4.0")
    done = felicity("bundle", "export", tmp_path / "run", "-o", tmp_path / "made", "--evenness", 1, home=tmp_path)
    assert "the validation set has no face labelled fear: how such faces are answered is not known" in done.stderr
    assert "nobody stated the licence of these weights" in done.stderr
    assert "the terms of Our faces are stated as CC BY-NC 4.0" in " ".join(done.stderr.split())
    assert open_bundle(tmp_path / "made").facts.licence == "not stated", "and not Felicity's own"
    told = shown("bundle", "show", tmp_path / "made")
    assert "Our faces, CC BY-NC 4.0" in told and "the run answers without" in " ".join(told.split())
    assert "shares in validation" in told and "shares in training" not in told
    (fear,) = (line.split() for line in told.splitlines() if line.split()[:2] == ["fear", "0"])
    assert fear[2] == "-", "no recall of no faces"


def apart(model: Any, places: Any) -> float:
    """Return how far the answers of a network and of its export differ, where its weights are any."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.path.endswith(("moving_variance", "gamma")):
            variable.assign(rng.uniform(0.5, 2, variable.shape))
        elif not variable.path.endswith("kernel"):
            variable.assign(rng.normal(0, 0.3, variable.shape))
    session = open_session(onnx_graph.to_onnx(model, [places]))
    faces = rng.normal(size=(3, *session.get_inputs()[0].shape[1:])).astype(np.float32)
    found = session.run(None, {"faces": faces})[0]
    wanted = model(faces.transpose(0, 2, 3, 1), training=False).detach().numpy()
    assert found.shape == (3, 8)
    assert (np.delete(found, places, 1) == -1e4).all()
    return largest_difference(wanted, found[:, places])


@pytest.mark.parametrize(
    "options", [{"classes": 2, "dropout": 0.5}, {"size": 51, "channels": 3, "width": 6}, {"classes": 8}]
)
@pytest.mark.parametrize("name", networks())
def test_every_network_is_exported(name: str, options: dict[str, Any]) -> None:
    keras_here()
    asked = ModelOptions(**options)
    model = build(name, asked)
    initialise(model, 1)
    assert apart(model, np.random.default_rng(1).permutation(8)[: asked.classes]) < 1e-5


def test_every_rule_of_the_export_and_what_it_refuses() -> None:
    keras_here()
    import keras
    from keras import layers

    faces = keras.Input((17, 17, 1))
    x = layers.Conv2D(4, 3, strides=2, padding="same", groups=1, activation="tanh")(faces)
    x = layers.Conv2D(4, 3, dilation_rate=2, padding="same", groups=2, use_bias=False)(x)
    x = layers.BatchNormalization(scale=False, center=False)(x)
    x = layers.Activation("sigmoid")(layers.MaxPooling2D(3, 2, padding="same")(x))
    x = layers.Dense(3)(layers.Flatten()(layers.Flatten()(layers.Add()([x, x, x]))))
    assert apart(keras.Model(faces, x), [2, 0, 5]) < 1e-5
    for layer, words in (
        (layers.Conv2DTranspose(2, 3), "cannot hold ConvTranspose as an operation"),
        (layers.ReLU(threshold=1.0), "ReLU with a threshold"),
        (layers.BatchNormalization(axis=1), "along axis 1"),
        (layers.Lambda(lambda x: keras.ops.flip(x, 1)), "cannot hold Flip"),
    ):
        model = keras.Model(faces, layers.Dense(2)(layers.Flatten()(layer(faces))))
        with pytest.raises(ConfigError, match=words):
            onnx_graph.to_onnx(model, [[0, 1]])


def test_a_bundle_of_other_answers_than_the_networks_is_not_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LAYERS, "ReLU", LAYERS["Dropout"])
    with pytest.raises(FelicityError, match=r"logits differ from the trained network's.*nothing was written"):
        export(run, tmp_path / "bundle")
    assert not list(tmp_path.glob("*bundle*"))


def test_largest_difference_is_relative_to_large_logits_only() -> None:
    a, b = np.array([[1e3, -2e3]], np.float32), np.array([[1e3, -2e3 + 1]], np.float32)
    assert largest_difference(a, b) == pytest.approx(1 / 2000)
    assert largest_difference(a / 1e4, b / 1e4) == pytest.approx(1e-4, rel=1e-3)


def test_faces_too_few_to_calibrate_on_are_refused(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("felicity.metrics.calibrating.FEWEST", 1000)
    made = export(run, tmp_path / "bundle")
    facts = made.bundle.facts
    assert (facts.temperature, set(facts.bias or [])) == (1.0, {0.0})
    (said,) = (note.text for note in made.notes if note.code == "calibration-refused")
    assert "not calibrated: two expressions need 1000 validation images each, and there are" in said
    assert "not calibrated; the run answers likewise" in how_it_answers(facts)


@pytest.fixture
def run(trained: Callable[[str], Trained], tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained("torch").run, tmp_path / "run"))


def edit(run: Path, **changes: Any) -> None:
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(facts | changes))


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def a_bundle(run: Path, output: Path) -> None:
    shutil.copytree(open_bundle().folder, output)


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (lambda run, output: shutil.rmtree(run), TrainingError, "no run folder"),
        (lambda run, output: (run / "run.json").write_text("[]"), TrainingError, "run format 1 expected"),
        (lambda run, output: (run / "run.json").write_text('{"format": 1}'), TrainingError, "incomplete"),
        (lambda run, output: (run / "best.npz").unlink(), TrainingError, "no such checkpoint yet"),
        (lambda run, output: damage(run / "best.npz"), TrainingError, "damaged|was changed"),
        (lambda run, output: edit(run, classes=["happy", "unhappy"]), ConfigError, "'unhappy' is not one of the eight"),
        (lambda run, output: edit(run, classes=["sad", "sadness"]), ConfigError, "'sadness' is sad, as another"),
        (lambda run, output: edit(run, pixels={"mean": 0.1, "std": 0.1}), TrainingError, "--data"),
        (lambda run, output: edit(run, data={"digest": "0"}), TrainingError, "no image is known to be held out"),
        (a_bundle, BundleError, "holds a bundle already.*--force"),
        (lambda run, output: output.mkdir(), BundleError, "is no bundle; choose another"),
    ],
    ids=[
        "gone",
        "list",
        "empty",
        "no best",
        "tampered",
        "no expression",
        "twice",
        "pixels",
        "data",
        "bundle",
        "folder",
    ],
)
def test_what_cannot_be_exported_is_refused(
    run: Path, tmp_path: Path, spoil: Callable[[Path, Path], object], kind: type[FelicityError], words: str
) -> None:
    output = tmp_path / "bundle"
    spoil(run, output)
    before = sorted(p.name for p in tmp_path.rglob("*bundle*"))
    with pytest.raises(kind, match=words):
        export(run, output)
    assert sorted(p.name for p in tmp_path.rglob("*bundle*")) == before


def test_a_folder_that_is_no_bundle_is_never_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"dear")
    with pytest.raises(BundleError, match="is no bundle"):
        export(run, tmp_path / "photos", replace_bundle=True)
    assert (tmp_path / "photos" / "one.jpg").read_bytes() == b"dear"
    with pytest.raises(ConfigError, match="bundle name 'a b'"):
        export(run, tmp_path / "bundle", name="a b")
    with pytest.raises(DatasetError, match="say where with --data"):
        export(run, tmp_path / "bundle", data=str(tmp_path / "gone"))


def test_without_the_extra_the_command_says_one_sentence(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setattr(sys, "argv", ["felicity", "bundle", "export", str(run), "-o", str(tmp_path / "bundle")])
    with pytest.raises(SystemExit) as leaving:
        app.main()
    assert leaving.value.code == 1
    said = capsys.readouterr()
    assert said.out == "" and "pip install 'felicity[export]'" in said.err and "Traceback" not in said.err


def test_measures_by_hand() -> None:
    answers, labels = np.array([1, 1, 1, 0, 0, 2]), np.array([1, 1, 0, 0, 0, 0])
    logits = 4 * np.eye(8, dtype=np.float32)[answers]
    sure = [np.exp(4 / t) / (np.exp(4 / t) + 7) for t in (1, 2)]
    assert measures(logits, labels, Scaling(2.0, np.zeros(8))) == {
        "faces": 6,
        "accuracy": round(4 / 6, 4),
        "balanced_accuracy": round((2 / 4 + 2 / 2) / 2, 4),
        "happy_f1": round(2 * 2 / (3 + 2), 4),
        "ece_before": round(abs(sure[0] - 4 / 6), 4),
        "accuracy_before": round(4 / 6, 4),
        "ece": round(abs(sure[1] - 4 / 6), 4),
    }
    assert "happy_f1" not in measures(logits[3:], labels[3:]), "nobody is happy"
