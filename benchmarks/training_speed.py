"""Training against the plainest loop in the same framework, the cost of augmentation, and the processor's limit.

    python benchmarks/training_speed.py [--backends tensorflow,torch,jax] [--device auto] [--rounds 7] [--steps 8]
        [--shared] [--json]

The study's CNN, batch 128, Adam, on made-up images. The plain loops below are written by hand, without Keras, and
take the same batches from the same feed with the same augmentation. Both run in turn in one process per framework;
ratios are taken round by round. The limit is the same framework's product of two 1,536 x 1,536 matrices, in the same
process; a training step counts as three times the multiply-adds of the network, twice that in operations. Steps on one
batch that lies ready where they compute say how much waiting for batches costs.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from felicity.datasets.augment import Augmentation
from felicity.models.describe import describe
from felicity.models.initial import initialise
from felicity.models.registry import build
from felicity.training.config import TrainConfig, make_config
from felicity.training.engines import Engine, open_engine
from felicity.training.engines.base import ADAM
from felicity.training.engines.plain_torch import PlainTorch
from felicity.training.feed import Batch, Feed
from felicity.training.fit import makers_for
from felicity.training.labelled_images import LabelledImages
from felicity.training.views import Views

CLASSES, BATCH, IMAGES, RATE = 7, 128, 4096, 1e-3
GEOMETRY = Augmentation(coarse=0.0, blur=0.0, noise=0.0, jpeg=0.0, erase=0.0)
Step = Callable[[Any, Any], object]


def batches(how: Augmentation | None, engine: Engine, *, sent: bool) -> Iterator[Batch]:
    """Without end, made ahead as in training; ``sent``: to where it computes, too."""
    rng = np.random.default_rng(0)
    part = LabelledImages(rng.integers(0, 256, (IMAGES, 48, 48), dtype=np.uint8), np.arange(IMAGES) % CLASSES, None)
    makers = makers_for(engine)
    feed = Feed(part, part.targets(CLASSES), Views(1, BATCH, how), mean=0.5, std=0.25, makers=makers)
    epoch = 0
    while True:
        yield from feed.epoch(epoch, send=engine.send if sent else lambda values: values)
        epoch += 1


def weights() -> list[np.ndarray]:
    """Initial weights of the study's CNN, kernels and biases in turn."""
    model = build("paper-cnn")
    initialise(model, 1)
    return [np.array(v.value.detach() if hasattr(v.value, "detach") else v.value) for v in model.weights]


def plain_tensorflow() -> Step:
    import tensorflow as tf

    variables = [tf.Variable(array) for array in weights()]
    first, second = ([tf.Variable(tf.zeros_like(v)) for v in variables] for _ in range(2))
    count = tf.Variable(0.0)

    @tf.function
    def step(faces: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            x = faces
            for i in range(0, 6, 2):
                x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, variables[i], 1, "VALID"), variables[i + 1]))
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            x = tf.reshape(x, (-1, 2048))
            for i in (6, 8):
                x = tf.nn.relu(x @ variables[i] + variables[i + 1])
            logits = x @ variables[10] + variables[11]
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))
        found = tape.gradient(loss, variables)
        count.assign_add(1.0)
        rate = RATE * tf.sqrt(1 - ADAM["beta_2"] ** count) / (1 - ADAM["beta_1"] ** count)
        for variable, g, m, v in zip(variables, found, first, second, strict=True):
            m.assign_add((g - m) * (1 - ADAM["beta_1"]))
            v.assign_add((g * g - v) * (1 - ADAM["beta_2"]))
            variable.assign_sub(rate * m / (tf.sqrt(v) + ADAM["epsilon"]))
        return loss

    return lambda faces, targets: float(step(tf.convert_to_tensor(faces), tf.convert_to_tensor(targets)))


