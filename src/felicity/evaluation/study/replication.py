"""Each published figure beside ours: whether they agree, if the run suffices to tell, and the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from felicity.evaluation.study import published
from felicity.evaluation.study.chance import Difference, Outcomes, difference, of_images, of_mean, of_seeds
from felicity.evaluation.study.experiments import Outcome
from felicity.evaluation.study.networks import flags
from felicity.models.describe import Description
from felicity.style import numbers

POINTS = 3.0
"""Accuracies closer than this, in points, count as equal: two standard deviations between seeds."""
LOSS = 0.15
"""Losses closer than this, in nats, count as equal."""
TIMES = 1.2
"""Ratios of times closer than this factor count as equal."""


@dataclass(frozen=True)
class ReplicationCheck:
    """One check. ``agrees``: None if the run does not suffice to tell. ``why``: the reason; empty if obvious."""

    what: str
    study: str
    ours: str
    agrees: bool | None
    why: str = ""

    @property
    def answer(self) -> str:
        """Return the answer in a word or two."""
        return {True: "yes", False: "no", None: "cannot be told"}[self.agrees]


def replication_checks(outcomes: Outcomes, network: Description) -> list[ReplicationCheck]:
    """Check each of the study's figures that has a counterpart in these trainings."""
    two, seven, torch = (outcomes[name] for name in ("two-classes", "seven-classes", "seven-classes-pytorch"))
    return [
        *_data(seven),
        _parameters(network),
        *_two_classes(outcomes, two),
        _first_loss(two, outcomes["raw-pixels"]),
        _later_loss(outcomes, two),
        _pytorch(outcomes, torch),
        _pytorch_loss(outcomes, torch),
        _frameworks(outcomes, two, seven, torch),
        _time(seven, torch),
    ]


def _data(seven: Outcome) -> list[ReplicationCheck]:
    data = seven.data
    left = "; ".join(f"{n:,} {reason}" for reason, n in data.left_out.items())
    other = "" if "fer" in data.format else f"the study's counts are FER2013's, and this set was read as {data.format}"
    found = []
    for what, study, parts in (
        ("images to train on", published.TRAINING_IMAGES, ("train", "validation")),
        ("images to test on", published.TEST_IMAGES, ("test",)),
    ):
        ours = data.number(*parts)
        apart = f"{abs(ours - study):,} {'more' if ours > study else 'fewer'}"
        reasons = [apart, other, f"left out of the whole set: {left}" if left else "none was left out"]
        why = "; ".join(filter(None, reasons)) if ours != study else ""
        found.append(ReplicationCheck(what, f"{study:,}", f"{ours:,}", ours == study, why))
    return found


def _parameters(network: Description) -> ReplicationCheck:
    ours, study = {layer.name: layer.parameters for layer in network.layers}, published.LAYERS
    differ = [f"{name} has {ours.get(name, 0):,} for {n:,}" for name, n in study.items() if ours.get(name, 0) != n]
    same = network.parameters == published.PARAMETERS
    return ReplicationCheck(
        "parameters of the CNN", f"{published.PARAMETERS:,}", f"{network.parameters:,}", same,
        "" if same else "; ".join(differ),
    )  # fmt: skip


def _told(apart: Difference, most: float, limits: Sequence[str], unit: str, *more: str) -> tuple[bool | None, str]:
    """Return whether a difference is below ``most``, and why; None if ``limits`` show that the training was not run."""
    digits = 1 if unit == "points" else 3
    said = f"{numbers.points(apart.value, digits)} {unit} ({numbers.points_span(apart.low, apart.high, digits)})"
    if limits:
        return None, f"{numbers.listed([*limits])} were used; {said}"
    agrees = apart.within(most)
    reach = f"the interval is partly outside the {most:g} {unit} within which figures agree"
    return agrees, "; ".join([said, *([reach] if agrees is None else []), *(filter(None, more) if not agrees else ())])


def _accuracy(
    outcomes: Outcomes, ours: float, study: float, figure: Callable[[Outcome], float], images: tuple[int, int]
) -> Difference:
    """Compare two accuracies in points, from shares of so many images: here, and in the study."""
    spreads = [of_images(ours, images[0]), of_images(study, images[1]), of_seeds(outcomes, figure)]
    return difference(100 * (ours - study), [(100**2 * variance, free) for variance, free in spreads])


