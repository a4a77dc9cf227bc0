"""From a run to a bundle: the network as ONNX, compared with the trained one; calibrated, measured, written.

Scaling, soft matrix and confusion matrix come from the validation set, which the weights were never fitted to
(though it chose the epoch that is kept). The test set is only reported, unless the soft matrix is to take it, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError, ConfigError, DatasetError, TrainingError, require
from felicity.export.blending import combined
from felicity.export.facts import UNSTATED, notes_on, origin, settings_of, training_facts
from felicity.export.head import TEST, VALIDATION, LabelledLogits, Weighted, calibrated, main_head
from felicity.export.matrix_faces import matrix_faces
from felicity.export.onnx_file import in_eight_bits, in_half_precision
from felicity.export.onnx_graph import INPUT, OUTPUTS, to_onnx
from felicity.models.bundle import FACTS_FILE, Bundle, write_bundle
from felicity.notes import Note
from felicity.runtime import open_session
from felicity.training import checkpoint
from felicity.training.config import read_toml
from felicity.training.data import TrainingSet
from felicity.training.feed import normalise
from felicity.training.labelled_images import LabelledImages
from felicity.training.run import BEST, TrainingRun, open_run
from felicity.training.trained_on import own_set

Floats = npt.NDArray[np.floating[Any]]
LARGEST_DIFFERENCE = 1e-5
"""Largest difference of logits, relative to the largest; other orders of float32 sums give about a tenth of it."""
SAMPLE, BATCH, RANGES = 256, 256, 512
Precision = Literal["float32", "float16", "int8"]


@dataclass(frozen=True)
class Exported:
    """A bundle and how it came out. ``difference``: see ``largest_difference``. ``classes``: in the run's order.

    ``rounding``: the same difference between full and lower precision; 0 where weights are kept in full.
    """

    bundle: Bundle
    difference: float
    classes: tuple[str, ...]
    rounding: float = 0.0

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return notes: its classes, answers it never gives or was not calibrated for, and what nobody stated."""
        return notes_on(self.bundle)

    def plain(self) -> dict[str, Any]:
        """Return what came out as plain values."""
        return {
            "id": self.bundle.id,
            "path": str(self.bundle.folder),
            "classes": list(self.classes),
            "largest_difference": self.difference,
            "rounding": self.rounding,
            "temperature": self.bundle.facts.temperature,
            "metrics": self.bundle.facts.metrics,
        }


def export(
    folder: Path,
    output: Path,
    *,
    name: str | None = None,
    licence: str | None = None,
    data: str | None = None,
    replace_bundle: bool = False,
    evenness: float = 0.0,
    precision: Precision = "float32",
    card: Path | None = None,
    test_in_matrix: bool = False,
    blend: float = 0.0,
    average: Sequence[Path] = (),
    step: Callable[[str], None] = lambda what: None,
) -> Exported:
    """Make a bundle at ``output`` of the run in ``folder``, whole or not at all.

    ``name``: of the bundle (None: that of the folder). ``licence``: of the weights (None: UNSTATED).
    ``data``: where the run's data set is now, if it was moved. ``replace_bundle``: replace a bundle that is there.
    ``evenness``: how far the shares of expressions that answers are made for go from those of validation, 0, to equal
    ones, 1 (``models.prior``). ``precision``: ``float16`` keeps weights so, which halves the file; ``int8`` also
    computes so (``export.onnx_file``). ``card``: a TOML file of texts that the bundle carries, such as its intended
    use. ``test_in_matrix``: make the soft matrix of the test set, too; the bundle also keeps its parts, to
    check each on the faces of the other. ``blend``: share of the weights that the run began with, ``average``:
    folders of runs that began alike, whose mean weights the bundle has, see ``blending``. ``step`` is called with each
    finished step. All figures but the difference by rounding are of the rounded network.

    Each class stands at the place of the first of the eight that it is made of (``labels.Classes``). Places of no class
    get probability 0 and no column in the soft matrix: an index made with the bundle gives no figure for expressions
    that are in no class, and takes it that nobody shows them. Raises TrainingError if the run is incomplete, was
    changed, or was made of other data; BundleError where ``output`` is taken or the ONNX file answers otherwise than
    the network that was trained; DatasetError where the data are gone; ConfigError where a run does not say what a
    class is made of, a layer has no rule, or Keras runs on another backend than the run's in this process;
    ExtraMissingError without the extra ``export``.
    """
    name = _check_output(output, name, replace_bundle)
    run = open_run(folder)
    heads = [classes.places for classes in run.told()]
    _check_options(precision, evenness)
    texts = None if card is None else _card(card)
    require("onnx", "export")
    step("reading the data set")
    held = _load(run, data)
    others = [open_run(each) for each in average]
    made = _make(run, others, held, heads, blend, precision, step)
    step("calibrating on the validation set")
    matrix_of = matrix_faces(held, with_test=test_in_matrix)
    facts = _calibrate(made.network, held, heads, evenness, matrix_of)
    facts |= {"name": name, "licence": licence or UNSTATED, "card": texts}
    facts |= origin(made.network.run, held, matrix_of)
    facts["training"] = training_facts(run, _best_epoch(run), made.difference) | _how_made(
        made, others, blend, precision
    )
    bundle = write_bundle(output, made.onnx, facts, trained=made.weights)
    return Exported(bundle, made.difference, run.classes, made.rounding)


