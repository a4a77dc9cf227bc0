"""Teachers: what bundles, or answers kept in files, say of a batch as it is augmented is a part of its targets.

Source: knowledge distillation, Hinton et al. 2015 (arXiv:1503.02531); teacher and student see the same augmented
image, Beyer et al. 2022 (arXiv:2106.05237).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from felicity.datasets.samples import as_inputs
from felicity.errors import ConfigError
from felicity.labels import EXPRESSIONS
from felicity.metrics.temperature import softmax
from felicity.models.bundle import Bundle, open_bundle
from felicity.runtime import open_session
from felicity.training.answers import is_answers, open_answers
from felicity.training.data import TrainingSet
from felicity.training.labelled_images import ImageArray
from felicity.training.views import View, Views, mirrored

Floats32 = npt.NDArray[np.float32]
EIGHT = tuple(map(str, EXPRESSIONS))


class Teachers:
    """One bundle or folder of answers, or more, that answer with their mean. Bundles answer unscaled, as in training.

    Images of another size than a bundle takes are resized for it.

    ``views`` and ``number``: how many of which views answers are taken for. Raises BundleError if a bundle cannot be
    opened, ConfigError where it takes images of another colour or does not know the data set's classes, and where
    answers are to other views or images.
    """

    def __init__(
        self,
        where: Sequence[str],
        data: TrainingSet,
        *,
        threads: int = 0,
        views: Views | None = None,
        number: int = 0,
    ) -> None:
        names = [data.classes, data.second_classes] if data.second_classes else [data.classes]
        self._columns = [[EIGHT.index(name) for name in classes] for classes in names]
        self._bundles = [open_bundle(each) for each in where if not is_answers(each)]
        self._answers = [open_answers(each) for each in where if is_answers(each)]
        for bundle in self._bundles:
            _check(bundle, data)
        for answers in self._answers:
            answers.check(views or answers.views, number, names, data.train.images)
        self._sessions = [open_session(bundle.network(), threads=threads or None) for bundle in self._bundles]

    def __call__(self, images: ImageArray, view: View | None = None) -> Floats32:
        """Return probabilities ``(B, C)`` for uint8 ``(B, S, S[, 3])``; each head's block of classes sums to 1.

        ``view``: where the images stand in the views; answers are kept for these alone.
        """
        said: list[Floats32] = [answers(images, view) for answers in self._answers if view is not None]
        shown = (images, mirrored(images)) if view is not None and view.flip else (images,)
        said += [np.stack([self._ask(number, each) for each in shown]).mean(0) for number in range(len(self._bundles))]
        mean: Floats32 = np.stack(said).mean(0, dtype=np.float32)
        return mean

    def _ask(self, number: int, images: ImageArray) -> Floats32:
        """Return one bundle's answers."""
        bundle, session = self._bundles[number], self._sessions[number]
        outputs = [session.get_outputs()[0].name] + ([bundle.facts.second.output] if bundle.facts.second else [])
        heads = len(self._columns)
        shown = as_inputs(images, bundle.input.size, bundle.input.colour)
        given = session.run(outputs[:heads], {session.get_inputs()[0].name: bundle.input.batch(shown)})
        blocks = [softmax(logits[:, columns]) for logits, columns in zip(given, self._columns, strict=True)]
        return np.concatenate(blocks, 1).astype(np.float32)


def ids_of(where: Sequence[str]) -> list[str]:
    """Return the identities of teachers: of bundles, and of answers."""
    return [open_answers(each).id if is_answers(each) else open_bundle(each).id for each in where]


def _check(bundle: Bundle, data: TrainingSet) -> None:
    colour = "rgb" if data.train.images.ndim == 4 else "gray"
    if bundle.input.colour != colour:
        raise ConfigError(
            f"teacher {bundle.folder}: takes images in {bundle.input.colour}, but those of the data set are in "
            f"{colour}; choose a teacher of such images"
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
