"""Train the shipped expression network on FER2013 with FER+ votes (PyTorch, two CPU cores).

    python scripts/train_bundle.py DATA -o RUN      # fit; run it again to resume
    python scripts/export_bundle.py RUN -o BUNDLE   # calibrate on held-out faces, write the bundle

DATA is a folder with ``fer2013.csv.gz`` and ``fer2013new.csv``. The network sees only rows of the
``Training`` fold; one group of identical images in eight is held out for calibration, and
``PublicTest`` is left for the report.

Sources: FER+ vote distributions as targets, Barsoum et al. 2016 (arXiv:1608.01041); residual
blocks, He et al. 2016 (arXiv:1512.03385); one-cycle, Smith & Topin 2018 (arXiv:1708.07120).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

VOTE_COLUMNS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
MEAN, STD = 0.507, 0.254  # of the Training fold, in units of 255
HELD_OUT_SHARE = 1 / 8


@dataclass(frozen=True)
class Faces:
    """Images (N, 48, 48) uint8; FER+ vote shares (N, 8) float32, rows of 0 where unusable."""

    images: np.ndarray
    votes: np.ndarray
    majority: np.ndarray  # (N,) the single most voted of ten columns if one of the eight, else -1
    training: np.ndarray  # (N,) bool: fold is Training
    held_out: np.ndarray  # (N,) bool: Training rows kept for calibration, whole duplicate groups


def load(folder: Path) -> Faces:
    """Read both files, row by row in step."""
    images, folds = [], []
    with gzip.open(folder / "fer2013.csv.gz", "rt", newline="") as stream:
        for row in csv.DictReader(stream):
            images.append(np.fromstring(row["pixels"], dtype=np.uint8, sep=" "))
            folds.append(row["Usage"])
    pixels = np.stack(images).reshape(-1, 48, 48)
    training = np.array(folds) == "Training"
    with open(folder / "fer2013new.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if len(rows) != len(pixels):
        raise SystemExit(f"{folder}: {len(pixels)} images but {len(rows)} rows of votes")
    counts = np.array([[int(r[c]) for c in (*VOTE_COLUMNS, "unknown", "NF")] for r in rows])
    counts = np.where(counts > 1, counts, 0)  # the paper's filter: a single vote is noise
    total = counts.sum(1)
    unclear = counts[:, 8:].sum(1) * 2 >= np.maximum(total, 1)
    shares = counts[:, :8] / np.maximum(counts[:, :8].sum(1, keepdims=True), 1)
    shares[unclear] = 0
    top = counts.max(1)
    majority = np.where((counts == top[:, None]).sum(1) == 1, counts.argmax(1), -1)
    majority = np.where((majority >= 8) | (shares.sum(1) == 0), -1, majority)
    # A hash of the pixels decides, so duplicates fall on one side whatever their order.
    digests = np.array([blake2b(p.tobytes(), digest_size=4).digest() for p in pixels])
    drawn = np.array([int.from_bytes(d, "big") / 2**32 for d in digests])
    return Faces(pixels, shares.astype(np.float32), majority, training, training & (drawn < HELD_OUT_SHARE))


class Block(nn.Module):
    """Two 3x3 convolutions with batch norm and a skip connection."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity(),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


class Network(nn.Module):
    """Five residual blocks on 48x48 grey faces; ``width`` channels at first, eight times that at last."""

    def __init__(self, width: int, outputs: int = 8) -> None:
        super().__init__()
        w = width
        self.stem = nn.Sequential(nn.Conv2d(1, w, 3, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU())
        self.blocks = nn.Sequential(  # (B, w, 24, 24)
            Block(w, w, 1),
            Block(w, 2 * w, 2),  # (B, 2w, 12, 12)
            Block(2 * w, 4 * w, 2),  # (B, 4w, 6, 6)
            Block(4 * w, 8 * w, 2),  # (B, 8w, 3, 3)
            Block(8 * w, 8 * w, 1),
        )
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(8 * w, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised faces (B, 1, 48, 48) to logits (B, outputs)."""
        y = self.blocks(self.stem(x)).mean((2, 3))  # (B, 8w)
        return self.head(self.dropout(y))


def augment(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Shift, scale, turn, flip, light, blur, noise and a hole; (B, 1, 48, 48) in 0..1, same out."""
    n = len(x)

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.empty(n).uniform_(low, high, generator=rng)

    angle, scale = uniform(-0.25, 0.25), uniform(0.85, 1.2)
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, uniform(-0.2, 0.2)], 1), torch.stack([sin * flip, cos, uniform(-0.2, 0.2)], 1)],
        1,
    )
    x = F.grid_sample(
        x, F.affine_grid(theta, list(x.shape), align_corners=False), padding_mode="border", align_corners=False
    )
    coarse = uniform(0, 1) < 0.25  # small and blurred faces, as cameras see them
    if coarse.any():
        side = int(torch.randint(16, 40, (1,), generator=rng))
        small = F.interpolate(x[coarse], size=side, mode="bilinear", antialias=True, align_corners=False)
        x[coarse] = F.interpolate(small, size=48, mode="bilinear", align_corners=False)
    gain, shift = uniform(0.7, 1.3)[:, None, None, None], uniform(-0.15, 0.15)[:, None, None, None]
    centre = x.mean((1, 2, 3), keepdim=True)
    x = (x - centre) * gain + centre + shift
    noise = (uniform(0, 0.06) * (uniform(0, 1) < 0.3))[:, None, None, None]
    x = (x + noise * torch.randn(x.shape, generator=rng)).clamp_(0, 1)
    holes = uniform(0, 1) < 0.25
    row, column = torch.randint(0, 48, (2, n), generator=rng)
    side = torch.randint(6, 17, (n,), generator=rng)
    axis = torch.arange(48)
    hole = ((axis[None, :, None] - row[:, None, None]).abs() * 2 < side[:, None, None]) & (
        (axis[None, None, :] - column[:, None, None]).abs() * 2 < side[:, None, None]
    )
    return torch.where((hole & holes[:, None, None])[:, None], torch.rand(n, generator=rng)[:, None, None, None], x)


