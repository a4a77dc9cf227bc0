"""The computing devices: those that each framework finds here, and the choice for the process.

``python -m felicity.models.devices BACKEND`` prints the devices of a framework, as JSON.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args

from felicity.errors import ConfigError

Device = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[Device, ...] = get_args(Device)
KERAS_DEVICE = "KERAS_TORCH_DEVICE"
"""The environment variable that Keras reads once, when it starts on PyTorch."""
SECONDS = 120


@dataclass(frozen=True)
class Found:
    """A device of ``backend``: its value ``device`` of ``--device`` and its ``name``; or ``trouble`` with it."""

    backend: str
    device: str
    name: str
    trouble: str = ""


def check_device(name: str) -> Device:
    """Return ``name``, if it is a possible device. Raises ConfigError."""
    if name not in DEVICES:
        raise ConfigError(f"device must be {', '.join(DEVICES)}, not {name!r}")
    return name


def devices_for(backend: str, device: Device) -> list[str]:
    """Return the devices of ``backend``, see ``find_devices``. Raises ConfigError if ``device`` is none of them."""
    there = list(dict.fromkeys(each.device for each in find_devices(backend, only_processor=device == "cpu")))
    if device not in ("auto", *there):
        raise ConfigError(
            f"device {device} is not available for {backend}, which finds {', '.join(there)} here; choose one of "
            f"these, or auto; felicity doctor names them all"
        )
    return there


def prepare_device(backend: str, device: Device) -> None:
    """Make ``backend`` compute on ``device``, before Keras is imported. Raises ConfigError if there is no such device.

    float32 is computed as such, not as NVIDIA's shorter TF32, which frameworks would use instead.
    """
    there = devices_for(backend, device)
    if backend == "torch":
        import torch

        torch.backends.cudnn.allow_tf32 = False
        if device != "auto":
            os.environ[KERAS_DEVICE] = device
        os.environ.setdefault(KERAS_DEVICE, there[-1])
    elif backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
    else:
        import jax

        if there[-1] != "cpu":
            jax.config.update("jax_default_matmul_precision", "float32")


def device_in_use() -> str:
    """Return Keras's device in this process: cpu, cuda or mps."""
    import keras

    made, backend = keras.ops.zeros(1), keras.config.backend()
    if backend == "torch":
        return str(made.device.type)
    on_gpu = "GPU" in made.device if backend == "tensorflow" else next(iter(made.devices())).platform != "cpu"
    return "cuda" if on_gpu else "cpu"


def find_devices(backend: str, *, only_processor: bool = False) -> list[Found]:
    """Return the devices that the framework finds, the processor first, its default last; this imports the framework.

    ``only_processor``: keep JAX from occupying a GPU.
    """
    if without_gpu(backend):
        return [Found(backend, "cpu", "processor; it is built without GPUs")]
    finders = {"torch": _of_torch, "jax": _of_jax, "tensorflow": _of_tensorflow}
    return [Found(backend, "cpu", "processor"), *finders[backend](only_processor)]


def without_gpu(backend: str) -> bool:
    """Return whether the installed ``backend`` can compute on the processor alone; imports nothing."""
    if backend == "jax":
        return not metadata.entry_points(group="jax_plugins") and importlib.util.find_spec("jax_plugins") is None
    if backend == "torch":
        return version_of("torch").endswith("+cpu")
    return not version_of("tensorflow") and bool(version_of("tensorflow-cpu"))


def version_of(distribution: str) -> str:
    """Return the version of a package; empty if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def survey(backends: tuple[str, ...]) -> list[Found]:
    """Return the devices of each of ``backends``, one process each, so that a crashing driver is a row, too."""
    with ThreadPoolExecutor(max(1, len(backends))) as side_by_side:
        return [each for found in side_by_side.map(_ask, backends) for each in found]


def _ask(backend: str) -> list[Found]:
    if without_gpu(backend):
        return find_devices(backend)
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    words = [sys.executable, "-m", "felicity.models.devices", backend]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=SECONDS, env=os.environ | {"PYTHONPATH": path}
        )
    except subprocess.TimeoutExpired:
        return [Found(backend, "", "", f"gave no answer within {SECONDS} s")]
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return [Found(backend, "", "", f"cannot be started: {last}")]
    return [Found(**each) for each in json.loads(done.stdout.splitlines()[-1])]


def _of_torch(_: bool) -> list[Found]:
    torch = importlib.import_module("torch")
    found = [Found("torch", "mps", "GPU of an Apple processor")] if torch.backends.mps.is_available() else []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(number)
        found.append(Found("torch", "cuda", f"{facts.name}, {facts.total_memory / 1e9:.0f} GB"))
    return found


def _of_jax(only_processor: bool) -> list[Found]:
    jax = importlib.import_module("jax")
    if only_processor:
        jax.config.update("jax_platforms", "cpu")
    return [Found("jax", "cuda", each.device_kind) for each in jax.devices() if each.platform != "cpu"]


def _of_tensorflow(_: bool) -> list[Found]:
    tf = importlib.import_module("tensorflow")
    details: Any = tf.config.experimental.get_device_details
    return [
        Found("tensorflow", "cuda", details(each).get("device_name", each.name))
        for each in tf.config.list_physical_devices("GPU")
    ]


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in find_devices(sys.argv[1])]))
