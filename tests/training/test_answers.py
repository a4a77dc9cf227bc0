"""Answers of teachers in files: a student learns from them as if it had asked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from felicity.errors import ConfigError
from felicity.training.answers import open_answers, write_answers
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet, load_training_set
from felicity.training.fit import fit, make_feed, views_of
from felicity.training.run import open_run, resume
from felicity.training.views import ImageArray, digest_of, lightness, mirrored
from tests.support import faces_on_disk as disk

CLASSES = 7


def knows(images: ImageArray) -> np.ndarray:
    """What a teacher says of pixels: float32 ``(N, 7)``, other things of mirror images."""
    shares = images[:, ::7, :7].astype(np.float32).mean(1) + 1
    return np.asarray(shares / shares.sum(1, keepdims=True))


def answered(folder: Path, config: TrainConfig, data: TrainingSet, number: int = 2) -> str:
    """Answers to views that are made here as another machine would."""
    views, images = views_of(config, len(data.train)), data.train.images
    nothing, said = np.zeros((len(images), 1), np.float32), []
    for view in range(number):
        made = np.concatenate([views.make(block, images, nothing)[0] for block in views.of(view, len(images))])
        mean = (knows(made) + knows(mirrored(made))) / 2
        said.append((mean.astype(np.float16), lightness(made)))
    write_answers(folder, views, [data.classes], digest_of(images), said, {"teachers": ["made up"]})
    return str(folder)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    path = disk.write_csv(disk.made_up(150), tmp_path_factory.mktemp("data") / "fer2013.csv")
    return make_config(
        {"data": {"path": str(path), "size": 48}, "model": {"name": "test-tiny"}, "backend": "torch", "threads": 1},
        {"batch_size": 16, "epochs": 1, "augment": "mild", "mix": 0.5, "views": 2, "teacher_share": 1.0, "seed": 3},
    )


@pytest.fixture(scope="module")
def data(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FELICITY_HOME", str(tmp_path_factory.mktemp("home")))
        return load_training_set(config.data)


@pytest.fixture(scope="module")
def folder(config: TrainConfig, data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> str:
    return answered(tmp_path_factory.mktemp("answers") / "far", config, data)


def test_targets_are_the_answers_to_the_very_images(config: TrainConfig, data: TrainingSet, folder: str) -> None:
    feed = make_feed(make_config(config.model_dump(), {"teachers": [folder]}), data)
    for epoch in (0, 1, 3):
        batch = feed.batch(np.arange(16, 32), epoch, 1)
        shown = np.rint((batch.faces[..., 0] * data.std + data.mean) * 255).astype(np.uint8)
        expected = (knows(shown) + knows(mirrored(shown))) / 2
        np.testing.assert_allclose(batch.targets, expected, atol=1e-3)


def test_several_teachers_answer_on_average(
    config: TrainConfig, data: TrainingSet, folder: str, tmp_path: Path
) -> None:
    other = Path(answered(tmp_path / "other", config, data, number=3))
    facts = json.loads((other / "answers.json").read_text())
    assert facts["made"] == {"teachers": ["made up"]} and facts["number"] == 3
    one, both = (
        make_feed(make_config(config.model_dump(), {"teachers": where}), data).batch(np.arange(16), 1, 0).targets
        for where in ([folder], [folder, str(other)])
    )
    np.testing.assert_allclose(one, both, atol=1e-6)


def test_a_run_names_the_answers_it_learnt_from(
    config: TrainConfig, data: TrainingSet, folder: str, tmp_path: Path
) -> None:
    taught = make_config(config.model_dump(), {"teachers": [folder]})
    fit(taught, data, tmp_path / "run")
    said = open_run(tmp_path / "run").facts["teachers"]
    assert said == [open_answers(folder).id] and said[0].startswith("far@")
    assert resume(tmp_path / "run", taught, data)[0].facts["teachers"] == said


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"views": 0}, "views is 0; train with --views 2"),
        ({"views": 3}, "answers to 2 views, not 3"),
        ({"seed": 4}, "made for seed 3, not 4"),
        ({"batch_size": 8}, "made for batch_size 16, not 8"),
        ({"mix": 0.0}, "made for mix 0.5, not 0"),
        ({"augment": "camera"}, "made for augmentation "),
    ],
)
def test_answers_to_other_views_are_refused(
    config: TrainConfig, data: TrainingSet, folder: str, changed: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_feed(make_config(config.model_dump(), {"teachers": [folder]}, changed), data)


def test_answers_to_other_images_are_refused(config: TrainConfig, data: TrainingSet, folder: str) -> None:
    darker = replace(data.train, images=data.train.images // 2)
    taught = make_config(config.model_dump(), {"teachers": [folder]})
    with pytest.raises(ConfigError, match="answers to other images"):
        make_feed(taught, replace(data, train=darker))


def test_views_that_come_out_otherwise_are_refused(
    config: TrainConfig, data: TrainingSet, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a version of OpenCV or NumPy that draws or rounds in another way."""
    feed = make_feed(make_config(config.model_dump(), {"teachers": [folder]}), data)
    monkeypatch.setattr("felicity.training.views.VIEW", 2)
    with pytest.raises(ConfigError, match="answers to other pictures than view 0 shows from image 0 on"):
        feed.batch(np.arange(16), 0, 0)


def test_damaged_answers_are_refused(config: TrainConfig, data: TrainingSet, tmp_path: Path) -> None:
    folder = Path(answered(tmp_path / "far", config, data))
    (part,) = folder.glob("views-*.npz")
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    with pytest.raises(ConfigError, match=r"views-00\.npz: was changed after it was written"):
        open_answers(folder)
    part.unlink()
    with pytest.raises(ConfigError, match="cannot be read as answers of teachers"):
        open_answers(folder)
    (folder / "answers.json").write_text('{"format": 2}')
    with pytest.raises(ConfigError, match="format 1 expected, found 2"):
        open_answers(folder)
