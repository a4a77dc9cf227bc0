"""Bundles: made of a run, and checked."""

from __future__ import annotations

from collections.abc import Callable
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
    on_step: Callable[[str], None] = lambda what: None,
) -> Exported:
    """Make a bundle at ``output`` of the run in the folder ``run``, whole or not at all.

    ``replace``: take the place of a bundle that is there. ``evenness``: answers for shares as in validation (0) to
    equal ones (1). ``card``: a TOML file of texts to carry. ``on_step`` is told what is being done. Notes say which
    expressions it never answers. Raises TrainingError, DatasetError, BundleError and ConfigError.
    """
    from felicity.export.run_to_bundle import export as make

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
        step=on_step,
    )


def verify(bundle: str | Path | None = None) -> Bundle:
    """Return an opened bundle that is whole, unchanged, and runs; None is the shipped one.

    Raises BundleError if a file is changed, or if answers depend on the batch or are no numbers.
    """
    import numpy as np

    from felicity.errors import BundleError
    from felicity.recognition.classifier import Classifier

    classifier = Classifier.open(bundle)
    classifier.bundle.training_weights()
    size = (classifier.input.size,) * 2 + ((3,) if classifier.input.channels == 3 else ())
    probe = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    together = classifier.probabilities(probe)
    alone = np.concatenate([classifier.probabilities(probe[i : i + 1]) for i in range(3)])
    if not np.isfinite(together).all() or np.abs(together - alone).max() > 1e-5:
        raise BundleError(f"{classifier.bundle.folder}: answers depend on the batch or are not numbers; do not use it")
    return classifier.bundle
