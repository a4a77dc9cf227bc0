"""What a training is put together from: settings, learning rates, batches, targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from felicity.cli.app import app as commands
from felicity.cli.settings import flag_of
from felicity.datasets.augment import PRESETS, Augmentation
from felicity.errors import ConfigError
from felicity.imaging.spec import InputSpec
from felicity.style.charts import to_png
from felicity.training.config import DataConfig, Layer, ModelConfig, TrainConfig, make_config, read_toml, to_toml
from felicity.training.curves import draw_curves
from felicity.training.data import load_training_set, training_set
from felicity.training.feed import Feed, balanced_order, normalise
from felicity.training.fit import make_feed
from felicity.training.labelled_images import LabelledImages
from felicity.training.run import open_run
from felicity.training.schedule import learning_rate
from felicity.training.views import Views
from tests.support import faces_on_disk as disk
from tests.support.class_folders import write_class_folders

DATA = {"data": {"path": "faces"}}


def part(n: int = 40, classes: int = 3, seed: int = 0) -> LabelledImages:
    rng = np.random.default_rng(seed)
    return LabelledImages(rng.integers(0, 256, (n, 16, 16), dtype=np.uint8), np.arange(n) % classes, None)


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    config = make_config(
        {"data": {"path": '/data/\U0001f600 faces "ours"'}},
        {"augment": "camera", "augmentation": {"blur": 0.25}, "model": {"width": 24}, "soft_labels": True},
    )
    file = tmp_path / "winner.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    assert make_config(read_toml(file)) == config


def test_votes_for_a_class_without_images_are_shared_out(tmp_path: Path) -> None:
    faces = disk.made_up(70)
    votes = np.zeros((70, 10), dtype=np.int64)
    votes[np.arange(70), np.arange(70) % 7] = 6
    votes[::2, 7] = 4  # contempt, which no face is most voted for
    disk.write_csv(faces, tmp_path / "fer2013.csv")
    disk.write_ferplus(votes, faces.folds, tmp_path / "fer2013new.csv")
    made = load_training_set(DataConfig(path=str(tmp_path)), soft=True)
    assert len(made.classes) == 7 and made.train.soft is not None
    assert made.train.soft.sum(1) == pytest.approx(np.ones(len(made.train)))


def test_names_alone_ask_for_no_class_without_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FELICITY_HOME", str(tmp_path / "home"))
    write_class_folders(tmp_path / "faces", {"smile": 20, "frown": 20})
    names = tmp_path / "names.toml"
    names.write_text('[names]\nsmile = "happy"\nfrown = "anger"\n')
    monkeypatch.chdir(tmp_path)
    config = DataConfig(path=str(tmp_path / "faces"), classes=names.name, size=16)
    monkeypatch.chdir(tmp_path / "faces")
    assert load_training_set(config).classes == ("happy", "anger"), "found from another folder, too"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match=r"data\.path is missing"):
        make_config({"data": {}})


def test_later_layers_win_and_nothing_given_changes_nothing() -> None:
    config = make_config(
        DATA, {"epochs": 5, "model": {"width": 8}}, {"epochs": None, "model": {"depth": 2, "width": None}}
    )
    assert (config.epochs, config.model.width, config.model.depth) == (5, 8, 2)


def test_a_preset_takes_the_place_of_another_with_its_values() -> None:
    below = {"augment": "camera", "augmentation": {"noise": 0.9}}
    assert make_config(DATA, below, {"augment": None}).how_augmented() == Augmentation(noise=0.9)
    assert make_config(DATA, below, {"augment": "none"}).how_augmented() is None
    assert make_config(DATA, below, {"augment": "mild"}).how_augmented() == PRESETS["mild"]
    turned = make_config(DATA, below, {"augment": "geometry", "augmentation": {"turn": 3.0}}).how_augmented()
    assert turned == replace(PRESETS["geometry"], turn=3.0)


def test_values_without_a_preset_of_their_own_or_with_the_same_stay() -> None:
    values = {"augmentation": {"noise": 0.9}}
    for below in (values, {"augment": "camera", **values}):
        assert make_config(DATA, below, {"augment": "camera"}).how_augmented() == Augmentation(noise=0.9)
    more = {"augment": "mild", "augmentation": {"turn": 3.0}}
    both = make_config(DATA, values, {"augment": "mild"}, more).how_augmented()
    assert both == replace(PRESETS["mild"], noise=0.9, turn=3.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"augmentation": {"blur": 1.0}}, "augment is none"),
        ({"augment": "camera", "augmentation": {"wobble": 1.0}}, "augmentation"),
        ({"model": {"heads": 2}}, "model.heads is not a setting"),
        ({"data": {"size": 3}}, "data.size"),
        ({"model": "resnet5"}, r"model must be a table, not 'resnet5'"),
        (
            {"augment": "camera", "augmentation": {"foo": 1.0}},
            "augmentation.foo is not a setting; known are shift, zoom",
        ),
        ({"augment": "camera", "augmentation": {"zoom": "far"}}, "augmentation.zoom must be a number, not 'far'"),
        ({"teachers": ["best", 3]}, "teachers.1 must be text, not 3"),
        ({"epochs": True}, "epochs must be a whole number of 1 to 10,000, not True"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0 to 100, not nan"),
        ({"optimizer": "rmsprop"}, "optimizer must be sgd, adam or adamw, not 'rmsprop'"),
        ({"lr": 0.1}, "lr is not a setting; known are .*learning_rate"),
        ({"class_weights": True, "sampling": "balanced"}, "choose one of them"),
        ({"precision": "bfloat16"}, "precision bfloat16 is for the backend torch and jax, not tensorflow"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_config(DATA, wrong)


def test_a_wrong_value_is_named_as_in_the_source_that_wins(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("epochs = 0\n[model]\nwidth = 5000\n", encoding="utf-8")
    layers = DATA, read_toml(file)
    with pytest.raises(ConfigError, match=rf"^{file}: model.width must be a whole number of 1 to 1,024, not 5000"):
        make_config(*layers)
    with pytest.raises(ConfigError, match=rf"^{file}: epochs must be"):
        make_config(*layers, Layer({"model": {"width": 8}}, flag_of))
    with pytest.raises(ConfigError, match=r"^--width must be a whole number of 1 to 1,024, not -1"):
        make_config(*layers, Layer({"model": {"width": -1}}, flag_of))


def test_every_setting_has_a_flag_of_its_name_and_a_help_text() -> None:
    app = typer.main.get_command(commands)
    flags = {option for parameter in app.commands["train"].params for option in parameter.opts}  # type: ignore[attr-defined]
    fields = {**TrainConfig.model_fields, **ModelConfig.model_fields, **DataConfig.model_fields}
    tables_and_exceptions = {"data", "model", "augmentation", "path", "name", "licence", "metrics"}
    for name in fields.keys() - tables_and_exceptions:
        assert f"--{name.replace('_', '-')}" in flags and fields[name].description
    for command, missing in (("crossval", set()), ("tune", set()), ("compare", {"--backend"})):
        has = {option for parameter in app.commands[command].params for option in parameter.opts}  # type: ignore[attr-defined]
        assert {flag for flag in flags if flag not in ("-o", "--output", "--resume", "--track")} - has == missing
    assert "--metric" in flags and "--track" in {o for each in app.commands["crossval"].params for o in each.opts}  # type: ignore[attr-defined]


@pytest.mark.parametrize("wrong", [{"data": "faces.csv"}, {"model": "resnet5", **DATA}])
def test_a_value_in_place_of_a_table_is_named(wrong: dict[str, object]) -> None:
    key = min(wrong, key=lambda name: isinstance(wrong[name], dict))
    flags = {"data": {"path": None}, "model": {"name": None}}
    with pytest.raises(ConfigError, match=rf"{key} must be a table, \[{key}\] with its settings below, not"):
        make_config(wrong, flags)


@given(
    schedule=st.sampled_from(["constant", "cosine", "one-cycle"]),
    steps=st.integers(1, 400),
    warm_up=st.sampled_from([0.0, 0.1]),
)
def test_learning_rates_are_positive_and_never_above_the_highest(schedule: str, steps: int, warm_up: float) -> None:
    config = make_config(DATA, {"schedule": schedule, "learning_rate": 0.5, "warm_up": warm_up})
    rates = [learning_rate(config, step, steps) for step in range(steps)]
    assert all(0 < rate <= 0.5 + 1e-12 for rate in rates)
    if schedule != "constant" and steps > 20:
        assert rates[-1] < 0.05 * max(rates)


def test_one_cycle_rises_then_falls() -> None:
    config = make_config(DATA, {"schedule": "one-cycle", "learning_rate": 1.0})
    rates = [learning_rate(config, step, 100) for step in range(100)]
    top = int(np.argmax(rates))
    assert top == 25 and rates[0] == pytest.approx(1 / 25)
    assert all(np.diff(rates[: top + 1]) > 0) and all(np.diff(rates[top:]) < 0)


def feed(how: Augmentation | None = None, *, seed: int = 3) -> Feed:
    faces = part()
    return Feed(faces, faces.targets(3), Views(seed, 8, how), mean=0.5, std=0.25)


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    one, two = ([batch.faces for batch in feed().epoch(e)] for e in (0, 1))
    first, second = (np.sort(np.concatenate(e).reshape(40, -1).sum(1)) for e in (one, two))
    np.testing.assert_allclose(first, second)
    assert not np.array_equal(one[0], two[0])


def test_balanced_epochs_show_as_many_of_each_class_and_images_in_turns() -> None:
    classes = np.array([0] * 27 + [1] * 10 + [2] * 3)
    for epoch in range(3):
        rows = balanced_order(classes, 1, epoch)
        assert len(rows) == 40 and sorted(np.bincount(classes[rows])) == [13, 13, 14]
        shown = np.bincount(rows, minlength=40)
        assert shown[:27].max() == 1 and np.ptp(shown[27:37]) <= 1 and np.ptp(shown[37:]) <= 1
    assert not np.array_equal(balanced_order(classes, 1, 0), balanced_order(classes, 1, 1))
    config = make_config(DATA, {"sampling": "balanced", "batch_size": 4})
    few = LabelledImages(np.zeros((40, 8, 8), np.uint8), classes, None)
    targets = np.concatenate(
        [batch.targets for batch in make_feed(config, training_set(("a", "b", "c"), few, few, few, where="x")).epoch(0)]
    )
    assert sorted(targets.sum(0).astype(int)) == [13, 13, 14], "by the setting, too"


@pytest.mark.parametrize("how", [None, Augmentation()])
def test_a_batch_depends_on_seed_epoch_and_step_alone(how: Augmentation | None) -> None:
    whole = list(feed(how).epoch(2))
    later = list(feed(how).epoch(2, first=3))
    for one, other in zip(whole[3:], later, strict=True):
        np.testing.assert_array_equal(one.faces, other.faces)
        np.testing.assert_array_equal(one.targets, other.targets)
    assert not np.array_equal(whole[0].faces, next(iter(feed(how, seed=4).epoch(2))).faces)


@pytest.mark.parametrize("shape", [(5, 16, 16), (5, 16, 16, 3)])
def test_pixels_are_normalised_as_bundles_have_them(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    spec = InputSpec(16, "gray" if len(shape) == 3 else "rgb", 0.5, 0.25)
    np.testing.assert_array_equal(normalise(images, 0.5, 0.25).transpose(0, 3, 1, 2), spec.batch(images))


def test_targets_are_votes_where_there_are_any_and_smoothed_labels_elsewhere() -> None:
    votes = np.zeros((3, 3), dtype=np.float32)
    votes[1] = [0.7, 0.3, 0.0]
    some = LabelledImages(np.zeros((3, 16, 16), dtype=np.uint8), np.array([0, 1, 2]), votes)
    np.testing.assert_allclose(some.targets(3), np.eye(3))
    np.testing.assert_allclose(some.targets(3, soft=True)[1], votes[1])
    smoothed = some.targets(3, smoothing=0.3)
    np.testing.assert_allclose(smoothed.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(smoothed[0], [0.8, 0.1, 0.1], rtol=1e-6)


def test_curves_are_drawn_from_the_first_epoch_on() -> None:
    row = {"epoch": 1, "loss": 1.0, "accuracy": 0.4, "val_loss": 1.1, "val_accuracy": 0.3}
    one, two = (to_png(draw_curves(rows, "x")) for rows in ([row], [row, row | {"epoch": 2, "loss": 0.5}]))
    assert one.startswith(b"\x89PNG") and one != two


def test_the_defaults_are_the_studys() -> None:
    config = TrainConfig(data={"path": "faces"})  # type: ignore[arg-type]
    assert config.epochs == 30 and config.augment == "none" and config.data.test_share == 0.3


def test_a_run_folder_of_the_first_layout_is_read() -> None:
    run = open_run(Path(__file__).parent / "kept")
    assert (run.config.model.name, run.config.data.size, run.classes[1]) == ("best", 48, "happy")
    assert (run.mean, run.std) == (0.5016, 0.2564) and run.facts["start"] == "best@45bdd865d1c0"
