"""PyTorch: eager autograd over the network's modules, with memory in the layout of oneDNN and cuDNN.

It is not compiled: on two cores, ``torch.compile`` took minutes, and its steps took one and a half to two and a half
times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsFloat, SupportsInt

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.training.config import TrainConfig
from felicity.training.engines.base import Engine, Floats32, State, to_numpy


class Scaling:
    """Keeps gradients within the range of float16 (Micikevicius et al. 2018, arXiv:1710.03740).

    The loss is multiplied by ``factor``, which halves with each step whose gradients are too large, and doubles after
    GROWS_AFTER steps without one.
    """

    GROWS_AFTER, HIGHEST = 2000, 2.0**24

    def __init__(self) -> None:
        self.factor, self._good = 2.0**16, 0

    def undo(self, gradients: list[Any]) -> bool:
        """Divide ``gradients`` by the factor, in place; return whether they are finite and the step can be taken."""
        import torch

        torch._foreach_mul_(gradients, 1 / self.factor)
        good = bool(torch.stack([gradient.isfinite().all() for gradient in gradients]).all())
        if not good:
            self.factor, self._good = max(1.0, self.factor / 2), 0
            return False
        self._good += 1
        if self._good == self.GROWS_AFTER:
            self.factor, self._good = min(self.HIGHEST, self.factor * 2), 0
        return True

    @property
    def state(self) -> npt.NDArray[np.float64]:
        """Return the factor, and the steps since it changed."""
        return np.array([self.factor, self._good])

    @state.setter
    def state(self, values: npt.NDArray[np.float64]) -> None:
        self.factor, self._good = float(values[0]), int(values[1])


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
            if value.ndim == 4:  # in the layout of its kernel
                kernel = value.data.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
                value.data = kernel.permute(2, 3, 1, 0)
        self._scaling = Scaling() if config.precision == "float16" else None
        if self._scaling and self.device == "cpu":
            raise ConfigError("precision float16 is for GPUs, and there is none here; choose bfloat16 or float32")
        self.pull()

    def pull(self) -> None:
        """Copy the variables to the state; see ``Engine.pull``."""
        self._taken = int(to_numpy(self.optimizer.iterations))

    def _loss(self, faces: Any, targets: Any, scale: float = 1.0) -> tuple[Any, Any]:
        return self._net.loss(  # type: ignore[no-any-return]
            faces,
            targets,
            self.heads,
            step=self._taken,
            precision=self.config.precision,
            scale=scale,
            own=self.own_loss,
        )

    def send(self, values: Floats32) -> Any:
        """Return the values on the device; see ``Engine.send``."""
        return values if self.device == "cpu" else self._net.moved(values)

    def step(self, faces: Floats32, targets: Floats32, learning_rate: float) -> tuple[SupportsFloat, SupportsInt]:
        """Take one step; see ``Engine.step``."""
        loss, right = self._loss(faces, targets, self._scaling.factor if self._scaling else 1.0)
        with self._torch.no_grad():
            gradients = self._net.gradients()
            if self._scaling is None or self._scaling.undo(gradients):
                self.optimizer.learning_rate.value.fill_(learning_rate)  # an assignment would wait for a GPU
                self.optimizer.apply(gradients, self.model.trainable_variables)
                self._taken += 1
        return loss, right

    def state(self) -> State:
        """Return the state; see ``Engine.state``."""
        return super().state() | ({"scaling": self._scaling.state} if self._scaling else {})

    def set_state(self, state: State) -> None:
        """Set the state; see ``Engine.set_state``."""
        super().set_state(state)
        if self._scaling and "scaling" in state:
            self._scaling.state = state["scaling"]

    def gradients(self, faces: Floats32, targets: Floats32) -> tuple[float, list[Floats32]]:
        """Return loss and gradients; see ``Engine.gradients``."""
        before = self.state()
        loss, _ = self._loss(faces, targets)
        found = [gradient.detach().cpu().numpy().copy() for gradient in self._net.gradients()]
        self.set_state(before)
        return float(loss), found

    def logits(self, faces: Floats32) -> Floats32:
        """Return logits; see ``Engine.logits``."""
        return self._net.predict(faces)


def make(config: TrainConfig, heads: Sequence[int]) -> Engine:
    """Return the engine; see ``open_engine``."""
    return TorchEngine(config, heads)
