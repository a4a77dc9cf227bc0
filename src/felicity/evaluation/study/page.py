"""The reproduction as ``reproduction.html``, ``reproduction.md`` with its pictures, and ``reproduction.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from felicity.errors import TrainingError
from felicity.evaluation.drawing import draw_confusion
from felicity.evaluation.study import published
from felicity.evaluation.study.charts import draw_beside, draw_together
from felicity.evaluation.study.experiments import SEEDS, Outcome
from felicity.evaluation.study.networks import Contest, contest
from felicity.evaluation.study.replication import LOSS, POINTS, TIMES, ReplicationCheck, replication_checks
from felicity.evaluation.study.steps import COLUMNS, study_steps
from felicity.metrics.classification import Scores
from felicity.models.describe import Description
from felicity.models.picture import draw_network
from felicity.style.charts import to_png
from felicity.style.document import Block, Code, Heading, Picture, Table, to_markdown, to_page
from felicity.style.numbers import count, number
from felicity.training.checkpoint import write
from felicity.training.curves import draw_curves
from felicity.training.run import environment

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

PICTURES = "reproduction"
TITLE = "The study, run again"
Pictures = Mapping[str, "Canvas"]


def write_study_page(
    outcomes: Mapping[str, Outcome], network: Description, folder: Path, command: str
) -> list[ReplicationCheck]:
    """Write the page into ``folder`` and its pictures into ``folder/reproduction``. Raises TrainingError."""
    found = replication_checks(outcomes, network)
    try:
        (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error
    pictures = _pictures(outcomes, network)
    for name, picture in pictures.items():
        write(folder / PICTURES / f"{name}.png", to_png(picture))
    blocks = _blocks(outcomes, network, found, command, pictures)
    write(folder / "reproduction.md", to_markdown(TITLE, blocks, pictures=PICTURES).encode())
    write(folder / "reproduction.html", to_page(TITLE, blocks).encode())
    facts = {
        "command": command,
        "environment": environment(),
        "findings": [asdict(finding) for finding in found],
        "experiments": {name: {"config": one.config.model_dump(), **one.facts} for name, one in outcomes.items()},
    }
    write(folder / "reproduction.json", (json.dumps(facts, indent=1) + "\n").encode())
    return found


def results(outcomes: Mapping[str, Outcome]) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows: every training with its accuracies, happy F1, loss and time."""
    columns = [
        "training",
        "epochs",
        "train %",
        "validation %",
        "test %",
        "macro F1",
        "happy F1",
        "test loss",
        "minutes",
    ]
    rows = []
    for outcome in outcomes.values():
        scores = _scores(outcome)
        happy = scores.happy
        rows.append(
            [
                outcome.experiment.about,
                str(len(outcome.history)),
                *(f"{100 * outcome.accuracy(part):.1f}" for part in ("train", "validation", "test")),
                f"{100 * float(scores.macro_f1):.1f}",
                "" if happy is None else f"{100 * float(happy.f1[0]):.1f}",
                f"{outcome.loss('test'):.3f}",
                f"{outcome.seconds / 60:.1f}",
            ]
        )
    return columns, rows


def _scores(outcome: Outcome) -> Scores:
    return Scores(tuple(outcome.facts["classes"]), np.array(outcome.facts["confusion"]))


