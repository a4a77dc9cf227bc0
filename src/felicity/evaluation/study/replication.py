"""Each published figure beside ours: whether they agree, and why not where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from felicity.evaluation.study import published
from felicity.evaluation.study.experiments import Outcome
from felicity.style import numbers

POINTS = 3.0
"""Accuracies that lie nearer than this, in points, are called equal: two standard deviations between seeds."""


LOSS = 0.15
"""Losses likewise, in nats."""


@dataclass(frozen=True)
class ReplicationCheck:
    """``why`` they do not, where they do not."""

    what: str
    study: str
    ours: str
    agrees: bool
    why: str = ""


def replication_checks(outcomes: Mapping[str, Outcome], parameters: int) -> list[ReplicationCheck]:
    """Of all the study's figures that these trainings have a counterpart of."""
    two, seven, torch = (outcomes[name] for name in ("two-classes", "seven-classes", "seven-classes-pytorch"))
    return [
        *_data(seven),
        ReplicationCheck(
            "parameters of the CNN", f"{published.PARAMETERS:,}", f"{parameters:,}", parameters == published.PARAMETERS
        ),
        *_two_classes(two),
        *_losses(two, outcomes["raw-pixels"]),
        _pytorch(torch),
        _pytorch_loss(torch),
        _frameworks(seven, torch),
        _time(seven, torch),
    ]


def _data(seven: Outcome) -> list[ReplicationCheck]:
    images = {part: sum(counts.values()) for part, counts in seven.facts["images"].items()}
    training = images["train"] + images["validation"]
    other = "the data given hold other rows than the study's, such as those alone that FER+ calls faces"
    return [
        ReplicationCheck(
            "images to train on", f"{published.TRAINING_IMAGES:,}", f"{training:,}",
            training == published.TRAINING_IMAGES,
            f"{other}; and images of the training fold that stand in the test fold too are left out",
        ),
        ReplicationCheck("images to test on", f"{published.TEST_IMAGES:,}", f"{images['test']:,}",
                images["test"] == published.TEST_IMAGES, other),
    ]  # fmt: skip


def _two_classes(two: Outcome) -> list[ReplicationCheck]:
    text, table = (100 * share for share in published.TENSORFLOW_ACCURACIES)
    last, unseen = two.history[-1], 100 * two.accuracy("test")
    training = 100 * last["accuracy"]
    return [
        ReplicationCheck(
            "training accuracy, two classes, TensorFlow (its table)",
            numbers.percent(table, 0),
            f"{numbers.percent(training)} after {last['epoch']} epochs",
            abs(training - table) < POINTS,
        ),
        ReplicationCheck(
            "accuracy, two classes, TensorFlow (its text)",
            numbers.percent(text, 0),
            f"{numbers.percent(unseen)} on test images",
            abs(unseen - text) < POINTS,
            "more than this network reaches on images it was not trained on" if unseen < text else "",
        ),
    ]


def _losses(two: Outcome, raw: Outcome) -> list[ReplicationCheck]:
    study = published.TENSORFLOW_LOSS
    first = raw.history[0]["loss"]
    end = two.history[min(len(two.history), len(study)) - 1]
    return [
        ReplicationCheck(
            "training loss, two classes, first epoch",
            f"{study[0]:g}",
            f"{two.history[0]['loss']:.3g}; {first:.3g} with pixels 0 to 255",
            0.5 < first / study[0] < 2,
            "pixels that are not scaled do not explain it: with first weights after Glorot and Adam at 0.001 the loss "
            "stays near that of chance; it takes larger weights or steps, or a sum in place of a mean"
            if first < 10
            else "",
        ),
        ReplicationCheck(
            f"training loss, two classes, epoch {end['epoch']}",
            f"{study[end['epoch'] - 1]:g}",
            f"{end['loss']:.3g}",
            abs(end["loss"] - study[end["epoch"] - 1]) < LOSS,
        ),
    ]


def _pytorch(torch: Outcome) -> ReplicationCheck:
    claimed, training, unseen = (
        100 * published.PYTORCH_ACCURACY, 100 * torch.history[-1]["accuracy"], 100 * torch.accuracy("test"),
    )  # fmt: skip
    return ReplicationCheck(
        "accuracy, PyTorch",
        numbers.percent(claimed, 0),
        f"{numbers.percent(unseen)} on test images ({numbers.percent(training)} on training images after "
        f"{len(torch.history)} epochs)",
        abs(unseen - claimed) < POINTS,
        "a training accuracy, too: ours passes it on the way" if unseen < claimed <= training else "",
    )


def _pytorch_loss(torch: Outcome) -> ReplicationCheck:
    history = torch.history
    ours = {epoch: history[epoch - 1]["loss"] for epoch in published.PYTORCH_LOSS if epoch <= len(history)}
    near = all(abs(value - published.PYTORCH_LOSS[epoch]) < LOSS for epoch, value in ours.items())
    last = max(ours)
    faster = ours[last] < published.PYTORCH_LOSS[last]
    return ReplicationCheck(
        "training loss, PyTorch, by epoch",
        ", ".join(f"{value:.3f} ({epoch})" for epoch, value in published.PYTORCH_LOSS.items()),
        ", ".join(f"{value:.3f} ({epoch})" for epoch, value in ours.items()),
        near,
        f"ours falls {'faster' if faster else 'more slowly'}; the study gives neither learning rate nor batch size",
    )  # fmt: skip


def _frameworks(seven: Outcome, torch: Outcome) -> ReplicationCheck:
    apart = 100 * (seven.accuracy("test") - torch.accuracy("test"))
    claimed = 100 * (published.TENSORFLOW_ACCURACIES[0] - published.PYTORCH_ACCURACY)
    return ReplicationCheck(
        "TensorFlow's lead over PyTorch in accuracy",
        f"{claimed:.0f} points",
        f"{numbers.points(apart)} points on test images, same weights, order and pixels",
        abs(apart - claimed) < POINTS,
        "the study compares two classes, on training images, with seven; all else equal, the framework does not matter",
    )


def _time(seven: Outcome, torch: Outcome) -> ReplicationCheck:
    study = published.PYTORCH_SECONDS / published.TENSORFLOW_SECONDS
    ours = torch.seconds / seven.seconds
    return ReplicationCheck(
        "time of PyTorch against TensorFlow",
        f"{_minutes(published.PYTORCH_SECONDS)} against {_minutes(published.TENSORFLOW_SECONDS)}: {study:.2f} times",
        f"{_minutes(torch.seconds)} against {_minutes(seven.seconds)}: {ours:.2f} times",
        abs(ours / study - 1) < 0.2,
        "another machine, and there is much to gain in PyTorch by the layout of memory" if ours < study / 1.2 else "",
    )


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
