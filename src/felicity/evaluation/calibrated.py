"""Notes on the effect of calibration on the measured answers of a run or a bundle."""

from __future__ import annotations

import numpy as np

from felicity.evaluation.selection import Chosen
from felicity.metrics.classification import Floats, is_right
from felicity.notes import Note
from felicity.style import numbers


def note_on_answers(chosen: Chosen, given: Floats) -> Note | None:
    """Return a note on how run and bundle differ on these images, with figures if a bundle's bias changes answers.

    ``given``: probabilities (N, C) of the classes of ``chosen``. Returns None if there is no difference.
    """
    judge = chosen.judge
    if judge.run is not None:
        config = judge.run.config
        if not config.evens_classes:
            return None
        text = (
            "the run learnt as if all classes were equally frequent, and answers so; a bundle made of it answers for "
            "the shares of the validation set, and so differs"
        )
        return Note("way-of-answering", text)
    if judge.bias is None or not judge.bias.any():
        return None
    bias = judge.bias[[judge.classes.index(name) for name in chosen.classes]]
    own = np.log(np.maximum(given, 1e-300)) - bias
    changed = int((own.argmax(1) != given.argmax(1)).sum())
    if not changed:
        return None
    right = [numbers.share(float(is_right(chosen.labels, answers).mean())) for answers in (given, own)]
    text = (
        f"the bias that the bundle adds to its network's answers changes {changed:,} of {len(given):,}: accuracy "
        f"{right[0]} with it, {right[1]} without, as the run answers that the bundle was made of"
    )
    return Note("way-of-answering", text)
