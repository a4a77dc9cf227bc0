"""A residual network so small that it trains within a second, for tests and for trying things out."""

from __future__ import annotations

from typing import Any

from felicity.models.networks.resnet5 import doubling, residual
from felicity.models.registry import ModelOptions, register


@register("test-tiny", "two small residual blocks; for tests, not for faces")
def test_tiny(options: ModelOptions) -> Any:
    """Return a small version of ``resnet5``, with 4 and 8 channels."""
    return residual("test-tiny", options, width=4, blocks=doubling(options.depth or 2))
