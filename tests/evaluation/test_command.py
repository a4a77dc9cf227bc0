"""``felicity evaluate`` as people and programs use it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from felicity.cli.app import app
from felicity.datasets.samples import as_inputs
from felicity.errors import ConfigError, DatasetError, FelicityError, TrainingError
from felicity.models.bundle import open_bundle
from felicity.recognition.classifier import Classifier
from tests.support import faces_on_disk as disk
from tests.support.command import environment
from tests.support.keras_here import keras_here

DRAWS = ("--draws", 100)
INTERVALS = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "ece", "brier", "log_loss")


def run(*arguments: object) -> str:
    """Standard output of a command that succeeds; our errors are raised."""
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def run_json(*arguments: object) -> Any:
    """The first result's figures at the top, those of other labels under ``other_labels``, notes as texts."""
    lines = run(*arguments, *DRAWS, "--json").splitlines()
    assert len(lines) == 1
    return flat(json.loads(lines[0]))


def flat(document: Any) -> Any:
    first, *others = (
        {**result["figures"], **result, "notes": [note["text"] for note in result["notes"]]}
        for result in document["data"]["results"]
    )
    texts = [note["text"] for note in document["notes"]]
    fit = document["data"]["fit"]
    kept = fit and {**fit, **fit["evidence"]}
    return {**document["data"], "fit": kept, **first, "notes": [*texts, *first["notes"]], "other_labels": others}


def held_out(faces: disk.Faces) -> np.ndarray:
    return np.flatnonzero(np.array(faces.folds) == "PublicTest")


