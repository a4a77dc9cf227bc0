"""TensorFlow: a graph function with a gradient tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat, SupportsInt

import numpy as np

from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine, Floats32


class TensorFlowEngine(Engine):
    """The engine without XLA, whose CPU convolutions take twice as long as oneDNN's here."""

    def __init__(self, config: TrainConfig, heads: Sequence[int]) -> None:
        import tensorflow as tf

        super().__init__(config, heads)
        model, optimizer = self.model, self.optimizer
        variables = model.trainable_variables
        penalised = [v for v in variables if v.regularizer is not None]

        def cross_entropies(targets: Any, logits: Any) -> Any:
            # TensorFlow's own function accepts rows that do not sum to 1, but gives wrong gradients for them.
            return -tf.reduce_sum(targets * tf.nn.log_softmax(logits), 1)

        def loss_of(faces: Any, targets: Any) -> tuple[Any, Any]:
            logits = model(faces, training=True)
            given, wanted = (tf.split(values, self.heads, axis=1) for values in (logits, targets))
            losses: Callable[[Any, Any], Any] = self.own_loss or cross_entropies
            parts = [tf.reduce_mean(losses(w, g)) for g, w in zip(given, wanted, strict=True)]
            return tf.add_n([*parts, *(v.regularizer(v) for v in penalised)]), given[0]

        @tf.function  # type: ignore[untyped-decorator]
        def step(faces: Any, targets: Any, learning_rate: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                loss, logits = loss_of(faces, targets)
            optimizer.learning_rate.assign(learning_rate)
            optimizer.apply(tape.gradient(loss, variables), variables)
            right = tf.equal(tf.argmax(logits, 1), tf.argmax(targets[:, : self.heads[0]], 1))
            return loss, tf.reduce_sum(tf.cast(right, tf.int32))

        @tf.function  # type: ignore[untyped-decorator]
        def gradients(faces: Any, targets: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                loss, _ = loss_of(faces, targets)
            return loss, tape.gradient(loss, variables)

        self._tf, self._step, self._gradients = tf, step, gradients
        self._logits = tf.function(lambda faces: model(faces, training=False))

    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[SupportsFloat, SupportsInt]:
        """Take one step; see ``Engine.step``."""
        tensor = self._tf.convert_to_tensor
        loss, right = self._step(tensor(faces), tensor(targets), tensor(np.float32(learning_rate)))
        return loss, right

    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """Return loss and gradients; see ``Engine.gradients``."""
        before = self.state()
        loss, found = self._gradients(self._tf.convert_to_tensor(faces), self._tf.convert_to_tensor(targets))
        self.set_state(before)
        return float(loss), [g.numpy() for g in found]

    def logits(self, faces: Floats32) -> Floats32:
        """Return logits; see ``Engine.logits``."""
        result: Floats32 = self._logits(self._tf.convert_to_tensor(faces)).numpy()
        return result


def make(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """Return the engine; see ``open_engine``."""
    return TensorFlowEngine(config, heads)