def batches(images: np.ndarray, size: int = 512) -> list[torch.Tensor]:
    """Images as normalised (B, 1, 48, 48) float32 tensors."""
    return [
        torch.from_numpy(b)[:, None].float().div_(255).sub_(MEAN).div_(STD)
        for b in np.array_split(images, -(-len(images) // size))
    ]


@torch.no_grad()
def logits_of(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """Logits (N, 8) float32 in evaluation mode."""
    model.eval()
    return torch.cat([model(b.to(memory_format=torch.channels_last)) for b in batches(images)]).numpy()


def fit(
    faces: Faces, run: Path, *, width: int, epochs: int, batch: int, peak: float, seed: int, ema: float = 0.999
) -> None:
    """Fit with SGD, one-cycle and a moving average of the weights; a checkpoint after every epoch."""
    torch.manual_seed(seed)
    model = Network(width).to(memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema), use_buffers=True
    )
    usable = np.flatnonzero(faces.training & ~faces.held_out & (faces.votes.sum(1) > 0))
    judged = faces.held_out & (faces.majority >= 0)
    steps = len(usable) // batch
    optimiser = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=steps * epochs, pct_start=0.25)
    checkpoint, first = run / "checkpoint.pt", 0
    settings = {"width": width, "epochs": epochs, "batch": batch, "peak": peak, "seed": seed, "ema": ema}
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["settings"] != settings:
            raise SystemExit(f"{run}: was started with {state['settings']}, not {settings}; use another folder")
        for part, key in ((model, "model"), (average, "average"), (optimiser, "optimiser"), (schedule, "schedule")):
            part.load_state_dict(state[key])
        first = state["epoch"]
    for epoch in range(first, epochs):
        rng = torch.Generator().manual_seed(seed * 1000 + epoch)
        torch.manual_seed(seed * 1000 + epoch)  # dropout
        model.train()
        began, losses = time.monotonic(), []
        order = usable[torch.randperm(len(usable), generator=rng).numpy()]
        for step in range(steps):
            rows = order[step * batch : (step + 1) * batch]
            x = augment(torch.from_numpy(faces.images[rows])[:, None].float().div_(255), rng).sub_(MEAN).div_(STD)
            logits = model(x.to(memory_format=torch.channels_last))
            loss = -(torch.from_numpy(faces.votes[rows]) * F.log_softmax(logits, 1)).sum(1).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            average.update_parameters(model)
            losses.append(loss.item())
        right = (logits_of(average.module, faces.images[judged]).argmax(1) == faces.majority[judged]).mean()
        line = {
            "epoch": epoch + 1,
            "loss": float(np.mean(losses)),
            "held_out_accuracy": float(right),
            "seconds": time.monotonic() - began,
        }
        with open(run / "history.jsonl", "a") as stream:
            stream.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
        beside = checkpoint.with_suffix(".part")
        torch.save(
            {
                "settings": settings, "epoch": epoch + 1, "model": model.state_dict(), "average": average.state_dict(),
                "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
            },
            beside,
        )  # fmt: skip
        os.replace(beside, checkpoint)


def main() -> None:
    """Parse the command line and fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--run", type=Path, required=True)
    parser.add_argument("--width", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--peak", type=float, default=0.1, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    fit(
        load(options.data), options.run, width=options.width, epochs=options.epochs,
        batch=options.batch, peak=options.peak, seed=options.seed,
    )  # fmt: skip


if __name__ == "__main__":
    main()
