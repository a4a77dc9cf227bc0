"""What is measured: answers to FER2013's faces, speed of the networks, answers to pictures of posed faces."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from protocol import SEVEN, SIDE
from rival import Rival

from felicity.datasets.registry import open_dataset
from felicity.errors import DatasetError
from felicity.evaluation.intervals import estimates
from felicity.labels import EXPRESSIONS
from felicity.metrics.classification import Scores, confusion

FOLD = "PublicTest"
BATCHES = (1, 16, 64)
TURN, PAUSE = 0.5, 0.05  # seconds that a rival is timed in a round, and between two rivals
PICTURE_ROUNDS = 3
NOT_OF_SEVEN = -1


@dataclass(frozen=True, eq=False)
class Faces:
    """Crops uint8 (N, 48, 48) and, by convention, labels (N,), index into SEVEN or NOT_OF_SEVEN."""

    crops: np.ndarray
    labels: dict[str, np.ndarray]


def read_faces(data: Path, limit: int | None) -> Faces:
    """FER2013's public test, or ``limit`` faces of it drawn by chance, always the same. Raises DatasetError."""
    samples = open_dataset(data, "fer2013-csv")
    if "FER+" not in samples.other_labels:
        raise DatasetError(f"{data}: FER+'s fresh labels, fer2013new.csv, are expected beside FER2013's csv")
    rows = np.flatnonzero(samples.folds == FOLD)
    if not len(rows):
        raise DatasetError(f"{data}: has no faces of the fold {FOLD}")
    if limit is not None and limit < len(rows):
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:limit])
    seven = np.array([SEVEN.index(e) if e in SEVEN else NOT_OF_SEVEN for e in map(str, EXPRESSIONS)] + [NOT_OF_SEVEN])
    chosen = samples.take(rows)
    labels = {"FER2013": seven[chosen.labels], "FER+": seven[chosen.other_labels["FER+"]]}  # the last for -1
    return Faces(chosen.array(SIDE), labels)


def scores(faces: Faces, labels: str, answers: Sequence[int]) -> dict[str, Any]:
    """Accuracy, balanced accuracy and happy F1, each with its 95 % interval, by one convention of labels."""
    rows = np.flatnonzero(faces.labels[labels] != NOT_OF_SEVEN)
    true, answered = faces.labels[labels][rows], np.asarray(answers, dtype=np.int64)[rows]
    size = len(SEVEN)
    cells = np.eye(size * size)[true * size + answered]

    def measures(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = Scores(SEVEN, (weights @ cells).reshape(-1, size, size))
        return {
            "accuracy": found.accuracy,
            "balanced_accuracy": found.balanced_accuracy,
            "happy_f1": found.f1[:, SEVEN.index("happy")],
        }

    found = estimates(measures, np.arange(len(rows)))
    return {
        "n": len(rows),
        **{name: round(float(estimate.value), 4) for name, estimate in found.items()},
        "intervals": {name: [round(float(e.low), 4), round(float(e.high), 4)] for name, e in found.items()},
        "confusion": confusion(true, answered, size).tolist(),
    }


def speed_turn(rival: Rival, batch: int) -> float:
    """Faces per second of the network alone, in one turn."""
    time.sleep(PAUSE)
    return float(rival.ask(do="time", batch=batch, seconds=TURN)["faces_per_second"])


def speeds(turns: dict[str, dict[int, list[float]]]) -> dict[str, dict[str, Any]]:
    """Medians by rival and batch size; at the largest, the ratio to the faster form of fer, round by round."""
    largest = BATCHES[-1]
    forms = [name for name in turns if name.startswith("fer")]
    fastest = max(forms, key=lambda name: statistics.median(turns[name][largest]), default=None)
    result = {}
    for name, by_batch in turns.items():
        row: dict[str, Any] = {"faces_per_second": {str(b): round(statistics.median(by_batch[b])) for b in BATCHES}}
        if fastest is not None:
            ratios = [own / fer for own, fer in zip(by_batch[largest], turns[fastest][largest], strict=True)]
            low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
            row |= {"against": fastest, "times_fer": round(float(middle), 2)}
            row["quartiles"] = [round(float(low), 2), round(float(high), 2)]
        result[name] = row
    return result


@dataclass(frozen=True)
class Pictures:
    """Files of one face each, and whether it is posed happy."""

    files: list[str]
    happy: list[bool]


def read_pictures(folder: Path) -> Pictures:
    """The pictures that ``labels.csv`` lists. Raises DatasetError."""
    table = folder / "labels.csv"
    try:
        with open(table, encoding="utf-8", newline="") as stream:
            rows = [(folder / row["file"], row["expression"]) for row in csv.DictReader(stream)]
    except OSError as error:
        raise DatasetError(f"{table}: cannot be read ({error.strerror}); --pictures is a folder with it") from error
    except KeyError as error:
        raise DatasetError(f"{table}: the columns file and expression are expected, and {error} is missing") from error
    if missing := next((file for file, _ in rows if not file.is_file()), None):
        raise DatasetError(f"{missing}: is listed in {table.name}, but is not there")
    if not rows:
        raise DatasetError(f"{table}: lists no picture")
    return Pictures([str(file) for file, _ in rows], [expression == "happy" for _, expression in rows])


def picture_scores(pictures: Pictures, answer: dict[str, Any], seconds: Sequence[float]) -> dict[str, Any]:
    """Each picture's answer is that of its largest face; a picture without a face found is answered wrongly."""
    found = right = others = false_smiles = 0
    for faces, happy in zip(answer["faces"], pictures.happy, strict=True):
        if not faces:
            continue
        found, others = found + 1, others + len(faces) - 1
        says = max(faces, key=lambda face: face["area"])["expression"] == "happy"
        right, false_smiles = right + (says == happy), false_smiles + (says and not happy)
    return {
        "n": len(pictures.files),
        "found": found,
        "more_faces_than_one": others,
        "right": right,
        "false_smiles": false_smiles,
        "images_per_second": round(len(pictures.files) / statistics.median(seconds), 1),
    }
