"""Networks for teachers, and what a GPU does to the faces that they learn from.

They differ from the shipped ones in kind and size, so that they err on other faces.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from dlib_network import Dlib
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.way = nn.Sequential(
            nn.Conv2d(before, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )  # fmt: skip
        short: list[nn.Module] = [nn.AvgPool2d(2, ceil_mode=True)] if stride > 1 else []
        if before != channels:
            short += [nn.Conv2d(before, channels, 1, bias=False), nn.BatchNorm2d(channels)]
        self.short = nn.Sequential(*short)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of both, never below 0."""
        return F.relu(self.way(x) + self.short(x))


def with_head(layers: list[nn.Module], channels: int, classes: int) -> nn.Module:
    """Layers that end in ``channels``, then their mean over the face, then logits."""
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(channels, classes))


def residual(width: int, classes: int, stem: int, blocks: Sequence[tuple[int, int]]) -> nn.Module:
    """Return a stem of that stride, and blocks of so many times the ``width``, each with its stride."""
    layers: list[nn.Module] = [nn.Conv2d(1, width, 3, stem, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    before = width
    for times, stride in blocks:
        layers.append(Block(before, times * width, stride))
        before = times * width
    return with_head(layers, before, classes)


def resnet(width: int, classes: int) -> nn.Module:
    """ResNet-18 at full resolution (He et al. 2016, arXiv:1512.03385)."""
    return residual(width, classes, 1, [(1, 1), (1, 1), (2, 2), (2, 1), (4, 2), (4, 1), (8, 2), (8, 1)])


def best(width: int, classes: int) -> nn.Module:
    """Return the network ``best`` of Felicity."""
    return residual(width, classes, 2, [(1, 1), (2, 2), (4, 2), (6, 1), (8, 2)])


def vgg(width: int, classes: int) -> nn.Module:
    """Convolutions alone (Simonyan & Zisserman 2015, arXiv:1409.1556), with batch normalisation."""
    layers: list[nn.Module] = []
    before = 1
    for times in (1, 1, 0, 2, 2, 0, 4, 4, 4, 0, 8, 8, 8):
        if not times:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(before, times * width, 3, 1, 1, bias=False), nn.BatchNorm2d(times * width), nn.ReLU()]
        before = times * width
    return with_head(layers, before, classes)


def dlib(side: int, classes: int) -> nn.Module:
    """Return dlib's network on faces enlarged to ``side`` pixels."""
    return Dlib(classes, side)


NETWORKS = {"resnet": (resnet, "sgd"), "vgg": (vgg, "sgd"), "best": (best, "adamw"), "dlib": (dlib, "tuned")}


def network(name: str, classes: int) -> tuple[nn.Module, str]:
    """By its name, such as ``resnet-48``, and its optimiser; ``tiny`` is for trials."""
    kind, _, width = ("resnet-2" if name == "tiny" else name).partition("-")
    if kind not in NETWORKS or not width.isdigit():
        sys.exit(f"error: teacher {name!r}: a kind ({', '.join(NETWORKS)}) and a width expected, such as resnet-48")
    make, optimizer = NETWORKS[kind]
    return make(int(width), classes), optimizer


def changed(faces: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Faces ``(B, 1, S, S)`` of 0 to 1 as cameras and obstacles change them; others for every call."""
    count, side, device = len(faces), faces.shape[-1], faces.device

    def each_way(most: float) -> torch.Tensor:
        return (torch.rand(count, generator=draw, device=device) * 2 - 1) * most

    def some(share: float) -> torch.Tensor:
        return (torch.rand(count, generator=draw, device=device) < share).view(-1, 1, 1, 1)

    angle, scale = each_way(0.26), 1.2 ** each_way(1)
    across = scale * 1.08 ** each_way(1) * torch.where(some(0.5).view(-1), -1.0, 1.0)
    matrix = torch.stack([
        torch.stack([angle.cos() * across, -angle.sin() * scale, each_way(0.2)], 1),
        torch.stack([angle.sin() * across, angle.cos() * scale, each_way(0.2)], 1),
    ], 1)  # fmt: skip
    grid = F.affine_grid(matrix, list(faces.shape), align_corners=False)
    x = F.grid_sample(faces, grid, padding_mode="border", align_corners=False)
    coarse = int(torch.randint(side // 3, side, (1,), generator=draw, device=device))
    small = F.interpolate(x, (coarse, coarse), mode="bilinear", antialias=True, align_corners=False)
    x = torch.where(some(0.2), F.interpolate(small, (side, side), mode="bilinear", align_corners=False), x)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (1 + each_way(0.3)).view(-1, 1, 1, 1) + mean + each_way(0.15).view(-1, 1, 1, 1)
    noise = torch.randn(x.shape, generator=draw, device=device) * each_way(0.05).view(-1, 1, 1, 1)
    x = x + torch.where(some(0.3), noise, 0.0)
    at = torch.arange(side, device=device)
    hole = some(0.25)
    for axis in (2, 3):
        half = (each_way(1).abs() * 0.14 + 0.06) * side
        off = (at - (each_way(0.5) + 0.5).view(-1, 1) * side).abs() < half.view(-1, 1)
        hole = hole & off.view(count, 1, *((side, 1) if axis == 2 else (1, side)))
    grey = torch.rand(count, generator=draw, device=device).view(-1, 1, 1, 1)
    return torch.where(hole, grey, x).clamp(0, 1)
