"""The space of settings for trials: a TOML file like a training configuration, with ranges in place of values.

``[3, 5]`` are choices. ``{ low = 1e-4, high = 1e-2, log = true }`` is a range, both ends included, of whole numbers if
the setting is one; ``step`` makes it a grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from felicity.datasets.augment import Augmentation
from felicity.errors import ConfigError
from felicity.models.registry import check_network
from felicity.training.config import ModelConfig, TrainConfig, make_config, read_toml
from felicity.training.same import flat

Choice = str | int | float | bool
FIXED = {"data", "backend", "epochs", "seed", "threads", "device", "patience", "soft_labels", "second_weight"}
"""Settings that cannot be tuned, because trials that differ in them could not be compared.

They choose the data or the length of a training, or they change the loss that judges it.
"""
KEYS = {"low", "high", "log", "step"}
PRESETS = ("default", "study", "optimiser")
MANY = 100


@dataclass(frozen=True)
class Dimension:
    """A setting by its dotted name, and its values: ``choices``, or from ``low`` to ``high``, both included."""

    name: str
    choices: tuple[Choice, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None
    whole: bool = False

    @property
    def ends(self) -> tuple[Choice, ...]:
        """Return values that suffice to check all: every choice, or the ends of a long range."""
        if self.whole and self.high - self.low <= MANY:
            return tuple(range(int(self.low), int(self.high) + 1, int(self.step or 1)))
        return self.choices or (self.low, self.high)

    def suggest(self, trial: Any) -> Choice:
        """Return a value for an Optuna trial."""
        value: Choice
        if self.choices:
            value = trial.suggest_categorical(self.name, self.choices)
        elif self.whole:
            value = trial.suggest_int(self.name, self.low, self.high, step=self.step or 1, log=self.log)
        else:
            value = trial.suggest_float(self.name, self.low, self.high, step=self.step, log=self.log)
        return value

    def to_json(self) -> dict[str, Any]:
        """Return the form for ``tuning.json``."""
        if self.choices:
            return {"choices": list(self.choices)}
        return {"low": self.low, "high": self.high, "log": self.log, "step": self.step}


@dataclass(frozen=True)
class Space:
    """All settings to tune; at least one dimension."""

    dimensions: tuple[Dimension, ...]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Return settings for an Optuna trial, as ``make_config`` takes them."""
        return nest_settings((each.name, each.suggest(trial)) for each in self.dimensions)

    def to_json(self) -> dict[str, Any]:
        """Return the ranges by setting."""
        return {each.name: each.to_json() for each in self.dimensions}

    def without(self, fixed: Iterable[str], *, where: str) -> Space:
        """Return the space without the given settings. Raises ConfigError if nothing is left to tune."""
        given = set(fixed)
        left = tuple(each for each in self.dimensions if each.name not in given)
        if not left:
            raise ConfigError(f"{where}: every setting of the space is given as an option, so nothing is left to tune")
        return replace(self, dimensions=left)


def read_space(name: str) -> Space:
    """Return a preset, or a TOML file. Raises ConfigError naming the first fault."""
    if name in PRESETS:
        path = files("felicity.training.tuning") / "spaces" / f"{name}.toml"
        return parse_space(read_toml(Path(str(path))), where=f"space {name}")
    if not Path(name).is_file():
        raise ConfigError(f"{name}: is no TOML file and no preset; the presets are {', '.join(PRESETS)}")
    return parse_space(read_toml(Path(name)), where=name)


def parse_space(tree: Mapping[str, Any], *, where: str) -> Space:
    """Read nested mappings. Raises ConfigError for an unknown key, an empty range or an impossible value."""
    dimensions = tuple(_dimensions(tree, "", where))
    if not dimensions:
        raise ConfigError(
            f"{where}: tunes nothing; name a setting, such as learning_rate = {{ low = 1e-4, high = 1e-2 }}"
        )
    return Space(dimensions)


def check_space(space: Space, base: TrainConfig, *, where: str) -> None:
    """Raise ConfigError if ``base`` could not take a value of the space, alone or beside the others."""
    first = dict(flat(nest_settings((each.name, each.ends[0]) for each in space.dimensions)))
    for each in space.dimensions:
        for value in each.ends:
            try:
                check_network(
                    make_config(base.model_dump(), nest_settings((first | {each.name: value}).items())).model.name
                )
            except ConfigError as error:
                raise ConfigError(f"{where}: {each.name} = {value!r} is not possible: {error}") from error


def nest_settings(settings: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return settings by dotted names, as nested mappings."""
    tree: dict[str, Any] = {}
    for name, value in settings:
        *tables, last = name.split(".")
        inner = tree
        for table in tables:
            inner = inner.setdefault(table, {})
        inner[last] = value
    return tree


def _dimensions(tree: Mapping[str, Any], prefix: str, where: str) -> Iterable[Dimension]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if not prefix and key in ("model", "augmentation") and isinstance(value, Mapping):
            yield from _dimensions(value, f"{name}.", where)
        else:
            yield _dimension(name, value, _is_whole(where, name), where)


def _is_whole(where: str, name: str) -> bool:
    """Return whether the setting ``name`` is a whole number. Raises ConfigError if it cannot be tuned."""
    kinds = {key: f.annotation for key, f in TrainConfig.model_fields.items() if key not in FIXED}
    del kinds["model"], kinds["augmentation"]
    kinds |= {f"model.{key}": f.annotation for key, f in ModelConfig.model_fields.items()}
    kinds |= {f"augmentation.{f.name}": float for f in fields(Augmentation)}
    if name not in kinds:
        raise ConfigError(f"{where}: {name} is no setting that can be tuned; there are {', '.join(sorted(kinds))}")
    return kinds[name] in (int, int | None)


def _dimension(name: str, value: Any, whole: bool, where: str) -> Dimension:
    if isinstance(value, list):
        if len(set(map(repr, value))) < len(value) or len(value) < 2:
            raise ConfigError(f"{where}: {name} = {value} must be a list of two or more different values")
        if not all(isinstance(each, Choice) for each in value):
            raise ConfigError(f"{where}: {name} = {value} must list plain values")
        return Dimension(name, tuple(value))
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{where}: {name} = {value!r} is one value; give choices, [a, b], or a range, {{ low = a, high = b }}"
        )
    if unknown := value.keys() - KEYS:
        raise ConfigError(f"{where}: {name}: {min(unknown)} is not known; a range has {', '.join(sorted(KEYS))}")
    numbers = {key: value.get(key) for key in ("low", "high", "step")}
    for key, number in numbers.items():
        if (number is None and key != "step") or isinstance(number, bool) or not isinstance(number, int | float | None):
            raise ConfigError(f"{where}: {name}: {key} must be a number, not {number!r}")
        if whole and isinstance(number, float):
            raise ConfigError(f"{where}: {name}: {key} must be a whole number, not {number!r}")
    low, high, step, log = value["low"], value["high"], value.get("step"), value.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"{where}: {name}: log must be true or false, not {log!r}")
    if not low < high:
        raise ConfigError(f"{where}: {name}: the range from {low} to {high} is empty; low must be below high")
    if log and (low <= 0 or step is not None):
        raise ConfigError(f"{where}: {name}: a logarithmic range begins above 0 and has no step")
    if step is not None and not 0 < step <= high - low:
        raise ConfigError(f"{where}: {name}: step must lie above 0 and within the range, not {step}")
    if step is not None and abs((steps := (high - low) / step) - round(steps)) > 1e-6:
        raise ConfigError(f"{where}: {name}: steps of {step} from {low} do not end at {high}; choose another high")
    return Dimension(name, (), low, high, log, step, whole)
