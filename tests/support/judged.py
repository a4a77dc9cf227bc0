"""Labels and probabilities to measure."""

from __future__ import annotations

import numpy as np

from felicity.metrics.classification import Floats, Rows


def judged(n: int = 300, classes: int = 5, seed: int = 0) -> tuple[Rows, Floats]:
    """Labels (n,) drawn from the probabilities (n, classes) themselves, so that these are perfectly calibrated."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes, 0.4), n)
    return (p.cumsum(1) > rng.random(n)[:, None]).argmax(1), p
