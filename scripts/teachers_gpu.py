"""Train teachers that know nothing of each other on a GPU, and write their mean answers to the views of students.

    PYTHONPATH=src python scripts/teachers_gpu.py faces.npz -o results [--seconds 500] [--work FOLDER] [--keep 2]
        [--teachers resnet-48,vgg-64,best-96,resnet-64,resnet-56] [--epochs 80] [--batch 256] [--seed 100]
        [--dlib dlib_face_recognition_resnet_model_v1.dat] [--bfloat16]

``faces.npz`` is made by ``scripts/pack_faces.py``. The time is divided evenly among the teachers, whose learning rate
falls with the time used. A finished teacher is a file in ``--work``; the same command again skips it. After each, the
mean answers so far are written for every student (``results/STUDENT``, for ``felicity train --teachers``), and all
figures (``results/report.json``). Weights of the most accurate are kept in half precision. PyTorch, NumPy and OpenCV
are all it needs. ``--teachers tiny --epochs 1`` tries it out on a CPU, which computes in float32, or in bfloat16 where
its instructions make that fast (``--bfloat16``). ``dlib-99`` begins with dlib's weights for face recognition
(``scripts/dlib_network.py``) and enlarges faces to 99 pixels.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from dlib_network import Dlib, with_weights
from pack_faces import Part, read
from teacher_networks import changed, network
from torch import nn
from torch.nn import functional as F

from felicity.datasets.augment import Augmentation
from felicity.training.answers import write_answers
from felicity.training.views import Views, lightness, mirrored

TEACHERS = "resnet-48,vgg-64,best-96,resnet-64,resnet-56"
SMOOTHING, WEIGHTS = 0.1, (1.0, 1.5, 0.5)
"""Of labels; and of the losses of the heads: votes, labels of the same faces, labels of more faces."""
BLENDED, AVERAGE, WARM_UP, ASKED, LARGEST = 0.5, 0.999, 0.05, 2048, 15_000_000
CENTRE, SCALE = 0.5, 4.0
"""Of pixels of 0 to 1, for the networks."""
RATES = {"sgd": 0.1, "tuned": 0.03, "adamw": 2e-3}
"""Highest learning rate by optimiser; ``tuned`` is SGD for a network that has learnt before."""
CALIBRATING = 256
"""Faces that give the normalisations of a network that has none their statistics."""
ENOUGH = 20.0
"""Seconds with which a teacher is still begun."""


def targets_of(parts: Sequence[Part], sizes: Sequence[int]) -> torch.Tensor:
    """Float ``(N, sum of sizes)``: votes where known, else smoothed labels; nothing where a head has no label."""
    blocks = []
    for head, size in enumerate(sizes):
        labels = np.concatenate([part.labels[:, head] for part in parts]).astype(np.int64)
        block = np.zeros((len(labels), size), dtype=np.float32)
        known = np.flatnonzero(labels >= 0)
        block[known] = SMOOTHING / size
        block[known, labels[known]] += 1 - SMOOTHING
        if head == 0 and parts[0].votes is not None:
            votes = parts[0].votes.astype(np.float32)
            voted = np.flatnonzero(votes.sum(1) > 0)
            block[voted] = votes[voted]
        blocks.append(block * WEIGHTS[head])
    return torch.from_numpy(np.concatenate(blocks, 1))


def fit(net: nn.Module, kind: str, faces: torch.Tensor, targets: torch.Tensor, sizes: list[int], flags: Any,
        seconds: float, seed: int) -> tuple[nn.Module, float]:  # fmt: skip
    """Train ``net`` for so many seconds or ``--epochs``; returns the moving average of its weights, and the epochs."""
    device, began = faces.device, time.monotonic()
    draw = torch.Generator(device).manual_seed(seed)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    groups = [{"params": decayed}, {"params": [p for p in net.parameters() if p.ndim < 2], "weight_decay": 0.0}]
    rate = RATES[kind]
    optimizer = (
        torch.optim.AdamW(groups, rate, weight_decay=0.05) if kind == "adamw"
        else torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    )  # fmt: skip
    mean = copy.deepcopy(net).eval()
    pairs = [(a, b) for a, b in zip(mean.state_dict().values(), net.state_dict().values(), strict=True)
             if a.is_floating_point()]  # fmt: skip
    averages, values = [a for a, _ in pairs], [b for _, b in pairs]
    batch = min(flags.batch, len(faces))
    steps, step, done = len(faces) // batch * flags.epochs, 0, 0.0
    net.train()
    while done < 1:
        order = torch.randperm(len(faces), generator=draw, device=device)
        for rows in order[: len(order) // batch * batch].split(batch):
            if step % 20 == 0 and device.type == "cuda":
                torch.cuda.synchronize()
            done = max(step / steps, (time.monotonic() - began) / seconds)
            if done >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, done / WARM_UP + 1e-3) * (1 + np.cos(np.pi * done)) / 2
            x, wanted = changed(faces[rows].float().unsqueeze(1) / 255, draw), targets[rows]
            lone = torch.rand(len(x), generator=draw, device=device) >= BLENDED
            own = torch.where(lone, 1.0, torch.rand(len(x), generator=draw, device=device) / 2 + 0.5)
            x = own.view(-1, 1, 1, 1) * x + (1 - own).view(-1, 1, 1, 1) * x.flip(0)
            wanted = own.view(-1, 1) * wanted + (1 - own).view(-1, 1) * wanted.flip(0)
            with narrow(device):
                logits = net(normalised(x))
            logs = torch.cat([F.log_softmax(block, 1) for block in logits.float().split(sizes, 1)], 1)
            loss = -(wanted * logs).sum(1).mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(averages, values, 1 - min(AVERAGE, step / (step + 9)))
            step += 1
    return mean, step * batch / len(faces)


def narrow(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 on GPUs, and on processors that are asked for it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" or MADE.get("bfloat16", False))


def normalised(x: torch.Tensor) -> torch.Tensor:
    """From 0 to 1 to about mean 0 and deviation 1."""
    return ((x - CENTRE) * SCALE).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def answer(net: nn.Module, images: np.ndarray, sizes: list[int], device: torch.device, flip: bool = True) -> np.ndarray:
    """Probabilities float32 ``(N, C)`` in blocks, the mean for uint8 images and (``flip``) for their mirror images."""
    said = []
    for first in range(0, len(images), ASKED):
        shown = images[first : first + ASKED]
        blocks = []
        for each in (shown, mirrored(shown)) if flip else (shown,):
            x = normalised(torch.from_numpy(np.ascontiguousarray(each)).to(device).float().unsqueeze(1) / 255)
            with narrow(device):
                logits = net(x)
            blocks.append(torch.cat([block.softmax(1) for block in logits.float().split(sizes, 1)], 1))
        said.append(torch.stack(blocks).mean(0).cpu().numpy())
    return np.concatenate(said)


def scores(probabilities: np.ndarray, part: Part, classes: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Of each head that has labels here: faces, accuracy and F1 of happy, in per cent."""
    told, first = {}, 0
    for head, names in enumerate(classes):
        block, labels = probabilities[:, first : first + len(names)], part.labels[:, head]
        first += len(names)
        if not (known := labels >= 0).any():
            continue
        guess, labels = block[known].argmax(1), labels[known]
        happy = names.index("happy") if "happy" in names else -1
        both, either = ((guess == happy) & (labels == happy)).sum(), (guess == happy).sum() + (labels == happy).sum()
        told[f"head {head + 1}"] = {
            "faces": len(labels),
            "accuracy": round(100 * float((guess == labels).mean()), 2),
            "happy F1": round(200 * float(both) / max(int(either), 1), 2),
        }
    return told


