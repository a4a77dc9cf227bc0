"""The study's page: what stands in it, and what it calls agreement."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError, DatasetError
from felicity.evaluation.frameworks import comparison
from felicity.evaluation.study import experiments, published
from felicity.evaluation.study.chance import difference
from felicity.evaluation.study.experiments import EXPERIMENTS, SEEDS, Outcome, StudyData, configure, run_all
from felicity.evaluation.study.networks import contest
from felicity.evaluation.study.replication import ReplicationCheck, replication_checks
from felicity.evaluation.study.steps import study_steps
from felicity.models.describe import Description, LayerFacts
from felicity.schemas.envelope import document, json_schema
from felicity.training.config import TrainConfig
from tests.support import faces_on_disk as disk
from tests.support.faces_on_disk import Faces, made_up, write_csv
from tests.support.keras_here import keras_here

SEVEN = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger"]


def pretend(
    config: TrainConfig, contestant: str, seed: int, folder: Path, digest: str, told: object = None
) -> dict[str, Any]:
    """A training that goes as trainings go, without one."""
    classes = ["happy", "sad"] if config.data.classes == "happy,sad" else SEVEN
    n, raw = config.epochs, config.data.pixels == "raw"
    history = [
        {
            "epoch": i + 1, "loss": (300.0 if raw and i == 0 else 1.8) / (1 + i), "accuracy": 1 - 0.6 / (1 + i),
            "val_loss": 1.5 + 0.01 * i, "val_accuracy": 0.5, "learning_rate": 1e-3,
            "seconds": (20.0 if contestant == "torch" else 10.0) + 0.01 * (i % 3), "images_per_second": 1000.0,
        }
        for i in range(n)
    ]  # fmt: skip
    good = 60 if config.model.name == "resnet5" else 50
    matrix = np.full((len(classes), len(classes)), (100 - good) // (len(classes) - 1))
    np.fill_diagonal(matrix, good)
    share = good / matrix.sum(1)[0]
    rng = np.random.default_rng([seed, good])
    right = "".join("01"[hit] for hit in (rng.random(4000) < share).tolist())
    trained = min(config.data.images or 20_000, 20_000)
    parts = {
        name: {"images": trained if name == "train" else 4000, "loss": 1.2, "accuracy": float(share)}
        for name in ("train", "validation", "test")
    }
    counts = {part: dict.fromkeys(classes, 100) for part in parts}
    return {
        "contestant": contestant, "seed": seed, "classes": classes, "images": counts, "parts": parts,
        "confusion": matrix.tolist(), "peak_memory": 10**9, "history": history, "right": right,
    }  # fmt: skip


def faces(config: TrainConfig | None = None) -> StudyData:
    """A FER2013 of which a part was left out."""
    images = {"train": {"happy": 20_000}, "validation": {"happy": 2_000}, "test": {"happy": published.TEST_IMAGES}}
    left_out = {"that are copies of another": 6_709}
    return StudyData("0", "fer2013-csv", images, left_out, own_test=True, sizes=((48, 48), (48, 48)))


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("felicity.models.backend.use_backend", lambda _: keras_here())
    monkeypatch.setattr(experiments, "read_data", faces)
    monkeypatch.setattr(comparison, "outcome_of", pretend)


def the_cnn() -> Description:
    """As the study has it."""
    return Description("paper-cnn", "", tuple(LayerFacts(name, "", (), n, 0) for name, n in published.LAYERS.items()))


def test_the_experiments_keep_the_studys_settings() -> None:
    configs = {one.name: configure(one, "faces", 30, 0, 1) for one in EXPERIMENTS}
    two, raw, torch = configs["two-classes"], configs["raw-pixels"], configs["seven-classes-pytorch"]
    assert two.epochs == 30 and two.model.name == "paper-cnn" and two.data.classes == "happy,sad"
    assert raw.data.pixels == "raw" and raw.epochs == 10
    assert torch.backend == "torch" and torch.model_copy(update={"backend": "tensorflow"}) == configs["seven-classes"]
    for seed in range(1, SEEDS + 1):
        cnn, resnet = configs[f"augmented-cnn-{seed}"], configs[f"augmented-resnet5-{seed}"]
        differ = {name for name in type(cnn).model_fields if getattr(cnn, name) != getattr(resnet, name)}
        assert differ <= {"model", "optimizer", "learning_rate", "weight_decay"}, "the two networks have one budget"
        assert cnn.seed == seed and cnn.model.name == "paper-cnn" and resnet.model.name == "resnet5"


@pytest.mark.usefixtures("pretended")
def test_the_page_has_every_table_and_figure(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["reproduce", "fer2013.csv.gz", "-o", str(out), "--json"])
    assert done.exit_code == 0, done.exception
    page = (out / "reproduction.md").read_text()
    for heading in ("Table 1", "Figure 5", "Table 3", "Figure 9", "Figures 10 and 11", "ResNet-5"):
        assert heading in page
    for picture in re.findall(r"\((reproduction/[^)]+)\)", page):
        assert (out / picture).read_bytes().startswith(b"\x89PNG"), picture
    assert "felicity reproduce fer2013.csv.gz --epochs 30 --seed 1" in page
    assert str(tmp_path) not in page
    shown = (out / "reproduction.html").read_text()
    assert shown.count("<svg") == page.count("![") and "Table 1" in shown and "<code>felicity tune" in shown
    facts = json.loads((out / "reproduction.json").read_text())
    assert set(facts["experiments"]) == {one.name for one in EXPERIMENTS}
    assert re.search(
        r"ResNet-5 reaches \d\d\.\d %, the CNN \d\d\.\d % .* \+\d+\.\d points \(\+.*ResNet-5 is better", page
    )


def outcomes_with(flags: dict[tuple[str, int], str]) -> dict[str, Outcome]:
    one = EXPERIMENTS[0]
    config = configure(one, "faces", 30, 0, 1)

    def of(right: str) -> dict[str, Any]:
        accuracy = right.count("1") / len(right)
        return {"right": right, "parts": {part: {"accuracy": accuracy} for part in ("validation", "test")}}

    return {
        f"augmented-{name}-{seed}": Outcome(one, config, faces(), of(right)) for (name, seed), right in flags.items()
    }


def drawn(share: float, seed: int, n: int = 4000) -> str:
    return "".join("01"[hit] for hit in (np.random.default_rng(seed).random(n) < share).tolist())


def test_a_lead_is_claimed_where_images_and_seeds_bear_it_out() -> None:
    rates = {"cnn": 0.60, "resnet5": 0.63}
    clear = contest(
        outcomes_with({(name, s): drawn(rates[name], 10 * s + len(name)) for name in rates for s in (1, 2, 3)})
    )
    assert clear.low > 0 and 1.5 < clear.apart < 4.5 and "ResNet-5 is better" in clear.sentence
    same = contest(outcomes_with({(name, s): drawn(0.6, 10 * s + len(name)) for name in rates for s in (1, 2, 3)}))
    assert same.low < 0 < same.high and "neither is shown to be better" in same.sentence
    # Seeds that scatter make it uncertain, however many images there are.
    shares = {("cnn", 1): 0.5, ("cnn", 2): 0.6, ("cnn", 3): 0.7, ("resnet5", 1): 0.62, ("resnet5", 2): 0.64,
              ("resnet5", 3): 0.63}  # fmt: skip
    wild = contest(outcomes_with({key: drawn(share, i) for i, (key, share) in enumerate(shares.items())}))
    assert wild.high - wild.low > 4 * (clear.high - clear.low)


def checks(folder: Path, epochs: int = 30, images: int = 0) -> dict[str, ReplicationCheck]:
    outcomes = run_all("faces", folder, epochs=epochs, images=images, seed=1)
    return {one.what: one for one in replication_checks(outcomes, the_cnn())}


@pytest.mark.usefixtures("pretended")
def test_findings_say_yes_and_no_by_the_figures(tmp_path: Path) -> None:
    found = checks(tmp_path)
    assert found["parameters of the CNN"].agrees
    assert found["training accuracy, two classes, TensorFlow (its table)"].agrees
    assert found["images to test on"].agrees
    assert {one.what for one in found.values() if one.agrees is False} == {
        "images to train on",
        "accuracy, two classes, TensorFlow (its text)",
        "training loss, two classes, first epoch",
        "accuracy, PyTorch",
        "training loss, PyTorch, by epoch",
        "TensorFlow's lead over PyTorch in accuracy",
        "time of PyTorch against TensorFlow",
    }
    assert "2.00 times" in found["time of PyTorch against TensorFlow"].ours


@pytest.mark.usefixtures("pretended")
def test_reasons_are_computed(tmp_path: Path) -> None:
    found = checks(tmp_path)
    missing = published.TRAINING_IMAGES - 22_000
    assert found["images to train on"].why == (
        f"{missing:,} fewer; left out of the whole set: 6,709 that are copies of another"
    )
    lead = found["TensorFlow's lead over PyTorch in accuracy"]
    assert lead.why.startswith("\N{MINUS SIGN}24.0 points (") and lead.ours.startswith("+0.0 points")
    text = found["accuracy, two classes, TensorFlow (its text)"].why
    # 1 - 0.6 / (1 + i) exceeds 93 % in epoch 9.
    assert "our training accuracy exceeds 93 % in epoch 9, while the accuracy on validation images is 50.0 %" in text
    other = replace(the_cnn(), layers=(LayerFacts("conv1", "", (), 10, 0),))
    outcomes = run_all("faces", tmp_path, epochs=30, images=0, seed=1)
    [_, _, parameters, *_] = replication_checks(outcomes, other)
    assert not parameters.agrees and parameters.why.startswith("conv1 has 10 for 320; conv2 has 0 for 18,496")


@pytest.mark.usefixtures("pretended")
def test_a_part_of_the_study_tells_nothing_of_what_the_whole_would_give(tmp_path: Path) -> None:
    few = checks(tmp_path / "few", epochs=1, images=400)
    assert {one.what for one in few.values() if one.agrees is None} == {
        "training accuracy, two classes, TensorFlow (its table)",
        "accuracy, two classes, TensorFlow (its text)",
        "training loss, two classes, first epoch",
        "training loss, two classes, epoch 1",
        "accuracy, PyTorch",
        "training loss, PyTorch, by epoch",
        "TensorFlow's lead over PyTorch in accuracy",
        "time of PyTorch against TensorFlow",
    }
    for one in few.values():
        if one.agrees is None and "loss" not in one.what:
            assert "1 of the study's 30 epochs and 400 of 20,000 training images" in one.why
    assert few["images to train on"].ours == "22,000", "what the data have can be told whatever is drawn"

    short = checks(tmp_path / "short", epochs=12)
    assert short["time of PyTorch against TensorFlow"].agrees is None
    assert short["time of PyTorch against TensorFlow"].why == "12 of the study's 30 epochs were used"
    assert short["training loss, two classes, first epoch"].agrees is False, "the first epoch was run as a whole"
    assert short["training loss, PyTorch, by epoch"].agrees is False, "one that differs is enough"


def test_a_difference_that_chance_explains_is_neither_yes_nor_no() -> None:
    near, wide = (1e-4, 100.0), (4.0, 100.0)
    assert difference(1.0, [near]).within(3) is True
    assert difference(5.0, [near]).within(3) is False
    assert difference(1.0, [near, wide]).within(3) is None
    assert difference(-4.0, [wide]).within(3) is None and difference(-9.0, [wide]).within(3) is False


def test_an_affectnet_folder_is_read_as_what_it_is(tmp_path: Path) -> None:
    """Colour images, a table in each fold; their images are counted."""
    made = disk.made_up(120)
    for fold, rows in (("train", slice(0, 90)), ("test", slice(90, 120))):
        part = disk.Faces(made.images[rows], made.codes[rows], made.folds[rows])
        disk.write_affectnet(part, tmp_path / "affectnet" / fold)
    config = configure(EXPERIMENTS[0], str(tmp_path / "affectnet"), 1, 20, 1)

    data = experiments.read_data(config)

    assert data.format == "affectnet" and data.own_test and data.sizes == ((48, 48), (48, 48))
    shown = (made.codes == 3) | (made.codes == 4)
    assert data.number("train", "validation") == shown[:90].sum() and data.number("test") == shown[90:].sum()
    seven = Outcome(EXPERIMENTS[2], config, data, pretend(config, "tensorflow", 1, tmp_path, ""))
    steps = {step: here for step, _, here in study_steps({"seven-classes": seven, "seven-classes-pytorch": seven})}
    assert set(steps) == set(published.STEPS)
    assert steps["collect"].startswith("affectnet, read as affectnet: ")
    assert "the test set is the data set's own; drawn by --images: 20 of" in steps["split"]


@pytest.mark.usefixtures("pretended")
def test_the_answer_for_programs_has_its_shape(tmp_path: Path) -> None:
    outcomes = run_all("faces", tmp_path, epochs=30, images=0, seed=1)
    found = replication_checks(outcomes, the_cnn())
    answer = document("reproduce", {"page": str(tmp_path / "reproduction.md"), "findings": found})
    Draft202012Validator(json_schema("reproduce")).validate(answer)
    assert [one["what"] for one in answer["data"]["findings"]] == [one.what for one in found]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("")
    done = CliRunner().invoke(app, ["reproduce", "fer2013.csv.gz", "-o", str(tmp_path)])
    assert done.exit_code != 0 and "is not empty; go on with --resume" in str(done.exception)


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for words in (["reproduce"], ["compare"], ["compare", "--resume"]):
        done = CliRunner().invoke(app, [*words, "fer2013.csv.gz", "-o", str(tmp_path / "file")])
        assert isinstance(done.exception, ConfigError) and "file: cannot be used (Not a dir" in str(done.exception)


def test_without_a_test_part_nothing_is_trained(tmp_path: Path) -> None:
    faces = made_up(70)
    data = write_csv(Faces(faces.images, faces.codes, ["Training", "Validation"] * 35), tmp_path / "fer2013.csv")
    (tmp_path / "small.toml").write_text("[data]\nsize = 24\n")
    for words in (["reproduce", data], ["compare", data, "--config", tmp_path / "small.toml", "-m", "test-tiny"]):
        done = CliRunner().invoke(app, [*map(str, words), "-o", str(tmp_path / "out")])
        assert isinstance(done.exception, DatasetError) and "has no test set" in str(done.exception)
        assert not (tmp_path / "out").exists()


def test_data_that_are_not_there_are_one_sentence(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["reproduce", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out")])
    assert done.exit_code != 0 and "is not there" in str(done.exception)
