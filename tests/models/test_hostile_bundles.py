"""Bundles of strangers: what was checked is what answers, within limits, and impossible facts are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from felicity.errors import BundleError
from felicity.models import trial
from felicity.models.bundle import FACTS_FILE, open_bundle, shipped
from felicity.models.bundle_facts import BundleFacts
from felicity.models.onnx_wire import check_network
from felicity.recognition.classifier import Classifier
from tests.support import networks
from tests.support.command import felicity


@pytest.fixture(autouse=True)
def _of_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network is trusted because this process wrote it."""
    monkeypatch.setattr(trial, "trust", lambda content: None)
    monkeypatch.setattr(trial, "_TRUSTED", set())


def resealed(folder: Path, **changes: Any) -> Path:
    """Change facts as whoever made the bundle can: the digest fits."""
    facts = BundleFacts.model_construct(**(json.loads((folder / FACTS_FILE).read_text()) | changes))
    told = {k: v for k, v in dict(facts).items() if k != "facts_sha256" and v is not None}
    (folder / FACTS_FILE).write_text(json.dumps(told | {"facts_sha256": "0" * 64}))
    return folder


@pytest.mark.parametrize("name", shipped())
def test_shipped_networks_hold_nothing_that_is_refused(name: str) -> None:
    check_network(open_bundle(name).weights.read_bytes())


def test_weights_beside_the_network_are_refused(tmp_path: Path) -> None:
    made = networks.bundle_of(networks.with_weights_beside(tmp_path), tmp_path / "b")
    (tmp_path / "w.bin").rename(made.folder / "w.bin")
    done = felicity("bundle", "verify", made.folder, home=tmp_path, expect=1)
    assert "weights in another file, which no digest covers" in done.stderr


def test_the_bytes_that_were_checked_are_those_that_answer(tmp_path: Path) -> None:
    made = networks.bundle_of(networks.dense(), tmp_path / "b")
    faces = np.random.default_rng(1).integers(0, 256, (3, networks.SIDE, networks.SIDE), dtype=np.uint8)
    before = Classifier(made).probabilities(faces)
    opened = open_bundle(made.folder)
    (made.folder / "model.onnx").write_bytes(networks.with_large_constant(2))  # between the check and the use
    np.testing.assert_array_equal(Classifier(opened).probabilities(faces), before)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (lambda: networks.with_loop(2**62), "a graph within an operator"),
        (lambda: networks.with_large_constant(60_000), "needs more than 1024 MB or 20 s"),
        (lambda: b"hello", "is not"),
        (lambda: networks.dense()[:-7], "is not a whole ONNX file"),
    ],
    ids=["loop", "memory", "text", "cut short"],
)
def test_networks_without_bounds_are_refused(network: Any, words: str, tmp_path: Path) -> None:
    made = networks.bundle_of(network(), tmp_path / "b")
    with pytest.raises(BundleError, match=words):
        Classifier(made)


def test_networks_that_take_too_long_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 1)
    made = networks.bundle_of(networks.with_long_product(1000, 2000), tmp_path / "b")
    with pytest.raises(BundleError, match=r"needs more than 1 s to be loaded"):
        Classifier(made)


NAN = float("nan")
EVEN = [1 / 8] * 8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prior": [NAN, *EVEN[1:]]}, "NaN is not a JSON number"),
        ({"prior": [-1 / 8, 3 / 8, *EVEN[2:]]}, "prior: shares are numbers from 0"),
        ({"prior": [1.0] * 8}, "sum to 8"),
        ({"answer_prior": [0.0] * 8}, "answer_prior: shares"),
        ({"temperature": float("inf")}, "Infinity is not a JSON number"),
        ({"bias": [1e400] * 8}, "Infinity is not a JSON number"),
        ({"temperature": 10**400}, "more than 64 bits"),
        ({"soft_matrix": {"matrix": [[0.5] * 8] * 8, "counts": [1] * 8, "cross": [[[0.1] * 8] * 8] * 8}}, "sums to 1"),
        ({"soft_matrix": {"matrix": [[0.125] * 8] * 8, "counts": [-1] * 8, "cross": [[[0.1] * 8] * 8] * 8}}, "counts"),
        ({"confusion": [[1, 2]] * 8}, "confusion"),
        ({"metrics": [[[[]]]]}, "metrics"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_impossible_facts_are_refused(
    changes: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = networks.bundle_of(networks.dense(), tmp_path / "b")
    resealed(made.folder, **changes)
    monkeypatch.setattr(BundleFacts, "digest", lambda facts, *without: "0" * 64)
    with pytest.raises(BundleError, match=words):
        open_bundle(made.folder)


def test_deep_facts_are_one_sentence(tmp_path: Path) -> None:
    made = networks.bundle_of(networks.dense(), tmp_path / "b")
    (made.folder / FACTS_FILE).write_text("[" * 100_000)
    done = felicity("bundle", "show", made.folder, home=tmp_path, expect=1)
    assert "cannot be read as JSON" in done.stderr