MADE: dict[str, Any] = {}
"""Images and views, which the processes that make views inherit."""


def make_view(student: str, number: int) -> np.ndarray:
    """All images of view ``number``, as the student will see them."""
    cv2.setNumThreads(1)
    images, views = MADE["images"], MADE["views"][student]
    nothing = np.zeros((len(images), 1), np.float32)
    return np.concatenate([views.make(block, images, nothing)[0] for block in views.of(number, len(images))])


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write an npz, whole or not at all."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
    os.replace(beside, path)


def taught(name: str, seed: int, parts: dict[str, Part], facts: dict[str, Any], shown: dict[tuple[str, int], Future],
           flags: Any, seconds: float) -> dict[str, np.ndarray]:  # fmt: skip
    """Train a teacher and ask it about every part and view."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    sizes = [len(names) for names in facts["classes"]]
    learnt = [parts[part] for part in ("train", "more-train") if part in parts]
    faces = torch.from_numpy(np.concatenate([part.images for part in learnt])).to(device)
    torch.manual_seed(seed)
    net, kind = network(name, sum(sizes))
    if isinstance(net, Dlib):
        shown_first = normalised(faces[:CALIBRATING].float().unsqueeze(1).cpu() / 255)
        with_weights(net, flags.dlib, shown_first, CENTRE, SCALE)
    net = net.to(device, memory_format=torch.channels_last)
    mean, epochs = fit(net, kind, faces, targets_of(learnt, sizes).to(device), sizes, flags, seconds, seed)
    found = {f"part {part}": answer(mean, parts[part].images, sizes, device) for part in parts if "train" not in part}
    heads = sum(sizes[: len(sizes) - bool(facts["more"])])
    for (student, number), made in shown.items():
        flip = MADE["views"][student].flip
        said = answer(mean, made.result(), sizes, device, flip)[:, :heads]
        found[f"view {student} {number}"] = said.astype(np.float16)
    weights = {f"weight {key}": value.cpu().numpy() for key, value in mean.half().state_dict().items()}
    return {**found, **weights, "epochs": np.array(epochs)}


def said_together(teachers: dict[str, dict[str, np.ndarray]], key: str) -> np.ndarray:
    """Return the mean of all teachers."""
    return np.mean([each[key].astype(np.float32) for each in teachers.values()], 0)


def report(teachers: dict[str, dict[str, np.ndarray]], parts: dict[str, Part], facts: dict[str, Any],
           shown: dict[tuple[str, int], Future], flags: Any) -> dict[str, Any]:  # fmt: skip
    """Write figures and mean answers of the teachers so far."""
    names = [part for part in parts if "train" not in part]
    told: dict[str, Any] = {name: {"epochs": round(float(each["epochs"]), 1)} for name, each in teachers.items()}
    for name, each in teachers.items():
        told[name] |= {part: scores(each[f"part {part}"], parts[part], facts["classes"]) for part in names}
    told["mean"] = {
        part: scores(said_together(teachers, f"part {part}"), parts[part], facts["classes"]) for part in names
    }
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    made = {"teachers": told, "device": where, "torch": torch.__version__, "opencv": cv2.__version__}
    asked = facts["classes"][: len(facts["classes"]) - bool(facts["more"])]
    for student, wanted in facts["students"].items():
        said = [
            (said_together(teachers, f"view {student} {n}").astype(np.float16), lightness(shown[student, n].result()))
            for n in range(wanted["number"])
        ]
        write_answers(flags.output / student, MADE["views"][student], asked, facts["images"], said, made)
    (flags.output / "report.json").write_text(json.dumps(made, indent=1) + "\n")
    return told


def keep(teachers: dict[str, dict[str, np.ndarray]], told: dict[str, Any], flags: Any) -> None:
    """Write the weights of the ``--keep`` most accurate teachers on validation whose file is small enough."""

    def accuracy(name: str) -> float:
        return sum(head["accuracy"] for head in told[name]["validation"].values())

    small = {}
    for name in sorted(teachers, key=accuracy, reverse=True):
        weights = {key[7:]: value for key, value in teachers[name].items() if key.startswith("weight ")}
        if sum(value.nbytes for value in weights.values()) < LARGEST:
            small[name] = weights
    for name, weights in list(small.items())[: flags.keep]:
        save(flags.output / f"{name}.npz", weights)


def main() -> None:
    """Train the teachers that the command line names."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("faces", type=Path)
    asked.add_argument("--output", "-o", type=Path, required=True)
    asked.add_argument("--work", type=Path, default=Path("teachers"))
    asked.add_argument("--teachers", default=TEACHERS)
    asked.add_argument("--dlib", type=Path)
    asked.add_argument("--bfloat16", action="store_true")
    for name, default in (("seconds", 500), ("epochs", 80), ("batch", 256), ("seed", 100), ("keep", 2)):
        asked.add_argument(f"--{name}", type=int, default=default)
    flags, began = asked.parse_args(), time.monotonic()
    parts, facts = read(flags.faces)
    MADE["images"], MADE["bfloat16"] = parts["train"].images, flags.bfloat16
    MADE["views"] = {
        student: Views(**wanted["views"] | {"how": Augmentation(**wanted["views"]["how"])})
        for student, wanted in facts["students"].items()
    }
    for folder in (flags.output, flags.work):
        folder.mkdir(parents=True, exist_ok=True)
    names = flags.teachers.split(",")
    if any(name.startswith("dlib") for name in names) and not (flags.dlib and flags.dlib.is_file()):
        sys.exit("error: a dlib teacher begins with dlib's weights; name their file with --dlib")
    wanted = [(student, n) for student, each in facts["students"].items() for n in range(each["number"])]
    teachers: dict[str, dict[str, np.ndarray]] = {}
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("fork")) as makers:
        shown = {each: makers.submit(make_view, *each) for each in wanted}
        for number, kind in enumerate(names):
            name, left = f"{kind}-{flags.seed + number}", flags.seconds - (time.monotonic() - began)
            file = flags.work / f"{name}.npz"
            if file.is_file():
                with np.load(file, allow_pickle=False) as stored:
                    teachers[name] = {key: stored[key] for key in stored.files}
            elif left < ENOUGH:
                print(f"{name}: left out, {left:.0f} seconds are too few", file=sys.stderr)
                continue
            else:  # a fifth of the time is for answers
                seconds = 0.8 * left / (len(names) - number)
                teachers[name] = taught(kind, flags.seed + number, parts, facts, shown, flags, seconds)
                save(file, teachers[name])
            told = report(teachers, parts, facts, shown, flags)
            now = f"{time.monotonic() - began:.0f} s"
            print(f"{now}: {name} {told[name]}, mean {told['mean']}", file=sys.stderr, flush=True)
    if not teachers:
        sys.exit("error: there was no time for any teacher; give more --seconds")
    keep(teachers, told, flags)
    print(
        f"{flags.output}: {sum(file.stat().st_size for file in flags.output.rglob('*') if file.is_file()) / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
