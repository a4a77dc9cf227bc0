"""The user's own losses and metrics, by import path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from felicity import plugins
from felicity.errors import ConfigError

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class OwnLoss:
    """A loss at an import path: ``(targets, logits)``, tensors ``(B, C)``, to a loss for each image, ``(B,)``.

    With ``keras.ops`` it works on every backend. A row of ``targets`` sums to the image's weight.
    """

    path: str
    function: Callable[[Any, Any], Any] = field(repr=False, compare=False)

    def __call__(self, targets: Any, logits: Any) -> Any:
        """Return losses ``(B,)`` as a tensor of the backend."""
        return self.function(targets, logits)

    def mean(self, targets: Floats, logits: Floats) -> float:
        """Return the mean of arrays."""
        from keras import ops

        return float(np.mean(_array(self(ops.convert_to_tensor(targets), ops.convert_to_tensor(logits)))))

    def check(self, heads: Sequence[int]) -> None:
        """Try the loss on two images of each head. Raises ConfigError unless it gives two numbers."""
        from keras import ops

        for classes in heads:
            targets = np.eye(classes, dtype=np.float32)[[0, classes - 1]]
            try:
                found = _array(self(ops.convert_to_tensor(targets), ops.convert_to_tensor(0.5 * targets)))
            except Exception as error:
                raise ConfigError(f"loss {self.path}: fails: {type(error).__name__}: {error}") from error
            if found.shape != (2,) or not np.isfinite(found).all():
                raise ConfigError(
                    f"loss {self.path}: must give a finite number for each image, and gave {found.tolist()} for two"
                )


def _array(tensor: Any) -> Floats:
    """Convert any backend's array. Keras's own conversion warns under NumPy 2."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
    return np.asarray(tensor.numpy() if hasattr(tensor, "numpy") else tensor)


@dataclass(frozen=True)
class OwnMetric:
    """A metric at an import path: labels ``(N,)`` and probabilities ``(N, C)`` as NumPy arrays to a number."""

    path: str
    function: Callable[[Rows, Floats], float] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return the name of the function."""
        return self.path.rpartition(":")[2].rpartition(".")[2]

    def __call__(self, labels: Rows, probabilities: Floats) -> float:
        """Return the metric. Raises ConfigError if it is not a finite number."""
        try:
            found = float(self.function(labels, probabilities))
        except Exception as error:
            raise ConfigError(f"metric {self.path}: fails: {type(error).__name__}: {error}") from error
        if not np.isfinite(found):
            raise ConfigError(f"metric {self.path}: must give a finite number, and gave {found}")
        return found


def own_loss(path: str | None) -> OwnLoss | None:
    """Return the loss at ``path``; None without one. Raises ConfigError."""
    return OwnLoss(path, plugins.import_callable(path, "loss")) if path else None


def own_metrics(paths: Sequence[str]) -> list[OwnMetric]:
    """Return the metrics at ``paths``. Raises ConfigError, also if two have the same name."""
    found = [OwnMetric(path, plugins.import_callable(path, "metric")) for path in paths]
    names = [metric.name for metric in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"metric {twice[0]}: two functions of this name are given; name each once")
    if taken := sorted({"loss", "accuracy"} & set(names)):
        raise ConfigError(f"metric {taken[0]}: Felicity has one of this name; rename the function")
    return found
