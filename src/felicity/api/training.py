"""Training: the use cases that turn a data set into a run, into folds, or into trials of settings.

Settings are nested mappings with the keys of a configuration file: ``{"epochs": 5, "model": {"name": "best"}}``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from felicity.api.training_results import CrossValidation, TrainingResult, Tuning
from felicity.notes import Note
from felicity.style import numbers
from felicity.style.notebook import Line, in_notebook
from felicity.training.watcher import Watcher, Watchers, tracker

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig
    from felicity.training.folds import Pool
    from felicity.training.history import Epoch
    from felicity.training.labelled_images import LabelledImages

ITS_OWN = ("epochs", "learning_rate", "schedule", "warm_up", "patience", "seed", "start", "teachers", "views")
"""Settings that a training does not take from its start."""


class Told:
    """A listener to the progress of training; its methods do nothing."""

    def prepared(self, done: int, total: int) -> None:
        """Receive how many images are prepared: ``done`` of ``total``."""

    def note(self, note: Note) -> None:
        """Receive a note that is known before the work begins."""

    def watcher(self, config: TrainConfig, label: str) -> Watcher | None:
        """Return the watcher of the training that begins; ``label`` names one of several trainings."""
        return None

    def done(self, part: dict[str, Any], number: int) -> None:
        """Receive the figures of a finished fold or trial of ``number``; see ``CrossValidation`` and ``Tuning``."""

    def waiting(self, others: int) -> None:
        """Receive how many trials still run elsewhere while the work waits for them."""


class InNotebook(Told, Watcher):
    """A listener that shows the progress below a notebook's cell."""

    def __init__(self) -> None:
        self._line, self._label, self._validation = Line(), "", ""

    def prepared(self, done: int, total: int) -> None:
        """Show how many images are prepared; see ``Told``."""
        self._line.say(f"preparing images: {done:,} of {total:,}", always=done == total)

    def watcher(self, config: TrainConfig, label: str) -> Watcher | None:
        """Return itself as the watcher; see ``Told``."""
        self._label, self._epochs = label, config.epochs
        return self

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """Show a step; see ``training.watcher.Watcher``."""
        text = f"{self._label}epoch {epoch}/{self._epochs}, step {step}/{steps}: loss {loss:.3f}"
        self._line.say(text + self._validation, always=False)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """Show an epoch; see ``training.watcher.Watcher``."""
        self._validation = f", validation {done.val_loss:.3f}, {numbers.share(done.val_accuracy)}"
        self._line.say(f"{self._label}epoch {done.epoch}/{epochs}: loss {done.loss:.3f}{self._validation}")


class _Prepares(Protocol):
    """An object that reads a data set."""

    def __call__(self, config: Any, *, soft: bool, progress: Callable[[int, int], None]) -> Any: ...


def train(
    data: str | Path | None = None,
    output: str | Path = "run",
    *,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | None = None,
    resume: bool = False,
    watchers: Sequence[Watcher] = (),
    track: Sequence[str] = (),
    told: Told | None = None,
) -> TrainingResult:
    """Train a network on ``data`` and write a run folder at ``output``.

    ``settings`` override ``config``, a TOML file. Without a file, a resumed training keeps its own settings. A training
    with a ``start`` takes those of its start, except ITS_OWN and, on another backend, the precision. ``resume``
    continues from the last checkpoint. ``watchers`` receive every step and epoch, see ``felicity.Watcher``; ``track``
    names viewers, tensorboard or mlflow, for which files are written. Raises ConfigError, DatasetError, BundleError,
    ExtraMissingError and TrainingError, if possible before anything is written.
    """
    from felicity.training.data import load_training_set
    from felicity.training.fit import fit
    from felicity.training.run import RUN

    told, output = told or _teller(), Path(output)
    begun = resume and (output / RUN).is_file()
    start = (settings or {}).get("start")
    stored: dict[str, Any] = {}
    if config is None and begun:
        stored = _settings_of(str(output))
    elif config is None and start is not None:
        stored = {key: value for key, value in _settings_of(start).items() if key not in ITS_OWN}
        stored["data"] = {key: stored["data"][key] for key in ("size", "colour", "pixels")}
        if (settings or {}).get("backend") not in (None, stored["backend"]):
            del stored["precision"]  # the start's precision was chosen for its own backend
    chosen = _configure(stored, config, data, settings)
    if not begun:
        _check_data(chosen, settings)
    others = [*map(tracker, track), *watchers]
    held, notes = _prepare(load_training_set, chosen, told, lambda held: held.train)
    run = fit(chosen, held, output, resume=resume, watcher=_with(others, told.watcher(chosen, "")))
    return TrainingResult(run.folder, chosen, run.classes, run.history, notes)


def crossval(
    data: str | Path | None = None,
    output: str | Path = "crossval",
    *,
    folds: int | None = None,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | None = None,
    resume: bool = False,
    watchers: Sequence[Watcher] = (),
    track: Sequence[str] = (),
    told: Told | None = None,
    cluster: str | None = None,
) -> CrossValidation:
    """Train once per fold and measure each run on the images that it never saw; the test set stays untouched.

    ``folds``: None for the number that the preparation drew, else 5. ``resume`` skips folds that are done. ``cluster``:
    address of a Ray cluster, which trains folds side by side and tells ``watchers`` nothing. Other parameters and
    errors are those of ``train``.
    """
    from felicity.training.crossval import cross_validate, read
    from felicity.training.folds import Fold, number_of_folds, open_pool
    from felicity.work import Here
    from felicity.work.opening import open_work

    told, output = told or _teller(), Path(output)
    begun = (read(output) if resume else None) or {}
    stored = {} if config is not None else begun.get("config", {})
    chosen = _configure(stored, config, data, settings)
    if not begun:
        _check_data(chosen, settings, unless={"validation_share"})
    others = [*map(tracker, track), *watchers]
    pool, notes = _prepare(open_pool, chosen, told, lambda pool: pool)
    wanted = begun.get("number_of_folds") if folds is None and config is None else folds
    number = number_of_folds(pool, wanted)

    def watch(fold: Fold) -> Watcher | None:
        return _with(others, told.watcher(chosen, f"fold {fold.number}/{number} "))

    with open_work(cluster, otherwise=Here()) as work:
        figures = cross_validate(
            chosen, pool, number, output, resume=resume, watch=watch, scored=lambda fold: told.done(fold, number),
            work=work, track=track,
        )  # fmt: skip
    return CrossValidation(output, chosen, figures, notes)


