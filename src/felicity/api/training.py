"""Training: a data set into a run, into folds, or into trials of settings.

Settings are nested mappings with the keys of a configuration file: ``{"epochs": 5, "model": {"name": "best"}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from felicity.api.training_results import CrossValidation, TrainingResult, Tuning
from felicity.notes import Note
from felicity.style import numbers
from felicity.style.notebook import Line, in_notebook

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig
    from felicity.training.data import LabelledImages
    from felicity.training.fit import Watcher
    from felicity.training.folds import Pool
    from felicity.training.history import Epoch

ITS_OWN = ("epochs", "learning_rate", "schedule", "warm_up", "patience", "seed", "start", "teachers", "views")
"""Settings that a training does not take over from where it starts."""


class Told:
    """Told how the work gets on; all methods do nothing here."""

    def prepared(self, done: int, total: int) -> None:
        """``done`` of ``total`` images are prepared."""

    def note(self, note: Note) -> None:
        """A note is known before the work begins."""

    def watcher(self, config: TrainConfig, label: str) -> Watcher | None:
        """Return who watches the training that begins; ``label`` says which of several."""
        return None

    def done(self, part: dict[str, Any], number: int) -> None:
        """A fold of ``number``, or a trial, is done: its figures, see ``CrossValidation`` and ``Tuning``."""

    def waiting(self, others: int) -> None:
        """So many trials run elsewhere, and the work waits for them."""


class InNotebook(Told):
    """Says below a notebook's cell how the work gets on."""

    def __init__(self) -> None:
        self._line, self._label, self._validation = Line(), "", ""

    def prepared(self, done: int, total: int) -> None:
        """See ``Told``."""
        self._line.say(f"preparing images: {done:,} of {total:,}", always=done == total)

    def watcher(self, config: TrainConfig, label: str) -> Watcher | None:
        """See ``Told``."""
        self._label, self._epochs = label, config.epochs
        return self

    def step(self, epoch: int, step: int, steps: int, loss: float, accuracy: float) -> None:
        """See ``training.fit.Watcher``."""
        text = f"{self._label}epoch {epoch}/{self._epochs}, step {step}/{steps}: loss {loss:.3f}"
        self._line.say(text + self._validation, always=False)

    def epoch(self, done: Epoch, epochs: int) -> None:
        """See ``training.fit.Watcher``."""
        self._validation = f", validation {done.val_loss:.3f}, {numbers.share(done.val_accuracy)}"
        self._line.say(f"{self._label}epoch {done.epoch}/{epochs}: loss {done.loss:.3f}{self._validation}")


class _Prepares(Protocol):
    """Reads a data set."""

    def __call__(self, config: Any, *, soft: bool, progress: Callable[[int, int], None]) -> Any: ...