def _pictures(outcomes: Mapping[str, Outcome], network: Description) -> dict[str, Canvas]:
    raw, two = outcomes["raw-pixels"], outcomes["two-classes"]
    n = len(published.TENSORFLOW_LOSS)
    drawn = {
        name: draw_curves(outcomes[name].history, outcomes[name].experiment.about)
        for name in ("two-classes", "raw-pixels", "seven-classes", "seven-classes-pytorch")
    }
    drawn |= {
        f"{name}-confusion": draw_confusion(
            np.array(outcomes[name].facts["confusion"]),
            outcomes[name].facts["classes"],
            outcomes[name].experiment.about,
        )
        for name in ("two-classes", "seven-classes", "augmented-cnn-1", "augmented-resnet5-1")
    }
    drawn["network"] = draw_network(network)
    drawn["loss-beside"] = draw_beside(
        {"pixels 0 to 255": _by_epoch(raw, "loss")[:n], "pixels normalised": _by_epoch(two, "loss")[:n]},
        published.TENSORFLOW_LOSS, "training loss", "Two classes, TensorFlow",
    )  # fmt: skip
    drawn["accuracy-beside"] = draw_beside(
        {
            "training, pixels 0 to 255": _by_epoch(raw, "accuracy")[:n],
            "training, pixels normalised": _by_epoch(two, "accuracy")[:n],
            "validation, pixels normalised": _by_epoch(two, "val_accuracy")[:n],
        },
        published.TENSORFLOW_ACCURACY, "accuracy", "Two classes, TensorFlow",
    )  # fmt: skip
    drawn["augmented"] = draw_together(
        {
            label: [outcomes[f"augmented-{name}-{seed + 1}"].history for seed in range(SEEDS)]
            for name, label in (("cnn", "CNN"), ("resnet5", "ResNet-5"))
        },
        f"augmented, one-cycle, {SEEDS} seeds",
    )
    return drawn


def _by_epoch(outcome: Outcome, figure: str) -> list[float]:
    return [float(row[figure]) for row in outcome.history]


def _blocks(
    outcomes: Mapping[str, Outcome],
    network: Description,
    found: list[ReplicationCheck],
    command: str,
    pictures: Pictures,
) -> list[Block]:
    images, classes = outcomes["seven-classes"].facts["images"], outcomes["seven-classes"].facts["classes"]
    return [
        "Setiaji, Firmansyah, Akbar, Tjahjono and Widodo trained a small CNN on faces in TensorFlow, then in PyTorch. "
        "This page repeats their tables and figures and compares each with the published one. Accuracy is measured on "
        "the test set, with the weights of the epoch with the least validation loss; the study quotes training "
        "accuracy in places. This command writes the page:",
        Code(command),
        Heading("What agrees"),
        Table(
            ("", "the study", "here", "agrees", "by"),
            [(f.what, f.study, f.ours, f.answer, f.why) for f in found],
            text=True,
        ),
        "Brackets hold 95 % intervals over images and seeds. The differences between the seeds of the augmented "
        f"trainings give the part of the seeds. Accuracies agree if the whole interval lies within {POINTS:g} points, "
        f"losses within {LOSS:g} nats, times within a factor of {TIMES:g}. If the interval is partly outside, or if "
        "fewer epochs or images were used than in the study, the page gives no verdict.",
        Heading("The study's steps"),
        Table(COLUMNS, study_steps(outcomes), text=True),
        Heading("Data (the study's Table 1)"),
        Table(
            ("", *classes, "all"),
            [(part, *map(count, (*(n[c] for c in classes), sum(n.values())))) for part, n in images.items()],
        ),
        Heading("Network (Figure 5)"),
        f"{count(network.parameters)} parameters, {number(network.multiply_adds / 1e6)} million multiply-adds "
        "per face.",
        _picture(pictures, "network", "The study's CNN, layer by layer"),
        *_two_classes(outcomes, pictures),
        *_seven_classes(outcomes, pictures),
        *_augmented(outcomes, pictures),
    ]


def _two_classes(outcomes: Mapping[str, Outcome], pictures: Pictures) -> list[Block]:
    return [
        Heading("Training by epoch, two classes (Table 3, Figures 6 to 8)"),
        Table(
            (
                "epoch", "the study's loss", "loss, raw pixels", "loss", "the study's accuracy",
                "accuracy, raw pixels", "accuracy", "validation",
            ),
            _epochs(outcomes["raw-pixels"], outcomes["two-classes"]),
        ),
        "The study's losses start in the hundreds. Pixels that are not scaled might explain this, so one training here "
        "takes pixels from 0 to 255.",
        _picture(pictures, "loss-beside", "Training loss by epoch, ours and the study's"),
        _picture(pictures, "accuracy-beside", "Accuracy by epoch, ours and the study's"),
        _picture(pictures, "two-classes", "Learning curves, two classes"),
        _picture(pictures, "raw-pixels", "Learning curves, two classes, pixels 0 to 255"),
    ]  # fmt: skip


