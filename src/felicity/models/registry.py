"""Networks by name: one file each in ``networks/``; every network is defined once, in Keras, for all backends.

Other packages announce theirs (``felicity.plugins``), and any function is found by its import path.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from felicity import plugins
from felicity.errors import ConfigError, FelicityError, NetworkError

LIMITS = {"classes": (2, 1000), "size": (8, 1024), "width": (1, 1024), "depth": (1, 32), "filter_size": (1, 15)}
"""Least and greatest value of each option that is a whole number."""


@dataclass(frozen=True)
class ModelOptions:
    """Options that all networks accept; None leaves a network's own choice.

    ``width``: channels of the first convolution. ``depth``: number of stages or blocks. ``filter_size``: side of the
    convolutions' kernels, odd. ``dropout``: share of features dropped in training, before the classifier. ``size`` and
    ``channels``: of the input, pixels and 1 or 3.
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
    """A network; ``build`` returns a ``keras.Model`` from ``(B, size, size, channels)`` to logits ``(B, classes)``.

    ``ours``: Felicity draws the first weights, the same on every backend; other networks keep those that they were
    built with. ``path``: import path of code of other packages.
    """

    name: str
    about: str
    build: Callable[[ModelOptions], Any]
    ours: bool = True
    path: str = ""


_NETWORKS: dict[str, Network] = {}


def register(name: str, about: str) -> Callable[[Callable[[ModelOptions], Any]], Callable[[ModelOptions], Any]]:
    """Register a function that builds a network under ``name``; a decorator. ``about``: a line that describes it."""

    def add(build: Callable[[ModelOptions], Any]) -> Callable[[ModelOptions], Any]:
        _NETWORKS[name] = Network(name, about, build)
        return build

    return add


def networks() -> dict[str, Network]:
    """Return all networks by name, those of other packages last; needs no backend."""
    package = importlib.import_module("felicity.models.networks")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    others = {name: _announced(name, entry) for name, entry in plugins.announced("networks").items()}
    plugins.check_new("network", others, _NETWORKS)
    return others | dict(sorted(_NETWORKS.items()))


def check_network(name: str) -> Network:
    """Return the network of that name, or at that import path. Raises ConfigError."""
    if plugins.is_path(name):
        build = plugins.import_callable(name, "model")
        return Network(name, first_line(build), build, ours=False, path=name)
    known = networks()
    if name not in known:
        raise ConfigError(
            f"model {name!r} is not known; there are {', '.join(known)}, and import paths such as package.module:build"
        )
    return known[name]


def build(name: str, options: ModelOptions | None = None) -> Any:
    """Return the network ``name`` as a ``keras.Model`` that gives logits. Raises NetworkError if options do not fit.

    Call ``use_backend`` first; the weights are Keras's own until ``initial.initialise`` sets them.
    """
    options = options or ModelOptions()
    network = check_network(name)
    try:
        model = network.build(options) if network.ours else _with_names_from_one(network, options)
    except ValueError as error:
        raise NetworkError(f"model {name} cannot be built with {options}: {error}") from error
    except Exception as error:
        if network.ours or isinstance(error, FelicityError):
            raise
        raise ConfigError(f"model {name}: building it failed: {type(error).__name__}: {error}") from error
    if not network.ours:
        _check(model, name, options)
    return model


def _with_names_from_one(network: Network, options: ModelOptions) -> Any:
    """Build a network as if Keras had named no layer before, so that the names, which identify weights, never vary.

    Keras counts unnamed layers by thread, and has a policy of precision by thread, too.
    """
    import keras

    policy = keras.config.dtype_policy()
    with ThreadPoolExecutor(1, initializer=keras.config.set_dtype_policy, initargs=(policy,)) as fresh:
        return fresh.submit(network.build, options).result()


def _check(model: Any, name: str, options: ModelOptions) -> None:
    """Raise ConfigError unless another package's ``model`` takes faces and gives a logit per class."""
    import keras

    if not isinstance(model, keras.Model) or not hasattr(model, "inputs"):
        raise ConfigError(
            f"model {name}: a functional or sequential keras.Model expected, found {type(model).__name__}; "
            f"return keras.Model(inputs, outputs)"
        )
    taken = [tuple(each.shape[1:]) for each in model.inputs]
    given = [tuple(each.shape[1:]) for each in model.outputs]
    side = (options.size, options.size, options.channels)
    if taken != [side] or given != [(options.classes,)]:
        raise ConfigError(
            f"model {name}: takes {taken} and gives {given}, but [{side}] and [({options.classes},)] are needed; build "
            f"it from options.size, options.channels and options.classes"
        )
    last = model.outputs[0]._keras_history.operation
    activation = getattr(getattr(last, "activation", None), "__name__", "")
    if activation in ("softmax", "sigmoid", "log_softmax") or type(last).__name__ == "Softmax":
        raise ConfigError(
            f"model {name}: layer {last.name} ends in a {activation or 'softmax'}, but logits are needed; leave the "
            f"activation of the last layer out"
        )


def _announced(name: str, entry: Any) -> Network:
    def build(options: ModelOptions) -> Any:
        return plugins.load(entry)(options)

    about = f"of the package {entry.dist.name} {entry.dist.version}" if entry.dist else "of another package"
    return Network(name, about, build, ours=False, path=entry.value)


def first_line(thing: Any) -> str:
    """Return the first line of an object's docstring; empty without one."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def faces_input(options: ModelOptions) -> Any:
    """Return the input layer of every network."""
    import keras

    return keras.Input((options.size, options.size, options.channels), name="faces")


def dropout(rate: float) -> Any:
    """Return a dropout layer. Without a seed, PyTorch would draw from a state that no checkpoint holds."""
    from keras import layers

    return layers.Dropout(rate, seed=1, name="dropout")
