"""Tuning: what a study does with its trials, and the command with real ones."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import (
    ConfigError,
    ExtraMissingError,
    FelicityError,
    NetworkError,
    StoreError,
    TrainingError,
)
from felicity.training.config import TrainConfig, make_config, read_toml
from felicity.training.data import TrainingSet, load_training_set
from felicity.training.fit import fit
from felicity.training.history import Epoch
from felicity.training.tuning import study, trials
from felicity.training.tuning.charts import best_so_far
from felicity.training.tuning.space import Space, parse_space
from felicity.training.tuning.tune import tune
from felicity.training.watcher import Watcher
from tests.conftest import CHECKOUT
from tests.support import pretend_training as pretend
from tests.support.class_folders import write_class_folders
from tests.support.command import environment
from tests.support.keras_here import keras_here

Asked = tuple[TrainConfig, Space, TrainingSet]


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that train nothing, and leave nothing to let go of."""
    monkeypatch.setattr(trials, "fit", pretend.fit)
    monkeypatch.setattr(trials, "begin_another", lambda: None)


def settings(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Of each trial."""
    return [trial["settings"] for trial in result["trials"]]


@pytest.mark.usefixtures("pretended")
def test_the_best_trial_wins_and_the_others_are_kept(tmp_path: Path) -> None:
    result = tune(pretend.config(), pretend.space(), pretend.data(), tmp_path / "out", 20)
    states = [trial["state"] for trial in result["trials"]]
    assert len(states) == 20 and set(states) == {"done", "pruned", "failed"}
    for trial in result["trials"]:
        chosen = make_config(pretend.config().model_dump(), {"learning_rate": trial["settings"]["learning_rate"]})
        depth = trial["settings"]["model.depth"]
        assert (trial["state"] == "failed") == (depth == 4) == (trial["sentence"] is not None)
        if trial["state"] == "done":
            chosen = make_config(chosen.model_dump(), {"model": {"depth": depth}})
            assert trial["val_loss"] == pytest.approx(pretend.loss(chosen, 4))
        if trial["state"] == "pruned":
            assert 2 <= trial["epochs"] < 4
        if trial["state"] == "failed":
            assert "the loss is nan" in trial["sentence"] and str(tmp_path) not in trial["sentence"]
    done = [trial for trial in result["trials"] if trial["state"] == "done"]
    assert (
        result["best"]["val_loss"] == min(trial["val_loss"] for trial in done) == best_so_far(result["trials"])[-1][1]
    )
    assert sum(result["importances"].values()) == pytest.approx(1, abs=1e-3)
    best = make_config(read_toml(tmp_path / "out" / "best.toml"))
    assert best.learning_rate == result["best"]["settings"]["learning_rate"]
    assert best.model.depth == result["best"]["settings"]["model.depth"]
    assert json.loads((tmp_path / "out" / "tuning.json").read_text()) == result
    assert sorted(p.name for p in (tmp_path / "out").glob("*") if not p.name.endswith(("-wal", "-shm"))) == [
        "best.toml", "slices.pdf", "slices.png", "slices.svg", "study.db", "tuning.json", "tuning.pdf", "tuning.png",
        "tuning.svg",
    ]  # fmt: skip


@pytest.mark.usefixtures("pretended")
def test_a_study_that_goes_on_is_the_one_that_never_stopped(tmp_path: Path) -> None:
    common = (pretend.config(), pretend.space(), pretend.data())
    whole = tune(*common, tmp_path / "whole", 14)
    told: list[int] = []
    for number in (5, 12, 14):
        told.clear()
        parts = tune(
            *common, tmp_path / "parts", number, name="whole", ended=lambda trial: told.append(trial["number"])
        )
    assert settings(parts) == settings(whole) and told == [12, 13]
    assert len({str(each) for each in settings(whole)}) == 14
    other = tune(pretend.config(seed=2), pretend.space(), pretend.data(), tmp_path / "other", 3)
    assert settings(other) != settings(whole)[:3]


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("when", ["before its settings are drawn", "in training"])
def test_settings_of_a_lost_trial_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    common = (pretend.config(), pretend.space(), pretend.data())
    whole = tune(*common, tmp_path / "whole", 4)
    asked: list[int] = []

    def stop(*_: Any, **__: Any) -> None:
        asked.append(0)
        if len(asked) in (2, 4):
            raise KeyboardInterrupt

    def interrupted(function: Any) -> Any:
        return lambda *words, **more: stop() or function(*words, **more)

    if when == "in training":
        monkeypatch.setattr(trials, "fit", interrupted(pretend.fit))
    else:
        monkeypatch.setattr(Space, "suggest", interrupted(Space.suggest))
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tune(*common, tmp_path / "parts", 4, name="whole")
    parts = tune(*common, tmp_path / "parts", 4, name="whole")
    assert [trial["number"] for trial in parts["trials"]] == [0, 2, 4, 5]
    assert sorted(map(str, settings(parts))) == sorted(map(str, settings(whole)))


@pytest.mark.usefixtures("pretended")
def test_a_study_goes_on_only_as_it_was_begun(tmp_path: Path) -> None:
    tune(pretend.config(), pretend.space(), pretend.data(), tmp_path / "out", 2)
    with pytest.raises(TrainingError, match="study out: was begun with epochs = 4, not 5"):
        tune(pretend.config(epochs=5), pretend.space(), pretend.data(), tmp_path / "out", 2)
    with pytest.raises(TrainingError, match="was begun with data_digest"):
        tune(pretend.config(), pretend.space(), pretend.data(seed=1), tmp_path / "out", 2)
    with pytest.raises(TrainingError, match="was begun with batch_size = 128, not 'tuned'"):
        tune(pretend.config(), pretend.space(batch_size=[2, 4]), pretend.data(), tmp_path / "out", 2)


@pytest.mark.usefixtures("pretended")
def test_where_every_trial_fails_it_says_why(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="none of 2 trials came to its end; the last: the loss is nan"):
        tune(
            pretend.config(model={"depth": 4}),
            pretend.space(model={"width": [2, 4]}),
            pretend.data(),
            tmp_path / "o",
            2,
        )
    assert not (tmp_path / "o" / "best.toml").exists()


def _process(folder: Path, url: str, number: int, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-W", "error", "-m", "tests.support.pretend_training", folder, url, number, seconds]
    path = {"PYTHONPATH": f"{CHECKOUT / 'src'}{os.pathsep}{CHECKOUT}"}
    return subprocess.Popen(
        [str(word) for word in words], cwd=CHECKOUT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(folder, **path),
    )  # fmt: skip


def test_two_processes_share_a_study(database: str, tmp_path: Path) -> None:
    both = [_process(tmp_path / name, database, 9, 0.3) for name in ("one", "two")]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    one, two = (json.loads((tmp_path / name / "tuning.json").read_text()) for name in ("one", "two"))
    assert len(one["trials"]) == 9 and settings(one) == settings(two)
    assert len({str(each) for each in settings(one)}) == 9
    assert (tmp_path / "one" / "best.toml").read_text() == (tmp_path / "two" / "best.toml").read_text()


def test_a_trial_that_was_killed_does_not_block_and_does_not_count(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    process = _process(folder, database, 4, 500)
    try:
        until = time.monotonic() + 60
        while not (begun := list(folder.glob(".trials/*/last.npz"))) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        process.kill()
        _, errors = process.communicate()
    assert begun, errors
    monkeypatch.setattr(trials, "fit", pretend.fit)
    result = tune(
        pretend.config(), pretend.space(), pretend.data(), folder, 4, url=sa.make_url(database), name="shared",
        heartbeat=(1, 3),
    )  # fmt: skip
    numbers = [trial["number"] for trial in result["trials"]]
    assert len(numbers) == 4 and int(begun[0].parent.name) not in numbers
    assert not (folder / ".trials").exists()


@pytest.mark.usefixtures("pretended")
def test_a_trial_that_was_given_up_meanwhile_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    url = sa.make_url(f"sqlite:///{tmp_path / 'study.db'}")
    given_up: list[int] = []

    def fit(chosen: Any, of: Any, folder: Path, *, resume: bool, watcher: Any) -> None:
        if not given_up:  # as another process would, without a heartbeat
            study = optuna.load_study(study_name="study", storage=str(url))
            study.tell(0, state=optuna.trial.TrialState.FAIL)
            given_up.append(0)
        pretend.fit(chosen, of, folder, resume=resume, watcher=watcher)

    monkeypatch.setattr(trials, "fit", fit)
    result = tune(pretend.config(), pretend.space(), pretend.data(), tmp_path / "out", 2, url=url, name="study")
    assert [trial["number"] for trial in result["trials"]] == [1, 2]


@pytest.mark.usefixtures("pretended")
def test_a_storage_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    common = (pretend.config(), pretend.space(), pretend.data(), tmp_path / "out", 1)
    with pytest.raises(
        StoreError, match=r"storage postgresql\+psycopg://127\.0\.0\.1:9/none: opening failed"
    ) as failed:
        tune(*common, url=sa.make_url("postgresql+psycopg://user:secret@127.0.0.1:9/none"))
    assert "secret" not in str(failed.value) and "\n" not in str(failed.value)
    with pytest.raises(StoreError, match="unable to open database file"):
        tune(*common, url=sa.make_url(f"sqlite:///{tmp_path}/none/study.db"))
    with pytest.raises(ConfigError, match="1 trial or more, not 0"):
        tune(*common[:4], 0)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ExtraMissingError, match=r"optuna is not installed.*felicity\[tune\]"):
        tune(*common)
    monkeypatch.undo()
    assert not (tmp_path / "out").exists()


SMALL = ("--model", "test-tiny", "--size", 16, "--epochs", 1, "--threads", 1)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes, 60 pictures."""
    return write_class_folders(tmp_path_factory.mktemp("data") / "faces", {"happy": 30, "sad": 30})


def test_the_command_finds_a_configuration_that_train_takes(faces: Path, tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    # A batch of 1000 does not fit 38 images: such a trial fails, and the others go on.
    space.write_text("learning_rate = { low = 1e-3, high = 1e-1, log = true }\nbatch_size = [8, 1000]\n")
    backend = keras_here()
    words = ["tune", faces, *SMALL, "--backend", backend, "--space", space, "--trials", 3, "-o", tmp_path / "tu ö"]
    found = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert found.exit_code == 0, found.exception
    printed = json.loads(found.stdout)["data"]
    assert {trial["settings"]["batch_size"]: trial["state"] for trial in printed["trials"]} == {
        8: "done",
        1000: "failed",
    }
    (failed, *_) = (trial for trial in printed["trials"] if trial["state"] == "failed")
    assert failed["sentence"].startswith("batch_size is 1000, but the training set has")
    again = CliRunner().invoke(app, [str(word) for word in words])
    assert again.exit_code == 0 and "best trials" in again.stdout and "failed: batch_size is 1000" in again.stderr
    run = tmp_path / "run"
    advice = shlex.split(again.stderr.split("train with: ")[1])
    trained = CliRunner().invoke(app, [*advice[1:], "-o", str(run)])
    assert trained.exit_code == 0, trained.exception
    row = json.loads((run / "run.json").read_text())
    assert row["config"] == printed["best"]["config"]
    assert (run / "history.csv").read_text().count("\n") == 2


@dataclass
class Counting(Watcher):
    """Counts a trial's epochs, and is interrupted in epoch ``until``."""

    epochs: list[int]
    until: int | None

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        if epoch == self.until:
            raise KeyboardInterrupt

    def epoch(self, done: Epoch, epochs: int) -> None:
        self.epochs.append(done.epoch)


@pytest.fixture(scope="module")
def undisturbed(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Asked, dict[str, Any]]:
    """A study of two trials, and what it found."""
    small = {"model": {"name": "test-tiny"}, "epochs": 3, "batch_size": 8, "threads": 1}
    config = make_config(small, {"backend": keras_here(), "data": {"path": str(faces), "size": 16}})
    space = parse_space({"learning_rate": {"low": 1e-3, "high": 1e-2}}, where="space")
    asked = config, space, load_training_set(config.data)
    return asked, tune(*asked, tmp_path_factory.mktemp("study") / "whole", 2)


@pytest.mark.parametrize("until", [2, 3, None])
def test_a_lost_trial_goes_on_from_its_checkpoint(
    undisturbed: tuple[Asked, dict[str, Any]], tmp_path: Path, until: int | None
) -> None:
    asked, whole = undisturbed
    epochs: list[int] = []

    def ended(trial: dict[str, Any]) -> None:
        assert trial["epochs"] == 3

    def interrupted_at_its_end(*words: Any, **more: Any) -> None:
        fit(*words, **more)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        if until is None:  # all epochs are done, and nobody knows
            patch.setattr(trials, "fit", interrupted_at_its_end)
        watch = lambda number, config: Counting(epochs, until)  # noqa: E731
        tune(*asked, tmp_path / "parts", 2, name="whole", watch=watch)
    before = epochs.copy()
    parts = tune(
        *asked, tmp_path / "parts", 2, name="whole", ended=ended,
        watch=lambda number, config: Counting(epochs, None),
    )  # fmt: skip
    assert before == [1, 2, 3][: (until or 4) - 1] and epochs == [1, 2, 3, 1, 2, 3], "no epoch is trained twice"
    assert [trial["val_loss"] for trial in parts["trials"]] == [trial["val_loss"] for trial in whole["trials"]]
    assert not (tmp_path / "parts" / ".trials").exists()


def test_a_configuration_that_would_be_replaced_is_kept(faces: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    best = folder / "best.toml"
    best.write_text("epochs = 1\n")
    refused = CliRunner().invoke(app, ["tune", str(faces), "--config", str(best), "-o", str(folder)])
    assert refused.exit_code and "is read by this command, and would be replaced" in str(refused.exception)
    assert best.read_text() == "epochs = 1\n"


def test_networks_that_cannot_be_built_are_passed_over(faces: Path, tmp_path: Path) -> None:
    fixed = ("--learning-rate", 0.01, "--batch-size", 8, "--augment", "none", "--width", 8, "--dropout", 0)
    words = ["tune", faces, "--model", "paper-cnn", "--epochs", 1, "--threads", 1, "--backend", keras_here(), *fixed]
    found = CliRunner().invoke(app, [*map(str, words), "--trials", "5", "-o", str(tmp_path / "out"), "--json"])
    assert found.exit_code == 0, found.exception
    figures = json.loads(found.stdout)["data"]
    assert [trial["state"] for trial in figures["trials"]] == ["done"] * 5
    over = figures["impossible"]
    assert over and {(t["settings"]["model.depth"], t["settings"]["model.filter_size"]) for t in over} <= {
        (4, 5), (5, 3), (5, 5),
    }  # fmt: skip
    for trial in over:
        assert trial["sentence"].startswith("model paper-cnn cannot be built") and trial["state"] == "impossible"
        assert f"trial {trial['number']} skipped: model paper-cnn cannot be built" in " ".join(found.stderr.split())
    assert {trial["number"] for trial in (*over, *figures["trials"])} == set(range(5 + len(over)))
    again = CliRunner().invoke(app, [*map(str, words), "--trials", "5", "-o", str(tmp_path / "out")])
    assert f"5 done, 0 pruned, 0 failed, {len(over)} skipped" in again.stderr


@pytest.mark.usefixtures("pretended")
def test_a_space_without_a_network_that_can_be_built_ends_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(*_: Any, **__: Any) -> None:
        raise NetworkError("model m cannot be built")

    monkeypatch.setattr(trials, "fit", fit)
    monkeypatch.setattr(study, "MOST_IMPOSSIBLE", 4)
    for _ in range(2):  # the same call again says the same at once
        with pytest.raises(TrainingError, match=r"the last 4 draws .* cannot be built; .* the last: model m cannot"):
            tune(pretend.config(), pretend.space(), pretend.data(), tmp_path / "out", 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--trials", 0), "1 trial or more"),
        (("--space", "none.toml"), "no TOML file and no preset"),
        (("--space", "study", "--learning-rate", 0.1, "--depth", 2, "--filter-size", 3), "nothing is left to tune"),
        (("--storage", "mysql://host/db"), "SQLite or PostgreSQL"),
        (("--model", "none"), "'none' is not known"),
        (("--storage", "postgresql://user@127.0.0.1:9/none"), "opening failed"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    faces: Path, tmp_path: Path, options: tuple[object, ...], says: str
) -> None:
    backend = keras_here()
    words = ["tune", faces, *SMALL, "--backend", backend, "-o", tmp_path / "out", *options]
    failed = CliRunner().invoke(app, [str(word) for word in words])
    assert failed.exit_code != 0 and isinstance(failed.exception, FelicityError) and says in str(failed.exception)
    assert not (tmp_path / "out").exists()
