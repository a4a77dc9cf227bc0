"""Networks by name: one file each, found by its presence; every one is defined once, in Keras, for all backends."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from felicity.errors import ConfigError

LIMITS = {"classes": (2, 1000), "size": (8, 1024), "width": (1, 1024), "depth": (1, 32), "filter_size": (1, 15)}
"""Least and greatest value of each option that is a whole number."""


@dataclass(frozen=True)
class ModelOptions:
    """What all networks understand; None leaves a network's own choice.

    ``width``: channels of the first convolution. ``depth``: how many stages or blocks. ``filter_size``: side of
    the convolutions' kernels, odd. ``dropout``: share of features dropped in training, before the classifier.
    ``size`` and ``channels``: of the input, pixels and 1 or 3.
    """

    classes: int = 7
    size: int = 48
    channels: int = 1
    width: int | None = None
    depth: int | None = None
    filter_size: int | None = None
    dropout: float | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ConfigError(f"{name} must be {low} to {high}, not {value}")
        if self.channels not in (1, 3):
            raise ConfigError(f"channels must be 1 (grey) or 3 (RGB), not {self.channels}")
        if self.filter_size is not None and self.filter_size % 2 == 0:
            raise ConfigError(f"filter_size must be odd, not {self.filter_size}")
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ConfigError(f"dropout must lie in 0 to below 1, not {self.dropout}")


@dataclass(frozen=True)
class Network:
    """``build`` gives a ``keras.Model`` from ``(B, size, size, channels)`` to logits ``(B, classes)``."""

    name: str
    about: str
    build: Callable[[ModelOptions], Any]


_NETWORKS: dict[str, Network] = {}


def register(name: str, about: str) -> Callable[[Callable[[ModelOptions], Any]], Callable[[ModelOptions], Any]]:
    """Decorator: make a function that builds a network known by ``name``; ``about`` says in a line what it is."""

    def add(build: Callable[[ModelOptions], Any]) -> Callable[[ModelOptions], Any]:
        _NETWORKS[name] = Network(name, about, build)
        return build

    return add


def networks() -> dict[str, Network]:
    """All networks by name; needs no backend."""
    package = importlib.import_module("felicity.models.networks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return dict(sorted(_NETWORKS.items()))


def check_network(name: str) -> Network:
    """The network of that name. Raises ConfigError."""
    known = networks()
    if name not in known:
        raise ConfigError(f"model {name!r} is not known; there are {', '.join(known)}")
    return known[name]


def build(name: str, options: ModelOptions | None = None) -> Any:
    """The network ``name`` as a ``keras.Model`` that gives logits. Raises ConfigError where it does not fit.

    Call ``use_backend`` first; the weights are Keras's own until ``initial.initialise`` sets them.
    """
    options = options or ModelOptions()
    network = check_network(name)
    try:
        return network.build(options)
    except ValueError as error:
        raise ConfigError(f"model {name} cannot be built with {options}: {error}") from error


def faces_input(options: ModelOptions) -> Any:
    """The input layer of every network."""
    import keras

    return keras.Input((options.size, options.size, options.channels), name="faces")


def dropout(rate: float) -> Any:
    """The dropout layer of every network. Without a seed, PyTorch would draw from a state that no checkpoint has."""
    from keras import layers

    return layers.Dropout(rate, seed=1, name="dropout")
