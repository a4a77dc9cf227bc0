"""A bundle: one ONNX file and ``bundle.json`` with everything one must know to use it.

The facts travel with the weights: labels in order, input size, colour and normalisation,
temperature, what the network answers to faces whose label is known, where it was trained and
measured, licence. ``weights.npz``, which a bundle may lack, keeps the float weights that a training can begin with.
All files are covered by SHA-256, so a swapped or damaged one is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_validator

from felicity.errors import BundleError
from felicity.files import swap_folders
from felicity.imaging import InputSpec
from felicity.labels import EIGHT_CLASSES, EXPRESSIONS, Classes, Expression
from felicity.models.weights import pack_weights, unpack_weights
from felicity.validation import checked, dotted

if TYPE_CHECKING:
    from felicity.index.soft_matrix import SoftMatrix

FORMAT: Literal[1] = 1
FACTS_FILE, TRAINING_WEIGHTS = "bundle.json", "weights.npz"
ZOO = Path(__file__).parent / "zoo"
DEFAULT = "best"

Row = Annotated[list[float], Field(min_length=8, max_length=8)]
Matrix = Annotated[list[Row], Field(min_length=8, max_length=8)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Strict):
    """See ``imaging.InputSpec``."""

    size: int
    colour: Literal["gray", "rgb"]
    mean: float
    std: float


class SoftMatrixFacts(_Strict):
    """What the network answers to held-out faces of each label (``Bundle.soft_matrix``).

    ``matrix[i][j]``: mean probability of expression i over faces whose label is j. ``counts[j]``:
    how many faces. ``cross[j]``: mean of p pᵀ over them.
    """

    matrix: Matrix
    counts: Annotated[list[int], Field(min_length=8, max_length=8)]
    cross: Annotated[list[Matrix], Field(min_length=8, max_length=8)]


class SecondHead(_Strict):
    """A second answer to the same face, in another convention of labels.

    ``labels_of``: whose labels, such as ``FER2013``; ``output``: of the ONNX file. Other names as in ``BundleFacts``.
    """

    labels_of: str
    output: str
    temperature: Annotated[float, Field(gt=0)]
    bias: Row
    prior: Row
    metrics: dict[str, Any]


class TrainingWeights(_Strict):
    """Float weights that a training can begin with (``models.weights``); ``origin``: where they come from, in words."""

    file: str
    sha256: str
    origin: str


class BundleFacts(_Strict):
    """What stands in ``bundle.json``.

    ``temperature`` divides logits, then ``bias`` is added, which makes them calibrated under ``prior``, the shares of
    the expressions among the faces that they were calibrated on. ``classes``: what it tells apart, by name, with the
    expressions that each class is made of; a class stands at the place of the first of them (``labels.Classes``).
    ``answer_prior``: shares for which answers are made, see ``recognition.Classifier``; None for ``prior``. Soft matrix
    and confusion are of the answers so made. ``card``: what it is meant for and what not, in words. ``training``:
    configuration, data, versions and epoch, where ``felicity train`` made the weights.
    """

    format: Literal[1]
    name: str
    weights: str
    weights_sha256: str
    labels: list[str]
    input: Input
    temperature: Annotated[float, Field(gt=0)]
    bias: Row | None = None
    prior: Row
    answer_prior: Row | None = None
    soft_matrix: SoftMatrixFacts
    confusion: Annotated[list[list[int]], Field(min_length=8, max_length=8)]
    metrics: dict[str, Any]
    trained_on: str
    calibrated_on: str
    licence: str
    made_with: str
    classes: dict[str, list[Expression]] | None = None
    second: SecondHead | None = None
    card: dict[str, str] | None = None
    training: dict[str, Any] | None = None
    training_weights: TrainingWeights | None = None
    facts_sha256: str = ""

    @field_validator("classes")
    @classmethod
    def _disjoint(cls, value: dict[str, list[Expression]] | None) -> dict[str, list[Expression]] | None:
        if value is not None and len(Classes.of(value, value).names) < 2:
            raise ValueError("two classes or more expected")
        return value

    def digest(self, *without: str) -> str:
        """SHA-256 of everything but itself and the fields ``without``."""
        told = self.model_dump(exclude={"facts_sha256", *without}, exclude_none=True)
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class Bundle:
    """An opened bundle: its folder and its facts. The weights are read by whoever runs them."""

    def __init__(self, folder: Path, facts: BundleFacts) -> None:
        self.folder = folder
        self.facts = facts

    @property
    def name(self) -> str:
        """As given when it was made."""
        return self.facts.name

    @property
    def weights(self) -> Path:
        """The ONNX file."""
        return self.folder / self.facts.weights

    @cached_property
    def id(self) -> str:
        """Name and a digest of what answers depend on: two bundles with one ``id`` answer alike."""
        return f"{self.facts.name}@{self.facts.digest('training_weights')[:12]}"

    @property
    def assumed_prior(self) -> list[float]:
        """Shares of the expressions under which its answers are calibrated, (8,)."""
        return self.facts.answer_prior or self.facts.prior

    @cached_property
    def classes(self) -> Classes:
        """What it tells apart; the eight expressions where it does not say."""
        told = self.facts.classes
        return EIGHT_CLASSES if told is None else Classes.of(told, told)

    @cached_property
    def soft_matrix(self) -> SoftMatrix:
        """The soft confusion matrix of its answers, as the happiness index takes it."""
        from felicity.index.soft_matrix import SoftMatrix

        return replace(SoftMatrix.from_json(self.facts.soft_matrix.model_dump()), classes=self.classes)

    @property
    def input(self) -> InputSpec:
        """What the network expects of its pixels."""
        return InputSpec(**self.facts.input.model_dump())

    def training_weights(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the weights that a training can begin with, by Keras variable path; None where none are kept.

        Raises BundleError where the file is missing, damaged or was changed.
        """
        kept = self.facts.training_weights
        if kept is None:
            return None
        content = _content(self.folder, kept.file, kept.sha256)
        try:
            return unpack_weights(content)
        except ValueError as error:
            raise BundleError(f"{self.folder / kept.file}: {error}; get the bundle anew") from error


