from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import felicity
from felicity.cli.app import app
from felicity.datasets import PrepareOptions, SplitOptions, open_dataset, prepare
from felicity.errors import BundleError, ConfigError, DatasetError, TrainingError
from felicity.training import checkpoint
from felicity.training import fit as fitting
from felicity.training.asked import check_asked
from felicity.training.config import DataConfig, TrainConfig, make_config, read_toml
from felicity.training.data import TrainingSet, load_training_set, open_prepared
from felicity.training.engines import Engine, open_engine
from felicity.training.engines.base import to_numpy
from felicity.training.fit import fit
from felicity.training.run import open_run, predict
from tests.support.class_folders import write_class_folders
from tests.support.command import environment
from tests.support.faces_on_disk import made_up, write_csv, write_ferplus, write_png
from tests.support.keras_here import keras_here


@pytest.fixture(scope="module")
def config(data_set: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    backend = keras_here()
    return make_config(read_toml(settings), {"backend": backend, "epochs": 3, "data": {"path": str(data_set)}})


@pytest.fixture(scope="module")
def data(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))
        return load_training_set(config.data)


class Stop(Exception):
    pass


def stop_at(step: int) -> Callable[[Engine, int], None]:
    def on_step(engine: Engine, done: int) -> None:
        if done == step:
            raise Stop

    return on_step


def last(run: Path) -> tuple[checkpoint.State, dict[str, Any]]:
    return checkpoint.load(run / "last.npz")


@pytest.mark.parametrize("step", [3, 11, 17])
def test_stopped_within_an_epoch_it_resumes_to_the_same_weights(
    config: TrainConfig, data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(fitting, "CHECKPOINT_SECONDS", 0.0)
    fit(config, data, tmp_path / "whole")
    with pytest.raises(Stop):
        fit(config, data, tmp_path / "stopped", on_step=stop_at(step))
    fit(config, data, tmp_path / "stopped", resume=True)
    (one, facts), (other, whole) = last(tmp_path / "stopped"), last(tmp_path / "whole")
    for name in whole and other:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5, err_msg=name)
    for epoch, row in zip(facts["history"], whole["history"], strict=True):
        assert epoch["loss"] == pytest.approx(row["loss"], rel=1e-4)
        assert epoch["accuracy"] == pytest.approx(row["accuracy"], abs=0.02)


def test_a_slow_average_does_not_judge_a_short_training_by_its_beginning(
    config: TrainConfig, data: TrainingSet, tmp_path: Path
) -> None:
    slow = make_config(config.model_dump(), {"average": 0.9999, "learning_rate": 0.02, "schedule": "constant"})
    run = fit(slow, data, tmp_path / "run")
    engine = open_engine(slow, data.heads)
    began = engine.weights()
    engine.set_state(last(run.folder)[0])
    ended, averaged = {v.path: to_numpy(v) for v in engine.model.trainable_variables}, engine.weights()
    for path, value in ended.items():
        assert np.linalg.norm(averaged[path] - value) < 0.5 * np.linalg.norm(began[path] - value), path


def test_it_learns_what_can_be_learnt(config: TrainConfig, data: TrainingSet, tmp_path: Path) -> None:
    shown = make_config(
        config.model_dump(),
        {
            "epochs": 25,
            "augment": "none",
            "average": 0.0,
            "learning_rate": 0.02,
            "model": {"dropout": 0.0, "width": 16},
        },
    )
    run = fit(shown, data, tmp_path / "run")
    history = run.history
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    assert history[-1]["accuracy"] > 0.6
    answers = predict(run.folder, data.train.images, "last")
    assert answers.shape == (len(data.train), len(data.classes))
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-5)
    assert (answers.argmax(1) == data.train.labels).mean() > 0.5
    assert run.weights("best").keys() == run.weights("last").keys()


def test_patience_ends_a_training(config: TrainConfig, data: TrainingSet, tmp_path: Path) -> None:
    hopeless = make_config(
        config.model_dump(), {"epochs": 30, "patience": 2, "learning_rate": 2.0, "optimizer": "sgd", "average": 0.0}
    )
    history = fit(hopeless, data, tmp_path / "run").history
    best = min(range(len(history)), key=lambda i: history[i]["val_loss"])
    assert len(history) == best + 1 + 2 < 30


