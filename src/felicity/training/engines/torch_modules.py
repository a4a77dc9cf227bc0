"""PyTorch's own modules for Keras's layers, over the same memory; images are NCHW, channels last in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from felicity.models.graph import Call, activation_of, is_keras

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "elu": nn.ELU,
    "hard_sigmoid": nn.Hardsigmoid,
    "hard_silu": nn.Hardswish,
    "mish": nn.Mish,
}


@dataclass(frozen=True)
class Bound:
    """A parameter over the memory of a Keras variable. ``as_keras`` brings a value or gradient into Keras's shape."""

    parameter: torch.Tensor
    as_keras: Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Module:
    """``module`` for a layer. ``bound``: its trainable parameters, by the ``id`` of the Keras variable."""

    module: nn.Module
    bound: dict[int, Bound] = field(default_factory=dict)


def counterpart(call: Call, draw: torch.Generator) -> Module | None:
    """Return the module for a call; None if Keras has to compute it. ``draw``: random generator of dropout."""
    layer, kind = call.operation, call.kind
    if not is_keras(layer):
        return None
    if kind == "Dropout":
        return Module(_Dropout(layer.rate, draw))
    if kind not in MODULES:
        return None
    activation = activation_of(layer)
    if activation not in ("linear", *ACTIVATIONS):
        return None
    made: Module | None = MODULES[kind](call)
    if made is None or activation == "linear":
        return made
    return Module(nn.Sequential(made.module, ACTIVATIONS[activation]()), made.bound)


class _Dropout(nn.Module):  # type: ignore[misc]
    """Dropout from a generator that is seeded for each step, so that a training can be resumed."""

    def __init__(self, rate: float, draw: torch.Generator) -> None:
        super().__init__()
        self._rate, self._draw = rate, draw

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        kept = torch.rand(x.shape, generator=self._draw, device=x.device) >= self._rate
        return x * kept / (1 - self._rate)


class _Norm(nn.BatchNorm2d):  # type: ignore[misc]
    """A normalisation that divides the variance of a batch by n, as other frameworks do; PyTorch divides by n - 1."""

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


class _Frozen(nn.Module):  # type: ignore[misc]
    """A normalisation that does not learn: always in evaluation mode, as in Keras."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def train(self, mode: bool = True) -> _Frozen:
        super().train(False)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


class _Of(nn.Module):  # type: ignore[misc]
    """A function as a module."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return self._function(*x)


class _MeanOfBlocks(nn.Module):  # type: ignore[misc]
    """An average without the pixels outside the image, also if Keras pads one side alone."""

    def __init__(self, size: tuple[int, int], strides: tuple[int, int], pads: tuple[int, int, int, int]) -> None:
        super().__init__()
        self._size, self._strides, self._pads = size, strides, pads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inside = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        sums, shares = (
            nn.functional.avg_pool2d(nn.functional.pad(each, self._pads), self._size, self._strides)
            for each in (x, inside)
        )
        return sums / shares


