"""From a run to a bundle: the network as ONNX, held against the one that was trained; calibrated, measured, written.

Temperature, soft matrix and confusion matrix come from the validation part, which the weights were never fitted to
(though it chose the epoch that is kept); the test part is only reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import BundleError, ConfigError, DatasetError, TrainingError, require
from felicity.evaluation.calibration import reliability
from felicity.evaluation.metrics import Scores
from felicity.index.soft_matrix import SoftMatrix
from felicity.labels import EXPRESSIONS, INDEX, parse_expression
from felicity.models.bundle import FACTS_FILE, Bundle, write_bundle
from felicity.models.runtime import open_session
from felicity.training import checkpoint
from felicity.training.config import TrainConfig
from felicity.training.data import Part, TrainingSet, load
from felicity.training.feed import normalise
from felicity.training.onnx_graph import INPUT, to_onnx
from felicity.training.run import BEST, Run, environment, open_run
from felicity.training.temperature import fit_temperature, probabilities_at

Floats = npt.NDArray[np.float32]
LICENCE = "Apache-2.0"
LARGEST_DIFFERENCE = 1e-5
"""Of logits, relative to the largest; float32 sums in another order differ by about a tenth of it."""
SAMPLE, BATCH = 256, 256


@dataclass(frozen=True)
class Exported:
    """A bundle and how it came out. ``difference``: see ``largest_difference``. ``classes``: in the run's order."""

    bundle: Bundle
    difference: float
    classes: tuple[str, ...]


def export(
    folder: Path,
    output: Path,
    *,
    name: str | None = None,
    licence: str | None = None,
    data: str | None = None,
    replace_bundle: bool = False,
    step: Callable[[str], None] = lambda what: None,
) -> Exported:
    """Make a bundle at ``output`` of the run in ``folder``, whole or not at all.

    ``name``: of the bundle (None: that of the folder). ``licence``: of the weights (None: Felicity's own).
    ``data``: where the run's data set is now, if it was moved.
    ``replace_bundle``: a bundle that is there already may be replaced. ``step`` is told what is being done.

    Expressions that are none of the run's classes get probability 0 and no column in the soft matrix: an index made
    with the bundle gives no figure for them, and takes it that nobody shows them.

    Raises TrainingError where the run is incomplete, was changed, or was made of other data; BundleError where
    ``output`` is taken or the ONNX file answers otherwise than the network that was trained; DatasetError where the
    data are gone; ConfigError where a class is no single expression, a layer has no rule, or Keras runs on another
    backend than the run's in this process; ExtraMissingError without the extra ``export``.
    """
    name = _check_output(output, name, replace_bundle)
    run = open_run(folder)
    places = expressions_of(run.classes, folder)
    require("onnx", "export")
    stored = checkpoint.load(folder / BEST)[1]
    step("reading the data set")
    held = _load(run, data)
    step(f"loading the network on {run.config.backend}")
    engine = run.engine()
    onnx = to_onnx(engine.model, places)
    network = _Network(onnx, run)
    step("comparing ONNX with the network that was trained")
    faces = _sample(run, held.validation)
    difference = largest_difference(engine.predict(faces), network.logits(faces)[:, places])
    if not difference <= LARGEST_DIFFERENCE:
        raise BundleError(
            f"{folder}: the ONNX file's logits differ from the trained network's by {difference:.1e} of the largest, "
            f"more than {LARGEST_DIFFERENCE:.0e}; nothing was written"
        )
    step("calibrating on the validation part")
    facts = _calibrate(network, held, np.asarray(places))
    step("writing")
    facts |= {
        "name": name,
        "labels": [str(e) for e in EXPRESSIONS],
        "input": {"size": run.size, "colour": run.colour, "mean": run.mean, "std": run.std},
        "prior": _prior(run.config, held, places),
        "licence": licence or LICENCE,
        "made_with": "felicity train, felicity bundle export",
        "training": _training(run, stored, difference),
    }
    facts |= _origin(run, held)
    return Exported(write_bundle(output, onnx, facts), difference, run.classes)


def expressions_of(classes: Sequence[str], where: Path) -> list[int]:
    """The place of each class among the eight expressions. Raises ConfigError where it has none of its own."""
    places: list[int] = []
    for label in classes:
        expression = parse_expression(label)
        if expression is None or INDEX[expression] in places:
            what = "is none of the eight expressions" if expression is None else f"is {expression}, as another class is"
            raise ConfigError(
                f"{where}: class {label!r} {what}, but a bundle answers with the eight "
                f"({', '.join(EXPRESSIONS)}); train on classes that are expressions"
            )
        places.append(INDEX[expression])
    return places


def largest_difference(trained: Floats, exported: Floats) -> float:
    """Largest difference of logits ``(N, C)``, relative to the largest of ``trained``, or to 1 if all are smaller."""
    apart = np.abs(trained.astype(np.float64) - exported).max()
    return float(apart / max(1.0, float(np.abs(trained).max())))


