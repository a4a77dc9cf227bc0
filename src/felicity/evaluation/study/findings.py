"""Each published figure beside ours: whether they agree, and why not where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from felicity.evaluation.study import published
from felicity.evaluation.study.experiments import Outcome

POINTS = 3.0
"""Accuracies that lie nearer than this, in points, are called equal: two standard deviations between seeds."""


@dataclass(frozen=True)
class Finding:
    """``why`` they do not, where they do not."""

    what: str
    study: str
    ours: str
    agrees: bool
    why: str = ""


def findings(outcomes: Mapping[str, Outcome], parameters: int) -> list[Finding]:
    """Of all the study's figures that these trainings have a counterpart of."""
    two, seven, torch = (outcomes[name] for name in ("two-classes", "seven-classes", "seven-classes-pytorch"))
    return [
        *_data(seven),
        Finding(
            "parameters of the CNN", f"{published.PARAMETERS:,}", f"{parameters:,}", parameters == published.PARAMETERS
        ),
        _two_classes(two),
        _raw(outcomes["raw-pixels"]),
        _pytorch(torch),
        _pytorch_loss(torch),
        _frameworks(seven, torch),
        _time(seven, torch),
    ]


def _data(seven: Outcome) -> list[Finding]:
    images = {part: sum(counts.values()) for part, counts in seven.facts["images"].items()}
    training = images["train"] + images["validation"]
    why = "rows that FER+ calls no face, and images of the training fold that stand in the test fold too, are left out"
    return [
        Finding(
            "images to train on", f"{published.TRAINING_IMAGES:,}", f"{training:,}",
            training == published.TRAINING_IMAGES, why,
        ),
        Finding("images to test on", f"{published.TEST_IMAGES:,}", f"{images['test']:,}",
                images["test"] == published.TEST_IMAGES, "rows that FER+ calls no face are left out"),
    ]  # fmt: skip


def _two_classes(two: Outcome) -> Finding:
    last = two.history[min(len(two.history), len(published.TENSORFLOW_ACCURACY)) - 1]
    training, unseen = 100 * last["accuracy"], 100 * two.accuracy("test")
    claimed = 100 * published.TENSORFLOW_ACCURACIES[0]
    return Finding(
        "accuracy, two classes, TensorFlow",
        " and ".join(f"{100 * share:.0f} %" for share in published.TENSORFLOW_ACCURACIES),
        f"{unseen:.1f} % on test images ({training:.1f} % on training images at epoch {last['epoch']}, "
        f"{100 * two.history[-1]['accuracy']:.1f} % at epoch {two.history[-1]['epoch']})",
        abs(unseen - claimed) < POINTS,
        "the study's figure is reached on images that were trained on; on others it is "
        f"{claimed - unseen:.0f} points lower" if unseen < claimed - POINTS else "",
    )  # fmt: skip


def _raw(raw: Outcome) -> Finding:
    first = raw.history[0]["loss"]
    last = raw.history[min(len(raw.history), len(published.TENSORFLOW_LOSS)) - 1]
    study = published.TENSORFLOW_LOSS
    return Finding(
        "loss by epoch, two classes",
        f"{study[0]:g}, {study[1]:g}, … {study[-1]:g}",
        f"{first:.3g} in the first epoch with pixels 0 to 255, {last['loss']:.3g} in epoch {last['epoch']}",
        bool(first > 100) if first > 1 else False,
        "losses in the hundreds need pixels that are not scaled, and larger first weights or steps than Glorot's with "
        "Adam at 0.001; the fall below 0.1, that is learning the training images by heart, is the same",
    )  # fmt: skip


def _pytorch(torch: Outcome) -> Finding:
    claimed, training, unseen = (
        100 * published.PYTORCH_ACCURACY, 100 * torch.history[-1]["accuracy"], 100 * torch.accuracy("test"),
    )  # fmt: skip
    return Finding(
        "accuracy, PyTorch",
        f"{claimed:.0f} %",
        f"{unseen:.1f} % on test images ({training:.1f} % on training images after {len(torch.history)} epochs)",
        abs(unseen - claimed) < POINTS,
        "a training accuracy, too: ours passes it on the way" if unseen < claimed <= training else "",
    )


def _pytorch_loss(torch: Outcome) -> Finding:
    history = torch.history
    ours = {epoch: history[epoch - 1]["loss"] for epoch in published.PYTORCH_LOSS if epoch <= len(history)}
    near = all(abs(value - published.PYTORCH_LOSS[epoch]) < 0.15 for epoch, value in ours.items())
    return Finding(
        "training loss, PyTorch, by epoch",
        ", ".join(f"{value:.3f} ({epoch})" for epoch, value in published.PYTORCH_LOSS.items()),
        ", ".join(f"{value:.3f} ({epoch})" for epoch, value in ours.items()),
        near,
        "" if near else "the first epoch is alike; ours then falls faster: the study does not give its optimiser, "
        "learning rate and batch size",
    )  # fmt: skip


def _frameworks(seven: Outcome, torch: Outcome) -> Finding:
    apart = 100 * (seven.accuracy("test") - torch.accuracy("test"))
    claimed = 100 * (published.TENSORFLOW_ACCURACIES[0] - published.PYTORCH_ACCURACY)
    return Finding(
        "TensorFlow's lead over PyTorch in accuracy",
        f"{claimed:.0f} points",
        f"{apart:+.1f} points on test images, same weights, order and pixels",
        abs(apart - claimed) < POINTS,
        "the study compares two classes, on training images, with seven; all else equal, the framework does not matter",
    )


def _time(seven: Outcome, torch: Outcome) -> Finding:
    study = published.PYTORCH_SECONDS / published.TENSORFLOW_SECONDS
    ours = torch.seconds / seven.seconds
    return Finding(
        "time of PyTorch against TensorFlow",
        f"{_minutes(published.PYTORCH_SECONDS)} against {_minutes(published.TENSORFLOW_SECONDS)}: {study:.2f} times",
        f"{_minutes(torch.seconds)} against {_minutes(seven.seconds)}: {ours:.2f} times",
        abs(ours / study - 1) < 0.2,
        "another machine, and there is much to gain in PyTorch by the layout of memory" if ours < study / 1.2 else "",
    )


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