def open_bundle(where: str | Path | None = None) -> Bundle:
    """Open a bundle by folder or by name in the zoo (None: the default) and check that it is whole.

    Raises BundleError if it is missing, of another format, incomplete, or if the SHA-256 of weights
    or facts is not the one written down.
    """
    folder = _find(where)
    file = folder / FACTS_FILE
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{folder}: a bundle is a folder with {FACTS_FILE}, which is missing here") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{file}: cannot be read as JSON ({error}); get the bundle anew") from error
    if isinstance(raw, dict) and raw.get("format") != FORMAT:
        raise BundleError(
            f"{file}: bundle format {FORMAT} expected, found {raw.get('format')!r}; use a matching Felicity"
        )
    facts = checked(
        BundleFacts,
        raw,
        name=lambda place: f"{file}: {dotted(place)}",
        error=BundleError,
        advice="the bundle is incomplete, get it anew",
    )
    if facts.labels != [str(e) for e in EXPRESSIONS]:
        raise BundleError(f"{file}: labels {', '.join(EXPRESSIONS)} expected, found {', '.join(facts.labels)}")
    if facts.facts_sha256 != facts.digest():
        raise BundleError(f"{file}: was changed after it was written (its SHA-256 does not match); get the bundle anew")
    bundle = Bundle(folder, facts)
    _ = bundle.input
    _content(folder, facts.weights, facts.weights_sha256)
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
    Raises BundleError where it cannot be written.
    """
    files = {"model.onnx": weights}
    kept = None
    if trained is not None:
        files[TRAINING_WEIGHTS] = pack_weights(trained)
        kept = TrainingWeights(file=TRAINING_WEIGHTS, sha256=_sha256(files[TRAINING_WEIGHTS]), origin=origin)
    fixed = {"format": FORMAT, "weights": "model.onnx", "weights_sha256": _sha256(weights), "training_weights": kept}
    complete = BundleFacts(**(facts | fixed))
    complete = complete.model_copy(update={"facts_sha256": complete.digest()})
    try:
        _write(folder, files, complete)
    except OSError as error:
        raise BundleError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    return open_bundle(folder)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _content(folder: Path, name: str, sha256: str) -> bytes:
    """The content of a bundle's file. Raises BundleError where it is missing or another than was written."""
    file = folder / name
    if Path(name).name != name or not file.is_file():
        raise BundleError(f"{folder}: weights {name!r} are missing; get the bundle anew")
    content = file.read_bytes()
    if (found := _sha256(content)) != sha256:
        raise BundleError(
            f"{file}: SHA-256 {sha256[:12]}… expected, found {found[:12]}…; "
            "the weights were changed or damaged, get the bundle anew"
        )
    return content


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
    """Names of the bundles in the zoo."""
    return sorted(p.parent.name for p in ZOO.glob(f"*/{FACTS_FILE}"))


def _find(where: str | Path | None) -> Path:
    if where is None:
        where = DEFAULT
    if Path(where).is_dir():
        return Path(where)
    if (ZOO / str(where) / FACTS_FILE).is_file():
        return ZOO / str(where)
    raise BundleError(f"{where}: neither a folder nor a shipped bundle; shipped are: {', '.join(shipped()) or 'none'}")