def _best_epoch(run: TrainingRun) -> int:
    return int(checkpoint.load(run.folder / BEST)[1]["epoch"])


def _how_made(made: _Made, others: Sequence[TrainingRun], blend: float, precision: Precision) -> dict[str, Any]:
    """Return what became of the weights of a run, for ``BundleFacts.training``."""
    how: dict[str, Any] = {"precision": precision, "rounding": made.rounding} | ({"blend": blend} if blend else {})
    if others:
        how["averaged"] = [settings_of(each) | {"epoch": _best_epoch(each)} for each in others]
    return how


class _Made(NamedTuple):
    """A network as ONNX and on ONNX Runtime, its float weights, and the differences that ``Exported`` has."""

    onnx: bytes
    network: _Network
    weights: checkpoint.State
    difference: float
    rounding: float


def _make(
    run: TrainingRun,
    others: Sequence[TrainingRun],
    held: TrainingSet,
    heads: Sequence[Sequence[int]],
    blend: float,
    precision: Precision,
    step: Callable[[str], None],
) -> _Made:
    """Return the network in ONNX, compared with the one that was trained, then rounded."""
    step(f"loading the network on {run.config.backend}")
    engine = run.engine()
    if others or blend:
        run, weights = combined(run, others, blend)
        engine.set_weights(weights)
    onnx = to_onnx(engine.model, heads)
    network = _Network(onnx, run)
    step("comparing ONNX with the network that was trained")
    faces = _sample(run, held.validation)
    exact = network.logits(faces)
    difference = _compare(run.folder, engine.predict(faces), np.concatenate(_of_classes(exact, heads), 1))
    if precision != "float32":
        step(f"rounding to {precision}")
        onnx = in_half_precision(onnx) if precision == "float16" else in_eight_bits(onnx, _shown(run, held.train))
        network = _Network(onnx, run)
    rounding = max(largest_difference(a, b) for a, b in zip(exact, network.logits(faces), strict=True))
    return _Made(onnx, network, engine.weights(), difference, rounding)


def largest_difference(trained: Floats, exported: Floats) -> float:
    """Return the largest difference of logits ``(N, C)``, relative to the largest of ``trained``, or to 1."""
    apart = np.abs(trained.astype(np.float64) - exported).max()
    return float(apart / max(1.0, float(np.abs(trained).max())))


def _compare(folder: Path, trained: Floats, exported: Floats) -> float:
    """Return the largest difference of logits. Raises BundleError if it is too large for rounding alone."""
    difference = largest_difference(trained, exported)
    if not difference <= LARGEST_DIFFERENCE:
        raise BundleError(
            f"{folder}: the ONNX file's logits differ from the trained network's by {difference:.1e} of the largest, "
            f"more than {LARGEST_DIFFERENCE:.0e}; nothing was written"
        )
    return difference


def _of_classes(logits: list[Floats], heads: Sequence[Sequence[int]]) -> list[Floats]:
    """Return the columns of each head's classes from logits ``(N, 8)``."""
    return [given[:, places] for given, places in zip(logits, heads, strict=True)]


