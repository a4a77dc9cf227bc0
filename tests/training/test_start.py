"""Trainings that begin with the weights of others: of runs, and of bundles in every precision."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from felicity.api.training import train
from felicity.errors import BundleError, ConfigError, TrainingError
from felicity.export.run_to_bundle import export
from felicity.labels import EXPRESSIONS
from felicity.metrics.temperature import softmax
from felicity.models.bundle import open_bundle, write_bundle
from felicity.models.registry import ModelOptions, build
from felicity.recognition.classifier import Classifier
from felicity.training.config import TrainConfig, make_config, read_toml
from felicity.training.data import TrainingSet, load_training_set
from felicity.training.engines import open_engine
from felicity.training.engines.base import to_numpy
from felicity.training.feed import normalise
from felicity.training.fit import fit
from felicity.training.run import TrainingRun, open_run, predict
from felicity.training.start import open_start
from felicity.training.widening import widened
from tests.support.command import felicity, felicity_answer
from tests.support.keras_here import keras_here

NETWORK = {"name": "best", "width": 8, "depth": 2, "dropout": 0.0}
"""Grouped stem, averages in convolutions, normalisation folded: a bundle in eight bits changes all of it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module", autouse=True)
def _same_home(home: Path) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(home))
        yield


@pytest.fixture(scope="module")
def config(data_set: Path, settings: Path) -> TrainConfig:
    asked = {"backend": keras_here(), "epochs": 3, "learning_rate": 0.02, "model": NETWORK}
    return make_config(read_toml(settings), asked, {"data": {"path": str(data_set)}})


@pytest.fixture(scope="module")
def data(config: TrainConfig) -> TrainingSet:
    return load_training_set(config.data)


