"""TensorFlow: a graph function with a gradient tape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine, Floats32


class TensorFlowEngine(Engine):
    """Without XLA: its CPU convolutions take twice as long as oneDNN's here."""

    def __init__(self, config: TrainConfig, heads: Sequence[int]) -> None:
        import tensorflow as tf

        super().__init__(config, heads)
        model, optimizer = self.model, self.optimizer
        variables = model.trainable_variables
        penalised = [v for v in variables if v.regularizer is not None]

        def loss_of(faces: Any, targets: Any) -> tuple[Any, Any]:
            logits = model(faces, training=True)
            given, wanted = (tf.split(values, self.heads, axis=1) for values in (logits, targets))
            entropy = tf.nn.softmax_cross_entropy_with_logits
            parts = [tf.reduce_mean(entropy(labels=w, logits=g)) for g, w in zip(given, wanted, strict=True)]
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

    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[float, int]:
        """See ``Engine.step``."""
        tensor = self._tf.convert_to_tensor
        loss, right = self._step(tensor(faces), tensor(targets), tensor(np.float32(learning_rate)))
        return float(loss), int(right)

    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """See ``Engine.gradients``."""
        before = self.state()
        loss, found = self._gradients(self._tf.convert_to_tensor(faces), self._tf.convert_to_tensor(targets))
        self.set_state(before)
        return float(loss), [g.numpy() for g in found]

    def logits(self, faces: Floats32) -> Floats32:
        """See ``Engine.logits``."""
        result: Floats32 = self._logits(self._tf.convert_to_tensor(faces)).numpy()
        return result


def make(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """See ``open_engine``."""
    return TensorFlowEngine(config, heads)
