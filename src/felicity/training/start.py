"""What a training begins with in place of random weights: those of a run, or of a bundle.

Bundles hold networks as they are fastest to use, normalisation folded into convolutions and often in eight bits. They
are read back layer by layer (``onnx_weights``); scale and shift of each normalisation then follow from what its
layer gives for faces of the training.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import TrainingError
from felicity.labels import EXPRESSIONS
from felicity.models.bundle import Bundle, open_bundle
from felicity.training.checkpoint import State
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet
from felicity.training.engines import Engine
from felicity.training.engines.base import to_numpy
from felicity.training.run import RUN, Run, open_run

Floats = npt.NDArray[np.float32]
SHAPE = ("name", "width", "depth", "filter_size", "size", "colour")
"""Settings of network and images that weights depend on."""


class Start(ABC):
    """Where weights come from. ``config``: the training that made them. ``heads``: classes of each head."""

    where: Path
    id: str
    config: TrainConfig
    heads: tuple[tuple[str, ...], ...]

    def check(self, config: TrainConfig) -> None:
        """Raise TrainingError where ``config`` asks for a network of another shape."""
        for now, then in ((config.model, self.config.model), (config.data, self.config.data)):
            for key in SHAPE:
                if (asked := getattr(now, key, None)) != (has := getattr(then, key, None)):
                    has, asked = ("the network's own" if value is None else repr(value) for value in (has, asked))
                    raise TrainingError(
                        f"start {self.where}: its {key} is {has}, but {asked} is asked for; weights fit networks of "
                        f"the same shape alone, so choose the same or another start"
                    )

    def hand_on(self, engine: Engine, data: TrainingSet, faces: Floats) -> None:
        """Give the weights to ``engine``; for other classes its last layer stays as it is.

        ``faces``: some of the training, normalised ``(N, S, S, C)``.
        """
        own = {v.path: to_numpy(v) for v in engine.model.layers[-1].weights}
        heads = tuple(classes for classes in (data.classes, data.second_classes) if classes)
        self._give(engine, faces)
        if heads != self.heads:
            engine.set_weights(engine.weights() | own)

    @abstractmethod
    def _give(self, engine: Engine, faces: Floats) -> None:
        """Set all weights; those of the last layer may be dropped again."""


def open_start(where: str) -> Start:
    """Of a run's folder, or of a bundle's folder or name. Raises TrainingError or BundleError where it is neither."""
    if (Path(where) / RUN).is_file():
        return _OfRun(open_run(Path(where)))
    return _OfBundle(open_bundle(where))


class _OfRun(Start):
    def __init__(self, run: Run) -> None:
        self._run = run
        self.where, self.id, self.config = run.folder, run.id, run.config
        self.heads = tuple(classes for classes in (run.classes, run.second_classes) if classes)

    def _give(self, engine: Engine, faces: Floats) -> None:
        _set(engine, self._run.weights(), self.heads)


class _OfBundle(Start):
    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.where, self.id = bundle.folder, bundle.id
        trained = bundle.facts.training
        if trained is None:
            raise TrainingError(
                f"start {bundle.folder}: does not say of which network it was made; choose a run, or a bundle made by: "
                f"felicity bundle export"
            )
        self.config = make_config(trained["config"])
        second = bundle.facts.second
        known = [str(e) for e, share in zip(EXPRESSIONS, second.prior, strict=True) if share] if second else []
        self.heads = tuple(tuple(classes) for classes in (trained["classes"], known) if classes)

    def _give(self, engine: Engine, faces: Floats) -> None:
        from felicity.training.onnx_weights import read_weights

        weights, folded = read_weights(self._bundle.weights, engine.model)
        _set(engine, weights, self.heads)
        _set(engine, weights | _unfolded(engine, weights, folded, faces), self.heads)


def _set(engine: Engine, weights: State, heads: tuple[tuple[str, ...], ...]) -> None:
    """All but a last layer of another width, which the engine keeps as it is."""
    last = engine.model.layers[-1]
    if sum(map(len, heads)) != last.units:
        weights = weights | {v.path: to_numpy(v) for v in last.weights}
    engine.set_weights(weights)


def _unfolded(engine: Engine, weights: State, folded: list[Any], faces: Floats) -> State:
    """Statistics of what normalisations that do nothing are given, and scale and shift that undo these."""
    import keras

    if not folded:
        return {}
    given = keras.Model(engine.model.input, [norm.input for norm in folded])(faces, training=False)
    found: State = {}
    for norm, values in zip(folded, given if isinstance(given, list) else [given], strict=True):
        channels = keras.ops.convert_to_numpy(keras.ops.stop_gradient(values)).reshape(-1, values.shape[-1])
        mean, variance = channels.mean(0), channels.var(0)
        found |= {
            norm.gamma.path: np.sqrt(variance + norm.epsilon),
            norm.beta.path: weights[norm.beta.path] + mean,
            norm.moving_mean.path: mean,
            norm.moving_variance.path: variance,
        }
    return found