def tune(
    data: str | Path | None = None,
    output: str | Path = "tuning",
    *,
    trials: int = 20,
    space: str = "default",
    storage: str | None = None,
    study: str | None = None,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | None = None,
    told: Told | None = None,
    cluster: str | None = None,
) -> Tuning:
    """Search for settings by ``trials`` and write the best as ``best.toml``, a configuration for ``train``.

    ``space``: default, study, optimiser or a TOML file; settings given in ``settings`` are not searched. ``storage``:
    URL of the database of trials, None for ``output``/study.db. ``study``: its name there. ``cluster``: address of a
    Ray cluster, which trains trials side by side. The same call resumes the search. Raises StoreError,
    ExtraMissingError, ConfigError if ``config`` or ``space`` would be replaced, and as ``train`` does.
    """
    from felicity.errors import require
    from felicity.files import check_apart
    from felicity.store.engine import parse_url
    from felicity.training.data import load_training_set
    from felicity.training.same import flat
    from felicity.training.tuning.space import check_space, read_space
    from felicity.training.tuning.tune import BEST, SUMMARY
    from felicity.training.tuning.tune import tune as search
    from felicity.work import Here
    from felicity.work.opening import open_work

    with warnings.catch_warnings():  # Optuna warns about a progress bar for notebooks, which is not shown
        warnings.filterwarnings("ignore", message="IProgress not found")
        require("optuna", "tune")
    told, output = told or _teller(), Path(output)
    check_apart([output / BEST, output / SUMMARY], [Path(file) for file in (config, space) if file is not None])
    chosen = _configure({}, config, data, settings)
    tuned = read_space(space).without(flat(settings or {}), where=space)
    check_space(tuned, chosen, where=space)
    _check_data(chosen, settings)
    url = parse_url(storage) if storage else None
    held, notes = _prepare(load_training_set, chosen, told, lambda held: held.train)

    def watch(number: int, config: TrainConfig) -> Watcher:
        return told.watcher(config, f"trial {number} ") or Watcher()

    with open_work(cluster, otherwise=Here()) as work:
        figures = search(
            chosen, tuned, held, output, trials, where=space, url=url, name=study,
            watch=watch, ended=lambda trial: told.done(trial, trials), waiting=told.waiting, work=work,
        )  # fmt: skip
    return Tuning(output, chosen, figures, notes)


def _teller() -> Told:
    return InNotebook() if in_notebook() else Told()


def _with(others: Sequence[Watcher], shown: Watcher | None) -> Watcher:
    return Watchers(*([] if shown is None else [shown]), *others)


def _settings_of(where: str) -> dict[str, Any]:
    from felicity.training.start import open_start

    return open_start(where).config.model_dump()


def _configure(
    stored: Mapping[str, Any], file: str | Path | None, data: str | Path | None, settings: Mapping[str, Any] | None
) -> TrainConfig:
    """Merge the layers of settings and check the network and backend that they name."""
    from felicity.models.backend import check_backend, use_backend
    from felicity.models.registry import check_network
    from felicity.plugins import is_path
    from felicity.training.config import make_config, read_toml
    from felicity.training.own_code import own_loss, own_metrics

    layers = [stored, read_toml(Path(file)) if file is not None else {}]
    layers.append({} if data is None else {"data": {"path": str(data)}})
    chosen = make_config(*layers, settings or {})
    check_backend(chosen.backend)
    named = (chosen.model.name, chosen.augment, chosen.loss or "", *chosen.metrics)
    if any(map(is_path, named)) or chosen.device != "auto":  # an import path may import Keras itself
        use_backend(chosen.backend, threads=chosen.threads, device=chosen.device)
    check_network(chosen.model.name)
    chosen.how_augmented()
    own_loss(chosen.loss)
    own_metrics(chosen.metrics)
    return chosen


def _check_data(chosen: TrainConfig, settings: Mapping[str, Any] | None, unless: Collection[str] = ()) -> None:
    from felicity.training.asked import check_asked

    check_asked(chosen.data, given=(settings or {}).get("data", {}), unless=unless)


def _prepare(
    load: _Prepares, chosen: TrainConfig, told: Told, learnt: Callable[[Any], LabelledImages | Pool]
) -> tuple[Any, tuple[Note, ...]]:
    """Read the data; return them with notes on ``learnt``, the part that the training learns from."""
    held = load(chosen.data, soft=chosen.soft_labels, progress=told.prepared)
    soft, notes = learnt(held).soft, held.notes
    if chosen.soft_labels and (soft is None or not soft.any()):
        text = f"{chosen.data.path}: has no votes to take soft labels from, so labels are learnt as they are"
        notes = (*notes, Note("no-votes", text))
    for note in notes:
        told.note(note)
    return held, notes
