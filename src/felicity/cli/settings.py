"""The settings of a training as options of commands, made from the fields of ``TrainConfig``.

An option has the name of its key in a configuration file: ``learning_rate`` is ``--learning-rate``. The exceptions are
``data.path``, which is the argument DATA, ``data.name`` and ``data.licence``, which are ``--data-name`` and
``--data-licence``, ``model.name``, which is ``--model``, and ``metrics``, which is ``--metric``. Tables have no
options.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from felicity.training.config import Layer
    from felicity.validation import Place

KEY = "felicity.settings"
NAMES: dict[tuple[str, ...], str] = {
    ("data", "path"): "data",
    ("data", "name"): "data_name",
    ("data", "licence"): "data_licence",
    ("model", "name"): "model",
    ("metrics",): "metric",
}
SHORT = {"model": "-m"}
PANELS = {"data": "Data", "model": "Network"}
MACHINE = ("backend", "device", "precision", "seed", "threads")
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE.toml", help="Settings as a file; flags win over it.")
]

Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="VIEWER",
        help="Write the figures of each epoch for tensorboard or mlflow, too, in files; may be repeated.",
    ),
]


@dataclass(frozen=True)
class Setting:
    """One field of the configuration. ``place``: the keys that lead to it."""

    place: Place
    field: FieldInfo

    @property
    def name(self) -> str:
        """Return the name of the parameter."""
        return NAMES.get(self.place, self.place[-1])

    @property
    def panel(self) -> str:
        """Return the heading of the help under which the setting stands."""
        return "Machine and chance" if self.place[0] in MACHINE else PANELS.get(self.place[0], "Learning")

    def parameter(self) -> inspect.Parameter:
        """Return the setting as a parameter of a Typer command, None if the command line does not give it."""
        from felicity.validation import plain

        kind, choices = plain(self.field.annotation), None
        if get_origin(kind) is Literal:
            kind, choices = str, "|".join(get_args(kind))
        if self.name == "data":
            option = typer.Argument(metavar="DATA", help=self.field.description)
        else:
            flag = flag_of(self.place)
            names = (
                [f"{flag}/--no-{flag[2:]}"]
                if kind is bool
                else [flag, *([SHORT[self.name]] if self.name in SHORT else [])]
            )
            option = typer.Option(*names, metavar=choices, help=self._help(), rich_help_panel=self.panel)
        annotation = Annotated[kind | None, option]  # type: ignore[valid-type]
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)

    def _help(self) -> str:
        from felicity.validation import within

        default = self.field.default
        limits = within(self.field)
        beside = [
            *([limits] if " to " in limits else []),
            *([] if default in (None, [], False) else [f"default {default}"]),
        ]
        about = str(self.field.description)
        return f"{about.removesuffix('.')} ({'; '.join(beside)})." if beside else about


def settings(*, only: Collection[str] = (), without: Collection[str] = ()) -> list[Setting]:
    """Return the settings that have an option: those named in ``only``, or all ``without`` those named there."""
    from felicity.training.config import DataConfig, ModelConfig, TrainConfig

    tables: dict[str, type[BaseModel]] = {"data": DataConfig, "model": ModelConfig}
    found = [Setting((key, name), field) for key, table in tables.items() for name, field in table.model_fields.items()]
    rest = {name: field for name, field in TrainConfig.model_fields.items() if name not in (*tables, "augmentation")}
    found += sorted((Setting((name,), field) for name, field in rest.items()), key=lambda each: each.name in MACHINE)
    return [each for each in found if each.name not in without and (not only or each.name in only)]


def flag_of(place: Place) -> str:
    """Return the option of the setting at ``place``."""
    name = NAMES.get(place, place[-1])
    return "DATA" if name == "data" else f"--{name.replace('_', '-')}"


def with_settings(*, only: Collection[str] = (), without: Collection[str] = ()) -> type[TyperCommand]:
    """Return the class of a command that takes the settings beside its own options; ``given`` reads them.

    The options are made when the command is asked for, because making them imports Pydantic and OpenCV.
    """

    class Command(TyperCommand):
        _all: list[Any] | None = None

        @property
        def params(self) -> list[Any]:
            """Return the settings' argument, the command's own options, the other settings."""
            if self._all is None:
                made = _parameters([each.parameter() for each in settings(only=only, without=without)])
                data = [each for each in made if each.name == "data"]
                self._all = [*data, *self._own, *(each for each in made if each.name != "data")]
            return self._all

        @params.setter
        def params(self, own: list[Any]) -> None:
            self._own = own

        def invoke(self, ctx: Any) -> Any:
            """Set the settings aside, then run the command with its own options."""
            ctx.meta[KEY] = {each.place: ctx.params.pop(each.name) for each in settings(only=only, without=without)}
            return super().invoke(ctx)

    return Command


def given(ctx: typer.Context) -> Layer:
    """Return the settings of the command line, as ``make_config`` takes them."""
    from felicity.training.config import Layer

    tree: dict[str, Any] = {}
    for place, value in ctx.meta[KEY].items():
        if value is None or value == [] or value == ():
            continue
        inner = tree
        for key in place[:-1]:
            inner = inner.setdefault(key, {})
        inner[place[-1]] = list(value) if isinstance(value, tuple) else value
    return Layer(tree, flag_of)


def _parameters(made: list[inspect.Parameter]) -> list[Any]:
    """Return the parameters that Typer makes from those of a function."""

    def settings(**values: Any) -> None: ...

    named: Callable[..., None] = settings
    named.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
    named.__annotations__ = {each.name: each.annotation for each in made}
    app = typer.Typer(add_completion=False)
    app.command()(named)
    return list(typer.main.get_command(app).params)
