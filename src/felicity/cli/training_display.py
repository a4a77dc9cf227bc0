"""The progress of commands that train, on stderr: the prepared images, then a bar for each training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from felicity.api.training import Told
from felicity.cli import console
from felicity.style import numbers
from felicity.training.watcher import Watcher

if TYPE_CHECKING:
    from rich.progress import TaskID

    from felicity.notes import Note
    from felicity.training.config import TrainConfig
    from felicity.training.history import Epoch


class Shown(Told):
    """A display of one training or several on stderr. ``done_line`` returns the line for a finished fold or trial."""

    def __init__(self, done_line: Callable[[dict[str, Any], int], str] = lambda part, number: "") -> None:
        self._stack, self._line = ExitStack(), done_line
        self._bar, self._task = console.progress(), cast("TaskID", 0)

    def __enter__(self) -> Shown:
        self._stack.enter_context(self._bar)
        self._task = self._bar.add_task("preparing images", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def prepared(self, done: int, total: int) -> None:
        """Show how many images are prepared; see ``Told``."""
        self._bar.update(self._task, completed=done, total=total)

    def note(self, note: Note) -> None:
        """Show a note; see ``Told``."""
        self._stack.close()
        console.warn(note)

    def watcher(self, config: TrainConfig, label: str) -> Display:
        """Return the display of a training; see ``Told``."""
        self._stack.close()
        return self._stack.enter_context(Display(config.epochs, label))

    def done(self, part: dict[str, Any], number: int) -> None:
        """Print the line of a finished fold or trial; see ``Told``."""
        self._stack.close()
        console.say(self._line(part, number))

    def waiting(self, others: int) -> None:
        """Show how many trials run elsewhere; see ``Told``."""
        self._stack.close()
        console.say(f"{others} of the trials run elsewhere; waiting for them")


class Display(Watcher):
    """The display of a training while it runs: a bar with loss, accuracy, validation and the time left.

    ``label`` names the training, if there are several.
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
        """Show a step; see ``training.watcher.Watcher``."""
        self._bar.update(
            self._task,
            total=steps * self._epochs,
            completed=(epoch - 1) * steps + step,
            description=f"{self._label}epoch {epoch}/{self._epochs} "
            f"loss {loss:.3f} accuracy {numbers.share(accuracy)}{self._validation}",
        )

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Show an epoch; see ``training.watcher.Watcher``."""
        self._validation = f" validation {done.val_loss:.3f} {numbers.share(done.val_accuracy)}"
        if not console.err.is_terminal:
            console.say(
                f"{self._label}epoch {done.epoch}/{epochs}: loss {done.loss:.4f}, accuracy "
                f"{numbers.share(done.accuracy, 2)}, "
                f"validation {done.val_loss:.4f}, {numbers.share(done.val_accuracy, 2)}, {done.seconds:.1f} s"
            )
