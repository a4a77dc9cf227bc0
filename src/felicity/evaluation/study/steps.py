"""The study's steps, each beside the step of this replication."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from felicity.evaluation.study import published
from felicity.evaluation.study.experiments import Outcome
from felicity.style import numbers

COLUMNS = ("step", "in the study", "here")


def study_steps(outcomes: Mapping[str, Outcome]) -> list[tuple[str, str, str]]:
    """Return a row of ``COLUMNS`` for each step of these trainings."""
    seven = outcomes["seven-classes"]
    here = _before_training(seven) | _training(outcomes)
    return [(step, said, here[step]) for step, said in published.STEPS.items()]


def _before_training(seven: Outcome) -> dict[str, str]:
    data, config = seven.data, seven.config.data
    (low, wide_low), (high, wide_high) = data.sizes
    sizes = f"{low} by {wide_low}" if data.sizes[0] == data.sizes[1] else (
        f"{low} by {wide_low} to {high} by {wide_high}"
    )  # fmt: skip
    left, all_left = data.left_out.items(), sum(data.left_out.values())
    parts = {part: data.number(part) for part in ("train", "validation", "test")}
    whole = sum(parts.values())
    divided = ", ".join(f"{part} {n:,} ({numbers.share(n / max(whole, 1), 0)})" for part, n in parts.items())
    drawn = f"; drawn by --images: {seven.fewer_images[0]}" if seven.fewer_images else ""
    test = "the data set's own" if data.own_test else "drawn"
    return {
        "collect": f"{Path(config.path).name}, read as {data.format}: {whole + all_left:,} images, {sizes} pixels",
        "clean": "; ".join(f"{n:,} left out {reason}" for reason, n in left) or "no image was left out",
        "preprocess": f"taken as cut out, resized to {config.size} by {config.size}, {config.colour}, "
        f"{config.pixels}; augmented where it says so",
        "split": f"{divided}; the test set is {test}{drawn}",
        "cross-validate": "not run; felicity crossval gives it",
    }


def _training(outcomes: Mapping[str, Outcome]) -> dict[str, str]:
    seven, torch = outcomes["seven-classes"], outcomes["seven-classes-pytorch"]
    tested = seven.facts["parts"]["test"]["images"]
    return {
        "train": f"epochs: {len(seven.history)} in TensorFlow, {len(torch.history)} in PyTorch; "
        f"{len(outcomes)} trainings in all",
        "tune": "not run; settings that felicity tune found on FER2013 are used, see ResNet-5",
        "evaluate": f"the same, on {tested:,} test images",
        "use": "not run; felicity bundle export, then felicity classify or watch",
    }
