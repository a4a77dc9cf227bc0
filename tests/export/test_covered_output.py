"""The output that tells covered faces: what it computes, and that nothing else changes."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity.datasets.drawing import FaceFrame
from felicity.errors import BundleError
from felicity.export.covered_output import (
    OUTPUT,
    CoveredHead,
    features_after,
    with_covered_output,
    with_features,
    without_covered_output,
)
from felicity.models.bundle import Bundle, open_bundle
from felicity.recognition.classifier import Classifier
from felicity.runtime import open_session

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from covered_head import LabelledFaces, Trunk, with_head

RECIPE: dict[str, Any] = {
    "seed": 1, "draws": 1, "covered": 0.5, "decoys": 0.2, "held_out": ["veil"], "block": 4, "channels": 4, "epochs": 8,
    "batch_size": 16, "learning_rate": 2e-2, "weight_decay": 1e-2, "dropout": 0.1, "smoothing": 0.02,
    "free_taken": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> bytes:
    return without_covered_output(open_bundle("fast").weights.read_bytes())


def pixels(faces: int) -> np.ndarray:
    crops = np.random.default_rng(2).integers(0, 256, (faces, 48, 48), dtype=np.uint8)
    return open_bundle("fast").input.batch(crops)


def test_the_head_computes_what_it_says_and_expressions_stay_to_the_bit(plain: bytes) -> None:
    features = features_after(plain, 4)
    assert OUTPUT not in [each.name for each in open_session(plain).get_outputs()]
    fed, rng = {"faces": pixels(9)}, np.random.default_rng(3)
    (eight_bits,) = open_session(with_features(plain, features), threads=1).run(None, fed)
    places = eight_bits.shape[2:]
    mix = rng.normal(0, 0.1, (4, eight_bits.shape[1])).astype(np.float32)
    head = CoveredHead(mix, rng.normal(0, 0.1, 4).astype(np.float32), rng.normal(0, 0.1, (4, *places)), 0.3, 6.0)
    both = open_session(with_covered_output(plain, features, head), threads=1)
    heads = ["logits", "second_logits"]
    for before, after in zip(open_session(plain, threads=1).run(heads, fed), both.run(heads, fed), strict=True):
        np.testing.assert_array_equal(before, after)
    seen = (eight_bits.astype(float) - features.zero_point) * features.scale
    mixed = np.einsum("kc,nchw->nkhw", head.mix, seen) + head.mix_bias[:, None, None]
    expected = (mixed.clip(0, head.largest) * head.sum_up).sum((1, 2, 3)) + head.bias
    np.testing.assert_allclose(both.run([OUTPUT], fed)[0][:, 0], expected, atol=0.1)
    assert head.multiply_adds == mix.size * 36 + 4 * 36
    assert without_covered_output(with_covered_output(plain, features, head)) == plain
    with pytest.raises(BundleError, match="has an output for covered faces already"):
        with_covered_output(with_covered_output(plain, features, head), features, head)


def test_networks_without_such_a_block_are_refused(plain: bytes) -> None:
    with pytest.raises(BundleError, match=r"no block 9 in eight bits; export it with --precision int8"):
        features_after(plain, 9)


def test_a_head_is_trained_measured_and_written_with_its_bundle(tmp_path: Path) -> None:
    """Bright squares with dark mouths are easy; what is asked is that everything is there, and right."""
    faces = np.random.default_rng(5).integers(90, 190, (64, 48, 48)).astype(np.uint8)
    faces[:, 34:40, 18:30] = 10
    part = LabelledFaces(faces, [FaceFrame.usual(48)] * 64, np.arange(64) % 8)
    sets = {"squares": {"train": part, "validation": part, "test": part}}
    before = open_bundle("fast")
    made = with_head(before, Trunk(before, 4), sets, RECIPE, tmp_path / "made", "squares")
    told = made.facts.covered
    assert told is not None and made.name == "squares" and told.held_out == ["veil"]
    assert "veil" not in told.trained_on and "surgical" in told.trained_on and "50%" in told.trained_on
    assert set(told.metrics) == {"squares, validation", "squares, test"}
    test = told.metrics["squares, test"]
    assert test.faces == 64 and "veil" in test.found
    assert test.free_taken <= round(7 / 64, 4), "a tenth of the faces that set the threshold, which are the same 64"
    assert test.found["all"] > test.decoys_taken["all"]
    assert made.training_weights() is not None, "float weights come along"
    same, covered = answers(made, faces), answers(before, faces)
    np.testing.assert_array_equal(same.probabilities, covered.probabilities)
    assert same.covered is not None and same.covered.mean() == pytest.approx(test.free_taken, abs=0.04)


def answers(bundle: Bundle, crops: np.ndarray) -> Any:
    return Classifier(bundle, threads=1).answers(crops)
