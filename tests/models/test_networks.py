from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError, ExtraMissingError
from felicity.models import backend
from felicity.models.describe import Description, describe
from felicity.models.initial import initial_weights
from felicity.models.picture import draw_network
from felicity.models.registry import ModelOptions, build, networks
from felicity.style.charts import to_png
from tests.support.command import felicity, felicity_answer
from tests.support.keras_here import keras_here

THE_STUDYS = [
    # name, output without batch, parameters
    ("conv1", (46, 46, 32), 320),
    ("pool1", (23, 23, 32), 0),
    ("conv2", (21, 21, 64), 18_496),
    ("pool2", (10, 10, 64), 0),
    ("conv3", (8, 8, 128), 73_856),
    ("pool3", (4, 4, 128), 0),
    ("flatten", (2048,), 0),
    ("dense1", (128,), 262_272),
    ("dense2", (64,), 8_256),
    ("logits", (7,), 455),
]


@pytest.fixture(scope="module", autouse=True)
def keras() -> None:
    keras_here()


def described(name: str, **options: int | float) -> Description:
    return describe(build(name, ModelOptions(**options)))  # type: ignore[arg-type]


def test_paper_cnn_is_the_studys_layer_by_layer() -> None:
    cnn = described("paper-cnn")
    assert [(one.name, one.output, one.parameters) for one in cnn.layers[1:]] == THE_STUDYS
    assert cnn.layers[0].output == (48, 48, 1)
    assert cnn.parameters == 363_655


def test_multiply_adds_are_those_of_the_sums() -> None:
    # 9 a b per position of a 3x3 convolution from a to b channels, a b of a dense layer.
    convolutions = 46 * 46 * 9 * 32 + 21 * 21 * 9 * 32 * 64 + 8 * 8 * 9 * 64 * 128
    assert described("paper-cnn").multiply_adds == convolutions + 2048 * 128 + 128 * 64 + 64 * 7


def test_resnet5_has_five_blocks_that_add_their_input() -> None:
    layers = described("resnet5").layers
    added = [one for one in layers if one.kind == "Add"]
    assert len(added) == 5 and all(len(one.inputs) == 2 for one in added)
    assert sum(one.kind == "Conv2D" and "skip" not in one.name for one in layers) == 1 + 2 * 5
    assert layers[-1].output == (7,)


@pytest.mark.parametrize("name", sorted(networks()))
def test_options_change_what_they_name(name: str) -> None:
    plain = described(name)
    assert described(name, classes=2).layers[-1].output == (2,)
    assert described(name, size=96, channels=3).layers[0].output == (96, 96, 3)
    assert described(name, width=6).layers[1].output[-1] == 6
    assert described(name, depth=1).multiply_adds != plain.multiply_adds
    assert described(name, filter_size=5).layers[1].parameters > plain.layers[1].parameters
    assert any(one.kind == "Dropout" for one in described(name, dropout=0.5).layers)


def test_initial_weights_depend_on_the_seed_alone_and_are_glorots() -> None:
    shapes = [("conv/kernel", (3, 3, 16, 32)), ("conv/bias", (32,)), ("norm/gamma", (32,))]
    one, again, other = (initial_weights(shapes, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    limit = np.sqrt(6 / (9 * 16 + 9 * 32))
    assert 0.98 * limit < np.abs(one[0]).max() <= limit
    assert not one[1].any() and (one[2] == 1).all()
    with pytest.raises(ValueError, match="no rule"):
        initial_weights([("x/strange", (1,))], 1)


@pytest.mark.parametrize("name", sorted(networks()))
def test_the_drawing_shows_a_box_for_all_that_computes(name: str) -> None:
    facts = described(name)
    with Image.open(io.BytesIO(to_png(draw_network(facts)))) as picture:
        assert picture.format == "PNG" and picture.height > 30 * len(THE_STUDYS) // 2
        assert len({pixel for _, pixel in picture.convert("RGB").getcolors(1 << 24) or []}) > 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"classes": 1}, "classes must be 2"),
        ({"size": 4}, "size must be 8"),
        ({"channels": 2}, "channels must be 1"),
        ({"filter_size": 4}, "odd"),
        ({"dropout": 1.0}, "dropout"),
        ({"width": 0}, "width must be 1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ModelOptions(**options)


def test_a_network_too_deep_for_its_input_is_refused() -> None:
    with pytest.raises(ConfigError, match="paper-cnn cannot be built"):
        build("paper-cnn", ModelOptions(depth=6))


@pytest.mark.parametrize("name", ["best", "fast"])
def test_more_blocks_than_a_network_has_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} cannot be built .*it has 5 blocks, but a depth of 6 is asked for"):
        build(name, ModelOptions(depth=6))


def test_networks_too_deep_for_the_size_are_listed_as_such() -> None:
    done = CliRunner().invoke(app, ["models", "list", "--size", "16"])
    assert done.exit_code == 0
    row = next(line for line in done.stdout.splitlines() if "paper-cnn" in line)
    assert "not possible" in row and "605,527" in done.stdout
    told = CliRunner().invoke(app, ["models", "list", "--size", "16", "--json"]).stdout
    facts = {one["name"]: one for one in json.loads(told)["data"]}
    assert "cannot be built" in facts["paper-cnn"]["error"] and facts["resnet5"]["parameters"] == 605_527


def test_commands_list_show_and_draw(tmp_path: Path) -> None:
    listed, _ = felicity_answer("models", "list", home=tmp_path)
    assert {one["name"] for one in listed} == set(networks())
    shown, _ = felicity_answer("models", "show", "paper-cnn", "--picture", tmp_path / "cnn.png", home=tmp_path)
    assert shown["parameters"] == 363_655 and [one["name"] for one in shown["layers"]][1:] == [
        n for n, *_ in THE_STUDYS
    ]
    assert (tmp_path / "cnn.png").read_bytes().startswith(b"\x89PNG")
    table = felicity("models", "show", "resnet5", home=tmp_path)
    assert "block5_add" in table.stdout and "605,527" in table.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "vgg"], "model 'vgg' is not known; there are"),
        (["list", "--backend", "caffe"], "backend 'caffe' is not known"),
        (["show", "paper-cnn", "--colour", "cmyk"], "gray or rgb"),
        (["show", "paper-cnn", "--picture", "/nowhere/cnn.png"], "there is no folder"),
        (["show", "paper-cnn", "--filter-size", "2"], "odd"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["models", *arguments])
    assert done.exit_code != 0 and said in str(done.exception)


def test_a_backend_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "installed_backends", lambda: ("torch",))
    with pytest.raises(ExtraMissingError, match=r"pip install 'felicity\[jax\]'"):
        backend.check_backend("jax")


def test_one_process_has_one_backend() -> None:
    running = keras_here()
    other = next(name for name in backend.BACKENDS if name != running)
    with pytest.raises(ConfigError, match="needs a process of its own"):
        backend.use_backend(other)
