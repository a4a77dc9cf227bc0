"""A bundle: one ONNX file and ``bundle.json`` with everything one must know to use it.

The facts travel with the weights: labels in order, input size, colour and normalisation,
temperature, what the network answers to faces whose label is known, where it was trained and
measured, licence. ``weights.npz``, which a bundle may lack, keeps the float weights that a training can begin with.
All files are covered by SHA-256, so a swapped or damaged one is noticed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError
from felicity.files import swap_folders
from felicity.imaging import InputSpec
from felicity.labels import EIGHT_CLASSES, EXPRESSIONS, Classes
from felicity.models import trial
from felicity.models.bundle_facts import FORMAT, BundleFacts, SoftMatrixFacts, TrainingWeights
from felicity.models.bundle_files import checked_content, digest_of
from felicity.models.prior import prior_shift
from felicity.models.weights import pack_weights, unpack_weights
from felicity.parsing import read_json
from felicity.validation import checked, dotted

if TYPE_CHECKING:
    from felicity.index.soft_matrix import SoftMatrix

FACTS_FILE, TRAINING_WEIGHTS = "bundle.json", "weights.npz"
ZOO = Path(__file__).parent / "zoo"
DEFAULT = "best"


class Bundle:
    """An opened bundle: its folder, its facts, and its ONNX file as it was when its digest was checked."""

    def __init__(self, folder: Path, facts: BundleFacts, onnx: bytes) -> None:
        self.folder = folder
        self.facts = facts
        self._onnx = onnx

    @property
    def name(self) -> str:
        """Return the name given when it was made."""
        return self.facts.name

    @property
    def weights(self) -> Path:
        """Return the path of the ONNX file; ``network`` is what to run."""
        return self.folder / self.facts.weights

    def network(self) -> bytes:
        """Return the ONNX file, safe to open: shipped, made here, or tried in a process of its own (``models.trial``).

        Raises BundleError for a network that leads out of its file, or needs too much memory or time.
        """
        if self.folder.parent != ZOO:
            try:
                trial.try_network(self._onnx, (self.input.channels, self.input.size, self.input.size))
            except ValueError as error:
                raise BundleError(f"{self.weights}: is refused, because it {error}; get the bundle again") from error
        return self._onnx

    @cached_property
    def id(self) -> str:
        """Return the name and a digest of what answers depend on: two bundles with one ``id`` answer alike."""
        return f"{self.facts.name}@{self.facts.digest('training_weights')[:12]}"

    @property
    def assumed_prior(self) -> list[float]:
        """Return shares of the expressions under which its answers are calibrated, (8,)."""
        return self.facts.answer_prior or self.facts.prior

    def shift_to(self, shares: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the addend (8,) to logits over temperature that makes answers for these shares of the expressions."""
        bias = np.array(self.facts.bias) if self.facts.bias else 0.0
        return np.asarray(prior_shift(self.facts.prior, shares) + bias)

    @cached_property
    def classes(self) -> Classes:
        """Return the classes; the eight expressions where the bundle does not say."""
        told = self.facts.classes
        return EIGHT_CLASSES if told is None else Classes.of(told, told)

    @cached_property
    def soft_matrix(self) -> SoftMatrix:
        """Return the soft confusion matrix of its answers, as the happiness index takes it."""
        return self._matrix(self.facts.soft_matrix)

    def without(self, part: str) -> Bundle:
        """Return the bundle with the soft matrix of its other parts, so that the faces of ``part`` can measure it."""
        from felicity.index.soft_matrix import SoftMatrix

        parts = self.facts.soft_matrix_parts or {}
        others = [self._matrix(facts) for name, facts in parts.items() if name != part]
        if part not in parts or not others:
            return self
        changed = Bundle(self.folder, self.facts, self._onnx)
        changed.soft_matrix = SoftMatrix.combine(others)
        return changed

    def _matrix(self, facts: SoftMatrixFacts) -> SoftMatrix:
        from felicity.index.soft_matrix import SoftMatrix

        return replace(SoftMatrix.from_json(facts.model_dump()), classes=self.classes)

    @property
    def input(self) -> InputSpec:
        """Return the pixels that the network expects."""
        return InputSpec(**self.facts.input.model_dump())

    def training_weights(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the weights that a training can begin with, by Keras variable path; None where none are kept.

        Raises BundleError if the file is missing, damaged or was changed.
        """
        kept = self.facts.training_weights
        if kept is None:
            return None
        content = checked_content(self.folder, kept.file, kept.sha256)
        try:
            return unpack_weights(content)
        except ValueError as error:
            raise BundleError(f"{self.folder / kept.file}: {error}; get the bundle again") from error


def open_bundle(where: str | Path | None = None) -> Bundle:
    """Open a bundle by folder or by name in the zoo (None: the default) and check that it is whole.

    Raises BundleError if it is missing, of another format, incomplete, or if the SHA-256 of weights
    or facts is not the one written down.
    """
    folder = _find(where)
    file = folder / FACTS_FILE
    try:
        raw = read_json(file.read_bytes())
    except FileNotFoundError:
        raise BundleError(f"{folder}: a bundle is a folder with {FACTS_FILE}, which is missing here") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: cannot be read as JSON ({error}); get the bundle again") from error
    if isinstance(raw, dict) and raw.get("format") != FORMAT:
        raise BundleError(
            f"{file}: bundle format {FORMAT} expected, found {raw.get('format')!r}; use a matching Felicity"
        )
    facts = checked(
        BundleFacts,
        raw,
        name=lambda place: f"{file}: {dotted(place)}",
        error=BundleError,
        advice="the bundle is incomplete, get it again",
    )
    if facts.labels != [str(e) for e in EXPRESSIONS]:
        raise BundleError(f"{file}: labels {', '.join(EXPRESSIONS)} expected, found {', '.join(facts.labels)}")
    if facts.facts_sha256 != facts.digest():
        raise BundleError(
            f"{file}: was changed after it was written (its SHA-256 does not match); get the bundle again"
        )
    bundle = Bundle(folder, facts, checked_content(folder, facts.weights, facts.weights_sha256))
    try:
        _ = bundle.input, bundle.soft_matrix
        _ = [bundle.without(part) for part in facts.soft_matrix_parts or ()]
    except ValueError as error:
        raise BundleError(f"{file}: {error}; get the bundle again") from error
    return bundle


def write_bundle(
    folder: Path,
    weights: bytes,
    facts: dict[str, Any],
    *,
    trained: Mapping[str, npt.NDArray[Any]] | None = None,
    origin: str = "as they were trained",
) -> Bundle:
    """Write a bundle, whole or not at all; ``facts`` without format, file names and digests.

    ``weights``: the ONNX file. ``trained``: float weights by Keras variable path, and where they come from.
    Raises BundleError if it cannot be written.
    """
    files = {"model.onnx": weights}
    kept = None
    if trained is not None:
        files[TRAINING_WEIGHTS] = pack_weights(trained)
        kept = TrainingWeights(file=TRAINING_WEIGHTS, sha256=digest_of(files[TRAINING_WEIGHTS]), origin=origin)
    fixed = {"format": FORMAT, "weights": "model.onnx", "weights_sha256": digest_of(weights), "training_weights": kept}
    complete = BundleFacts(**(facts | fixed))
    trial.trust(weights)
    complete = complete.model_copy(update={"facts_sha256": complete.digest()})
    try:
        _write(folder, files, complete)
    except OSError as error:
        raise BundleError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return open_bundle(folder)


def _write(folder: Path, files: Mapping[str, bytes], complete: BundleFacts) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            (beside / name).write_bytes(content)
        (beside / FACTS_FILE).write_text(complete.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
        beside.chmod(0o755)
        open_bundle(beside)
        if folder.exists():
            swap_folders(beside, folder)
        else:
            os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def shipped() -> list[str]:
    """Return names of the bundles in the zoo."""
    return sorted(p.parent.name for p in ZOO.glob(f"*/{FACTS_FILE}"))


def _find(where: str | Path | None) -> Path:
    if where is None:
        where = DEFAULT
    if Path(where).is_dir():
        return Path(where)
    if (ZOO / str(where) / FACTS_FILE).is_file():
        return ZOO / str(where)
    raise BundleError(f"{where}: neither a folder nor a shipped bundle; shipped are: {', '.join(shipped()) or 'none'}")
