"""The network of the shipped bundle ``best``: five wide residual blocks."""

from __future__ import annotations

from typing import Any

from felicity.models.networks.resnet5 import Block, first, residual
from felicity.models.registry import ModelOptions, register

WIDTH = 32
BLOCKS = (Block(1, 1), Block(2, 2), Block(4, 2), Block(6, 1), Block(8, 2))


@register("best", "the network of the shipped bundle best: five wide residual blocks")
def best(options: ModelOptions) -> Any:
    """Return a stem of 32 channels and stride 2 with blocks of 32, 64, 128, 192 and 256 channels.

    Two of the blocks work at an eighth of the side. ``depth`` takes the first blocks only; there are five.
    """
    return residual("best", options, width=WIDTH, blocks=first(BLOCKS, options.depth))
