"""Bundles: export from a run, and verification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from felicity.export.run_to_bundle import Exported, Precision
    from felicity.models.bundle import Bundle


def export(
    run: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    licence: str | None = None,
    data: str | None = None,
    replace: bool = False,
    evenness: float = 0.0,
    precision: Precision = "float32",
    card: str | Path | None = None,
    test_in_matrix: bool = False,
    blend: float = 0.0,
    average: Sequence[str | Path] = (),
    on_step: Callable[[str], None] = lambda what: None,
) -> Exported:
    """Export the run in the folder ``run`` as a bundle at ``output``, whole or not at all.

    ``replace``: replace an existing bundle. ``evenness``: the class shares that the answers assume, from those of the
    validation set (0) to equal ones (1). ``card``: a TOML file of texts for the model card. ``test_in_matrix``: make
    the soft matrix of the test set, too. ``blend``: share of the weights that the run began with, 0 to 1. ``average``:
    further runs that began with the same weights; the bundle gets the mean of them all. ``on_step`` is called with the
    current step. Notes name the expressions that the bundle never answers. Raises TrainingError,
    DatasetError, BundleError and ConfigError.
    """
    from felicity.export.run_to_bundle import export as make
    from felicity.files import check_apart

    check_apart([Path(output)], [Path(each) for each in (run, data, card, *average) if each is not None])
    return make(
        Path(run),
        Path(output),
        name=name,
        licence=licence,
        data=data,
        replace_bundle=replace,
        evenness=evenness,
        precision=precision,
        card=None if card is None else Path(card),
        test_in_matrix=test_in_matrix,
        blend=blend,
        average=[Path(each) for each in average],
        step=on_step,
    )


def verify(bundle: str | Path | None = None) -> Bundle:
    """Return an opened bundle that is complete, unchanged, and runs; None stands for the shipped one.

    Raises BundleError if a file is changed, if answers depend on the batch, or if answers are not finite.
    """
    import numpy as np

    from felicity.errors import BundleError
    from felicity.recognition.classifier import Classifier

    classifier = Classifier.open(bundle)
    classifier.bundle.training_weights()
    size = (classifier.input.size,) * 2 + ((3,) if classifier.input.channels == 3 else ())
    probe = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    together, single = classifier.answers(probe), [classifier.answers(probe[i : i + 1]) for i in range(3)]
    apart = np.abs(together.probabilities - np.concatenate([each.probabilities for each in single])).max()
    if together.covered is not None:
        apart += (together.covered != np.array([bool(each.covered) for each in single])).sum()
    if not np.isfinite(together.probabilities).all() or apart > 1e-5:
        raise BundleError(f"{classifier.bundle.folder}: answers depend on the batch or are not numbers; do not use it")
    return classifier.bundle
