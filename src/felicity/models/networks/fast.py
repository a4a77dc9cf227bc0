"""The network of the shipped bundle ``fast``: five narrow residual blocks, small enough for half a megabyte."""

from __future__ import annotations

from typing import Any

from felicity.models.networks.resnet5 import Block, first, residual
from felicity.models.registry import ModelOptions, register

WIDTH = 16
BLOCKS = (Block(1, 1), Block(2, 2), Block(4, 2), Block(4, 1), Block(8, 2))


@register("fast", "the network of the shipped bundle fast: five narrow residual blocks")
def fast(options: ModelOptions) -> Any:
    """Return a stem of 16 channels and stride 2 with blocks of 16, 32, 64, 64 and 128 channels.

    Two of the blocks work at an eighth of the side. ``depth`` takes the first blocks only; there are five.
    """
    return residual("fast", options, width=WIDTH, blocks=first(BLOCKS, options.depth))
