"""The backend of Keras: chosen once per process, before Keras is imported."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Literal, get_args

from felicity import system
from felicity.errors import ConfigError, ExtraMissingError, require
from felicity.models.devices import KERAS_DEVICE, Device, device_in_use, devices_for, prepare_device

Backend = Literal["tensorflow", "torch", "jax"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
UNUSED = ("pandas", "sklearn", "matplotlib", "jax")
"""Packages that Keras or TensorFlow import if they are installed, and that Felicity's training never uses.

Their imports take seconds in all. JAX is one of them if it is not the backend.
"""


def installed_backends() -> tuple[Backend, ...]:
    """Return the backends whose framework is installed beside Keras; import none of them."""
    if importlib.util.find_spec("keras") is None:
        return ()
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name) is not None)


def check_backend(name: str) -> Backend:
    """Return ``name``, if it is an installed backend. Raises ConfigError, ExtraMissingError."""
    if name not in BACKENDS:
        raise ConfigError(f"backend {name!r} is not known; there are {', '.join(BACKENDS)}")
    if name not in installed_backends():
        raise ExtraMissingError(f"the backend {name} is not installed; install it with: pip install 'felicity[{name}]'")
    return name


def use_backend(name: str | None = None, *, threads: int = 0, device: Device = "auto") -> ModuleType:
    """Import Keras on the backend ``name`` (None: the one in use, else the first installed one).

    ``threads``: for the framework's own arithmetic, 0 for all cores. ``device``: the computing device; auto is the one
    in use, else a GPU if there is one. Raises ConfigError for an unknown name, a missing device, or if Keras already
    runs on another backend or device in this process; ExtraMissingError if the backend is not installed.

    Keras starts as if the packages in ``UNUSED`` were not installed, except those that the process has already
    imported. So it accepts no pandas frames, for example.
    """
    running = _running()
    if name is None:
        if running is None and not installed_backends():
            raise ExtraMissingError(
                "no backend is installed; install one with: pip install 'felicity[tensorflow]', 'felicity[torch]' "
                "or 'felicity[jax]'"
            )
        name = running or installed_backends()[0]
    chosen = check_backend(name)
    if running not in (None, chosen):
        raise ConfigError(f"Keras runs on {running} in this process; {chosen} needs a process of its own")
    if running is None:
        os.environ["KERAS_BACKEND"] = chosen
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        kept = os.environ.get(KERAS_DEVICE)
        with _without_chatter(), _hidden(name for name in UNUSED if name != chosen):
            _limit_threads(chosen, threads or system.cores())
            prepare_device(chosen, device)
            keras = require("keras", chosen)
        if kept is None:
            os.environ.pop(KERAS_DEVICE, None)
        else:
            os.environ[KERAS_DEVICE] = kept
    else:
        keras = require("keras", chosen)
        if device not in ("auto", used := device_in_use()):
            devices_for(chosen, device)
            raise ConfigError(f"Keras computes on {used} in this process; {device} needs a process of its own")
    if keras.config.image_data_format() != "channels_last" or keras.config.floatx() != "float32":
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
    return keras


def _running() -> str | None:
    keras = sys.modules.get("keras")
    return str(keras.config.backend()) if keras is not None else None


@contextmanager
def _hidden(names: Iterable[str]) -> Iterator[None]:
    """Make imports of ``names`` fail as if they were not installed, except those that are already imported."""
    absent: dict[str, ModuleType | None] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type]  # None there stops an import
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Silence what TensorFlow's libraries print on stderr while they load, before its log level applies."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _limit_threads(backend: Backend, threads: int) -> None:
    if backend == "torch":
        require("torch", "torch").set_num_threads(threads)
    elif backend == "tensorflow":
        tf = require("tensorflow", "tensorflow")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    else:
        # XLA's pool takes all cores that the process may use; there is no public setting for fewer.
        require("jax", "jax")
