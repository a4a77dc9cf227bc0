"""Several trainings in one process, one after the other."""

from __future__ import annotations

import logging
import sys


def begin_another() -> None:
    """Release the memory that frameworks keep for finished networks, which would grow with every training.

    The function silences TensorFlow's warning that functions are compiled again and again: each network is a new one.
    """
    keras, jax = sys.modules.get("keras"), sys.modules.get("jax")
    if keras is None:
        return
    logging.getLogger("tensorflow").addFilter(_no_advice)
    keras.utils.clear_session()
    if jax is not None and keras.config.backend() == "jax":
        jax.clear_caches()


def _no_advice(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()
