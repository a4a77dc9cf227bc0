"""The evaluated model: a run on its own backend, or a bundle on ONNX Runtime; both answer with probabilities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from felicity.datasets.samples import Image
from felicity.errors import ConfigError, TrainingError
from felicity.imaging.spec import Colour
from felicity.labels import Classes
from felicity.metrics.classification import Floats
from felicity.models.bundle import FACTS_FILE, ZOO, open_bundle, shipped
from felicity.models.devices import Device
from felicity.models.prior import prior_shift, towards_even
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.recognition.classifier import Classifier, Shares

AT_ONCE = 2048


@dataclass(frozen=True)
class Judge:
    """A model with its ``classes``, the images it takes, and ``answer``: images to probabilities ``(N, C)``.

    ``members``: the expressions of each class; None if a run does not record them.
    ``run``: the training run, with its data and history; None for a bundle. ``second``: the same model answering
    by labels of another source, ``labels_of``. ``otherwise``: answering for other shares of the expressions than those
    of its training, by what that is called, such as "answers as in use"; ``remark`` says which shares. ``bias``
    (C,): what a bundle adds to its network's answers, as logarithms; None for a run, and for answers of other shares.
    """

    name: str
    classes: tuple[str, ...]
    size: int
    colour: Colour
    answer: Callable[[Image], Floats] = field(repr=False)
    run: Any = None
    members: Classes | None = None
    labels_of: str = ""
    remark: str = ""
    bias: Floats | None = field(default=None, repr=False)
    second: Judge | None = None
    otherwise: Mapping[str, Judge] = field(default_factory=dict, repr=False)

    def probabilities(self, images: Image) -> Floats:
        """Return float64 ``(N, C)`` for uint8 ``(N, size, size[, 3])``; rows sum to 1."""
        parts = [self.answer(images[first : first + AT_ONCE]) for first in range(0, len(images), AT_ONCE)]
        return np.concatenate(parts).astype(np.float64)


def open_judge(where: str, device: Device = "auto", shares: Shares | None = None) -> Judge:
    """Return the run folder, bundle folder or shipped bundle ``where``. Raises ConfigError if it is none of them.

    ``device``: what computes a run; bundles are computed on the processor. ``shares``: a bundle that answers in this
    one way, see ``Classifier``; None in each of its ways.
    """
    from felicity.training.run import RUN

    folder = Path(where)
    if (folder / RUN).is_file():
        if shares is not None:
            raise ConfigError(f"{where}: a run answers for the shares that it learnt from; --shares is for bundles")
        return _of_run(folder, device)
    if (folder / FACTS_FILE).is_file() or (ZOO / where / FACTS_FILE).is_file():
        if device not in ("auto", "cpu"):
            raise ConfigError(f"{where}: a bundle is computed on the processor, not on {device}; leave --device out")
        return _of_bundle(where) if shares is None else _answering_for(shares, where)
    found = "a folder without either" if folder.is_dir() else "not there"
    raise ConfigError(
        f"{where}: a run folder (with {RUN}), a bundle folder (with {FACTS_FILE}) or a shipped bundle "
        f"({', '.join(shipped())}) expected, found {found}; make a run with: felicity train"
    )


def _of_bundle(where: str) -> Judge:
    from felicity.recognition.classifier import Classifier

    bundle = open_bundle(where)
    classifier, facts = Classifier(bundle, shares="natural"), bundle.facts
    judge = _one_way(classifier)
    bias = None if facts.bias is None else np.array(facts.bias)[list(bundle.classes.places)]
    otherwise = {"answers as in use": _answering_for("in-use", where)} if facts.answer_prior else {}
    second = _second(judge, classifier) if facts.second else None
    return replace(judge, bias=bias, second=second, otherwise=otherwise)


def _answering_for(shares: Shares, where: str) -> Judge:
    """Return a bundle that answers all labels for these shares, as ``felicity classify --shares`` does."""
    from felicity.recognition.classifier import Classifier

    classifier = Classifier.open(where, shares=shares)
    bundle, facts = classifier.bundle, classifier.bundle.facts
    if shares == "equal":
        heads = "the mean of both heads" if facts.second else "the one head"
        remark = f"answered by {heads}, for equal shares of the expressions"
    else:
        assumed = bundle.assumed_prior if shares == "in-use" else facts.prior
        remark = f"answered {'as in use: for' if shares == 'in-use' else 'for'} {_shares(facts.labels, assumed)}"
    return replace(_one_way(classifier), remark=remark)


def _one_way(classifier: Classifier) -> Judge:
    bundle, spec = classifier.bundle, classifier.input
    places = list(bundle.classes.places)

    def answer(images: Image) -> Floats:
        return classifier.probabilities(images)[:, places]

    told = bundle.classes
    return Judge(f"bundle {bundle.id}", told.names, spec.size, spec.colour, answer, members=told)


def _second(judge: Judge, classifier: Classifier) -> Judge:
    """Return a bundle's second head: for the shares of its labels, and for equal ones."""
    facts, head = classifier.bundle.facts, classifier.bundle.facts.second
    assert head is not None
    columns = [i for i, share in enumerate(head.prior) if share]
    even = towards_even(head.prior, 1)
    shift = prior_shift(head.prior, even)

    def answer(images: Image) -> Floats:
        return classifier.second_probabilities(images)[:, columns]

    def answer_evenly(images: Image) -> Floats:
        shifted = answer(images) * np.exp(shift[columns])
        return np.asarray(shifted / shifted.sum(1, keepdims=True))

    remark = f"answered by the second head, which learnt the labels of {head.labels_of}"
    told = classifier.classes
    classes = tuple(told.name_at(i) for i in columns)
    members = Classes.of(classes, told.to_json())
    second = replace(
        judge, classes=classes, answer=answer, members=members, labels_of=head.labels_of, remark=remark,
        bias=np.array(head.bias)[columns],
    )  # fmt: skip
    evenly = replace(second, answer=answer_evenly, bias=None, remark=f"{remark}, for {_shares(facts.labels, even)}")
    return replace(second, otherwise={"answers for equal shares": evenly})


def _shares(labels: Sequence[str], shares: Sequence[float] | Floats) -> str:
    return ", ".join(f"{numbers.share(share)} {name}" for name, share in zip(labels, shares, strict=True) if share)


def _of_run(folder: Path, device: Device) -> Judge:
    from felicity.metrics.temperature import softmax
    from felicity.training.feed import normalise
    from felicity.training.run import BEST, open_run

    run = open_run(folder)
    if not (folder / BEST).is_file():
        raise TrainingError(f"{folder}: no epoch is done yet; go on with: felicity train --resume -o {folder}")
    engine = None

    def answer(images: Image, second: bool = False) -> Floats:
        nonlocal engine
        engine = engine or run.engine("best", device)
        logits, first = engine.predict(normalise(images, run.mean, run.std)), len(run.classes)
        return softmax(logits[:, first:] if second else logits[:, :first])

    name = f"run {folder.resolve().name} ({run.config.model.name} on {run.config.backend})"
    try:
        told: list[Classes | None] = [*run.told()]
    except ConfigError:  # it was made before runs said it
        told = [None, None]
    judge = Judge(name, run.classes, run.size, run.colour, answer, run, told[0])
    if not run.second_classes:
        return judge
    labels_of = run.config.data.second or ""
    second = replace(
        judge,
        classes=run.second_classes,
        members=told[1],
        answer=lambda images: answer(images, second=True),
        labels_of=labels_of,
        remark=f"answered by the second head, which learnt the labels of {labels_of}",
    )
    return replace(judge, second=second)
