"""PyTorch: eager autograd over the Keras network, its memory laid out as oneDNN wants it."""

from __future__ import annotations

from typing import Any

from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine, Floats


class TorchEngine(Engine):
    """Built channels first, since Keras copies every activation to and fro otherwise.

    Memory is channels last all the same: faces come so, and kernels are kept so behind Keras's shape of them.
    """

    channels_first = True

    def __init__(self, config: TrainConfig, classes: int) -> None:
        import torch

        super().__init__(config, classes)
        self._torch = torch
        for variable in (*self.model.variables, *self.optimizer.variables):
            value = variable.value
            if value.ndim == 4:
                kernel = value.data.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
                value.data = kernel.permute(2, 3, 1, 0)
        self._variables = self.model.trainable_variables
        self._parameters = [v.value for v in self._variables]

    def _input(self, faces: Floats) -> Any:
        return self._torch.from_numpy(faces).permute(0, 3, 1, 2)

    def _loss(self, faces: Floats, targets: Floats) -> tuple[Any, Any]:
        torch = self._torch
        for parameter in self._parameters:
            parameter.grad = None
        logits = self.model(self._input(faces), training=True)
        wanted = torch.from_numpy(targets)
        loss = -(wanted * torch.log_softmax(logits, 1)).sum(1).mean()
        loss.backward()
        return loss, (logits.argmax(1) == wanted.argmax(1)).sum()

    def step(self, faces: Floats, targets: Floats, learning_rate: float) -> tuple[float, int]:
        """See ``Engine.step``."""
        loss, right = self._loss(faces, targets)
        with self._torch.no_grad():
            self.optimizer.learning_rate.assign(learning_rate)
            self.optimizer.apply([p.grad for p in self._parameters], self._variables)
        return float(loss.detach()), int(right)

    def gradients(self, faces: Floats, targets: Floats) -> tuple[float, list[Floats]]:
        """See ``Engine.gradients``."""
        before = self.state()
        loss, _ = self._loss(faces, targets)
        found = [p.grad.numpy().copy() for p in self._parameters]
        self.set_state(before)
        return float(loss.detach()), found

    def logits(self, faces: Floats) -> Floats:
        """See ``Engine.logits``."""
        with self._torch.no_grad():
            result: Floats = self.model(self._input(faces), training=False).numpy()
        return result


def make(config: TrainConfig, classes: int) -> Engine:
    """See ``open_engine``."""
    return TorchEngine(config, classes)
