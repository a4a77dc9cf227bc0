"""``felicity train``: a data set in, a run folder out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from felicity.cli import console, options
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig
    from felicity.training.data import LabelledImages
    from felicity.training.folds import Pool
    from felicity.training.history import Epoch


ITS_OWN = ("epochs", "learning_rate", "schedule", "warm_up", "patience", "seed", "start", "teachers", "views")
"""Settings that a training does not take over from where it starts."""


def _network(about: str, *flags: str) -> Any:
    return typer.Option(*flags, help=about, rich_help_panel="Network")


def _learning(about: str, *flags: str) -> Any:
    return typer.Option(*flags, help=about, rich_help_panel="Learning")


def _data(about: str, *flags: str) -> Any:
    return typer.Option(*flags, help=about, rich_help_panel="Data")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="A data set, or a folder made by: felicity data prepare.")
    ] = None,
    run: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Run folder to write.")] = Path("run"),
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.toml", help="Settings; flags win over it.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of RUN.")] = False,
    model: Annotated[str | None, _network("See: felicity models list.", "--model", "-m")] = None,
    width: Annotated[int | None, _network("Channels of the first convolution.", "--width")] = None,
    depth: Annotated[int | None, _network("Stages or blocks.", "--depth")] = None,
    filter_size: Annotated[int | None, _network("Side of the kernels.", "--filter-size")] = None,
    dropout: Annotated[float | None, _network("Share dropped before the classifier.", "--dropout")] = None,
    backend: Annotated[str | None, typer.Option("--backend", help="tensorflow, torch or jax.")] = None,
    epochs: Annotated[int | None, _learning("Passes over the data (30).", "--epochs")] = None,
    batch_size: Annotated[int | None, _learning("Images a step (128).", "--batch-size")] = None,
    learning_rate: Annotated[float | None, _learning("Highest learning rate (0.001).", "--lr")] = None,
    optimizer: Annotated[str | None, _learning("sgd, adam or adamw.", "--optimizer")] = None,
    momentum: Annotated[float | None, _learning("Of sgd, Nesterov's (0.9).", "--momentum")] = None,
    weight_decay: Annotated[float | None, _learning("Decoupled.", "--weight-decay")] = None,
    schedule: Annotated[str | None, _learning("constant, cosine or one-cycle.", "--schedule")] = None,
    warm_up: Annotated[float | None, _learning("Share of the steps.", "--warm-up")] = None,
    label_smoothing: Annotated[float | None, _learning("0 to below 1.", "--label-smoothing")] = None,
    soft_labels: Annotated[bool | None, _learning("Learn from shares of votes.", "--soft-labels/--hard-labels")] = None,
    second_weight: Annotated[float | None, _learning("Of the second head's loss (1).", "--second-weight")] = None,
    start: Annotated[str | None, _learning("Run or bundle whose weights to begin with.", "--start")] = None,
    teachers: Annotated[
        list[str] | None, _learning("Bundle whose answers are learnt; give it again for more.", "--teacher")
    ] = None,
    teacher_share: Annotated[float | None, _learning("Of the targets (0.5).", "--teacher-share")] = None,
    views: Annotated[
        int | None, _learning("Augmented images kept of each; 0: new ones in every epoch.", "--views")
    ] = None,
    class_weights: Annotated[
        bool | None, _learning("All classes count alike.", "--class-weights/--no-class-weights")
    ] = None,
    augment: Annotated[str | None, _learning("none, geometry, camera or mild.", "--augment")] = None,
    mix: Annotated[float | None, _learning("Share of the images blended with others.", "--mix")] = None,
    average: Annotated[float | None, _learning("Decay of averaged weights, such as 0.999.", "--average")] = None,
    patience: Annotated[int | None, _learning("Stop after so many epochs without progress.", "--patience")] = None,
    precision: Annotated[str | None, _learning("float32, or bfloat16 on torch.", "--precision")] = None,
    format: Annotated[str | None, _data("Of the data; see: felicity data inspect.", "--format")] = None,
    classes: Annotated[str | None, _data("8, 7, happy,sad or a TOML file.", "--classes")] = None,
    votes: Annotated[str | None, _data("How FER+ votes are read.", "--votes")] = None,
    size: Annotated[int | None, _data("Side of the images (48).", "--size")] = None,
    colour: Annotated[str | None, _data("gray or rgb.", "--colour")] = None,
    second: Annotated[str | None, _data("Other labels for a second head, such as FER2013.", "--second")] = None,
    images: Annotated[int | None, _data("Train on so many, drawn by a seed (0: all).", "--images")] = None,
    test_share: Annotated[float | None, _data("Where the set has no folds.", "--test-share")] = None,
    validation_share: Annotated[float | None, _data("Of the training part.", "--validation-share")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of weights, order and augmentation (1).")] = None,
    threads: Annotated[int | None, typer.Option("--threads", help="0: all cores.")] = None,
    json: options.Json = False,
) -> None:
    """Train a network on a data set and leave a run folder: settings, history, curves, checkpoints."""
    from felicity.training.config import make_config, read_toml

    flags: dict[str, Any] = {
        "backend": backend, "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "optimizer": optimizer, "momentum": momentum, "weight_decay": weight_decay, "schedule": schedule,
        "warm_up": warm_up, "label_smoothing": label_smoothing, "soft_labels": soft_labels,
        "class_weights": class_weights, "augment": augment, "mix": mix, "average": average, "patience": patience,
        "seed": seed, "threads": threads, "second_weight": second_weight, "precision": precision,
        "start": start, "teachers": teachers or None, "teacher_share": teacher_share, "views": views,
        "model": {"name": model, "width": width, "depth": depth, "filter_size": filter_size, "dropout": dropout},
        "data": {
            "path": data, "format": format, "classes": classes, "votes": votes, "size": size, "colour": colour,
            "second": second, "images": images, "test_share": test_share, "validation_share": validation_share,
        },
    }  # fmt: skip
    if config is not None:
        stored = read_toml(config)
    elif resume and (run / "run.json").is_file():
        stored = _settings_of(str(run))
    elif start is not None:
        stored = {key: value for key, value in _settings_of(start).items() if key not in ITS_OWN}
        stored["data"] = {key: stored["data"][key] for key in ("size", "colour", "pixels")}
    else:
        stored = {}
    chosen = make_config(stored, flags)
    given = [name for name, value in flags["data"].items() if value is not None]
    run_training(chosen, run, given=given, resume=resume, json=json)


def _settings_of(where: str) -> dict[str, Any]:
    from felicity.training.start import open_start

    return open_start(where).config.model_dump()


def run_training(chosen: TrainConfig, folder: Path, *, given: Collection[str], resume: bool, json: bool) -> None:
    """Train with a display, and print what came of it. ``given``: settings of the data that flags name."""
    from felicity.models.backend import check_backend
    from felicity.models.registry import check_network
    from felicity.training.data import check_asked, load_training_set

    check_network(chosen.model.name)
    check_backend(chosen.backend)
    if not (resume and (folder / "run.json").is_file()):
        check_asked(chosen.data, given=given)
    with console.progress() as bar:
        task = bar.add_task("preparing images", total=None)
        data = load_training_set(
            chosen.data,
            soft=chosen.soft_labels,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        bar.update(task, description=f"starting {chosen.backend}", total=None)
        from felicity.training.fit import fit

        bar.stop()
        remark_on_votes(chosen, data.train)
        with console.told_how_to_go_on("the same command with --resume"), Display(chosen.epochs) as display:
            run = fit(chosen, data, folder, resume=resume, watcher=display)
    history = run.history
    if json:
        console.emit_json({"run": str(run.folder), "classes": list(run.classes), "history": history})
        return
    columns = ("epoch", "loss", "accuracy", "validation loss", "validation accuracy", "seconds", "images/s")
    console.table(
        columns,
        [
            (
                row["epoch"], f"{row['loss']:.4f}", numbers.share(row['accuracy'], 2), f"{row['val_loss']:.4f}",
                numbers.share(row['val_accuracy'], 2), f"{row['seconds']:.1f}", f"{row['images_per_second']:.0f}",
            )
            for row in history
        ],
        title=f"{chosen.model.name} on {chosen.backend}",
        numbers=columns,
    )  # fmt: skip
    best = min(history, key=lambda row: float(row["val_loss"]))
    console.say(f"least validation loss: epoch {best['epoch']}; written: {run.folder}")


def remark_on_votes(chosen: TrainConfig, faces: LabelledImages | Pool) -> None:
    """Say so where soft labels are asked for and the ``faces`` that are learnt from have none."""
    if chosen.soft_labels and (faces.soft is None or not faces.soft.any()):
        console.warn(f"{chosen.data.path}: has no votes to take soft labels from, so labels are learnt as they are")


class Display:
    """What a training shows while it runs: a bar with loss, accuracy, validation and the time left.

    ``label`` says which training, where there are several.
    """

    def __init__(self, epochs: int, label: str = "") -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._epochs, self._label = epochs, label
        self._validation = ""
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
            console=console.err, transient=True, disable=not console.err.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("training", total=None)

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """See ``fit.Watcher``."""
        self._bar.update(
            self._task,
            total=steps * self._epochs,
            completed=(epoch - 1) * steps + step,
            description=f"{self._label}epoch {epoch}/{self._epochs} "
            f"loss {loss:.3f} accuracy {numbers.share(accuracy)}{self._validation}",
        )

    def epoch(self, done: Epoch, epochs: int) -> None:
        """See ``fit.Watcher``."""
        self._validation = f" validation {done.val_loss:.3f} {numbers.share(done.val_accuracy)}"
        if not console.err.is_terminal:
            console.say(
                f"{self._label}epoch {done.epoch}/{epochs}: loss {done.loss:.4f}, accuracy "
                f"{numbers.share(done.accuracy, 2)}, "
                f"validation {done.val_loss:.4f}, {numbers.share(done.val_accuracy, 2)}, {done.seconds:.1f} s"
            )