def _two_classes(outcomes: Outcomes, two: Outcome) -> list[ReplicationCheck]:
    text, table = published.TENSORFLOW_ACCURACIES
    last, unseen = two.history[-1], two.accuracy("test")
    limits = [*two.fewer_epochs, *two.fewer_images]
    images = two.facts["parts"]
    seen = _accuracy(
        outcomes, last["accuracy"], table, _trained, (images["train"]["images"], published.TRAINING_IMAGES)
    )
    tested = _accuracy(outcomes, unseen, text, _tested, (images["test"]["images"], published.TEST_IMAGES))
    return [
        ReplicationCheck(
            "training accuracy, two classes, TensorFlow (its table)",
            numbers.share(table, 0),
            f"{numbers.share(last['accuracy'])} after {_epochs(last['epoch'])}",
            *_told(seen, POINTS, limits, "points"),
        ),
        ReplicationCheck(
            "accuracy, two classes, TensorFlow (its text)",
            numbers.share(text, 0),
            f"{numbers.share(unseen)} on test images",
            *_told(tested, POINTS, limits, "points", _passing(two, text)),
        ),
    ]


def _trained(outcome: Outcome) -> float:
    return float(outcome.history[-1]["accuracy"])


def _tested(outcome: Outcome) -> float:
    return outcome.accuracy("test")


def _passing(outcome: Outcome, claimed: float) -> str:
    """Return the epoch in which the training accuracy exceeds ``claimed``; empty if it never does."""
    row = next((row for row in outcome.history if row["accuracy"] >= claimed), None)
    if row is None:
        return ""
    return (
        f"our training accuracy exceeds {numbers.share(claimed, 0)} in epoch {row['epoch']}, while the accuracy on "
        f"validation images is {numbers.share(row['val_accuracy'])}"
    )


def _first_loss(two: Outcome, raw: Outcome) -> ReplicationCheck:
    study, ours, chance = published.TENSORFLOW_LOSS[0], raw.history[0]["loss"], float(np.log(2))
    limits = raw.fewer_images
    why = f"with pixels 0 to 255 ours is {ours / chance:.1f} times that of chance ({chance:.2f}), the study's "
    why += f"{study / chance:,.0f} times"
    near = 0.5 < ours / study < 2
    if not near and not limits:
        why += "; unscaled pixels do not explain this" if ours < study else ""
    return ReplicationCheck(
        "training loss, two classes, first epoch",
        f"{study:g}",
        f"{two.history[0]['loss']:.3g}; {ours:.3g} with pixels 0 to 255",
        None if limits else near,
        "; ".join([*(f"{limit} were used" for limit in limits), why]),
    )


def _loss_apart(outcomes: Outcomes, outcome: Outcome, epoch: int, study: float) -> Difference:
    ours = float(outcome.history[epoch - 1]["loss"])
    spread = of_seeds(outcomes, lambda one: float(one.history[min(epoch, len(one.history)) - 1]["loss"]))
    return difference(ours - study, [spread])


def _later_loss(outcomes: Outcomes, two: Outcome) -> ReplicationCheck:
    epoch = min(len(two.history), len(published.TENSORFLOW_LOSS))
    study = published.TENSORFLOW_LOSS[epoch - 1]
    apart = _loss_apart(outcomes, two, epoch, study)
    return ReplicationCheck(
        f"training loss, two classes, epoch {epoch}",
        f"{study:g}",
        f"{two.history[epoch - 1]['loss']:.3g}",
        *_told(apart, LOSS, two.fewer_images, "nats"),
    )


def _pytorch(outcomes: Outcomes, torch: Outcome) -> ReplicationCheck:
    claimed, training, unseen = published.PYTORCH_ACCURACY, _trained(torch), _tested(torch)
    images = torch.facts["parts"]["test"]["images"], published.TEST_IMAGES
    apart = _accuracy(outcomes, unseen, claimed, _tested, images)
    return ReplicationCheck(
        "accuracy, PyTorch",
        numbers.share(claimed, 0),
        f"{numbers.share(unseen)} on test images ({numbers.share(training)} on training images after "
        f"{_epochs(len(torch.history))})",
        *_told(apart, POINTS, [*torch.fewer_epochs, *torch.fewer_images], "points", _passing(torch, claimed)),
    )


