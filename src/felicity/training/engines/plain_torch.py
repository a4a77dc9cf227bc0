"""The same network in PyTorch without Keras, which separates the effects of framework and wrapper."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.models.backend import use_backend
from felicity.models.initial import begin
from felicity.training.config import TrainConfig
from felicity.training.engines.base import ADAM

Floats32 = npt.NDArray[np.float32]
PREDICT = 256


class PlainTorch:
    """The modules of ``TorchNetwork`` under ``torch.optim``; Keras only builds the network.

    Raises ConfigError for a layer that has no counterpart.
    """

    own_loss = None

    def __init__(self, config: TrainConfig, classes: int) -> None:
        use_backend("torch", threads=config.threads, device=config.device)
        import torch

        from felicity.training.engines.torch_network import TorchNetwork

        self._torch, self._decay, self._precision = torch, config.weight_decay, config.precision
        if self._precision == "float16":
            raise ConfigError("precision float16 is for trainings with Keras; compare in bfloat16 or float32")
        self._heads, self._steps = (classes,), 0
        model = begin(config.model.name, config.model_options(classes), config.seed)
        self._net = TorchNetwork(model, config.seed, plain=True)
        self._optimizer = _optimizer(config, list(self._net.parameters()))

    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[float, int]:
        """Take one step; see ``Engine.step``."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        loss, right = self._net.loss(faces, targets, self._heads, step=self._steps, precision=self._precision)
        self._steps += 1
        if self._decay:
            with self._torch.no_grad():
                kernels = [parameter for parameter in self._net.parameters() if parameter.ndim > 1]
                self._torch._foreach_mul_(kernels, 1 - learning_rate * self._decay)
        self._optimizer.step()
        return float(loss), int(right)

    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """Return loss and gradients in Keras's shapes and order; see ``Engine.gradients``. Moving statistics stay."""
        kept = self.snapshot()
        loss, _ = self._net.loss(faces, targets, self._heads, step=self._steps, precision=self._precision)
        found = [gradient.cpu().numpy().copy() for gradient in self._net.gradients()]
        self.restore(kept)
        return float(loss), found

    def predict(self, faces: Floats32) -> Floats32:
        """Return logits ``(N, C)``."""
        return np.concatenate([self._net.predict(faces[i : i + PREDICT]) for i in range(0, len(faces), PREDICT)])

    def snapshot(self) -> Any:
        """Return a copy of the weights and moving statistics."""
        return {name: value.clone() for name, value in self._net.state_dict().items()}

    def restore(self, kept: Any) -> None:
        """Restore a ``snapshot``."""
        self._net.load_state_dict(kept)


def _optimizer(config: TrainConfig, parameters: list[Any]) -> Any:
    """Return the optimiser without weight decay, which this engine applies itself, decoupled for every optimiser."""
    import torch

    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)
    betas = ADAM["beta_1"], ADAM["beta_2"]
    return torch.optim.Adam(parameters, config.learning_rate, betas, ADAM["epsilon"])
