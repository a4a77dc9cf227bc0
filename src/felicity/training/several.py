"""Several trainings in one process, one after the other."""

from __future__ import annotations

import logging
import sys


def begin_another() -> None:
    """Let go of what the frameworks keep of networks that are gone, which would grow with every training.

    TensorFlow's remark that functions are compiled again and again is not passed on: each network is another.
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