def _seven_classes(outcomes: Mapping[str, Outcome], pictures: Pictures) -> list[Block]:
    return [
        Heading("Confusion (Figure 9)"),
        _picture(pictures, "two-classes-confusion", "Confusion matrix, two classes, test images"),
        _picture(pictures, "seven-classes-confusion", "Confusion matrix, seven classes, test images"),
        Heading("TensorFlow and PyTorch, seven classes (comparison table, Figures 10 and 11)"),
        Table(*results(outcomes)),
        _picture(pictures, "seven-classes", "Learning curves, TensorFlow"),
        _picture(pictures, "seven-classes-pytorch", "Learning curves, PyTorch"),
        "A comparison over several seeds, with memory and without Keras, is on [its own page](comparison.md).",
    ]


def _augmented(outcomes: Mapping[str, Outcome], pictures: Pictures) -> list[Block]:
    against = contest(outcomes)
    return [
        Heading("ResNet-5"),
        "The study gives no figures of its ResNet-5. Here it and the CNN have the same budget: images (shifted, "
        "turned, scaled and mirrored), epochs, batch size, one-cycle learning rate, smoothed labels, seeds, and as "
        "many trials to find optimiser, learning rate, weight decay and dropout by validation loss "
        "(`felicity tune --space optimiser`). The best settings:",
        Table(
            ("", "optimiser", "learning rate", "weight decay", "dropout"),
            [_found(outcomes[f"augmented-{name}-1"]) for name in ("cnn", "resnet5")],
        ),
        Table(*_by_seed(against)),
        against.sentence + " The interval is over images and seeds.",
        _picture(pictures, "augmented", "Learning curves of both networks, augmented"),
        _picture(pictures, "augmented-cnn-1-confusion", "Confusion matrix of the CNN, augmented, test images"),
        _picture(pictures, "augmented-resnet5-1-confusion", "Confusion matrix of ResNet-5, augmented, test images"),
    ]


def _found(outcome: Outcome) -> tuple[str, ...]:
    config = outcome.config
    name = "ResNet-5" if config.model.name == "resnet5" else "CNN"
    figures = (config.learning_rate, config.weight_decay, config.model.dropout or 0.0)
    return name, config.optimizer, *(f"{figure:.2g}" for figure in figures)


def _by_seed(against: Contest) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    columns = ("seed", "CNN, validation %", "ResNet-5, validation %", "CNN, test %", "ResNet-5, test %")
    rows = np.concatenate([against.validation, against.test]).T
    return columns, [(str(seed), *(f"{share:.1f}" for share in row)) for seed, row in enumerate(rows, 1)]


def _epochs(raw: Outcome, two: Outcome) -> list[tuple[str, ...]]:
    rows = []
    for i, (loss, accuracy) in enumerate(zip(published.TENSORFLOW_LOSS, published.TENSORFLOW_ACCURACY, strict=True)):
        ours = [outcome.history[i] if i < len(outcome.history) else None for outcome in (raw, two)]
        cell = ["" if row is None else f"{row['loss']:.3g}" for row in ours]
        shares = ["" if row is None else f"{row['accuracy']:.3f}" for row in ours]
        unseen = "" if ours[1] is None else f"{ours[1]['val_accuracy']:.3f}"
        rows.append((str(i + 1), f"{loss:g}", *cell, f"{accuracy:.3f}", *shares, unseen))
    return rows


def _picture(pictures: Pictures, name: str, alternative: str) -> Picture:
    return Picture(name, alternative, pictures[name])
