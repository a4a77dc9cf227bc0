"""Comparing frameworks: the protocol with real trainings, and the sentences about their figures."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.errors import ConfigError, TrainingError
from felicity.evaluation.frameworks.chart import draw_comparison
from felicity.evaluation.frameworks.comparison import Comparison, FirstStep, compare, outcome_of
from felicity.evaluation.frameworks.contestant import PLAIN
from felicity.evaluation.frameworks.report import write_comparison
from felicity.evaluation.frameworks.summary import Mean, pairs, rows, verdict
from felicity.style.charts import to_png
from felicity.training.config import make_config
from tests.support.command import felicity
from tests.support.faces_on_disk import made_up, write_csv

CONFIG = make_config({"data": {"path": "faces"}, "model": {"name": "test-tiny"}, "epochs": 3})
SETTINGS = '[model]\nname = "test-tiny"\n\n[data]\nsize = 24\nvalidation_share = 0.2\n'


def outcome(contestant: str, seed: int, test: float, seconds: float = 2.0) -> dict[str, Any]:
    parts = {
        name: {"images": 100, "loss": 1.0, "accuracy": accuracy}
        for name, accuracy in (("train", 0.9), ("validation", 0.6), ("test", test))
    }
    history = [{"epoch": i + 1, "seconds": seconds + 5 * (i == 0), "val_accuracy": 0.5 + 0.1 * i} for i in range(3)]
    return {"contestant": contestant, "seed": seed, "parts": parts, "peak_memory": 1_000_000_000, "history": history}


def comparison(
    tests: dict[str, list[float]], seconds: Mapping[str, float | list[float]] | None = None, apart: float = 1e-7
) -> Comparison:
    times = {name: np.broadcast_to((seconds or {}).get(name, 2.0), len(values)) for name, values in tests.items()}
    outcomes = [
        outcome(name, seed, value, float(times[name][seed - 1]))
        for name, values in tests.items()
        for seed, value in enumerate(values, 1)
    ]
    names = list(tests)
    first = tuple(FirstStep(name, names[0], apart, apart, 30 * apart) for name in names[1:])
    seeds = tuple(range(1, len(next(iter(tests.values()))) + 1))
    images = {"train": 100, "validation": 20, "test": 30}
    return Comparison(CONFIG, seeds, first, tuple(outcomes), {"digest": "0", "classes": ["a"], "images": images})


def test_means_have_students_intervals() -> None:
    from scipy import stats

    values = np.array([0.5, 0.53, 0.55])
    low, high = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    mean = Mean.of(values)
    assert (mean.low, mean.high) == pytest.approx((low, high)) and "±" in mean.text(1, 100)
    assert not Mean.of(values[:1]).known and Mean.of(values[:1]).text(1, 100) == "50.0"


def test_no_time_or_accuracy_is_below_what_there_can_be() -> None:
    times = Mean.of(np.array([2.85, 16.11]), least=0)  # 9.48 ± 84.28
    assert times.low == 0 and times.text(2) == "9.48 (0.00 to 93.72)"
    assert Mean.of(np.array([0.2, 0.99]), 0, 1).text(0, 100) == "60 (0 to 100)"
    wild = comparison({"tensorflow": [0.02, 0.9], "torch": [0.05, 0.99]}, {"tensorflow": [2.85, 16.11], "torch": 2.0})
    assert not re.search(r"(?<![\w(+])[-\N{MINUS SIGN}]\d", " ".join(cell for line in rows(wild)[1] for cell in line))
    for axes in draw_comparison(wild).axes:
        low, high = (
            axes.get_xlim if "per epoch" in axes.get_xlabel() or "MB" in axes.get_xlabel() else axes.get_ylim
        )()
        assert low >= 0 and ("%" not in axes.get_ylabel() or high <= 100)


def test_no_framework_is_called_faster_where_its_seconds_scatter() -> None:
    busy = verdict(
        comparison({"tensorflow": [0.5, 0.51], "torch": [0.5, 0.51]}, {"tensorflow": [2.85, 16.11], "torch": 2.0})
    )
    assert "is fastest" not in busy
    assert "Whether PyTorch or TensorFlow is faster, 2 seeds do not tell" in busy
    assert "TensorFlow takes 3.4 times (0.0 to" in busy
    paired = {"tensorflow": [2.0, 16.0], "torch": [1.0, 8.1]}  # the machine was busy with the second seed
    said = verdict(comparison({"tensorflow": [0.5, 0.51], "torch": [0.5, 0.51]}, paired))
    assert "PyTorch is fastest" in said and "TensorFlow takes 2.0 times (1.8 to 2.2) as long" in said


def test_the_first_epoch_is_kept_apart() -> None:
    one = comparison({"tensorflow": [0.5, 0.5]}, {"tensorflow": 2.0})
    assert one.seconds("tensorflow").tolist() == [2.0, 2.0] and one.first_seconds("tensorflow").tolist() == [7.0, 7.0]


def test_equal_frameworks_are_called_equal_and_the_fastest_is_named() -> None:
    said = verdict(
        comparison(
            {"tensorflow": [0.5, 0.52, 0.51], "torch": [0.51, 0.5, 0.52], PLAIN: [0.5, 0.51, 0.52]},
            {"tensorflow": 4.0, "torch": 2.0, PLAIN: 1.6},
        )
    )
    assert "no framework is shown to be more accurate" in said and "PyTorch is fastest, 2.0 ± 0.0 s" in said
    assert "TensorFlow takes 2.0 times (2.0 to 2.0) as long" in said and "25 % more time than without it" in said
    assert "All start alike" in said


def test_a_steady_difference_is_called_one() -> None:
    one = comparison({"tensorflow": [0.60, 0.61, 0.62, 0.61], "jax": [0.50, 0.51, 0.52, 0.512]})
    (pair,) = pairs(one)
    assert pair.p < 0.001 and pair.difference.value == pytest.approx(0.0995, abs=0.001)
    assert "larger than chance explains" in verdict(one)


def test_holm_never_lowers_a_p_value() -> None:
    from scipy import stats

    one = comparison({"tensorflow": [0.5, 0.53, 0.55], "torch": [0.52, 0.54, 0.58], "jax": [0.5, 0.52, 0.56]})
    for pair in pairs(one):
        raw = stats.ttest_rel(
            one.values(pair.one, "test", "accuracy"), one.values(pair.other, "test", "accuracy")
        ).pvalue
        assert raw <= pair.p <= min(1.0, 3 * raw) + 1e-12 or pair.p >= raw


def test_an_unfair_start_is_said_first() -> None:
    said = verdict(comparison({"tensorflow": [0.5, 0.5], "jax": [0.5, 0.5]}, apart=1e-3))
    assert said.startswith("Not a fair comparison: at the first step JAX is 1e-03")


def test_one_seed_proves_nothing() -> None:
    one = comparison({"tensorflow": [0.5], "jax": [0.6]})
    assert "one seed does not tell" in verdict(one) and np.isnan(pairs(one)[0].p)


def test_one_that_ran_alone_is_reported_as_such(tmp_path: Path) -> None:
    report = write_comparison(comparison({"jax": [0.5, 0.52]}), tmp_path)
    assert "JAX ran alone, so nothing is compared: test accuracy 51.0 %" in report.verdict
    assert "fastest" not in report.verdict and (tmp_path / "comparison.pdf").exists()
    rows = list(csv.DictReader((tmp_path / "comparison.csv").read_text().splitlines()))
    told = report.facts["frameworks"]
    for row in rows:
        found = told[row["framework"]][row["figure"]]
        assert float(row["mean"]) == (found[row["part"]] if row["part"] else found)["mean"]
    assert "toprule" in (tmp_path / "comparison.tex").read_text()
    assert report._repr_html_().count("<svg") == 1 and len(report.frame) == len(rows)


@pytest.mark.parametrize(
    "setting", [{"average": 0.99}, {"patience": 2}, {"start": "best"}, {"data": {"second": "FER2013"}}]
)
def test_settings_that_not_every_contestant_has_are_refused(setting: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be compared, for not every contestant has it"):
        compare(make_config(CONFIG.model_dump(), setting), ("torch",), (1,), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_outcome_is_kept_for_the_data_that_it_is_of(tmp_path: Path) -> None:
    asked = CONFIG.model_dump() | {"backend": "torch", "seed": 1}

    def write(**facts: object) -> None:
        (tmp_path / "job.json").write_text(json.dumps({"config": asked} | facts))

    (tmp_path / "outcome.json").write_text('{"seed": 1}')
    write(data_digest="a")
    assert outcome_of(CONFIG, "torch", 1, tmp_path, "a") == {"seed": 1}
    with pytest.raises(TrainingError, match="was begun with data_digest = 'a', not 'b'"):
        outcome_of(CONFIG, "torch", 1, tmp_path, "b")
    write()
    with pytest.raises(TrainingError, match=r"does not say of which data it is.*choose another folder"):
        outcome_of(CONFIG, "torch", 1, tmp_path, "a")


def test_a_framework_that_warns_a_lot_does_not_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.stderr.write('warning\\n' * 100_000)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(TrainingError, match="torch with seed 1 failed: faces: is not there"):
        outcome_of(CONFIG, "torch", 1, tmp_path / "out", "a")


def test_the_report_is_written_as_table_picture_and_json(tmp_path: Path) -> None:
    one = comparison({"tensorflow": [0.5, 0.52], "torch": [0.51, 0.5], PLAIN: [0.5, 0.51]})
    report = write_comparison(one, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        f"comparison.{kind}" for kind in ("csv", "html", "json", "md", "pdf", "png", "svg", "tex")
    }
    facts = json.loads((tmp_path / "comparison.json").read_text())
    assert facts["fair"] and facts["frameworks"]["torch"]["accuracy"]["test"]["mean"] == pytest.approx(0.505)
    assert report.verdict in (tmp_path / "comparison.md").read_text()
    columns, lines = rows(one)
    assert len(lines) == 3 and all(len(line) == len(columns) for line in lines)
    assert to_png(draw_comparison(one)).startswith(b"\x89PNG")


def test_a_contestant_runs_in_a_process_of_its_own_and_tells_its_epochs(tmp_path: Path) -> None:
    data = write_csv(made_up(70), tmp_path / "fer2013.csv")
    config = make_config(
        {"data": {"path": str(data), "size": 24, "validation_share": 0.2}, "epochs": 2, "batch_size": 16},
        {"backend": "torch", "model": {"name": "test-tiny"}},
    )
    told: list[tuple[str, int, str]] = []
    found = outcome_of(config, PLAIN, 1, tmp_path / "out", "a", lambda *line: told.append(line))
    assert found["contestant"] == PLAIN and len(found["history"]) == 2
    assert [(name, seed, line.split()[0]) for name, seed, line in told] == [(PLAIN, 1, "1/2"), (PLAIN, 1, "2/2")]


@pytest.mark.usefixtures("contestants_in_kept_processes")
def test_frameworks_that_start_alike_are_compared_and_not_run_twice(tmp_path: Path) -> None:
    data = write_csv(made_up(210), tmp_path / "fer2013.csv")
    (tmp_path / "tiny.toml").write_text(SETTINGS)
    words = [
        "compare", data, "--config", tmp_path / "tiny.toml", "--seeds", "1", "--epochs", "1",
        "--batch-size", "16", "-o", tmp_path / "out", "--json",
    ]  # fmt: skip
    facts = json.loads(felicity(*words, home=tmp_path).stdout)["data"]
    assert set(facts["frameworks"]) == {"tensorflow", "torch", "jax", PLAIN} and facts["seeds"] == [1]
    assert len(facts["first_step"]) == 3
    for step in facts["first_step"]:
        assert step["fair"] and step["loss"] < 1e-5 and step["median"] < 1e-5
    for name, figures in facts["frameworks"].items():
        assert figures["peak_memory_mb"]["mean"] > 100, name
        assert 0 <= figures["accuracy"]["test"]["mean"] <= 1
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*/outcome.json")}
    assert len(before) == 4
    refused = CliRunner().invoke(app, list(map(str, words)), env={"FELICITY_HOME": str(tmp_path)})
    assert refused.exit_code != 0 and "is not empty; go on with --resume" in str(refused.exception)
    other = CliRunner().invoke(
        app, [*map(str, words), "--resume", "--learning-rate", "0.5"], env={"FELICITY_HOME": str(tmp_path)}
    )
    assert other.exit_code != 0 and "was begun with learning_rate = 0.001, not 0.5" in str(other.exception)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*/outcome.json")}


def test_a_comparison_that_is_stopped_says_how_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("felicity.evaluation.frameworks.comparison._run_in_own_process", stopped)
    data = write_csv(made_up(70), tmp_path / "fer2013.csv")
    (tmp_path / "tiny.toml").write_text(SETTINGS)
    words = ["compare", data, "--config", tmp_path / "tiny.toml", "--backends", "torch", "-o", tmp_path / "out"]
    done = felicity(*words, home=tmp_path, expect=130)
    assert "stopped; the same command with --resume goes on from there" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "vgg"], "model 'vgg' is not known"),
        (["--backends", "torch,caffe"], "backend 'caffe' is not known"),
        (["--epochs", "0"], "epochs"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", "faces", "-o", str(tmp_path / "out"), *arguments])
    assert done.exit_code != 0 and said in str(done.exception)
    assert not (tmp_path / "out").exists()