def _pytorch_loss(outcomes: Outcomes, torch: Outcome) -> ReplicationCheck:
    """Compare the loss of every epoch: one difference means disagreement; agreement needs all published epochs."""
    ran = [epoch for epoch in published.PYTORCH_LOSS if epoch <= len(torch.history)]
    apart = {epoch: _loss_apart(outcomes, torch, epoch, published.PYTORCH_LOSS[epoch]) for epoch in ran}
    near = [one.within(LOSS) for one in apart.values()]
    most = max(ran, key=lambda epoch: abs(apart[epoch].value))
    limits = torch.fewer_images
    if False not in near and len(ran) < len(published.PYTORCH_LOSS):
        limits = [*torch.fewer_epochs, *limits]
    agrees, why = _told(apart[most], LOSS, limits, "nats")
    if not limits:
        agrees = False if False in near else None if None in near else True
    return ReplicationCheck(
        "training loss, PyTorch, by epoch",
        ", ".join(f"{value:.3f} ({epoch})" for epoch, value in published.PYTORCH_LOSS.items()),
        ", ".join(f"{torch.history[epoch - 1]['loss']:.3f} ({epoch})" for epoch in ran),
        agrees,
        f"{why}, at most, in epoch {most}; the study gives neither learning rate nor batch size",
    )


def _frameworks(outcomes: Outcomes, two: Outcome, seven: Outcome, torch: Outcome) -> ReplicationCheck:
    claimed = published.TENSORFLOW_ACCURACIES[0], published.PYTORCH_ACCURACY
    lead = flags(seven) - flags(torch)
    spreads = [of_mean(lead), of_seeds(outcomes, _tested), *(of_images(x, published.TEST_IMAGES) for x in claimed)]
    ours, study = 100 * float(lead.mean()), 100 * (claimed[0] - claimed[1])
    apart = difference(ours - study, [(100**2 * variance, free) for variance, free in spreads])
    alike = difference(ours, [(100**2 * variance, free) for variance, free in spreads[:2]])
    mixed = 100 * (two.accuracy("test") - torch.accuracy("test"))
    limits = [*torch.fewer_epochs, *torch.fewer_images]
    return ReplicationCheck(
        "TensorFlow's lead over PyTorch in accuracy",
        f"{study:.0f} points",
        f"{numbers.points(ours)} points on test images, same weights, order and pixels "
        f"({numbers.points_span(alike.low, alike.high)})",
        *_told(
            apart, POINTS, limits, "points",
            f"with two classes in TensorFlow and seven in PyTorch ours is {numbers.points(mixed)} points",
        ),
    )  # fmt: skip


def _time(seven: Outcome, torch: Outcome) -> ReplicationCheck:
    study = published.PYTORCH_SECONDS / published.TENSORFLOW_SECONDS
    ours = torch.seconds / seven.seconds
    limits = [*torch.fewer_epochs, *torch.fewer_images]
    why = f"{numbers.listed([*limits])} were used" if limits else ""
    agrees = None
    if not limits:
        logs = [np.log([row["seconds"] for row in one.history[1:]]) for one in (torch, seven)]  # without compiling
        apart = difference(float(logs[0].mean() - logs[1].mean()), [of_mean(values) for values in logs])
        low, high = (float(np.exp(end)) for end in (apart.low, apart.high))
        ratio = Difference(apart.value - np.log(study), apart.low - np.log(study), apart.high - np.log(study))
        agrees = ratio.within(float(np.log(TIMES)))
        why = f"per epoch, on this machine: {low:.2f} to {high:.2f} times"
    return ReplicationCheck(
        "time of PyTorch against TensorFlow",
        f"{_minutes(published.PYTORCH_SECONDS)} against {_minutes(published.TENSORFLOW_SECONDS)}: {study:.2f} times",
        f"{_minutes(torch.seconds)} against {_minutes(seven.seconds)}: {ours:.2f} times",
        agrees,
        why,
    )


def _epochs(number: int) -> str:
    return f"{number} epoch" if number == 1 else f"{number} epochs"


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)} min {seconds % 60:.0f} s"