def test_gradients_change_nothing(config: TrainConfig, data: TrainingSet) -> None:
    engine, feed = open_engine(config, data.heads), fitting.make_feed(config, data)
    batch = next(iter(feed.epoch(0)))
    before = engine.state()
    loss, gradients = engine.gradients(batch.faces, batch.targets)
    assert loss > 0 and len(gradients) == len(engine.model.trainable_variables)
    after = engine.state()
    assert all(np.array_equal(before[name], after[name]) for name in before if "seed" not in name)


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(
    config: TrainConfig, data: TrainingSet, tmp_path: Path
) -> None:
    wild = make_config(
        config.model_dump(),
        {"optimizer": "sgd", "learning_rate": 100.0, "epochs": 50, "model": {"name": "paper-cnn"}},
    )
    with pytest.raises(TrainingError, match=r"the (validation )?loss is .*epoch \d+.*lower the learning rate"):
        fit(wild, data, tmp_path / "run")
    file = tmp_path / "run" / "last.npz"
    if file.exists():
        assert all(np.isfinite(array).all() for array in last(tmp_path / "run")[0].values())


def test_resuming_another_training_is_refused(config: TrainConfig, data: TrainingSet, tmp_path: Path) -> None:
    short = make_config(config.model_dump(), {"epochs": 1})
    fit(short, data, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"was begun with batch_size = 16, not 8"):
        fit(make_config(short.model_dump(), {"batch_size": 8}), data, tmp_path / "run", resume=True)
    with pytest.raises(TrainingError, match="holds a run already"):
        fit(short, data, tmp_path / "run")
    with pytest.raises(TrainingError, match="other images or labels"):
        other = TrainingSet(data.classes, data.train, data.validation, data.test, data.mean, data.std, "0" * 32)
        fit(short, other, tmp_path / "run", resume=True)


