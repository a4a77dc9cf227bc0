"""The start of a training with the weights of a run, or of a bundle, in place of random ones.

A bundle keeps its float weights beside the ONNX file (``models.weights``). A wider network begins with copies of the
channels (``widening``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from felicity.errors import TrainingError
from felicity.labels import EXPRESSIONS
from felicity.models.backend import use_backend
from felicity.models.bundle import Bundle, open_bundle
from felicity.models.registry import build
from felicity.training.checkpoint import State
from felicity.training.config import TrainConfig, make_config
from felicity.training.data import TrainingSet
from felicity.training.engines import Engine
from felicity.training.engines.base import to_numpy
from felicity.training.run import RUN, TrainingRun, open_run
from felicity.training.widening import narrower, widened

Heads = tuple[tuple[str, ...], tuple[str, ...]]
"""Classes of the first head, and of the second, which may have none."""
SHAPE = {"model": ("name", "depth", "filter_size"), "data": ("colour",)}
"""Settings of network and images that must be the same; the width may grow, and images may have another size."""


class Start(ABC):
    """The origin of weights. ``config``: the training that made them. ``heads``: classes of each head.

    ``pixels``: mean and deviation that normalise pixels for them.
    """

    where: Path
    config: TrainConfig
    heads: Heads
    pixels: tuple[float, float]

    @property
    @abstractmethod
    def id(self) -> str:
        """Return the id of the weights: a name and a digest."""

    @abstractmethod
    def weights(self) -> State:
        """Return arrays by Keras variable path; the last layer has the classes of the start."""

    def check(self, config: TrainConfig) -> None:
        """Raise TrainingError where ``config`` asks for a network of another shape, or for a narrower one.

        A network that averages over all places fits images of another size, too.
        """
        for table, keys in SHAPE.items():
            now, then = getattr(config, table), getattr(self.config, table)
            for key in keys:
                if (asked := getattr(now, key)) != (has := getattr(then, key)):
                    raise self._refusal(key, has, asked, "weights fit networks of the same shape alone")
        if (config.model.width, config.data.size) == (self.config.model.width, self.config.data.size):
            return
        use_backend(config.backend, threads=config.threads, device=config.device)
        resized = self.config.model_copy(update={"data": config.data})
        wide, narrow, other = (
            _shapes(build(each.model.name, each.model_options(2))) for each in (config, self.config, resized)
        )
        if other != narrow:
            why = "the weights of this network fit images of that size alone"
            raise self._refusal("size", self.config.data.size, config.data.size, why)
        if narrower(wide, narrow):
            why = "a network can be made wider, not narrower"
            raise self._refusal("width", self.config.model.width, config.model.width, why)

    def _refusal(self, key: str, has: object, asked: object, why: str) -> TrainingError:
        has, asked = ("the network's own" if value is None else repr(value) for value in (has, asked))
        return TrainingError(
            f"start {self.where}: its {key} is {has}, but {asked} is asked for; {why}, so choose the same "
            f"or another start"
        )

    def hand_on(self, engine: Engine, data: TrainingSet) -> None:
        """Give the weights to ``engine``; classes that the start does not know begin again."""
        last = {v.path: to_numpy(v) for v in engine.model.layers[-1].weights}
        given = self.weights()
        shapes = _shapes(engine.model)
        if missing := shapes.keys() - given.keys():
            raise TrainingError(f"start {self.where}: has no {min(missing)}; its weights are of another network")
        new, old = _columns((data.classes, data.second_classes), self.heads)
        shapes |= {path: (*shapes[path][:-1], given[path].shape[-1]) for path in last}
        given = widened(given, shapes, np.random.default_rng(engine.config.seed))
        for path, values in last.items():
            values[..., new] = given[path][..., old]
        engine.set_weights(given | last)


def open_start(where: str) -> Start:
    """Open a run's folder, or a bundle's folder or name. Raises TrainingError or BundleError for anything else."""
    if (Path(where) / RUN).is_file():
        return _OfRun(open_run(Path(where)))
    return _OfBundle(open_bundle(where))


class _OfRun(Start):
    def __init__(self, run: TrainingRun) -> None:
        self._run = run
        self.where, self.config, self.heads = run.folder, run.config, (run.classes, run.second_classes)
        self.pixels = run.mean, run.std

    @property
    def id(self) -> str:
        return self._run.id

    def weights(self) -> State:
        return self._run.weights()


class _OfBundle(Start):
    def __init__(self, bundle: Bundle) -> None:
        self._bundle, self.where = bundle, bundle.folder
        trained, second = bundle.facts.training, bundle.facts.second
        if trained is None:
            raise TrainingError(
                f"start {bundle.folder}: does not say of which network it was made; choose a run, or a bundle made by: "
                f"felicity bundle export"
            )
        if bundle.facts.training_weights is None:
            raise TrainingError(
                f"start {bundle.folder}: keeps no float weights (weights.npz); choose the run that it was made of, or "
                f"make it again with: felicity bundle export"
            )
        self.config = make_config(trained["config"])
        self.pixels = bundle.input.mean, bundle.input.std
        known = [str(e) for e, share in zip(EXPRESSIONS, second.prior, strict=True) if share] if second else []
        self.heads = tuple(trained["classes"]), tuple(trained.get("second_classes", known))

    @property
    def id(self) -> str:
        return self._bundle.id

    def weights(self) -> State:
        weights = self._bundle.training_weights()
        assert weights is not None  # checked when it was opened
        return dict(weights)


def _shapes(model: Any) -> dict[str, tuple[int, ...]]:
    return {variable.path: tuple(variable.shape) for layer in model.layers for variable in layer.weights}


def _columns(new: Heads, old: Heads) -> tuple[list[int], list[int]]:
    """Return the columns of the classes that both know in the last layers of both, head by head."""
    begin = len(new[0]), len(old[0])
    known = [(i, old[0].index(name)) for i, name in enumerate(new[0]) if name in old[0]]
    known += [(begin[0] + i, begin[1] + old[1].index(name)) for i, name in enumerate(new[1]) if name in old[1]]
    return [i for i, _ in known], [j for _, j in known]