class _Network:
    """The exported network on ONNX Runtime."""

    def __init__(self, onnx: bytes, run: Run) -> None:
        self._session, self._run = open_session(onnx, threads=run.config.threads or None), run

    def logits(self, faces: Floats) -> Floats:
        """Normalised ``(N, S, S, C)`` to ``(N, 8)``."""
        turned = faces.transpose(0, 3, 1, 2)
        return np.concatenate(
            [
                self._session.run(None, {INPUT: np.ascontiguousarray(turned[i : i + BATCH])})[0]
                for i in range(0, len(faces), BATCH)
            ]
        )

    def answers(self, part: Part) -> Floats:
        """Logits of the images of ``part``."""
        return self.logits(normalise(part.images, self._run.mean, self._run.std))


def _check_output(output: Path, name: str | None, replace_bundle: bool) -> str:
    name = output.resolve().name if name is None else name
    if not re.fullmatch(r"[\w.-]+", name):
        raise ConfigError(f"bundle name {name!r}: letters, digits, '.', '_' and '-' expected; give --name")
    if output.exists() and not (output / FACTS_FILE).is_file():
        raise BundleError(f"{output}: is there already and is no bundle; choose another folder")
    if output.exists() and not replace_bundle:
        raise BundleError(f"{output}: holds a bundle already; choose another folder, or replace it with --force")
    return name


def _load(run: Run, data: str | None) -> TrainingSet:
    config = run.config.data if data is None else run.config.data.model_copy(update={"path": data})
    if not Path(config.path).exists():
        raise DatasetError(f"{config.path}: is not there, and {run.folder} was trained on it; say where with --data")
    held = load(config, soft=run.config.soft_labels)
    same = held.digest == run.facts["data"]["digest"] and held.classes == run.classes
    if not same or (held.mean, held.std) != (run.mean, run.std):
        raise TrainingError(
            f"{config.path}: holds other images, labels or parts than {run.folder} was trained on, so that none is "
            f"known to be held out; give the data set of the run with --data"
        )
    return held


def _sample(run: Run, part: Part) -> Floats:
    """Faces of the validation part, and as many of random pixels."""
    real = part.images[:SAMPLE]
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    return normalise(np.concatenate([real, noise]), run.mean, run.std)


def _calibrate(network: _Network, held: TrainingSet, places: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Temperature, matrices and measures, as ``bundle.json`` has them."""
    logits, labels = network.answers(held.validation), places[held.validation.labels]
    temperature = fit_temperature(logits, labels)
    p = probabilities_at(logits, temperature)
    metrics = {"validation": measures(logits, labels, temperature)}
    if len(held.test):
        metrics["test"] = measures(network.answers(held.test), places[held.test.labels], temperature)
    return {
        "temperature": temperature,
        "soft_matrix": SoftMatrix.from_probabilities(p, labels).rounded().to_json(),
        "confusion": Scores.of(labels, p, EXPRESSIONS).confusion.tolist(),
        "metrics": metrics,
    }


def measures(logits: Floats, labels: npt.NDArray[np.int64], temperature: float) -> dict[str, float]:
    """What a bundle says of N labelled faces: how many; then figures of 0 to 1, see ``evaluation``.

    ``logits`` (N, 8). ``happy_f1`` is left out where nobody is happy; ``ece_before`` is that without temperature.
    """
    p = probabilities_at(logits, temperature)
    scores = Scores.of(labels, p, EXPRESSIONS)
    figures = {"accuracy": scores.accuracy, "balanced_accuracy": scores.balanced_accuracy}
    if scores.happy is not None and scores.happy.support[0]:
        figures["happy_f1"] = scores.happy.f1[0]
    everyone = np.ones((1, len(labels)))
    figures["ece"] = reliability(labels, p, everyone).ece[0]
    figures["ece_before"] = reliability(labels, probabilities_at(logits, 1.0), everyone).ece[0]
    return {"faces": len(labels)} | {name: round(float(value), 4) for name, value in figures.items()}


def _prior(config: TrainConfig, held: TrainingSet, places: Sequence[int]) -> list[float]:
    """Shares of the expressions as the loss saw them."""
    shares = held.train.targets(len(places), soft=config.soft_labels).astype(np.float64).mean(0)
    if config.class_weights:
        shares = np.full(len(places), 1 / len(places))
    prior = np.zeros(len(EXPRESSIONS))
    prior[list(places)] = shares
    return [float(share) for share in prior.round(6)]


def _origin(run: Run, held: TrainingSet) -> dict[str, str]:
    """What it was trained and calibrated on, in words."""
    source, classes = PurePath(run.config.data.path).name, ", ".join(run.classes)
    return {
        "trained_on": f"{source}, training part: {len(held.train)} images of {classes}",
        "calibrated_on": f"{source}, validation part: {len(held.validation)} images out of training, which also "
        f"chose the epoch",
    }


def _training(run: Run, stored: dict[str, Any], difference: float) -> dict[str, Any]:
    """Everything one needs to train it again; paths by their last name, since they are nobody else's business."""
    config = run.config.model_dump()
    for key in ("path", "classes"):
        if value := config["data"][key]:
            config["data"][key] = PurePath(value).name
    return {
        "config": config,
        "classes": list(run.classes),
        "epoch": stored["epoch"],
        "data": run.facts["data"],
        "environment": run.facts["environment"],
        "exported_in": environment(),
        "largest_difference": difference,
    }
