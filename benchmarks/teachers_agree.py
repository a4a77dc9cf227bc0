"""Whether networks err on the same faces, and what the mean of their answers gains over the first of them.

    python benchmarks/teachers_agree.py DATA [--bundles best,fast] [--part validation] [--threads 1] [--json]

DATA is the folder of FER2013 and FER+. Each bundle also answers mirror images (``mirrored``). Accuracy is of each of
these, of all pairs and of all together, of the first head by FER+'s majority and of the second by FER2013's labels.
A gain is in points over the first bundle alone, with its paired standard error. Agreement of two: the correlation of
their errors (phi), and the share of the first one's errors that the second makes too.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations

import numpy as np
import numpy.typing as npt

from felicity.cli import console
from felicity.training.config import DataConfig
from felicity.training.data import load_training_set
from felicity.training.teachers import Teachers
from felicity.training.views import mirrored

BATCH = 256
Right = npt.NDArray[np.bool_]


def answers_of(teachers: Teachers, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Probabilities ``(N, C)``, in blocks of the heads."""
    return np.concatenate([teachers(images[first : first + BATCH]) for first in range(0, len(images), BATCH)])


def agreement(one: Right, other: Right) -> dict[str, float]:
    """Of errors: their correlation, and the share of the errors of ``one`` that are errors of ``other``."""
    return {
        "correlation": float(np.corrcoef(one, other)[0, 1]),
        "shared": float((~one & ~other).sum() / max((~one).sum(), 1)),
    }


def gain(mean: Right, alone: Right) -> dict[str, float]:
    """Accuracy of ``mean``, its gain over ``alone`` in points, and the gain's paired standard error."""
    change = mean.astype(float) - alone
    return {
        "accuracy": 100 * float(mean.mean()),
        "gain": 100 * float(change.mean()),
        "error": 100 * float(change.std() / np.sqrt(len(change))),
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data")
    asked.add_argument("--bundles", default="best,fast")
    asked.add_argument("--part", choices=("validation", "test"), default="validation")
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--json", action="store_true")
    flags = asked.parse_args()
    data = load_training_set(DataConfig(path=flags.data, format="ferplus", second="FER2013"), soft=True)
    part = getattr(data, flags.part)
    assert part.second is not None
    given = {}
    for name in flags.bundles.split(","):
        teachers = Teachers([name], data, threads=flags.threads)
        given[name] = answers_of(teachers, part.images)
        given[f"{name} mirrored"] = answers_of(teachers, mirrored(part.images))
    first = len(data.classes)
    heads = {"FER+": (slice(first), part.labels), "FER2013": (slice(first, None), part.second)}
    names = list(given)
    groups = [each for number in (1, 2, len(names)) for each in combinations(names, number)]
    told = {}
    for head, (columns, labels) in heads.items():
        known = labels >= 0

        def right(group: tuple[str, ...], columns: slice = columns, known: Right = known, labels=labels) -> Right:
            mean = np.mean([given[name][known, columns] for name in group], 0)
            return mean.argmax(1) == labels[known]

        alone = {name: right((name,)) for name in names}
        told[head] = {
            "faces": int(known.sum()),
            "means": {" + ".join(group): gain(right(group), alone[names[0]]) for group in groups},
            "agreement": {f"{a}, {b}": agreement(alone[a], alone[b]) for a, b in combinations(names, 2)},
        }
    if flags.json:
        print(json.dumps(told))
        return
    for head, found in told.items():
        lines = [[k, *(f"{v[x]:.2f}" for x in ("accuracy", "gain", "error"))] for k, v in found["means"].items()]
        title = f"{head}, {found['faces']:,} faces"
        console.table(["mean of", "accuracy %", "gain", "standard error"], lines, title=title)
        pairs = [[k, f"{v['correlation']:.3f}", f"{v['shared']:.1%}"] for k, v in found["agreement"].items()]
        console.table(["errors of", "correlation", "shared"], pairs, title=title)


if __name__ == "__main__":
    main()