def plain_jax() -> Step:
    import jax
    import jax.numpy as jnp

    def loss_of(w: Any, faces: Any, targets: Any) -> Any:
        x = faces
        for i in range(0, 6, 2):
            x = jax.lax.conv_general_dilated(x, w[i], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.nn.relu(x + w[i + 1])
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = x.reshape(-1, 2048)
        for i in (6, 8):
            x = jax.nn.relu(x @ w[i] + w[i + 1])
        return -(targets * jax.nn.log_softmax(x @ w[10] + w[11])).sum(1).mean()

    def step(state: Any, faces: Any, targets: Any) -> Any:
        w, first, second, count = state
        loss, found = jax.value_and_grad(loss_of)(w, faces, targets)
        count = count + 1
        rate = RATE * jnp.sqrt(1 - ADAM["beta_2"] ** count) / (1 - ADAM["beta_1"] ** count)
        first = [m + (g - m) * (1 - ADAM["beta_1"]) for m, g in zip(first, found, strict=True)]
        second = [v + (g * g - v) * (1 - ADAM["beta_2"]) for v, g in zip(second, found, strict=True)]
        w = [x - rate * m / (jnp.sqrt(v) + ADAM["epsilon"]) for x, m, v in zip(w, first, second, strict=True)]
        return (w, first, second, count), loss

    compiled = jax.jit(step, donate_argnums=0)
    held: list[Any] = [
        ([jnp.array(a) for a in weights()], *([jnp.zeros(a.shape) for a in weights()] for _ in "12"), 0.0)
    ]

    def run(faces: Any, targets: Any) -> float:
        held[0], loss = compiled(held[0], faces, targets)
        return float(loss)

    return run


def plain(backend: str, config: TrainConfig) -> Step:
    if backend == "torch":
        net = PlainTorch(config, CLASSES)
        return lambda faces, targets: net.step(faces, targets, RATE)
    return plain_tensorflow() if backend == "tensorflow" else plain_jax()


def matrix_peak(backend: str) -> float:
    """GFLOP/s of the framework's matrix product, the best of ten."""
    side = 1536
    one = np.random.default_rng(0).standard_normal((side, side), dtype=np.float32)
    if backend == "torch":
        import torch

        from felicity.models.devices import device_in_use

        a = torch.from_numpy(one).to(device_in_use())
        product: Callable[[], object] = lambda: float((a @ a)[0, 0])  # noqa: E731
    elif backend == "tensorflow":
        import tensorflow as tf

        b = tf.constant(one)
        multiply = tf.function(lambda x: tf.reduce_sum(x @ x))
        product = lambda: float(multiply(b))  # noqa: E731
    else:
        import jax

        c, compiled = jax.device_put(one), jax.jit(lambda x: x @ x)
        product = lambda: compiled(c).block_until_ready()  # noqa: E731
    product()
    return 2 * side**3 / min(timed(product) for _ in range(10)) / 1e9


def timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    work()
    return clock() - began


def measure(
    backend: str, rounds: int, steps: int, device: str, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    config = make_config(
        {"data": {"path": "made up"}, "model": {"name": "paper-cnn"}, "backend": backend, "device": device}
    )
    engine = open_engine(config, [CLASSES])
    rival = plain(backend, config)

    under_way: list[Any] = []

    def ours(faces: Any, targets: Any) -> None:
        """As ``fit`` does it: looks at a step when the next one is on its way."""
        under_way.append(engine.step(faces, targets, RATE)[0])
        if len(under_way) > 1:
            float(under_way.pop(0))

    sources = {
        "unsent": batches(GEOMETRY, engine, sent=False),
        "augmented": batches(GEOMETRY, engine, sent=True),
        "plain": batches(None, engine, sent=True),
    }
    ready = next(sources["augmented"])
    sources["ready"] = itertools.repeat(ready)
    runs: dict[str, tuple[Step, str]] = {
        "rival": (rival, "unsent"), "ours": (ours, "augmented"), "bare": (ours, "plain"), "unfed": (ours, "ready"),
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 2):
        for name, (step, source) in runs.items():
            feed = sources[source]

            def block(step: Step = step, feed: Iterator[Batch] = feed) -> None:
                for _ in range(steps):
                    batch = next(feed)
                    step(batch.faces, batch.targets)
                while under_way:
                    float(under_way.pop())

            took = timed(block, clock)
            if turn >= 2:
                seconds[name].append(took / steps)
    step = statistics.median(seconds["ours"])
    work = 2 * 3 * describe(engine.model).multiply_adds * BATCH / 1e9
    peak = matrix_peak(backend)
    return {
        "images_per_second": BATCH / step,
        "plain_images_per_second": BATCH / statistics.median(seconds["rival"]),
        "of_plain": statistics.median(r / o for r, o in zip(seconds["rival"], seconds["ours"], strict=True)),
        "of_unfed": statistics.median(u / o for u, o in zip(seconds["unfed"], seconds["ours"], strict=True)),
        "augmentation": statistics.median(o / b - 1 for o, b in zip(seconds["ours"], seconds["bare"], strict=True)),
        "gflops": work / step,
        "matrix_gflops": peak,
        "of_matrix": work / step / peak,
    }


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--backends", default="tensorflow,torch,jax")
    asked.add_argument("--device", default="auto")
    asked.add_argument("--rounds", type=int, default=7)
    asked.add_argument("--steps", type=int, default=8)
    asked.add_argument("--shared", action="store_true", help="Count processor seconds: on a machine that others use.")
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--here", help=argparse.SUPPRESS)
    flags = asked.parse_args()
    if flags.here:
        clock = time.process_time if flags.shared else time.perf_counter
        print(json.dumps(measure(flags.here, flags.rounds, flags.steps, flags.device, clock)))
        return
    found = {}
    for backend in flags.backends.split(","):
        words = [
            sys.executable,
            __file__,
            "--here",
            backend,
            "--device",
            flags.device,
            "--rounds",
            str(flags.rounds),
            "--steps",
            str(flags.steps),
            *(["--shared"] if flags.shared else []),
        ]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        found[backend] = json.loads(done.stdout.splitlines()[-1])
    if flags.json:
        print(json.dumps(found))
        return
    print("framework    images/s   plain loop   ratio   augmentation   GFLOP/s   matrices   of them")
    for backend, f in found.items():
        print(
            f"{backend:10} {f['images_per_second']:10,.0f} {f['plain_images_per_second']:12,.0f} {f['of_plain']:7.2f} "
            f"{f['augmentation']:13.1%} {f['gflops']:10.0f} {f['matrix_gflops']:10.0f} {f['of_matrix']:9.0%}"
        )


if __name__ == "__main__":
    main()