def test_a_checkpoint_that_was_changed_or_cut_is_refused(
    config: TrainConfig, data: TrainingSet, tmp_path: Path
) -> None:
    run = fit(make_config(config.model_dump(), {"epochs": 1}), data, tmp_path / "run")
    state, facts = last(run.folder)
    checkpoint.save(tmp_path / "other.npz", state, facts)
    with np.load(tmp_path / "other.npz") as stored:
        arrays = dict(stored)
    arrays["model/0000"] = arrays["model/0000"] + 1
    np.savez(run.folder / "last.npz", **arrays)
    with pytest.raises(TrainingError, match="was changed after it was written"):
        fit(make_config(config.model_dump(), {"epochs": 1}), data, run.folder, resume=True)
    best = (run.folder / "best.npz").read_bytes()
    (run.folder / "best.npz").write_bytes(best[: len(best) // 2])
    with pytest.raises(TrainingError, match="damaged"):
        open_run(run.folder).weights("best")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", evil=np.array([{"any": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(TrainingError, match="no checkpoint"):
        checkpoint.load(tmp_path / "evil.npz")


def test_a_full_disk_leaves_the_checkpoint_before(
    config: TrainConfig, data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    replace, calls = os.replace, []

    def full(source: Any, target: Any) -> None:
        calls.append(target)
        if len(calls) > 6:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*make room and resume"):
        fit(config, data, run)
    monkeypatch.undo()
    assert not list(run.glob(".*.part"))
    fit(config, data, run, resume=True)
    assert len(open_run(run).history) == 3


def test_a_start_that_failed_leaves_no_run_in_the_way(config: TrainConfig, data: TrainingSet, tmp_path: Path) -> None:
    network = {"name": "paper-cnn", "depth": 9}
    with pytest.raises(ConfigError, match="cannot be built"):
        fit(make_config(config.model_dump(), {"model": network}), data, tmp_path / "run")
    with pytest.raises(BundleError, match="nowhere"):
        fit(make_config(config.model_dump(), {"teachers": ["nowhere"]}), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    fit(make_config(config.model_dump(), {"epochs": 1}), data, tmp_path / "run")


def test_a_run_goes_on_where_the_data_are_now_and_with_other_threads(
    config: TrainConfig, data: TrainingSet, tmp_path: Path
) -> None:
    with pytest.raises(Stop):
        fit(config, data, tmp_path / "run", on_step=stop_at(3))
    moved = make_config(config.model_dump(), {"epochs": 3, "threads": 1, "data": {"path": "elsewhere"}})
    gone_on = fit(moved, data, tmp_path / "run", resume=True)
    assert len(gone_on.history) == 3 and open_run(tmp_path / "run").config.data.path == "elsewhere"
    other = make_config(config.model_dump(), {"data": {"images": 5}})
    with pytest.raises(TrainingError, match=r"was begun with data\.images = 0, not 5; go on as it was begun"):
        fit(other, data, tmp_path / "run", resume=True)


def test_killed_after_its_last_checkpoint_a_run_still_gets_its_table_and_curves(
    config: TrainConfig, data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = make_config(config.model_dump(), {"epochs": 1})
    with monkeypatch.context() as patch:
        patch.setattr(fitting.runs, "record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fit(short, data, tmp_path / "run")
    run = fit(short, data, tmp_path / "run", resume=True)
    assert len((run.folder / "history.csv").read_text().splitlines()) == 2
    assert (run.folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_names_felicitys_own_commit_alone(tmp_path: Path) -> None:
    installed = tmp_path / "project" / "lib" / "felicity"
    shutil.copytree(Path(felicity.__file__).parent, installed, ignore=shutil.ignore_patterns("zoo", "__pycache__"))
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=b", "commit", "-q", "--allow-empty", "-m", "c"],
    ):
        subprocess.run(["git", "-C", str(tmp_path / "project"), *words], check=True)
    asked = "from felicity.training.run import environment; print(environment()['git'])"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(installed.parent)}, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.strip() == "None"


def test_a_batch_larger_than_the_data_is_refused(config: TrainConfig, data: TrainingSet, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batch_size is 5000, but the training set has"):
        fit(make_config(config.model_dump(), {"batch_size": 5000}), data, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_class_without_images_is_named(config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path))
    asked = make_config(config.model_dump(), {"data": {"classes": "8"}})
    with pytest.raises(DatasetError, match="no image of contempt; bring images of it, or leave the class out"):
        load_training_set(asked.data)
    asked = make_config(config.model_dump(), {"data": {"images": 3}})
    with pytest.raises(DatasetError, match=r"no image of .*; draw more with --images, or leave the class out"):
        load_training_set(asked.data)


def test_a_prepared_folder_without_images_to_validate_on_is_to_be_prepared_anew(data_set: Path, tmp_path: Path) -> None:
    prepare(open_dataset(data_set), tmp_path / "ready", PrepareOptions(24, split=SplitOptions(0.2, 0)))
    with pytest.raises(
        DatasetError, match=r"give --validation-share \(of felicity data prepare, where that was used\)"
    ):
        load_training_set(DataConfig(path=str(tmp_path / "ready"), size=24))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "vgg"], "model 'vgg' is not known"),
        (["--backend", "caffe"], "--backend must be tensorflow, torch or jax, not 'caffe'"),
        (["--epochs", "0"], "epochs"),
        (["--learning-rate", "-1"], "--learning-rate must be a number above 0 to 100, not -1.0"),
        (["--optimizer", "magic"], "optimizer"),
        (["--augment", "lots"], "augment"),
        (["--model", "paper-cnn", "--depth", "9"], "cannot be built"),
        (["--filter-size", "2"], "odd"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], said: str, data_set: Path, tmp_path: Path) -> None:
    words = ["train", str(data_set), "--backend", keras_here(), "-o", str(tmp_path / "run"), *arguments]
    done = CliRunner().invoke(app, words, env={"FELICITY_HOME": str(tmp_path / "home")})
    assert done.exit_code != 0 and said in str(done.exception)


@pytest.mark.parametrize(
    ("command", "asked", "said"),
    [
        ("train", ("--classes", "happy,sad"), "so classes = happy,sad is not possible (found: neutral,happy,"),
        ("train", ("--votes", "majority"), "so votes = majority is not possible (found: not recorded)"),
        ("tune", ("--format", "ferplus"), "so format = ferplus is not possible (found: fer2013-csv)"),
        ("crossval", ("--test-share", "0.5"), "so test_share = 0.5 is not possible (found: 0.2)"),
        ("compare", ("--classes", "7"), "so classes = neutral,happy"),
        ("train", ("--validation-share", "0.4"), "so validation_share = 0.4 is not possible (found: 0.25)"),
        ("train", ("--validation-share", "0.1"), "so validation_share = 0.1 is not possible (found: 0.25)"),
        ("tune", ("--test-share", "0.3"), "so test_share = 0.3 is not possible (found: 0.2)"),
    ],
)
def test_a_prepared_folder_is_not_asked_for_what_it_is_not(
    data_set: Path, tmp_path: Path, command: str, asked: tuple[str, str], said: str
) -> None:
    ready = tmp_path / "ready"
    prepare(open_dataset(data_set), ready, PrepareOptions(24, split=SplitOptions(0.2, 0.25)))
    words = [command, ready, "-m", "test-tiny", "--size", 24, "-o", tmp_path / "out", *asked]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert isinstance(done.exception, DatasetError) and said in str(done.exception)
    assert not (tmp_path / "out").exists()
    same = {"classes": "8", "format": "fer2013-csv", "test_share": 0.2, "validation_share": 0.25}
    check_asked(DataConfig(path=str(ready), size=24, **same))  # type: ignore[arg-type]
    check_asked(DataConfig(path=str(ready), size=24, validation_share=0.4), unless={"validation_share"})


def test_what_lies_beside_a_file_is_looked_at_each_time(tmp_path: Path) -> None:
    faces = made_up(210)
    votes = np.zeros((210, 10), dtype=np.int64)
    votes[np.arange(210), np.arange(210) % 7] = 10
    write_ferplus(votes, faces.folds, tmp_path / "fer2013new.csv")
    table = write_csv(faces, tmp_path / "fer2013.csv")
    for config in (DataConfig(path=str(table)), DataConfig(path=str(table), format="ferplus")):
        before, votes = open_prepared(config)[0], votes[::-1]
        write_ferplus(votes, faces.folds, tmp_path / "fer2013new.csv")
        after = open_prepared(config)[0]
        if config.format:
            assert before.labels.tolist() != after.labels.tolist()
        else:
            assert before.other_labels["FER+"].tolist() != after.other_labels["FER+"].tolist()


def test_images_that_a_table_names_are_looked_at_each_time(tmp_path: Path) -> None:
    faces = made_up(70)
    lines = ["path,label", "gone.png,happy"]
    for row, image in enumerate(faces.images):
        write_png(image, tmp_path / "faces" / f"{row}.png")
        lines.append(f"faces/{row}.png,{faces.name(row)}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    config = DataConfig(path=str(tmp_path / "table.csv"))
    assert np.array_equal(open_prepared(config)[1][3], faces.images[3])
    write_png(255 - faces.images[3], tmp_path / "faces" / "3.png")
    assert np.array_equal(open_prepared(config)[1][3], 255 - faces.images[3])


def test_a_file_of_classes_or_an_image_that_is_not_there_is_no_crash(data_set: Path, tmp_path: Path) -> None:
    words = ["train", str(data_set), "-m", "test-tiny", "--classes", str(tmp_path / "none.toml")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, DatasetError) and "cannot be read as a TOML file of classes" in str(
        done.exception
    )
    faces = write_class_folders(tmp_path / "faces", {"happy": 20, "sad": 20})
    (faces / "happy" / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    assert len(open_prepared(DataConfig(path=str(faces), size=16))[1]) == 40


def test_processes_that_prepare_the_same_data_at_once_take_turns(
    data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, together = DataConfig(path=str(data_set), size=24, split_seed=99), threading.Barrier(2)
    prepared: list[Path] = []

    def slowly(samples: Any, out: Path, *more: Any, **options: Any) -> Any:
        prepared.append(out)
        time.sleep(0.2)
        return prepare(samples, out, *more, **options)

    monkeypatch.setattr("felicity.training.data.prepare", slowly)

    def one(_: int) -> int:
        together.wait()
        return len(open_prepared(config)[1])

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(one, range(2))) == [210, 210]
    assert len(prepared) == 1


def test_a_training_that_a_person_stops_says_how_to_go_on(data_set: Path, tmp_path: Path) -> None:
    words = ["train", str(data_set), "-m", "test-tiny", "--soft-labels", "--epochs", "5000", "--size", "24"]
    training = subprocess.Popen(
        [sys.executable, "-m", "felicity", *words, "--backend", "torch", "-o", str(tmp_path / "run")],
        env=environment(tmp_path), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert training.stderr is not None
        said = [next(line for line in training.stderr if "votes" in line)]
        said.append(next(line for line in training.stderr if line.startswith("epoch 1/")))
        training.send_signal(signal.SIGINT)
        err = training.communicate(timeout=60)[1]
    finally:
        training.kill()
        training.wait()
    assert training.returncode != 0 and "Traceback" not in err
    assert "has no votes to take soft labels from, so labels are learnt as they are" in said[0]
    assert "stopped; the same command with --resume goes on from there" in err


def test_data_that_are_not_there_and_places_that_cannot_be_written(data_set: Path, tmp_path: Path) -> None:
    env = {"FELICITY_HOME": str(tmp_path / "home")}
    missing = CliRunner().invoke(app, ["train", str(tmp_path / "none.csv"), "-m", "test-tiny"], env=env)
    assert missing.exit_code != 0 and "is not there" in str(missing.exception)
    (tmp_path / "file").write_text("")
    words = [
        "train",
        str(data_set),
        "-m",
        "test-tiny",
        "--backend",
        keras_here(),
        "--size",
        "24",
        "--epochs",
        "1",
        "-o",
        str(tmp_path / "file" / "run"),
    ]
    blocked = CliRunner().invoke(app, words, env=env)
    assert blocked.exit_code != 0 and "cannot be made" in str(blocked.exception)


def test_unknown_settings_are_refused(tmp_path: Path, data_set: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("epoch = 3\n")
    done = CliRunner().invoke(app, ["train", str(data_set), "--config", str(file)])
    assert done.exit_code != 0 and "epoch is not a setting" in str(done.exception)
    file.write_text("[model\n")
    done = CliRunner().invoke(app, ["train", str(data_set), "--config", str(file)])
    assert done.exit_code != 0 and "cannot be read as a TOML" in str(done.exception)
