"""The same network in PyTorch without Keras, so that framework and wrapper are told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from felicity.errors import ConfigError
from felicity.models.backend import use_backend
from felicity.models.describe import describe
from felicity.models.initial import initialise
from felicity.models.registry import build
from felicity.training.config import TrainConfig
from felicity.training.engines.base import ADAM

Floats = npt.NDArray[np.float32]
PREDICT = 256


class PlainTorch:
    """Modules of ``torch.nn`` in channels-last memory, ``torch.optim``, no Keras after it is built.

    Raises ConfigError for a layer that has no counterpart here.
    """

    def __init__(self, config: TrainConfig, classes: int) -> None:
        use_backend("torch", threads=config.threads)
        import torch

        self._torch, self._decay = torch, config.weight_decay
        model = build(config.model.name, config.model_options(classes))
        initialise(model, config.seed)
        self._layers = [(layer.name, layer.inputs) for layer in describe(model).layers]
        modules = {layer.name.replace(".", "_"): _module(layer) for layer in model.layers}
        self._net = torch.nn.ModuleDict(modules).to(memory_format=torch.channels_last)
        self._optimizer = _optimizer(config, list(self._net.parameters()))

    def step(self, faces: Floats, targets: Floats, learning_rate: float) -> tuple[float, int]:
        """See ``Engine.step``."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        loss, right = self._loss(faces, targets)
        if self._decay:
            with self._torch.no_grad():
                self._torch._foreach_mul_(list(self._net.parameters()), 1 - learning_rate * self._decay)
        self._optimizer.step()
        return float(loss.detach()), int(right)

    def gradients(self, faces: Floats, targets: Floats) -> tuple[float, list[Floats]]:
        """See ``Engine.gradients``; in Keras's shapes and order. Moving statistics are left as they were."""
        kept = self.snapshot()
        loss, _ = self._loss(faces, targets)
        self.restore(kept)
        found = []
        for name, _ in self._layers:
            for parameter in self._net[name].parameters():
                gradient = parameter.grad
                if gradient.ndim == 4:
                    gradient = gradient.permute(2, 3, 1, 0)
                found.append((gradient.T if gradient.ndim == 2 else gradient).numpy().copy())
        return float(loss.detach()), found

    def predict(self, faces: Floats) -> Floats:
        """Logits ``(N, C)``."""
        self._net.eval()
        with self._torch.no_grad():
            parts = [self._forward(faces[i : i + PREDICT]).numpy() for i in range(0, len(faces), PREDICT)]
        return np.concatenate(parts)

    def snapshot(self) -> Any:
        """A copy of the weights and moving statistics."""
        return {name: value.clone() for name, value in self._net.state_dict().items()}

    def restore(self, kept: Any) -> None:
        """Go back to a ``snapshot``."""
        self._net.load_state_dict(kept)

    def _loss(self, faces: Floats, targets: Floats) -> tuple[Any, Any]:
        self._net.train()
        self._optimizer.zero_grad()
        logits, wanted = self._forward(faces), self._torch.from_numpy(targets)
        loss = self._torch.nn.functional.cross_entropy(logits, wanted)
        loss.backward()
        return loss, (logits.argmax(1) == wanted.argmax(1)).sum()

    def _forward(self, faces: Floats) -> Any:
        done: dict[str, Any] = {}
        for name, inputs in self._layers:
            if not inputs:
                done[name] = self._torch.from_numpy(faces).permute(0, 3, 1, 2)
            elif len(inputs) == 2:
                done[name] = done[inputs[0]] + done[inputs[1]]
            else:
                done[name] = self._net[name](done[inputs[0]])
        return done[self._layers[-1][0]]


def _module(layer: Any) -> Any:
    """The counterpart of a Keras layer, with its weights and its activation."""
    from torch import nn

    kind = type(layer).__name__
    made = {
        "InputLayer": nn.Identity,
        "Add": nn.Identity,
        "ReLU": nn.ReLU,
        "Dropout": lambda: nn.Dropout(layer.rate),
        "Conv2D": lambda: _convolution(layer),
        "Dense": lambda: _dense(layer),
        "BatchNormalization": lambda: nn.BatchNorm2d(layer.gamma.shape[0], layer.epsilon, 1 - layer.momentum),
        "MaxPooling2D": lambda: nn.MaxPool2d(layer.pool_size[0]),
        "AveragePooling2D": lambda: nn.AvgPool2d(layer.pool_size[0], ceil_mode=True),
        "GlobalAveragePooling2D": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "Flatten": lambda: nn.Sequential(_channels_to_the_end(), nn.Flatten()),
    }
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if kind not in made or activation not in ("linear", "relu"):
        raise ConfigError(f"layer {layer.name} ({kind}, {activation}) has no plain PyTorch counterpart here")
    module: Any = made[kind]()
    return nn.Sequential(module, nn.ReLU()) if activation == "relu" and kind != "ReLU" else module


def _convolution(layer: Any) -> Any:
    from torch import nn

    size, stride, side = layer.kernel_size[0], layer.strides[0], layer.input.shape[1]
    module = nn.Conv2d(layer.kernel.shape[2], layer.filters, size, stride, bias=layer.use_bias)
    module.weight.data = _tensor(layer.kernel).permute(3, 2, 0, 1)
    if layer.use_bias:
        module.bias.data = _tensor(layer.bias)
    outer = max((-(-side // stride) - 1) * stride + size - side, 0) if layer.padding == "same" else 0
    if outer % 2:
        before, after = outer // 2, outer - outer // 2
        return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), module)
    module.padding = (outer // 2, outer // 2)
    return module


def _dense(layer: Any) -> Any:
    from torch import nn

    module = nn.Linear(layer.kernel.shape[0], layer.units)
    module.weight.data, module.bias.data = _tensor(layer.kernel).T.contiguous(), _tensor(layer.bias)
    return module


def _tensor(variable: Any) -> Any:
    return variable.value.detach().clone()


def _channels_to_the_end() -> Any:
    from torch import nn

    class ChannelsLast(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.permute(0, 2, 3, 1)

    return ChannelsLast()


def _optimizer(config: TrainConfig, parameters: list[Any]) -> Any:
    """Without weight decay, which is decoupled here for every optimiser and so done by hand."""
    import torch

    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)
    betas = ADAM["beta_1"], ADAM["beta_2"]
    return torch.optim.Adam(parameters, config.learning_rate, betas, ADAM["epsilon"])