@pytest.fixture(scope="module")
def first(config: TrainConfig, data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    return fit(config, data, tmp_path_factory.mktemp("runs") / "first")


def again(config: TrainConfig, start: Path, **changed: object) -> TrainConfig:
    """Goes on from ``start``, hardly moving."""
    still = {"start": str(start), "learning_rate": 1e-9, "epochs": 1, "average": 0.0}
    return make_config(config.model_dump(), still, changed)


def test_a_training_begins_where_a_run_ended(
    config: TrainConfig, data: TrainingSet, first: TrainingRun, tmp_path: Path
) -> None:
    run = fit(again(config, first.folder), data, tmp_path / "again")
    assert run.facts["start"] == first.id and first.id.startswith("first@")
    engine = run.engine("last")
    for layer in engine.model.layers:
        for variable in layer.trainable_variables:
            np.testing.assert_allclose(to_numpy(variable), first.weights()[variable.path], atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_training_begins_where_a_bundle_ended(
    config: TrainConfig, data: TrainingSet, first: TrainingRun, tmp_path: Path, precision: str
) -> None:
    export(first.folder, tmp_path / "bundle", precision=precision)  # type: ignore[arg-type]
    start = open_start(str(tmp_path / "bundle"))
    assert start.id == open_bundle(tmp_path / "bundle").id
    engine = open_engine(again(config, tmp_path / "bundle"), data.heads)
    start.hand_on(engine, data)
    wanted, given = (
        predict(first.folder, data.validation.images),
        engine.predict(normalise(data.validation.images, data.mean, data.std)),
    )
    assert np.abs(softmax(given) - wanted).max() < 1e-3, "whatever the precision that the bundle classifies in"
    # In training, too, where normalisation looks at the batch.
    faces = normalise(data.train.images[:64], data.mean, data.std)
    batch = faces, data.train.targets(len(data.classes))[:64]
    here, there = (float(each.step(*batch, 0.0)[0]) for each in (engine, first.engine()))
    assert here == pytest.approx(there, abs=1e-3)


def test_another_backend_than_that_of_the_start_takes_its_own_precision(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def begin(config: TrainConfig, *_: object, **__: object) -> object:
        asked.append((config.backend, config.precision))
        raise TrainingError("enough")

    monkeypatch.setattr("felicity.training.fit.fit", begin)
    for backend in ("tensorflow", "torch"):
        with pytest.raises(TrainingError, match="enough"):
            train(data_set, tmp_path / "run", settings={"start": "best", "backend": backend})
    assert asked == [("tensorflow", "float32"), ("torch", "bfloat16")], "best was trained in bfloat16 on PyTorch"
    with pytest.raises(ConfigError, match="bfloat16 is for the backend torch and jax, not tensorflow"):
        train(data_set, settings={"start": "best", "backend": "tensorflow", "precision": "bfloat16"})


def test_a_bundle_without_float_weights_says_what_to_do(first: TrainingRun, tmp_path: Path) -> None:
    export(first.folder, tmp_path / "bundle")
    made = open_bundle(tmp_path / "bundle")
    facts = made.facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256"})
    older = write_bundle(tmp_path / "older", made.weights.read_bytes(), facts)
    assert older.id.partition("@")[2] == made.id.partition("@")[2] and Classifier(older).input == made.input
    with pytest.raises(TrainingError, match=r"older: keeps no float weights .* felicity bundle export$"):
        open_start(str(older.folder))


def test_damaged_float_weights_are_refused(first: TrainingRun, tmp_path: Path) -> None:
    export(first.folder, tmp_path / "bundle")
    file = tmp_path / "bundle" / "weights.npz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BundleError, match=r"weights\.npz: SHA-256 .* were changed or damaged"):
        open_start(str(tmp_path / "bundle")).weights()
    file.unlink()
    assert Classifier.open(tmp_path / "bundle"), "weights to train on from are not needed to classify"
    with pytest.raises(BundleError, match=r"weights 'weights\.npz' are missing"):
        open_start(str(tmp_path / "bundle")).weights()


@pytest.mark.parametrize("classes", ["happy,sad", "contempt,sad,happy"])
def test_classes_that_a_start_does_not_know_begin_anew(
    config: TrainConfig, data: TrainingSet, first: TrainingRun, tmp_path: Path, classes: str
) -> None:
    asked = load_training_set(config.data.model_copy(update={"classes": "happy,sad"}))
    asked = replace(asked, classes=tuple(classes.split(",")))
    export(first.folder, tmp_path / "bundle")
    for where in (first.folder, tmp_path / "bundle"):
        engine = open_engine(again(config, where), asked.heads)
        fresh, had = engine.weights(), first.weights()
        open_start(str(where)).hand_on(engine, asked)
        rounding = 1e-6 if where == first.folder else 1e-3
        last_layer = {v.path for v in engine.model.layers[-1].weights}
        for path, value in engine.weights().items():
            if path not in last_layer:
                np.testing.assert_allclose(value, had[path], rtol=rounding, atol=1e-7, err_msg=path)
                continue
            for place, name in enumerate(asked.classes):
                known = name in data.classes
                wanted = had[path][..., data.classes.index(name)] if known else fresh[path][..., place]
                np.testing.assert_allclose(
                    value[..., place], wanted, rtol=rounding, atol=1e-7, err_msg=f"{path}, {name}"
                )


def test_resumed_on_another_start_is_refused(
    config: TrainConfig, data: TrainingSet, first: TrainingRun, tmp_path: Path
) -> None:
    shutil.copytree(first.folder, tmp_path / "start")
    asked = again(config, tmp_path / "start")
    with pytest.raises(ZeroDivisionError):
        fit(asked, data, tmp_path / "run", on_step=lambda *_: 1 / 0)  # it dies before the first checkpoint
    other = fit(make_config(config.model_dump(), {"seed": 8}), data, tmp_path / "other")
    shutil.copy(other.folder / "best.npz", tmp_path / "start")
    with pytest.raises(
        TrainingError, match=r"run: was begun with the weights of start@\w+, and they are start@\w+ now"
    ):
        fit(asked, data, tmp_path / "run", resume=True)


def test_a_damaged_start_is_refused_in_one_sentence(
    data_set: Path, first: TrainingRun, home: Path, tmp_path: Path
) -> None:
    export(first.folder, tmp_path / "cut")
    onnx = tmp_path / "cut" / "model.onnx"
    onnx.write_bytes(onnx.read_bytes()[:1000])
    (tmp_path / "empty.onnx").write_bytes(b"")
    for start, said in (("cut", "model.onnx"), ("empty.onnx", "empty.onnx"), ("missing", "missing")):
        words = ["train", data_set, "--start", tmp_path / start, "-o", tmp_path / "run"]
        done = felicity(*words, home=home, expect=1)
        assert said in done.stderr and "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 3
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("width", [13, 16, None])
def test_a_wider_network_begins_with_the_answers_of_the_start(
    config: TrainConfig, data: TrainingSet, first: TrainingRun, tmp_path: Path, width: int | None
) -> None:
    export(first.folder, tmp_path / "bundle")
    faces = normalise(data.train.images, data.mean, data.std)
    asked = again(config, first.folder)
    asked = asked.model_copy(update={"model": asked.model.model_copy(update={"width": width})})
    for where in (first.folder, tmp_path / "bundle"):
        start, engine = open_start(str(where)), open_engine(asked, data.heads)
        start.check(asked)
        start.hand_on(engine, data)
        np.testing.assert_allclose(softmax(engine.predict(faces)), predict(first.folder, data.train.images), atol=2e-3)
    # Copies part ways as soon as they are trained.
    stem = engine.model.get_layer("stem_conv").kernel
    copies = [(a, b) for a, b in itertools.combinations(range(stem.shape[-1]), 2) if _alike(stem, a, b)]
    assert len(copies) >= stem.shape[-1] - 8
    engine.step(faces[:64], data.train.targets(len(data.classes))[:64], 0.05)
    engine.push()
    assert not any(_alike(stem, *pair) for pair in copies)


def _alike(kernel: object, a: int, b: int) -> bool:
    values = to_numpy(kernel)
    return np.array_equal(values[..., a], values[..., b])


@pytest.mark.parametrize(("name", "had", "asked"), [("paper-cnn", 4, 7), ("resnet5", 4, 8)])
def test_every_network_can_be_widened(name: str, had: int, asked: int) -> None:
    keras_here()

    narrow, wide = (build(name, ModelOptions(5, 48, 1, width=width)) for width in (had, asked))
    shapes = {v.path: tuple(v.shape) for layer in wide.layers for v in layer.weights}
    weights = {v.path: to_numpy(v) for layer in narrow.layers for v in layer.weights}
    given = widened(weights, shapes, np.random.default_rng(3))
    for layer in wide.layers:
        for variable in layer.weights:
            variable.assign(given[variable.path])
    faces = np.random.default_rng(4).normal(size=(6, 48, 48, 1)).astype(np.float32)
    answers = [model(faces, training=False).detach().numpy() for model in (narrow, wide)]
    np.testing.assert_allclose(*answers, atol=1e-4)


def test_a_start_that_averages_over_places_learns_on_larger_images(
    config: TrainConfig, first: TrainingRun, tmp_path: Path
) -> None:
    asked = again(config, first.folder, data={"size": config.data.size * 4 // 3})
    larger = load_training_set(asked.data)
    run = fit(asked, larger, tmp_path / "larger")
    assert run.size == config.data.size * 4 // 3 > open_run(first.folder).size
    begun, ended = (open_start(str(one.folder)).weights() for one in (first, run))
    kernels = [name for name in begun if name.endswith("kernel")]
    assert kernels and all(np.allclose(begun[name], ended[name], atol=1e-6) for name in kernels)


def test_a_start_of_another_network_is_refused_and_nothing_is_written(
    config: TrainConfig, data: TrainingSet, first: TrainingRun, tmp_path: Path
) -> None:
    for asked, said in (
        ({"model": {"width": 7}}, "its width is 8, but 7 is asked for; a network can be made wider, not narrower"),
        ({"model": {"depth": 3}}, "its depth is 2, but 3 is asked for"),
        ({"data": {"colour": "rgb"}}, "its colour is 'gray', but 'rgb' is asked for"),
    ):
        with pytest.raises(TrainingError, match=f"^start .*first: {said}"):
            fit(again(config, first.folder, **asked), data, tmp_path / "other")
    with pytest.raises(BundleError, match="nowhere"):
        fit(again(config, tmp_path / "nowhere"), data, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_start_with_weights_for_each_place_is_of_one_size(config: TrainConfig, tmp_path: Path) -> None:
    flat = make_config(config.model_dump(), {"model": {"name": "paper-cnn", "width": 4, "depth": 2}, "epochs": 1})
    run = fit(flat, load_training_set(flat.data), tmp_path / "flat")
    with pytest.raises(TrainingError, match=r"its size is 24, but 32 is asked for; .* fit images of that size alone"):
        open_start(str(run.folder)).check(again(flat, run.folder, data={"size": 32}))


def test_the_command_takes_its_settings_from_where_it_starts(
    data_set: Path, first: TrainingRun, home: Path, tmp_path: Path
) -> None:
    said, _ = felicity_answer(
        "train", data_set, "--start", first.folder, "--epochs", 1, "-o", tmp_path / "mine", home=home
    )
    run = open_run(Path(said["run"]))
    assert run.config.model == first.config.model and run.config.augment == first.config.augment
    assert run.config.epochs == 1 and run.config.learning_rate == 1e-3
    bundle = tmp_path / "bundle"
    felicity("bundle", "export", tmp_path / "mine", "-o", bundle, home=home)
    training = open_bundle(bundle).facts.training
    assert training is not None and training["config"]["start"] == first.id
    words = ["train", data_set, "--start", bundle, "--width", 12, "--epochs", 1, "-o", tmp_path / "wide"]
    felicity(*words, home=home)
    assert open_run(tmp_path / "wide").config.model == run.config.model.model_copy(update={"width": 12})


@pytest.mark.parametrize("name", ["best", "fast"])
def test_shipped_networks_can_be_started_from(name: str) -> None:
    keras_here()
    start = open_start(name)
    assert start.config.model.name == name
    kept, network = start.weights(), build(name, start.config.model_options(sum(map(len, start.heads))))
    assert {path: value.shape for path, value in kept.items()} == {v.path: tuple(v.shape) for v in network.weights}
    assert start.heads[0] == tuple(map(str, EXPRESSIONS)) and len(start.heads[1]) == 7
