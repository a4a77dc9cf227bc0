"""How much of its start should a run keep? The blend of the shipped bundles comes from here.

    python benchmarks/blend.py RUN [--average RUN ...] [--shares 0 0.25 0.5 0.75 1]

``felicity bundle export --blend`` takes weights between those of the run, 0, and those that it began with, 1; with
``--average``, of the mean of runs that began alike. For each step: what the float network is worth on the validation
set, on the first data set and on those that were added to it (``--more``), by the labels of the first head; and by
those of the second, on the first data set.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from felicity.export.blending import combined
from felicity.metrics.calibration import cross_entropy
from felicity.metrics.classification import Scores
from felicity.training.feed import normalise
from felicity.training.labelled_images import LabelledImages
from felicity.training.run import TrainingRun, open_run
from felicity.training.trained_on import own_set


def cells(run: TrainingRun, logits: np.ndarray, part: LabelledImages) -> list[str]:
    """Accuracy, F1 of happy and log loss of the first head, and accuracy of the second where it has labels here."""
    first, second = logits[:, : len(run.classes)], logits[:, len(run.classes) :]
    scores = Scores.of(part.labels, first, run.classes)
    assert scores.happy is not None
    told = [f"{scores.accuracy:.2%}", f"{scores.happy.f1[0]:.2%}", f"{cross_entropy(part.labels, first):.4f}"]
    if part.second is not None and (known := part.second >= 0).any():
        told.append(f"{(second[known].argmax(1) == part.second[known]).mean():.2%}")
    return told


def main() -> None:
    """Print a line for each share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--average", type=Path, nargs="+", default=[], metavar="RUN")
    parser.add_argument("--shares", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1])
    flags = parser.parse_args()
    run, others = open_run(flags.run), [open_run(each) for each in flags.average]
    held = own_set(run).validation
    rows = np.arange(len(held))
    first = own_set(run).of_first or len(held)
    sets = {"first set": held.take(rows[:first])} | ({"others": held.take(rows[first:])} if first < len(held) else {})
    engine = run.engine()
    for share in flags.shares:
        mixed, weights = combined(run, others, share)
        engine.set_weights(weights)
        told = []
        for name, part in sets.items():
            logits = engine.predict(normalise(part.images, mixed.mean, mixed.std))
            told.append(f"{name} ({len(part):,}): {', '.join(cells(run, logits, part))}")
        print(f"{share:.2f} of the start: {'; '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