def shown_to(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    return as_inputs(images, classifier.input.size, "gray")


def test_a_bundle_is_measured_by_both_conventions(data: Path, faces: disk.Faces) -> None:
    found = run_json("best", "--data", data, "--split", "publictest")
    other = found["other_labels"][0]
    assert (found["labels"], other["labels"]) == ("FER+ majority", "FER2013's own labels")
    classifier, rows = Classifier(open_bundle("best"), shares="natural"), held_out(faces)
    images, labels = shown_to(classifier, faces.images[rows]), faces.labels[rows].copy()
    own = classifier.second_probabilities(images)
    assert other["n"] == 24 and other["accuracy"] == pytest.approx((own.argmax(1) == labels).mean(), abs=1e-6)
    assert "contempt" not in other["classes"] and "answered by the second head" in other["notes"][0]
    labels[rows == 9] = 7
    is_face = rows != 18
    right = classifier.probabilities(images).argmax(1) == labels
    assert found["n"] == 23 and found["accuracy"] == pytest.approx(right[is_face].mean(), abs=1e-6)
    assert len(found["classes"]) == 8 and found["per_class"]["contempt"]["n"] == 1
    assert found["fit"] is None and any("no history" in note for note in found["notes"])


def test_answers_as_in_use_stand_beside_those_for_the_shares_of_training(data: Path, faces: disk.Faces) -> None:
    used = run_json("best", "--data", data, "--split", "PublicTest")["other_labels"][1]
    assert used["labels"] == "FER+ majority, answers as in use" and used["n"] == 23
    assert used["notes"][0].startswith("answered as in use: for ")
    rows = held_out(faces)
    labels = np.where(rows == 9, 7, faces.labels[rows])
    classifier = Classifier.open("best")
    right = classifier.probabilities(shown_to(classifier, faces.images[rows])).argmax(1) == labels
    assert used["accuracy"] == pytest.approx(right[rows != 18].mean(), abs=1e-6)


def test_balanced_accuracy_by_the_second_head_is_that_of_answers_for_equal_shares(
    data: Path, faces: disk.Faces
) -> None:
    even = run_json("best", "--data", data, "--split", "PublicTest")["other_labels"][2]
    assert even["labels"] == "FER2013's own labels, answers for equal shares" and even["n"] == 24
    assert even["notes"][0].endswith("14.3 % fear, 14.3 % disgust, 14.3 % anger")
    bundle, rows = open_bundle("best"), held_out(faces)
    assert bundle.facts.second is not None
    classifier = Classifier(bundle)
    p = classifier.second_probabilities(shown_to(classifier, faces.images[rows]))[:, :7] / np.array(
        bundle.facts.second.prior[:7]
    )
    assert even["accuracy"] == pytest.approx((p.argmax(1) == faces.labels[rows]).mean(), abs=1e-6)


def test_json_is_the_contract(data: Path) -> None:
    found = run_json("best", "--data", data, "--split", "Training")
    assert found["n"] == sum(map(sum, found["confusion"])) == sum(row["n"] for row in found["per_class"].values())
    for name in INTERVALS:
        low, high = found["intervals"][name]
        assert low <= high, name
    assert {"precision", "recall", "f1"} <= set(found["happy"]) & set(found["intervals"]["happy"])
    assert set(found["per_class"]) == set(found["intervals"]["per_class"]) == set(found["classes"])
    again = run_json("best", "--data", data, "--split", "Training")
    assert again == found, "the same seed draws the same"


def test_images_with_a_near_duplicate_in_training_are_left_out_of_the_second_column(
    data: Path,
    faces: disk.Faces,
) -> None:
    found = run_json("best", "--data", data, "--split", "PublicTest")
    assert found["seen_in_training"] == 1 and found["without_seen_in_training"]["n"] == found["n"] - 1
    text = run("best", "--data", data, "--split", "PublicTest", *DRAWS)
    assert "all 23 images" in text and "22 without near-duplicates in training" in text
    told = CliRunner().invoke(app, ["evaluate", "best", "--data", str(data), "--split", "Training", *map(str, DRAWS)])
    assert "if the bundle was trained on these data, these figures say what was learnt by heart" in told.stderr
    trained_on = run_json("best", "--data", data, "--split", "Training")
    assert trained_on["without_seen_in_training"] is None, "all of them stand there"


def test_classes_can_be_chosen(data: Path) -> None:
    found = run_json("best", "--data", data / "fer2013.csv", "--split", "Training", "--classes", "happy,sad")
    assert found["classes"] == ["happy", "sad"] and found["labels"] == "FER2013's own labels"
    assert found["happy"]["recall"] == found["per_class"]["happy"]["recall"]
    assert found["other_labels"][0]["labels"] == "FER+ majority"


def test_a_prepared_data_set_is_read_with_its_splits(data: Path, tmp_path: Path) -> None:
    prepare = ["data", "prepare", str(data / "fer2013.csv"), "-o", str(tmp_path / "ready"), "-j", "1"]
    assert CliRunner().invoke(app, prepare, catch_exceptions=False).exit_code == 0
    found = run_json("best", "--data", tmp_path / "ready", "--split", "test")
    assert found["n"] == 24 and found["labels"] == "labels as prepared (fer2013-csv)"
    beside, even, _ = found["other_labels"]
    assert even["labels"] == "labels as prepared (fer2013-csv), answers for equal shares"
    assert beside["labels"] == "labels of FER+, as prepared" and beside["n"] == 23
    assert beside["per_class"]["contempt"]["n"] == 1
    with pytest.raises(DatasetError, match="is prepared with its classes"):
        run("best", "--data", tmp_path / "ready", "--classes", "happy,sad")
    with pytest.raises(DatasetError, match="is prepared data, and is not read as ferplus; leave --format out"):
        run("best", "--data", tmp_path / "ready", "--format", "ferplus")
    assert CliRunner().invoke(app, [*prepare[:4], str(tmp_path / "small"), "--size", "16"]).exit_code == 0
    side = open_bundle("best").input.size
    assert CliRunner().invoke(app, [*prepare[:4], str(tmp_path / "coloured"), "--colour", "rgb"]).exit_code == 0
    for name, form in (("small", "16 pixels in gray"), ("coloured", "48 pixels in rgb")):
        notes = run_json("best", "--data", tmp_path / name, "--split", "test")["notes"]
        said = f"images prepared with {form} are converted to {side} pixels in gray, as the network takes them"
        assert said in notes


def test_report_and_pictures_need_nothing_else(data: Path, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "pictures"
    run("best", "--data", data, "--split", "PublicTest", "--report", page, "--pictures", folder, *DRAWS)
    text = page.read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', text) and "<script" not in text and "@import" not in text
    for words in (
        "FER+ majority",
        "FER2013's own labels".replace("'", "&#39;"),
        "Most confident mistakes",
        "@media print",
    ):
        assert words in text
    names = {path.name for path in folder.iterdir()}
    charts = ("confusion", "reliability", "roc", "precision_recall")
    kinds = {f"{name}.{ending}" for name in charts for ending in ("png", "svg", "pdf")} | {"mistakes.png"}
    assert names == kinds | {f"labels-{n}-{name}" for n in (2, 3, 4) for name in kinds}
    assert all(cv2.imread(str(path)) is not None for path in folder.glob("*.png"))
    assert all(path.read_bytes().startswith(b"%PDF") for path in folder.glob("*.pdf"))
    assert all("<svg" in path.read_text() for path in folder.glob("*.svg"))


def test_tables_for_other_programs_say_what_the_answer_says(data: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    places = {name: tmp_path / name for name in ("figures.csv", "answers.parquet", "confusion.csv", "figures.tex")}
    asked = ("best", "--data", data / "fer2013.csv", "--split", "PublicTest", *DRAWS)
    told = run(*asked, "--json", "--table", places["figures.csv"], "--predictions", places["answers.parquet"],
               "--confusion", places["confusion.csv"])  # fmt: skip
    results = json.loads(told)["data"]["results"]

    answers = pq.read_table(places["answers.parquet"]).to_pylist()
    confusions, figures = (
        list(csv.DictReader(places[name].read_text().splitlines())) for name in ("confusion.csv", "figures.csv")
    )
    for result in results:
        found, title = result["figures"], result["labels"]
        mine = [row for row in answers if row["labels"] == title]
        assert len({row["image"] for row in mine}) == len(mine) == found["n"]
        assert np.mean([row["right"] for row in mine]) == pytest.approx(found["accuracy"], abs=1e-6)
        assert sum(row["seen_in_training"] for row in mine) == result["seen_in_training"]
        for row in mine:
            given = {name: row[f"probability_{name}"] for name in found["classes"]}
            assert sum(given.values()) == pytest.approx(1) and max(given, key=lambda name: given[name]) == row["answer"]
        counts = [row for row in confusions if row["labels"] == title]
        assert [[int(row[f"answered_{name}"]) for name in found["classes"]] for row in counts] == found["confusion"]
        [kappa] = [r for r in figures if (r["labels"], r["images"], r["figure"]) == (title, "all", "kappa")]
        assert float(kappa["value"]) == pytest.approx(found["kappa"], abs=1e-6)
        assert [float(kappa["low"]), float(kappa["high"])] == pytest.approx(found["intervals"]["kappa"], abs=1e-6)
    run(*asked, "--table", places["figures.tex"])
    page = places["figures.tex"].read_text()
    assert page.count("\\begin{tabular}") == 2 * len(results) and "Cohen's kappa & " in page


def test_a_table_that_cannot_be_written_is_refused_before_the_work(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"answers\.ods: a table is written as \.csv, \.parquet, \.xlsx, \.tex"):
        run("best", "--data", data, "--predictions", tmp_path / "answers.ods")


def test_no_picture_is_written_that_was_not_asked_for(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    run("best", "--data", data, "--split", "PublicTest", *DRAWS)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ("nowhere", "--data", "{data}"),
            ConfigError,
            r"nowhere: a run folder .* or a shipped bundle \(best, fast\) expected",
        ),
        (("{tmp}", "--data", "{data}"), ConfigError, "found a folder without either"),
        (("best",), DatasetError, "name a data set with --data"),
        (("best", "--data", "nowhere"), DatasetError, "nowhere: is not there"),
        (
            ("best", "--data", "{data}", "--split", "holiday"),
            DatasetError,
            r"split 'holiday' has no images; there are test \(23\), train \(\d+\), validation \(\d+\), PublicTest",
        ),
        (("best", "--data", "{data}", "--classes", "{tmp}/own.toml"), DatasetError, "are needed, found 1"),
        (("best", "--data", "{tmp}/unlabelled.csv"), DatasetError, "not labelled"),
        (("best", "--data", "{tmp}/faces"), DatasetError, "images without labels are for: felicity classify"),
        (("best", "--data", "{data}", "--report", "{tmp}/no/report.html"), ConfigError, "there is no folder"),
        (("best", "--data", "{data}", "--report", "{tmp}"), ConfigError, "is a folder; name a file in it"),
        (("best", "--data", "{data}", "--report", "{data}/fer2013.csv"), ConfigError, "a page is written as .html"),
        (("best", "--data", "{data}", "--pictures", "{tmp}/own.toml"), ConfigError, "cannot be made"),
        (("best", "--data", "{data}", "--pictures", "{tmp}/own.toml/x"), ConfigError, "cannot be made"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    arguments: tuple[str, ...],
    error: type[FelicityError],
    message: str,
    data: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "own.toml").write_text('[classes]\nglad = ["happy"]\nbad = ["sad", "anger"]\n')
    lines = (data / "fer2013.csv").read_text().splitlines()
    (tmp_path / "unlabelled.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines) + "\n")
    disk.write_png(np.zeros((48, 48), np.uint8), tmp_path / "faces" / "face.png")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=message) as caught:
        run(*(argument.format(data=data, tmp=tmp_path) for argument in arguments))
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bundle_needs_no_framework_and_a_mistake_is_no_traceback(data: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'tensorflow', 'keras', 'jax', 'sklearn'): sys.modules[name] = None\n"
        "from felicity.cli.app import main\n"
        "main()\n"
    )

    def ask(split: str) -> subprocess.CompletedProcess[str]:
        words = ["evaluate", "best", "--data", data, "--split", split, "--json"]
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *map(str, words)],
            capture_output=True, text=True, env=environment(tmp_path), timeout=200,
        )  # fmt: skip

    done = ask("PublicTest")
    assert done.returncode == 0 and flat(json.loads(done.stdout))["n"] == 23, done.stderr
    wrong = ask("holiday")
    assert wrong.returncode == 1 and not wrong.stdout
    assert wrong.stderr.startswith("error split 'holiday'") and len(wrong.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on happy and sad faces alone."""
    from felicity.training.config import make_config
    from felicity.training.data import load_training_set
    from felicity.training.fit import fit

    config = make_config({
        "model": {"name": "test-tiny"}, "backend": keras_here(), "epochs": 2, "batch_size": 8,
        "data": {"path": str(data), "format": "fer2013-csv", "classes": "happy,sad", "size": 16},
    })  # fmt: skip
    folder = tmp_path_factory.mktemp("runs") / "run"
    fit(config, load_training_set(config.data), folder)
    return folder


def test_a_run_knows_its_data_and_says_how_it_fits(trained: Path, tmp_path: Path) -> None:
    found = run_json(trained)
    assert found["model"] == f"run {trained.name} (test-tiny on {_backend(trained)})"
    assert found["classes"] == ["happy", "sad"] and found["labels"] == "FER2013's own labels"
    assert found["n"] == 7 and found["seen_in_training"] == 0, "no near-duplicate was left in the training set"
    fit = found["fit"]
    assert fit["verdict"] in ("overfitted", "underfitted", "neither") and fit["epochs"] == 2
    assert set(fit["kept"]) == {"training", "validation", "test"}
    assert fit["kept"]["test"]["accuracy"] == pytest.approx(found["accuracy"])
    assert fit["text"] in run(trained, *DRAWS).replace("\n", " ")
    run(trained, *DRAWS, "--report", tmp_path / "page.html")
    assert "Accuracy and loss by epoch" in (tmp_path / "page.html").read_text()
    learnt = run_json(trained, "--split", "train")
    assert learnt["without_seen_in_training"] is None and set(learnt["fit"]["kept"]) == {"training", "validation"}
    assert learnt["fit"]["kept"]["training"]["accuracy"] == pytest.approx(learnt["accuracy"])


def test_a_run_of_two_classes_is_asked_about_these_alone(trained: Path, data: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    prepare = ["data", "prepare", str(data / "fer2013.csv"), "-o", str(ready), "--size", "16", "-j", "1"]
    assert CliRunner().invoke(app, prepare, catch_exceptions=False).exit_code == 0
    found = run_json(trained, "--data", ready)
    assert found["classes"] == ["happy", "sad"] and found["n"] == 7
    assert any("images labelled fear are left out" in note for note in found["notes"])
    assert found["seen_in_training"] == 0 and set(found["fit"]["kept"]) == {"training", "validation"}
    copies = run_json(trained, "--data", ready, "--split", "train")
    assert copies["seen_in_training"] > 0, "copies are known by their content, whatever they are called"


def test_another_reading_of_the_same_files_is_no_fresh_data(trained: Path, data: Path) -> None:
    found = run_json(trained, "--data", data, "--split", "train", "--format", "ferplus")
    assert found["labels"] == "FER+ majority" and found["seen_in_training"] > 0


def test_format_and_classes_hold_for_the_runs_own_data(trained: Path) -> None:
    found = run_json(trained, "--format", "ferplus")
    assert found["labels"] == "FER+ majority"
    toml = trained.parent / "classes.toml"
    toml.write_text('[classes]\nhappy = ["happy", "surprise"]\nsad = ["sad"]\n')
    wider = run_json(trained, "--classes", toml, "--split", "PublicTest")
    assert wider["n"] > run_json(trained, "--split", "PublicTest")["n"]


def test_data_that_are_gone_are_asked_for(trained: Path, data: Path) -> None:
    data.rename(data.with_name("moved"))
    try:
        with pytest.raises(DatasetError, match=f"is not there, and {trained} was trained on it; say where with --data"):
            run(trained)
    finally:
        data.with_name("moved").rename(data)


def test_data_that_changed_since_the_training_are_noticed(trained: Path, data: Path) -> None:
    file = trained / "run.json"
    kept = file.read_text()
    facts = json.loads(kept)
    facts["data"]["digest"] = "0" * 32
    try:
        file.write_text(json.dumps(facts))
        found = run_json(trained)
    finally:
        file.write_text(kept)
    assert any("is not what it was" in note for note in found["notes"]) and not found["fit"]["kept"]


def test_a_run_before_its_first_epoch_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text((trained / "run.json").read_text())
    with pytest.raises(TrainingError, match="no epoch is done yet; go on with: felicity train --resume"):
        run(tmp_path)


def _backend(folder: Path) -> str:
    return str(json.loads((folder / "run.json").read_text())["config"]["backend"])


@pytest.mark.shared_data
def test_the_shipped_bundle_on_fer2013_is_as_its_facts_say(shared: Path) -> None:
    found = run_json("best", "--data", shared / "data" / "fer2013", "--split", "PublicTest")
    assert found["n"] == 3396
    told = open_bundle("best").facts.metrics["test"]
    assert told["accuracy"] > 0.84, "it was no worse before"
    assert found["accuracy"] == pytest.approx(told["accuracy"], abs=0.002)
    assert found["balanced_accuracy"] == pytest.approx(told["balanced_accuracy"], abs=0.005)
    assert found["happy"]["f1"] == pytest.approx(told["happy_f1"], abs=0.002)
    assert found["ece"] == pytest.approx(told["ece"], abs=0.002)
    low, high = found["intervals"]["accuracy"]
    assert low < told["accuracy"] < high and 0.02 < high - low < 0.03
    assert 700 < found["seen_in_training"] < 1000
    own = found["other_labels"][0]
    assert own["n"] == 3579 and own["accuracy"] == pytest.approx(0.6935, abs=0.002)
    assert found["other_labels"][2]["balanced_accuracy"] == pytest.approx(0.6673, abs=0.005)


def test_all_images_of_other_data_are_measured(trained: Path, tmp_path: Path) -> None:
    other = disk.write_folders(disk.made_up(60, seed=5), tmp_path / "other", folds=False)
    in_test = disk.write_folders(disk.made_up(60, seed=6), tmp_path / "in-test" / "test", folds=False).parent

    for data in (other, in_test):
        found = run_json(trained, "--data", data)
        labelled = sum(row["n"] for row in found["per_class"].values())
        known = [*data.rglob("happy/*"), *data.rglob("sad/*")]
        assert found["split"] == "all" and found["n"] == labelled == len(known)
        assert any(note.startswith(f"all {len(known)} images of {data} are measured") for note in found["notes"])
        named = run_json(trained, "--data", data, "--split", "all")
        assert named["n"] == found["n"]

    part = run_json(trained, "--data", other, "--split", "test")
    assert 0 < part["n"] < labelled, "a part is drawn where it is asked for"


def test_a_bundle_is_measured_on_the_test_fold_where_there_is_one(tmp_path: Path) -> None:
    faces = disk.made_up(70, seed=7)
    data = disk.write_folders(faces, tmp_path / "set", folds=True)
    found = run_json("fast", "--data", data)
    assert found["split"] == "test" and found["n"] == sum(fold != "Training" for fold in faces.folds)
    whole = run_json("fast", "--data", disk.write_folders(faces, tmp_path / "without", folds=False))
    assert whole["split"] == "all" and whole["n"] == 70
