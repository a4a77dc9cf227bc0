import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity.errors import BundleError
from felicity.labels import EXPRESSIONS
from felicity.models.bundle import FACTS_FILE, ZOO, open_bundle, shipped, write_bundle
from felicity.recognition.classifier import Classifier


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(open_bundle().folder, tmp_path / "bundle"))


def edit(folder: Path, **changes: Any) -> None:
    facts = json.loads((folder / FACTS_FILE).read_text())
    (folder / FACTS_FILE).write_text(json.dumps(facts | changes))


@pytest.mark.parametrize("name", shipped())
def test_shipped_bundles_are_whole_and_say_what_they_do(name: str) -> None:
    facts = open_bundle(name).facts
    assert facts.labels == [str(e) for e in EXPRESSIONS]
    assert sum(facts.prior) == pytest.approx(1, abs=1e-4)
    matrix = np.array(facts.soft_matrix.matrix)
    assert matrix.sum(0) == pytest.approx(np.ones(8), abs=1e-5), "columns are mean probabilities"
    confusion = np.array(facts.confusion)
    parts = facts.soft_matrix_parts
    assert parts is not None and set(parts) == {"validation", "test"}
    assert confusion.sum() == facts.metrics["validation"]["faces"]
    assert (confusion.sum(1) >= parts["validation"].counts).all(), "the soft matrix leaves out press photographs"
    assert np.sum([part.counts for part in parts.values()], axis=0).tolist() == facts.soft_matrix.counts
    assert sum(parts["test"].counts) == facts.metrics["test"]["faces"]
    assert open_bundle(name).without("test").soft_matrix.counts.tolist() == parts["validation"].counts
    kept = open_bundle(name).training_weights()
    assert kept is not None and all(np.isfinite(value).all() for value in kept.values())
    right, measured = np.trace(confusion) / confusion.sum(), facts.metrics["validation_in_use"]
    assert right == pytest.approx(measured["accuracy"], abs=1e-4)


def test_tampered_weights_are_refused(copy: Path) -> None:
    weights = bytearray((copy / "model.onnx").read_bytes())
    weights[len(weights) // 2] ^= 1
    (copy / "model.onnx").write_bytes(weights)
    with pytest.raises(BundleError, match="weights were changed or damaged"):
        open_bundle(copy)


def test_tampered_facts_are_refused(copy: Path) -> None:
    edit(copy, temperature=3.0)
    with pytest.raises(BundleError, match="was changed after it was written"):
        open_bundle(copy)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 1 expected, found 2"),
        ({"labels": ["happy", "sad"]}, "found happy, sad"),
        ({"emotion": "joy"}, "emotion"),
        ({"temperature": -1}, "temperature"),
        ({"prior": [1.0]}, "prior"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_other_facts_are_refused(copy: Path, changes: dict[str, Any], words: str) -> None:
    edit(copy, **changes)
    with pytest.raises(BundleError, match=words):
        open_bundle(copy)


def test_missing_parts_are_named(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="neither a folder nor a shipped bundle; shipped are: .*" + shipped()[0]):
        open_bundle("nowhere")
    (copy / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"weights 'model\.onnx' are missing"):
        open_bundle(copy)
    (copy / FACTS_FILE).write_text("{")
    with pytest.raises(BundleError, match="cannot be read as JSON"):
        open_bundle(copy)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=FACTS_FILE):
        open_bundle(tmp_path / "empty")


def test_a_bundle_is_replaced_whole(tmp_path: Path) -> None:
    first = open_bundle()
    facts = first.facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256"})
    written = write_bundle(tmp_path / "b", first.weights.read_bytes(), facts)
    assert written.id == first.id
    again = write_bundle(tmp_path / "b", first.weights.read_bytes(), facts | {"temperature": 2.0})
    assert again.id != first.id, "another temperature answers otherwise"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b"]


def test_a_bundle_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = open_bundle().facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256"})
    first, replace = write_bundle(tmp_path / "b", b"first", facts), os.replace

    def interrupted(source: Path, target: Path) -> None:
        if source != first.folder and target == first.folder and (Path(source) / "model.onnx").read_bytes() != b"first":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr("felicity.models.bundle.os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path / "b", b"second", facts)
    assert open_bundle(tmp_path / "b").id == first.id
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_bundle_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    facts = open_bundle().facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256"})
    with pytest.raises(BundleError, match=r"cannot be written .*choose another folder"):
        write_bundle(tmp_path / "file" / "b", b"", facts)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_facts_of_the_training_are_covered_by_the_digest(tmp_path: Path) -> None:
    facts = open_bundle().facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256"})
    written = write_bundle(tmp_path / "b", b"", facts | {"training": {"config": {"width": None}}})
    assert written.facts.training == {"config": {"width": None}}
    edit(tmp_path / "b", training={"config": {"width": 3}})
    with pytest.raises(BundleError, match="was changed after it was written"):
        open_bundle(tmp_path / "b")


def test_weights_of_another_shape_are_refused(copy: Path) -> None:
    facts = open_bundle(copy).facts.model_dump(exclude={"format", "weights", "weights_sha256", "facts_sha256"})
    facts["input"]["size"] = 72
    wrong = write_bundle(copy.parent / "wrong", (copy / "model.onnx").read_bytes(), facts)
    with pytest.raises(BundleError, match=r"one input \(N, 1, 72, 72\)"):
        Classifier(wrong)
    not_onnx = write_bundle(copy.parent / "text", b"hello", facts)
    with pytest.raises(BundleError, match="ONNX Runtime cannot load it"):
        Classifier(not_onnx)


def test_the_zoo_holds_bundles_only() -> None:
    assert sorted(p.name for p in ZOO.iterdir() if p.name != "__pycache__") == shipped()
