"""JAX: one compiled function from state to state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat, SupportsInt

import numpy as np

from felicity.models.initial import begin
from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine, Floats32


class JaxEngine(Engine):
    """State lives in JAX arrays between steps; ``push`` and ``pull`` exchange it with the Keras variables."""

    def __init__(self, config: TrainConfig, heads: Sequence[int]) -> None:
        import jax

        super().__init__(config, heads)
        model, optimizer, learner = self.model, self.optimizer, self._learner()
        penalties = [(i, v.regularizer) for i, v in enumerate(model.trainable_variables) if v.regularizer is not None]
        ends = np.cumsum(self.heads)[:-1].tolist()
        rate = next(i for i, v in enumerate(optimizer.variables) if v.path == optimizer.learning_rate.path)

        def cross_entropies(targets: Any, logits: Any) -> Any:
            return -(targets * jax.nn.log_softmax(logits)).sum(1)

        def loss_of(trainable: Any, other: Any, faces: Any, targets: Any) -> tuple[Any, Any]:
            logits, other = learner.stateless_call(trainable, other, faces, training=True)
            logits = logits.astype("float32")
            given, wanted = (jax.numpy.split(values, ends, axis=1) for values in (logits, targets))
            losses: Callable[[Any, Any], Any] = self.own_loss or cross_entropies
            parts = [losses(w, g).mean() for g, w in zip(given, wanted, strict=True)]
            parts += [penalty(trainable[place]) for place, penalty in penalties]
            return sum(parts[1:], parts[0]), (given[0], other)

        def step(state: Any, faces: Any, targets: Any, learning_rate: Any) -> tuple[Any, Any, Any]:
            trainable, other, slots = state
            (loss, (logits, other)), found = jax.value_and_grad(loss_of, has_aux=True)(trainable, other, faces, targets)
            slots = [*slots[:rate], learning_rate, *slots[rate + 1 :]]
            trainable, slots = optimizer.stateless_apply(slots, found, trainable)
            right = (logits.argmax(1) == targets[:, : self.heads[0]].argmax(1)).sum()
            return (trainable, other, slots), loss, right

        def gradients(state: Any, faces: Any, targets: Any) -> tuple[Any, Any]:
            (loss, _), found = jax.value_and_grad(loss_of, has_aux=True)(state[0], state[1], faces, targets)
            return loss, found

        self._step = jax.jit(step, donate_argnums=0)
        self._gradients = jax.jit(gradients)
        self._logits = jax.jit(lambda state, faces: model.stateless_call(state[0], state[1], faces, training=False)[0])
        self.pull()

    def _learner(self) -> Any:
        """Return the network for learning: with the same numbers, but multiplying in a shorter precision."""
        if self.config.precision == "float32":
            return self.model
        import keras

        usual = keras.config.dtype_policy()
        keras.config.set_dtype_policy(f"mixed_{self.config.precision}")
        try:
            return begin(self.config.model.name, self.config.model_options(sum(self.heads)), self.config.seed)
        finally:
            keras.config.set_dtype_policy(usual)

    def pull(self) -> None:
        """Copy the variables, because each step gives its arrays away."""
        import jax.numpy as jnp

        groups = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        self._state: Any = tuple([jnp.array(v.value, copy=True) for v in group] for group in groups)

    def push(self) -> None:
        """Copy the state to the variables; see ``Engine.push``."""
        groups = (self.model.trainable_variables, self.model.non_trainable_variables, self.optimizer.variables)
        for variables, values in zip(groups, self._state, strict=True):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(np.asarray(value))

    def send(self, values: Floats32) -> Any:
        """Return the values on the device; see ``Engine.send``."""
        import jax

        return values if self.device == "cpu" else jax.device_put(values)

    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[SupportsFloat, SupportsInt]:
        """Take one step; see ``Engine.step``."""
        self._state, loss, right = self._step(self._state, faces, targets, np.float32(learning_rate))
        return loss, right

    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """Return loss and gradients; see ``Engine.gradients``."""
        loss, found = self._gradients(self._state, faces, targets)
        return float(loss), [np.asarray(g) for g in found]

    def logits(self, faces: Floats32) -> Floats32:
        """Return logits; see ``Engine.logits``."""
        return np.asarray(self._logits(self._state, faces))


def make(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """Return the engine; see ``open_engine``."""
    return JaxEngine(config, heads)
