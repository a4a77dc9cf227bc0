"""PyTorch: eager autograd over the network's modules, its memory laid out as oneDNN wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine, Floats32, to_numpy


class TorchEngine(Engine):
    """Keras defines the network and updates the weights; PyTorch's own modules compute with them."""

    def __init__(self, config: TrainConfig, heads: Sequence[int]) -> None:
        super().__init__(config, heads)
        import torch

        from felicity.training.engines.torch_network import TorchNetwork

        self._torch = torch
        self._net = TorchNetwork(self.model, config.seed)
        for variable in self.optimizer.variables:
            value = variable.value
            if value.ndim == 4:  # laid out as the kernel that it belongs to
                kernel = value.data.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
                value.data = kernel.permute(2, 3, 1, 0)

    def _loss(self, faces: Floats32, targets: Floats32) -> tuple[Any, Any]:
        half = self.config.precision == "bfloat16"
        return self._net.loss(  # type: ignore[no-any-return]
            faces, targets, self.heads, step=int(to_numpy(self.optimizer.iterations)), half=half
        )

    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[float, int]:
        """See ``Engine.step``."""
        loss, right = self._loss(faces, targets)
        with self._torch.no_grad():
            self.optimizer.learning_rate.assign(learning_rate)
            self.optimizer.apply(self._net.gradients(), self.model.trainable_variables)
        return float(loss), int(right)

    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """See ``Engine.gradients``."""
        before = self.state()
        loss, _ = self._loss(faces, targets)
        found = [gradient.detach().cpu().numpy().copy() for gradient in self._net.gradients()]
        self.set_state(before)
        return float(loss), found

    def logits(self, faces: Floats32) -> Floats32:
        """See ``Engine.logits``."""
        return self._net.predict(faces)


def make(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """See ``open_engine``."""
    return TorchEngine(config, heads)
