"""ResNet-5: five residual blocks of two convolutions each, with skip connections.

Sources: the study's ResNet-5 (five residual blocks, sizes not given); residual blocks, He et al. 2016
(arXiv:1512.03385); pooling on the skip connection, He T. et al. 2019 (arXiv:1812.01187).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from felicity.models.registry import ModelOptions, dropout, faces_input, register

WIDTH, DEPTH, FILTER_SIZE = 16, 5, 3
MOMENTUM, EPSILON = 0.9, 1e-5
"""Momentum and epsilon of batch normalisation, set here because the defaults of frameworks differ."""
WIDEST = 8


@register("resnet5", "five residual blocks with skip connections, batch normalisation, average pooling")
def resnet5(options: ModelOptions) -> Any:
    """Return a stem of stride 2 and blocks of ``width`` x 1, 2, 4, 8, 8 channels, halving the side at 2, 3 and 4."""
    return residual("resnet5", options, width=WIDTH, blocks=doubling(options.depth or DEPTH))


def doubling(depth: int) -> list[Block]:
    """Return ``depth`` blocks, each twice as wide as the one before and half its side, up to eight times the first."""
    times = [min(2**number, WIDEST) for number in range(depth)]
    return [Block(now, 2 if now > before else 1) for before, now in zip([1, *times], times, strict=False)]


@dataclass(frozen=True)
class Block:
    """A block with ``times`` the width of the stem in channels; ``stride`` 2 halves the side."""

    times: int
    stride: int


def first(blocks: Sequence[Block], depth: int | None) -> Sequence[Block]:
    """Return the first ``depth`` blocks, or all; raises ValueError if there are fewer."""
    if depth is not None and depth > len(blocks):
        raise ValueError(f"it has {len(blocks)} blocks, but a depth of {depth} is asked for")
    return blocks[:depth]


def residual(name: str, options: ModelOptions, *, width: int, blocks: Sequence[Block]) -> Any:
    """Return a stem of stride 2 and ``width`` channels, residual ``blocks`` and average pooling; see ``resnet5``.

    A ``width`` or ``filter_size`` in ``options`` takes precedence.
    """
    import keras
    from keras import layers

    width, filter_size = options.width or width, options.filter_size or FILTER_SIZE

    def norm(label: str) -> Any:
        return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=label)

    def convolution(channels: int, side: int, stride: int, label: str) -> Any:
        return layers.Conv2D(channels, side, strides=stride, padding="same", use_bias=False, name=label)

    x = faces = faces_input(options)
    x = convolution(width, filter_size, 2, "stem_conv")(x)
    x = layers.ReLU(name="stem_relu")(norm("stem_norm")(x))
    before = width
    for number, block in enumerate(blocks, 1):
        channels, stride = width * block.times, block.stride
        skip, label = x, f"block{number}"
        x = convolution(channels, filter_size, stride, f"{label}_conv1")(x)
        x = layers.ReLU(name=f"{label}_relu1")(norm(f"{label}_norm1")(x))
        x = norm(f"{label}_norm2")(convolution(channels, filter_size, 1, f"{label}_conv2")(x))
        if stride > 1:
            skip = layers.AveragePooling2D(2, padding="same", name=f"{label}_skip_pool")(skip)
        if stride > 1 or channels != before:
            skip = norm(f"{label}_skip_norm")(convolution(channels, 1, 1, f"{label}_skip_conv")(skip))
        x = layers.ReLU(name=f"{label}_relu2")(layers.Add(name=f"{label}_add")([x, skip]))
        before = channels
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if options.dropout:
        x = dropout(options.dropout)(x)
    return keras.Model(faces, layers.Dense(options.classes, name="logits")(x), name=name)
