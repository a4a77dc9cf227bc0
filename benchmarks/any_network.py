"""Networks of ``keras.applications``, without weights: trained for some steps, written as ONNX, compared with it.

    python benchmarks/any_network.py [--backends tensorflow,torch,jax] [--steps 3] [--only MobileNetV3Small,...]

Made-up images of 32x32 in RGB, seven classes. ``apart`` is the largest difference between ONNX Runtime and the network
of the trained network on its framework, relative to the largest logit; it must stay below 1e-4. Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

NETWORKS = ("MobileNetV3Small", "EfficientNetV2B0", "ResNet50")
LIMIT, SIZE, CLASSES, BATCH = 1e-4, 32, 7, 16


def _build(name: str, options: Any) -> Any:
    import keras

    faces = keras.Input((options.size, options.size, options.channels))
    body = getattr(keras.applications, name)(include_top=False, weights=None, input_tensor=faces, pooling="avg")
    return keras.Model(faces, keras.layers.Dense(options.classes)(body.output))


def mobilenet(options: Any) -> Any:
    return _build("MobileNetV3Small", options)


def efficientnet(options: Any) -> Any:
    return _build("EfficientNetV2B0", options)


def resnet(options: Any) -> Any:
    return _build("ResNet50", options)


PATHS = dict(zip(NETWORKS, ("any_network:mobilenet", "any_network:efficientnet", "any_network:resnet"), strict=True))


def measure(backend: str, network: str, steps: int) -> dict[str, float]:
    from felicity.export.onnx_graph import INPUT, to_onnx
    from felicity.export.run_to_bundle import largest_difference
    from felicity.runtime import open_session
    from felicity.training.config import make_config
    from felicity.training.engines import open_engine

    config = make_config(
        {
            "data": {"path": "made up", "size": SIZE, "colour": "rgb"}, "model": {"name": PATHS[network]},
            "backend": backend, "learning_rate": 1e-4,
        }
    )  # fmt: skip
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(BATCH, SIZE, SIZE, 3)).astype(np.float32)
    targets = np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES]
    began = time.perf_counter()
    engine = open_engine(config, [CLASSES])
    losses = [engine.step(faces, targets, config.learning_rate)[0] for _ in range(steps)]
    engine.push()
    trained = engine.predict(faces)
    session = open_session(to_onnx(engine.model, [range(CLASSES)]))
    answered = session.run(None, {INPUT: np.ascontiguousarray(faces.transpose(0, 3, 1, 2))})[0][:, :CLASSES]
    return {
        "parameters": int(sum(np.prod(v.shape) for v in engine.model.weights)),
        "first_loss": float(losses[0]),
        "last_loss": float(losses[-1]),
        "apart": largest_difference(trained, answered),
        "seconds": time.perf_counter() - began,
    }


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--backends", default="tensorflow,torch,jax")
    asked.add_argument("--only", default=",".join(NETWORKS))
    asked.add_argument("--steps", type=int, default=3)
    asked.add_argument("--here", nargs=2, help=argparse.SUPPRESS)
    flags = asked.parse_args()
    if flags.here:
        print(json.dumps(measure(*flags.here, flags.steps)))
        return
    print("network            framework    parameters   first loss   last loss     apart   seconds")
    worst = 0.0
    for network in flags.only.split(","):
        for backend in flags.backends.split(","):
            words = [sys.executable, __file__, "--here", backend, network, "--steps", str(flags.steps)]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            f = json.loads(done.stdout.splitlines()[-1])
            worst = max(worst, f["apart"])
            print(
                f"{network:18} {backend:10} {f['parameters']:12,.0f} {f['first_loss']:12.3f} {f['last_loss']:11.3f} "
                f"{f['apart']:9.1e} {f['seconds']:9.1f}",
                flush=True,
            )
    sys.exit(worst >= LIMIT)


if __name__ == "__main__":
    main()
