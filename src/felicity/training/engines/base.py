"""What an engine is: a Keras network and optimiser whose step is the framework's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import TrainingError
from felicity.models.initial import begin
from felicity.training.config import TrainConfig

Floats32 = npt.NDArray[np.float32]
State = dict[str, npt.NDArray[Any]]
ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
"""Set here, since frameworks differ in what they take by default (Kingma & Ba 2015)."""
EARLY = 9.0
"""Step ``t`` (from 0) keeps ``t / (t + EARLY)`` of the moving average, up to the decay asked for."""
PREDICT = 256


class Engine(ABC):
    """A network in training. ``step`` changes it; ``predict`` does not.

    ``heads``: how many classes each head tells apart; logits stand in blocks of so many. A head is a block of the last
    layer, so that every network can have several.
    """

    def __init__(self, config: TrainConfig, heads: Sequence[int]) -> None:
        self.config, self.heads = config, tuple(heads)
        self.model = begin(config.model.name, config.model_options(sum(heads)), config.seed)
        self._seed_dropout(config.seed)
        self.optimizer = make_optimizer(config)
        if config.weight_decay:
            spared = [v for v in self.model.trainable_variables if len(v.shape) < 2]
            self.optimizer.exclude_from_weight_decay(spared)
        self.optimizer.build(self.model.trainable_variables)

    @abstractmethod
    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[float, int]:
        """Take one step; returns mean loss before it, and how many of the batch the first head had right.

        ``faces``: ``(B, S, S, channels)``. ``targets``: ``(B, C)``, in blocks of ``heads``; rows of a block sum to a
        weight. The loss is the sum of the blocks' cross-entropies.
        """

    @abstractmethod
    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """Mean loss, and its gradient for each trainable variable; nothing is changed."""

    @abstractmethod
    def logits(self, faces: Floats32) -> Floats32:
        """``(B, C)`` in evaluation mode."""

    def predict(self, faces: Floats32) -> Floats32:
        """Logits ``(N, C)`` of any number of faces; batches are padded to one size, to compile once."""
        parts = []
        for first in range(0, len(faces), PREDICT):
            part = faces[first : first + PREDICT]
            missing = min(PREDICT, len(faces)) - len(part) if len(faces) > PREDICT else 0
            padded = np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.float32)]) if missing else part
            parts.append(self.logits(padded)[: len(part)])
        return np.concatenate(parts)

    def push(self) -> None:  # noqa: B027 (most engines have nothing to exchange)
        """Bring the Keras variables up to date with what steps have changed."""

    def pull(self) -> None:  # noqa: B027
        """Take what the Keras variables hold now."""

    @property
    def averages(self) -> list[Any]:
        """The moving averages of the trainable variables; none where they are not kept."""
        return list(getattr(self.optimizer, "_model_variables_moving_average", None) or [])

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within, the network has its averaged weights, if it keeps any; they begin with the first step."""
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
        """Weights of the network by their names, as they would be evaluated: averaged, where averages are kept."""
        with self.averaged():
            self.push()
            return {v.path: to_numpy(v) for v in self.model.weights}

    def set_weights(self, state: State) -> None:
        """The opposite of ``weights``. Raises TrainingError where names or shapes are others."""
        _assign(self.model.weights, state, "")
        self.pull()

    def state(self) -> State:
        """Everything that the next step depends on: weights, optimiser, seeds of dropout."""
        self.push()
        named = {f"model/{i:04}": v for i, v in enumerate(self.model.variables)}
        named |= {f"optimizer/{i:04}": v for i, v in enumerate(self.optimizer.variables)}
        return {name: to_numpy(v) for name, v in named.items()}

    def set_state(self, state: State) -> None:
        """Go on where ``state`` was taken. Raises TrainingError where it is of another network or optimiser."""
        _assign(self.model.variables, state, "model/")
        _assign(self.optimizer.variables, state, "optimizer/")
        self.pull()

    def _seed_dropout(self, seed: int) -> None:
        for number, variable in enumerate(v for v in self.model.variables if "seed_generator" in v.path):
            variable.assign(np.array([seed + 1000 * number, 0], dtype=str(variable.dtype)))


def make_optimizer(config: TrainConfig) -> Any:
    """The Keras optimiser of ``config``, every constant set."""
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
    # Not a class of its own: Keras has its optimisers for PyTorch looked up by their class.
    optimizer._update_model_variables_moving_average = partial(_average, optimizer)
    return optimizer


def _average(optimizer: Any, variables: list[Any]) -> None:
    """Keras's moving average, but of the latest tenth of all steps at most, so that it forgets how it began."""
    from keras import ops

    taken = ops.cast(optimizer.iterations, "float32")
    decay = ops.minimum(optimizer.ema_momentum, taken / (taken + EARLY))
    for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
        average.assign(average * decay + variable * (1 - decay))


def to_numpy(variable: Any) -> npt.NDArray[Any]:
    """A copy of a Keras variable's value. Keras's own conversion warns under NumPy 2."""
    value = variable.value
    if hasattr(value, "detach"):
        value = value.detach()
    return np.array(value.numpy() if hasattr(value, "numpy") else value)


def _assign(variables: list[Any], state: State, prefix: str) -> None:
    names = [f"{prefix}{i:04}" if prefix else v.path for i, v in enumerate(variables)]
    found = {name for name in state if name.startswith(prefix)}
    for name, variable in zip(names, variables, strict=True):
        if name not in state or state[name].shape != tuple(variable.shape):
            have = state[name].shape if name in state else "nothing"
            raise TrainingError(
                f"{variable.path} takes values of shape {tuple(variable.shape)}, but the file has {have}; "
                f"it is of another network or optimiser"
            )
    if len(found) != len(variables):
        raise TrainingError(f"the file holds {len(found)} variables for {len(variables)}; it is of another network")
    for name, variable in zip(names, variables, strict=True):
        variable.assign(state[name].astype(str(variable.dtype)))
