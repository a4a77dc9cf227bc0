"""Callbacks of a training: at its begin, after every step and epoch, and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from felicity.training.history import Epoch

if TYPE_CHECKING:
    from felicity.training.run import TrainingRun


class Watcher:
    """Watches a training. All methods do nothing, so that a subclass overrides those it needs.

    The training calls them in its own thread and waits for them: slow methods make the training longer. An exception
    ends the training, whose last checkpoint stays; ``end`` is called then, too.
    """

    def begin(self, run: TrainingRun, done: Sequence[Epoch]) -> None:
        """Receive the begin or resumption: ``run`` has folder, configuration and classes, ``done`` earlier epochs."""

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Receive that step ``step`` of the ``steps`` of an epoch is done, all counted from 1.

        ``loss`` in nats and ``accuracy``, 0 to 1, are those of the epoch so far, on augmented images.
        """

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Receive an epoch of ``epochs`` that is done and measured on the validation set."""

    def end(self) -> None:
        """Receive the end; no call follows."""


class Watchers(Watcher):
    """Several watchers, called one after the other."""

    def __init__(self, *watchers: Watcher) -> None:
        self._all = watchers

    def begin(self, run: TrainingRun, done: Sequence[Epoch]) -> None:
        """Call ``begin`` of each; see ``Watcher``."""
        for one in self._all:
            one.begin(run, done)

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Call ``step`` of each; see ``Watcher``."""
        for one in self._all:
            one.step(epoch, step, steps, loss, accuracy)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Call ``epoch`` of each; see ``Watcher``."""
        for one in self._all:
            one.epoch(done, epochs)

    def end(self) -> None:
        """Call ``end`` of each; see ``Watcher``."""
        for one in self._all:
            one.end()


def tracker(name: str) -> Watcher:
    """Return a watcher that writes files beside the run for the viewer ``name``; see ``TRACKERS``.

    Raises ConfigError for another name, ExtraMissingError without its package.
    """
    import importlib

    from felicity.errors import ConfigError

    if name not in TRACKERS:
        raise ConfigError(f"track: one of {', '.join(TRACKERS)} expected, found {name!r}; leave --track out for none")
    made: Watcher = importlib.import_module(f"felicity.training.trackers.{name}").open_tracker()
    return made


TRACKERS = ("tensorboard", "mlflow")
FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds", "images_per_second")
"""Figures of an epoch, by their names in ``history.csv``."""


def figures_of(done: Epoch) -> dict[str, float]:
    """Return the figures of an epoch by the names of FIGURES, the user's own metrics as ``val_NAME``."""
    own = {f"val_{name}": value for name, value in done.metrics.items()}
    return {name: float(getattr(done, name)) for name in FIGURES} | own
