"""What may be tuned: the syntax of a space, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from felicity.errors import ConfigError
from felicity.training.config import make_config
from felicity.training.same import flat
from felicity.training.tuning.space import PRESETS, check_space, parse_space, read_space

BASE = make_config({"data": {"path": "faces"}, "model": {"name": "paper-cnn"}})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_suggest_what_a_training_takes(name: str) -> None:
    space = read_space(name)
    check_space(space, BASE, where=name)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        suggested = space.suggest(study.ask())
        chosen = flat(make_config(BASE.model_dump(), suggested).model_dump())
        assert flat(suggested).keys() == {each.name for each in space.dimensions}
        assert flat(suggested).items() <= chosen.items()


def test_the_study_searched_these_values() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        chosen = make_config(BASE.model_dump(), read_space("study").suggest(study.ask()))
        assert 1e-4 <= chosen.learning_rate <= 1e-2
        assert chosen.model.filter_size in (3, 5) and isinstance(chosen.model.depth, int)


def test_the_study_tuned_learning_rate_layers_and_filter_size() -> None:
    names = [each.name for each in read_space("study").dimensions]
    assert names == ["learning_rate", "model.depth", "model.filter_size"]
    assert set(names) < {each.name for each in read_space("default").dimensions}


def test_ranges_include_their_ends_and_keep_to_their_steps() -> None:
    space = parse_space({"model": {"width": {"low": 8, "high": 24, "step": 8}}}, where="space")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    assert {space.suggest(study.ask())["model"]["width"] for _ in range(30)} == {8, 16, 24}


def test_settings_that_are_given_leave_the_space() -> None:
    given = flat({"learning_rate": 0.1, "model": {"depth": 2}})
    assert [each.name for each in read_space("study").without(given, where="study").dimensions] == ["model.filter_size"]
    with pytest.raises(ConfigError, match="nothing is left to tune"):
        read_space("study").without([*given, "model.filter_size"], where="study")


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({}, "tunes nothing"),
        ({"learning_rat": [1, 2]}, "learning_rat is no setting that can be tuned; there are .*learning_rate"),
        ({"model": {"deep": [1, 2]}}, "model.deep is no setting"),
        ({"model": ["resnet5", "paper-cnn"]}, "model is no setting"),
        ({"epochs": {"low": 1, "high": 5}}, "epochs is no setting that can be tuned"),
        ({"second_weight": [0.1, 1.0]}, "second_weight is no setting that can be tuned"),
        ({"learning_rate": 0.1}, "is one value; give choices"),
        ({"learning_rate": {"low": 0.1}}, "high must be a number, not None"),
        ({"learning_rate": {"low": 0.1, "high": 0.2, "max": 3}}, "max is not known; a range has high, log, low, step"),
        ({"learning_rate": {"low": 0.2, "high": 0.2}}, "from 0.2 to 0.2 is empty"),
        ({"learning_rate": {"low": "a", "high": 0.2}}, "low must be a number, not 'a'"),
        ({"learning_rate": {"low": 0.0, "high": 0.2, "log": True}}, "logarithmic range begins above 0"),
        ({"learning_rate": {"low": 0.1, "high": 0.2, "log": 1}}, "log must be true or false"),
        ({"batch_size": {"low": 1.5, "high": 4}}, "low must be a whole number"),
        ({"batch_size": {"low": 8, "high": 20, "step": 8}}, "steps of 8 from 8 do not end at 20"),
        ({"batch_size": {"low": 8, "high": 20, "step": 80}}, "step must lie above 0 and within"),
        ({"batch_size": [8]}, "two or more different values"),
        ({"batch_size": [8, 8]}, "two or more different values"),
        ({"batch_size": [8, [9]]}, "plain values"),
    ],
)
def test_a_space_that_says_something_impossible_is_refused(tree: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_space(tree, where="space.toml")


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (
            {"learning_rate": {"low": 0.1, "high": 1000.0}},
            "learning_rate = 1000.0 is not possible.*above 0 to 100",
        ),
        ({"optimizer": ["adam", "lion"]}, "optimizer = 'lion' is not possible"),
        ({"model": {"filter_size": {"low": 3, "high": 5}}}, "filter_size = 4 is not possible.*must be odd"),
        ({"model": {"name": ["paper-cnn", "lenet"]}}, "name = 'lenet' is not possible"),
        ({"model": {"dropout": [0.1, 1.5]}}, "dropout = 1.5 is not possible"),
        ({"augmentation": {"turn": [5, 10]}}, "augment is none; choose geometry, camera or mild"),
        ({"augment": ["camera", "none"], "augmentation": {"turn": [5, 10]}}, "augment = 'none' is not possible"),
    ],
)
def test_values_that_no_training_takes_are_refused(tree: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_space(parse_space(tree, where="space.toml"), BASE, where="space.toml")


def test_a_space_is_a_preset_or_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no TOML file and no preset; the presets are default, study"):
        read_space(str(tmp_path / "none.toml"))
    (tmp_path / "broken.toml").write_text("learning_rate = [1")
    with pytest.raises(ConfigError, match="cannot be read as a TOML configuration"):
        read_space(str(tmp_path / "broken.toml"))