def _outer(layer: Any, sides: tuple[int, ...], size: tuple[int, int], spread: tuple[int, int]) -> tuple[int, ...]:
    """Return left, right, top and bottom padding for Keras's "same": the odd pixel at the end."""
    pads: list[int] = []
    for length, extent, stride, gap in zip(sides, size, layer.strides, spread, strict=True):
        reach = (extent - 1) * gap + 1
        total = max((-(-length // stride) - 1) * stride + reach - length, 0) if layer.padding == "same" else 0
        pads = [total // 2, total - total // 2, *pads]
    return tuple(pads)


def _padded(module: nn.Module, pads: tuple[int, ...]) -> nn.Module:
    left, right, top, bottom = pads
    if left == right and top == bottom:
        module.padding = (top, left)
        return module
    return nn.Sequential(nn.ZeroPad2d(pads), module)


def _bind(layer: Any, *pairs: tuple[Any, nn.Module, str, torch.Tensor, str]) -> dict[int, Bound]:
    """Bind modules to Keras's memory: variable, module, name of its parameter, the value in the module's shape."""
    found = {}
    for variable, module, name, value, back in pairs:
        parameter = getattr(module, name)
        parameter.data = value
        parameter.requires_grad_(layer.trainable)
        if layer.trainable:
            found[id(variable)] = Bound(parameter, partial(BACK[back], shape=tuple(variable.shape)))
    return found


def _of_channels(value: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Return ``(C * times, 1, h, w)`` as ``(h, w, C, times)``."""
    tall, wide, channels, times = shape
    return value.reshape(channels, times, tall, wide).permute(2, 3, 0, 1)


BACK: dict[str, Callable[..., torch.Tensor]] = {
    "kernel": lambda value, shape: value.permute(2, 3, 1, 0),
    "channels": _of_channels,
    "matrix": lambda value, shape: value.T,
    "vector": lambda value, shape: value,
}
"""Functions that bring a value back to Keras's shape."""


def _convolution(call: Call) -> Module | None:
    kernel = call.operation.kernel.value
    # Behind Keras's shape, memory has the layout of a channels-last kernel.
    kernel.data = kernel.data.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last).permute(2, 3, 1, 0)
    return _convolve(call, kernel.data.permute(3, 2, 0, 1), call.operation.groups, "kernel")


def _depthwise(call: Call) -> Module | None:
    kernel = call.operation.kernel.value
    tall, wide, channels, times = kernel.shape
    kernel.data = kernel.data.permute(2, 3, 0, 1).contiguous().permute(2, 3, 0, 1)
    weight = kernel.data.permute(2, 3, 0, 1).reshape(channels * times, 1, tall, wide)
    return _convolve(call, weight, channels, "channels")


def _convolve(call: Call, weight: torch.Tensor, groups: int, back: str) -> Module:
    layer, spread = call.operation, tuple(call.operation.dilation_rate)
    with torch.device(weight.device):
        module = nn.Conv2d(
            weight.shape[1] * groups, weight.shape[0], layer.kernel_size, layer.strides, dilation=spread,
            groups=groups, bias=layer.use_bias,
        )  # fmt: skip
    pairs = [(layer.kernel, module, "weight", weight, back)]
    if layer.use_bias:
        pairs.append((layer.bias, module, "bias", layer.bias.value.data, "vector"))
    bound = _bind(layer, *pairs)
    return Module(_padded(module, _outer(layer, call.inputs[0].shape[:2], layer.kernel_size, spread)), bound)


def _dense(call: Call) -> Module | None:
    layer = call.operation
    if len(call.inputs[0].shape) != 1:
        return None
    with torch.device(layer.kernel.value.device):
        module = nn.Linear(layer.kernel.shape[0], layer.units, bias=layer.use_bias)
    pairs = [(layer.kernel, module, "weight", layer.kernel.value.data.T, "matrix")]
    if layer.use_bias:
        pairs.append((layer.bias, module, "bias", layer.bias.value.data, "vector"))
    return Module(module, _bind(layer, *pairs))


def _norm(call: Call) -> Module | None:
    layer = call.operation
    if len(call.inputs[0].shape) != 3 or layer.axis not in (-1, 3, [3]) or not (layer.scale and layer.center):
        return None
    with torch.device(layer.gamma.value.device):
        module = _Norm(layer.gamma.shape[0], layer.epsilon, 1 - layer.momentum)
    scale = (layer.gamma, module, "weight", layer.gamma.value.data, "vector")
    bound = _bind(layer, scale, (layer.beta, module, "bias", layer.beta.value.data, "vector"))
    module.running_mean.data = layer.moving_mean.value.data
    module.running_var.data = layer.moving_variance.value.data
    return Module(module if layer.trainable else _Frozen(module), bound)


def _max_pool(call: Call) -> Module | None:
    layer = call.operation
    pads = _outer(layer, call.inputs[0].shape[:2], layer.pool_size, (1, 1))
    if not any(pads):
        return Module(nn.MaxPool2d(layer.pool_size, layer.strides))
    lowest = nn.ConstantPad2d(pads, float("-inf"))
    return Module(nn.Sequential(lowest, nn.MaxPool2d(layer.pool_size, layer.strides)))


def _mean_pool(call: Call) -> Module | None:
    layer = call.operation
    pads = _outer(layer, call.inputs[0].shape[:2], layer.pool_size, (1, 1))
    if not any(pads):
        return Module(nn.AvgPool2d(layer.pool_size, layer.strides))
    return Module(_MeanOfBlocks(layer.pool_size, layer.strides, pads))  # type: ignore[arg-type]


def _relu(call: Call) -> Module | None:
    layer = call.operation
    if layer.threshold or layer.negative_slope or layer.max_value not in (None, 6):
        return None
    return Module(nn.ReLU() if layer.max_value is None else nn.ReLU6())


def _sum(*x: torch.Tensor) -> torch.Tensor:
    result = x[0]
    for other in x[1:]:
        result = result + other
    return result


def _product(*x: torch.Tensor) -> torch.Tensor:
    result = x[0]
    for other in x[1:]:
        result = result * other
    return result


def _mean(call: Call) -> Module | None:
    keep = call.operation.keepdims
    return Module(_Of(lambda x: x.mean((2, 3), keepdim=keep)))


def _same_rank(function: Callable[..., torch.Tensor]) -> Callable[[Call], Module | None]:
    def make(call: Call) -> Module | None:
        return Module(_Of(function)) if len({len(ref.shape) for ref in call.inputs}) == 1 else None

    return make


def _concatenate(call: Call) -> Module | None:
    shape, axis = call.results[0].shape, call.operation.axis
    last = axis in (-1, len(shape))
    return Module(_Of(lambda *x: torch.cat(x, 1))) if last and len(shape) in (1, 3) else None


def _zero_padding(call: Call) -> Module | None:
    (top, bottom), (left, right) = call.operation.padding
    return Module(nn.ZeroPad2d((left, right, top, bottom)))


def _flatten(call: Call) -> Module | None:
    """Flatten in Keras's order, channels last."""
    image = len(call.inputs[0].shape) == 3
    return Module(_Of(lambda x: (x.permute(0, 2, 3, 1) if image else x).flatten(1)))


MODULES: dict[str, Callable[[Call], Module | None]] = {
    "Conv2D": _convolution,
    "DepthwiseConv2D": _depthwise,
    "Dense": _dense,
    "BatchNormalization": _norm,
    "MaxPooling2D": _max_pool,
    "AveragePooling2D": _mean_pool,
    "GlobalAveragePooling2D": _mean,
    "Flatten": _flatten,
    "ReLU": _relu,
    "Activation": lambda call: Module(nn.Identity()),
    "Add": _same_rank(_sum),
    "Multiply": _same_rank(_product),
    "Concatenate": _concatenate,
    "ZeroPadding2D": _zero_padding,
}
"""Makers of modules by kind of layer; each returns None for a layer that Keras has to compute."""
