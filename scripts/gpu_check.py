"""What ``gpu_check.sh`` does: compare trainings on a device with the same on the processor.

PYTHONPATH=src python scripts/gpu_check.py [--device cuda] [--backends torch,jax] [--out FOLDER] [--quick]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from felicity.models.devices import survey
from felicity.training.config import make_config

HERE = Path(__file__).resolve()
SAME, GONE_ON, SHORTER = 1e-4, 5e-3, 0.15
"""Largest relative difference of a first step's loss and gradients (their median), of the loss after a resumed
training, and of that after one in a shorter precision."""
CLASSES, BATCH = 7, 64
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL}


@dataclass(frozen=True)
class Check:
    """One line of the answer."""

    backend: str
    what: str
    passed: bool
    figure: float
    about: str


def felicity(*words: object) -> list[str]:
    """Return the command line of Felicity."""
    return [sys.executable, "-m", "felicity", *map(str, words)]


def first_step(backend: str, device: str, file: Path) -> None:
    """Write loss and gradients of one batch before anything is learnt; for a process of its own."""
    from felicity.training.engines import open_engine

    config = make_config(
        {"data": {"path": "made up"}, "model": {"name": "paper-cnn"}, "backend": backend, "device": device}
    )
    faces = np.random.default_rng(0).standard_normal((BATCH, 48, 48, 1)).astype(np.float32)
    targets = np.eye(CLASSES, dtype=np.float32)[np.arange(BATCH) % CLASSES]
    engine = open_engine(config, [CLASSES])
    if engine.device != device:
        raise SystemExit(f"{backend} computes on {engine.device}, not on {device}")
    loss, gradients = engine.gradients(faces, targets)
    np.savez(file, np.float64(loss), *gradients)


def parity(backend: str, device: str, out: Path) -> Check:
    """Compare that with the processor's."""
    steps = []
    for where in dict.fromkeys(("cpu", device)):
        file = out / f"step-{backend}-{where}.npz"
        subprocess.run(
            [sys.executable, str(HERE), "--step", backend, "--device", where, "--out", str(file)], check=True
        )
        with np.load(file) as arrays:
            steps.append([arrays[name] for name in arrays.files])
    one, other = steps[0], steps[-1]
    apart = [abs(float(one[0]) - float(other[0])) / abs(float(one[0]))]
    apart += [float(np.median(np.abs(a - b)) / np.abs(a).max()) for a, b in zip(one[1:], other[1:], strict=True)]
    return Check(backend, "first step as on the processor", max(apart) < SAME, max(apart), f"below {SAME:g}")


def last_loss(run: Path) -> float:
    """Of the validation set, after the last epoch."""
    return float(list(csv.DictReader((run / "history.csv").read_text().splitlines()))[-1]["val_loss"])


def trainings(backend: str, device: str, data: Path, out: Path, quick: bool) -> Iterator[Check]:
    """Train, kill, resume; then, unless ``quick``, in shorter precisions."""
    common: list[object] = [data, "--backend", backend, "--device", device]
    common += ["--model", "test-tiny" if quick else "paper-cnn", "--epochs", 3 if quick else 6]
    common += ["--batch-size", BATCH, "--threads", 0 if device != "cpu" else 1, "--classes", "7"]
    whole, broken = out / f"{backend}-whole", out / f"{backend}-broken"
    began = time.monotonic()
    subprocess.run(felicity("train", *common, "-o", whole), check=True, **QUIET)
    loss = last_loss(whole)
    seconds = f"validation loss, {time.monotonic() - began:.0f} s with start and data"
    yield Check(backend, "training", bool(np.isfinite(loss)), loss, seconds)
    process = subprocess.Popen(felicity("train", *common, "-o", broken), **QUIET)
    while not (broken / "last.npz").exists() and process.poll() is None:
        time.sleep(0.005)
    with_epochs_left = process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run(felicity("train", *common, "-o", broken, "--resume"), check=True, **QUIET)
    apart = abs(last_loss(broken) - loss) / loss
    about = f"below {GONE_ON:g}, " + ("killed after its first epoch" if with_epochs_left else "it was over too soon")
    yield Check(backend, "resumed after a kill", apart < GONE_ON, apart, about)
    if quick:
        return
    for precision in ["bfloat16", *(["float16"] if backend == "torch" and device != "cpu" else [])]:
        run = out / f"{backend}-{precision}"
        words = felicity("train", *common, "--precision", precision, "-o", run)
        subprocess.run(words, check=True, **QUIET)
        apart = abs(last_loss(run) - loss) / loss
        yield Check(backend, f"trained in {precision}", apart < SHORTER, apart, f"from float32, below {SHORTER:g}")


def speed(backend: str, device: str) -> Iterator[Check]:
    """Of the training against the plainest loop, and against steps on one batch that lies ready; no pass mark."""
    words = [sys.executable, "benchmarks/training_speed.py", "--backends", backend, "--device", device, "--json"]
    words += ["--rounds", "7", "--steps", "40"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=HERE.parents[1])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])[backend]
    yield Check(backend, "images per second", True, found["images_per_second"], "of the study's CNN, batches of 128")
    yield Check(backend, "of the plainest loop", True, found["of_plain"], "same batches, hand-written")
    yield Check(backend, "of steps that wait for no batch", True, found["of_unfed"], "how busy feeding keeps it")


def write_faces(folder: Path, images: int) -> Path:
    """FER2013's layout, of smooth random patterns whose brightness says their class."""
    rng = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for row in range(images):
        code = row % CLASSES
        pixels = np.repeat(np.repeat(rng.integers(0, 90, (6, 6)), 8, 0), 8, 1) + 22 * code
        usage = "PublicTest" if row // CLASSES % 10 == 9 else "Training"
        lines.append(f"{code},{' '.join(map(str, pixels.ravel()))},{usage}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fer2013.csv").write_text("\n".join(lines) + "\n")
    return folder / "fer2013.csv"


def main() -> int:
    """Print a line per check; return 1 if one fails."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--device", default="cuda")
    asked.add_argument("--backends", default="torch,jax")
    asked.add_argument("--out", type=Path, default=Path("gpu-check"))
    asked.add_argument("--quick", action="store_true", help="A small network, and neither precisions nor speed.")
    asked.add_argument("--step", help=argparse.SUPPRESS)
    flags = asked.parse_args()
    if flags.step:
        first_step(flags.step, flags.device, flags.out)
        return 0
    out = flags.out.resolve()
    os.environ["FELICITY_HOME"] = str(out / "home")
    data = write_faces(out, 350 if flags.quick else 7000)
    devices = survey(tuple(flags.backends.split(",")))
    checks: list[Check] = []
    for each in devices:
        print(f"{each.backend} {each.device}: {each.trouble or each.name}")
    for backend in flags.backends.split(","):
        if flags.device not in {each.device for each in devices if each.backend == backend}:
            print(f"{backend}: finds no {flags.device} here, so nothing of it is checked")
            continue
        parts: list[Iterable[Check]] = [trainings(backend, flags.device, data, out, flags.quick)]
        if not flags.quick:
            parts.append(speed(backend, flags.device))
        for check in (parity(backend, flags.device, out), *itertools.chain(*parts)):
            checks.append(check)
            mark = "passed" if check.passed else "FAILED"
            print(f"{mark} {check.backend}: {check.what}: {check.figure:.4g} ({check.about})")
    found: dict[str, Any] = {"devices": [asdict(each) for each in devices], "checks": [asdict(each) for each in checks]}
    (out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n")
    return int(not checks or not all(check.passed for check in checks))


if __name__ == "__main__":
    sys.exit(main())
