"""A Keras network as modules of ``torch.nn`` over the same numbers.

Keras runs its layers on PyTorch by way of its own operations, which copy activations between layouts and add biases in
passes of their own. The modules here are PyTorch's, in the layout that oneDNN wants, and share the memory of
Keras's variables: what changes one changes the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from felicity.errors import ConfigError
from felicity.models.describe import describe

Floats32 = npt.NDArray[np.float32]
SEED_STEP = 0x9E3779B1
"""Apart enough that no two steps of neighbouring seeds draw alike."""


class TorchNetwork(nn.Module):  # type: ignore[misc]
    """``model``, a functional ``keras.Model``, channels last, without Keras. Memory is channels last.

    Raises ConfigError for a layer that has no counterpart here.
    """

    def __init__(self, model: Any, seed: int) -> None:
        super().__init__()
        self._order = [(layer.name.replace(".", "_"), layer.inputs) for layer in describe(model).layers]
        self._draw = torch.Generator()
        self._seed = seed
        self.layers = nn.ModuleDict(
            {layer.name.replace(".", "_"): _module(layer, self._draw) for layer in model.layers}
        )
        shared = {v.path for layer in model.layers for v in layer.trainable_variables}
        wanted = [v.path for v in model.trainable_variables]
        if len(shared) != len(wanted):
            raise ConfigError(f"network {model.name} uses a layer twice, which has no plain PyTorch counterpart here")

    def forward(self, faces: Floats32, step: int = 0) -> torch.Tensor:
        """Normalised ``(B, S, S, channels)`` to logits ``(B, C)``. ``step``: what dropout draws by, in training."""
        if self.training:
            self._draw.manual_seed((self._seed * SEED_STEP + step) % 2**63)
        done: dict[str, torch.Tensor] = {}
        for name, inputs in self._order:
            if not inputs:
                done[name] = torch.from_numpy(faces).permute(0, 3, 1, 2)
            elif len(inputs) == 2:
                done[name] = done[inputs[0]] + done[inputs[1]]
            else:
                done[name] = self.layers[name](done[inputs[0]])
        return done[self._order[-1][0]]

    def predict(self, faces: Floats32) -> Floats32:
        """Logits ``(B, C)`` in evaluation mode, in float32."""
        self.eval()
        with torch.no_grad():
            result: Floats32 = self(faces).numpy()
        return result

    def loss(self, faces: Floats32, targets: Floats32, heads: tuple[int, ...], *, step: int, half: bool) -> Any:
        """Gradients are left in the parameters; returns mean loss, and how many of the batch the first head has right.

        ``targets`` ``(B, C)`` stand in blocks of ``heads`` classes, each with a softmax of its own. ``half``: compute
        in bfloat16 where PyTorch holds that for safe, keep numbers in float32.
        """
        self.train()
        for parameter in self.parameters():
            parameter.grad = None
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = self(faces, step)
        wanted = torch.from_numpy(targets)
        blocks = zip(logits.float().split(heads, 1), wanted.split(heads, 1), strict=True)
        loss = sum(nn.functional.cross_entropy(given, asked) for given, asked in blocks)
        loss.backward()
        first = heads[0]
        return loss.detach(), (logits[:, :first].argmax(1) == wanted[:, :first].argmax(1)).sum()

    def gradients(self) -> list[torch.Tensor]:
        """Of the last loss, in Keras's shapes and order."""
        return [_as_keras(parameter.grad) for name, _ in self._order for parameter in self.layers[name].parameters()]


class _Dropout(nn.Module):  # type: ignore[misc]
    """Draws from a generator that is seeded for each step, so that a training can be resumed."""

    def __init__(self, rate: float, draw: torch.Generator) -> None:
        super().__init__()
        self._rate, self._draw = rate, draw

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, generator=self._draw) >= self._rate
        return x * kept / (1 - self._rate)


class _Norm(nn.BatchNorm2d):  # type: ignore[misc]
    """Averages the variance of a batch as other frameworks do: divided by n, where PyTorch divides by n - 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        fresh, share, n = self.running_var.clone(), self.momentum, x.numel() // x.shape[1]
        y = nn.functional.batch_norm(
            x, self.running_mean, fresh, self.weight, self.bias, training=True, momentum=share, eps=self.eps
        )
        with torch.no_grad():
            kept = self.running_var * (1 - share)
            self.running_var.copy_(kept + (fresh - kept) * ((n - 1) / n))
        return y


class _ChannelsToTheEnd(nn.Module):  # type: ignore[misc]
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1)


def _module(layer: Any, draw: torch.Generator) -> nn.Module:
    """The counterpart of a Keras layer, with its weights and its activation."""
    kind = type(layer).__name__
    made = {
        "InputLayer": nn.Identity,
        "Add": nn.Identity,
        "ReLU": nn.ReLU,
        "Dropout": lambda: _Dropout(layer.rate, draw),
        "Conv2D": lambda: _convolution(layer),
        "Dense": lambda: _dense(layer),
        "BatchNormalization": lambda: _norm(layer),
        "MaxPooling2D": lambda: nn.MaxPool2d(layer.pool_size[0]),
        "AveragePooling2D": lambda: nn.AvgPool2d(layer.pool_size[0], ceil_mode=True),
        "GlobalAveragePooling2D": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "Flatten": lambda: nn.Sequential(_ChannelsToTheEnd(), nn.Flatten()),
    }
    activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
    if kind not in made or activation not in ("linear", "relu"):
        raise ConfigError(f"layer {layer.name} ({kind}, {activation}) has no plain PyTorch counterpart here")
    module: nn.Module = made[kind]()
    return nn.Sequential(module, nn.ReLU()) if activation == "relu" and kind != "ReLU" else module


def _convolution(layer: Any) -> nn.Module:
    size, stride, side = layer.kernel_size[0], layer.strides[0], layer.input.shape[1]
    kernel = layer.kernel.value
    # Behind Keras's shape, memory as a channels-last kernel has it.
    kernel.data = kernel.data.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last).permute(2, 3, 1, 0)
    module = nn.Conv2d(kernel.shape[2], layer.filters, size, stride, bias=layer.use_bias)
    module.weight.data = kernel.data.permute(3, 2, 0, 1)
    if layer.use_bias:
        module.bias.data = layer.bias.value.data
    outer = max((-(-side // stride) - 1) * stride + size - side, 0) if layer.padding == "same" else 0
    if outer % 2:
        before, after = outer // 2, outer - outer // 2
        return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), module)
    module.padding = (outer // 2, outer // 2)
    return module


def _dense(layer: Any) -> nn.Module:
    module = nn.Linear(layer.kernel.shape[0], layer.units)
    module.weight.data, module.bias.data = layer.kernel.value.data.T, layer.bias.value.data
    return module


def _norm(layer: Any) -> nn.Module:
    module = _Norm(layer.gamma.shape[0], layer.epsilon, 1 - layer.momentum)
    module.weight.data, module.bias.data = layer.gamma.value.data, layer.beta.value.data
    module.running_mean.data = layer.moving_mean.value.data
    module.running_var.data = layer.moving_variance.value.data
    return module


def _as_keras(gradient: torch.Tensor) -> torch.Tensor:
    if gradient.ndim == 4:
        return gradient.permute(2, 3, 1, 0)
    return gradient.T if gradient.ndim == 2 else gradient