def train(
    data: str | Path | None = None,
    output: str | Path = "run",
    *,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | None = None,
    resume: bool = False,
    told: Told | None = None,
) -> TrainingResult:
    """Train a network on ``data`` and leave a run folder at ``output``.

    ``settings`` win over ``config``, a TOML file. Without a file, a resumed training takes its own settings, and one
    with a ``start`` those of its start, but for ITS_OWN and, on another backend, the precision. ``resume`` goes on
    from the last checkpoint. Raises ConfigError, DatasetError, BundleError and TrainingError, each before anything is
    written if it can be known.
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
            del stored["precision"]  # which was chosen for what its backend can do
    chosen = _configure(stored, config, data, settings)
    if not begun:
        _check_data(chosen, settings)
    held, notes = _prepare(load_training_set, chosen, told, lambda held: held.train)
    run = fit(chosen, held, output, resume=resume, watcher=told.watcher(chosen, ""))
    return TrainingResult(run.folder, chosen, run.classes, run.history, notes)


def crossval(
    data: str | Path | None = None,
    output: str | Path = "crossval",
    *,
    folds: int | None = None,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | None = None,
    resume: bool = False,
    told: Told | None = None,
) -> CrossValidation:
    """Train once per fold and measure each run on the images it never saw; the test part is not touched.

    ``folds``: None for as many as the preparation drew, else 5. ``resume`` skips folds that are done. Other parameters
    and errors are those of ``train``.
    """
    from felicity.training.crossval import cross_validate, read
    from felicity.training.folds import Fold, number_of_folds, open_pool

    told, output = told or _teller(), Path(output)
    begun = (read(output) if resume else None) or {}
    stored = {} if config is not None else begun.get("config", {})
    chosen = _configure(stored, config, data, settings)
    if not begun:
        _check_data(chosen, settings, unless={"validation_share"})
    pool, notes = _prepare(open_pool, chosen, told, lambda pool: pool)
    wanted = begun.get("number_of_folds") if folds is None and config is None else folds
    number = number_of_folds(pool, wanted)

    def watch(fold: Fold) -> Watcher | None:
        return told.watcher(chosen, f"fold {fold.number}/{number} ")

    figures = cross_validate(
        chosen, pool, number, output, resume=resume, watch=watch, scored=lambda fold: told.done(fold, number)
    )
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
) -> Tuning:
    """Search for settings by ``trials`` and leave the best as ``best.toml``, a configuration for ``train``.

    ``space``: default, study, optimiser or a TOML file; what ``settings`` give leaves it. ``storage``: URL of the
    database of trials, None for ``output``/study.db. ``study``: its name there. The same call goes on. Raises
    StoreError, ExtraMissingError, and as ``train`` does.
    """
    from felicity.errors import require
    from felicity.store.engine import parse_url
    from felicity.training.data import load_training_set
    from felicity.training.fit import Silent
    from felicity.training.same import flat
    from felicity.training.tuning.space import check_space, read_space
    from felicity.training.tuning.tune import tune as search

    require("optuna", "tune")
    told, output = told or _teller(), Path(output)
    chosen = _configure({}, config, data, settings)
    tuned = read_space(space).without(flat(settings or {}), where=space)
    check_space(tuned, chosen, where=space)
    _check_data(chosen, settings)
    url = parse_url(storage) if storage else None
    held, notes = _prepare(load_training_set, chosen, told, lambda held: held.train)

    def watch(number: int, config: TrainConfig) -> Watcher:
        return told.watcher(config, f"trial {number} ") or Silent()

    figures = search(
        chosen, tuned, held, output, trials, where=space, url=url, name=study,
        watch=watch, ended=lambda trial: told.done(trial, trials), waiting=told.waiting,
    )  # fmt: skip
    return Tuning(output, chosen, figures, notes)


def _teller() -> Told:
    return InNotebook() if in_notebook() else Told()


def _settings_of(where: str) -> dict[str, Any]:
    from felicity.training.start import open_start

    return open_start(where).config.model_dump()


def _configure(
    stored: Mapping[str, Any], file: str | Path | None, data: str | Path | None, settings: Mapping[str, Any] | None
) -> TrainConfig:
    """Merge the layers and check the network and backend they name."""
    from felicity.models.backend import check_backend, use_backend
    from felicity.models.registry import check_network
    from felicity.plugins import is_path
    from felicity.training.config import make_config, read_toml

    layers = [stored, read_toml(Path(file)) if file is not None else {}]
    layers.append({} if data is None else {"data": {"path": str(data)}})
    chosen = make_config(*layers, settings or {})
    check_backend(chosen.backend)
    if is_path(chosen.model.name) or is_path(chosen.augment):  # such code imports Keras itself
        use_backend(chosen.backend, threads=chosen.threads)
    check_network(chosen.model.name)
    chosen.how_augmented()
    return chosen


def _check_data(chosen: TrainConfig, settings: Mapping[str, Any] | None, unless: Collection[str] = ()) -> None:
    from felicity.training.data import check_asked

    check_asked(chosen.data, given=(settings or {}).get("data", {}), unless=unless)


def _prepare(
    load: _Prepares, chosen: TrainConfig, told: Told, learnt: Callable[[Any], LabelledImages | Pool]
) -> tuple[Any, tuple[Note, ...]]:
    """Read the data; notes on ``learnt``, the part that is trained on."""
    held = load(chosen.data, soft=chosen.soft_labels, progress=told.prepared)
    soft, notes = learnt(held).soft, held.notes
    if chosen.soft_labels and (soft is None or not soft.any()):
        text = f"{chosen.data.path}: has no votes to take soft labels from, so labels are learnt as they are"
        notes = (*notes, Note("no-votes", text))
    for note in notes:
        told.note(note)
    return held, notes
