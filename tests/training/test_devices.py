"""What computes: the choice of a device and a precision, and that batches come the same from many threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import felicity
from felicity.cli.app import app
from felicity.errors import ConfigError, TrainingError
from felicity.models import devices
from felicity.models.backend import installed_backends
from felicity.models.devices import Found, find_devices, survey
from felicity.training.config import make_config
from felicity.training.engines import open_engine
from felicity.training.engines import torch as engine_of_torch
from felicity.training.engines.torch import Scaling
from felicity.training.feed import Feed
from felicity.training.labelled_images import LabelledImages
from felicity.training.same import check_same
from felicity.training.views import Views
from tests.conftest import CHECKOUT
from tests.support.keras_here import keras_here, on_backend

DATA = {"data": {"path": "faces", "size": 16}, "model": {"name": "test-tiny"}, "threads": 1}


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (["cpu"], r"device cuda is not available for torch, which finds cpu here; choose one of these, or auto"),
        (["cpu", "cuda"], r"Keras computes on cpu in this process; cuda needs a process of its own"),
    ],
)
def test_a_device_that_is_not_there_is_one_sentence_before_anything_is_written(
    there: list[str], says: str, data_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "find_devices", lambda *_, **__: [Found("torch", name, "") for name in there])
    chosen = {"backend": keras_here(), "device": "cuda", "model": {"name": "test-tiny"}}
    for job in (felicity.train, felicity.crossval, felicity.tune):
        with pytest.raises(ConfigError, match=says):
            job(data_set, tmp_path / "out", settings=chosen)  # type: ignore[operator]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"device": "tpu"}, "device must be auto, cpu, cuda or mps, not 'tpu'"),
        ({"device": "mps"}, "device mps is for the backend torch, not tensorflow"),
        ({"precision": "float16", "backend": "jax"}, "precision float16 is for the backend torch, not jax"),
        ({"precision": "float16", "backend": "torch", "device": "cpu"}, "float16 is for GPUs, not for device cpu"),
    ],
)
def test_what_no_device_can_do_is_refused(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make_config(DATA, settings)


def test_evaluate_takes_a_device_for_runs_alone(data_set: Path) -> None:
    failed = CliRunner().invoke(app, ["evaluate", "best", "--data", str(data_set), "--device", "cuda"])
    assert "best: a bundle is computed on the processor, not on cuda; leave --device out" in str(failed.exception)
    failed = CliRunner().invoke(app, ["evaluate", "best", "--device", "gpu"])
    assert "device must be auto, cpu, cuda, mps, not 'gpu'" in str(failed.exception)


def test_a_run_may_go_on_on_another_device_but_not_in_another_precision() -> None:
    then = make_config(DATA, {"device": "cuda"}).model_dump()
    check_same("run", then, make_config(DATA, {"device": "cpu"}).model_dump())
    with pytest.raises(TrainingError, match="was begun with precision = 'float32', not 'bfloat16'"):
        check_same("run", then, then | {"precision": "bfloat16"})


def test_doctor_names_the_devices_of_each_framework(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)["data"]["devices"]
    assert [each["backend"] for each in told if each["device"] == "cpu"] == list(installed_backends())
    monkeypatch.setattr(devices, "without_gpu", lambda backend: False)
    assert survey(("torch",))[0].device == "cpu", "asked in a process of its own"
    monkeypatch.setattr(devices, "SECONDS", 0.001)
    assert survey(("torch",)) == [Found("torch", "", "", "gave no answer within 0.001 s")]


def test_a_gpu_of_torch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Card:
        name, total_memory = "Some GPU", 24e9

    monkeypatch.setattr(devices, "without_gpu", lambda backend: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: Card)
    found = find_devices("torch")
    assert [(each.device, each.name) for each in found][-2:] == [("cuda", "Some GPU, 24 GB")] * 2


def steps_of(backend: str, precision: str) -> tuple[list[float], list[str], list[Any]]:
    """Losses of six steps on one batch, types of the weights, and the weights."""
    config = make_config(DATA, {"backend": backend, "precision": precision, "learning_rate": 0.01})
    engine = open_engine(config, [2])
    faces = np.random.default_rng(0).standard_normal((16, 16, 16, 1)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(16) % 2]
    losses = [float(engine.step(faces, targets, 0.01)[0]) for _ in range(6)]
    weights = engine.weights()
    return losses, [str(array.dtype) for array in weights.values()], list(weights.values())


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_bfloat16_learns_as_float32_does_and_keeps_its_weights_in_full(backend: Any) -> None:
    whole, _, exact = on_backend(backend, steps_of, backend, "float32")
    half, types, rounded = on_backend(backend, steps_of, backend, "bfloat16")
    assert set(types) == {"float32"} and half[-1] < half[0]
    np.testing.assert_allclose(half, whole, rtol=0.03)
    assert not all(np.array_equal(a, b) for a, b in zip(exact, rounded, strict=True)), "it is not the same arithmetic"


def test_float16_needs_a_gpu() -> None:
    config = make_config(DATA, {"backend": keras_here(), "precision": "float16"})
    with pytest.raises(ConfigError, match="precision float16 is for GPUs, and there is none here"):
        open_engine(config, [2])


def test_a_loss_is_scaled_for_float16_as_far_as_its_gradients_allow() -> None:
    import torch

    scaling = Scaling()
    wanted = [torch.tensor([1.5, -2.0]), torch.tensor([[0.25]])]
    given = [value * scaling.factor for value in wanted]
    assert scaling.undo(given) and all(torch.equal(a, b) for a, b in zip(given, wanted, strict=True))
    before = scaling.factor
    assert not scaling.undo([torch.tensor([float("inf")]), wanted[1].clone()])
    assert scaling.factor == before / 2
    for _ in range(Scaling.GROWS_AFTER):
        assert scaling.undo([torch.ones(1)])
    assert scaling.factor == before
    again = Scaling()
    again.state = scaling.state
    assert np.array_equal(again.state, [before, 0])


def test_a_step_whose_gradients_are_too_large_is_left_out_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    keras_here()
    engine: Any = engine_of_torch.TorchEngine(make_config(DATA, {"backend": "torch"}), [2])
    engine._scaling = Scaling()
    faces, targets = np.ones((4, 16, 16, 1), np.float32), np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    monkeypatch.setattr(
        engine._net, "gradients", lambda: [v.value * float("inf") for v in engine.model.trainable_variables]
    )
    before = engine.state()
    engine.step(faces, targets, 0.1)
    after = engine.state()
    assert after["scaling"][0] == before["scaling"][0] / 2
    assert all(np.array_equal(before[name], after[name]) for name in before if name.startswith("optimizer"))
    engine.set_state(before)
    assert np.array_equal(engine.state()["scaling"], before["scaling"])


def test_many_threads_make_the_batches_that_one_makes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16), dtype=np.uint8)
    part = LabelledImages(images, np.arange(40) % 2, None)
    config = make_config(DATA, {"augment": "camera"})

    def feed(makers: int, kept: int) -> Feed:
        views = Views(3, 4, config.how_augmented())
        return Feed(part, part.targets(2), views, mean=0.5, std=0.25, kept=kept, makers=makers)

    for kept in (0, 2):
        one, many = (list(feed(makers, kept).epoch(1, 2, send=np.negative)) for makers in (1, 6))
        assert len(one) == len(many) == 8
        for alone, together in zip(one, many, strict=True):
            assert np.array_equal(alone.faces, together.faces) and np.array_equal(alone.targets, together.targets)
            assert alone.targets.min() < 0, "sent"


@pytest.mark.timeout(900)  # four processes, one after the other
def test_the_check_for_gpus_runs_here_on_the_processor(tmp_path: Path) -> None:
    place = os.environ | {"DEVICE": "cpu", "QUICK": "1", "BACKENDS": "torch", "PYTHON": sys.executable}
    script = CHECKOUT / "scripts" / "gpu_check.sh"
    done = subprocess.run([script, tmp_path / "out"], capture_output=True, text=True, env=place)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    assert [check["what"] for check in found["checks"]] == [
        "first step as on the processor", "training", "resumed after a kill",
    ]  # fmt: skip
    assert all(check["passed"] for check in found["checks"])
