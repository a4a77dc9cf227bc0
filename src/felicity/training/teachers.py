"""Bundles that teach: their answers to a batch, as it is augmented, become a part of its targets.

Source: knowledge distillation, Hinton et al. 2015 (arXiv:1503.02531); teacher and student see the same augmented
image, Beyer et al. 2022 (arXiv:2106.05237).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.labels import EXPRESSIONS
from felicity.metrics.temperature import softmax
from felicity.models.bundle import Bundle, open_bundle
from felicity.models.runtime import open_session
from felicity.training.data import ImageArray, TrainingSet

Floats = npt.NDArray[np.float32]
EIGHT = tuple(map(str, EXPRESSIONS))


class Teachers:
    """One bundle or more; what they answer is their mean. Their answers are those of training, not scaled.

    Raises BundleError where one cannot be opened, ConfigError where it takes other images than the data set has or
    does not know its classes.
    """

    def __init__(self, where: Sequence[str], data: TrainingSet, *, threads: int = 0) -> None:
        self.bundles = [open_bundle(folder) for folder in where]
        for bundle in self.bundles:
            _check(bundle, data)
        self._sessions = [
            open_session(bundle.weights, threads=threads or None, patient=True) for bundle in self.bundles
        ]
        names = [data.classes, data.second_classes] if data.second_classes else [data.classes]
        self._columns = [[EIGHT.index(name) for name in classes] for classes in names]

    @property
    def ids(self) -> list[str]:
        """Of the bundles."""
        return [bundle.id for bundle in self.bundles]

    def __call__(self, images: ImageArray) -> Floats:
        """Probabilities ``(B, C)`` for uint8 ``(B, S, S[, 3])``, in blocks of the heads' classes, which sum to 1."""
        means: list[npt.NDArray[np.float64]] = [np.zeros((len(images), len(each))) for each in self._columns]
        for bundle, session in zip(self.bundles, self._sessions, strict=True):
            outputs = [session.get_outputs()[0].name] + ([bundle.facts.second.output] if bundle.facts.second else [])
            given = session.run(outputs[: len(means)], {session.get_inputs()[0].name: bundle.input.batch(images)})
            for mean, logits, columns in zip(means, given, self._columns, strict=True):
                mean += softmax(logits[:, columns]) / len(self.bundles)
        return np.concatenate(means, 1).astype(np.float32)


def _check(bundle: Bundle, data: TrainingSet) -> None:
    spec, (_, side, _, *colours) = bundle.input, data.train.images.shape
    if (spec.size, spec.channels) != (side, 3 if colours else 1):
        raise ConfigError(
            f"teacher {bundle.folder}: takes {spec.size} pixels in {spec.colour}, but the data set has "
            f"{side} in {'rgb' if colours else 'gray'}; choose a teacher of such images"
        )
    second = bundle.facts.second
    knows = {name for name, share in zip(EIGHT, second.prior, strict=True) if share} if second else set()
    known = [{name for name, share in zip(EIGHT, bundle.facts.prior, strict=True) if share}, knows]
    for classes, answered in zip((data.classes, data.second_classes), known, strict=True):
        if missing := [name for name in classes if name not in answered]:
            raise ConfigError(
                f"teacher {bundle.folder}: does not answer {', '.join(missing)}, which is learnt here; choose a "
                f"teacher of the same classes and heads"
            )
