"""The base of engines: a Keras network and optimiser whose step is the framework's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, SupportsFloat, SupportsInt

import numpy as np
import numpy.typing as npt

from felicity.errors import TrainingError
from felicity.models.devices import device_in_use
from felicity.models.initial import begin
from felicity.training.config import TrainConfig
from felicity.training.own_code import OwnLoss, own_loss

Floats32 = npt.NDArray[np.float32]
State = dict[str, npt.NDArray[Any]]
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
"""Adam's constants, set here because the defaults of frameworks differ (Kingma & Ba 2015)."""
EARLY = 9.0
"""Step ``t`` (from 0) keeps ``t / (t + EARLY)`` of the moving average, up to the decay in the settings."""
PREDICT = 256


class Engine(ABC):
    """A network in training. ``step`` changes it; ``predict`` does not.

    ``heads``: the number of classes of each head. A head is a block of the last layer, so that every network can have
    several; logits stand in one block per head. ``device``: cpu, cuda or mps.
    """

    def __init__(self, config: TrainConfig, heads: Sequence[int]) -> None:
        self.config, self.heads, self.device = config, tuple(heads), device_in_use()
        self.model = begin(config.model.name, config.model_options(sum(heads)), config.seed)
        self._seed_dropout(config.seed)
        self.optimizer = make_optimizer(config)
        if config.weight_decay:
            spared = [v for v in self.model.trainable_variables if len(v.shape) < 2]
            self.optimizer.exclude_from_weight_decay(spared)
        self.optimizer.build(self.model.trainable_variables)

    @cached_property
    def own_loss(self) -> OwnLoss | None:
        """Return the loss that replaces cross-entropy; it is imported when a training first needs it."""
        return own_loss(self.config.loss)

    @abstractmethod
    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[SupportsFloat, SupportsInt]:
        """Take one step; return the mean loss before it, and how many of the batch the first head answered rightly.

        ``faces``: ``(B, S, S, channels)``. ``targets``: ``(B, C)``, in blocks of ``heads``; rows of a block sum to a
        weight. The loss is the sum of the blocks' cross-entropies, or that of ``own_loss``. Both arrays may come from
        ``send``. On a GPU the step may still be running when this returns: ``float`` and ``int`` of its results wait
        for it.
        """

    def send(self, values: Floats32) -> Any:
        """Return ``values`` for ``step``, on their way to the computing device; from any thread."""
        return values

    @abstractmethod
    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """Return the mean loss, and its gradient for each trainable variable; change nothing."""

    @abstractmethod
    def logits(self, faces: Floats32) -> Floats32:
        """Return ``(B, C)`` in evaluation mode."""

    def predict(self, faces: Floats32) -> Floats32:
        """Return logits ``(N, C)`` of any number of faces; batches are padded to one size, to compile once."""
        parts = []
        for first in range(0, len(faces), PREDICT):
            part = faces[first : first + PREDICT]
            missing = min(PREDICT, len(faces)) - len(part) if len(faces) > PREDICT else 0
            padded = np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.float32)]) if missing else part
            parts.append(self.logits(padded)[: len(part)])
        return np.concatenate(parts)

    def push(self) -> None:  # noqa: B027 (most engines have nothing to exchange)
        """Copy the state of the steps to the Keras variables."""

    def pull(self) -> None:  # noqa: B027
        """Copy the Keras variables to the state of the steps."""

    @property
    def averages(self) -> list[Any]:
        """Return the moving averages of the trainable variables; empty if there are none."""
        return list(getattr(self.optimizer, "_model_variables_moving_average", None) or [])

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the network its averaged weights within the context, if it has any; they begin with the first step."""
        self.push()
        if not self.averages or not to_numpy(self.optimizer.iterations):
            yield
            return
        variables = self.model.trainable_variables
        kept = [to_numpy(v) for v in variables]
        for variable, average in zip(variables, self.averages, strict=True):
            variable.assign(to_numpy(average))
        self.pull()
        try:
            yield
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)
            self.pull()

    def weights(self) -> State:
        """Return the network's weights by name, as for evaluation: averaged, if there are averages."""
        with self.averaged():
            self.push()
            return {v.path: to_numpy(v) for v in self.model.weights}

    def set_weights(self, state: State) -> None:
        """Set the weights that ``weights`` returned. Raises TrainingError if names or shapes differ."""
        _assign(self.model.weights, state, "")
        self.pull()

    def state(self) -> State:
        """Return everything on which the next step depends: weights, optimiser, seeds of dropout."""
        self.push()
        named = {f"model/{i:04}": v for i, v in enumerate(self.model.variables)}
        named |= {f"optimizer/{i:04}": v for i, v in enumerate(self.optimizer.variables)}
        return {name: to_numpy(v) for name, v in named.items()}

    def set_state(self, state: State) -> None:
        """Continue from ``state``. Raises TrainingError if it is of another network or optimiser."""
        _assign(self.model.variables, state, "model/")
        _assign(self.optimizer.variables, state, "optimizer/")
        self.pull()

    def _seed_dropout(self, seed: int) -> None:
        for number, variable in enumerate(v for v in self.model.variables if "seed_generator" in v.path):
            variable.assign(np.array([seed + 1000 * number, 0], dtype=str(variable.dtype)))


def make_optimizer(config: TrainConfig) -> Any:
    """Return the Keras optimiser of ``config``, every constant set."""
    import keras

    kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}[
        config.optimizer
    ]
    own = {"momentum": config.momentum, "nesterov": config.momentum > 0} if config.optimizer == "sgd" else ADAM
    decay = config.weight_decay if config.optimizer == "adamw" else config.weight_decay or None
    common: dict[str, Any] = {"learning_rate": config.learning_rate, "weight_decay": decay}
    if not config.average:
        return kind(**common, **own)
    optimizer = kind(**common, **own, use_ema=True, ema_momentum=config.average)
    # Not a class of its own, because Keras finds its optimisers for PyTorch by their class.
    optimizer._update_model_variables_moving_average = partial(_average, optimizer)
    return optimizer


def _average(optimizer: Any, variables: list[Any]) -> None:
    """Return Keras's moving average, over at most the latest tenth of all steps, so that it forgets the early ones."""
    from keras import ops

    taken = ops.cast(optimizer.iterations, "float32")
    decay = ops.minimum(optimizer.ema_momentum, taken / (taken + EARLY))
    for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
        average.assign(average * decay + variable * (1 - decay))


def to_numpy(variable: Any) -> npt.NDArray[Any]:
    """Return a copy of a Keras variable's value. Keras's own conversion warns under NumPy 2."""
    value = variable.value
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return np.array(value.numpy() if hasattr(value, "numpy") else value)


def _assign(variables: list[Any], state: State, prefix: str) -> None:
    names = [f"{prefix}{i:04}" if prefix else v.path for i, v in enumerate(variables)]
    found = {name for name in state if name.startswith(prefix)}
    for name, variable in zip(names, variables, strict=True):
        if name not in state or state[name].shape != tuple(variable.shape):
            have = state[name].shape if name in state else "nothing"
            raise TrainingError(
                f"{variable.path} takes values of shape {tuple(variable.shape)}, but the file has {have}; "
                f"the file belongs to another network or optimiser"
            )
    if len(found) != len(variables):
        raise TrainingError(f"the file holds {len(found)} variables for {len(variables)}; it is of another network")
    for name, variable in zip(names, variables, strict=True):
        variable.assign(state[name].astype(str(variable.dtype)))
