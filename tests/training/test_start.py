"""Trainings that begin with the weights of others: of runs, and of bundles in every precision."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from felicity.errors import BundleError, TrainingError
from felicity.exporting import export
from felicity.labels import EXPRESSIONS
from felicity.models.backend import use_backend
from felicity.models.bundle import open_bundle
from felicity.training import fit as fitting
from felicity.training.config import TrainConfig, make_config, read_toml
from felicity.training.data import TrainingSet, load
from felicity.training.engines import open_engine
from felicity.training.engines.base import to_numpy
from felicity.training.feed import normalise
from felicity.training.fit import fit
from felicity.training.run import Run, open_run, predict
from felicity.training.scaling import softmax
from felicity.training.start import open_start
from tests.support.command import felicity, felicity_json

NETWORK = {"name": "best", "width": 8, "depth": 2, "dropout": 0.0}
"""Grouped stem, averages in convolutions, normalisation folded: all that a bundle in eight bits changes."""


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
    asked = {"backend": use_backend().config.backend(), "epochs": 3, "learning_rate": 0.02, "model": NETWORK}
    return make_config(read_toml(settings), asked, {"data": {"path": str(data_set)}})


@pytest.fixture(scope="module")
def data(config: TrainConfig) -> TrainingSet:
    return load(config.data)


@pytest.fixture(scope="module")
def first(config: TrainConfig, data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(config, data, tmp_path_factory.mktemp("runs") / "first")


def again(config: TrainConfig, start: Path, **changed: object) -> TrainConfig:
    """Goes on from ``start``, hardly moving."""
    still = {"start": str(start), "learning_rate": 1e-9, "epochs": 1, "average": 0.0}
    return make_config(config.model_dump(), still, changed)


def test_a_training_begins_where_a_run_ended(
    config: TrainConfig, data: TrainingSet, first: Run, tmp_path: Path
) -> None:
    run = fit(again(config, first.folder), data, tmp_path / "again")
    assert run.facts["start"] == first.id and first.id.startswith("first@")
    engine = run.engine("last")
    for layer in engine.model.layers:
        for variable in layer.trainable_variables:
            np.testing.assert_allclose(to_numpy(variable), first.weights()[variable.path], atol=1e-6)


@pytest.mark.parametrize(("precision", "apart"), [("float32", 1e-3), ("float16", 0.01), ("int8", 0.12)])
def test_a_training_begins_where_a_bundle_ended(
    config: TrainConfig, data: TrainingSet, first: Run, tmp_path: Path, precision: str, apart: float
) -> None:
    export(first.folder, tmp_path / "bundle", precision=precision)  # type: ignore[arg-type]
    start = open_start(str(tmp_path / "bundle"))
    assert start.id == open_bundle(tmp_path / "bundle").id
    engine = open_engine(again(config, tmp_path / "bundle"), data.heads)
    faces = normalise(data.train.images, data.mean, data.std)
    start.hand_on(engine, data, faces)
    wanted, given = (
        predict(first.folder, data.validation.images),
        engine.predict(normalise(data.validation.images, data.mean, data.std)),
    )
    assert np.abs(softmax(given) - wanted).max() < apart
    # In training, too, where normalisation looks at the batch.
    batch = faces[:64], data.train.targets(len(data.classes))[:64]
    assert engine.step(*batch, 0.0)[0] == pytest.approx(first.engine().step(*batch, 0.0)[0], abs=0.2)


@pytest.mark.parametrize("classes", ["happy,sad", "contempt,sad,happy"])
def test_classes_that_a_start_does_not_know_begin_anew(
    config: TrainConfig, data: TrainingSet, first: Run, tmp_path: Path, classes: str
) -> None:
    asked = load(config.data.model_copy(update={"classes": "happy,sad"}))
    asked = replace(asked, classes=tuple(classes.split(",")))
    export(first.folder, tmp_path / "bundle")
    for where in (first.folder, tmp_path / "bundle"):
        engine = open_engine(again(config, where), asked.heads)
        fresh, had = engine.weights(), first.weights()
        open_start(str(where)).hand_on(engine, asked, normalise(asked.train.images, asked.mean, asked.std))
        last_layer = {v.path for v in engine.model.layers[-1].weights}
        for path, value in engine.weights().items():
            if path not in last_layer:
                np.testing.assert_allclose(value, had[path], rtol=1e-6, err_msg=path)
                continue
            for place, name in enumerate(asked.classes):
                known = name in data.classes
                wanted = had[path][..., data.classes.index(name)] if known else fresh[path][..., place]
                np.testing.assert_allclose(value[..., place], wanted, rtol=1e-6, err_msg=f"{path}, {name}")


def test_resumed_on_another_start_is_refused(
    config: TrainConfig, data: TrainingSet, first: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first.folder, tmp_path / "start")
    asked = again(config, tmp_path / "start")
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "open_engine", lambda *_: 1 / 0)  # it dies before the first checkpoint
        with pytest.raises(ZeroDivisionError):
            fit(asked, data, tmp_path / "run")
    other = fit(make_config(config.model_dump(), {"seed": 8}), data, tmp_path / "other")
    shutil.copy(other.folder / "best.npz", tmp_path / "start")
    with pytest.raises(
        TrainingError, match=r"run: was begun with the weights of start@\w+, and they are start@\w+ now"
    ):
        fit(asked, data, tmp_path / "run", resume=True)


def test_a_damaged_start_is_refused_in_one_sentence(data_set: Path, first: Run, home: Path, tmp_path: Path) -> None:
    export(first.folder, tmp_path / "cut")
    onnx = tmp_path / "cut" / "model.onnx"
    onnx.write_bytes(onnx.read_bytes()[:1000])
    (tmp_path / "empty.onnx").write_bytes(b"")
    for start, said in (("cut", "model.onnx"), ("empty.onnx", "empty.onnx"), ("missing", "missing")):
        words = ["train", data_set, "--start", tmp_path / start, "-o", tmp_path / "run"]
        done = felicity(*words, home=home, expect=1)
        assert said in done.stderr and "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 3
        assert not (tmp_path / "run").exists()


def test_a_start_of_another_network_is_refused_and_nothing_is_written(
    config: TrainConfig, data: TrainingSet, first: Run, tmp_path: Path
) -> None:
    other = again(config, first.folder, model={"width": 24})
    with pytest.raises(TrainingError, match=r"^start .*first: its width is 8, but 24 is asked for"):
        fit(other, data, tmp_path / "other")
    with pytest.raises(BundleError, match="nowhere"):
        fit(again(config, tmp_path / "nowhere"), data, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_command_takes_its_settings_from_where_it_starts(
    data_set: Path, first: Run, home: Path, tmp_path: Path
) -> None:
    (said,) = felicity_json(
        "train", data_set, "--start", first.folder, "--epochs", 1, "-o", tmp_path / "mine", home=home
    )
    run = open_run(Path(said["run"]))
    assert run.config.model == first.config.model and run.config.augment == first.config.augment
    assert run.config.epochs == 1 and run.config.learning_rate == 1e-3
    bundle = tmp_path / "bundle"
    felicity("bundle", "export", tmp_path / "mine", "-o", bundle, home=home)
    training = open_bundle(bundle).facts.training
    assert training is not None and training["config"]["start"] == first.id


@pytest.mark.parametrize("name", ["best", "fast"])
def test_shipped_networks_can_be_started_from(name: str) -> None:
    start = open_start(name)
    assert start.config.model.name == name
    assert start.heads[0] == tuple(map(str, EXPRESSIONS)) and len(start.heads[1]) == 7