class _Network:
    """The exported network on ONNX Runtime."""

    def __init__(self, onnx: bytes, run: TrainingRun) -> None:
        self._session, self.run = open_session(onnx, threads=run.config.threads or None), run

    def logits(self, faces: Floats) -> list[Floats]:
        """Return ``(N, 8)`` for each head, of normalised ``(N, S, S, C)``."""
        turned = faces.transpose(0, 3, 1, 2)
        parts = [
            self._session.run(None, {INPUT: np.ascontiguousarray(turned[i : i + BATCH])})
            for i in range(0, len(faces), BATCH)
        ]
        return [np.concatenate(given) for given in zip(*parts, strict=True)]

    def answers(self, part: LabelledImages) -> list[Floats]:
        """Return logits of the images of ``part``, for each head."""
        return self.logits(normalise(part.images, self.run.mean, self.run.std))


def _check_options(precision: str, evenness: float) -> None:
    if precision not in get_args(Precision):
        raise ConfigError(f"precision must be {', '.join(get_args(Precision))}, not {precision!r}")
    if not 0 <= evenness <= 1:
        raise ConfigError(f"evenness must lie in 0 to 1, not {evenness}")


def _check_output(output: Path, name: str | None, replace_bundle: bool) -> str:
    name = output.resolve().name if name is None else name
    if not re.fullmatch(r"[\w.-]+", name):
        raise ConfigError(f"bundle name {name!r}: letters, digits, '.', '_' and '-' expected; give --name")
    if output.exists() and not (output / FACTS_FILE).is_file():
        raise BundleError(f"{output}: is there already and is no bundle; choose another folder")
    if output.exists() and not replace_bundle:
        raise BundleError(f"{output}: holds a bundle already; choose another folder, or replace it with --force")
    return name


def _card(file: Path) -> dict[str, str]:
    texts = read_toml(file)
    if wrong := [key for key, text in texts.items() if not isinstance(text, str)]:
        raise ConfigError(f'{file}: a card holds texts, and {wrong[0]} is none; write {wrong[0]} = "..."')
    return texts


def _load(run: TrainingRun, data: str | None) -> TrainingSet:
    config = run.config.data if data is None else run.config.data.model_copy(update={"path": data})
    if not Path(config.path).exists():
        raise DatasetError(f"{config.path}: is not there, and {run.folder} was trained on it; say where with --data")
    held = own_set(run, config)
    same = held.digest == run.facts["data"]["digest"] and held.classes == run.classes
    if not same or (held.mean, held.std) != (run.mean, run.std):
        raise TrainingError(
            f"{config.path}: holds other images, labels or parts than {run.folder} was trained on, so that no "
            f"image is known to be held out; give the data set of the run with --data"
        )
    return held


def _sample(run: TrainingRun, part: LabelledImages) -> Floats:
    """Return faces of the validation set, and as many of random pixels."""
    real = part.images[:SAMPLE]
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    return normalise(np.concatenate([real, noise]), run.mean, run.std)


def _shown(run: TrainingRun, part: LabelledImages) -> Floats:
    """Return faces of the training set for the ranges of activations, ``(N, C, S, S)``."""
    rows = np.random.default_rng(0).permutation(len(part))[:RANGES]
    return np.ascontiguousarray(normalise(part.images[rows], run.mean, run.std).transpose(0, 3, 1, 2))


def _calibrate(
    network: _Network,
    held: TrainingSet,
    heads: Sequence[Sequence[int]],
    evenness: float,
    matrix_of: dict[str, Weighted],
) -> dict[str, Any]:
    """Return scaling, priors, matrices and measures of each head, for ``bundle.json``."""
    parts = {VALIDATION: held.validation} | ({TEST: held.test} if len(held.test) else {})
    answers = {name: network.answers(part) for name, part in parts.items()}
    first = {name: LabelledLogits.of(answers[name][0], part.labels, heads[0]) for name, part in parts.items()}
    facts = main_head(first, evenness, matrix_of)
    if len(heads) > 1:
        second = {name: LabelledLogits.of(answers[name][1], part.second, heads[1]) for name, part in parts.items()}
        facts["second"] = {"labels_of": network.run.config.data.second, "output": OUTPUTS[1]} | calibrated(second)[0]
    return facts
