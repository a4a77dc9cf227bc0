"""The settings of ``felicity train`` as options of other commands, so that there is one list of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from felicity.cli import console
from felicity.cli.commands.train import train

if TYPE_CHECKING:
    from felicity.training.config import TrainConfig

Loaded = TypeVar("Loaded")
OWN = {"run", "config", "resume", "json"}
"""Parameters of ``train`` that are no settings; each command says them for itself."""
COLLECTED = "settings"


def with_train_options(command: Callable[..., None]) -> Callable[..., None]:
    """Decorator: ``command`` takes every setting that ``train`` has, DATA among them, collected in ``settings``.

    Settings that ``command`` has under the same name stay its own.
    """
    own = inspect.signature(command).parameters
    hints = get_type_hints(train, include_extras=True)
    theirs = {
        name: parameter.replace(annotation=hints[name])
        for name, parameter in inspect.signature(train).parameters.items()
        if name not in OWN and name not in own
    }

    def run(**given: Any) -> None:
        command(**{name: given[name] for name in own if name != COLLECTED}, settings={n: given[n] for n in theirs})

    mine_hints = get_type_hints(command, include_extras=True)
    mine = [p.replace(annotation=mine_hints[name]) for name, p in own.items() if name != COLLECTED]
    # DATA comes first, as in train.
    ordered = [*(p for n, p in theirs.items() if n == "data"), *mine, *(p for n, p in theirs.items() if n != "data")]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in ordered]
    )
    run.__annotations__ = {p.name: p.annotation for p in ordered}
    return run


def nested(settings: dict[str, Any]) -> dict[str, Any]:
    """Collected settings as ``make_config`` takes them; those not given are left out."""
    from felicity.training.config import DataConfig, ModelConfig

    layer: dict[str, Any] = {"model": {}, "data": {}}
    for name, value in settings.items():
        if value is None:
            continue
        if name in ("model", "data"):
            layer[name]["name" if name == "model" else "path"] = value
        elif name in ModelConfig.model_fields:
            layer["model"][name] = value
        elif name in DataConfig.model_fields:
            layer["data"][name] = value
        else:
            layer[name] = value
    return {name: value for name, value in layer.items() if value != {}}


def from_file(path: Path | None) -> dict[str, Any]:
    """The settings of a configuration file; none without one."""
    from felicity.training.config import read_toml

    return read_toml(path) if path else {}


def prepared(load: Callable[..., Loaded], chosen: TrainConfig) -> Loaded:
    """What ``load``, ``load_training_set`` or the like, makes of the data of ``chosen``, under a display."""
    with console.progress() as bar:
        task = bar.add_task("preparing images", total=None)
        return load(
            chosen.data,
            soft=chosen.soft_labels,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
