"""Evaluation: the accuracy of a run or a bundle on faces that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from felicity.style.notebook import Line, in_notebook

if TYPE_CHECKING:
    from felicity.api.measured import Measured
    from felicity.models.devices import Device
    from felicity.recognition.classifier import Shares


def evaluate(
    model: str | Path,
    data: str | Path | None = None,
    *,
    split: str | None = None,
    format: str | None = None,
    classes: str | None = None,
    draws: int = 1000,
    seed: int = 1,
    device: Device = "auto",
    shares: Shares | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_step: Callable[[str], None] | None = None,
) -> Measured:
    """Measure ``model``, a run's folder, a bundle's or a shipped bundle's name, with 95 % intervals.

    ``data``: a data set, None for the one that a run was trained on. ``split``: a split or fold by name, or ``all``;
    None for the test split of a run's own data, and for all images of other data. ``format``, ``classes``: as for
    ``felicity evaluate``. ``draws``: the number of resamples for the intervals, drawn by ``seed``. ``device``: auto,
    cpu, cuda or mps, which computes a run. ``shares``: natural, in-use or equal, the shares of the expressions that a
    bundle answers for; None measures each way of answering. ``on_progress`` receives how many of how many images are
    prepared, ``on_step`` the current step. Raises DatasetError, BundleError, TrainingError and ConfigError.
    """
    from felicity.api.measured import Measured
    from felicity.evaluation.evaluate import evaluate as measure
    from felicity.evaluation.judge import open_judge

    say = on_step or (Line().say if in_notebook() else lambda what: None)
    found = measure(
        open_judge(str(model), device, shares),
        split,
        data=None if data is None else str(data),
        format=format,
        classes=classes,
        draws=draws,
        seed=seed,
        progress=on_progress,
        say=say,
    )
    return Measured.of(found)
