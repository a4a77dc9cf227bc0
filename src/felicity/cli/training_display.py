"""What commands that train show on stderr: images being prepared, then a bar for each training."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from felicity.cli import console
from felicity.style import numbers

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig
    from felicity.training.data import LabelledImages
    from felicity.training.folds import Pool
    from felicity.training.history import Epoch

Loaded = TypeVar("Loaded")


def prepared(load: Callable[..., Loaded], chosen: TrainConfig) -> Loaded:
    """Return what ``load``, ``load_training_set`` or the like, makes of the data of ``chosen``, under a display."""
    with console.progress() as bar:
        task = bar.add_task("preparing images", total=None)
        return load(
            chosen.data,
            soft=chosen.soft_labels,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


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
