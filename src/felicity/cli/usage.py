"""Errors of a command line in one sentence each: unknown commands and options, missing and wrong values.

Some versions of Typer bundle Click and others do not, so Felicity tells its exceptions apart by their attributes.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, get_args, get_origin

import typer

UsageError: type[Exception] = typer.BadParameter.__bases__[0]
FEW = 30
"""Up to this many names are listed in full; of more, only similar ones."""


def explain(error: Any) -> str:
    """Return one sentence on a ``UsageError``: the command or option, what was expected, and what was found."""
    command = error.ctx.command_path if error.ctx else "felicity"
    help_of = f"see: {command} --help"
    if error.ctx and hasattr(error, "possibilities"):
        options = [name for parameter in error.ctx.command.params for name in _long_names(parameter)]
        return f"{command} has no option {error.option_name}; {_near(error.option_name, options) or help_of}"
    if error.ctx and (unknown := re.match(r"No such command '(.*?)'\.", error.message)):
        commands = list(getattr(error.ctx.command, "commands", ()))
        return f"{command} has no command {unknown[1]!r}; {_near(unknown[1], commands) or help_of}"
    if (parameter := getattr(error, "param", None)) is None:
        said = f"{command}: {error.message[:1].lower()}{error.message[1:].rstrip('.')}"
        return f"{said}; {help_of}" if error.ctx else said
    name = (_long_names(parameter) or [str(parameter.name).upper()])[0]
    if not error.message:
        return f"{command} needs {name}; {help_of}"
    return _wrong_value(name, parameter, error)


def _wrong_value(name: str, parameter: Any, error: Any) -> str:
    """Return what a parameter accepts, as far as its type tells."""
    from pydantic import ValidationError
    from pydantic.fields import FieldInfo

    from felicity.validation import allowed, plain, shown

    if isinstance(error.__cause__, ValidationError):
        descriptor = parameter.type_descriptor
        kind = plain(descriptor.annotation)
        info = descriptor.parameter_info
        bounds = {key: value for key, value in (("ge", info.min), ("le", info.max)) if value is not None}
        wanted = allowed(FieldInfo(annotation=get_args(kind)[0] if get_origin(kind) is list else kind, **bounds))
        if wanted:
            return f"{name} must be {wanted}, not {shown(error.__cause__.errors()[0]['input'])}"
    return f"{name}: {error.message.removeprefix('Value error, ')}"


def _long_names(parameter: Any) -> list[str]:
    """Return ``--name``, and ``--no-name`` of a switch; nothing for an argument."""
    return [name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--")]


def _near(unknown: str, known: list[str]) -> str:
    """Return the likely intended names, or all names if they are few."""
    if near := get_close_matches(unknown, known, n=3):
        return f"did you mean {' or '.join(near)}?"
    return f"choose one of {', '.join(known)}" if known and len(known) <= FEW else ""
